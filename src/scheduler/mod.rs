//! The scheduler: it finds a node for each pod that has none.
//!
//! Filters refuse nodes, scores rank those that are left, a lot decides among the best. It keeps a
//! cache of nodes and pods, fed by the changes of the store, and assumes a pod placed as soon as it
//! has decided, as the real one does.
//!
//! Simplified: no profiles, extenders, dynamic resources or gang scheduling.
//!
//! Reading order: `framework.rs`, `plugins/`, `cycle.rs`, `preemption.rs`, `queue.rs`,
//! `node_info.rs`, `explain.rs`.

pub mod affinity;
mod cycle;
mod explain;
mod framework;
mod node_info;
mod plugins;
mod preemption;
mod queue;
mod tally;

pub use cycle::{Decision, Search, decide};
pub use explain::{PodSource, explain, explain_state, explain_texts, explanation_table};
pub use framework::{Normalization, Rejection, Scores};
pub use node_info::{NodeInfo, Snapshot};

use crate::api::node_affinity::SELECTED_NODE;
use crate::api::pod::ConditionType;
use crate::api::tree::Tree as _;
use crate::api::{Body, Event, Kind, Object};
use crate::base::{Map, Rng, SimTime};
use crate::store::{Change, DeleteOptions, Key, ObjectKey, Plan, Store, Write};
use queue::Queue;
use std::sync::Arc;

/// The name that pods ask for it by.
pub const NAME: &str = "default-scheduler";

/// The instance that its events name: it runs on the control plane's machine.
const INSTANCE: &str = "default-scheduler-cp-1";

/// How many pods one turn takes.
const PODS_A_TURN: usize = 64;

/// Bits of plugins for the queue: which changes could help.
mod bits {
    pub(super) const NODE: u32 = 1;
    pub(super) const POD_GONE: u32 = 2;
    pub(super) const POD_ADDED: u32 = 4;
    pub(super) const VOLUME: u32 = 8;
}

/// The scheduler's own memory.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    snapshot: Snapshot,
    queue: Queue,
    /// Where the next search begins on large clusters.
    next_start: u32,
    /// Pods for which preemption frees a node.
    nominated: Map<ObjectKey, Arc<str>>,
}

impl Scheduler {
    /// A scheduler that knows nothing yet.
    pub fn new() -> Self {
        Scheduler::default()
    }

    /// Nodes and pods as it sees them.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Takes note of a change in the store.
    pub fn observe(&mut self, change: &Change, now: SimTime) {
        match change.kind {
            Kind::Node => self.observe_node(change),
            Kind::Pod => self.observe_pod(change, now),
            Kind::PersistentVolume | Kind::PersistentVolumeClaim | Kind::StorageClass => {
                self.queue.changed(bits::VOLUME);
            }
            _ => {}
        }
    }

    fn observe_node(&mut self, change: &Change) {
        let Some(new) = &change.new else {
            self.snapshot.remove_node(&change.key.name);
            return;
        };
        let matters = change.old.as_ref().is_none_or(|old| {
            old.content() != new.content()
                || old.meta.labels != new.meta.labels
                || old.status().at(&["allocatable"]) != new.status().at(&["allocatable"])
                || old.status().at(&["images"]) != new.status().at(&["images"])
        });
        if matters {
            self.snapshot.set_node(new);
            self.queue.changed(bits::NODE);
        }
    }

    fn observe_pod(&mut self, change: &Change, now: SimTime) {
        let place = |object: &Arc<Object>| {
            let pod = object.pod()?;
            pod.node_name.clone().filter(|_| !pod.status.phase.is_terminal())
        };
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        let (before, after) = (old.and_then(place), new.and_then(place));
        if after.is_some() || new.is_none() {
            self.snapshot.confirm(&change.key);
        }
        let replaced = old.zip(new).is_some_and(|(old, new)| {
            old.meta.labels != new.meta.labels
                || old.meta.is_terminating() != new.meta.is_terminating()
        });
        if before != after || replaced {
            if let (Some(node), Some(old)) = (&before, old) {
                self.snapshot.remove_pod(node, old.meta.uid);
            }
            if let (Some(node), Some(new)) = (&after, new) {
                // Assumed already, perhaps.
                self.snapshot.remove_pod(node, new.meta.uid);
                self.snapshot.add_pod(node, new);
            }
        }
        match (&before, &after) {
            (Some(_), None) => self.queue.changed(bits::POD_GONE),
            (None, Some(_)) => {
                self.queue.remove(&change.key);
                self.queue.changed(bits::POD_ADDED);
            }
            (Some(_), Some(_)) if replaced => self.queue.changed(bits::POD_ADDED | bits::POD_GONE),
            _ => {}
        }
        self.observe_waiting(change, now);
    }

