//! The pods of the controller that run.

use crate::api::pod::ContainerState;
use crate::api::{Kind, Object, Selector};
use crate::base::SimTime;
use crate::store::{ObjectKey, Store};
use crate::trace::nginx::Settings;
use std::sync::Arc;

/// A pod of the controller that runs.
pub(super) struct Running<'a> {
    /// The pod.
    pub(super) pod: &'a Arc<Object>,
    /// Its flags.
    pub(super) settings: Settings,
    /// Since when its process runs.
    pub(super) since: SimTime,
    /// Name of its workload.
    workload: &'a Arc<Object>,
}

impl Running<'_> {
    /// Whether both are of the same workload, and not the same pod.
    pub(super) fn is_sibling_of(&self, other: &Running<'_>) -> bool {
        Arc::ptr_eq(self.workload, other.workload) && !Arc::ptr_eq(self.pod, other.pod)
    }

    /// Whether this one leads: the one that has run longest holds the Lease.
    ///
    /// Simplified: who loses its Lease is known at once, not after half a minute.
    pub(super) fn leads_before(&self, other: &Running<'_>) -> bool {
        (self.since, &self.pod.meta.name) < (other.since, &other.pod.meta.name)
    }
}

/// The pods of controllers that run, on machines that can be reached.
pub(super) fn running(store: &Store) -> Vec<Running<'_>> {
    let workloads = store.list(Kind::Deployment).chain(store.list(Kind::DaemonSet));
    let mut found = Vec::new();
    for workload in workloads {
        let namespace = &*workload.meta.namespace;
        let is_controller = workload.pod_template().is_some_and(|template| {
            let mut containers = template.spec.containers.iter();
            containers.any(|container| Settings::of_container(namespace, container).is_some())
        });
        if !is_controller {
            continue;
        }
        let selector = Selector::from_label_selector(workload.spec().get("selector"));
        let selector = selector.unwrap_or_default();
        let pods: Vec<ObjectKey> =
            store.pods_matching(namespace, &selector).map(|pod| ObjectKey::of(pod)).collect();
        let pods = pods.iter().filter_map(|key| store.get(Kind::Pod, key));
        found.extend(pods.filter_map(|pod| {
            let (settings, since) = started(store, pod)?;
            Some(Running { pod, settings, since, workload })
        }));
    }
    found
}

fn started(store: &Store, object: &Object) -> Option<(Settings, SimTime)> {
    let (settings, container) = Settings::of_pod(object)?;
    let pod = object.pod()?;
    let place = pod.spec.containers.iter().position(|own| own.name == container.name)?;
    let node = pod.node_name.as_deref()?;
    match &pod.status.containers.get(place)?.state {
        ContainerState::Running { started_at, .. } if store.silent_since(node).is_none() => {
            Some((settings, *started_at))
        }
        _ => None,
    }
}
