//! What the scheduler knows of each node: what it offers and what its pods take of it.
//!
//! Models pkg/scheduler/framework/types.go NodeInfo and pkg/scheduler/backend/cache.

use super::affinity::PodAffinity;
use super::tally::Tallies;
use super::verdicts::Verdicts;
use crate::api::pod::{HostPort, Resources, Taint};
use crate::api::tree::Tree as _;
use crate::api::{Object, Selector, Uid, Value};
use crate::base::Map;
use crate::store::{ObjectKey, Store};
use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;

/// The label that says in which zone a node is.
pub(super) const ZONE: &str = "topology.kubernetes.io/zone";
/// The label that says a node's name.
pub(super) const HOSTNAME: &str = "kubernetes.io/hostname";

/// A pod on a node, with its affinity read if it has any.
#[derive(Clone, Debug)]
pub struct PlacedPod {
    /// Its identity.
    pub uid: Uid,
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
    /// Where it stands in the snapshot.
    pub place: u32,
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
            place: 0,
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
        self.pods.push(PlacedPod { uid: pod.meta.uid, pod: pod.clone(), affinity });
    }

    /// Counts a pod out and gives it back if it was there.
    pub fn remove(&mut self, uid: Uid) -> Option<PlacedPod> {
        let index = self.pods.iter().position(|placed| placed.uid == uid)?;
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
        Some(placed)
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

/// What the spreading of nearly every pod asks of every node: it is read in one go, so it lies in one
/// piece and not beside the rest of the node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// Its zone's place in [`Snapshot::zones`].
    pub zone: Option<u32>,
    /// Whether it says its host's name.
    pub has_hostname: bool,
}

/// All nodes, in the order in which zones take turns; a clone is cheap and shares them.
#[derive(Clone, Default)]
pub struct Snapshot {
    nodes: Arc<Vec<Arc<NodeInfo>>>,
    places: Map<Arc<str>, u32>,
    /// One for each node, by its place.
    spots: Arc<Vec<Spot>>,
    /// Every zone that a node has named, in the order of their first appearance.
    zones: Arc<Vec<Arc<str>>>,
    /// Nodes that pods with affinity are on, each with how many.
    with_affinity: Map<Arc<str>, u32>,
    /// Pods that were given a node which the store does not know of yet.
    assumed: Map<ObjectKey, Arc<Object>>,
    /// What spreading has asked for.
    tallies: Tallies,
    /// What plugins have said of the nodes.
    pub(super) verdicts: Verdicts,
    /// How many nodes say which images they have.
    with_images: u32,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot of {} nodes", self.nodes.len())
    }
}

