//! `-h`.

use super::flags::{Flag, Of};
use super::tabwriter::align;
use super::verbs::{self, Verb};
use crate::base::order;
use core::fmt::Write as _;

/// What `kubectl` alone prints.
pub(crate) fn overview() -> String {
    let about = "kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/\n";
    format!("{about}{}", commands())
}

/// The commands, by their headings.
pub(crate) fn commands() -> String {
    let mut text = String::new();
    for group in verbs::GROUPS {
        let mut rows = String::new();
        for name in verbs::ORDER {
            let verbs = verbs::all().map(|verb| (verb.path, verb.group, verb.help));
            let parents = verbs::PARENTS.iter().map(|one| (one.path, one.group, one.help));
            let found = verbs.chain(parents).find(|(path, of, _)| path == name && of == group);
            if let Some((_, _, help)) = found {
                let _ = writeln!(rows, "  {name:<14}\t{help}");
            }
        }
        let _ = write!(text, "\n{group}:\n{}", align(&rows, 0, 2));
    }
    text.push_str("\nUsage:\n  kubectl [flags] [options]\n\nUse \"kubectl <command> --help\" for more information about a given command.\n");
    text + OPTIONS
}

const OPTIONS: &str = "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n";

/// What `kubectl rollout -h` prints: its sub-commands.
pub(crate) fn of_parent(path: &str) -> String {
    let parent = verbs::PARENTS.iter().find(|parent| parent.path == path);
    let (help, usage) = parent.map_or(("", ""), |parent| (parent.help, parent.usage));
    let aliases = match parent.map_or("", |parent| parent.alias) {
        "" => String::new(),
        alias => {
            format!("\nAliases:\n{}, {alias}\n", path.rsplit(' ').next().unwrap_or_default())
        }
    };
    let verbs = verbs::all().map(|verb| (verb.path, verb.help));
    let parents = verbs::PARENTS.iter().map(|one| (one.path, one.help));
    let mut rows: Vec<String> = verbs
        .chain(parents)
        .filter_map(|(full, help)| {
            let own = full.strip_prefix(path)?.strip_prefix(' ')?;
            (!own.contains(' ')).then(|| format!("  {own:<11}\t{help}\n"))
        })
        .collect();
    order::sort(&mut rows);
    format!(
        "{help}.\n{aliases}\nAvailable Commands:\n{}\nUsage:\n  kubectl {path} {usage} [options]\n\nUse \"kubectl {path} <command> --help\" for more information about a given command.\n{OPTIONS}",
        align(&rows.concat(), 0, 3)
    )
}

/// What `kubectl get -h` prints.
pub(crate) fn of_verb(verb: &Verb) -> String {
    let mut text = format!("{}.\n", verb.help);
    if !verb.aliases.is_empty() {
        let own = verb.path.rsplit(' ').next().unwrap_or_default();
        let _ = write!(text, "\nAliases:\n{own}, {}\n", verb.aliases.join(", "));
    }
    let mut flags: Vec<&Flag> = verb.flags.iter().flat_map(|group| group.iter()).collect();
    order::sort_by_key(&mut flags, |flag| flag.name);
    if !flags.is_empty() {
        text.push_str("\nOptions:\n");
    }
    for flag in flags {
        let letter = flag.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let default = match (flag.of, flag.default) {
            (Of::Bool, "") => "false".to_owned(),
            (Of::Int | Of::Small, "") => "0".to_owned(),
            (Of::Duration, "") => "0s".to_owned(),
            (Of::List, _) => "[]".to_owned(),
            (Of::Text, default) => format!("'{default}'"),
            (_, default) => default.to_owned(),
        };
        let _ = write!(text, "    {letter}--{}={default}:\n\t{}\n\n", flag.name, flag.help);
    }
    if text.ends_with("\n\n") {
        text.pop();
    }
    let _ = write!(text, "\nUsage:\n  kubectl {} {} [options]\n", verb.path, verb.usage);
    text.push('\n');
    text + OPTIONS
}
