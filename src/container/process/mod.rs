//! A process: a place in a script, its variables, and what it waits for.
//!
//! Invariants: a process is plain data, and can be left and taken up at any moment; what it does
//! between two moments depends on nothing but its pod's files, the time, and answers it was given.
//!
//! Reading order: this file, `ground`, `run` (its steps), `words` (a command's words), `streams`,
//! `terminal` (who types), `desk` (a person's own shell), `builtin` (the shell's own commands), `launch` (all others),
//! `servers`.

mod builtin;
mod desk;
mod ground;
mod launch;
mod run;
mod servers;
mod streams;
mod terminal;
mod words;

pub use desk::{Desk, Line, Memory, Unread, is_builtin};
pub use ground::Talk;
pub(in crate::container) use ground::{Ground, Pipe};
pub(in crate::container) use run::{REST, run};

use super::output::Output;
use super::shell::{self, Dialect, Entered, Step};
use crate::base::SimTime;
use std::collections::BTreeMap;
use std::sync::Arc;

/// SIGTERM.
pub const TERM: u8 = 15;
/// SIGKILL.
pub const KILL: u8 = 9;
/// The trap of a shell's end.
const EXIT: u8 = 0;

/// Signals by their names.
const SIGNALS: [(&str, u8); 9] = [
    ("EXIT", EXIT),
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("KILL", KILL),
    ("USR1", 10),
    ("USR2", 12),
    ("TERM", TERM),
    ("WINCH", 28),
];

/// The number of a signal: `TERM`, `SIGTERM`, `15`.
fn signal_number(word: &str) -> Option<u8> {
    let name = word.strip_prefix("SIG").unwrap_or(word);
    let named = SIGNALS.iter().find(|(own, _)| *own == name).map(|(_, number)| *number);
    named.or_else(|| word.parse().ok())
}

/// Who started a process, and so where its words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The container's own: its words are the container's log.
    Main,
    /// The kubelet's, a probe or a hook, in the conversation of this number.
    Kubelet(u32),
    /// A person's, in the conversation of this number.
    Person(u32),
}

impl Role {
    /// The conversation, if it is one.
    pub(super) const fn talk(self) -> Option<u32> {
        match self {
            Role::Main => None,
            Role::Kubelet(number) | Role::Person(number) => Some(number),
        }
    }
}

/// Where a process reads from or writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stream {
    /// Nowhere.
    Nothing,
    /// Where its role says; whether it is standard error.
    Role {
        /// Whether it is standard error.
        errors: bool,
    },
    /// A text, and how many bytes of it were read.
    Text(Arc<str>, usize),
    /// A file, at its end.
    File(Arc<str>),
    /// A pipe.
    Pipe(u32),
    /// What a person types, line by line.
    Terminal,
    /// What the innermost `$(…)` prints.
    Captured,
}

/// Standard input, output and error.
type Streams = [Stream; 3];

/// What a process is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Its words.
    pub words: Vec<String>,
    /// Its environment.
    pub variables: Vec<(String, String)>,
    /// The folder that it runs in.
    pub folder: String,
    /// Its standard input, if it has one.
    pub input: Option<String>,
    /// Whether a person types what it reads.
    pub at_terminal: bool,
}

/// What a person has typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-D: no line will come any more.
    End,
}

/// What a process waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// A moment.
    Until(SimTime),
    /// The end of one of its jobs, or of all.
    Jobs(Option<u32>),
    /// A line that a person types behind this prompt.
    Line(Arc<str>),
    /// A line in a pipe, if it goes by lines, or the end of all that comes.
    Pipe(u32, bool),
    /// What a program says that asks others.
    Outside(Arc<Asked>),
    /// Nothing: it serves.
    Forever(Service),
    /// It follows a file: when it looks again, the file, how many bytes it has seen.
    Follow(SimTime, Arc<str>, usize),
    /// It has ended, with this code.
    Ended(i32),
}

/// What a process does that runs until it is stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// The ports it listens on; `None` for those that its container declares or its image has.
    pub ports: Option<Vec<u16>>,
    /// The folder it serves, if it is a server of files.
    pub folder: Option<String>,
    /// The code it ends with when it is asked to; `None` if it does not listen.
    pub stop_code: Option<i32>,
}

/// A program that asks others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its words.
    pub words: Vec<String>,
    /// The folder that it runs in.
    pub folder: String,
    /// Its environment, on a person's own machine.
    pub variables: Vec<(String, String)>,
    /// Its standard input, if it has one and reads it.
    pub input: Option<String>,
}

/// The answer to a program that asked others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// What it printed, and its exit code.
    pub said: Output,
    /// Files that it wrote, by the paths it was given.
    pub files: Vec<(String, String)>,
    /// The program, if it goes on.
    pub goes_on: Option<Arc<Asked>>,
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Variable {
    text: String,
    /// Its place among those that programs see.
    place: usize,
    /// Whether programs see it.
    exported: bool,
}

