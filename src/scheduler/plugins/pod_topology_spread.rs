//! Pods of a kind spread over zones and nodes: as a must with `DoNotSchedule`, as a wish with
//! `ScheduleAnyway`, and as a weaker wish for the pods of every Service and workload.

use super::super::framework::Normalization;
use super::super::node_info::{HOSTNAME, Snapshot, ZONE, at};
use super::taint_toleration::repels;
use super::{Cycle, Filter, NodeInfo, Rejection, Scores};
use crate::api::node_affinity::RequiredNodes;
use crate::api::selector::{Operator, Requirement};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, Value};
use crate::base::order;
use crate::store::Store;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAME: &str = "PodTopologySpread";

/// One constraint, read.
#[derive(Clone, Debug)]
struct Constraint {
    max_skew: i64,
    topology_key: Cow<'static, str>,
    selector: Arc<Selector>,
    min_domains: usize,
    honor_affinity: bool,
    honor_taints: bool,
}

impl Constraint {
    /// Models podtopologyspread/common.go filterTopologySpreadConstraints.
    fn from_value(value: &Value, pod: &Object) -> Self {
        let policy = |key| value.str_at(&[key]);
        let mut selector =
            Selector::from_label_selector(value.at(&["labelSelector"])).unwrap_or_default();
        for key in value.items_at(&["matchLabelKeys"]).iter().filter_map(Value::as_str) {
            if let Some(value) = pod.meta.labels.get(key) {
                selector.requirements.push(Requirement {
                    key: key.to_owned(),
                    operator: Operator::In,
                    values: vec![value.to_owned()],
                });
            }
        }
        Constraint {
            max_skew: value.int_at(&["maxSkew"]).unwrap_or(1),
            topology_key: policy("topologyKey").unwrap_or_default().to_owned().into(),
            selector: Arc::new(selector),
            min_domains: value
                .int_at(&["minDomains"])
                .and_then(|domains| usize::try_from(domains).ok())
                .unwrap_or(1),
            honor_affinity: policy("nodeAffinityPolicy") != Some("Ignore"),
            honor_taints: policy("nodeTaintsPolicy") == Some("Honor"),
        }
    }

    fn counts_node(&self, cycle: &Cycle<'_>, required: &RequiredNodes, node: &NodeInfo) -> bool {
        (!self.honor_affinity || required.matches(&node.node))
            && (!self.honor_taints || !node.taints.iter().any(|t| repels(t, cycle.spec)))
    }

    /// The pods on a node that count. An empty selector counts none, as upstream.
    fn count_on(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        node.pods.iter().filter(|placed| self.counts(cycle, &placed.pod)).fold(0, |n, _| n + 1)
    }

    fn counts(&self, cycle: &Cycle<'_>, pod: &Object) -> bool {
        !self.selector.is_everything()
            && !pod.meta.is_terminating()
            && pod.meta.namespace == cycle.pod.meta.namespace
            && self.selector.matches(&pod.meta.labels)
    }
}

fn constraints(pod: &Object, action: &str) -> Vec<Constraint> {
    let tree = pod.pod().map(|facts| &facts.spec.tree);
    let all = tree.into_iter().flat_map(|tree| tree.items_at(&["topologySpreadConstraints"]));
    all.filter(|constraint| constraint.str_at(&["whenUnsatisfiable"]) == Some(action))
        .map(|constraint| Constraint::from_value(constraint, pod))
        .collect()
}

/// The constraints of a pod that must hold.
fn musts(pod: &Object) -> Vec<Constraint> {
    constraints(pod, "DoNotSchedule")
}

/// Whether a pod has constraints that must hold.
pub(super) fn has_musts(pod: &Object) -> bool {
    !musts(pod).is_empty()
}

/// Whether another pod, come or gone, counts for a pod.
pub(in super::super) fn is_counted(pod: &Object, other: &Object) -> bool {
    pod.meta.namespace == other.meta.namespace
        && musts(pod).iter().any(|must| must.selector.matches(&other.meta.labels))
}

/// Whether another pod counts where it did not, or no longer where it did.
pub(in super::super) fn counts_otherwise(pod: &Object, old: &Object, new: &Object) -> bool {
    let counts = |must: &Constraint, other: &Object| must.selector.matches(&other.meta.labels);
    pod.meta.namespace == new.meta.namespace
        && musts(pod).iter().any(|must| counts(must, old) != counts(must, new))
}