    fn observe_waiting(&mut self, change: &Change, now: SimTime) {
        let waits = change.new.as_ref().filter(|object| is_ours(object));
        let Some(object) = waits else {
            self.queue.remove(&change.key);
            self.nominated.remove(&change.key);
            return;
        };
        let nominated = object.pod().and_then(|pod| pod.status.nominated_node_name.clone());
        match nominated {
            Some(node) => drop(self.nominated.insert(change.key.clone(), node)),
            None => drop(self.nominated.remove(&change.key)),
        }
        let priority = object.pod().map_or(0, |pod| pod.spec.priority);
        if !self.queue.contains(&change.key) {
            self.queue.add(change.key.clone(), priority, now);
        } else if change.old.as_ref().is_some_and(|old| {
            old.meta.labels != object.meta.labels
                || old.pod().map(|pod| &pod.spec) != object.pod().map(|pod| &pod.spec)
        }) {
            self.queue.wake_one(change.key.clone());
        }
    }

    /// When it has something to do next.
    pub fn next_due(&self, now: SimTime) -> Option<SimTime> {
        self.queue.next_due(now)
    }

    /// Takes the next pods and finds nodes for them.
    pub fn cycle(&mut self, store: &Store, now: SimTime, rng: &mut Rng) -> Plan {
        let mut writes = Vec::new();
        for _ in 0..PODS_A_TURN {
            let Some(key) = self.queue.pop(now) else { break };
            match store.get(Kind::Pod, &key).filter(|object| is_ours(object)) {
                Some(object) => self.schedule(store, &key, object, now, rng, &mut writes),
                None => self.queue.remove(&key),
            }
        }
        Plan::of(writes)
    }

    fn schedule(
        &mut self,
        store: &Store,
        key: &ObjectKey,
        object: &Arc<Object>,
        now: SimTime,
        rng: &mut Rng,
        writes: &mut Vec<Write>,
    ) {
        let nodes = self.snapshot.nodes().len();
        let start = usize::try_from(self.next_start).unwrap_or_default();
        let search = Search::of_cluster(start, nodes);
        if let Some(selector) = plugins::default_spread_selector(store, object) {
            self.snapshot.keep_tally(store, &object.meta.namespace, &selector);
        }
        let snapshot = self.with_nominated(store, key, object);
        let Some((decision, looked_at)) = decide(object, &snapshot, store, search) else {
            return;
        };
        let next = (start + looked_at).checked_rem(nodes).unwrap_or_default();
        self.next_start = u32::try_from(next).unwrap_or_default();
        if let Some(node) = decision.choose(rng) {
            // Nothing shares the node any more, so it is counted in place.
            drop((decision, snapshot));
            let claims = plugins::delayed_claims(store, object);
            if !claims.is_empty() {
                writes.extend(wait_for_volumes(object, &claims, &node));
                self.queue.park(key, bits::VOLUME, now);
                return;
            }
            self.assume(object, &node);
            self.queue.remove(key);
            let message = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
            writes.push(Write::Bind { pod: key.clone(), node });
            writes.push(event(object, false, "Scheduled", message, now));
            return;
        }
        let (after, victims) = cycle::make_room(object, &self.snapshot, store, &decision);
        let message = match nodes {
            0 => "no nodes available to schedule pods".to_owned(),
            _ => decision.message(nodes, &after),
        };
        self.queue.park(key, interests(&decision), now);
        writes.push(event(object, true, "FailedScheduling", message.clone(), now));
        let nominated = victims.as_ref().map(|victims| victims.node.clone());
        writes.extend(unschedulable(object, &message, nominated, now));
        for pod in victims.iter().flat_map(|victims| &victims.pods) {
            writes.extend(remove_victim(pod, object, now));
        }
    }

    /// The nodes with the pods, no less important than this one, that they are being freed for.
    ///
    /// Models pkg/scheduler/framework/runtime RunFilterPluginsWithNominatedPods.
    fn with_nominated(&self, store: &Store, key: &ObjectKey, object: &Object) -> Snapshot {
        let mut snapshot = self.snapshot.clone();
        let priority = |object: &Object| object.pod().map_or(0, |pod| pod.spec.priority);
        for (other, node) in self.nominated.iter().filter(|(other, _)| *other != key) {
            if let Some(pod) = store.get(Kind::Pod, other)
                && priority(pod) >= priority(object)
            {
                snapshot.add_pod(node, pod);
            }
        }
        snapshot
    }