/// A place as an index.
pub(super) fn at(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

impl Snapshot {
    /// All nodes.
    pub fn nodes(&self) -> &[Arc<NodeInfo>] {
        &self.nodes
    }

    /// Where the nodes are, by their places.
    pub(super) fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// The node of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<NodeInfo>> {
        self.nodes.get(usize::try_from(*self.places.get(name)?).ok()?)
    }

    /// The nodes that have pods with affinity.
    pub fn with_affinity(&self) -> impl Iterator<Item = &Arc<NodeInfo>> {
        self.with_affinity.keys().filter_map(|name| self.get(name))
    }

    /// A node to change, so that what was said of it holds no longer.
    fn get_mut(&mut self, name: &str) -> Option<&mut NodeInfo> {
        let place = usize::try_from(*self.places.get(name)?).ok()?;
        self.verdicts.forget(place);
        Arc::make_mut(&mut self.nodes).get_mut(place).map(Arc::make_mut)
    }

    /// Takes in a new or changed node.
    pub fn set_node(&mut self, node: &Arc<Object>) {
        let mut new = NodeInfo::new(node.clone());
        let zone = node.meta.labels.get(ZONE).map(|zone| self.zone(zone));
        let spot = Spot { zone, has_hostname: node.meta.labels.get(HOSTNAME).is_some() };
        self.with_images += u32::from(!new.images.is_empty());
        if let Some(old) = self.get_mut(&node.meta.name) {
            core::mem::swap(&mut new.pods, &mut old.pods);
            core::mem::swap(&mut new.host_ports, &mut old.host_ports);
            core::mem::swap(&mut new.requested, &mut old.requested);
            core::mem::swap(&mut new.scored_requested, &mut old.scored_requested);
            new.place = old.place;
            let place = at(old.place);
            let had_images = !old.images.is_empty();
            *old = new;
            self.with_images -= u32::from(had_images);
            if let Some(old) = Arc::make_mut(&mut self.spots).get_mut(place) {
                *old = spot;
            }
            return;
        }
        new.place = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.places.insert(new.name().clone(), new.place);
        Arc::make_mut(&mut self.nodes).push(Arc::new(new));
        Arc::make_mut(&mut self.spots).push(spot);
    }

    /// Whether any node says which images it has.
    pub(super) const fn has_images(&self) -> bool {
        self.with_images > 0
    }

    /// How many zones have been named.
    pub fn zones(&self) -> usize {
        self.zones.len()
    }

    fn zone(&mut self, name: &str) -> u32 {
        let place = self.zones.iter().position(|zone| **zone == *name).unwrap_or_else(|| {
            let zones = Arc::make_mut(&mut self.zones);
            zones.push(name.into());
            zones.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Forgets a node.
    pub fn remove_node(&mut self, name: &str) {
        self.with_affinity.remove(name);
        let had_images = self.get(name).is_some_and(|node| !node.images.is_empty());
        self.with_images -= u32::from(had_images);
        if let Some(place) = self.places.get(name) {
            Arc::make_mut(&mut self.spots).remove(at(*place));
        }
        let nodes = Arc::make_mut(&mut self.nodes);
        nodes.retain(|node| &**node.name() != name);
        let places = (0u32..).zip(nodes.iter());
        self.places = places.map(|(place, node)| (node.name().clone(), place)).collect();
        for (place, node) in (0u32..).zip(nodes) {
            if node.place != place {
                Arc::make_mut(node).place = place;
            }
        }
        self.tallies.clear();
        self.verdicts.clear();
    }

    /// Counts a pod in on its node.
    pub fn add_pod(&mut self, node: &str, pod: &Arc<Object>) {
        let Some(info) = self.get_mut(node) else { return };
        info.add(pod);
        let place = info.place;
        if info.pods.last().is_some_and(|placed| placed.affinity.is_some()) {
            let name = info.name().clone();
            *self.with_affinity.entry(name).or_default() += 1;
        }
        self.tallies.add(place, pod);
    }

    /// Counts a pod in before the store says so.
    pub fn assume(&mut self, node: &str, pod: &Arc<Object>) {
        self.add_pod(node, pod);
        self.assumed.insert(ObjectKey::of(pod), pod.clone());
    }

    /// The store knows a pod to be on its node, which was assumed: only the object is another. Says
    /// whether that is all.
    pub fn settle(&mut self, node: &str, pod: &Arc<Object>) -> bool {
        let Some(place) = self.places.get(node).copied() else { return false };
        let Some(info) = Arc::make_mut(&mut self.nodes).get_mut(at(place)) else { return false };
        let pods = &mut Arc::make_mut(info).pods;
        let Some(index) = pods.iter().position(|placed| placed.uid == pod.meta.uid) else {
            return false;
        };
        // It comes last, as if it had left and come.
        let later = pods.get_mut(index..).unwrap_or_default();
        later.rotate_left(1);
        let Some(placed) = later.last_mut() else { return false };
        let spec = |object: &Object| object.pod().map(|pod| Arc::as_ptr(&pod.spec));
        if placed.affinity.is_some() || spec(&placed.pod) != spec(pod) {
            return false;
        }
        let old = core::mem::replace(&mut placed.pod, pod.clone());
        self.tallies.remove(place, &old);
        self.tallies.add(place, pod);
        true
    }

    /// The store knows what was assumed of a pod, or better.
    pub fn confirm(&mut self, key: &ObjectKey) {
        self.assumed.remove(key);
    }

    /// How many pods of a namespace a selector selects on each node, by its place: those that are
    /// neither ending nor ended. A selector of nothing counts none.
    pub(super) fn tally(
        &self,
        store: &Store,
        namespace: &str,
        selector: &Selector,
    ) -> Cow<'_, Map<u32, u32>> {
        match self.tallies.get(namespace, selector) {
            Some(counts) => Cow::Borrowed(counts),
            None => Cow::Owned(self.count(store, namespace, selector)),
        }
    }

    /// Keeps counting what [`Self::tally`] would have to count anew.
    pub(super) fn keep_tally(&mut self, store: &Store, namespace: &Arc<str>, selector: &Selector) {
        if self.tallies.get(namespace, selector).is_none() {
            let counts = self.count(store, namespace, selector);
            self.tallies.begin(namespace, selector, counts);
        }
    }

    fn count(&self, store: &Store, namespace: &str, selector: &Selector) -> Map<u32, u32> {
        let mut counts = Map::new();
        if selector.is_everything() {
            return counts;
        }
        let assumed = self
            .assumed
            .values()
            .filter(|pod| *pod.meta.namespace == *namespace && selector.matches(&pod.meta.labels));
        for object in store.pods_matching(namespace, selector).chain(assumed) {
            if let Some(pod) = object.pod()
                && !object.meta.is_terminating()
                && !pod.status.phase.is_terminal()
                && let Some(place) = pod.node_name.as_ref().and_then(|name| self.places.get(name))
            {
                *counts.entry(*place).or_default() += 1;
            }
        }
        counts
    }

    /// A pod on a node has changed in nothing that is counted here: no older one is kept alive.
    pub fn replace_pod(&mut self, node: &str, pod: &Arc<Object>) {
        let Some(place) = self.places.get(node).and_then(|place| usize::try_from(*place).ok())
        else {
            return;
        };
        let Some(info) = Arc::make_mut(&mut self.nodes).get_mut(place) else { return };
        let mut pods = Arc::make_mut(info).pods.iter_mut();
        if let Some(placed) = pods.find(|placed| placed.uid == pod.meta.uid) {
            placed.pod = pod.clone();
        }
    }

    /// Counts a pod out. Says whether it was there.
    pub fn remove_pod(&mut self, node: &str, uid: Uid) -> bool {
        let Some(info) = self.get_mut(node) else { return false };
        let place = info.place;
        let Some(removed) = info.remove(uid) else { return false };
        self.tallies.remove(place, &removed.pod);
        if removed.affinity.is_some()
            && let Some(count) = self.with_affinity.get_mut(node)
        {
            *count -= 1;
            if *count == 0 {
                self.with_affinity.remove(node);
            }
        }
        true
    }
}
