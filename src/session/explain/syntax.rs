//! What is wrong with YAML that cannot be read, at the place where a person has to look.

use super::super::fault::{Fault, Fix};
use super::{Explanation, fault};
use crate::manifest::{Place, Position, Problem};
use crate::text::Text;

/// More brackets in brackets than this are too many for any reader.
const MOST_DEPTH: usize = 100;

/// The fault that a problem of the parser is.
pub(in crate::session) fn syntax(source: &str, problem: &Problem) -> Fault {
    let message = &problem.message;
    let words = message.clone();
    let says = |part: &str| message.contains(part);
    if (says("cannot start any token") || says("tab character"))
        && let Some((place, tabs)) = tab(source, problem.place.start.line)
    {
        let told = fault(source, place, words, (Text::FaultTab, Vec::new()));
        return Fault { fix: Some(Fix::Value("  ".repeat(tabs))), ..told };
    }
    let text = match () {
        () if says("too large") => Text::FaultTooLarge,
        () if says("excessive aliasing") => Text::FaultAliases,
        () if says("depth") || depth(source) > MOST_DEPTH => Text::FaultDepth,
        () if says("control character") => Text::FaultBinary,
        () => Text::FaultSyntax,
    };
    let explanation: Explanation = (text, Vec::new());
    fault(source, problem.place, words, explanation)
}

/// A key that stands twice in the same place: kubectl says nothing, and the last one counts.
pub(in crate::session) fn duplicate_key(source: &str, place: Place, key: &str) -> Fault {
    let values = vec![("key", key.to_owned())];
    let told = fault(source, place, String::new(), (Text::FaultDuplicateKey, values));
    Fault { is_warning: true, path: key.to_owned(), ..told }
}

/// The tabs in front of the first line from `line` on that begins with some, and how many.
fn tab(source: &str, line: u32) -> Option<(Place, usize)> {
    let from = line.saturating_sub(1) as usize;
    let found = source.lines().enumerate().skip(from).find_map(|(number, text)| {
        let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
        let first = text.get(..blank)?.find('\t')?;
        Some((number, first, blank - first))
    });
    let (number, first, tabs) = found?;
    let at = |column: usize| Position {
        line: u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1),
        column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
    };
    Some((Place { start: at(first), end: at(first + tabs) }, tabs))
}

/// How many brackets stand in brackets at most.
fn depth(source: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for letter in source.bytes() {
        match letter {
            b'[' | b'{' => depth = depth.saturating_add(1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn told(source: &str) -> Fault {
        let parsed = parse(source);
        syntax(source, parsed.problems.first().unwrap())
    }

    #[test]
    fn a_tab_is_marked_where_it_stands_and_becomes_spaces() {
        for (source, line, from) in [
            ("kind: Pod\n\tmetadata: x\n", 2, 0),
            ("a: 1\nspec:\n  b: 1\n  \tc: 2\n", 4, 2),
            ("metadata:\n\tname: t\n", 2, 0),
        ] {
            let fault = told(source);
            assert_eq!((fault.explanation, fault.line, fault.from), (Text::FaultTab, line, from));
            let mended = fault.mend(source).unwrap();
            assert!(!mended.contains('\t'), "{mended:?}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_said_so() {
        assert_eq!(told(&"[".repeat(100_000)).explanation, Text::FaultDepth);
        assert_eq!(told("a: [1\nb: 2\n").explanation, Text::FaultSyntax);
    }

    #[test]
    fn a_fault_at_the_end_is_on_the_last_line_that_there_is() {
        let source = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"a\n";
        assert!(told(source).line <= 4, "{:?}", told(source));
    }
}
