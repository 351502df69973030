//! The scheduler: it finds a node for each pod that has none.
//!
//! Filters refuse nodes, scores rank those that are left, a lot decides among the best. It keeps a
//! cache of nodes and pods, fed by the changes of the store, and assumes a pod placed as soon as it
//! has decided, as the real one does.
//!
//! Simplified: no profiles, extenders, dynamic resources or gang scheduling.
//!
//! Reading order: `framework.rs`, `plugins/`, `cycle.rs`, `verdicts.rs`, `preemption.rs`,
//! `binding.rs`, `queue.rs`, `hints.rs`, `node_info.rs`, `tally.rs`, `explain.rs`.

pub mod affinity;
mod binding;
mod cycle;
mod explain;
mod framework;
mod hints;
mod node_info;
mod plugins;
mod preemption;
mod queue;
mod tally;
mod verdicts;

pub use cycle::{Decision, Search, decide};
pub use explain::{PodSource, explain, explain_state, explain_texts, explanation_table};
pub use framework::{Normalization, Rejection, Scores};
pub use node_info::{NodeInfo, Snapshot};

use crate::api::pod::ConditionType;
use crate::api::tree::Tree as _;
use crate::api::{Body, Event, Kind, Object, Selector};
use crate::base::{Map, Rng, SimTime};
use crate::store::{Change, DeleteOptions, Key, ObjectKey, Plan, Store, Write};
use binding::Binding;
use cycle::Candidates;
use framework::Cycle;
use hints::News;
use queue::Queue;
use std::sync::Arc;

/// The name that pods ask for it by.
pub const NAME: &str = "default-scheduler";

/// The instance that its events name: it runs on the control plane's machine.
const INSTANCE: &str = "default-scheduler-cp-1";

/// How many pods one turn takes.
const PODS_A_TURN: usize = 64;

