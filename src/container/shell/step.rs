//! What a script becomes.

use std::sync::Arc;

/// A word of a script, before its variables are filled in.
pub(in crate::container) type Word = Vec<Part>;

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::container) enum Part {
    /// Text as it stands; `*` and `?` in it may stand for files.
    Text(String),
    /// Text in quotes.
    Quoted(String),
    /// `$NAME` and its kin.
    Parameter {
        /// `NAME`, `1`, `?`, `@` …
        name: String,
        /// What becomes of its value.
        change: Change,
        /// Whether it stands in quotes, so that its value is one word.
        quoted: bool,
    },
    /// What a `$(…)` printed: the one of this number among those of the command.
    Captured {
        /// From 0.
        number: usize,
        /// Whether it stands in quotes.
        quoted: bool,
    },
    /// `$((…))`.
    Sum(Word),
}

/// `${NAME…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::container) enum Change {
    /// The value.
    None,
    /// `${#NAME}`.
    Length,
    /// `${NAME:-WORD}`, `:=`, `:+`, `:?`, with or without the colon.
    Unless {
        /// `-`, `=`, `+` or `?`.
        sign: char,
        /// With the colon, an empty value counts as none.
        or_empty: bool,
        /// The word.
        word: Word,
    },
    /// `${NAME%PATTERN}`, `%%`, `#`, `##`.
    Cut {
        /// `%` or `#`.
        sign: char,
        /// Doubled: as much as possible.
        longest: bool,
        /// What is cut off.
        pattern: Word,
    },
}

/// Standard output and standard error: `&>`.
pub(in crate::container) const BOTH: u8 = u8::MAX;

/// Where a redirection leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::container) enum To {
    /// `> FILE`.
    Write(Word),
    /// `>> FILE`.
    Append(Word),
    /// `< FILE`.
    Read(Word),
    /// `<<TAG` and its text.
    Here(Word),
    /// `>&2`.
    Same(u8),
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::container) struct Redirect {
    /// 0, 1 or 2, or [`BOTH`].
    pub(in crate::container) stream: u8,
    /// Where it leads.
    pub(in crate::container) to: To,
}

/// A command with its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::container) struct Simple {
    /// `NAME=VALUE` before it.
    pub(in crate::container) assignments: Vec<(String, Word)>,
    /// Its words.
    pub(in crate::container) words: Vec<Word>,
    /// Its redirections.
    pub(in crate::container) redirects: Vec<Redirect>,
}

/// One step of a script. Ways lead over a number of steps, counted from the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::container) enum Step {
    /// Runs a command that uses what so many `$(…)` printed.
    Simple(Box<Simple>, usize),
    /// Goes on elsewhere.
    Jump(i32),
    /// Goes on elsewhere if the last command went well, or if it did not.
    JumpIf {
        /// Which of the two.
        success: bool,
        /// Over how many steps.
        by: i32,
    },
    /// Begins a loop of so many steps, of which the last is `EndLoop`.
    Loop {
        /// How many.
        len: i32,
        /// Whether it can be seen that it never ends and asks nobody outside.
        endless: bool,
    },
    /// Begins a loop over words, whose first step is `Next`.
    For {
        /// What takes the words.
        variable: String,
        /// The words, and how many `$(…)` are in them; `None` for the script's own.
        words: Option<Vec<Word>>,
        /// How many `$(…)` are in them.
        captures: usize,
        /// How many steps.
        len: i32,
    },
    /// Takes the next word, or leaves the loop.
    Next,
    /// The loop is over.
    EndLoop,
    /// Begins a `case`.
    Case(Word, usize),
    /// Goes on only if a pattern fits.
    Match {
        /// The patterns.
        patterns: Vec<Word>,
        /// Where to go on otherwise.
        otherwise: i32,
    },
    /// The `case` is over.
    EndCase,
    /// Redirects all that follows until `Restore`.
    Redirect(Vec<Redirect>, usize),
    /// Undoes the last `Redirect`.
    Restore,
    /// Begins a subshell; what it prints may be wanted.
    Subshell {
        /// Whether it is a `$(…)`.
        captured: bool,
        /// How many steps, of which the last is `EndSubshell`.
        len: i32,
    },
    /// The subshell is over.
    EndSubshell,
    /// Runs the next steps, so many, beside the rest: `&`; the text that they were read from.
    Spawn(i32, Arc<str>),
    /// Runs the next steps, in so many parts, at once: `|`.
    Pipe(Vec<i32>),
    /// Names the next steps, so many.
    Define(String, i32),
    /// A named part is over.
    Return,
    /// `!`.
    Not,
    /// Sets the status.
    Status(i32),
}
