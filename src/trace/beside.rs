//! The same request under two settings, hop beside hop.

use super::hop::{Hop, PacketTrace, Place};
use core::fmt::Write as _;
use std::sync::Arc;

/// A request's way, and its way under another setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// As things are.
    pub left: Arc<PacketTrace>,
    /// With the other setting.
    pub right: Arc<PacketTrace>,
    /// The hops, those at the same place in the same row.
    pub rows: Vec<Row>,
}

/// A row of a comparison: the number of a hop on each side, from 0, if that side has one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The hop on the left.
    pub left: Option<usize>,
    /// The hop on the right.
    pub right: Option<usize>,
}

/// Puts two ways beside each other: as many hops as possible in rows with one at the same place.
pub fn side_by_side(left: Arc<PacketTrace>, right: Arc<PacketTrace>) -> Comparison {
    let rows = rows(&stations(&left.hops), &stations(&right.hops));
    Comparison { left, right, rows }
}

/// Where hops are, as far as it is the same whatever kube-proxy writes: not in which chain.
fn stations(hops: &[Hop]) -> Vec<(String, bool)> {
    let station = |hop: &Hop| match &hop.place {
        Place::Rule(node, rule) => format!("{node} {}", rule.hook.name()),
        // The nodes' kernels are asked in either way.
        Place::VirtualServer(node, _) | Place::Node(node) => format!("{node} {}", what(hop)),
        place => place.to_string(),
    };
    hops.iter().map(|hop| (station(hop), hop.is_reply)).collect()
}

/// What a node itself does with a packet.
fn what(hop: &Hop) -> String {
    let text = hop.reason.to_string();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// The longest common subsequence of both, and what is on one side alone between it.
fn rows<T: PartialEq>(left: &[T], right: &[T]) -> Vec<Row> {
    // How many of the hops from here on can be in common rows.
    let width = right.len() + 1;
    let mut common = vec![0_u32; (left.len() + 1) * width];
    let at = |i: usize, j: usize| i * width + j;
    let read = |common: &[u32], i: usize, j: usize| common.get(at(i, j)).copied().unwrap_or(0);
    for (i, one) in left.iter().enumerate().rev() {
        for (j, other) in right.iter().enumerate().rev() {
            let best = match one == other {
                true => read(&common, i + 1, j + 1) + 1,
                false => read(&common, i + 1, j).max(read(&common, i, j + 1)),
            };
            if let Some(place) = common.get_mut(at(i, j)) {
                *place = best;
            }
        }
    }
    let (mut rows, mut i, mut j) = (Vec::with_capacity(left.len().max(right.len())), 0, 0);
    while i < left.len() || j < right.len() {
        let same = left.get(i).is_some_and(|one| right.get(j) == Some(one));
        let is_left = i < left.len()
            && (j >= right.len() || read(&common, i + 1, j) >= read(&common, i, j + 1));
        let row = match (same, is_left) {
            (true, _) => Row { left: Some(i), right: Some(j) },
            (false, true) => Row { left: Some(i), right: None },
            (false, false) => Row { left: None, right: Some(j) },
        };
        i += usize::from(row.left.is_some());
        j += usize::from(row.right.is_some());
        rows.push(row);
    }
    rows
}

impl Comparison {
    /// The comparison as text: what is on the left alone after `-`, on the right alone after `+`,
    /// at the same place on both sides after nothing, and once where both hops are the same.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let hop = |trace: &PacketTrace, place: Option<usize>| {
            trace.hops.get(place?).map(|hop| hop.brief())
        };
        for row in &self.rows {
            match (hop(&self.left, row.left), hop(&self.right, row.right)) {
                (Some(left), Some(right)) if left == right => {
                    let _ = writeln!(out, "  {left}");
                }
                (left, right) => {
                    for (sign, text) in [('-', left), ('+', right)] {
                        if let Some(text) = text {
                            let _ = writeln!(out, "{sign} {text}");
                        }
                    }
                }
            }
        }
        for (sign, trace) in [('-', &self.left), ('+', &self.right)] {
            let (outcome, examined, hops) = (&trace.outcome, trace.examined, trace.hops.len());
            let _ = writeln!(out, "{sign} = {outcome} ({hops} hops, {examined} rules examined)");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_is_in_one_row_and_the_rest_keeps_its_order() {
        let left = ["client", "prerouting", "prerouting", "route", "pod"];
        let right = ["client", "prerouting", "route", "ipvs", "pod"];
        let text = rows(&left, &right).into_iter().map(|row| {
            let word = |all: &[&'static str], place: Option<usize>| place.map_or("", |at| all[at]);
            format!("{}|{}", word(&left, row.left), word(&right, row.right))
        });
        let expected = [
            "client|client",
            "prerouting|prerouting",
            "prerouting|",
            "route|route",
            "|ipvs",
            "pod|pod",
        ];
        assert_eq!(text.collect::<Vec<_>>(), expected);
    }
}
