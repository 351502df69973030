//! The terminal: what was typed, what came back, and the way through the history.

use super::watch::Watch;
use std::rc::Rc;

/// The most entries kept; older ones scroll away for good.
const MOST_ENTRIES: usize = 200;
/// The most characters of one output that are kept.
const MOST_OUTPUT: usize = 100_000;

/// A command and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts up through the session.
    pub number: u32,
    /// What was typed.
    pub line: String,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// What the terminal holds.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    /// The entries, oldest first.
    pub entries: Vec<Rc<Entry>>,
    /// What Tab offers for the word being typed.
    pub offers: Vec<String>,
    /// The line being typed.
    pub input: String,
    /// The command that goes on, if one does.
    pub watch: Option<Watch>,
    history: Vec<String>,
    /// Where in the history the line is from; its length if it is a new one.
    at: usize,
    count: u32,
}

impl Terminal {
    /// Records a command with its output, and makes room for the next; returns the entry's number.
    pub fn record(&mut self, line: &str, stdout: &str, stderr: &str) -> u32 {
        self.count = self.count.wrapping_add(1);
        let entry = Entry {
            number: self.count,
            line: line.to_owned(),
            stdout: clip(stdout),
            stderr: clip(stderr),
        };
        self.entries.push(Rc::new(entry));
        let surplus = self.entries.len().saturating_sub(MOST_ENTRIES);
        self.entries.drain(..surplus);
        self.count
    }

    /// Adds to what a command printed, or replaces it.
    pub(super) fn write(&mut self, number: u32, text: &str, replaces: bool) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.number == number) else {
            return;
        };
        let entry = Rc::make_mut(entry);
        if replaces {
            entry.stdout.clear();
        }
        entry.stdout.push_str(text);
        entry.stdout = clip(&entry.stdout);
    }

    /// Remembers a typed line and clears the input.
    pub fn accept(&mut self) -> String {
        let line = core::mem::take(&mut self.input);
        if !line.trim().is_empty() && self.history.last() != Some(&line) {
            self.history.push(line.clone());
        }
        self.at = self.history.len();
        self.offers.clear();
        line
    }

    /// Goes `step` lines through the history: -1 to the one before.
    pub fn recall(&mut self, step: i32) {
        let at = match step {
            ..0 => self.at.saturating_sub(1),
            _ => self.at.saturating_add(1).min(self.history.len()),
        };
        self.at = at;
        self.input = self.history.get(at).cloned().unwrap_or_default();
        self.offers.clear();
    }

    /// Takes what could stand in place of the line's last word: one is written, of several what
    /// they have in common, and the rest is shown.
    pub fn offer(&mut self, offers: Vec<String>) {
        let start = self.input.rfind(char::is_whitespace).map_or(0, |at| at.saturating_add(1));
        let common = offers.iter().skip(1).fold(offers.first().cloned(), |common, offer| {
            let common = common?;
            let same = common.chars().zip(offer.chars()).take_while(|(a, b)| a == b);
            Some(same.map(|(a, _)| a).collect())
        });
        let typed = self.input.get(start..).unwrap_or_default();
        if let Some(common) = common.filter(|common| common.starts_with(typed)) {
            self.input.truncate(start);
            self.input.push_str(&common);
            if offers.len() == 1 && !common.ends_with(['=', '/']) {
                self.input.push(' ');
            }
        }
        self.offers = if offers.len() > 1 { offers } else { Vec::new() };
    }

    /// Ends what goes on, as Ctrl-C does, or else throws the line away; shows that it did.
    pub fn interrupt(&mut self) {
        if let Some(watch) = self.watch.take() {
            self.write(watch.entry(), "^C\n", false);
            return;
        }
        let line = core::mem::take(&mut self.input);
        self.offers.clear();
        self.at = self.history.len();
        self.record(&format!("{line}^C"), "", "");
    }

    /// Empties the screen, as Ctrl-L does; the history stays.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.offers.clear();
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(MOST_OUTPUT) {
        Some((end, _)) => format!("{}\n…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(lines: &[&str]) -> Terminal {
        let mut terminal = Terminal::default();
        for line in lines {
            terminal.input = (*line).to_owned();
            terminal.accept();
        }
        terminal
    }

    #[test]
    fn the_history_goes_back_to_the_first_line_and_forth_to_an_empty_one() {
        let mut terminal = typed(&["one", "two", "two"]);
        let mut seen = Vec::new();
        for step in [-1, -1, -1, 1, 1, 1] {
            terminal.recall(step);
            seen.push(terminal.input.clone());
        }
        assert_eq!(seen, ["two", "one", "one", "two", "", ""]);
    }

    #[test]
    fn tab_writes_what_all_offers_have_in_common_and_shows_the_rest() {
        let mut terminal = Terminal { input: "kubectl get pod w".into(), ..Terminal::default() };
        terminal.offer(vec!["web-a1".into(), "web-b2".into()]);
        assert_eq!((terminal.input.as_str(), terminal.offers.len()), ("kubectl get pod web-", 2));
        terminal.offer(vec!["web-b2".into()]);
        assert_eq!(
            (terminal.input.as_str(), terminal.offers.len()),
            ("kubectl get pod web-b2 ", 0)
        );
    }

    #[test]
    fn an_endless_output_is_cut() {
        let mut terminal = Terminal::default();
        terminal.record("yes", &"y\n".repeat(MOST_OUTPUT), "");
        assert!(terminal.entries.last().is_some_and(|e| e.stdout.len() < MOST_OUTPUT + 8));
    }

    #[test]
    fn clearing_the_screen_keeps_the_history() {
        let mut terminal = typed(&["kubectl get pods"]);
        terminal.record("kubectl get pods", "No resources found in default namespace.", "");
        terminal.clear();
        terminal.recall(-1);
        assert_eq!((terminal.entries.len(), terminal.input.as_str()), (0, "kubectl get pods"));
    }
}
