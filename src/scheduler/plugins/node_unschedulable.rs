//! Cordoned nodes take no pods but those that tolerate it.

use super::{Cycle, Filter, NodeInfo, Rejection};
use crate::api::PodSpec;
use crate::api::pod::{Effect, Taint};

#[derive(Clone, Copy, Debug)]
pub(super) struct NodeUnschedulable {
    tolerated: bool,
}

impl NodeUnschedulable {
    pub(super) fn new(cycle: &Cycle<'_>) -> Self {
        NodeUnschedulable { tolerated: tolerates_cordon(cycle.spec) }
    }
}

/// Whether a pod tolerates cordoned nodes.
pub(in super::super) fn tolerates_cordon(spec: &PodSpec) -> bool {
    let taint = Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        value: String::new(),
        effect: Effect::NoSchedule,
    };
    spec.tolerations.iter().any(|toleration| toleration.tolerates(&taint))
}

impl Filter for NodeUnschedulable {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if node.unschedulable && !self.tolerated {
            let reason = "node(s) were unschedulable";
            return Err(Rejection::unresolvable("NodeUnschedulable", reason));
        }
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(*self)
    }
}
