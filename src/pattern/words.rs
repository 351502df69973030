//! What the libraries say of faulty patterns.

use super::Dialect;

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    OpenGroup,
    CloseGroup,
    OpenSet,
    ClassName,
    Range,
    Nothing,
    Nested,
    OpenCount,
    Count,
    Backslash,
    Escape,
    Reference,
    Syntax,
    TooDeep,
    TooBig,
    /// It may be right.
    Unknown,
}

impl Wrong {
    /// The sentence; `part` is the part of the pattern that Go shows with it.
    ///
    /// glibc posix/regcomp.c __re_error_msgid; pcre2_error.c compile_error_texts; Go's
    /// regexp/syntax/parse.go.
    pub(super) fn sentence(self, dialect: Dialect, part: &[char]) -> String {
        let [posix, perl, go] = match self {
            Wrong::OpenGroup => {
                ["Unmatched ( or \\(", "missing closing parenthesis", "missing closing )"]
            }
            Wrong::CloseGroup => {
                ["Unmatched ) or \\)", "unmatched closing parenthesis", "unexpected )"]
            }
            Wrong::OpenSet => [
                "Unmatched [, [^, [:, [., or [=",
                "missing terminating ] for character class",
                "missing closing ]",
            ],
            Wrong::ClassName => [
                "Invalid character class name",
                "unknown POSIX class name",
                "invalid character class range",
            ],
            Wrong::Range => [
                "Invalid range end",
                "range out of order in character class",
                "invalid character class range",
            ],
            Wrong::Nothing => [
                "Invalid preceding regular expression",
                "quantifier does not follow a repeatable item",
                "missing argument to repetition operator",
            ],
            Wrong::Nested => [
                "Regular expression too big",
                "quantifier does not follow a repeatable item",
                "invalid nested repetition operator",
            ],
            Wrong::OpenCount => ["Unmatched { or \\{", "", ""],
            Wrong::Count => [
                "Invalid content of \\{\\}",
                "numbers out of order in {} quantifier",
                "invalid repeat count",
            ],
            Wrong::Backslash => [
                "Trailing backslash",
                "\\ at end of pattern",
                "trailing backslash at end of expression",
            ],
            Wrong::Escape => ["", "unrecognized character follows \\", "invalid escape sequence"],
            Wrong::Reference => {
                ["Invalid back reference", "reference to non-existent subpattern", ""]
            }
            Wrong::Syntax => {
                ["", "unrecognized character after (? or (?-", "invalid or unsupported Perl syntax"]
            }
            Wrong::TooDeep => [
                "Regular expression too big",
                "parentheses are too deeply nested",
                "expression nests too deeply",
            ],
            Wrong::TooBig | Wrong::Unknown => [
                "Regular expression too big",
                "regular expression is too large",
                "expression too large",
            ],
        };
        match dialect {
            Dialect::Perl => perl.to_owned(),
            Dialect::Go => {
                let part: String = part.iter().collect();
                format!("error parsing regexp: {go}: `{part}`")
            }
            _ => posix.to_owned(),
        }
    }
}
