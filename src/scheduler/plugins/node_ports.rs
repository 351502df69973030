//! A port of a node belongs to one pod at a time.

use super::{Cycle, Filter, NodeInfo, Rejection};
use crate::api::PodSpec;
use crate::api::pod::HostPort;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(super) struct NodePorts(Arc<PodSpec>);

impl NodePorts {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Option<Box<dyn Filter>> {
        if cycle.spec.host_ports.is_empty() {
            return None;
        }
        Some(Box::new(NodePorts(cycle.spec.clone())))
    }
}

/// Models staging/src/k8s.io/kube-scheduler/framework HostPortInfo.CheckConflict.
fn conflict(a: &HostPort, b: &HostPort) -> bool {
    let any = "0.0.0.0";
    a.protocol == b.protocol && a.port == b.port && (a.ip == b.ip || a.ip == any || b.ip == any)
}

/// Whether two pods want a port of the same node.
pub(in super::super) fn ports_conflict(one: &PodSpec, other: &PodSpec) -> bool {
    one.host_ports.iter().any(|port| other.host_ports.iter().any(|taken| conflict(port, taken)))
}

impl Filter for NodePorts {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        let taken = |port: &HostPort| node.host_ports.iter().any(|other| conflict(port, other));
        if self.0.host_ports.iter().any(taken) {
            let reason = "node(s) didn't have free ports for the requested pod ports";
            return Err(Rejection::resolvable("NodePorts", reason));
        }
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
