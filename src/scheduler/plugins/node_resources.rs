//! What a pod asks for must be free; nodes with more left, and better balanced, are better.
//!
//! Floating point as upstream has it, in the same order of operations; what it decides is cut to
//! whole numbers before it counts.

use super::super::framework::{MAX_NODE_SCORE, Normalization};
use super::{Cycle, Filter, NodeInfo, Rejection, Scores};
use crate::api::pod::{Resources, quantity_of};
use crate::api::tree::Tree as _;
use crate::api::{Object, PodSpec};
use std::borrow::Cow;
use std::sync::Arc;

const NAME: &str = "NodeResourcesFit";

#[derive(Clone, Debug)]
pub(super) struct Fit(Arc<PodSpec>);

impl Fit {
    pub(super) fn new(cycle: &Cycle<'_>) -> Self {
        Fit(cycle.spec.clone())
    }
}

impl Filter for Fit {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        let mut rejection = Rejection { plugin: NAME, reasons: Vec::new(), unresolvable: false };
        let pods = i64::try_from(node.pods.len()).unwrap_or(i64::MAX);
        if pods >= node.pods_allowed {
            rejection.reasons.push(Cow::Borrowed("Too many pods"));
        }
        let (asked, offered, used) = (&self.0.requests, &node.allocatable, &node.requested);
        let mut check = |reason: Cow<'static, str>, asked: i64, offered: i64, used: i64| {
            if asked > 0 && asked > offered - used {
                rejection.reasons.push(reason);
                rejection.unresolvable |= asked > offered;
            }
        };
        check("Insufficient cpu".into(), asked.milli_cpu, offered.milli_cpu, used.milli_cpu);
        check("Insufficient memory".into(), asked.memory, offered.memory, used.memory);
        let storage = |resources: &Resources| resources.ephemeral_storage;
        let reason = "Insufficient ephemeral-storage".into();
        check(reason, storage(asked), storage(offered), storage(used));
        for (name, amount) in &asked.others {
            let of = |resources: &Resources| resources.others.get(name).copied().unwrap_or(0);
            if *amount > 0 && *amount > of(offered) - of(used) {
                check(format!("Insufficient {name}").into(), *amount, of(offered), of(used));
            }
        }
        if rejection.reasons.is_empty() { Ok(()) } else { Err(rejection) }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// What a node offers.
fn offer(node: &Object) -> Resources {
    Resources::from_value(node.status().at(&["allocatable"]))
}

/// Each resource that a pod asks for, with how much of it a node offers.
fn asked_and_offered(spec: &PodSpec, offered: &Resources) -> Vec<(i64, i64)> {
    let asked = &spec.requests;
    let others = asked
        .others
        .iter()
        .map(|(name, amount)| (*amount, offered.others.get(name).copied().unwrap_or_default()));
    [
        (asked.milli_cpu, offered.milli_cpu),
        (asked.memory, offered.memory),
        (asked.ephemeral_storage, offered.ephemeral_storage),
    ]
    .into_iter()
    .chain(others)
    .filter(|(asked, _)| *asked > 0)
    .collect()
}

/// Whether a pod would fit an empty node. Models noderesources/fit.go isFit.
pub(in super::super) fn fits_when_empty(spec: &PodSpec, node: &Object) -> bool {
    asked_and_offered(spec, &offer(node)).iter().all(|(asked, offered)| asked <= offered)
}

/// Whether a node offers more of something that a pod asks for, or takes more pods.
///
/// Models noderesources/fit.go haveAnyRequestedResourcesIncreased.
pub(in super::super) fn grew(spec: &PodSpec, old: &Object, new: &Object) -> bool {
    let pods = |node: &Object| {
        let count = node.status().at(&["allocatable", "pods"]);
        count.and_then(quantity_of).map_or(0, |quantity| quantity.value())
    };
    let amounts = |node: &Object| asked_and_offered(spec, &offer(node)).into_iter();
    pods(new) > pods(old) || amounts(old).zip(amounts(new)).any(|(old, new)| new.1 > old.1)
}

/// Models noderesources/least_allocated.go. Its scorer is made without the word that pods may ask
/// for resources as a whole (fit.go nodeResourceStrategyTypeMap), so it does not see them.
pub(super) fn fit_points(spec: &PodSpec, node: &NodeInfo) -> i64 {
    let left = |asked: i64, used: i64, offered: i64| {
        let total = asked + used;
        match offered {
            0 => None,
            _ if total > offered => Some(0),
            _ => Some((offered - total) * MAX_NODE_SCORE / offered),
        }
    };
    let (asked, used) = (&spec.scored_of_containers, &node.scored_requested);
    let offered = &node.allocatable;
    let cpu = left(asked.milli_cpu, used.milli_cpu, offered.milli_cpu);
    let memory = left(asked.memory, used.memory, offered.memory);
    match (cpu, memory) {
        (Some(cpu), Some(memory)) => (cpu + memory) / 2,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => 0,
    }
}

pub(super) fn score_fit(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Scores {
    Scores {
        plugin: NAME,
        weight: 1,
        raw: nodes.iter().map(|node| Some(fit_points(cycle.spec, node))).collect(),
        normalization: Normalization::None,
    }
}

/// Models noderesources/balanced_allocation.go. Pods that ask for nothing are not scored.
pub(super) fn balance_points(spec: &PodSpec, node: &NodeInfo) -> Option<i64> {
    let asked = &spec.requests;
    if asked.milli_cpu == 0 && asked.memory == 0 {
        return None;
    }
    let (used, offered) = (&node.requested, &node.allocatable);
    let with = balance(used.milli_cpu + asked.milli_cpu, used.memory + asked.memory, offered);
    let without = balance(used.milli_cpu, used.memory, offered);
    Some(MAX_NODE_SCORE / 2 + (MAX_NODE_SCORE / 2 + with - without) / 2)
}

pub(super) fn score_balance(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Option<Scores> {
    let raw: Vec<_> = nodes.iter().map(|node| balance_points(cycle.spec, node)).collect();
    raw.iter().any(Option::is_some).then_some(Scores {
        plugin: "NodeResourcesBalancedAllocation",
        weight: 1,
        raw,
        normalization: Normalization::None,
    })
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as upstream")]
fn balance(cpu: i64, memory: i64, offered: &Resources) -> i64 {
    let fraction = |used: i64, offered: i64| (used as f64 / offered as f64).min(1.0);
    let deviation = match (offered.milli_cpu, offered.memory) {
        (0, _) | (_, 0) => 0.0,
        (all_cpu, all_memory) => {
            ((fraction(cpu, all_cpu) - fraction(memory, all_memory)) / 2.0).abs()
        }
    };
    ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
}
