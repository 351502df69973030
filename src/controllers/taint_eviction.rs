//! `NoExecute` taints send away the pods that do not tolerate them, or no longer.
//!
//! Models pkg/controller/tainteviction/taint_eviction.go.
//!
//! Simplified: a taint that says no `timeAdded` counts from the moment its pod started.

use crate::api::pod::{ConditionType, Effect, Taint, Toleration};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use core::time::Duration;

const NAME: &str = "taint-eviction-controller";

/// The controller of evictions by taint.
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
                let node = |object: &Option<std::sync::Arc<Object>>| {
                    object.as_ref().and_then(|o| o.pod()?.node_name.clone())
                };
                let new = node(&change.new);
                if new.is_none() || new == node(&change.old) {
                    return Vec::new();
                }
                vec![Key { kind: Kind::Pod, object: change.key.clone() }]
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(object) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(pod) = object.pod().filter(|_| !object.meta.is_terminating()) else {
            return Plan::default();
        };
        let node = pod.node_name.as_ref().and_then(|name| store.find(Kind::Node, "", name));
        let Some(node) = node else { return Plan::default() };
        let taints = no_execute(node);
        if taints.is_empty() {
            return Plan::default();
        }
        let started = pod.status.start_time.unwrap_or(object.meta.creation_timestamp);
        let due = match eviction_time(&taints, &pod.spec.tolerations, started) {
            Eviction::Never => return Plan::default(),
            Eviction::Now => now,
            Eviction::At(time) => time,
        };
        if due > now {
            return Plan { writes: Vec::new(), requeue_after: Some(due.since(now)) };
        }
        let message =
            format!("Marking for deletion Pod {}/{}", key.object.namespace, key.object.name);
        let mut new = (**object).clone();
        if let Some(state) = new.pod_mut() {
            let message = "Taint manager: deleting due to NoExecute taint";
            let why = Some(("DeletionByTaintManager", message));
            state.status.set_condition(ConditionType::DisruptionTarget, true, why, now);
        }
        Plan::of(vec![
            Write::event(object.reference(), false, "TaintManagerEviction", message, NAME, now),
            Write::UpdateStatus(Box::new(new)),
            Write::delete(object),
        ])
    }
}

/// The `NoExecute` taints of a node, each with when it was added.
fn no_execute(node: &std::sync::Arc<Object>) -> Vec<(Taint, Option<SimTime>)> {
    let all = node.spec().items_at(&["taints"]).iter();
    let taints = all.filter_map(|value| {
        let added = value.str_at(&["timeAdded"]).and_then(SimTime::parse_rfc3339);
        Some((Taint::from_value(value)?, added))
    });
    taints.filter(|(taint, _)| taint.effect == Effect::NoExecute).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Eviction {
    Never,
    Now,
    At(SimTime),
}

/// When a pod has to go: at once if a taint is not tolerated, else when the shortest toleration
/// runs out.
fn eviction_time(
    taints: &[(Taint, Option<SimTime>)],
    tolerations: &[Toleration],
    started: SimTime,
) -> Eviction {
    let mut due: Option<SimTime> = None;
    for (taint, added) in taints {
        let Some(toleration) = tolerations.iter().find(|t| t.tolerates(taint)) else {
            return Eviction::Now;
        };
        if let Some(seconds) = toleration.seconds {
            let seconds = u64::try_from(seconds).unwrap_or_default();
            let time = added.unwrap_or(started) + Duration::from_secs(seconds);
            due = Some(due.map_or(time, |earlier| earlier.min(time)));
        }
    }
    due.map_or(Eviction::Never, Eviction::At)
}
