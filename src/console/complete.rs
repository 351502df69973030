//! What may stand at the cursor.

use super::{Console, builtins};
use crate::api::Kind;
use crate::base::order;
use crate::kubectl;
use crate::world::World;

/// The shell's own words and the tools that a person types often.
const TOOLS: [&str; 47] = [
    "awk", "base64", "basename", "cat", "cd", "chmod", "cp", "cut", "date", "dirname", "echo",
    "egrep", "env", "exit", "export", "fgrep", "find", "grep", "head", "jobs", "kill", "ls",
    "mkdir", "mv", "printf", "pwd", "read", "rm", "sed", "seq", "set", "sleep", "sort", "source",
    "tail", "tee", "test", "touch", "tr", "trap", "true", "type", "uniq", "unset", "wait", "wc",
    "xargs",
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
        let mut found = Offers { last: last.to_owned(), words: Vec::new() };
        if last.starts_with('$') {
            self.memory.variables().for_each(|name| found.add(format!("${name}")));
        } else if let Some((first, rest)) = words.split_first() {
            let alias = self.aliases.get(first).map_or(first.as_str(), String::as_str);
            let mut all: Vec<String> = Vec::new();
            alias.split_whitespace().for_each(|word| all.push(word.to_owned()));
            all.extend_from_slice(rest);
            match all.split_first() {
                Some((first, rest)) if first == "kubectl" => {
                    let offers = kubectl::complete(world, &self.session, rest, last);
                    return Completion { from, offers };
                }
                Some((first, rest)) => self.arguments(world, first, rest, &mut found),
                None => {}
            }
        } else {
            self.commands(&mut found);
        }
        order::sort(&mut found.words);
        found.words.dedup();
        Completion { from, offers: found.words }
    }

    fn commands(&self, found: &mut Offers) {
        found.add_all(builtins::outside(true));
        found.add_all(&TOOLS);
        self.memory.functions().for_each(|word| found.add(word.to_owned()));
        self.aliases.keys().for_each(|word| found.add(word.clone()));
    }

    /// What may stand behind a word that is not kubectl.
    fn arguments(&self, world: &World, first: &str, rest: &[String], found: &mut Offers) {
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (first, rest.as_slice()) {
            ("node", []) => found.add_all(&["run", "start", "stop"]),
            ("node", [verb]) => {
                for (name, machine) in world.nodes() {
                    if *verb == "run" || machine.up == (*verb == "stop") {
                        found.add(name.to_string());
                    }
                }
            }
            ("node", ["run", _]) => found.add("--".to_owned()),
            ("node", ["run", _, "--"]) => found.add_all(&NODE_COMMANDS),
            ("haproxy", []) => found.add_all(&["-f", "-c", "status", "stop"]),
            ("proxy", []) => found.add("mode".to_owned()),
            ("proxy", ["mode"]) => found.add_all(&["iptables", "ipvs", "nftables"]),
            ("trace", [.., "--from"]) => {
                found.add("internet".to_owned());
                for (name, _) in world.nodes() {
                    found.add(format!("node/{name}"));
                }
                for pod in world.store().list(Kind::Pod) {
                    found.add(format!("pod/{}/{}", pod.meta.namespace, pod.meta.name));
                }
            }
            ("trace", [.., "-o"]) => found.add_all(&["json", "text"]),
            ("trace", []) => found.add_all(&["curl", "--from"]),
            ("watch" | "xargs" | "sudo" | "time", []) => self.commands(found),
            ("unset", _) => self.memory.variables().for_each(|name| found.add(name.to_owned())),
            ("unalias", _) => self.aliases.keys().for_each(|name| found.add(name.clone())),
            ("kill", _) => {
                self.background.iter().for_each(|(number, _)| found.add(format!("%{number}")));
            }
            _ if OF_FILES.contains(&first) => self.paths(first == "cd", found),
            _ => {}
        }
    }

    /// The files and folders that a beginning could be one of.
    fn paths(&self, folders_only: bool, found: &mut Offers) {
        let last = found.last.clone();
        let (folder, prefix) = match last.rsplit_once('/') {
            Some((folder, _)) => (folder, format!("{folder}/")),
            None => ("", String::new()),
        };
        for name in self.session.names(folder) {
            let path = format!("{prefix}{name}");
            if self.session.is_folder(&path) {
                found.add(path + "/");
            } else if !folders_only {
                found.add(path);
            }
        }
    }
}

/// What a node's own tools are asked most.
const NODE_COMMANDS: [&str; 9] = [
    "conntrack -L",
    "curl",
    "ip addr",
    "ip route",
    "iptables -t nat -L",
    "iptables-save",
    "ipvsadm -Ln",
    "nft list ruleset",
    "ss -lnt",
];

/// Commands whose words are files.
const OF_FILES: [&str; 18] = [
    "awk", "base64", "cat", "cd", "cp", "diff", "grep", "head", "ls", "mv", "rm", "sed", "sort",
    "tail", "tee", "touch", "uniq", "wc",
];

/// Words that begin as the one that is being typed.
struct Offers {
    last: String,
    words: Vec<String>,
}

impl Offers {
    fn add(&mut self, word: String) {
        if word.starts_with(&self.last) {
            self.words.push(word);
        }
    }

    fn add_all(&mut self, words: &[&str]) {
        words.iter().for_each(|word| self.add((*word).to_owned()));
    }
}
