//! The table of commands: words, flags and functions. Parsing, `-h` and completion read it.

mod create;
mod manage;
mod show;

use super::call::Call;
use super::failure::Outcome;
use super::flags::{Flag, Takes, parse, switch, value};
use super::help;
use crate::base::order;

/// One command.
#[derive(Debug)]
pub(crate) struct Verb {
    /// Its words, `rollout status`.
    pub(crate) path: &'static str,
    /// Other names of its last word.
    pub(crate) aliases: &'static [&'static str],
    /// What follows, in the usage line.
    pub(crate) usage: &'static str,
    /// In one sentence.
    pub(crate) help: &'static str,
    /// The heading under which the overview lists it.
    pub(crate) group: &'static str,
    /// Its flags beside those of all commands.
    pub(crate) flags: &'static [&'static [Flag]],
    /// What it does.
    pub(crate) run: fn(&mut Call<'_>) -> Outcome,
}

const BASIC: &str = "Basic Commands (Beginner)";
const INTERMEDIATE: &str = "Basic Commands (Intermediate)";
const DEPLOY: &str = "Deploy Commands";
const CLUSTER: &str = "Cluster Management Commands";
const TROUBLE: &str = "Troubleshooting and Debugging Commands";
const ADVANCED: &str = "Advanced Commands";
const SETTINGS: &str = "Settings Commands";
const OTHER: &str = "Other Commands";

/// The headings of the overview.
pub(crate) const GROUPS: &[&str] =
    &[BASIC, INTERMEDIATE, DEPLOY, CLUSTER, TROUBLE, ADVANCED, SETTINGS, OTHER];

/// Commands that only have commands below them: name, heading, help.
pub(crate) const PARENTS: &[(&str, &str, &str)] = &[
    ("rollout", DEPLOY, "Manage the rollout of a resource"),
    ("set", BASIC, "Set specific features on objects"),
    ("config", OTHER, "Modify kubeconfig files"),
    ("auth", SETTINGS, "Inspect authorization"),
    ("top", CLUSTER, "Display resource (CPU/memory) usage"),
];

pub(crate) const GLOBAL: &[Flag] = &[
    value("namespace", "Namespace of the request").short('n'),
    value("context", "Name of the kubeconfig context"),
    value("cluster", "Name of the kubeconfig cluster"),
    value("user", "Name of the kubeconfig user"),
    value("kubeconfig", "Path of the kubeconfig file"),
    value("server", "Address of the API server").short('s'),
    value("as", "User to impersonate"),
    value("request-timeout", "How long to wait for one request").default("0"),
    value("v", "How much to log").short('v'),
    switch("insecure-skip-tls-verify", "Do not check the server's certificate"),
    switch("warnings-as-errors", "Treat warnings of the server as errors"),
];

const OUTPUT: &[Flag] = &[
    value("output", "Output format").short('o'),
    value("template", "Template for -o jsonpath and -o go-template"),
    switch("allow-missing-template-keys", "Ignore missing fields in templates").default("true"),
    switch("show-managed-fields", "Keep managedFields when printing JSON or YAML"),
];

const FILES: &[Flag] = &[
    value("filename", "File with manifests; - for standard input").short('f'),
    value("kustomize", "Folder with a kustomization").short('k'),
    switch("recursive", "Go through folders").short('R'),
];

const DRY_RUN: &[Flag] = &[
    value(
        "dry-run",
        "none, client or server: print what would be sent, or what the server would do",
    )
    .default("none")
    .optional("client"),
    value("field-manager", "Name of the manager of the fields"),
];

const SAVE: &[Flag] = &[
    switch("save-config", "Keep the manifest in an annotation for later kubectl apply"),
    value("validate", "strict, warn or ignore").default("strict").optional("strict"),
];

const SELECTOR: &[Flag] = &[value("selector", "Label query: app=web,env in (dev,test)").short('l')];
const FIELDS: &[Flag] = &[value("field-selector", "Field query: status.phase=Running")];
const EVERYWHERE: &[Flag] = &[switch("all-namespaces", "Objects of all namespaces").short('A')];
const ALL: &[Flag] = &[switch("all", "All objects of the kind in the namespace")];

impl Verb {
    /// Its flags and those of all commands.
    pub(crate) fn all_flags(&self) -> Vec<&'static [Flag]> {
        self.flags.iter().copied().chain([GLOBAL]).collect()
    }

    /// Whether `-l` chooses the objects that the command acts on.
    pub(crate) fn selects(&self) -> bool {
        let mut flags = self.flags.iter().flat_map(|group| group.iter());
        flags.any(|flag| flag.name == "selector" && flag.short == Some('l'))
    }

    fn is_named(&self, words: &[&str]) -> bool {
        let path: Vec<&str> = self.path.split(' ').collect();
        let Some((last, parents)) = path.split_last() else { return false };
        let Some((word, before)) = words.split_last() else { return false };
        before == parents && (word == last || self.aliases.contains(word))
    }
}

