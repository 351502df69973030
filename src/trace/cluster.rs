//! The cluster as a trace sees it.

use crate::api::Object;
use crate::base::{Map, SimTime};
use crate::container::Trees;
use crate::kubelet::NodeRuntime;
use crate::kubelet::inside::Inside;
use crate::store::Store;
use std::sync::Arc;

/// The cluster at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'a> {
    /// Its objects.
    pub store: &'a Store,
    /// Its machines, by node name.
    pub nodes: &'a Map<Arc<str>, NodeRuntime>,
    /// The disks that outlive pods.
    pub disks: &'a Trees,
    /// The moment.
    pub now: SimTime,
}

impl Cluster<'_> {
    /// The machine of a node, if it is up.
    pub fn machine(&self, node: &str) -> Option<&NodeRuntime> {
        self.nodes.get(node).filter(|machine| machine.up)
    }

    /// What is inside of a pod, if its kubelet runs it.
    pub fn inside<'b>(&'b self, object: &'b Arc<Object>) -> Option<Inside<'b>> {
        let node = object.pod()?.node_name.as_ref()?;
        let runtime = self.nodes.get(node)?.pods.get(&object.meta.uid)?;
        Some(Inside { api: self.store, object, runtime, disks: self.disks })
    }

    /// Whether a container of a pod was asked to end, and so takes no more connections; `place`
    /// counts init containers too.
    pub fn is_ending(&self, object: &Object, place: usize) -> bool {
        let node = object.pod().and_then(|pod| pod.node_name.as_ref());
        let machine = node.and_then(|node| self.nodes.get(node));
        let runtime = machine.and_then(|machine| machine.pods.get(&object.meta.uid));
        runtime.is_some_and(|runtime| runtime.is_asked_to_end(place))
    }
}
