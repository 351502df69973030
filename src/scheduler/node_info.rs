//! What the scheduler knows of each node: what it offers and what its pods take of it.
//!
//! Models pkg/scheduler/framework/types.go NodeInfo and pkg/scheduler/backend/cache.

use super::affinity::PodAffinity;
use crate::api::pod::{HostPort, Resources, Taint};
use crate::api::tree::Tree as _;
use crate::api::{Object, Selector, Uid, Value};
use crate::base::Map;
use crate::store::{ObjectKey, Store};
use core::fmt;
use std::sync::Arc;

/// A pod on a node, with its affinity read if it has any.
#[derive(Clone, Debug)]
pub struct PlacedPod {
    /// The pod.
    pub pod: Arc<Object>,
    /// Its affinity to other pods.
    pub affinity: Option<Arc<PodAffinity>>,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// The node.
    pub node: Arc<Object>,
    /// Its taints.
    pub taints: Vec<Taint>,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// What pods may have of it.
    pub allocatable: Resources,
    /// How many pods may be on it.
    pub pods_allowed: i64,
    /// What its pods ask for.
    pub requested: Resources,
    /// The same with the scores' minimum for each container.
    pub scored_requested: Resources,
    /// Its pods.
    pub pods: Vec<PlacedPod>,
    /// Ports of it that its pods take.
    pub host_ports: Vec<HostPort>,
    /// Sizes in bytes of the images on its disk.
    pub images: Vec<(String, i64)>,
}

impl NodeInfo {
    fn new(node: Arc<Object>) -> Self {
        let allocatable = node.status().at(&["allocatable"]);
        let pods = allocatable.and_then(|all| all.get("pods"));
        let pods_allowed = pods.and_then(crate::api::pod::quantity_of).map_or(0, |q| q.value());
        NodeInfo {
            taints: node
                .spec()
                .items_at(&["taints"])
                .iter()
                .filter_map(Taint::from_value)
                .collect(),
            unschedulable: node.spec().bool_at(&["unschedulable"]).unwrap_or_default(),
            allocatable: Resources::from_value(allocatable),
            pods_allowed,
            requested: Resources::default(),
            scored_requested: Resources::default(),
            pods: Vec::new(),
            host_ports: Vec::new(),
            images: images(&node),
            node,
        }
    }

    /// The node's name.
    pub fn name(&self) -> &Arc<str> {
        &self.node.meta.name
    }

    /// The value of one of its labels.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.node.meta.labels.get(key)
    }

    /// Counts a pod in.
    pub fn add(&mut self, pod: &Arc<Object>) {
        let Some(facts) = pod.pod() else { return };
        self.requested.add(&facts.spec.requests);
        self.scored_requested.add(&facts.spec.scored_requests);
        self.host_ports.extend(facts.spec.host_ports.iter().cloned());
        let affinity = PodAffinity::of(pod).map(Arc::new);
        self.pods.push(PlacedPod { pod: pod.clone(), affinity });
    }

    /// Counts a pod out. Says whether it was there.
    pub fn remove(&mut self, uid: Uid) -> bool {
        let Some(index) = self.pods.iter().position(|placed| placed.pod.meta.uid == uid) else {
            return false;
        };
        let placed = self.pods.remove(index);
        if let Some(facts) = placed.pod.pod() {
            self.requested.subtract(&facts.spec.requests);
            self.scored_requested.subtract(&facts.spec.scored_requests);
            for port in &facts.spec.host_ports {
                if let Some(index) = self.host_ports.iter().position(|other| other == port) {
                    self.host_ports.remove(index);
                }
            }
        }
        true
    }
}

fn images(node: &Object) -> Vec<(String, i64)> {
    let images = node.status().items_at(&["images"]).iter();
    images
        .flat_map(|image| {
            let size = image.int_at(&["sizeBytes"]).unwrap_or_default();
            let names = image.items_at(&["names"]).iter().filter_map(Value::as_str);
            names.map(move |name| (name.to_owned(), size))
        })
        .collect()
}

