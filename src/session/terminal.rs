//! The terminal: what was typed, what came back, and the way through the history.

use super::running::Running;
use crate::console::{Completion, Output, Part, Stream};
use crate::container::Entered;
use std::rc::Rc;

/// The most entries kept; older ones scroll away for good.
const MOST_ENTRIES: usize = 200;
/// The most bytes of one output that are kept.
const MOST_OUTPUT: usize = 100_000;
/// What clears a screen.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// A command and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts up through the session.
    pub number: u32,
    /// What stood before the line, `default $ `.
    pub prompt: Rc<str>,
    /// What was typed; further lines of a command after their line breaks.
    pub line: String,
    /// What it printed, in the order in which it did.
    pub pieces: Vec<(Stream, String)>,
    /// Whether it is no command, but the beginning of a new cluster, whose name `line` is.
    pub is_break: bool,
}

impl Entry {
    /// All that it printed to a stream.
    pub fn printed(&self, stream: Stream) -> String {
        let own = self.pieces.iter().filter(|(of, _)| *of == stream);
        own.map(|(_, text)| text.as_str()).collect()
    }

    fn size(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.len()).sum()
    }
}

/// What the terminal holds.
#[derive(Debug, Default)]
pub struct Terminal {
    /// The entries, oldest first.
    pub entries: Vec<Rc<Entry>>,
    /// What Tab offers for the word being typed.
    pub offers: Vec<String>,
    /// The line being typed.
    pub input: String,
    /// Where the cursor is to be, in UTF-16 units, and how often it was put somewhere.
    pub caret: (u32, u32),
    /// The lines before it, of a command that is not whole yet.
    pub unfinished: Entered,
    /// The commands that go on.
    pub jobs: Vec<Running>,
    /// Lines that were typed while a command went on, to be carried out after it.
    pub queue: Vec<String>,
    /// Changes with every change of what is shown.
    pub stamp: u64,
    history: Vec<String>,
    /// Where in the history the line is from; its length if it is a new one.
    at: usize,
    /// The new line, while one of the history stands in its place.
    draft: String,
    /// What is looked for in the history.
    sought: Option<String>,
    count: u32,
}

impl Terminal {
    /// Begins an entry; returns its number.
    pub fn open(&mut self, prompt: &str, line: &str) -> u32 {
        self.push(Entry {
            number: 0,
            prompt: prompt.into(),
            line: line.to_owned(),
            pieces: Vec::new(),
            is_break: false,
        })
    }

    /// A terminal that goes on with what was shown and typed, and with no command.
    pub(super) fn successor(&self) -> Terminal {
        Terminal {
            entries: self.entries.clone(),
            caret: self.caret,
            stamp: self.stamp,
            at: self.history.len(),
            history: self.history.clone(),
            count: self.count,
            ..Terminal::default()
        }
    }

    /// Shows that a new cluster begins, by its name.
    pub fn break_off(&mut self, name: &str) {
        let (prompt, line, pieces) = ("".into(), name.to_owned(), Vec::new());
        self.push(Entry { number: 0, prompt, line, pieces, is_break: true });
    }

    fn push(&mut self, mut entry: Entry) -> u32 {
        self.count = self.count.wrapping_add(1);
        entry.number = self.count;
        self.entries.push(Rc::new(entry));
        let surplus = self.entries.len().saturating_sub(MOST_ENTRIES);
        self.entries.drain(..surplus);
        self.stamp = self.stamp.wrapping_add(1);
        self.count
    }

