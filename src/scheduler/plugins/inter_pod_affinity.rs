//! Pods near some pods and far from others, where a node label says what near means.

use super::super::affinity::{AffinityTerm, PodAffinity};
use super::super::framework::Normalization;
use super::super::node_info::PlacedPod;
use super::{Cycle, Filter, NodeInfo, Rejection, Scores};
use crate::api::Object;
use crate::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAME: &str = "InterPodAffinity";

/// Whether the pod, or any that is placed, has affinity to others.
pub(super) fn has_say(cycle: &Cycle<'_>) -> bool {
    cycle.snapshot.with_affinity().next().is_some() || PodAffinity::of(cycle.pod).is_some()
}

/// Counts by topology key and value.
type Counts = BTreeMap<(String, String), i64>;

/// The required rules, of the pod and of those that run already.
#[derive(Clone, Debug)]
pub(super) struct Required {
    own: Arc<PodAffinity>,
    /// Whether the pod fits its own affinity: the first of a group that wants to be together.
    fits_itself: bool,
    existing_anti: Counts,
    near: Counts,
    far: Counts,
}

impl Required {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Option<Box<dyn Filter>> {
        let own = Arc::new(PodAffinity::of(cycle.pod).unwrap_or_default());
        let mut state = Required {
            fits_itself: matches_all(&own.required, cycle.pod, cycle.store),
            own,
            existing_anti: Counts::new(),
            near: Counts::new(),
            far: Counts::new(),
        };
        for node in cycle.snapshot.with_affinity() {
            for placed in &node.pods {
                state.count_existing(cycle, placed.affinity.as_deref(), node, 1);
            }
        }
        let has_own = !state.own.required.is_empty() || !state.own.required_anti.is_empty();
        if has_own {
            for node in cycle.snapshot.nodes() {
                for placed in &node.pods {
                    state.count_own(cycle, &placed.pod, node, 1);
                }
            }
        }
        (has_own || !state.existing_anti.is_empty()).then(|| Box::new(state) as Box<dyn Filter>)
    }

    fn count_existing(
        &mut self,
        cycle: &Cycle<'_>,
        theirs: Option<&PodAffinity>,
        node: &NodeInfo,
        by: i64,
    ) {
        for term in theirs.into_iter().flat_map(|affinity| &affinity.required_anti) {
            if term.matches(cycle.pod, cycle.store) {
                count(&mut self.existing_anti, term, node, by);
            }
        }
    }

    fn count_own(&mut self, cycle: &Cycle<'_>, other: &Object, node: &NodeInfo, by: i64) {
        if matches_all(&self.own.required, other, cycle.store) {
            for term in &self.own.required {
                count(&mut self.near, term, node, by);
            }
        }
        for term in &self.own.required_anti {
            if term.matches(other, cycle.store) {
                count(&mut self.far, term, node, by);
            }
        }
    }

    fn is_near(&self, node: &NodeInfo) -> bool {
        let labels: Option<Vec<&str>> =
            self.own.required.iter().map(|term| node.label(&term.topology_key)).collect();
        let Some(labels) = labels else { return false };
        let near = self
            .own
            .required
            .iter()
            .zip(labels)
            .all(|(term, value)| count_at(&self.near, &term.topology_key, value) > 0);
        near || self.near.is_empty() && self.fits_itself
    }
}

fn matches_all(terms: &[AffinityTerm], pod: &Object, store: &Store) -> bool {
    !terms.is_empty() && terms.iter().all(|term| term.matches(pod, store))
}

/// Whether a pod must be near another one.
pub(in super::super) fn is_wanted(store: &Store, pod: &Object, other: &Object) -> bool {
    PodAffinity::of(pod).is_some_and(|own| matches_all(&own.required, other, store))
}

/// Whether a pod must be near another one now, or may.
pub(in super::super) fn is_wanted_now(
    store: &Store,
    pod: &Object,
    old: &Object,
    new: &Object,
) -> bool {
    let Some(own) = PodAffinity::of(pod) else { return false };
    let (near, far) = (&own.required, &own.required_anti);
    !matches_all(near, old, store) && matches_all(near, new, store)
        || matches_all(far, old, store) && !matches_all(far, new, store)
}

/// Whether a pod and another one must be far from each other.
pub(in super::super) fn is_unwanted(store: &Store, pod: &Object, other: &Object) -> bool {
    let avoids = |one: &Object, another: &Object| {
        PodAffinity::of(one).is_some_and(|own| matches_all(&own.required_anti, another, store))
    };
    avoids(pod, other) || avoids(other, pod)
}

