//! What a plugin is: it refuses nodes, or gives them points, or both.
//!
//! Models staging/src/k8s.io/kube-scheduler/framework/interface.go, with the plugins of the default
//! profile (pkg/scheduler/apis/config/v1/default_plugins.go) in their order.

use super::node_info::{NodeInfo, Snapshot};
use crate::api::{Object, PodSpec, Selector};
use crate::store::Store;
use std::borrow::Cow;
use std::sync::Arc;

/// The most points a plugin gives a node before its weight.
pub(super) const MAX_NODE_SCORE: i64 = 100;

/// What a plugin may look at for one pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cycle<'a> {
    /// The pod that needs a node.
    pub pod: &'a Arc<Object>,
    /// Its specification.
    pub spec: &'a Arc<PodSpec>,
    /// Nodes and what runs on them.
    pub snapshot: &'a Snapshot,
    /// Everything else.
    pub store: &'a Store,
    /// Which pods it is spread among without having asked for it.
    pub spread: Option<&'a Arc<Selector>>,
}

/// A plugin's no to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Who says no.
    pub plugin: &'static str,
    /// Why, in the words that end up in the event.
    pub reasons: Vec<Cow<'static, str>>,
    /// Whether removing other pods could not help either.
    pub unresolvable: bool,
}

impl Rejection {
    /// A no that removing other pods could turn into a yes.
    pub fn resolvable(plugin: &'static str, reason: &'static str) -> Self {
        Rejection { plugin, reasons: vec![Cow::Borrowed(reason)], unresolvable: false }
    }

    /// A no for good.
    pub fn unresolvable(plugin: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Rejection { plugin, reasons: vec![reason.into()], unresolvable: true }
    }
}

/// A plugin that refuses nodes, prepared for one pod.
pub(super) trait Filter {
    /// Whether the pod may go on the node.
    ///
    /// # Errors
    /// The plugin's no.
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection>;

    /// Takes note that a pod would be on a node (or, with -1, would no longer be): preemption asks
    /// what if.
    fn suppose(&mut self, _cycle: &Cycle<'_>, _other: &Arc<Object>, _node: &NodeInfo, _by: i64) {}

    /// A copy for what-if questions.
    fn boxed_clone(&self) -> Box<dyn Filter>;
}

/// How a plugin's raw points become 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// They are already.
    None,
    /// In proportion to the best.
    Highest,
    /// In proportion to the best, where fewer raw points are better.
    Reversed,
    /// From the fewest to the most.
    Range,
    /// As few as possible, but above 0 for the worst (topology spread).
    Spread,
}

impl Normalization {
    /// One node's points, where all have from `fewest` to `most`.
    ///
    /// Models pkg/scheduler/framework/plugins/helper/normalize_score.go and the NormalizeScore of
    /// podtopologyspread and interpodaffinity.
    pub(super) fn of(self, points: i64, fewest: i64, most: i64) -> i64 {
        match self {
            Normalization::None => points,
            Normalization::Highest if most <= 0 => points,
            Normalization::Highest => MAX_NODE_SCORE * points / most,
            Normalization::Reversed if most <= 0 => MAX_NODE_SCORE,
            Normalization::Reversed => MAX_NODE_SCORE - MAX_NODE_SCORE * points / most,
            Normalization::Range if most == fewest => 0,
            Normalization::Range => range_score(points, fewest, most),
            Normalization::Spread if most <= 0 => MAX_NODE_SCORE,
            Normalization::Spread => MAX_NODE_SCORE * (most + fewest - points) / most,
        }
    }
}

/// A plugin's points for the nodes that passed.
#[derive(Clone, Debug)]
pub struct Scores {
    /// The plugin.
    pub plugin: &'static str,
    /// Its weight in the default profile.
    pub weight: i64,
    /// Raw points in the order of the nodes; `None` for a node it has no opinion on.
    pub raw: Vec<Option<i64>>,
    /// How raw points are normalized.
    pub normalization: Normalization,
}

impl Scores {
    /// Adds the weighted points to the totals of the nodes.
    pub(super) fn add_to(&self, totals: &mut [i64]) {
        for (total, points) in totals.iter_mut().zip(self.normalized()) {
            *total += points * self.weight;
        }
    }

    /// Points from 0 to 100 in the order of the nodes.
    pub fn normalized(&self) -> impl Iterator<Item = i64> {
        let known = || self.raw.iter().flatten().copied();
        let most = known().max().unwrap_or_default();
        let fewest = known().min().unwrap_or_default();
        let one = move |points| self.normalization.of(points, fewest, most);
        // Many nodes have the same few points, and a division is dear.
        let few = usize::try_from(most - fewest).is_ok_and(|span| span < self.raw.len());
        let known: Vec<i64> = if few { (fewest..=most).map(one).collect() } else { Vec::new() };
        let of = move |points: i64| {
            let place = usize::try_from(points - fewest).ok();
            place.and_then(|place| known.get(place).copied()).unwrap_or_else(|| one(points))
        };
        self.raw.iter().map(move |points| points.map_or(0, &of))
    }
}

/// Kubernetes computes this in floating point and cuts off; so do we, in the same order.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as upstream")]
fn range_score(points: i64, fewest: i64, most: i64) -> i64 {
    (MAX_NODE_SCORE as f64 * ((points - fewest) as f64 / (most - fewest) as f64)) as i64
}
