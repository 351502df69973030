//! Whose words a shell's complaints are: one table of what busybox' ash, dash and bash say.

/// Whose words a shell's complaints are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::container) enum Dialect {
    /// busybox'.
    #[default]
    Ash,
    /// Debian's `sh`.
    Dash,
    /// bash.
    Bash,
}

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::container) enum Wrong {
    /// More lines could make it one.
    Unfinished(Missing),
    /// This stands where it may not.
    Unexpected(String),
    /// What stands in `${…}` is none of what may.
    Substitution,
    /// Scripts in scripts, too many.
    TooDeep,
}

/// What more lines would have to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::container) enum Missing {
    /// The word or bracket that ends a command.
    Word(String),
    /// A quote, or the bracket that closes `${` and `$((`.
    Quote(char),
    /// A command, behind `|` and its kin.
    Command,
    /// The line that ends a here-document.
    Document(String),
}

use Dialect::{Ash, Bash, Dash};

impl Dialect {
    /// How a complaint begins, of a shell of this name, in this line of what was typed, if somebody
    /// types.
    pub(in crate::container) fn prefix(self, name: &str, typed: Option<u32>) -> String {
        match (self, typed) {
            (Ash, _) | (Bash, Some(_)) => name.to_owned(),
            (Dash, line) => format!("{name}: {}", line.unwrap_or(1)),
            (Bash, None) => format!("{name}: line 1"),
        }
    }

    /// What is wrong with a script.
    pub(in crate::container) fn syntax(self, wrong: &Wrong) -> String {
        let sentence = |why: &str| match self {
            Ash | Bash => format!("syntax error: {why}"),
            Dash => format!("Syntax error: {why}"),
        };
        let capital = |why: &str| match self {
            Dash => {
                let (first, rest) = why.split_at_checked(1).unwrap_or((why, ""));
                sentence(&(first.to_uppercase() + rest))
            }
            _ => sentence(why),
        };
        let end = |expected: &str| match self {
            Bash => sentence("unexpected end of file"),
            Ash => sentence(&format!("unexpected end of file{expected}")),
            Dash => sentence(&format!("end of file unexpected{expected}")),
        };
        match wrong {
            Wrong::Unexpected(token) => {
                let quoted = match token.as_str() {
                    "newline" => token.clone(),
                    token => format!("\"{token}\""),
                };
                match self {
                    Bash => format!("syntax error near unexpected token `{token}'"),
                    Ash => sentence(&format!("unexpected {quoted}")),
                    Dash => sentence(&format!("{quoted} unexpected")),
                }
            }
            Wrong::Substitution if self == Ash => sentence("bad substitution"),
            Wrong::Substitution if self == Dash => "Bad substitution".to_owned(),
            Wrong::Substitution => "bad substitution".to_owned(),
            Wrong::TooDeep => "Maximum function recursion depth exceeded".to_owned(),
            Wrong::Unfinished(missing) => match missing {
                Missing::Word(word) => end(&format!(" (expecting \"{word}\")")),
                Missing::Command => end(""),
                Missing::Quote(sign) if self == Bash => {
                    format!("unexpected EOF while looking for matching `{sign}'")
                }
                Missing::Quote('`') => sentence("EOF in backquote substitution"),
                Missing::Quote('}') => capital("missing '}'"),
                Missing::Quote(')') => capital("missing '))'"),
                Missing::Quote(_) => capital("unterminated quoted string"),
                Missing::Document(tag) => {
                    format!("warning: here-document delimited by end-of-file (wanted `{tag}')")
                }
            },
        }
    }

    /// There is no such program.
    pub(in crate::container) fn not_found(self, name: &str) -> String {
        match self {
            Bash if name.contains('/') => format!("{name}: No such file or directory"),
            Bash => format!("{name}: command not found"),
            Ash | Dash => format!("{name}: not found"),
        }
    }

    /// A variable is not there that has to be.
    pub(in crate::container) fn unset(self, name: &str) -> String {
        match self {
            Bash => format!("{name}: unbound variable"),
            Ash | Dash => format!("{name}: parameter not set"),
        }
    }

    /// There is no such folder.
    pub(in crate::container) fn no_folder(self, path: &str) -> String {
        match self {
            Dash => format!("cd: can't cd to {path}"),
            Ash => format!("cd: can't cd to {path}: No such file or directory"),
            Bash => format!("cd: {path}: No such file or directory"),
        }
    }

    /// There is no such script.
    pub(in crate::container) fn no_script(self, path: &str) -> String {
        match self {
            Bash => format!("{path}: No such file or directory"),
            Ash => format!("can't open '{path}': No such file or directory"),
            Dash => format!("0: cannot open {path}: No such file"),
        }
    }

    /// No more processes can be.
    pub(in crate::container) const fn cannot_fork(self) -> &'static str {
        match self {
            Ash => "can't fork: Resource temporarily unavailable",
            Dash => "Cannot fork",
            Bash => "fork: Resource temporarily unavailable",
        }
    }

    /// There is no such process.
    pub(in crate::container) fn no_process(self, word: &str) -> String {
        match self {
            Ash => format!("can't kill pid {word}: No such process"),
            Dash | Bash => format!("kill: ({word}) - No such process"),
        }
    }

    /// A redirection leads nowhere.
    pub(in crate::container) fn cannot_open(self, path: &str, creates: bool) -> String {
        match (self, creates) {
            (Bash, _) => format!("{path}: No such file or directory"),
            (Ash, true) => format!("can't create {path}: nonexistent directory"),
            (Ash, false) => format!("can't open {path}: no such file"),
            (Dash, true) => format!("cannot create {path}: Directory nonexistent"),
            (Dash, false) => format!("cannot open {path}: No such file"),
        }
    }

    /// A redirection leads where nothing can be written.
    pub(in crate::container) fn cannot_create(self, path: &str, why: &str) -> String {
        match self {
            Bash => format!("{path}: {why}"),
            Ash => format!("can't create {path}: {why}"),
            Dash => format!("cannot create {path}: {why}"),
        }
    }
}
