//! The console: a small shell around kubectl, with words for what kubectl cannot do.
//!
//! The page's terminal, the lessons, `diorama run` and the conformance tests all speak it.
//!
//! Invariants: no input panics; output is capped; a line at work is plain data ([`Job`]) and moves
//! no clock, so that it goes on with a student's time in the page, and runs to its end in
//! `diorama run`; the same lines on the same world give the same text.
//!
//! The shell itself is that of the room `container`: the console is a machine like those that
//! containers are, and what is said here are the commands that this machine's shell asks others for.
//!
//! Reading order: `job.rs` (a line at work), `work.rs` (commands that wait), `builtins.rs`,
//! `time.rs` (idle, node), `network.rs` (curl, proxy), `trace.rs`, `burst.rs`, `node/` (node run),
//! `complete.rs`, `transcript.rs` (`diorama run`).

mod builtins;
mod burst;
mod complete;
mod haproxy;
mod job;
mod network;
mod node;
mod time;
mod trace;
mod transcript;
mod work;

pub use crate::kubectl::{Input, Session, Wake};
pub use crate::programs::{Output, Part, Stream};
pub use complete::Completion;
pub use job::Job;
pub use transcript::{Block, blocks, run, transcript};

use crate::container::{Asked, Line, Memory, Unread};
use crate::kubectl;
use crate::text::Lang;
use crate::world::World;
use crate::world::burst::Sending;
use core::time::Duration;
use std::collections::BTreeMap;
use work::{Step, Work};

/// Longer output is cut.
pub const MOST_BYTES: usize = 1 << 20;

/// How long a command takes that does not wait.
// Simplified: a real kubectl takes 50 to 200 ms, depending on the machine.
pub const COMMAND_TIME: Duration = Duration::from_millis(100);

