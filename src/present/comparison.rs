//! Two tellings of the same request side by side, and what differs.

use super::chapter::Chapter;
use super::story::{Story, story};
use crate::session::compare::Change;
use crate::text::{Lang, Text};
use crate::trace::PacketTrace;

/// Two requests side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// How it is now: `externalTrafficPolicy: Cluster`.
    pub now: String,
    /// How it would be.
    pub then: String,
    /// What is counted: its name, now, then.
    pub facts: Vec<(Text, String, String)>,
    /// The chapters, those that correspond beside each other.
    pub rows: Vec<Row>,
}

/// Two chapters that correspond, or one that the other side does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Now.
    pub now: Option<Chapter>,
    /// Then.
    pub then: Option<Chapter>,
}

impl Row {
    /// Whether the sides differ.
    pub fn differs(&self) -> bool {
        let told = |one: &Option<Chapter>| {
            one.as_ref().map(|chapter| (chapter.title.clone(), chapter.sentence.clone()))
        };
        told(&self.now) != told(&self.then)
    }
}

/// Compares a request with the same one under a change.
#[inline(never)]
pub fn comparison(now: &Story, change: &Change, other: &PacketTrace, lang: Lang) -> Comparison {
    let then = story(other, lang);
    let facts = vec![
        (Text::CompareOutcome, now.verdict.clone(), then.verdict.clone()),
        (Text::CompareSees, now.sees.clone(), then.sees.clone()),
        (Text::CompareHops, now.hops.len().to_string(), then.hops.len().to_string()),
        (Text::CompareRules, now.examined.to_string(), then.examined.to_string()),
    ];
    let rows = align(&now.chapters, &then.chapters);
    Comparison { now: change.now(), then: change.then(), facts, rows }
}

/// Puts the chapters that are about the same beside each other: the longest common sequence.
fn align(now: &[Chapter], then: &[Chapter]) -> Vec<Row> {
    let same = |a: &Chapter, b: &Chapter| a.scene == b.scene && a.is_reply == b.is_reply;
    let width = then.len() + 1;
    let mut common = vec![0_usize; (now.len() + 1) * width];
    let at = |common: &[usize], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in now.iter().enumerate().rev() {
        for (j, b) in then.iter().enumerate().rev() {
            let best = match same(a, b) {
                true => at(&common, i + 1, j + 1) + 1,
                false => at(&common, i + 1, j).max(at(&common, i, j + 1)),
            };
            if let Some(cell) = common.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut rows) = (0, 0, Vec::new());
    loop {
        let (a, b) = (now.get(i), then.get(j));
        let (takes_now, takes_then) = match (a, b) {
            (None, None) => return rows,
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(a), Some(b)) if same(a, b) => (true, true),
            _ if at(&common, i + 1, j) >= at(&common, i, j + 1) => (true, false),
            _ => (false, true),
        };
        rows.push(Row {
            now: a.filter(|_| takes_now).cloned(),
            then: b.filter(|_| takes_then).cloned(),
        });
        i += usize::from(takes_now);
        j += usize::from(takes_then);
    }
}
