//! What may stand at the cursor.

use super::{Console, builtins, filters};
use crate::api::Kind;
use crate::kubectl;
use crate::world::World;
use std::collections::BTreeSet;

/// The programs that a person has.
pub(super) const PROGRAMS: [&str; 12] = [
    "kubectl", "curl", "wget", "nslookup", "ping", "nc", "trace", "proxy", "node", "idle", "sleep",
    "bash",
];

/// What may stand in place of a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins, in bytes of the line; it ends at the cursor.
    pub from: usize,
    /// The words that may stand there, sorted.
    pub offers: Vec<String>,
}

impl Console {
    /// What may stand for the word that ends at the cursor, a byte offset into `line`.
    pub fn complete(&self, world: &World, line: &str, cursor: usize) -> Completion {
        let before = line.get(..cursor).unwrap_or(line);
        let start = before.rfind(['|', ';', '&', '(', '`', '\n']).map_or(0, |at| at + 1);
        let command = before.get(start..).unwrap_or_default();
        let from = before.rfind(char::is_whitespace).map_or(start, |at| (at + 1).max(start));
        let last = before.get(from..).unwrap_or_default();
        let earlier = before.get(start..from).unwrap_or_default();
        let mut words: Vec<String> = earlier.split_whitespace().map(str::to_owned).collect();
        let is_keyword = |word: &String| {
            matches!(
                word.as_str(),
                "do" | "then" | "else" | "while" | "until" | "if" | "watch" | "!"
            )
        };
        while words.first().is_some_and(is_keyword) {
            words.remove(0);
        }
        debug_assert!(command.ends_with(last), "the word is the end of its command");
        if let Some(name) = last.strip_prefix('$') {
            let names = self.variables.keys().filter(|own| own.starts_with(name));
            return Completion { from, offers: names.map(|own| format!("${own}")).collect() };
        }
        let found = match words.split_first() {
            None => self.commands(),
            Some((first, rest)) => {
                let alias = self.aliases.get(first).map_or(first.as_str(), String::as_str);
                let mut all: Vec<String> = alias.split_whitespace().map(str::to_owned).collect();
                all.extend(rest.iter().cloned());
                match all.split_first() {
                    Some((first, rest)) if first == "kubectl" => {
                        let offers = kubectl::complete(world, &self.session, rest, last);
                        return Completion { from, offers };
                    }
                    Some((first, rest)) => self.arguments(world, first, rest, last),
                    None => Vec::new(),
                }
            }
        };
        let offers: BTreeSet<String> =
            found.into_iter().filter(|word| word.starts_with(last)).collect();
        Completion { from, offers: offers.into_iter().collect() }
    }

    fn commands(&self) -> Vec<String> {
        let own = PROGRAMS.iter().chain(&builtins::WORDS).chain(&filters::NAMES);
        let own = own.filter(|word| **word != "bash").map(|word| (*word).to_owned());
        own.chain(self.aliases.keys().cloned()).collect()
    }

    /// What may stand behind a word that is not kubectl.
    fn arguments(&self, world: &World, first: &str, rest: &[String], last: &str) -> Vec<String> {
        let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let nodes = || {
            let all = world.store().list(Kind::Node);
            all.map(|node| node.meta.name.to_string()).collect::<Vec<_>>()
        };
        match (first, rest.as_slice()) {
            ("node", []) => words(&["run", "start", "stop"]),
            ("node", ["stop"]) => nodes().into_iter().filter(|name| is_up(world, name)).collect(),
            ("node", ["start"]) => nodes().into_iter().filter(|name| !is_up(world, name)).collect(),
            ("node", ["run"]) => nodes(),
            ("node", ["run", _]) => words(&["--"]),
            ("node", ["run", _, "--"]) => words(&[
                "conntrack -L",
                "curl",
                "ip addr",
                "ip route",
                "iptables -t nat -L",
                "iptables-save",
                "ipvsadm -Ln",
                "nft list ruleset",
                "ss -lnt",
            ]),
            ("proxy", []) => words(&["mode"]),
            ("proxy", ["mode"]) => words(&["iptables", "ipvs", "nftables"]),
            ("trace", ["--from"]) | ("trace", [.., "--from"]) => {
                let nodes = nodes().into_iter().map(|name| format!("node/{name}"));
                let pods = world
                    .store()
                    .list(Kind::Pod)
                    .map(|pod| format!("pod/{}/{}", pod.meta.namespace, pod.meta.name));
                nodes.chain(pods).chain(["internet".to_owned()]).collect()
            }
            ("trace", [.., "-o"]) => words(&["json", "text"]),
            ("trace", []) => words(&["curl", "--from"]),
            ("watch", []) => self.commands(),
            ("cd", _) => self.paths(last, true),
            (
                "cat" | "ls" | "rm" | "cp" | "mv" | "tee" | "touch" | "grep" | "head" | "tail"
                | "wc" | "sort" | "sed" | "awk" | "base64" | "diff",
                _,
            ) => self.paths(last, false),
            ("unset", _) => self.variables.keys().cloned().collect(),
            ("unalias", _) => self.aliases.keys().cloned().collect(),
            ("kill", _) => self.background.keys().map(|number| format!("%{number}")).collect(),
            _ => Vec::new(),
        }
    }

    /// The files and folders that a beginning could be one of.
    fn paths(&self, last: &str, folders_only: bool) -> Vec<String> {
        let (folder, _) = last.rsplit_once('/').map_or(("", last), |(folder, name)| (folder, name));
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let names = self.session.names(folder).into_iter().map(|name| format!("{prefix}{name}"));
        let whole = names.map(|path| match self.session.is_folder(&path) {
            true => format!("{path}/"),
            false => path,
        });
        whole.filter(|path| !folders_only || path.ends_with('/')).collect()
    }
}

fn is_up(world: &World, node: &str) -> bool {
    world.nodes().get(node).is_some_and(|machine| machine.up)
}
