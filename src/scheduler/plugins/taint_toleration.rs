//! Taints keep away the pods that do not tolerate them; `PreferNoSchedule` only costs points.

use super::super::framework::Normalization;
use super::{Cycle, Filter, NodeInfo, Rejection, Scores};
use crate::api::PodSpec;
use crate::api::pod::{Effect, Taint};
use std::sync::Arc;

const NAME: &str = "TaintToleration";
pub(super) const WEIGHT: i64 = 3;

#[derive(Clone, Debug)]
pub(super) struct TaintToleration {
    spec: Arc<PodSpec>,
}

impl TaintToleration {
    pub(super) fn new(cycle: &Cycle<'_>) -> Self {
        TaintToleration { spec: cycle.spec.clone() }
    }
}

/// Whether a taint keeps the pod of this specification away.
pub(in super::super) fn repels(taint: &Taint, spec: &PodSpec) -> bool {
    taint.effect != Effect::PreferNoSchedule && !tolerated(taint, spec)
}

fn tolerated(taint: &Taint, spec: &PodSpec) -> bool {
    spec.tolerations.iter().any(|toleration| toleration.tolerates(taint))
}

impl Filter for TaintToleration {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if node.taints.iter().any(|taint| repels(taint, &self.spec)) {
            return Err(Rejection::unresolvable(NAME, "node(s) had untolerated taint(s)"));
        }
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// How many soft taints of a node the pod does not tolerate.
pub(super) fn points(spec: &PodSpec, node: &NodeInfo) -> i64 {
    let soft = node.taints.iter().filter(|taint| taint.effect == Effect::PreferNoSchedule);
    soft.filter(|taint| !tolerated(taint, spec)).fold(0, |count, _| count + 1)
}

pub(super) fn score(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Scores {
    Scores {
        plugin: NAME,
        weight: WEIGHT,
        raw: nodes.iter().map(|node| Some(points(cycle.spec, node))).collect(),
        normalization: Normalization::Reversed,
    }
}