/// Every command.
pub(crate) fn all() -> impl Iterator<Item = &'static Verb> {
    show::VERBS.iter().chain(manage::VERBS).chain(create::VERBS)
}

/// What a command line asks for.
pub(crate) enum Lookup {
    /// A command and what stands after its words.
    Verb(&'static Verb, Vec<String>),
    /// To be told what there is.
    Help(String),
    /// Something unknown: the text for standard error.
    Wrong(String),
}

/// Finds the command of a command line. Flags of all commands may stand in front.
pub(crate) fn look_up(words: &[String]) -> Lookup {
    let mut before: Vec<String> = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        if !word.starts_with('-') {
            break;
        }
        before.push(word.clone());
        rest = after;
        let name = word.trim_start_matches('-');
        let takes_next = GLOBAL.iter().any(|flag| {
            let letter =
                flag.short.is_some_and(|letter| name.len() == 1 && name.starts_with(letter));
            flag.takes == Takes::Value && (flag.name == name || letter)
        });
        if let (true, Some((word, after))) = (takes_next, rest.split_first()) {
            before.push(word.clone());
            rest = after;
        }
    }
    let Some((first, after)) = rest.split_first() else {
        return match parse(&before, &[GLOBAL]) {
            Err(why) => Lookup::Wrong(format!("error: {why}\nSee 'kubectl --help' for usage.\n")),
            Ok(_) => Lookup::Help(help::overview()),
        };
    };
    if let ("help", rest) = (first.as_str(), after) {
        return help_of(rest);
    }
    for depth in (1..=3).rev() {
        let path: Vec<&str> = rest.iter().take(depth).map(String::as_str).collect();
        if path.len() == depth
            && let Some(verb) = all().find(|verb| verb.is_named(&path))
        {
            before.extend(rest.iter().skip(depth).cloned());
            return Lookup::Verb(verb, before);
        }
    }
    if PARENTS.iter().any(|(name, ..)| name == first) {
        return match after.iter().find(|word| !word.starts_with('-')) {
            Some(word) => Lookup::Wrong(format!(
                "error: unknown command \"{first} {word}\"\nSee 'kubectl {first} -h' for help and examples\n"
            )),
            None => Lookup::Help(help::of_parent(first)),
        };
    }
    Lookup::Wrong(unknown(first))
}

fn help_of(words: &[String]) -> Lookup {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match all().find(|verb| verb.is_named(&words)) {
        Some(verb) => Lookup::Help(help::of_verb(verb)),
        None => match words.first().filter(|word| PARENTS.iter().any(|(name, ..)| name == *word)) {
            Some(parent) => Lookup::Help(help::of_parent(parent)),
            None => Lookup::Help(help::overview()),
        },
    }
}

fn unknown(word: &str) -> String {
    let names = all().filter_map(|verb| verb.path.split(' ').next());
    let mut near: Vec<&str> = names
        .filter(|name| distance(word, name) <= 2 || name.starts_with(&word.to_lowercase()))
        .collect();
    order::sort(&mut near);
    near.dedup();
    let mut text = format!("error: unknown command \"{word}\" for \"kubectl\"\n");
    if !near.is_empty() {
        text.push_str("\nDid you mean this?\n");
        for name in near {
            text.push_str(&format!("\t{name}\n"));
        }
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
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match look_up(&words) {
            Lookup::Verb(verb, rest) => format!("{} | {}", verb.path, rest.join(" ")),
            Lookup::Help(_) => "help".into(),
            Lookup::Wrong(text) => text,
        }
    }

    #[test]
    fn commands_are_found_by_their_words() {
        assert_eq!(found("get pods -A"), "get | pods -A");
        assert_eq!(
            found("-n shop rollout status deploy/web"),
            "rollout status | -n shop deploy/web"
        );
        assert_eq!(found("create -f x.yaml"), "create | -f x.yaml");
        assert_eq!(
            found("create deploy web --image=nginx"),
            "create deployment | web --image=nginx"
        );
        assert_eq!(found("rollout -h"), "help");
    }

    #[test]
    fn wrong_commands_are_named_with_what_may_be_meant() {
        let text = "error: unknown command \"gte\" for \"kubectl\"\n\nDid you mean this?\n\tget\n";
        assert_eq!(found("gte pods"), text);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn no_flag_of_a_command_stands_in_the_table_twice() {
        for verb in all() {
            let groups = verb.all_flags();
            let mut names: Vec<&str> =
                groups.iter().flat_map(|g| g.iter()).map(|f| f.name).collect();
            let mut letters: Vec<char> =
                groups.iter().flat_map(|g| g.iter()).filter_map(|f| f.short).collect();
            let count = (names.len(), letters.len());
            order::sort(&mut names);
            names.dedup();
            order::sort(&mut letters);
            letters.dedup();
            assert_eq!((names.len(), letters.len()), count, "{}", verb.path);
        }
    }
}
