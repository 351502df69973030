//! A person's own shell: what it remembers from line to line, and what others run for it.

use super::super::shell::{self, Dialect, Step, Wrong};
use super::launch;
use super::{Process, Role, Shell, Stream, Typing, Variable, Wait};
use crate::base::SimTime;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Aliases in aliases no deeper than this.
const MOST_ALIASES: usize = 10;

/// What a person's own machine has beside its files.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The words that others carry out.
    pub words: &'a [&'a str],
    /// Other names of commands.
    pub aliases: &'a BTreeMap<String, String>,
    /// The number of the next command that is sent off with `&`; `None` if all stay together.
    pub next_job: Option<u32>,
}

impl Desk<'_> {
    /// A command's words, with what its alias stands for.
    pub(super) fn aliased(&self, mut words: Vec<String>) -> Vec<String> {
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
        words
    }
}

/// What a person's shell remembers from line to line: variables, functions, options, its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(pub(super) Shell);

impl Memory {
    /// bash in a folder, with an environment.
    pub fn new(environment: &[(&str, &str)], folder: &str) -> Self {
        let variable = |(place, (name, text)): (usize, &(&str, &str))| {
            let (text, exported) = ((*text).to_owned(), true);
            ((*name).to_owned(), Variable { text, place, exported })
        };
        Memory(Shell {
            dialect: Dialect::Bash,
            variables: environment.iter().enumerate().map(variable).collect(),
            name: "bash".to_owned(),
            folder: folder.to_owned(),
            typing: Some(Typing::default()),
            ..Shell::default()
        })
    }

    /// The folder that it stands in.
    pub fn folder(&self) -> &str {
        &self.0.folder
    }

    /// The names of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.variables.keys().map(String::as_str)
    }

    /// The names of its functions.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.0.functions.keys().map(String::as_str)
    }

    /// Takes over what a line has left that began with `before`; of a line that changed nothing
    /// only its status, for others may have changed something meanwhile.
    pub fn take_over(&mut self, before: &Memory, left: Memory) {
        let status = left.0.status;
        let unlike = Shell { status: before.0.status, ..left.0.clone() } != before.0;
        if unlike {
            *self = left;
        }
        self.0.status = status;
    }

    /// Notes how a line ended.
    pub const fn end_with(&mut self, status: i32) {
        self.0.status = status;
    }
}

/// A line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(pub(super) Arc<Vec<Step>>);

/// Why a text is no line; bash's sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// More lines could make it one.
    Unfinished(String),
    /// Nothing could.
    Wrong(String),
}

impl Line {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// Where the text is no script, or not yet.
    pub fn read(text: &str) -> Result<Line, Unread> {
        shell::parse_typed(text).map(|steps| Line(Arc::new(steps))).map_err(|wrong| {
            let why = format!("bash: {}", Dialect::Bash.syntax(&wrong));
            match wrong {
                Wrong::Unfinished(_) => Unread::Unfinished(why),
                _ => Unread::Wrong(why),
            }
        })
    }
}

/// Whether a shell carries a command out itself.
pub fn is_builtin(name: &str) -> bool {
    launch::is_builtin(name)
}

/// Whether a command that others carry out reads its standard input to the end: it is named `-`, or
/// it is handed on.
pub(super) fn reads_input(words: &[String]) -> bool {
    reads_typed(words)
        || words.first().is_some_and(|name| name == "node")
        || words
            .iter()
            .any(|word| matches!(word.as_str(), "-i" | "-it" | "-ti" | "--stdin" | "--interactive"))
}

/// The same if nobody but a person gives it anything.
pub(super) fn reads_typed(words: &[String]) -> bool {
    let ends = ["=-", "@-"];
    words.iter().any(|word| {
        matches!(word.as_str(), "-" | "-f-") || ends.iter().any(|end| word.ends_with(end))
    })
}

impl Process {
    /// The process that carries out a line, with what its shell remembers.
    pub(in crate::container) fn of_line(
        pid: u32,
        role: Role,
        line: &Line,
        memory: &Memory,
        input: Option<&str>,
        now: SimTime,
    ) -> Self {
        let mut process = Process::new(pid, role, &super::Command::default(), now);
        process.code = line.0.clone();
        process.shell = memory.0.clone();
        process.name = memory.0.name.clone();
        process.streams[0] =
            input.map_or(Stream::Terminal, |text| Stream::Text(Arc::from(text), 0));
        process
    }

    /// Makes a job of it that nothing else is a part of; the words it was begun with.
    pub(in crate::container) fn set_free(&mut self) -> String {
        self.parent = 0;
        self.doing.take().unwrap_or_default()
    }

    /// What its shell would remember if it ended here.
    pub(in crate::container) fn memory(&self) -> Option<Memory> {
        let kept = self.frames.iter().find_map(|frame| match frame {
            super::Frame::Subshell { shell, .. } | super::Frame::Script { shell, .. } => {
                Some(&**shell)
            }
            _ => None,
        });
        let shell = kept.unwrap_or(&self.shell);
        shell.typing.is_some().then(|| Memory(shell.clone()))
    }

    /// What it asks others for, if it does.
    pub(in crate::container) const fn asked(&self) -> Option<&Arc<super::Asked>> {
        match &self.wait {
            Wait::Outside(asked) => Some(asked),
            _ => None,
        }
    }
}
