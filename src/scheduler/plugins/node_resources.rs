//! What a pod asks for must be free; nodes with more left, and better balanced, are better.
//!
//! Floating point as upstream has it, in the same order of operations; what it decides is cut to
//! whole numbers before it counts.

use super::super::framework::{MAX_NODE_SCORE, Normalization};
use super::{Cycle, Filter, NodeInfo, Rejection, Scores};
use crate::api::PodSpec;
use crate::api::pod::Resources;
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

/// Models noderesources/least_allocated.go.
pub(super) fn score_fit(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Scores {
    let asked = &cycle.spec.scored_requests;
    let left = |asked: i64, used: i64, offered: i64| {
        let total = asked + used;
        match offered {
            0 => None,
            _ if total > offered => Some(0),
            _ => Some((offered - total) * MAX_NODE_SCORE / offered),
        }
    };
    let points = |node: &&Arc<NodeInfo>| {
        let (used, offered) = (&node.scored_requested, &node.allocatable);
        let cpu = left(asked.milli_cpu, used.milli_cpu, offered.milli_cpu);
        let memory = left(asked.memory, used.memory, offered.memory);
        match (cpu, memory) {
            (Some(cpu), Some(memory)) => (cpu + memory) / 2,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => 0,
        }
    };
    Scores {
        plugin: NAME,
        weight: 1,
        raw: nodes.iter().map(|node| Some(points(node))).collect(),
        normalization: Normalization::None,
    }
}

/// Models noderesources/balanced_allocation.go. Pods that ask for nothing are not scored.
pub(super) fn score_balance(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Option<Scores> {
    let asked = &cycle.spec.requests;
    if asked.milli_cpu == 0 && asked.memory == 0 {
        return None;
    }
    let points = |node: &&Arc<NodeInfo>| {
        let (used, offered) = (&node.requested, &node.allocatable);
        let with = balance(used.milli_cpu + asked.milli_cpu, used.memory + asked.memory, offered);
        let without = balance(used.milli_cpu, used.memory, offered);
        MAX_NODE_SCORE / 2 + (MAX_NODE_SCORE / 2 + with - without) / 2
    };
    Some(Scores {
        plugin: "NodeResourcesBalancedAllocation",
        weight: 1,
        raw: nodes.iter().map(|node| Some(points(node))).collect(),
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