/// All nodes, in the order in which zones take turns; a clone is cheap and shares them.
#[derive(Clone, Default)]
pub struct Snapshot {
    nodes: Arc<Vec<Arc<NodeInfo>>>,
    places: Map<Arc<str>, u32>,
    /// Nodes that pods with affinity are on, each with how many.
    with_affinity: Map<Arc<str>, u32>,
    /// Pods that were given a node which the store does not know of yet.
    assumed: Map<ObjectKey, Arc<Object>>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot of {} nodes", self.nodes.len())
    }
}

impl Snapshot {
    /// All nodes.
    pub fn nodes(&self) -> &[Arc<NodeInfo>] {
        &self.nodes
    }

    /// The node of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<NodeInfo>> {
        self.nodes.get(usize::try_from(*self.places.get(name)?).ok()?)
    }

    /// The nodes that have pods with affinity.
    pub fn with_affinity(&self) -> impl Iterator<Item = &Arc<NodeInfo>> {
        self.with_affinity.keys().filter_map(|name| self.get(name))
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut NodeInfo> {
        let place = usize::try_from(*self.places.get(name)?).ok()?;
        Arc::make_mut(&mut self.nodes).get_mut(place).map(Arc::make_mut)
    }

    /// Takes in a new or changed node.
    pub fn set_node(&mut self, node: &Arc<Object>) {
        let mut new = NodeInfo::new(node.clone());
        if let Some(old) = self.get_mut(&node.meta.name) {
            core::mem::swap(&mut new.pods, &mut old.pods);
            core::mem::swap(&mut new.host_ports, &mut old.host_ports);
            core::mem::swap(&mut new.requested, &mut old.requested);
            core::mem::swap(&mut new.scored_requested, &mut old.scored_requested);
            *old = new;
            return;
        }
        self.rebuild(|nodes| nodes.push(Arc::new(new)));
    }

    /// Forgets a node.
    pub fn remove_node(&mut self, name: &str) {
        self.rebuild(|nodes| nodes.retain(|node| &**node.name() != name));
        self.with_affinity.remove(name);
    }

    fn rebuild(&mut self, change: impl FnOnce(&mut Vec<Arc<NodeInfo>>)) {
        let nodes = Arc::make_mut(&mut self.nodes);
        change(nodes);
        let places = (0u32..).zip(nodes.iter());
        self.places = places.map(|(place, node)| (node.name().clone(), place)).collect();
    }

    /// Counts a pod in on its node.
    pub fn add_pod(&mut self, node: &str, pod: &Arc<Object>) {
        let Some(info) = self.get_mut(node) else { return };
        info.add(pod);
        let name = info.name().clone();
        if info.pods.last().is_some_and(|placed| placed.affinity.is_some()) {
            *self.with_affinity.entry(name).or_default() += 1;
        }
    }

    /// Counts a pod in before the store says so.
    pub fn assume(&mut self, node: &str, pod: &Arc<Object>) {
        self.add_pod(node, pod);
        self.assumed.insert(ObjectKey::of(pod), pod.clone());
    }

    /// The store knows what was assumed of a pod, or better.
    pub fn confirm(&mut self, key: &ObjectKey) {
        self.assumed.remove(key);
    }

    /// The pods of a namespace that a selector selects and that have a node, as far as the
    /// scheduler knows. Uses the store's label index.
    pub fn placed_pods<'a>(
        &'a self,
        store: &'a Store,
        namespace: &'a str,
        selector: &'a Selector,
    ) -> impl Iterator<Item = (&'a Arc<NodeInfo>, &'a Arc<Object>)> {
        let stored = store.pods_matching(namespace, selector);
        let assumed = self.assumed.values().filter(move |pod| {
            *pod.meta.namespace == *namespace && selector.matches(&pod.meta.labels)
        });
        stored
            .chain(assumed)
            .filter_map(|pod| Some((self.get(pod.pod()?.node_name.as_ref()?)?, pod)))
    }

    /// Counts a pod out. Says whether it was there.
    pub fn remove_pod(&mut self, node: &str, uid: Uid) -> bool {
        let Some(info) = self.get_mut(node) else { return false };
        let had = info.pods.iter().any(|p| p.pod.meta.uid == uid && p.affinity.is_some());
        let was_there = info.remove(uid);
        if had && let Some(count) = self.with_affinity.get_mut(node) {
            *count -= 1;
            if *count == 0 {
                self.with_affinity.remove(node);
            }
        }
        was_there
    }
}
