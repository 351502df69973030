//! `{1..3}` and `{a,b}`, which bash makes several words of before all else.

use super::step::{Part, Word};

/// No more words than this.
const MOST: usize = 1000;

/// The words that a word stands for, each with what stands around the braces.
pub(in crate::container) fn braces(word: &Word) -> Vec<Word> {
    let mut done = Vec::new();
    let mut open = vec![word.clone()];
    while let Some(word) = open.pop() {
        match alternatives(&word) {
            Some(all) if open.len() + done.len() < MOST => open.extend(all.into_iter().rev()),
            _ => done.push(word),
        }
    }
    done
}

/// A word once for each of what its first braces hold; `None` if it has none.
fn alternatives(word: &Word) -> Option<Vec<Word>> {
    let split = |text: &str| {
        let (before, rest) = text.split_once('{')?;
        let (inside, after) = rest.split_once('}')?;
        Some((before.to_owned(), list(inside)?, after.to_owned()))
    };
    let (place, (before, all, after)) =
        word.iter().enumerate().find_map(|(place, part)| match part {
            Part::Text(text) => Some((place, split(text)?)),
            _ => None,
        })?;
    let whole = |one: String| {
        let mut whole = word.clone();
        if let Some(part) = whole.get_mut(place) {
            *part = Part::Text(format!("{before}{one}{after}"));
        }
        whole
    };
    Some(all.into_iter().map(whole).collect())
}

/// What braces stand for; `None` if they are but braces.
fn list(inside: &str) -> Option<Vec<String>> {
    if let Some((from, to)) = inside.split_once("..") {
        let (from, to): (i64, i64) = (from.parse().ok()?, to.parse().ok()?);
        let step = if from <= to { 1 } else { -1 };
        let numbers = core::iter::successors(Some(from), |number| {
            number.checked_add(step).filter(|_| *number != to)
        });
        return Some(numbers.take(MOST).map(|number| number.to_string()).collect());
    }
    inside.contains(',').then(|| inside.split(',').map(str::to_owned).collect())
}
