//! Regular expressions, in the dialects of those who read them: grep, sed and awk, nginx, and Go
//! for the schemas of custom resources.
//!
//! One reader knows the syntax of all dialects and makes a tree of a pattern, one matcher runs it.
//!
//! Invariants: a search takes no more steps than its program is long times its text, and never
//! more than a bound, so that no pattern can hold up a page; POSIX' dialects find the longest of
//! the leftmost matches, the others the first that their order of trying comes to.
//!
//! Reading order: this file, `words` (what is said of faulty patterns), `read` (text to tree),
//! `program` (tree to steps), `search`.
//!
//! Simplified: classes of Unicode and lookbehind are not known, possessive quantifiers are greedy,
//! POSIX' groups are those of the first of the longest matches.

mod program;
mod read;
mod search;
#[cfg(test)]
mod tests;
mod words;

use program::Step;
use words::Wrong;

/// How a pattern is written, and which of its matches counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// POSIX' basic expressions, with what GNU and busybox add: `\(a\|b\)\+`.
    Basic,
    /// POSIX' extended expressions, likewise: `(a|b)+`.
    Extended,
    /// Every letter stands for itself.
    Fixed,
    /// PCRE's.
    Perl,
    /// Those of Go's package regexp.
    Go,
}

impl Dialect {
    const fn is_posix(self) -> bool {
        !matches!(self, Dialect::Perl | Dialect::Go)
    }
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is wrong; the sentence of its dialect's library.
    Wrong(String),
    /// It may be right, but has something that is not known here.
    Unknown,
}

impl Fault {
    /// What is said of it.
    pub fn sentence(self) -> String {
        match self {
            Fault::Wrong(text) => text,
            Fault::Unknown => "this pattern is not understood here".to_owned(),
        }
    }
}

/// A pattern that can be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    steps: Vec<Step>,
    /// How many places are noted: two for the whole, two for each group, and more inside.
    slots: usize,
    groups: usize,
    is_posix: bool,
    /// Whether what a group matched is asked for again, so that the way to a step matters.
    looks_back: bool,
}

/// Where the whole (0) and the groups of a pattern matched: from and to, in letters.
pub type Places = Vec<Option<(usize, usize)>>;

impl Pattern {
    /// Reads a pattern; `fold`: whether large letters are as small ones.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str, dialect: Dialect, fold: bool) -> Result<Self, Fault> {
        let letters: Vec<char> = text.chars().collect();
        let said = |(wrong, from, to): (Wrong, usize, usize)| match wrong {
            Wrong::Unknown => Fault::Unknown,
            wrong => Fault::Wrong(wrong.sentence(dialect, letters.get(from..to).unwrap_or(&[]))),
        };
        let tree = read::tree(&letters, dialect, fold).map_err(said)?;
        let whole = |wrong| said((wrong, 0, letters.len()));
        program::compile(&tree, dialect.is_posix()).map_err(whole)
    }

    /// Whether it is in a text.
    pub fn is_in(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        self.find(&letters, 0).is_some()
    }
}

/// The letters of a class by its name, in their order.
pub fn class(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}
