//! The plugins of the default profile, one file each, as in pkg/scheduler/framework/plugins.

mod image_locality;
pub(super) mod inter_pod_affinity;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources;
mod node_unschedulable;
pub(super) mod pod_topology_spread;
mod taint_toleration;
mod volume_restrictions;
mod volume_zone;
mod volumes;

pub(super) use node_ports::ports_conflict;
pub(super) use node_resources::{fits_when_empty, grew};
pub(super) use node_unschedulable::tolerates_cordon;
pub(super) use pod_topology_spread::default_spread_selector;
pub(super) use taint_toleration::repels;
pub(super) use volume_zone::ZONE_LABELS;
pub(super) use volumes::{Bindings, bindings_on, claims_of};

use super::framework::{Cycle, Filter, Normalization, Rejection, Scores};
use super::node_info::{NodeInfo, at};
use super::verdicts::{Points, Verdict};
use crate::api::PodSpec;
use std::sync::Arc;

/// The filters that have something to say about the pod, in the order of the default profile.
///
/// # Errors
/// A plugin that refuses every node at once (`PreFilter`).
pub(super) fn filters(cycle: &Cycle<'_>) -> Result<Vec<Box<dyn Filter>>, Rejection> {
    let mut filters = local_filters(cycle)?;
    filters.extend(volume_restrictions::VolumeRestrictions::prepare(cycle)?);
    filters.extend(volumes::VolumeBinding::prepare(cycle)?);
    filters.extend(volume_zone::VolumeZone::prepare(cycle));
    filters.extend(pod_topology_spread::Hard::prepare(cycle));
    filters.extend(inter_pod_affinity::Required::prepare(cycle));
    Ok(filters)
}

/// Those of them that look at nothing but the node and the pod's specification.
fn local_filters(cycle: &Cycle<'_>) -> Result<Vec<Box<dyn Filter>>, Rejection> {
    let mut filters: Vec<Box<dyn Filter>> = Vec::with_capacity(6);
    filters.push(Box::new(node_unschedulable::NodeUnschedulable::new(cycle)));
    filters.extend(node_name::NodeName::prepare(cycle));
    filters.push(Box::new(taint_toleration::TaintToleration::new(cycle)));
    filters.extend(node_affinity::NodeAffinity::prepare(cycle)?);
    filters.extend(node_ports::NodePorts::prepare(cycle));
    filters.push(Box::new(node_resources::Fit::new(cycle)));
    Ok(filters)
}

/// Whether a filter that looks at more than the node and the specification has a say, or one that
/// names its nodes.
pub(super) fn needs_more_than_local(cycle: &Cycle<'_>) -> bool {
    cycle.pod.pod().is_some_and(|pod| pod.node_name.is_some())
        || claims_of(cycle.spec).next().is_some()
        || pod_topology_spread::has_musts(cycle.pod)
        || inter_pod_affinity::has_say(cycle)
            && inter_pod_affinity::Required::prepare(cycle).is_some()
        || wanted_names(cycle).is_some()
}

/// The plugins that look at nothing but the node and the pod's specification.
pub(super) struct Local<'a> {
    spec: &'a PodSpec,
    filters: Vec<Box<dyn Filter>>,
    preferred: Option<node_affinity::Preference>,
}

impl<'a> Local<'a> {
    /// # Errors
    /// A plugin that refuses every node at once.
    pub(super) fn prepare(cycle: &Cycle<'a>) -> Result<Self, Rejection> {
        let filters = local_filters(cycle)?;
        let preferred = node_affinity::preferred(cycle.spec);
        Ok(Local { spec: cycle.spec, filters, preferred })
    }

    /// What they say of a node.
    pub(super) fn verdict(&self, node: &NodeInfo) -> Verdict {
        if self.filters.iter().any(|filter| filter.filter(node).is_err()) {
            return Verdict::No;
        }
        let balance = node_resources::balance_points(self.spec, node);
        Verdict::Yes(Points {
            soft_taints: taint_toleration::points(self.spec, node),
            preferred: self.preferred.as_ref().map_or(0, |points| points(&node.node)),
            resources: node_resources::fit_points(self.spec, node) + balance.unwrap_or_default(),
        })
    }
}

/// What the points of [`scores`] add up to for the nodes at these places, where those of [`Local`] are
/// known.
pub(super) fn totals(cycle: &Cycle<'_>, places: &[u32], local: &[Points], totals: &mut Vec<i64>) {
    let most = |of: fn(&Points) -> i64| local.iter().map(of).max().unwrap_or_default();
    let (taints, preferred) = (most(|it| it.soft_taints), most(|it| it.preferred));
    let has_preferred = node_affinity::preferred(cycle.spec).is_some();
    let total = |points: &Points| {
        let reversed = Normalization::Reversed.of(points.soft_taints, 0, taints);
        let highest = match has_preferred {
            true => Normalization::Highest.of(points.preferred, 0, preferred),
            false => 0,
        };
        reversed * taint_toleration::WEIGHT + highest * node_affinity::WEIGHT + points.resources
    };
    totals.extend(local.iter().map(total));
    if let Some(scores) = pod_topology_spread::score(cycle, places) {
        scores.add_to(totals);
    }
    // Few clusters have pods with affinity, or nodes that tell of their images.
    let has_images = cycle.snapshot.has_images();
    if has_images || inter_pod_affinity::has_say(cycle) {
        let all = cycle.snapshot.nodes();
        let nodes: Vec<_> = places.iter().filter_map(|place| all.get(at(*place))).collect();
        let images = has_images.then(|| image_locality::score(cycle, &nodes));
        for scores in [inter_pod_affinity::score(cycle, &nodes), images].iter().flatten() {
            scores.add_to(totals);
        }
    }
}

/// The node names that the pod's affinity narrows the search to.
pub(super) fn wanted_names(cycle: &Cycle<'_>) -> Option<Vec<String>> {
    node_affinity::wanted_names(cycle)
}

/// The points of each plugin for the nodes that passed.
pub(super) fn scores(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Vec<Scores> {
    let places: Vec<u32> = nodes.iter().map(|node| node.place).collect();
    [
        Some(taint_toleration::score(cycle, nodes)),
        node_affinity::score(cycle, nodes),
        Some(node_resources::score_fit(cycle, nodes)),
        pod_topology_spread::score(cycle, &places),
        inter_pod_affinity::score(cycle, nodes),
        node_resources::score_balance(cycle, nodes),
        Some(image_locality::score(cycle, nodes)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
