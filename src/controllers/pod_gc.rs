//! Pods that nobody else would clear away: those of nodes that do not exist, those that are going
//! on a node that is out of service, and those that were deleted before they had a node.
//!
//! Models pkg/controller/podgc/gc_controller.go. What has ended stays: upstream's limit of 12,500
//! ended pods is beyond what a person looks at.

use crate::api::pod::{ConditionType, Phase};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, DeleteOptions, Key, Note, ObjectKey, Plan, Store, Write};
use core::time::Duration;
use std::sync::Arc;

const NAME: &str = "pod-garbage-collector";
/// Between two looks.
const PERIOD: Duration = Duration::from_secs(20);
/// How long a node must be missing.
const QUARANTINE: Duration = Duration::from_secs(40);
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// The garbage collector of pods. For a node that is missing, a [`Note`] says until when it waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct PodGarbageCollector;

impl Controller for PodGarbageCollector {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let own = Key { kind: change.kind, object: change.key.clone() };
        let wanted = match (change.kind, &change.new) {
            (Kind::Node, Some(node)) => is_out_of_service(node).then_some(own),
            (Kind::Node, None) => Some(own),
            (Kind::Pod, Some(pod)) => stranded(store, change.old.as_deref(), pod, own),
            _ => None,
        };
        wanted.into_iter().collect()
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let into_period = now.since(SimTime::WORLD_START).as_micros() % PERIOD.as_micros();
        if into_period != 0 {
            let left =
                PERIOD - Duration::from_micros(u64::try_from(into_period).unwrap_or_default());
            return Plan { writes: Vec::new(), requeue_after: Some(left) };
        }
        let object = store.get(key.kind, &key.object);
        if key.kind == Kind::Pod {
            let unscheduled = object.filter(|pod| pod.meta.is_terminating() && node(pod).is_none());
            return Plan::of(
                unscheduled.map(|pod| fail_and_delete(pod, None, now)).unwrap_or_default(),
            );
        }
        match object {
            None => orphaned(store, key, now),
            Some(node) => {
                let mut writes = forget(store, key);
                if is_out_of_service(node) {
                    let pods = store.pods_on(&node.meta.name);
                    let going = pods.filter(|pod| pod.meta.is_terminating());
                    writes.extend(going.flat_map(|pod| fail_and_delete(pod, None, now)));
                }
                Plan::of(writes)
            }
        }
    }
}

fn node(pod: &Object) -> Option<&Arc<str>> {
    pod.pod()?.node_name.as_ref()
}

/// What has to be looked at because of a pod that changed.
fn stranded(store: &Store, old: Option<&Object>, pod: &Object, own: Key) -> Option<Key> {
    let was_going = old.is_some_and(|old| old.meta.is_terminating());
    let is_going = pod.meta.is_terminating();
    let Some(name) = node(pod) else {
        return (is_going && !was_going).then_some(own);
    };
    let (is_new_there, begins_to_go) = (old.and_then(node) != Some(name), is_going && !was_going);
    if !is_new_there && !begins_to_go {
        return None;
    }
    let is_stranded = match store.find(Kind::Node, "", name) {
        None => is_new_there,
        Some(machine) => begins_to_go && is_out_of_service(machine),
    };
    is_stranded.then(|| Key { kind: Kind::Node, object: ObjectKey::new("", name) })
}

/// Whether a person has said that a node that is not ready will not come back.
fn is_out_of_service(node: &Object) -> bool {
    let mut taints = node.spec().items_at(&["taints"]).iter();
    let conditions = node.status().items_at(&["conditions"]);
    taints.any(|taint| taint.str_at(&["key"]) == Some(OUT_OF_SERVICE))
        && !conditions.iter().any(|condition| {
            condition.str_at(&["type"]) == Some("Ready")
                && condition.str_at(&["status"]) == Some("True")
        })
}

/// Models gc_controller.go gcOrphaned.
fn orphaned(store: &Store, key: &Key, now: SimTime) -> Plan {
    let pods = || store.pods_on(&key.object.name);
    if pods().next().is_none() {
        return Plan::of(forget(store, key));
    }
    match store.note(NAME, key) {
        None => {
            let note = Note { since: now, until: now + QUARANTINE, count: 1, ..Note::default() };
            let write = Write::Note { writer: NAME, key: key.clone(), note: Some(note) };
            Plan { writes: vec![write], requeue_after: Some(QUARANTINE) }
        }
        Some(note) if note.until > now => {
            Plan { writes: Vec::new(), requeue_after: Some(note.until.since(now)) }
        }
        Some(_) => {
            let why = Some(("DeletionByPodGC", "PodGC: node no longer exists"));
            let deletions = pods().flat_map(|pod| fail_and_delete(pod, why, now));
            Plan::of(deletions.chain(forget(store, key)).collect())
        }
    }
}

fn forget(store: &Store, key: &Key) -> Vec<Write> {
    let note = store.note(NAME, key);
    let forget = |_| Write::Note { writer: NAME, key: key.clone(), note: None };
    note.map(forget).into_iter().collect()
}

/// Models gc_controller.go markFailedAndDeletePodWithCondition.
fn fail_and_delete(pod: &Arc<Object>, why: Option<(&str, &str)>, now: SimTime) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut new = (**pod).clone();
    if let Some(state) = new.pod_mut().filter(|state| !state.status.phase.is_terminal()) {
        state.status.phase = Phase::Failed;
        if why.is_some() {
            state.status.set_condition(ConditionType::DisruptionTarget, true, why, now);
        }
        writes.push(Write::UpdateStatus(Box::new(new)));
    }
    let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    writes.push(Write::Delete { key: Key::of(pod), options });
    writes
}
