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

use super::framework::{Cycle, Filter, Rejection, Scores};
use super::node_info::NodeInfo;
use std::sync::Arc;

/// The filters that have something to say about the pod, in the order of the default profile.
///
/// # Errors
/// A plugin that refuses every node at once (`PreFilter`).
pub(super) fn filters(cycle: &Cycle<'_>) -> Result<Vec<Box<dyn Filter>>, Rejection> {
    let mut filters: Vec<Box<dyn Filter>> = Vec::with_capacity(6);
    filters.push(Box::new(node_unschedulable::NodeUnschedulable::new(cycle)));
    filters.extend(node_name::NodeName::prepare(cycle));
    filters.push(Box::new(taint_toleration::TaintToleration::new(cycle)));
    filters.extend(node_affinity::NodeAffinity::prepare(cycle)?);
    filters.extend(node_ports::NodePorts::prepare(cycle));
    filters.push(Box::new(node_resources::Fit::new(cycle)));
    filters.extend(volume_restrictions::VolumeRestrictions::prepare(cycle)?);
    filters.extend(volumes::VolumeBinding::prepare(cycle)?);
    filters.extend(volume_zone::VolumeZone::prepare(cycle));
    filters.extend(pod_topology_spread::Hard::prepare(cycle));
    filters.extend(inter_pod_affinity::Required::prepare(cycle));
    Ok(filters)
}

/// The node names that the pod's affinity narrows the search to.
pub(super) fn wanted_names(cycle: &Cycle<'_>) -> Option<Vec<String>> {
    node_affinity::wanted_names(cycle)
}

/// The points of each plugin for the nodes that passed.
pub(super) fn scores(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Vec<Scores> {
    [
        Some(taint_toleration::score(cycle, nodes)),
        node_affinity::score(cycle, nodes),
        Some(node_resources::score_fit(cycle, nodes)),
        pod_topology_spread::score(cycle, nodes),
        inter_pod_affinity::score(cycle, nodes),
        node_resources::score_balance(cycle, nodes),
        Some(image_locality::score(cycle, nodes)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