/// Whether a pod is spread over nodes that tolerate it only.
pub(in super::super) fn honors_taints(pod: &Object) -> bool {
    musts(pod).iter().any(|must| must.honor_taints)
}

/// Whether a node has all the labels that a pod is spread by.
pub(in super::super) fn has_all_keys(pod: &Object, node: &Object) -> bool {
    musts(pod).iter().all(|must| node.meta.labels.get(&must.topology_key).is_some())
}

/// Whether a node stands elsewhere now for a pod that is spread, or counts otherwise for its taints.
pub(in super::super) fn changes_domain(
    pod: &Object,
    old: &Object,
    new: &Object,
    retainted: bool,
) -> bool {
    let (before, after) = (has_all_keys(pod, old), has_all_keys(pod, new));
    let moved = |must: &Constraint| {
        let key = &*must.topology_key;
        old.meta.labels.get(key) != new.meta.labels.get(key)
    };
    before != after || after && (retainted || musts(pod).iter().any(moved))
}

/// What spreads without being asked: the pods of the same Services and the same owner.
///
/// Models podtopologyspread/plugin.go systemDefaultConstraints and plugins/helper/spread.go.
pub(in super::super) fn default_spread_selector(store: &Store, pod: &Object) -> Option<Selector> {
    let (namespace, labels) = (&pod.meta.namespace, &pod.meta.labels);
    let mut selector = Selector::default();
    for service in store.services_selecting(namespace, labels) {
        let other = Selector::from_map(service.spec().get("selector"));
        selector.requirements.extend(other.requirements);
    }
    if let Some(owner) = pod.meta.controller()
        && let Some(kind) = Kind::of_word(&owner.kind)
        && let Some(object) = store.find(kind, namespace, &owner.name)
    {
        let own = object.spec().get("selector");
        match kind {
            Kind::ReplicationController => {
                selector.requirements.extend(Selector::from_map(own).requirements);
            }
            Kind::ReplicaSet | Kind::StatefulSet => {
                let other = Selector::from_label_selector(own).unwrap_or_default();
                selector.requirements.extend(other.requirements);
            }
            _ => {}
        }
    }
    order::sort(&mut selector.requirements);
    selector.requirements.dedup();
    (!selector.is_everything()).then_some(selector)
}

fn default_constraints(cycle: &Cycle<'_>) -> Vec<Constraint> {
    let Some(selector) = cycle.spread else { return Vec::new() };
    let constraint = |topology_key, max_skew| Constraint {
        max_skew,
        topology_key: Cow::Borrowed(topology_key),
        selector: selector.clone(),
        min_domains: 1,
        honor_affinity: true,
        honor_taints: false,
    };
    vec![constraint(HOSTNAME, 3), constraint(ZONE, 5)]
}

/// The constraints that must hold.
#[derive(Clone, Debug)]
pub(super) struct Hard {
    constraints: Vec<HardConstraint>,
}

#[derive(Clone, Debug)]
struct HardConstraint {
    constraint: Constraint,
    counts_itself: bool,
    /// Matching pods by the label's value, for every value that a node in question has.
    counts: BTreeMap<String, i64>,
    required: RequiredNodes,
}

impl Hard {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Option<Box<dyn Filter>> {
        let constraints = musts(cycle.pod);
        if constraints.is_empty() {
            return None;
        }
        let keys: Vec<_> = constraints.iter().map(|c| c.topology_key.clone()).collect();
        let required = RequiredNodes::of(cycle.spec);
        let mut hard: Vec<HardConstraint> = constraints
            .into_iter()
            .map(|constraint| HardConstraint {
                counts_itself: constraint.selector.matches(&cycle.pod.meta.labels),
                constraint,
                counts: BTreeMap::new(),
                required: required.clone(),
            })
            .collect();
        for node in cycle.snapshot.nodes() {
            if !keys.iter().all(|key| node.label(key).is_some()) {
                continue;
            }
            for HardConstraint { constraint, counts, .. } in &mut hard {
                if constraint.counts_node(cycle, &required, node)
                    && let Some(value) = node.label(&constraint.topology_key)
                {
                    *counts.entry(value.to_owned()).or_default() +=
                        constraint.count_on(cycle, node);
                }
            }
        }
        Some(Box::new(Hard { constraints: hard }))
    }
}