/// The shell's state between commands.
#[derive(Debug, Default)]
pub struct Console {
    /// Current namespace and files.
    pub session: Session,
    /// Other names of commands.
    pub aliases: BTreeMap<String, String>,
    /// What the shell remembers: variables, functions, options.
    pub memory: Memory,
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
        let environment = [
            ("HOME", kubectl::HOME),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("PWD", kubectl::HOME),
            ("SHELL", "/bin/bash"),
            ("USER", "student"),
        ];
        let memory = Memory::new(&environment, kubectl::HOME);
        let mut console = Console { memory, ..Console::default() };
        console.aliases.insert("k".to_owned(), "kubectl".to_owned());
        console
    }

    /// Another console that stands where this one does, with nothing at work.
    pub fn twin(&self) -> Self {
        Console {
            session: self.session.clone(),
            aliases: self.aliases.clone(),
            memory: self.memory.clone(),
            command_time: self.command_time,
            lang: self.lang,
            ..Console::default()
        }
    }

    /// Whether a text is a whole command: not one that goes on in the next line, with an open quote
    /// or bracket, a here-document, or a loop without its end.
    pub fn is_whole(text: &str) -> bool {
        !matches!(Line::read(text), Err(Unread::Unfinished(_)))
    }

    /// Begins what a person entered, with here-documents in `line` itself, or as `stdin`.
    /// [`Job::go_on`] carries it out.
    ///
    /// # Errors
    /// What is printed instead if the text is no script.
    pub fn begin(&mut self, world: &World, line: &str, stdin: Option<&str>) -> Result<Job, Output> {
        if !line.trim().is_empty() {
            self.history.push(line.to_owned());
        }
        self.read(world, line, stdin)
    }

    fn read(&self, world: &World, line: &str, stdin: Option<&str>) -> Result<Job, Output> {
        match Line::read(line) {
            Ok(line) => Ok(Job::new(&line, &self.memory, stdin, world.now())),
            Err(Unread::Unfinished(why) | Unread::Wrong(why)) => Err(Output::failed(2, why)),
        }
    }

    /// Carries out what a person entered and lets the world run forward until it is done.
    pub fn execute(&mut self, world: &mut World, line: &str, stdin: Option<&str>) -> Output {
        let mut output = match self.begin(world, line, stdin) {
            Ok(mut job) => job::run_to_end(self, world, &mut job),
            Err(output) => output,
        };
        cap(&mut output.stdout);
        cap(&mut output.stderr);
        output
    }

    /// What a line prints at once.
    fn at_once(&mut self, world: &mut World, line: &str) -> Output {
        match self.read(world, line, None) {
            Ok(job) => job.aside().go_on(self, world, Input::Time),
            Err(output) => output,
        }
    }

    /// Whether commands go on beside others, or are about to.
    fn has_jobs(&self) -> bool {
        !self.background.is_empty() || !self.sent_off.is_empty()
    }

    /// The number of the next command that goes on beside others.
    fn next_job(&self) -> u32 {
        let numbers = self.background.iter().map(|(id, _)| id);
        let last = numbers.chain(self.sent_off.iter().map(|(id, ..)| id)).max();
        last.map_or(1, |number| number.saturating_add(1))
    }

    /// Stands in a folder while something is done.
    fn within<T>(&mut self, folder: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = core::mem::replace(&mut self.session.folder, folder.to_owned());
        let done = act(self);
        self.session.folder = before;
        done
    }

    /// Carries out one command that the shell asks for.
    fn command(&mut self, world: &mut World, asked: &Asked) -> Step {
        let stdin = asked.input.as_deref();
        let Some((first, rest)) = asked.words.split_first() else {
            return (Output::default(), None);
        };
        if first == "kubectl" {
            let (mut output, mut running) = kubectl::begin(world, &mut self.session, rest, stdin);
            while let Some(more) = self.edit(world, &mut running, asked) {
                output.append(more);
            }
            let running = running.map(|running| Work::Kubectl(Box::new(running)));
            let step = work::unfold(world, output, running);
            return self.take_time(world, step);
        }
        self.other_command(world, asked)
    }

    /// The same for whatever is not kubectl.
    #[inline(never)]
    fn other_command(&mut self, world: &mut World, asked: &Asked) -> Step {
        let stdin = asked.input.as_deref();
        let Some((first, rest)) = asked.words.split_first() else {
            return (Output::default(), None);
        };
        if let ("node", Some(("run", rest))) = (first.as_str(), verb(rest)) {
            let output = node::run(world, rest, stdin, &self.session);
            return work::unfold(world, output, None);
        }
        if let Some(step) = time::run(world, first, rest) {
            return step;
        }
        if let Some(step) = self.builtin(world, first, rest) {
            return step;
        }
        if first == "burst" {
            return burst::run(self, world, rest);
        }
        let output = match first.as_str() {
            "trace" => trace::run(self, world, rest),
            _ => network::run(world, &mut self.session, &asked.words).unwrap_or_default(),
        };
        let step = work::unfold(world, output, None);
        self.take_time(world, step)
    }

    /// Gives a text that kubectl wants edited to the editor that `KUBE_EDITOR` or `EDITOR` names, a
    /// command of this console.
    fn edit(
        &mut self,
        world: &mut World,
        running: &mut Option<kubectl::Running>,
        asked: &Asked,
    ) -> Option<Output> {
        let value = |name: &&str| {
            asked.variables.iter().find(|(own, text)| own.as_str() == *name && !text.is_empty())
        };
        let (_, editor) = ["KUBE_EDITOR", "EDITOR"].iter().find_map(value)?;
        let Some(Wake::Text { text, .. }) = running.as_ref().map(|it| it.wake().clone()) else {
            return None;
        };
        let path = format!("/tmp/kubectl-edit-{}.yaml", self.history.len());
        self.session.write(&path, text);
        let mut output = self.at_once(world, &format!("{editor} {path}"));
        let saved = self.session.read(&path).map(str::to_owned);
        self.session.remove(&path);
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
