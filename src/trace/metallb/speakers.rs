//! The speakers that run, and what they know of each other.

use crate::api::pod::ContainerState;
use crate::api::{Kind, Object, Selector};
use crate::base::SimTime;
use crate::store::{ObjectKey, Store};
use core::time::Duration;
use std::sync::Arc;

/// How long it takes until the other speakers know that one has fallen silent.
///
/// Models hashicorp/memberlist DefaultLANConfig, which the speakers use: a probe a second, then a
/// time of suspicion of four.
///
/// Simplified: it is always the same; it depends on when who asks whom.
pub const FAILURE_DETECTION: Duration = Duration::from_secs(6);

/// A speaker that runs, as far as the others know.
#[derive(Clone, Debug)]
pub struct Speaker<'a> {
    /// Its node.
    pub node: &'a Arc<Object>,
    /// Its pod.
    pub pod: &'a Arc<Object>,
    /// Since when its node is silent, if it is.
    pub silent_since: Option<SimTime>,
}

impl Speaker<'_> {
    /// The name of its node.
    pub fn name(&self) -> &Arc<str> {
        &self.node.meta.name
    }

    /// Whether it has been silent for that long.
    pub fn is_given_up(&self, now: SimTime, after: Duration) -> bool {
        self.silent_since.is_some_and(|since| now.since(since) >= after)
    }
}

/// Whether an image is one of MetalLB's: `quay.io/metallb/speaker:v0.15.3`.
pub fn is_image(image: &str, part: &str) -> bool {
    let name = image.rsplit_once(':').map_or(image, |(name, _)| name);
    name.rsplit_once("metallb/").is_some_and(|(_, last)| last == part)
}

/// Whether a workload runs an image of MetalLB's.
pub fn is_part(workload: &Object, part: &str) -> bool {
    let containers = workload.pod_template().map(|template| &template.spec.containers);
    containers.into_iter().flatten().any(|container| is_image(&container.image, part))
}

/// The speakers that run, in the order of their nodes, also those on nodes that have fallen silent.
pub fn speakers(store: &Store) -> Vec<Speaker<'_>> {
    let mut found: Vec<Speaker<'_>> = Vec::new();
    for workload in store.list(Kind::DaemonSet).filter(|it| is_part(it, "speaker")) {
        let selector = Selector::from_label_selector(workload.spec().get("selector"));
        let selector = selector.unwrap_or_default();
        let pods: Vec<ObjectKey> = store
            .pods_matching(&workload.meta.namespace, &selector)
            .map(|pod| ObjectKey::of(pod))
            .collect();
        for pod in pods.iter().filter_map(|key| store.get(Kind::Pod, key)) {
            let runs = pod.pod().is_some_and(|own| {
                let mut statuses = own.status.containers.iter();
                statuses.any(|it| matches!(it.state, ContainerState::Running { .. }))
            });
            let node = pod.pod().and_then(|own| own.node_name.as_deref());
            let node = node.and_then(|name| store.find(Kind::Node, "", name));
            // Who is asked to stop says good-bye to the others.
            if let Some(node) = node.filter(|_| runs && !pod.meta.is_terminating()) {
                let silent_since = store.silent_since(&node.meta.name);
                found.push(Speaker { node, pod, silent_since });
            }
        }
    }
    crate::base::order::sort_by(&mut found, |a, b| a.name().cmp(b.name()));
    found
}