    /// Counts a pod as placed before the store says so.
    fn assume(&mut self, object: &Arc<Object>, node: &Arc<str>) {
        let mut placed = (**object).clone();
        if let Some(pod) = placed.pod_mut() {
            pod.node_name = Some(node.clone());
        }
        self.snapshot.assume(node, &Arc::new(placed));
    }
}

/// Whether a pod needs a node from this scheduler.
fn is_ours(object: &Object) -> bool {
    object.pod().is_some_and(|pod| {
        let tree = &pod.spec.tree;
        pod.node_name.is_none()
            && !object.meta.is_terminating()
            && !pod.status.phase.is_terminal()
            && tree.str_at(&["schedulerName"]).is_none_or(|name| name == NAME)
            && tree.items_at(&["schedulingGates"]).is_empty()
    })
}

/// What could help a pod that these plugins refused.
fn interests(decision: &Decision) -> u32 {
    let of = |plugin: &str| match plugin {
        "NodeResourcesFit" | "NodePorts" => bits::NODE | bits::POD_GONE,
        "PodTopologySpread" | "InterPodAffinity" => bits::NODE | bits::POD_GONE | bits::POD_ADDED,
        "VolumeBinding" => bits::VOLUME | bits::NODE,
        _ => bits::NODE,
    };
    decision.plugins().map(of).fold(bits::NODE, |all, bits| all | bits)
}

fn event(object: &Object, warning: bool, reason: &str, message: String, now: SimTime) -> Write {
    Write::Event(Box::new(Event {
        involved: object.reference(),
        warning,
        reason: reason.into(),
        message: message.into(),
        component: NAME.into(),
        host: INSTANCE.into(),
        first_timestamp: now,
        last_timestamp: now,
        count: 1,
        from_events_api: true,
    }))
}

fn unschedulable(
    object: &Object,
    message: &str,
    nominated: Option<Arc<str>>,
    now: SimTime,
) -> Option<Write> {
    let mut new = object.clone();
    let Body::Pod(pod) = &mut new.body else { return None };
    let why = Some(("Unschedulable", message));
    pod.status.set_condition(ConditionType::PodScheduled, false, why, now);
    if nominated.is_some() {
        pod.status.nominated_node_name = nominated;
    }
    Some(Write::UpdateStatus(Box::new(new)))
}

/// Tells the claims that wait for this pod which node it will be on, and keeps its place there.
///
/// Models plugins/volumebinding PreBind and the feature NominatedNodeNameForExpectation.
fn wait_for_volumes(object: &Object, claims: &[Arc<Object>], node: &Arc<str>) -> Vec<Write> {
    let mut writes = Vec::new();
    for claim in claims {
        let mut new = (**claim).clone();
        if new.meta.annotations.get(SELECTED_NODE) != Some(&**node) {
            new.meta.annotations.set(SELECTED_NODE, node);
            writes.push(Write::Update(Box::new(new)));
        }
    }
    let mut new = object.clone();
    if let Some(pod) = new.pod_mut() {
        pod.status.nominated_node_name = Some(node.clone());
    }
    writes.push(Write::UpdateStatus(Box::new(new)));
    writes
}

/// Models pkg/scheduler/framework/preemption/executor.go.
fn remove_victim(victim: &Arc<Object>, preemptor: &Object, now: SimTime) -> Vec<Write> {
    let Some(facts) = victim.pod() else { return Vec::new() };
    if victim.meta.is_terminating() {
        return Vec::new();
    }
    let node = facts.node_name.as_deref().unwrap_or_default();
    let mut new = (**victim).clone();
    if let Some(pod) = new.pod_mut() {
        let message = format!("{NAME}: preempting to accommodate a higher priority pod");
        let why = Some(("PreemptionByScheduler", message.as_str()));
        pod.status.set_condition(ConditionType::DisruptionTarget, true, why, now);
    }
    let message = format!("Preempted by pod {} on node {node}", preemptor.meta.uid);
    let key = Key::of(victim);
    let options = DeleteOptions { uid: Some(victim.meta.uid), ..DeleteOptions::default() };
    vec![
        Write::UpdateStatus(Box::new(new)),
        Write::Delete { key, options },
        event(victim, false, "Preempted", message, now),
    ]
}
