//! Regular expressions of nginx' locations and rewrites: PCRE's, of bytes.

use crate::pattern::{self, Dialect, Places};

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pattern::Pattern);

impl Pattern {
    /// Compiles a pattern; `None` for what PCRE would refuse and for what is not known here.
    pub fn new(text: &str, ignore_case: bool) -> Option<Self> {
        let letters: String = bytes(text).collect();
        pattern::Pattern::new(&letters, Dialect::Perl, ignore_case).ok().map(Pattern)
    }

    /// Looks for the pattern anywhere in a text: the bytes from and to of the whole and the groups.
    pub fn find(&self, text: &str) -> Option<Places> {
        self.0.find(&bytes(text).collect::<Vec<char>>(), 0)
    }

    /// Whether the pattern stands anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.find(text).is_some()
    }
}

/// A text's bytes as letters; those beyond ASCII stand where letters have no case.
fn bytes(text: &str) -> impl Iterator<Item = char> {
    let beyond = |byte: u8| char::from_u32(0xe000 + u32::from(byte)).unwrap_or_default();
    text.bytes().map(move |byte| if byte.is_ascii() { char::from(byte) } else { beyond(byte) })
}

/// Fills `$1`, `${2}` in a replacement with what the groups of a match took.
pub fn expand(replacement: &str, text: &str, groups: &Places) -> String {
    let group = |number: usize| {
        let found = groups.get(number).copied().flatten();
        found.and_then(|(from, to)| text.get(from..to)).unwrap_or_default()
    };
    let mut out = String::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (number, tail) = match braced {
            Some((name, tail)) => (name.parse().ok(), tail),
            None => {
                let digit = after.chars().next().and_then(|letter| letter.to_digit(10));
                let tail = if digit.is_some() { after.get(1..).unwrap_or_default() } else { after };
                (digit.and_then(|digit| usize::try_from(digit).ok()), tail)
            }
        };
        match number {
            Some(number) => out.push_str(group(number)),
            None => out.push('$'),
        }
        rest = if number.is_some() { tail } else { after };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_fill_a_replacement() {
        let groups = Pattern::new("/api(/|$)(.*)", true).unwrap().find("/api/v1").unwrap();
        assert_eq!(expand("/$2", "/api/v1", &groups), "/v1");
        assert_eq!(expand("/x/${2}$9$", "/api/v1", &groups), "/x/v1$");
    }

    #[test]
    fn a_letter_beyond_ascii_is_its_bytes_and_has_no_case() {
        assert!(Pattern::new("^/..$", true).unwrap().is_match("/é"));
        assert!(!Pattern::new("^/.$", true).unwrap().is_match("/é"));
        assert!(!Pattern::new("^/é$", true).unwrap().is_match("/É"));
    }
}