    /// Adds to what a command printed.
    pub fn write(&mut self, number: u32, output: &Output) {
        let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.number == number) else {
            return;
        };
        let parts = output.parts();
        if parts.is_empty() {
            return;
        }
        let entry = Rc::make_mut(entry);
        for part in parts {
            let Part::Text(stream, text) = part else { continue };
            let text = match text.rsplit_once(CLEAR) {
                Some((_, after)) => {
                    entry.pieces.clear();
                    after
                }
                None => text,
            };
            let room = MOST_OUTPUT.saturating_sub(entry.size());
            if room == 0 {
                break;
            }
            let clipped = match text.char_indices().find(|(at, _)| *at >= room) {
                Some((end, _)) => format!("{}\n…", text.get(..end).unwrap_or_default()),
                None => text.to_owned(),
            };
            match entry.pieces.last_mut() {
                Some((of, before)) if *of == stream => before.push_str(&clipped),
                _ => entry.pieces.push((stream, clipped)),
            }
        }
        self.stamp = self.stamp.wrapping_add(1);
    }

    /// The command that has the prompt, if one goes on.
    pub fn front(&self) -> Option<&Running> {
        self.jobs.iter().find(|running| running.is_front())
    }

    /// Remembers a typed line and clears the input.
    pub fn accept(&mut self) -> String {
        let line = core::mem::take(&mut self.input);
        self.remember(&line);
        line
    }

    /// Puts a line into the history.
    pub fn remember(&mut self, line: &str) {
        if !line.trim().is_empty() && self.history.last().is_none_or(|last| last != line) {
            self.history.push(line.to_owned());
        }
        self.at = self.history.len();
        self.draft.clear();
        self.sought = None;
        self.offers.clear();
    }

    /// Takes what was typed.
    pub fn type_in(&mut self, line: String) {
        self.input = line;
        self.offers.clear();
        self.sought = None;
    }

    /// Goes `step` lines through the history: -1 to the one before.
    pub fn recall(&mut self, step: i32) {
        if self.at == self.history.len() {
            self.draft = core::mem::take(&mut self.input);
        }
        self.at = match step {
            ..0 => self.at.saturating_sub(1),
            _ => self.at.saturating_add(1).min(self.history.len()),
        };
        self.show(self.at);
        self.sought = None;
    }

    /// Goes back to the line before that has in it what was typed, as Ctrl-R does.
    pub fn search(&mut self) {
        let sought = match &self.sought {
            Some(sought) => sought.clone(),
            None => self.input.clone(),
        };
        let before = self.history.get(..self.at).unwrap_or_default();
        let found = before.iter().rposition(|line| line.contains(&sought) && *line != self.input);
        if let Some(at) = found {
            if self.at == self.history.len() {
                self.draft = core::mem::take(&mut self.input);
            }
            self.at = at;
            self.show(at);
        }
        self.sought = Some(sought);
    }

    fn show(&mut self, at: usize) {
        let line = self.history.get(at).cloned();
        self.input = line.unwrap_or_else(|| core::mem::take(&mut self.draft));
        self.put_caret(self.input.len());
        self.offers.clear();
    }

    /// Puts the cursor at a byte of the line.
    pub fn put_caret(&mut self, at: usize) {
        let before = self.input.get(..at).unwrap_or(&self.input);
        let units = u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX);
        self.caret = (units, self.caret.1.wrapping_add(1));
    }

    /// Takes what could stand in place of the word before the cursor: one is written, of several
    /// what they have in common, and the rest is shown.
    pub fn offer(&mut self, Completion { from, offers }: Completion, cursor: usize) {
        let common = offers.iter().skip(1).fold(offers.first().cloned(), |common, offer| {
            let common = common?;
            let same = common.chars().zip(offer.chars()).take_while(|(a, b)| a == b);
            Some(same.map(|(a, _)| a).collect())
        });
        let typed = self.input.get(from..cursor).unwrap_or_default();
        let after = self.input.get(cursor..).unwrap_or_default().to_owned();
        if let Some(mut common) = common.filter(|common| common.starts_with(typed)) {
            if offers.len() == 1 && !common.ends_with(['=', '/']) && !after.starts_with(' ') {
                common.push(' ');
            }
            self.input.truncate(from);
            self.input.push_str(&common);
            let caret = self.input.len();
            self.input.push_str(&after);
            self.put_caret(caret);
        }
        self.offers = if offers.len() > 1 { offers } else { Vec::new() };
    }

    /// Throws the line away, as Ctrl-C does, and shows that it did.
    pub(super) fn throw_away(&mut self, prompt: &str) {
        let line = core::mem::take(&mut self.input);
        self.unfinished.take();
        self.offers.clear();
        self.draft.clear();
        self.at = self.history.len();
        self.open(prompt, &format!("{line}^C"));
    }

    /// Empties the screen, as Ctrl-L does; the history stays, and so do commands that go on.
    pub fn clear(&mut self) {
        let jobs = &self.jobs;
        self.entries.retain(|entry| jobs.iter().any(|job| job.entry() == entry.number));
        self.offers.clear();
        self.stamp = self.stamp.wrapping_add(1);
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
    fn the_history_goes_back_to_the_first_line_and_forth_to_the_one_begun() {
        let mut terminal = typed(&["one", "two", "two"]);
        terminal.type_in("thr".into());
        let mut seen = Vec::new();
        for step in [-1, -1, -1, 1, 1, 1] {
            terminal.recall(step);
            seen.push(terminal.input.clone());
        }
        assert_eq!(seen, ["two", "one", "one", "two", "thr", "thr"]);
    }

    #[test]
    fn the_history_is_searched_for_what_was_typed() {
        let mut terminal = typed(&["kubectl get pods", "curl x", "kubectl get svc", "ls"]);
        terminal.type_in("kube".into());
        let mut seen = Vec::new();
        for _ in 0..3 {
            terminal.search();
            seen.push(terminal.input.clone());
        }
        assert_eq!(seen, ["kubectl get svc", "kubectl get pods", "kubectl get pods"]);
    }

    #[test]
    fn tab_writes_what_all_offers_have_in_common_at_the_cursor_and_shows_the_rest() {
        let mut terminal =
            Terminal { input: "kubectl get pod w -o wide".into(), ..Terminal::default() };
        let offers = vec!["web-a1".into(), "web-b2".into()];
        terminal.offer(Completion { from: 16, offers }, 17);
        assert_eq!(terminal.input, "kubectl get pod web- -o wide");
        assert_eq!((terminal.offers.len(), terminal.caret.0), (2, 20));
        terminal.offer(Completion { from: 16, offers: vec!["web-b2".into()] }, 20);
        assert_eq!(terminal.input, "kubectl get pod web-b2 -o wide");
        assert_eq!((terminal.offers.len(), terminal.caret.0), (0, 22));
    }

    #[test]
    fn an_endless_output_is_cut() {
        let mut terminal = Terminal::default();
        let number = terminal.open("$ ", "yes");
        let output = Output { stdout: "y\n".repeat(MOST_OUTPUT), ..Output::default() };
        for _ in 0..3 {
            terminal.write(number, &output);
        }
        let kept = terminal.entries.last().map(|entry| entry.printed(Stream::Out).len());
        assert!(kept.is_some_and(|kept| kept <= MOST_OUTPUT + 8), "{kept:?}");
    }

    #[test]
    fn clearing_the_screen_keeps_the_history() {
        let mut terminal = typed(&["kubectl get pods"]);
        terminal.open("$ ", "kubectl get pods");
        terminal.clear();
        terminal.recall(-1);
        assert_eq!((terminal.entries.len(), terminal.input.as_str()), (0, "kubectl get pods"));
    }
}
