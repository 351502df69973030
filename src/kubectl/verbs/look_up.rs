//! Which command a command line asks for.
//!
//! Models github.com/spf13/cobra command.go Find and staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go
//! DefaultSubCommandRun.

use super::super::flags::{Flag, Takes, parse};
use super::super::help;
use super::{GLOBAL, ORDER, PARENTS, Verb, all};

/// What a command line asks for.
pub(crate) enum Lookup {
    /// A command and what stands after its words.
    Verb(&'static Verb, Vec<String>),
    /// To be told what there is; the exit code.
    Help(String, i32),
    /// Something unknown: the text for standard error.
    Wrong(String),
}

/// Another word for a command that kubectl suggests it for.
const SUGGESTED: &[(&str, &str)] = &[
    ("list", "get"),
    ("ls", "get"),
    ("inspect", "describe"),
    ("rm", "delete"),
    ("remove", "delete"),
    ("stats", "top"),
];

/// Finds the command of a command line. Flags may stand in front of each of its words.
pub(crate) fn look_up(words: &[String]) -> Lookup {
    let mut flags: Vec<String> = Vec::new();
    let mut path = String::new();
    let mut rest = words;
    loop {
        let known = match all().find(|verb| verb.path == path) {
            Some(verb) => verb.all_flags(),
            None => vec![GLOBAL],
        };
        let skipped = flags_in_front(rest, &known);
        let (before, after) = rest.split_at(skipped.min(rest.len()));
        let Some((word, tail)) = after.split_first() else { break };
        if path.is_empty() && word == "help" {
            return help_of(tail);
        }
        match below(&path, word) {
            Some(longer) => {
                flags.extend(before.iter().cloned());
                (path, rest) = (longer, tail);
            }
            None => break,
        }
    }
    if let Some(verb) = all().find(|verb| verb.path == path) {
        flags.extend(rest.iter().cloned());
        return Lookup::Verb(verb, flags);
    }
    flags.extend(rest.iter().cloned());
    match path.is_empty() {
        true => alone(words, rest),
        false => parent_alone(&path, &flags),
    }
}

/// How many words in front are flags and their values.
fn flags_in_front(words: &[String], known: &[&'static [Flag]]) -> usize {
    let mut count = 0;
    while let Some(word) = words.get(count).filter(|word| word.starts_with('-') && *word != "--") {
        let name = word.trim_start_matches('-');
        let is_long = word.starts_with("--");
        let mut flags = known.iter().flat_map(|group| group.iter());
        let flag = flags.find(|flag| match is_long {
            true => flag.name == name,
            false => flag.short.is_some_and(|letter| name.starts_with(letter)),
        });
        let has_value = word.contains('=') || (!is_long && name.len() > 1);
        let stands_alone =
            matches!(name, "help" | "h") || flag.is_some_and(|flag| flag.takes != Takes::Value);
        count += if has_value || stands_alone { 1 } else { 2 };
    }
    count
}

/// The path of the command that `word` means below `path`.
fn below(path: &str, word: &str) -> Option<String> {
    let verbs = all().map(|verb| (verb.path, verb.aliases));
    let parents = PARENTS.iter().map(|parent| (parent.path, core::slice::from_ref(&parent.alias)));
    let mut found = verbs.chain(parents).filter_map(|(full, aliases)| {
        let own = match path.is_empty() {
            true => full,
            false => full.strip_prefix(path)?.strip_prefix(' ')?,
        };
        (!own.contains(' ') && (own == word || aliases.contains(&word))).then_some(full)
    });
    found.next().map(str::to_owned)
}

/// `kubectl` without a command that there is.
fn alone(words: &[String], rest: &[String]) -> Lookup {
    let skipped = flags_in_front(rest, &[GLOBAL]);
    let Some(word) = rest.get(skipped) else {
        return match parse(words, &[GLOBAL]) {
            Err(why) => Lookup::Wrong(format!("error: {why}\nSee 'kubectl --help' for usage.\n")),
            Ok(_) => Lookup::Help(help::overview(), 0),
        };
    };
    match words.first().filter(|first| first.starts_with('-')) {
        Some(flag) => {
            let why = "flags cannot be placed before plugin name";
            Lookup::Wrong(format!("Error: {why}: {flag}\n"))
        }
        None => Lookup::Wrong(unknown(word)),
    }
}

/// A command that only has commands below it.
fn parent_alone(path: &str, words: &[String]) -> Lookup {
    match parse(words, &[GLOBAL]) {
        Err(why) => {
            Lookup::Wrong(format!("error: {why}\nSee 'kubectl {path} --help' for usage.\n"))
        }
        Ok(parsed) if parsed.help => Lookup::Help(help::of_parent(path), 0),
        // Models staging/src/k8s.io/kubectl/pkg/cmd/certificates/certificates.go.
        Ok(_) if path == "certificate" => Lookup::Help(help::of_parent(path), 0),
        Ok(parsed) if parsed.args.is_empty() => Lookup::Help(help::of_parent(path), 1),
        Ok(parsed) => Lookup::Wrong(format!(
            "error: unknown command \"{}\"\nSee 'kubectl {path} -h' for help and examples\n",
            parsed.args.join(" ")
        )),
    }
}

fn help_of(words: &[String]) -> Lookup {
    let mut path = String::new();
    for word in words {
        match below(&path, word) {
            Some(longer) => path = longer,
            None => break,
        }
    }
    if let Some(verb) = all().find(|verb| verb.path == path) {
        return Lookup::Help(help::of_verb(verb), 0);
    }
    match (path.is_empty(), words.is_empty()) {
        (false, _) => Lookup::Help(help::of_parent(&path), 0),
        (true, true) => Lookup::Help(help::overview(), 0),
        (true, false) => {
            let topic = format!("Unknown help topic [`{}`]\n", words.join("` `"));
            Lookup::Help(topic + &help::commands(), 0)
        }
    }
}

/// Models github.com/spf13/cobra command.go SuggestionsFor.
fn unknown(word: &str) -> String {
    let lower = word.to_lowercase();
    let near = ORDER.iter().filter(|name| {
        distance(&lower, name) <= 2
            || name.starts_with(&lower)
            || SUGGESTED.contains(&(lower.as_str(), name))
    });
    let mut text = format!("error: unknown command \"{word}\" for \"kubectl\"\n");
    for (number, name) in near.enumerate() {
        let begin = if number == 0 { "\nDid you mean this?\n" } else { "" };
        text.push_str(&format!("{begin}\t{name}\n"));
    }
    text
}

/// How many letters must change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let up = *cell;
            left = (diagonal + usize::from(x != *y)).min(up + 1).min(left + 1);
            diagonal = up;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> String {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match look_up(&words) {
            Lookup::Verb(verb, rest) => format!("{} | {}", verb.path, rest.join(" ")),
            Lookup::Help(text, exit) => {
                let last = text.lines().rfind(|line| line.starts_with("  kubectl"));
                format!("{} {exit}", last.unwrap_or_default().trim())
            }
            Lookup::Wrong(text) => text,
        }
    }

    #[test]
    fn commands_are_found_by_their_words() {
        for (line, wanted) in [
            ("get pods -A", "get | pods -A"),
            ("-n shop rollout status deploy/web", "rollout status | -n shop deploy/web"),
            ("rollout -n shop status deploy/web", "rollout status | -n shop deploy/web"),
            ("create -f x.yaml", "create | -f x.yaml"),
            ("create deploy web --image=nginx", "create deployment | web --image=nginx"),
            ("create svc clusterip s --tcp=80", "create service clusterip | s --tcp=80"),
            ("top po", "top pod | "),
            ("rollout -h", "kubectl rollout SUBCOMMAND [options] 0"),
            ("rollout", "kubectl rollout SUBCOMMAND [options] 1"),
            (
                "create secret",
                "kubectl create secret (docker-registry | generic | tls) [options] 1",
            ),
            ("help top", "kubectl top [flags] [options] 0"),
            ("", "kubectl [flags] [options] 0"),
        ] {
            assert_eq!(found(line), wanted, "{line}");
        }
    }

    /// The texts are a kubectl 1.36's.
    #[test]
    fn wrong_commands_are_named_with_what_may_be_meant() {
        let unknown = |word: &str| format!("error: unknown command \"{word}\"");
        for (line, wanted) in [
            ("gte pods", unknown("gte") + " for \"kubectl\"\n\nDid you mean this?\n\tget\n"),
            ("log x", unknown("log") + " for \"kubectl\"\n\nDid you mean this?\n\ttop\n\tlogs\n"),
            (
                "rm pod x",
                unknown("rm") + " for \"kubectl\"\n\nDid you mean this?\n\trun\n\tdelete\n\tcp\n",
            ),
            (
                "rollout statuss deploy/x",
                unknown("statuss deploy/x") + "\nSee 'kubectl rollout -h' for help and examples\n",
            ),
            (
                "create secret genric x",
                unknown("genric x") + "\nSee 'kubectl create secret -h' for help and examples\n",
            ),
            (
                "--foo get pods",
                "Error: flags cannot be placed before plugin name: --foo\n".to_owned(),
            ),
        ] {
            assert_eq!(found(line), wanted, "{line}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