impl Filter for Hard {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        for hard in &self.constraints {
            let Some(value) = node.label(&hard.constraint.topology_key) else {
                let reason = "node(s) didn't match pod topology spread constraints (missing \
                              required label)";
                return Err(Rejection::unresolvable(NAME, reason));
            };
            let fewest = match hard.counts.len() < hard.constraint.min_domains {
                true => 0,
                false => hard.counts.values().copied().min().unwrap_or(i64::from(i32::MAX)),
            };
            let here = hard.counts.get(value).copied().unwrap_or_default();
            if here + i64::from(hard.counts_itself) - fewest > hard.constraint.max_skew {
                let reason = "node(s) didn't match pod topology spread constraints";
                return Err(Rejection::resolvable(NAME, reason));
            }
        }
        Ok(())
    }

    fn suppose(&mut self, cycle: &Cycle<'_>, other: &Arc<Object>, node: &NodeInfo, by: i64) {
        for HardConstraint { constraint, counts, required, .. } in &mut self.constraints {
            if constraint.counts(cycle, other)
                && constraint.counts_node(cycle, required, node)
                && let Some(count) =
                    node.label(&constraint.topology_key).and_then(|value| counts.get_mut(value))
            {
                *count += by;
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// The points of the nodes at these places.
///
/// Models podtopologyspread/scoring.go.
pub(super) fn score(cycle: &Cycle<'_>, places: &[u32]) -> Option<Scores> {
    let own = !cycle.spec.tree.items_at(&["topologySpreadConstraints"]).is_empty();
    let constraints = match own {
        true => constraints(cycle.pod, "ScheduleAnyway"),
        false => default_constraints(cycle),
    };
    if constraints.is_empty() {
        return None;
    }
    let nodes = cycle.snapshot.nodes();
    let lacks_a_key =
        |node: &NodeInfo| constraints.iter().any(|c| node.label(&c.topology_key).is_none());
    let is_ignored = |place: u32| own && nodes.get(at(place)).is_none_or(|node| lacks_a_key(node));
    let kept: Cow<'_, [u32]> = match own {
        true => places.iter().copied().filter(|place| !is_ignored(*place)).collect(),
        false => Cow::Borrowed(places),
    };
    let required = RequiredNodes::of(cycle.spec);
    let mut sums = vec![0.0; kept.len()];
    for constraint in &constraints {
        let domains = Domains::of(cycle, constraint, &required, &kept, &is_ignored);
        domains.add_to(&mut sums, &kept, cycle.snapshot);
    }
    let mut sums = sums.into_iter();
    let raw = places.iter().map(|place| match is_ignored(*place) {
        true => None,
        false => sums.next().map(rounded),
    });
    Some(Scores {
        plugin: NAME,
        weight: 2,
        raw: raw.collect(),
        normalization: Normalization::Spread,
    })
}

/// How many pods count in each domain of a constraint. Nodes and zones, which every pod is spread
/// over, are known by their places.
enum Counts<'a> {
    /// By the node's place.
    Nodes(Vec<u32>),
    /// By the zone's place; `None` where no candidate is.
    Zones(Vec<Option<i64>>),
    /// By the label's value.
    Others(&'a str, BTreeMap<&'a str, i64>),
}

struct Domains<'a> {
    counts: Counts<'a>,
    /// What one pod weighs: more where there are more domains.
    weight: f64,
    max_skew: i64,
}

