//! A pod whose specification names a node goes there or nowhere.

use super::{Cycle, Filter, NodeInfo, Rejection};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(super) struct NodeName(Arc<str>);

impl NodeName {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Option<Box<dyn Filter>> {
        let wanted = cycle.pod.pod()?.node_name.clone()?;
        Some(Box::new(NodeName(wanted)))
    }
}

impl Filter for NodeName {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if *node.name() != self.0 {
            let reason = "node(s) didn't match the requested node name";
            return Err(Rejection::unresolvable("NodeName", reason));
        }
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
