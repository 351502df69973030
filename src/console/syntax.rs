//! A script as data: what a person entered, read once, as a list of steps with jumps between them.
//!
//! A list can stop at any step and go on later, so that a loop with a `sleep` in it needs no more
//! than the number of the step that it is at.

use std::sync::Arc;

/// Steps, carried out in their order but for jumps.
pub(super) type Script = Arc<[Op]>;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Commands joined by pipes; the exit code is the last one's.
    Run(Arc<Pipeline>),
    /// `!`: success becomes failure, and failure success.
    Not,
    /// The exit code of what did nothing.
    Succeed,
    /// Goes on at another step.
    Jump(usize),
    /// The same if the last command succeeded (`true`), or failed.
    JumpIf(bool, usize),
    /// Begins a loop over words.
    Loop(Words),
    /// Gives a variable the loop's next word, or goes on at another step if there is none left.
    Next(String, usize),
    /// Leaves the innermost loop over words.
    Leave,
    /// Keeps what is printed from here on, …
    Capture,
    /// … up to here, for the words of a later step.
    Captured,
    /// Carries a script out beside this one: `&`.
    Spawn(Script, Arc<str>),
}

impl Op {
    /// Where the step may go on.
    pub(super) fn jump(&mut self) -> Option<&mut usize> {
        match self {
            Op::Jump(to) | Op::JumpIf(_, to) | Op::Next(_, to) => Some(to),
            _ => None,
        }
    }
}

/// Words, and how many texts that were captured before stand in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) words: Vec<Word>,
    pub(super) captures: usize,
}

/// Commands joined by pipes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pipeline {
    pub(super) stages: Vec<Simple>,
    /// How many captured texts stand in the words of all stages.
    pub(super) captures: usize,
    /// Whether a captured text is the first command's standard input.
    pub(super) is_fed: bool,
}

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Simple {
    /// `NAME=value` in front.
    pub(super) assignments: Vec<(String, Word)>,
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<(Redirect, Word)>,
}

/// Where a stream goes to or comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// `< FILE`.
    Input,
    /// `<< WORD`, `<<< WORD`: the word is the text.
    Text,
    /// `> FILE`, `>> FILE`.
    Output {
        /// Whether it is added to what the file holds.
        appends: bool,
    },
    /// `2> FILE`, `2>> FILE`.
    Errors {
        /// Whether it is added to what the file holds.
        appends: bool,
    },
    /// `2>&1`.
    ErrorsToOutput,
    /// `>&2`.
    OutputToErrors,
}

/// A word as it was written: parts that are put together when it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(pub(super) Vec<Part>);

/// A part of a word; what is in quotes is never split or matched with files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Letters.
    Text {
        /// As they are.
        text: String,
        /// Whether they were in quotes.
        is_quoted: bool,
    },
    /// `$NAME`, `${NAME:-default}`.
    Variable {
        /// Its name, `?` for the last exit code.
        name: String,
        /// What it is if it is not set.
        default: String,
        /// Whether it was in quotes.
        is_quoted: bool,
    },
    /// `$(…)`: what a script prints, captured before the word is used.
    Captured {
        /// The script.
        script: String,
        /// Whether it was in quotes.
        is_quoted: bool,
    },
    /// `$((…))`: a whole number.
    Sum(String),
}

impl Word {
    /// A word of letters in quotes.
    pub(super) fn quoted(text: &str) -> Self {
        Word(vec![Part::Text { text: text.to_owned(), is_quoted: true }])
    }

    /// The word if it is nothing but letters without quotes: only such a one can be a keyword.
    pub(super) fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text { text, is_quoted: false }] => Some(text),
            _ => None,
        }
    }

    /// The scripts whose output stands in it.
    pub(super) fn captures(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Captured { script, .. } => Some(script.as_str()),
            _ => None,
        })
    }

    /// `{1..3}` and `{a,b}` are several words, each with what stands around the braces.
    pub(super) fn braces(self) -> Vec<Word> {
        let Some(text) = self.plain() else { return vec![self] };
        let found = text.split_once('{').and_then(|(before, rest)| {
            let (inside, after) = rest.split_once('}')?;
            Some((before, alternatives(inside)?, after))
        });
        let Some((before, all, after)) = found else { return vec![self] };
        let whole = |one: String| {
            let text = format!("{before}{one}{after}");
            Word(vec![Part::Text { text, is_quoted: false }])
        };
        all.into_iter().map(whole).flat_map(Word::braces).collect()
    }
}

/// What braces stand for; `None` if they are but braces.
fn alternatives(inside: &str) -> Option<Vec<String>> {
    /// No more words than this.
    const MOST: i64 = 1000;
    if let Some((from, to)) = inside.split_once("..") {
        let (from, to): (i64, i64) = (from.parse().ok()?, to.parse().ok()?);
        let count = from.abs_diff(to).min(MOST.unsigned_abs());
        let step = if from <= to { 1 } else { -1 };
        let numbers = (0..=count).filter_map(|at| from.checked_add(step * i64::try_from(at).ok()?));
        return Some(numbers.map(|number| number.to_string()).collect());
    }
    inside.contains(',').then(|| inside.split(',').map(str::to_owned).collect())
}

impl Pipeline {
    /// The commands with their words as they were written, for a list of jobs.
    pub(super) fn as_text(&self) -> String {
        let word = |word: &Word| -> String {
            let text = |part: &Part| match part {
                Part::Text { text, .. } => text.clone(),
                Part::Variable { name, .. } => format!("${name}"),
                Part::Captured { script, .. } => format!("$({script})"),
                Part::Sum(sum) => format!("$(({sum}))"),
            };
            word.0.iter().map(text).collect()
        };
        let stage = |simple: &Simple| simple.words.iter().map(word).collect::<Vec<_>>().join(" ");
        self.stages.iter().map(stage).collect::<Vec<_>>().join(" | ")
    }
}
