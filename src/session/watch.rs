//! Commands that go on until they are interrupted: `kubectl get … -w` and `watch …`.

use super::model::Model;
use std::collections::BTreeSet;

/// A command that is shown again whenever the cluster has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The entry of the terminal that it writes to.
    entry: u32,
    /// What is carried out each time.
    line: String,
    /// Whether all of the output is drawn again (`watch`) or new lines are added (`-w`).
    redraws: bool,
    /// The revision of the store that it has shown last.
    revision: u64,
    /// The lines shown last, without their ages.
    seen: BTreeSet<String>,
}

impl Watch {
    /// The number of the entry that it writes to.
    pub(super) const fn entry(&self) -> u32 {
        self.entry
    }

    /// The watch that a line asks for, if it asks for one.
    pub(super) fn of(line: &str) -> Option<Watch> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (redraws, line) = match words.as_slice() {
            ["watch", rest @ ..] => (true, watched(rest)?),
            ["kubectl" | "k", verb, ..] if matches!(*verb, "get" | "events") => {
                let is_flag = |word: &&str| matches!(*word, "-w" | "--watch" | "--watch=true");
                if !words.iter().any(is_flag) || line.contains('|') {
                    return None;
                }
                let others: Vec<&str> = words.into_iter().filter(|word| !is_flag(word)).collect();
                (false, others.join(" "))
            }
            _ => return None,
        };
        Some(Watch { entry: 0, line, redraws, revision: 0, seen: BTreeSet::new() })
    }
}

/// The command behind `watch` and its own flags.
fn watched(words: &[&str]) -> Option<String> {
    match words {
        ["-n" | "--interval", _, rest @ ..] => watched(rest),
        [flag, rest @ ..] if flag.starts_with('-') => watched(rest),
        [] => None,
        words => Some(words.join(" ").trim_matches(['"', '\'']).to_owned()),
    }
}

/// Begins to watch: shows what there is.
pub(super) fn begin(model: &mut Model, line: &str, mut watch: Watch) {
    let (text, failure) = look(model, &mut watch);
    watch.entry = model.terminal.record(line, &text, failure.as_deref().unwrap_or_default());
    if failure.is_none() {
        model.terminal.watch = Some(watch);
    }
}

/// Shows what has changed since, if the cluster has.
pub(super) fn go_on(model: &mut Model) {
    let revision = model.world.store().revision();
    let Some(mut watch) = model.terminal.watch.take_if(|watch| watch.revision != revision) else {
        return;
    };
    let redraws = watch.redraws;
    let (text, _) = look(model, &mut watch);
    model.terminal.write(watch.entry, &text, redraws);
    model.terminal.watch = Some(watch);
}

/// Carries the command out and returns what is new, for `watch` all of it, and what it complained
/// of if it failed. That there is nothing yet is no failure.
fn look(model: &mut Model, watch: &mut Watch) -> (String, Option<String>) {
    let output = model.console.execute(&mut model.world, &watch.line, None);
    model.console.history.pop();
    watch.revision = model.world.store().revision();
    let failure = (output.exit != 0).then_some(output.stderr);
    if watch.redraws {
        let text = format!("Every 2.0s: {}\n\n{}", watch.line, output.stdout);
        return (text, failure);
    }
    let mut new = String::new();
    let mut seen = BTreeSet::new();
    for line in output.stdout.lines() {
        let ageless = without_ages(line);
        if !watch.seen.contains(&ageless) {
            new.push_str(line);
            new.push('\n');
        }
        seen.insert(ageless);
    }
    watch.seen = seen;
    (new, failure)
}

/// A line without its ages, which differ each second though nothing has changed.
fn without_ages(line: &str) -> String {
    let is_age = |word: &&str| {
        let word = word.trim_start_matches('(');
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.ends_with(['s', 'm', 'h', 'd', 'y'])
            && word.chars().all(|c| c.is_ascii_digit() || "smhdy".contains(c))
    };
    let words: Vec<&str> = line.split_whitespace().filter(|word| !is_age(word)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::{Msg, Opening, update};
    use super::*;

    fn typed(model: &mut Model, line: &str) {
        update(model, Msg::Type(line.to_owned()));
        update(model, Msg::Enter);
    }

    #[test]
    fn a_watch_adds_a_line_for_each_change_until_it_is_interrupted() {
        let mut model = Model::new(Opening::default());
        typed(&mut model, "kubectl get pods -w");
        let lines = |model: &Model| {
            let entry = model.terminal.entries.iter().find(|entry| entry.line.ends_with("-w"));
            entry.map(|entry| entry.stdout.clone()).unwrap_or_default()
        };
        for _ in 0..80 {
            update(&mut model, Msg::Tick(250_000));
        }
        let text = lines(&model);
        assert_eq!(text.matches("NAME").count(), 1, "{text}");
        assert_eq!(text.matches(" Running ").count(), 3, "{text}");
        update(&mut model, Msg::Interrupt);
        typed(&mut model, "kubectl scale deployment web --replicas=5");
        for _ in 0..80 {
            update(&mut model, Msg::Tick(250_000));
        }
        assert_eq!(lines(&model), format!("{text}^C\n"));
    }

    #[test]
    fn what_does_not_go_on_is_no_watch() {
        for line in ["kubectl get pods", "kubectl get pods -w | head", "watch", "kubectl apply -w"]
        {
            assert_eq!(Watch::of(line), None, "{line}");
        }
        let watch = Watch::of("watch -n 1 'kubectl get pods'").map(|watch| watch.line);
        assert_eq!(watch.as_deref(), Some("kubectl get pods"));
    }

    #[test]
    fn an_age_is_not_a_change() {
        let line = "web-1   1/1   Running   1 (3m2s ago)   4m";
        assert_eq!(without_ages(line), without_ages("web-1 1/1 Running 1 (3m9s ago) 5m3s"));
        assert_ne!(without_ages(line), without_ages("web-1 0/1 Running 1 (3m2s ago) 4m"));
    }
}
