//! `-h`.

use super::flags::{Flag, Takes};
use super::tabwriter::align;
use super::verbs::{self, Verb};
use crate::base::order;
use core::fmt::Write as _;

/// What `kubectl` alone prints.
pub(crate) fn overview() -> String {
    let mut text = String::from("kubectl controls the Kubernetes cluster manager.\n");
    for group in verbs::GROUPS {
        let mut rows = String::new();
        for verb in verbs::all().filter(|verb| verb.group == *group) {
            let name = verb.path.split(' ').next().unwrap_or_default();
            if name == verb.path {
                let _ = writeln!(rows, "  {name}\t{}", verb.help);
            }
        }
        for (name, of, help) in verbs::PARENTS {
            if of == group {
                let _ = writeln!(rows, "  {name}\t{help}");
            }
        }
        let mut lines: Vec<&str> = rows.lines().collect();
        order::sort(&mut lines);
        lines.dedup();
        let _ = write!(text, "\n{group}:\n{}", align(&(lines.join("\n") + "\n"), 0, 3));
    }
    text.push_str("\nUsage:\n  kubectl [flags] [options]\n\nUse \"kubectl <command> --help\" for more information about a given command.\n");
    text
}

/// What `kubectl create -h` prints: its sub-commands.
pub(crate) fn of_parent(parent: &str) -> String {
    let help =
        verbs::PARENTS.iter().find(|(name, ..)| *name == parent).map_or("", |(_, _, help)| help);
    let mut rows = String::new();
    for verb in verbs::all() {
        if let Some(rest) = verb.path.strip_prefix(parent).and_then(|rest| rest.strip_prefix(' ')) {
            let _ = writeln!(rows, "  {rest}\t{}", verb.help);
        }
    }
    format!(
        "{help}\n\nAvailable Commands:\n{}\nUsage:\n  kubectl {parent} [flags] [options]\n\nUse \"kubectl {parent} <command> --help\" for more information about a given command.\n",
        align(&rows, 0, 3)
    )
}

/// What `kubectl get -h` prints.
pub(crate) fn of_verb(verb: &Verb) -> String {
    let mut text = format!("{}\n", verb.help);
    if !verb.aliases.is_empty() {
        let _ = write!(text, "\nAliases:\n  {}, {}\n", verb.path, verb.aliases.join(", "));
    }
    let mut flags: Vec<&Flag> = verb.flags.iter().flat_map(|group| group.iter()).collect();
    order::sort_by_key(&mut flags, |flag| flag.name);
    if !flags.is_empty() {
        text.push_str("\nOptions:\n");
    }
    for flag in flags {
        let letter = flag.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let default = match flag.takes {
            Takes::Nothing => "false".to_owned(),
            _ => format!("'{}'", flag.default),
        };
        let _ = write!(text, "    {letter}--{}={default}:\n        {}\n", flag.name, flag.help);
    }
    let _ = write!(text, "\nUsage:\n  kubectl {} {} [options]\n", verb.path, verb.usage);
    text.push_str("\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
    text
}