/// The scheduler's own memory.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    snapshot: Snapshot,
    queue: Queue,
    /// Where the next search begins on large clusters.
    next_start: u32,
    /// Pods for which preemption frees a node.
    nominated: Map<ObjectKey, Arc<str>>,
    /// Pods that have a node and wait for their volumes.
    binding: Map<ObjectKey, Binding>,
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
    ///
    /// Models pkg/scheduler/eventhandlers.go.
    pub fn observe(&mut self, store: &Store, change: &Change, now: SimTime) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        match (change.kind, new) {
            (Kind::Node, _) => self.observe_node(store, change, now),
            (Kind::Pod, _) => self.observe_pod(store, change, now),
            (Kind::PersistentVolumeClaim, Some(_)) => {
                let news = News::Claim { key: &change.key, is_new: old.is_none() };
                self.wake(store, news, now);
            }
            (Kind::PersistentVolume, Some(new)) => {
                self.wake(store, News::Volume { old, new }, now);
            }
            (Kind::StorageClass, Some(new)) => self.wake(store, News::Class { old, new }, now),
            _ => {}
        }
    }

    /// Tries the pods again that some news could help.
    fn wake(&mut self, store: &Store, news: News<'_>, now: SimTime) {
        let could_help = |key: &ObjectKey, refused_by: u32| {
            let pod = store.get(Kind::Pod, key);
            pod.is_some_and(|pod| news.could_help(store, pod, refused_by & news.interested()))
        };
        let refused = self.queue.refused_by(news.interested());
        let woken: Vec<ObjectKey> =
            refused.filter(|(key, by)| could_help(key, *by)).map(|(key, _)| key.clone()).collect();
        woken.iter().for_each(|key| self.queue.wake(key, now));
    }

    fn observe_node(&mut self, store: &Store, change: &Change, now: SimTime) {
        let news = match (&change.old, &change.new) {
            (Some(old), None) => {
                self.snapshot.remove_node(&change.key.name);
                News::NodeGone(old)
            }
            (None, Some(new)) => {
                self.snapshot.set_node(new);
                News::NodeAdded(new)
            }
            (Some(old), Some(new)) if is_another(old, new) => {
                self.snapshot.set_node(new);
                News::NodeChanged { old, new }
            }
            _ => return,
        };
        self.wake(store, news, now);
    }

    fn observe_pod(&mut self, store: &Store, change: &Change, now: SimTime) {
        let place = |object: &Arc<Object>| {
            let pod = object.pod()?;
            pod.node_name.clone().filter(|_| !pod.status.phase.is_terminal())
        };
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        let (before, after) = (old.and_then(place), new.and_then(place));
        if after.is_some() || new.is_none() {
            self.snapshot.confirm(&change.key);
        }
        let relabelled = old.zip(new).is_some_and(|(old, new)| old.meta.labels != new.meta.labels);
        let replaced = relabelled
            || old
                .zip(new)
                .is_some_and(|(old, new)| old.meta.is_terminating() != new.meta.is_terminating());
        if before != after || replaced {
            if let (Some(node), Some(old)) = (&before, old) {
                self.snapshot.remove_pod(node, old.meta.uid);
            }
            if let (Some(node), Some(new)) = (&after, new) {
                // Assumed already, perhaps.
                if before.is_some() || !self.snapshot.settle(node, new) {
                    self.snapshot.remove_pod(node, new.meta.uid);
                    self.snapshot.add_pod(node, new);
                }
            }
        } else if let (Some(node), Some(new)) = (&after, new) {
            self.snapshot.replace_pod(node, new);
        }
        match (&before, &after, old, new) {
            (Some(_), None, Some(old), _) => self.wake(store, News::PodGone(old), now),
            (None, Some(_), _, Some(new)) => {
                self.queue.remove(&change.key);
                self.binding.remove(&change.key);
                self.wake(store, News::PodAdded(new), now);
            }
            (Some(_), Some(_), Some(old), Some(new)) if relabelled => {
                self.wake(store, News::PodChanged { old, new }, now);
            }
            _ => {}
        }
        self.observe_waiting(store, change, now);
    }

    fn observe_waiting(&mut self, store: &Store, change: &Change, now: SimTime) {
        let nominated = |object: &Arc<Object>| {
            let pod = object.pod().filter(|pod| pod.node_name.is_none())?;
            pod.status.nominated_node_name.clone()
        };
        let waits = change.new.as_ref().filter(|object| is_ours(object));
        if let Some(old) = change.old.as_ref().filter(|old| nominated(old).is_some())
            && change.new.as_ref().is_none_or(|new| {
                nominated(new) != nominated(old) && new.pod().is_some_and(|p| p.node_name.is_none())
            })
        {
            // Room that was kept for it is free.
            self.wake(store, News::PodGone(old), now);
        }
        let Some(object) = waits else {
            self.queue.remove(&change.key);
            self.nominated.remove(&change.key);
            self.give_up_binding(store, &change.key, now);
            return;
        };
        match nominated(object) {
            Some(node) => drop(self.nominated.insert(change.key.clone(), node)),
            None => drop(self.nominated.remove(&change.key)),
        }
        if self.binding.contains_key(&change.key) {
            return;
        }
        let priority = object.pod().map_or(0, |pod| pod.spec.priority);
        if !self.queue.contains(&change.key) {
            self.queue.add(change.key.clone(), priority, now);
        } else if let Some(old) = &change.old {
            let news = News::Itself { old, new: object };
            let refused = self.queue.refused_by(news.interested());
            let by = refused.filter(|(key, _)| **key == change.key).map(|(_, by)| by).next();
            if by.is_some_and(|by| news.could_help(store, object, by & news.interested())) {
                self.queue.wake(&change.key, now);
            }
        }
    }

    /// A pod went while its volumes were being bound.
    fn give_up_binding(&mut self, store: &Store, key: &ObjectKey, now: SimTime) {
        if let Some(binding) = self.binding.remove(key) {
            self.snapshot.remove_pod(&binding.node, binding.pod.meta.uid);
            self.snapshot.confirm(key);
            self.wake(store, News::PodGone(&binding.pod), now);
        }
    }

    /// When it has something to do next.
    pub fn next_due(&self, now: SimTime) -> Option<SimTime> {
        let polls = self.binding.values().map(|binding| binding.next).min();
        polls.into_iter().chain(self.queue.next_due(now)).min()
    }

    /// Takes the next pods and finds nodes for them.
    pub fn cycle(&mut self, store: &Store, now: SimTime, rng: &mut Rng) -> Plan {
        let candidates = Candidates::default();
        let mut turn = Turn { store, now, rng, writes: Vec::new(), spread: None, candidates };
        self.poll_bindings(store, now, &mut turn.writes);
        for _ in 0..PODS_A_TURN {
            let Some(key) = self.queue.pop(now) else { break };
            match store.get(Kind::Pod, &key).filter(|object| is_ours(object)) {
                Some(object) => self.schedule(&mut turn, &key, object),
                None => self.queue.remove(&key),
            }
        }
        Plan::of(turn.writes)
    }

    fn schedule(&mut self, turn: &mut Turn<'_>, key: &ObjectKey, object: &Arc<Object>) {
        let nodes = self.snapshot.nodes().len();
        let start = usize::try_from(self.next_start).unwrap_or_default();
        let search = Search::of_cluster(start, nodes);
        let spread = turn.spread(object);
        if let Some(selector) = &spread {
            self.snapshot.keep_tally(turn.store, &object.meta.namespace, selector);
        }
        if let Some((node, looked_at)) = self.place_quickly(turn, key, object, search) {
            self.begin_next_search(start + looked_at);
            return self.place(turn, key, object, &node);
        }
        let snapshot = self.with_nominated(turn.store, key, object);
        let Some((decision, looked_at)) = decide(object, &snapshot, turn.store, search) else {
            return;
        };
        self.begin_next_search(start + looked_at);
        if let Some(node) = decision.choose(turn.rng) {
            // Nothing shares the node any more, so it is counted in place.
            drop((decision, snapshot));
            return self.place(turn, key, object, &node);
        }
        self.refuse(turn, key, object, &decision);
    }

    /// No node will do: others may have to make room, and the pod waits.
    #[inline(never)]
    fn refuse(
        &mut self,
        turn: &mut Turn<'_>,
        key: &ObjectKey,
        object: &Arc<Object>,
        decision: &Decision,
    ) {
        let nodes = self.snapshot.nodes().len();
        let (after, victims) = cycle::make_room(object, &self.snapshot, turn.store, decision);
        let message = match nodes {
            0 => "no nodes available to schedule pods".to_owned(),
            _ => decision.message(nodes, &after),
        };
        let now = turn.now;
        self.queue.park(key, refused_by(decision), now);
        turn.writes.push(event(object, true, "FailedScheduling", message.clone(), now));
        let nominated = victims.as_ref().map(|victims| victims.node.clone());
        turn.writes.extend(unschedulable(object, &message, nominated, now));
        for pod in victims.iter().flat_map(|victims| &victims.pods) {
            turn.writes.extend(remove_victim(pod, object, now));
        }
    }

    /// The next search begins where this one ended.
    fn begin_next_search(&mut self, place: usize) {
        let next = place.checked_rem(self.snapshot.nodes().len()).unwrap_or_default();
        self.next_start = u32::try_from(next).unwrap_or_default();
    }

    /// Finds a node by what is known of nodes for pods like this one, if that is enough to know.
    fn place_quickly(
        &mut self,
        turn: &mut Turn<'_>,
        key: &ObjectKey,
        object: &Arc<Object>,
        search: Search,
    ) -> Option<(Arc<str>, usize)> {
        if self.nominated.keys().any(|other| other != key) {
            return None;
        }
        let spec = &object.pod()?.spec;
        let mut verdicts = core::mem::take(&mut self.snapshot.verdicts);
        let spread = turn.spread(object);
        let cycle = Cycle {
            pod: object,
            spec,
            snapshot: &self.snapshot,
            store: turn.store,
            spread: spread.as_ref(),
        };
        let known = verdicts.of(spec, self.snapshot.nodes().len());
        let placed = cycle::decide_quickly(&cycle, known, search, &mut turn.candidates, turn.rng);
        self.snapshot.verdicts = verdicts;
        placed
    }

    /// A pod gets a node.
    fn place(
        &mut self,
        turn: &mut Turn<'_>,
        key: &ObjectKey,
        object: &Arc<Object>,
        node: &Arc<str>,
    ) {
        self.assume(object, node);
        self.queue.placed(key);
        if !self.begin_binding(turn.store, object, node, turn.now, &mut turn.writes) {
            turn.writes.extend(bind(object, node, turn.now));
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

/// The pods that are taken one after the other while the store stands still.
struct Turn<'a> {
    store: &'a Store,
    now: SimTime,
    rng: &'a mut Rng,
    writes: Vec<Write>,
    /// The last pod and what it is spread among: the next is often of the same template.
    spread: Option<(Arc<Object>, Option<Arc<Selector>>)>,
    candidates: Candidates,
}

impl Turn<'_> {
    /// Which pods a pod is spread among without having asked for it.
    fn spread(&mut self, pod: &Arc<Object>) -> Option<Arc<Selector>> {
        let is_like = |last: &Object| {
            let (last, new) = (&last.meta, &pod.meta);
            last.namespace == new.namespace
                && last.labels.same(&new.labels)
                && Arc::ptr_eq(&last.owner_references, &new.owner_references)
        };
        if let Some((_, selector)) = self.spread.as_ref().filter(|(last, _)| is_like(last)) {
            return selector.clone();
        }
        let selector = plugins::default_spread_selector(self.store, pod).map(Arc::new);
        self.spread = Some((pod.clone(), selector.clone()));
        selector
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

/// Whether anything of a node changed that the scheduler looks at.
fn is_another(old: &Object, new: &Object) -> bool {
    let status = |node: &Object, key: &str| node.status().at(&[key]).cloned();
    old.content() != new.content()
        || old.meta.labels != new.meta.labels
        || ["allocatable", "images"].iter().any(|key| status(old, key) != status(new, key))
}

/// The plugins that refused a pod.
fn refused_by(decision: &Decision) -> u32 {
    // Where there is no node at all, any change may help.
    let all = decision.plugins().fold(0, |all, plugin| all | hints::bit(plugin));
    if all == 0 { u32::MAX } else { all }
}

fn bind(object: &Object, node: &Arc<str>, now: SimTime) -> [Write; 2] {
    let key = ObjectKey::of(object);
    let message = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
    [Write::Bind { pod: key, node: node.clone() }, event(object, false, "Scheduled", message, now)]
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
        written: None,
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
