//! YAML as kubectl's parser reads it: from text to events.
//!
//! It accepts and refuses what kubectl does, in the same words and at the same line; that is why it
//! is written here and not taken from elsewhere. Three steps: characters to tokens, tokens to
//! events, and whoever asks for the next event drives both. Nothing here looks at what a scalar
//! means.
//!
//! Models go.yaml.in/yaml/v2 scannerc.go, parserc.go and decode.go parser.
//!
//! Reading order: `cursor.rs`, `token.rs`, `scanner.rs`, `flow_scalar.rs`, `block_scalar.rs`,
//! `names.rs`, `events.rs`.

mod block_scalar;
mod cursor;
mod events;
mod flow_scalar;
mod names;
mod scanner;
mod token;

pub(super) use events::{Event, Parser};

/// A place in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Characters before it.
    pub(super) index: usize,
    /// Line, from 0.
    pub(super) line: usize,
    /// Column in characters, from 0.
    pub(super) column: usize,
}

/// A stretch of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first character.
    pub(super) start: Mark,
    /// The character after its last.
    pub(super) end: Mark,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: what it means is open.
    Plain,
    /// In quotes or as a block: a text.
    Quoted,
}

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    problem: String,
    /// Where it shows.
    pub(super) mark: Mark,
    /// Where that began in which it shows.
    context: Mark,
    /// Whether characters were wrong, not only their order.
    by_scanner: bool,
}

impl Failure {
    /// The problem with its line, as Go's parser counts it.
    ///
    /// Models decode.go parser.fail.
    pub(super) fn message(&self) -> String {
        let line = match (self.mark.line, self.context.line) {
            (0, context) => context,
            (line, _) if self.by_scanner => line + 1,
            (line, _) => line,
        };
        match line {
            0 => self.problem.clone(),
            line => format!("line {line}: {}", self.problem),
        }
    }
}