/// A shell's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shell {
    dialect: Dialect,
    variables: BTreeMap<String, Variable>,
    /// `$0` and the arguments behind it.
    name: String,
    arguments: Vec<String>,
    folder: String,
    status: i32,
    last_job: Option<u32>,
    functions: BTreeMap<String, (Arc<Vec<Step>>, usize)>,
    traps: BTreeMap<u8, String>,
    /// `set -e`, `-u`, `-x`.
    stops_on_error: bool,
    needs_variables: bool,
    traces: bool,
    /// What was typed so far, if it takes its commands from a person.
    typing: Option<Typing>,
}

/// What a shell knows of the person who types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Typing {
    /// The lines of a command that is not whole yet.
    unfinished: Entered,
    /// The number of the line.
    line: u32,
}

impl Shell {
    fn set(&mut self, name: &str, text: String) {
        let place = self.variables.len();
        let new = || Variable { place, ..Variable::default() };
        self.variables.entry(name.to_owned()).or_insert_with(new).text = text;
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|variable| variable.text.as_str())
    }

    /// The variables that programs see, in the order that they were set.
    fn environment(&self) -> Vec<(String, String)> {
        let mut all: Vec<_> = self.variables.iter().filter(|(_, it)| it.exported).collect();
        crate::base::order::sort_by_key(&mut all, |(_, variable)| variable.place);
        all.into_iter().map(|(name, variable)| (name.clone(), variable.text.clone())).collect()
    }
}

/// What a process comes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Frame {
    /// A loop: where it begins, its last step, and its words.
    Loop { head: usize, last: usize, items: Option<(String, Vec<String>, usize)>, endless: bool },
    /// A `case`, and what it looks at.
    Case(String),
    /// Redirections, and what was before.
    Streams(Streams),
    /// A subshell: its last step, and what was before.
    Subshell { last: usize, shell: Box<Shell>, streams: Streams, captured: bool },
    /// A function: where it was called, with the arguments and streams of before.
    Call { code: Arc<Vec<Step>>, at: usize, arguments: Vec<String>, streams: Streams },
    /// Another script: where it was called, and what was before.
    Script { code: Arc<Vec<Step>>, at: usize, shell: Box<Shell>, streams: Streams },
    /// A trap or an `eval`: where to go on, and with which status.
    Within { code: Arc<Vec<Step>>, at: usize, status: Option<i32>, ends: bool },
}

/// The step that carries out these words as they are.
fn plain(words: &[String]) -> Step {
    let quoted = |word: &String| vec![shell::Part::Quoted(word.clone())];
    let words = words.iter().map(quoted).collect();
    Step::Simple(Box::new(shell::Simple { words, ..shell::Simple::default() }), 0)
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// Its number; 1 for the first of a container.
    pub pid: u32,
    /// Who started it.
    parent: u32,
    /// Its words, as `ps` shows them.
    pub name: String,
    /// Its words, and the words of the program that it waits for, if that is another one.
    doing: Option<String>,
    /// Whose words its words are.
    pub role: Role,
    /// What it waits for.
    pub wait: Wait,
    code: Arc<Vec<Step>>,
    at: usize,
    shell: Shell,
    frames: Vec<Frame>,
    streams: Streams,
    /// What `$(…)`s printed that no command has used yet, and those that are at it.
    captured: Vec<String>,
    capturing: Vec<String>,
    reply: Option<Arc<Reply>>,
    /// What was typed and not read yet, and what was read by a program that wants all of it.
    typed: Option<Typed>,
    heard: String,
    /// Whether it goes on beside what a person types.
    is_beside: bool,
    /// The words of the step that it waits at, and where that is: how deep, and which.
    begun: Option<(usize, usize, Vec<String>)>,
    /// Whether the step that it waits at was begun before.
    resumed: bool,
    /// Whether the `grep` that goes on has found something before.
    has_found: bool,
    /// Signals that it has a trap for.
    signals: Vec<u8>,
    /// Whether it hears of a signal instead of its jobs.
    interrupted: Option<u8>,
    /// Steps it made at one moment, and that moment.
    steps: u32,
    moment: SimTime,
}

impl Process {
    /// A process that runs these words.
    pub(super) fn new(pid: u32, role: Role, command: &Command, now: SimTime) -> Self {
        let Command { words, variables, folder, input, at_terminal } = command;
        let variables = variables.iter().enumerate().map(|(place, (name, text))| {
            (name.clone(), Variable { text: text.clone(), place, exported: true })
        });
        let shell = Shell {
            dialect: Dialect::default(),
            variables: variables.collect(),
            name: "sh".to_owned(),
            folder: folder.clone(),
            ..Shell::default()
        };
        Process {
            pid,
            parent: 0,
            name: words.join(" "),
            doing: None,
            role,
            wait: Wait::Until(now),
            code: Arc::new(vec![plain(words)]),
            at: 0,
            shell,
            frames: Vec::new(),
            streams: [
                match input.as_deref() {
                    Some(input) => Stream::Text(Arc::from(input), 0),
                    None if *at_terminal => Stream::Terminal,
                    None => Stream::Nothing,
                },
                Stream::Role { errors: false },
                Stream::Role { errors: true },
            ],
            captured: Vec::new(),
            capturing: Vec::new(),
            reply: None,
            typed: None,
            heard: String::new(),
            is_beside: false,
            begun: None,
            resumed: false,
            has_found: false,
            signals: Vec::new(),
            interrupted: None,
            steps: 0,
            moment: now,
        }
    }

