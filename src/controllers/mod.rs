//! The control loops of the controller manager, one file each.
//!
//! A controller is a function from what the store says to writes ([`Controller`]); it keeps no
//! memory and never meets another one but through the store.
//!
//! Reading order: `pod_control.rs` (what those of pods share), `replica_set.rs`, `deployment/`,
//! then any.

mod autoscaler;
mod conditions;
mod custom_resources;
mod daemon_set;
mod deployment;
mod disruption;
mod endpoint_mirroring;
mod endpoints;
mod garbage_collector;
mod history;
mod job;
mod namespaces;
mod node_lifecycle;
mod persistent_volume;
mod pod_control;
mod pod_gc;
mod quota;
mod replica_set;
mod stateful_set;
mod taint_eviction;
mod volume_protection;

pub(crate) use pod_control::scaled;

use crate::store::Controller;

/// Every control loop; the place of each is its number in the event queue.
pub fn all() -> &'static [&'static dyn Controller] {
    ALL
}

static ALL: &[&dyn Controller] = &[
    &namespaces::NamespaceFurniture,
    &namespaces::Namespaces,
    &deployment::Deployments,
    &replica_set::REPLICA_SETS,
    &replica_set::REPLICATION_CONTROLLERS,
    &stateful_set::StatefulSets,
    &daemon_set::DaemonSets,
    &endpoints::EndpointSlices,
    &endpoints::EndpointsObjects,
    &garbage_collector::GarbageCollector,
    &node_lifecycle::NodeTaints,
    &node_lifecycle::NodeLifecycle,
    &pod_gc::PodGarbageCollector,
    &taint_eviction::TaintEviction,
    &job::Jobs,
    &job::leftovers::JobOrphans,
    &job::leftovers::JobExpiry,
    &job::cron::CronJobs,
    &persistent_volume::VolumeBinder,
    &volume_protection::VolumeProtection,
    &quota::ResourceQuotas,
    &disruption::DisruptionBudgets,
    &autoscaler::Autoscalers,
    &custom_resources::CustomResources,
    &endpoint_mirroring::EndpointMirrors,
];
