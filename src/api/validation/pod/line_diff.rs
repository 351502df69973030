//! The difference of two texts, line by line.
//!
//! The API server shows what changed in a pod with a port of Python's difflib. Where several
//! differences explain a change, only its way of choosing gives its text.

use crate::base::order;
use std::collections::BTreeMap;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// A stretch of lines that both texts have: where it starts in each, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Match {
    a: usize,
    b: usize,
    size: usize,
}

/// A change: the lines `a` of the old text became the lines `b` of the new.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    is_equal: bool,
    a: core::ops::Range<usize>,
    b: core::ops::Range<usize>,
}

/// A unified diff without file names.
///
/// Models github.com/pmezard/go-difflib/difflib GetUnifiedDiffString.
pub(in super::super) fn unified(before: &str, after: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) =
        (before.split('\n').collect(), after.split('\n').collect());
    let mut text = String::new();
    for group in grouped(changes(&a, &b)) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let old = range(first.a.start, last.a.end);
        let new = range(first.b.start, last.b.end);
        text.push_str(&format!("@@ -{old} +{new} @@\n"));
        for change in &group {
            let mut lines = |sign: char, lines: Option<&[&str]>| {
                for line in lines.unwrap_or_default() {
                    text.push_str(&format!("{sign}{line}\n"));
                }
            };
            if change.is_equal {
                lines(' ', a.get(change.a.clone()));
            } else {
                lines('-', a.get(change.a.clone()));
                lines('+', b.get(change.b.clone()));
            }
        }
    }
    text
}

/// A range as the head of a hunk writes it: first line, number of lines.
fn range(start: usize, end: usize) -> String {
    match end.saturating_sub(start) {
        1 => format!("{}", start + 1),
        0 => format!("{start},0"),
        length => format!("{},{length}", start + 1),
    }
}

/// Where each line stands in the new text; lines that are everywhere are left out, as difflib
/// does in texts of 200 lines and more.
fn positions<'a>(b: &[&'a str]) -> BTreeMap<&'a str, Vec<usize>> {
    let mut positions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, line) in b.iter().enumerate() {
        positions.entry(line).or_default().push(index);
    }
    if b.len() >= 200 {
        let most = b.len() / 100 + 1;
        positions.retain(|_, indexes| indexes.len() <= most);
    }
    positions
}

/// The longest stretch in both ranges; of several, the one that starts first.
fn longest(
    a: &[&str],
    b: &[&str],
    positions: &BTreeMap<&str, Vec<usize>>,
    (a_low, a_high): (usize, usize),
    (b_low, b_high): (usize, usize),
) -> Match {
    let mut best = Match { a: a_low, b: b_low, size: 0 };
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    for i in a_low..a_high {
        let mut next = BTreeMap::new();
        let indexes = a.get(i).and_then(|line| positions.get(line));
        for &j in indexes.into_iter().flatten() {
            if j < b_low {
                continue;
            }
            if j >= b_high {
                break;
            }
            let before = j.checked_sub(1).and_then(|j| lengths.get(&j)).copied();
            let size = before.unwrap_or_default() + 1;
            next.insert(j, size);
            if size > best.size {
                best = Match { a: i + 1 - size, b: j + 1 - size, size };
            }
        }
        lengths = next;
    }
    // The lines that were left out extend a stretch, though they never start one.
    while best.a > a_low && best.b > b_low && a.get(best.a - 1) == b.get(best.b - 1) {
        best = Match { a: best.a - 1, b: best.b - 1, size: best.size + 1 };
    }
    while best.a + best.size < a_high
        && best.b + best.size < b_high
        && a.get(best.a + best.size) == b.get(best.b + best.size)
    {
        best.size += 1;
    }
    best
}