/// Whether a new or changed node stands elsewhere now in the sense of a pod's affinity.
pub(in super::super) fn changes_domain(pod: &Object, old: Option<&Object>, new: &Object) -> bool {
    let Some(own) = PodAffinity::of(pod) else { return false };
    let label = |node: &Object, key: &str| node.meta.labels.get(key).map(str::to_owned);
    let before = |key: &str| old.and_then(|old| label(old, key));
    let comes_near = |term: &AffinityTerm| {
        let (before, after) = (before(&term.topology_key), label(new, &term.topology_key));
        after.is_some() && before != after
    };
    let goes_far = |term: &AffinityTerm| {
        let (before, after) = (before(&term.topology_key), label(new, &term.topology_key));
        old.is_none() || before.is_some() && before != after
    };
    own.required.iter().any(comes_near) || own.required_anti.iter().any(goes_far)
}

fn count(counts: &mut Counts, term: &AffinityTerm, node: &NodeInfo, by: i64) {
    let Some(value) = node.label(&term.topology_key) else { return };
    let key = (term.topology_key.clone(), value.to_owned());
    let entry = counts.entry(key.clone()).or_default();
    *entry += by;
    if *entry == 0 {
        counts.remove(&key);
    }
}

fn count_at(counts: &Counts, key: &str, value: &str) -> i64 {
    counts.get(&(key.to_owned(), value.to_owned())).copied().unwrap_or_default()
}

impl Filter for Required {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if !self.is_near(node) {
            return Err(Rejection::unresolvable(NAME, "node(s) didn't match pod affinity rules"));
        }
        let far = &self.own.required_anti;
        let too_near = |term: &AffinityTerm| {
            let value = node.label(&term.topology_key);
            value.is_some_and(|value| count_at(&self.far, &term.topology_key, value) > 0)
        };
        if far.iter().any(too_near) {
            let reason = "node(s) didn't match pod anti-affinity rules";
            return Err(Rejection::resolvable(NAME, reason));
        }
        let unwanted = self.existing_anti.iter();
        if unwanted.filter(|(_, count)| **count > 0).any(|((k, v), _)| node.label(k) == Some(v)) {
            let reason = "node(s) didn't satisfy existing pods anti-affinity rules";
            return Err(Rejection::resolvable(NAME, reason));
        }
        Ok(())
    }

    fn suppose(&mut self, cycle: &Cycle<'_>, other: &Arc<Object>, node: &NodeInfo, by: i64) {
        let theirs = PodAffinity::of(other);
        self.count_existing(cycle, theirs.as_ref(), node, by);
        self.count_own(cycle, other, node, by);
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// The preferred rules, of the pod and of those that run already.
pub(super) fn score(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Option<Scores> {
    let own = PodAffinity::of(cycle.pod).unwrap_or_default();
    let mut points = Counts::new();
    let mut add = |term: &AffinityTerm, pod: &Object, node: &NodeInfo, weight: i64| {
        if let Some(value) = node.label(&term.topology_key)
            && term.matches(pod, cycle.store)
        {
            *points.entry((term.topology_key.clone(), value.to_owned())).or_default() += weight;
        }
    };
    let has_own = !own.preferred.is_empty() || !own.preferred_anti.is_empty();
    if has_own {
        for node in cycle.snapshot.nodes() {
            for PlacedPod { pod, .. } in &node.pods {
                own.preferred.iter().for_each(|(weight, term)| add(term, pod, node, *weight));
                own.preferred_anti.iter().for_each(|(weight, term)| add(term, pod, node, -weight));
            }
        }
    }
    for node in cycle.snapshot.with_affinity() {
        for theirs in node.pods.iter().filter_map(|placed| placed.affinity.as_ref()) {
            let pod = cycle.pod;
            theirs.required.iter().for_each(|term| add(term, pod, node, 1));
            theirs.preferred.iter().for_each(|(weight, term)| add(term, pod, node, *weight));
            theirs.preferred_anti.iter().for_each(|(weight, term)| add(term, pod, node, -weight));
        }
    }
    if points.is_empty() {
        return None;
    }
    let sum = |node: &&Arc<NodeInfo>| {
        let here = points.iter().filter(|((key, value), _)| node.label(key) == Some(value));
        here.map(|(_, points)| points).sum::<i64>()
    };
    Some(Scores {
        plugin: NAME,
        weight: 2,
        raw: nodes.iter().map(|node| Some(sum(node))).collect(),
        normalization: Normalization::Range,
    })
}
