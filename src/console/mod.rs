//! The console: a small shell around kubectl, with words for what kubectl cannot do.
//!
//! The page's terminal, the lessons, `diorama run` and the conformance tests all speak it.
//!
//! Invariants: no input panics; output is capped; a line at work is plain data ([`Job`]) and moves
//! no clock, so that it goes on with a student's time in the page, and runs to its end in
//! `diorama run`; the same lines on the same world give the same text.
//!
//! Reading order: `syntax.rs` (a script as steps), `lexer.rs`, `parser.rs`, `expand.rs` (variables),
//! `job.rs` (a script at work), `work.rs` (commands that wait), `builtins.rs`, `time.rs` (sleep,
//! idle, node), `network.rs` (curl, proxy), `trace.rs`, `burst.rs`, `node/` (node run),
//! `complete.rs`, `transcript.rs` (`diorama run`).

mod builtins;
mod burst;
mod complete;
mod expand;
mod haproxy;
mod job;
mod lexer;
mod network;
mod node;
mod parser;
mod syntax;
mod texts;
mod time;
mod trace;
mod transcript;
mod work;

pub use crate::kubectl::{Input, Session, Wake};
pub use crate::programs::{Output, Part, Stream};
pub use complete::Completion;
pub use job::Job;
pub use transcript::{Block, blocks, run, transcript};

use crate::container::filters::{self, Dialect};
use crate::kubectl;
use crate::text::Lang;
use crate::world::World;
use crate::world::burst::Sending;
use core::time::Duration;
use lexer::Wrong;
use std::collections::BTreeMap;
use std::sync::Arc;
use syntax::Script;
use work::{Step, Work};

/// Longer output is cut.
pub const MOST_BYTES: usize = 1 << 20;

/// How long a command takes that does not wait.
// Simplified: a real kubectl takes 50 to 200 ms, depending on the machine.
pub const COMMAND_TIME: Duration = Duration::from_millis(100);

/// Aliases in aliases no deeper than this.
const MOST_ALIASES: usize = 10;

/// The shell's state between commands.
#[derive(Debug, Default)]
pub struct Console {
    /// Current namespace and files.
    pub session: Session,
    /// Other names of commands.
    pub aliases: BTreeMap<String, String>,
    /// The shell's variables.
    pub variables: BTreeMap<String, String>,
    /// The language of what is said beside the tools' own words.
    pub lang: Lang,
    /// What was entered, oldest first.
    pub history: Vec<String>,
    /// How long a command takes that does not wait; nothing where the world has its own clock.
    pub command_time: Duration,
    /// Whether somebody sits in front: `watch` goes on until Ctrl-C, and `&` lets a command go on
    /// beside others.
    pub is_live: bool,
    /// Commands that were sent to the background, by their number; whoever has the clock takes
    /// them.
    pub sent_off: Vec<(u32, String, Job)>,
    /// The numbers of commands that were asked to end.
    pub ended: Vec<u32>,
    /// What the burst at work has counted so far, where somebody sits in front; whoever shows it
    /// takes it.
    pub counted: Option<Box<Sending>>,
    /// The commands in the background that are at work, for `jobs`.
    pub background: Vec<(u32, String)>,
}

impl Console {
    /// A console in the namespace `default`, with `k` for kubectl.
    pub fn new() -> Self {
        let mut console = Console::default();
        console.aliases.insert("k".to_owned(), "kubectl".to_owned());
        for (name, value) in [
            ("HOME", kubectl::HOME),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("PWD", kubectl::HOME),
            ("SHELL", "/bin/bash"),
            ("USER", "student"),
        ] {
            console.variables.insert(name.to_owned(), value.to_owned());
        }
        console
    }

    /// Another console that stands where this one does, with nothing at work.
    pub fn twin(&self) -> Self {
        Console {
            session: self.session.clone(),
            aliases: self.aliases.clone(),
            variables: self.variables.clone(),
            command_time: self.command_time,
            lang: self.lang,
            ..Console::default()
        }
    }

    /// Whether a text is a whole command: not one that goes on in the next line, with an open quote
    /// or bracket, a here-document, or a loop without its end.
    pub fn is_whole(text: &str) -> bool {
        !matches!(parser::read(text), Err(Wrong::Unfinished(_)))
    }

    /// Begins what a person entered: commands with pipes, `;`, `&&`, `||`, loops, redirections and
    /// here-documents (in `line` itself, or as `stdin`). [`Job::go_on`] carries it out.
    pub fn begin(&mut self, line: &str, stdin: Option<&str>) -> Result<Job, Output> {
        if !line.trim().is_empty() {
            self.history.push(line.to_owned());
        }
        match parser::read(line) {
            Ok(script) => Ok(Job::new(script, stdin.map(Arc::from))),
            Err(wrong) => Err(Output::failed(2, wrong.sentence())),
        }
    }

    /// Carries out what a person entered and lets the world run forward until it is done.
    pub fn execute(&mut self, world: &mut World, line: &str, stdin: Option<&str>) -> Output {
        let mut output = match self.begin(line, stdin) {
            Ok(mut job) => job::run_to_end(self, world, &mut job),
            Err(output) => output,
        };
        cap(&mut output.stdout);
        cap(&mut output.stderr);
        output
    }

