//! `nodeSelector` and node affinity, required and preferred.

use super::super::framework::Normalization;
use super::{Cycle, Filter, NodeInfo, Rejection, Scores};
use crate::api::node_affinity::{RequiredNodes, preferred_node_score};
use crate::api::{Object, PodSpec};
use std::sync::Arc;

const NAME: &str = "NodeAffinity";
pub(super) const WEIGHT: i64 = 2;

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

/// What a pod gives for a node that it prefers.
pub(super) type Preference = Box<dyn Fn(&Object) -> i64>;

/// The weights of the preferred terms that a node fits; `None` if the pod prefers nothing.
pub(super) fn preferred(spec: &PodSpec) -> Option<Preference> {
    preferred_node_score(spec).map(|points| Box::new(points) as Preference)
}

pub(super) fn score(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Option<Scores> {
    let points = preferred(cycle.spec)?;
    Some(Scores {
        plugin: NAME,
        weight: WEIGHT,
        raw: nodes.iter().map(|node| Some(points(&node.node))).collect(),
        normalization: Normalization::Highest,
    })
}