    /// A process beside this one, that goes on at a step.
    fn sibling(&self, pid: u32, at: usize, now: SimTime) -> Self {
        let mut sibling = self.clone();
        sibling.pid = pid;
        sibling.parent = self.pid;
        sibling.at = at;
        sibling.frames.clear();
        sibling.signals.clear();
        sibling.shell.traps.clear();
        sibling.wait = Wait::Until(now);
        sibling.doing = None;
        sibling
    }

    /// Its number, and its parent's.
    pub(super) const fn kinship(&self) -> (u32, u32) {
        (self.pid, self.parent)
    }

    /// Whether it is what was started from outside, and not a job of that.
    pub(super) const fn is_first_of_talk(&self) -> bool {
        self.parent == 0
    }

    /// Whether it, or what it comes back to, writes to a pipe.
    pub(super) fn writes_to(&self, pipe: u32) -> bool {
        self.all_streams()
            .any(|streams| streams.iter().skip(1).any(|stream| *stream == Stream::Pipe(pipe)))
    }

    /// Whether it, or what it comes back to, reads from a pipe.
    pub(super) fn reads_from(&self, pipe: u32) -> bool {
        self.all_streams().any(|streams| streams.first() == Some(&Stream::Pipe(pipe)))
    }

    fn all_streams(&self) -> impl Iterator<Item = &Streams> {
        let kept = self.frames.iter().filter_map(|frame| match frame {
            Frame::Streams(streams)
            | Frame::Subshell { streams, .. }
            | Frame::Call { streams, .. }
            | Frame::Script { streams, .. } => Some(streams),
            _ => None,
        });
        kept.chain([&self.streams])
    }

    /// When it goes on by itself.
    pub(super) fn due(&self) -> Option<SimTime> {
        match &self.wait {
            Wait::Until(at) | Wait::Follow(at, ..) => Some(*at),
            _ => None,
        }
    }

    /// Lets it go on no earlier than at a moment.
    pub(super) fn put_off(&mut self, until: SimTime) {
        if let Wait::Until(at) | Wait::Follow(at, ..) = &mut self.wait {
            *at = (*at).max(until);
        }
    }

    /// Whether nobody outside of the pod can tell when its steps are taken: it is in a loop that
    /// never ends, or follows a file.
    pub(super) fn can_be_put_off(&self) -> bool {
        let endless = |frame: &Frame| matches!(frame, Frame::Loop { endless: true, .. });
        self.role == Role::Main
            && (matches!(self.wait, Wait::Follow(..)) || self.frames.iter().any(endless))
    }

    /// What it serves, if it does.
    pub(super) fn service(&self) -> Option<&Service> {
        match &self.wait {
            Wait::Forever(service) => Some(service),
            _ => None,
        }
    }

    /// Gives the answer that it waits for, at a moment.
    pub(super) fn answer(&mut self, reply: Reply, at: SimTime) {
        if matches!(self.wait, Wait::Outside(_)) {
            self.reply = Some(Arc::new(reply));
            self.wait = Wait::Until(at);
        }
    }

    /// Sends it a signal; says whether it ends of it, with which code.
    ///
    /// The first process of a container hears only what it listens for: signal(7), pid_namespaces(7).
    pub(super) fn signal(&mut self, number: u8, now: SimTime) -> Option<i32> {
        let by_itself = 128 + i32::from(number);
        if number != KILL && self.shell.traps.contains_key(&number) {
            self.signals.push(number);
            if matches!(self.wait, Wait::Jobs(_)) {
                self.interrupted = Some(number);
                self.wait = Wait::Until(now);
            }
            return None;
        }
        let stop_code = match &self.wait {
            Wait::Forever(service) if self.is_at_last_step() => service.stop_code,
            _ => None,
        };
        let code = match (self.pid, stop_code) {
            (1, code) => code.filter(|_| number != KILL)?,
            (_, Some(code)) if number != KILL => code,
            _ => by_itself,
        };
        self.wait = Wait::Ended(code);
        Some(code)
    }

    /// Whether its shell has nothing to do after the command that it waits for, so that this
    /// command has taken its place.
    fn is_at_last_step(&self) -> bool {
        let is_last = |code: &Arc<Vec<Step>>, at: usize| at >= code.len();
        is_last(&self.code, self.at)
            && self.frames.iter().all(|frame| match frame {
                Frame::Script { code, at, .. } => is_last(code, *at),
                _ => false,
            })
    }

    /// The lines of `ps` for it: numbers and words.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        let doing = self.doing.as_deref().filter(|_| !self.is_at_last_step());
        let own = match doing {
            None => self.doing.as_deref().unwrap_or(&self.name),
            Some(_) => &self.name,
        };
        [(self.pid, own)].into_iter().chain(doing.map(|doing| (self.pid + 1, doing)))
    }
}