    /// What a line prints at once.
    fn at_once(&mut self, world: &mut World, line: &str) -> Output {
        match parser::read(line) {
            Ok(script) => Job::new(script, None).go_on(self, world, Input::Time),
            Err(wrong) => Output::failed(2, wrong.sentence()),
        }
    }

    /// Begins with a command that goes on beside others.
    fn send_off(&mut self, world: &mut World, script: Script, name: &str) -> Output {
        let mut job = Job::new(script, None);
        if !self.is_live {
            // Simplified: without anybody in front a command in the background is waited for.
            return job::run_to_end(self, world, &mut job);
        }
        let numbers = self.background.iter().map(|(id, _)| id);
        let last = numbers.chain(self.sent_off.iter().map(|(id, ..)| id)).max();
        let number = last.map_or(1, |number| number.saturating_add(1));
        self.sent_off.push((number, name.to_owned(), job));
        said(format!("[{number}] {}\n", number.saturating_add(1000)))
    }

    /// Carries out one command.
    fn command(&mut self, world: &mut World, words: &[String], stdin: Option<&str>) -> Step {
        let mut words = words.to_vec();
        for _ in 0..MOST_ALIASES {
            let Some(first) = words.first().cloned() else { break };
            let Some(alias) = self.aliases.get(&first) else { break };
            let mut new = shlex::split(alias).unwrap_or_default();
            let is_own = new.first() == Some(&first);
            new.extend(words.drain(1..));
            words = new;
            if is_own {
                break;
            }
        }
        let Some((first, rest)) = words.split_first() else { return (Output::default(), None) };
        if first == "kubectl" {
            let (mut output, mut running) = kubectl::begin(world, &mut self.session, rest, stdin);
            while let Some(more) = self.edit(world, &mut running) {
                output.append(more);
            }
            let running = running.map(|running| Work::Kubectl(Box::new(running)));
            let step = work::unfold(world, output, running);
            return self.take_time(world, step);
        }
        self.other_command(world, &words, stdin)
    }

    /// The same for whatever is not kubectl.
    #[inline(never)]
    fn other_command(&mut self, world: &mut World, words: &[String], stdin: Option<&str>) -> Step {
        let Some((first, rest)) = words.split_first() else { return (Output::default(), None) };
        if let ("node", Some(("run", rest))) = (first.as_str(), verb(rest)) {
            let output = node::run(world, rest, stdin, &self.session);
            return work::unfold(world, output, None);
        }
        if let Some(step) = time::run(world, first, rest) {
            return step;
        }
        if let Some(step) = self.builtin(world, first, rest, stdin) {
            return step;
        }
        let read = |path: &str| self.session.read(path).map(str::to_owned);
        if let Some(output) = filters::run(first, rest, Dialect::Gnu, &read, stdin) {
            return (self.in_place(first, rest, output), None);
        }
        if first == "burst" {
            return burst::run(self, world, rest);
        }
        let output = match first.as_str() {
            "trace" => Some(trace::run(self, world, rest)),
            _ => network::run(world, &mut self.session, words),
        };
        match output {
            Some(output) => {
                let step = work::unfold(world, output, None);
                self.take_time(world, step)
            }
            None => (Output::failed(127, format!("bash: {first}: command not found")), None),
        }
    }

    /// `sed -i`: what it made of a file takes the file's place.
    fn in_place(&mut self, name: &str, words: &[String], output: Output) -> Output {
        let is_asked = name == "sed" && words.iter().any(|word| word == "-i");
        let Some(path) = words.last().filter(|_| is_asked && output.exit == 0) else {
            return output;
        };
        self.session.write(path, output.stdout);
        Output::default()
    }

    /// Gives a text that kubectl wants edited to the editor that `KUBE_EDITOR` or `EDITOR` names, a
    /// command of this console.
    fn edit(
        &mut self,
        world: &mut World,
        running: &mut Option<kubectl::Running>,
    ) -> Option<Output> {
        let editor = ["KUBE_EDITOR", "EDITOR"].iter().find_map(|name| self.variables.get(*name));
        let editor = editor.filter(|editor| !editor.is_empty())?.clone();
        let Some(Wake::Text { text, .. }) = running.as_ref().map(|it| it.wake().clone()) else {
            return None;
        };
        let path = format!("/tmp/kubectl-edit-{}.yaml", self.history.len());
        self.session.write(&path, text);
        let mut output = self.at_once(world, &format!("{editor} {path}"));
        let saved = self.session.read(&path).map(str::to_owned);
        let full = self.session.resolve(&path);
        self.session.files.remove(&full);
        let (more, rest) = running.take()?.go_on(world, &mut self.session, Input::Text(saved));
        *running = rest;
        output.append(more);
        Some(output)
    }

    /// Lets a command that does not wait take its time.
    fn take_time(&self, world: &World, (output, work): Step) -> Step {
        if work.is_some() || self.command_time.is_zero() {
            return (output, work);
        }
        let (at, exit) = (world.now() + self.command_time, output.exit);
        (output, Some(Work::Until { at, exit }))
    }
}

/// A word and those behind it.
fn verb(words: &[String]) -> Option<(&str, &[String])> {
    words.split_first().map(|(first, rest)| (first.as_str(), rest))
}

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
