//! The console: a small shell around kubectl, with words for what kubectl cannot do.
//!
//! The page's terminal, the lessons, `diorama run` and the conformance tests all speak it.
//!
//! Invariants: no input panics; output is capped; a command that waits runs the world forward; the
//! same lines on the same world give the same text.
//!
//! Reading order: `words.rs` (a line into commands), `time.rs` (sleep, idle, node), `network.rs`
//! (curl, proxy), `trace.rs`, `node/` (node run), `transcript.rs` (`diorama run`).

mod burst;
mod network;
mod node;
mod time;
mod trace;
mod transcript;
mod words;

pub use crate::kubectl::{Output, Session};
pub use node::conntrack_line;
pub use transcript::{Block, blocks, run, transcript};

use crate::container::filters::{self, Dialect};
use crate::kubectl;
use crate::world::World;
use core::time::Duration;
use std::collections::BTreeMap;
use words::{Joint, Simple};

/// Longer output is cut.
pub const MOST_BYTES: usize = 1 << 20;

/// How long a command takes that does not wait.
// Simplified: a real kubectl takes 50 to 200 ms, depending on the machine.
pub const COMMAND_TIME: Duration = Duration::from_millis(100);

/// The shell's state between commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Console {
    /// Current namespace and files.
    pub session: Session,
    /// Other names of commands.
    pub aliases: BTreeMap<String, String>,
    /// What was entered, oldest first.
    pub history: Vec<String>,
    /// How long a command takes that does not wait; nothing where the world has its own clock.
    pub command_time: Duration,
}

impl Console {
    /// A console in the namespace `default`, with `k` for kubectl.
    pub fn new() -> Self {
        let aliases = [("k".to_owned(), "kubectl".to_owned())].into_iter().collect();
        Console { aliases, ..Console::default() }
    }

    /// Carries out what a person entered: commands with pipes, `;`, `&&`, `||`, redirections and
    /// here-documents (in `line` itself, or as `stdin`).
    pub fn execute(&mut self, world: &mut World, line: &str, stdin: Option<&str>) -> Output {
        let (line, document) = match words::here_document(line) {
            Some((line, document)) => (line, Some(document)),
            None => (line.to_owned(), None),
        };
        let stdin = document.as_deref().or(stdin);
        if !line.trim().is_empty() {
            self.history.push(line.clone());
        }
        let commands = match words::read(&line) {
            Ok(commands) => commands,
            Err(why) => return Output { stderr: format!("{why}\n"), exit: 2, ..Output::default() },
        };
        let mut whole = Output::default();
        for (joint, pipeline) in commands {
            let wanted = match joint {
                Joint::Always => true,
                Joint::And => whole.exit == 0,
                Joint::Or => whole.exit != 0,
            };
            if !wanted {
                continue;
            }
            let output = self.pipeline(world, &pipeline, stdin);
            whole.stdout.push_str(&output.stdout);
            whole.stderr.push_str(&output.stderr);
            whole.exit = output.exit;
        }
        cap(&mut whole.stdout);
        cap(&mut whole.stderr);
        whole
    }

    fn pipeline(&mut self, world: &mut World, pipeline: &[Simple], stdin: Option<&str>) -> Output {
        let mut input = stdin.map(str::to_owned);
        let mut errors = String::new();
        let mut last = Output::default();
        for (index, simple) in pipeline.iter().enumerate() {
            if let Some(path) = &simple.input {
                match self.session.files.get(path) {
                    Some(text) => input = Some(text.clone()),
                    None => {
                        errors.push_str(&format!("bash: {path}: No such file or directory\n"));
                        return Output { stderr: errors, exit: 1, ..Output::default() };
                    }
                }
            }
            let mut output = self.simple(world, &simple.words, input.as_deref());
            if simple.errors_to_output {
                output.stdout.push_str(&core::mem::take(&mut output.stderr));
            }
            if simple.no_errors {
                output.stderr.clear();
            }
            if let Some((path, append)) = &simple.output {
                let text = core::mem::take(&mut output.stdout);
                if path != "/dev/null" {
                    let file = self.session.files.entry(path.clone()).or_default();
                    if !append {
                        file.clear();
                    }
                    file.push_str(&text);
                }
            }
            errors.push_str(&output.stderr);
            if index + 1 < pipeline.len() {
                input = Some(core::mem::take(&mut output.stdout));
            }
            last = output;
        }
        last.stderr = errors;
        last
    }

    fn simple(&mut self, world: &mut World, words: &[String], stdin: Option<&str>) -> Output {
        let mut words = words.to_vec();
        if let Some(alias) = words.first().and_then(|first| self.aliases.get(first)) {
            let mut new = shlex::split(alias).unwrap_or_default();
            new.extend(words.drain(1..));
            words = new;
        }
        let Some((first, rest)) = words.split_first() else { return Output::default() };
        if let Some(output) = filters::run(
            first,
            rest,
            Dialect::Gnu,
            &|path| self.session.files.get(path).cloned(),
            stdin,
        ) {
            return output;
        }
        if let ("node", ["run", ..]) = (first.as_str(), &[rest.first().map_or("", String::as_str)])
        {
            let rest = rest.get(1..).unwrap_or_default();
            return node::run(world, rest, stdin, &self.session.files);
        }
        if let Some(output) = time::run(world, first, rest) {
            return output;
        }
        match first.as_str() {
            "kubectl" => {
                let output = kubectl::run(world, &mut self.session, rest, stdin);
                world.run_for(self.command_time);
                output
            }
            "trace" => {
                let output = trace::run(self, world, rest);
                world.run_for(self.command_time);
                output
            }
            "burst" => burst::run(self, world, rest),
            "watch" => self.watch(world, rest),
            "alias" => self.alias(rest),
            "unalias" => {
                rest.iter().for_each(|name| drop(self.aliases.remove(name)));
                Output::default()
            }
            "cat" => self.cat(rest, stdin),
            "ls" => said(self.session.files.keys().map(|name| format!("{name}\n")).collect()),
            "rm" => self.remove(rest),
            "history" => {
                let line = |(index, line): (usize, &String)| format!("{:5}  {line}\n", index + 1);
                said(self.history.iter().enumerate().map(line).collect())
            }
            "clear" => said("\u{1b}[H\u{1b}[2J".to_owned()),
            "date" => said(format!("{}\n", world.now().rfc1123z())),
            "help" => said(HELP.to_owned()),
            other => {
                let output = network::run(world, &mut self.session.files, &words);
                let Some(output) = output else {
                    return failed(127, format!("bash: {other}: command not found\n"));
                };
                world.run_for(self.command_time);
                output
            }
        }
    }