impl<'a> Domains<'a> {
    fn of(
        cycle: &Cycle<'a>,
        constraint: &'a Constraint,
        required: &RequiredNodes,
        kept: &[u32],
        is_ignored: &dyn Fn(u32) -> bool,
    ) -> Self {
        let on_node =
            cycle.snapshot.tally(cycle.store, &cycle.pod.meta.namespace, &constraint.selector);
        let (all, spots) = (cycle.snapshot.nodes(), cycle.snapshot.spots());
        let counts_all =
            !(constraint.honor_taints || constraint.honor_affinity && required.is_anything());
        let counts = |place: u32| {
            let node = || all.get(at(place));
            counts_all || node().is_some_and(|node| constraint.counts_node(cycle, required, node))
        };
        let placed = on_node.iter().filter(|(place, _)| !is_ignored(**place) && counts(**place));
        let placed = placed.map(|(place, count)| (*place, i64::from(*count)));
        let zone = |place: u32| spots.get(at(place))?.zone.map(at);
        let (counts, size) = match &*constraint.topology_key {
            // As upstream, the pods of a node count even where the others would not.
            HOSTNAME => {
                let mut counts = vec![0; all.len()];
                for (place, count) in on_node.iter() {
                    if let Some(slot) = counts.get_mut(at(*place)) {
                        *slot = *count;
                    }
                }
                (Counts::Nodes(counts), kept.len())
            }
            ZONE => {
                let mut counts = vec![None; cycle.snapshot.zones()];
                let mut nowhere = false;
                for place in kept {
                    match zone(*place).and_then(|zone| counts.get_mut(zone)) {
                        Some(slot) => *slot = Some(0),
                        None => nowhere = true,
                    }
                }
                for (place, count) in placed {
                    let slot = zone(place).and_then(|zone| counts.get_mut(zone));
                    if let Some(Some(slot)) = slot {
                        *slot += count;
                    }
                }
                // As upstream, candidates without the label make a domain of the empty value.
                let size = counts.iter().flatten().count() + usize::from(nowhere);
                (Counts::Zones(counts), size)
            }
            key => {
                let value = |place| all.get(at(place))?.label(key);
                let value = |place| value(place).unwrap_or_default();
                let mut counts: BTreeMap<&str, i64> =
                    kept.iter().map(|place| (value(*place), 0)).collect();
                for (place, count) in placed {
                    if let Some(slot) = counts.get_mut(value(place)) {
                        *slot += count;
                    }
                }
                let size = counts.len();
                (Counts::Others(key, counts), size)
            }
        };
        Domains { counts, weight: domain_weight(size), max_skew: constraint.max_skew }
    }

    /// Adds the points of the nodes at these places to their sums: the more pods in a node's domain the
    /// more points, of which fewer are better. A node outside of all domains gets none.
    fn add_to(&self, sums: &mut [f64], places: &[u32], snapshot: &Snapshot) {
        let (sums, spots) = (sums.iter_mut().zip(places), snapshot.spots());
        match &self.counts {
            Counts::Nodes(counts) => {
                for (sum, place) in sums {
                    let has_hostname = spots.get(at(*place)).is_some_and(|spot| spot.has_hostname);
                    if let Some(count) = counts.get(at(*place)).filter(|_| has_hostname) {
                        *sum += self.points(i64::from(*count));
                    }
                }
            }
            Counts::Zones(counts) => {
                let counts = counts.iter().map(|count| count.unwrap_or_default());
                let points: Vec<f64> = counts.map(|count| self.points(count)).collect();
                for (sum, place) in sums {
                    let zone = spots.get(at(*place)).and_then(|spot| spot.zone);
                    if let Some(points) = zone.and_then(|zone| points.get(at(zone))) {
                        *sum += points;
                    }
                }
            }
            Counts::Others(key, counts) => {
                for (sum, place) in sums {
                    let node = snapshot.nodes().get(at(*place));
                    if let Some(value) = node.and_then(|node| node.label(key)) {
                        *sum += self.points(counts.get(value).copied().unwrap_or_default());
                    }
                }
            }
        }
    }

    /// The points of a domain with so many pods.
    #[expect(clippy::cast_precision_loss, reason = "as upstream")]
    fn points(&self, count: i64) -> f64 {
        count as f64 * self.weight + (self.max_skew - 1) as f64
    }
}

#[expect(clippy::cast_precision_loss, reason = "as upstream")]
fn domain_weight(domains: usize) -> f64 {
    ((domains + 2) as f64).ln()
}

/// The nearest whole number, the larger of two; points are never negative. In this form it is no
/// call into a library for mathematics.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "as upstream")]
fn rounded(points: f64) -> i64 {
    let whole = points as i64;
    whole + i64::from(points - whole as f64 >= 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_rounded_as_the_library_for_mathematics_does() {
        let near_a_half = 0.5f64.next_down();
        for points in [0.0, near_a_half, 0.5, 1.0 - 1e-16, 1.5, 2.5, 35.835, 1e15 + 0.5] {
            assert_eq!(rounded(points), points.round() as i64, "{points}");
        }
    }
}
