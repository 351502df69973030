//! `nodeSelector` and node affinity, required and preferred.

use super::super::framework::Normalization;
use super::{Cycle, Filter, NodeInfo, Rejection, Scores};
use crate::api::node_affinity::{RequiredNodes, preferred_node_score};
use std::sync::Arc;

const NAME: &str = "NodeAffinity";

#[derive(Clone, Debug)]
pub(super) struct NodeAffinity(RequiredNodes);

impl NodeAffinity {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Result<Option<Box<dyn Filter>>, Rejection> {
        let required = RequiredNodes::of(cycle.spec);
        if !required.is_anything() {
            return Ok(None);
        }
        if required.names().is_some_and(|names| names.is_empty()) {
            let reason = "pod affinity terms conflict";
            return Err(Rejection::unresolvable(NAME, reason));
        }
        Ok(Some(Box::new(NodeAffinity(required))))
    }
}

pub(super) fn wanted_names(cycle: &Cycle<'_>) -> Option<Vec<String>> {
    cycle.spec.tree.get("affinity")?;
    RequiredNodes::of(cycle.spec).names()
}

impl Filter for NodeAffinity {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if !self.0.matches(&node.node) {
            let reason = "node(s) didn't match Pod's node affinity/selector";
            return Err(Rejection::unresolvable(NAME, reason));
        }
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

pub(super) fn score(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Option<Scores> {
    let points = preferred_node_score(cycle.spec)?;
    Some(Scores {
        plugin: NAME,
        weight: 2,
        raw: nodes.iter().map(|node| Some(points(&node.node))).collect(),
        normalization: Normalization::Highest,
    })
}