    /// `watch kubectl get pods`: once, since the page draws again by itself.
    fn watch(&mut self, world: &mut World, words: &[String]) -> Output {
        let mut rest = words;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "-n" | "--interval" => rest = after.get(1..).unwrap_or_default(),
                word if word.starts_with('-') => rest = after,
                _ => break,
            }
        }
        match rest {
            [one] => self.execute(world, one, None),
            many => self.simple(world, many, None),
        }
    }

    fn alias(&mut self, words: &[String]) -> Output {
        if words.is_empty() {
            return said(
                self.aliases.iter().map(|(name, to)| format!("alias {name}='{to}'\n")).collect(),
            );
        }
        for word in words {
            if let Some((name, to)) = word.split_once('=') {
                self.aliases.insert(name.to_owned(), to.to_owned());
            }
        }
        Output::default()
    }

    fn cat(&self, words: &[String], stdin: Option<&str>) -> Output {
        let mut output = Output::default();
        let paths: Vec<&String> =
            words.iter().filter(|word| *word == "-" || !word.starts_with('-')).collect();
        if paths.is_empty() {
            output.stdout.push_str(stdin.unwrap_or_default());
        }
        for path in paths {
            match self.session.files.get(path) {
                Some(text) => output.stdout.push_str(text),
                None if path == "-" => output.stdout.push_str(stdin.unwrap_or_default()),
                None => {
                    output.stderr.push_str(&format!("cat: {path}: No such file or directory\n"));
                    output.exit = 1;
                }
            }
        }
        output
    }

    fn remove(&mut self, words: &[String]) -> Output {
        let mut output = Output::default();
        for path in words.iter().filter(|word| !word.starts_with('-')) {
            if self.session.files.remove(path).is_none() {
                output
                    .stderr
                    .push_str(&format!("rm: cannot remove '{path}': No such file or directory\n"));
                output.exit = 1;
            }
        }
        output
    }

    /// What may stand at the cursor (a byte offset into `line`) for the word that ends there.
    pub fn complete(&self, world: &World, line: &str, cursor: usize) -> Vec<String> {
        let before = line.get(..cursor).unwrap_or(line);
        let command = before.rsplit(['|', ';', '&']).next().unwrap_or_default();
        let mut words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        let last = match before.ends_with(char::is_whitespace) || words.is_empty() {
            true => String::new(),
            false => words.pop().unwrap_or_default(),
        };
        let Some((first, rest)) = words.split_first() else {
            let own = [
                "kubectl", "node", "idle", "sleep", "curl", "wget", "nslookup", "trace", "burst",
                "proxy", "network", "watch", "grep", "help", "clear", "history", "cat", "ls",
            ];
            let all = own.iter().map(|word| (*word).to_owned()).chain(self.aliases.keys().cloned());
            return all.filter(|word| word.starts_with(&last)).collect();
        };
        let first = self.aliases.get(first).map_or(first.as_str(), String::as_str);
        if first != "kubectl" {
            return Vec::new();
        }
        kubectl::complete(world, &self.session, rest, &last)
    }
}

const HELP: &str = "kubectl …            everything about the cluster (kubectl --help); k for short
node stop|start NAME  cut a node's network, or mend it
node add [NAME]      another machine joins the cluster; node remove NAME takes one away
sleep N              let N seconds pass
idle N               wait until nothing has changed for N seconds (90 at most)
node run NAME -- CMD  iptables, iptables-save, nft, ipvsadm, conntrack, ip, ss, curl on a node
curl URL             send a request from outside; wget, nslookup, nc likewise
trace curl URL       show every hop of it; --from node/NAME or pod/NS/NAME, -o json
trace --against 'CMD' …  the same beside what it would be after that command
burst -n 200 --rate 20 curl URL  many requests counted; --keepalive CONNECTIONS, --from
proxy mode [MODE]    how kube-proxy works: iptables, nftables or ipvs
network mode [MODE]  how pods of different nodes meet: routed or vxlan
grep, head, tail, sort, wc, uniq, cut, tr, sed, awk, echo, cat, ls, rm, watch, history, clear
";

fn said(stdout: String) -> Output {
    Output { stdout, ..Output::default() }
}

fn failed(exit: i32, stderr: String) -> Output {
    Output { stderr, exit, ..Output::default() }
}

/// Cuts text that is too long for a page, at a line's end.
fn cap(text: &mut String) {
    if text.len() <= MOST_BYTES {
        return;
    }
    let mut end = MOST_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.truncate(text.rfind('\n').map_or(end, |at| at + 1));
    text.push_str("… (cut here)\n");
}

#[cfg(test)]
mod tests;
