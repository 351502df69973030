//! `NoExecute` taints send away the pods that do not tolerate them, or no longer.
//!
//! Models pkg/controller/tainteviction/taint_eviction.go.

use crate::api::pod::{ConditionType, Effect, Taint, Toleration};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, ObjectReference};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Note, Plan, Store, Write};
use core::time::Duration;
use std::sync::Arc;

const NAME: &str = "taint-eviction-controller";

/// The controller of evictions by taint.
///
/// When a pod has to go is a [`Note`]: `since` it was decided, `until` it is carried out. The
/// toleration counts from the moment this loop sees the taint, whatever the taint's `timeAdded`
/// says, and what is once decided stays as long as every taint is tolerated for a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaintEviction;

impl Controller for TaintEviction {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::Node => {
                let taints = |object: &Option<_>| object.as_ref().map(no_execute);
                if change.new.is_none() || taints(&change.old) == taints(&change.new) {
                    return Vec::new();
                }
                store.pods_on(&change.key.name).map(|pod| Key::of(pod)).collect()
            }
            Kind::Pod => {
                let key = Key { kind: Kind::Pod, object: change.key.clone() };
                let concerned = match &change.new {
                    Some(new) => placed_anew(change.old.as_deref(), new),
                    None => store.note(NAME, &key).is_some(),
                };
                if concerned { vec![key] } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let planned = store.note(NAME, key);
        let Some(object) = store.get(key.kind, &key.object) else {
            return planned.map_or_else(Plan::default, |_| cancel(key, now));
        };
        if planned.is_some_and(|note| note.until <= now) {
            return Plan::of(carry_out(object, key, now));
        }
        let Some(pod) = object.pod() else { return Plan::default() };
        let node = pod.node_name.as_ref().and_then(|name| store.find(Kind::Node, "", name));
        let Some(node) = node else { return wait(planned, now) };
        match patience(&no_execute(node), &pod.spec.tolerations) {
            Patience::Endless => planned.map_or_else(Plan::default, |_| cancel(key, now)),
            Patience::None => {
                let mut plan = planned.map_or_else(Plan::default, |_| cancel(key, now));
                plan.writes.extend(carry_out(object, key, now));
                plan
            }
            Patience::For(_) if planned.is_some() => wait(planned, now),
            Patience::For(time) => {
                let note = Note { since: now, until: now + time, count: 1, ..Note::default() };
                let write = Write::Note { writer: NAME, key: key.clone(), note: Some(note) };
                Plan { writes: vec![write], requeue_after: Some(time) }
            }
        }
    }
}

/// Whether a pod is new on its node, or tolerates something else than before.
fn placed_anew(old: Option<&Object>, new: &Object) -> bool {
    let Some(pod) = new.pod().filter(|pod| pod.node_name.is_some()) else { return false };
    old.and_then(Object::pod).is_none_or(|old| {
        old.node_name != pod.node_name
            || !Arc::ptr_eq(&old.spec, &pod.spec) && old.spec.tolerations != pod.spec.tolerations
    })
}

/// Looks again when the planned eviction is due.
fn wait(planned: Option<Note>, now: SimTime) -> Plan {
    let after = planned.map(|note| note.until.since(now));
    Plan { writes: Vec::new(), requeue_after: after }
}

/// Gives up a planned eviction.
fn cancel(key: &Key, now: SimTime) -> Plan {
    Plan::of(vec![event("Cancelling deletion of Pod", key, now), forget(key)])
}

/// Evicts a pod.
fn carry_out(object: &Arc<Object>, key: &Key, now: SimTime) -> Vec<Write> {
    let mut new = (**object).clone();
    if let Some(state) = new.pod_mut() {
        let message = "Taint manager: deleting due to NoExecute taint";
        let why = Some(("DeletionByTaintManager", message));
        state.status.set_condition(ConditionType::DisruptionTarget, true, why, now);
    }
    vec![
        event("Marking for deletion Pod", key, now),
        Write::UpdateStatus(Box::new(new)),
        Write::delete(object),
        forget(key),
    ]
}

fn event(what: &str, key: &Key, now: SimTime) -> Write {
    let (namespace, name) = (&key.object.namespace, &key.object.name);
    let about = ObjectReference::by_name(key.kind, namespace.clone(), name.clone());
    let message = format!("{what} {namespace}/{name}");
    Write::event(about, false, "TaintManagerEviction", message, NAME, now)
}

fn forget(key: &Key) -> Write {
    Write::Note { writer: NAME, key: key.clone(), note: None }
}

/// The `NoExecute` taints of a node.
fn no_execute(node: &Arc<Object>) -> Vec<Taint> {
    let taints = node.spec().items_at(&["taints"]).iter().filter_map(Taint::from_value);
    taints.filter(|taint| taint.effect == Effect::NoExecute).collect()
}

/// How long a pod may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    Endless,
    For(Duration),
    None,
}

/// How long the taints are tolerated: not at all if one is not, else as long as the shortest
/// toleration.
///
/// Models pkg/controller/tainteviction/taint_eviction.go getMinTolerationTime.
fn patience(taints: &[Taint], tolerations: &[Toleration]) -> Patience {
    let mut shortest: Option<i64> = None;
    for taint in taints {
        let Some(toleration) = tolerations.iter().find(|t| t.tolerates(taint)) else {
            return Patience::None;
        };
        shortest = shortest.into_iter().chain(toleration.seconds).min();
    }
    match shortest.map(u64::try_from) {
        None => Patience::Endless,
        Some(Ok(seconds)) if seconds > 0 => Patience::For(Duration::from_secs(seconds)),
        Some(_) => Patience::None,
    }
}