/// All stretches in both texts, in order.
fn matches(a: &[&str], b: &[&str]) -> Vec<Match> {
    let positions = positions(b);
    let mut found = Vec::new();
    let mut todo = vec![((0, a.len()), (0, b.len()))];
    while let Some((a_range, b_range)) = todo.pop() {
        let one = longest(a, b, &positions, a_range, b_range);
        if one.size == 0 {
            continue;
        }
        if a_range.0 < one.a && b_range.0 < one.b {
            todo.push(((a_range.0, one.a), (b_range.0, one.b)));
        }
        let (a_end, b_end) = (one.a + one.size, one.b + one.size);
        if a_end < a_range.1 && b_end < b_range.1 {
            todo.push(((a_end, a_range.1), (b_end, b_range.1)));
        }
        found.push(one);
    }
    order::sort_by_key(&mut found, |one| (one.a, one.b));
    found.push(Match { a: a.len(), b: b.len(), size: 0 });
    found
}

fn changes(a: &[&str], b: &[&str]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let (mut i, mut j) = (0, 0);
    for one in matches(a, b) {
        if i < one.a || j < one.b {
            changes.push(Change { is_equal: false, a: i..one.a, b: j..one.b });
        }
        (i, j) = (one.a + one.size, one.b + one.size);
        match changes.last_mut() {
            Some(last) if last.is_equal && last.a.end == one.a && last.b.end == one.b => {
                (last.a.end, last.b.end) = (i, j);
            }
            _ if one.size > 0 => {
                changes.push(Change { is_equal: true, a: one.a..i, b: one.b..j });
            }
            _ => {}
        }
    }
    changes
}

/// The changes with their context, in one group where their contexts touch.
fn grouped(mut changes: Vec<Change>) -> Vec<Vec<Change>> {
    if let Some(first) = changes.first_mut().filter(|change| change.is_equal) {
        first.a.start = first.a.start.max(first.a.end.saturating_sub(CONTEXT));
        first.b.start = first.b.start.max(first.b.end.saturating_sub(CONTEXT));
    }
    if let Some(last) = changes.last_mut().filter(|change| change.is_equal) {
        last.a.end = last.a.end.min(last.a.start + CONTEXT);
        last.b.end = last.b.end.min(last.b.start + CONTEXT);
    }
    let (mut groups, mut group) = (Vec::new(), Vec::new());
    for mut change in changes {
        if change.is_equal && change.a.len() > 2 * CONTEXT {
            let mut tail = change.clone();
            tail.a.end = tail.a.end.min(tail.a.start + CONTEXT);
            tail.b.end = tail.b.end.min(tail.b.start + CONTEXT);
            group.push(tail);
            groups.push(core::mem::take(&mut group));
            change.a.start = change.a.end.saturating_sub(CONTEXT);
            change.b.start = change.b.end.saturating_sub(CONTEXT);
        }
        group.push(change);
    }
    let is_change = |group: &[Change]| !matches!(group, [] | [Change { is_equal: true, .. }]);
    if is_change(&group) {
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, expected: expect_test::Expect) {
        let lines = |text: &str| text.split(' ').collect::<Vec<_>>().join("\n");
        expected.assert_eq(&unified(&lines(before), &lines(after)));
    }

    #[test]
    fn a_change_stands_between_three_lines_of_context() {
        check(
            "a b c d e f g h",
            "a b c d X f g h",
            expect_test::expect![[r#"
            @@ -2,7 +2,7 @@
             b
             c
             d
            -e
            +X
             f
             g
             h
        "#]],
        );
    }

    #[test]
    fn far_changes_stand_apart() {
        check(
            "1 a b c d e f g h i j 2",
            "a b c d e f g h i j 3",
            expect_test::expect![[r#"
            @@ -1,4 +1,3 @@
            -1
             a
             b
             c
            @@ -9,4 +8,4 @@
             h
             i
             j
            -2
            +3
        "#]],
        );
    }

    #[test]
    fn equal_texts_have_no_difference() {
        check("a b", "a b", expect_test::expect![""]);
    }
}
