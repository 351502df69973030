//! Nodes that fall silent, and the pods they leave behind.
//!
//! Models pkg/controller/nodelifecycle and pkg/controller/podgc.
//!
//! Simplified: eviction is not slowed down when many nodes of a zone are gone.

use super::conditions::Conditions;
use crate::api::pod::ConditionType;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, DeleteOptions, Key, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "node-controller";
/// How long a kubelet may be silent.
const GRACE_PERIOD: Duration = Duration::from_secs(50);
/// How often all nodes are looked at.
const MONITOR_PERIOD: u64 = 5;
/// The conditions that a silent kubelet no longer vouches for.
const VOUCHED: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// The controller that watches over nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeLifecycle;

impl Controller for NodeLifecycle {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::Node if change.new.is_some() => {
                vec![Key { kind: Kind::Node, object: change.key.clone() }]
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(node) = store.get(key.kind, &key.object) else { return Plan::default() };
        let into_period = now.since(SimTime::WORLD_START).as_secs() % MONITOR_PERIOD;
        let requeue_after = Some(Duration::from_secs(MONITOR_PERIOD - into_period));
        let mut writes = Vec::new();
        if now.since(node.meta.creation_timestamp) < Duration::from_secs(1) {
            writes.extend(registered(store, node, now));
        }
        let silent = last_heard(store, node).is_some_and(|last| now.since(last) > GRACE_PERIOD);
        let ready = ready_status(node);
        if silent && ready != Some("Unknown") {
            writes.extend(mark_silent(store, node, now));
            return Plan { writes, requeue_after };
        }
        writes.extend(taint(node, now));
        Plan { writes, requeue_after }
    }
}

/// A node that is seen for the first time.
fn registered(store: &Store, node: &Arc<Object>, now: SimTime) -> Option<Write> {
    let mut events = store.events_about("", &node.meta.name).filter_map(|object| object.event());
    if events.any(|event| &*event.reason == "RegisteredNode") {
        return None;
    }
    let name = &node.meta.name;
    let message = format!("Node {name} event: Registered Node {name} in Controller");
    Some(Write::event(node.reference(), false, "RegisteredNode", message, NAME, now))
}

fn last_heard(store: &Store, node: &Object) -> Option<SimTime> {
    let lease = store.find(Kind::Lease, "kube-node-lease", &node.meta.name);
    let renewed = lease.and_then(|lease| lease.spec().str_at(&["renewTime"]));
    let renewed = renewed.and_then(SimTime::parse_rfc3339);
    let posted = node.status().items_at(&["conditions"]).iter().filter_map(|condition| {
        condition.str_at(&["lastHeartbeatTime"]).and_then(SimTime::parse_rfc3339)
    });
    posted.chain(renewed).max()
}

fn ready_status(node: &Object) -> Option<&str> {
    let conditions = node.status().items_at(&["conditions"]).iter();
    let mut ready = conditions.filter(|condition| condition.str_at(&["type"]) == Some("Ready"));
    ready.next()?.str_at(&["status"])
}

/// Models node_lifecycle_controller.go tryUpdateNodeHealth and MarkPodsNotReady.
fn mark_silent(store: &Store, node: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let mut new = (**node).clone();
    let mut status = node.status().clone();
    let mut conditions = status.items_at(&["conditions"]).to_vec();
    for condition in &mut conditions {
        let vouched = condition.str_at(&["type"]).is_some_and(|name| VOUCHED.contains(&name));
        if vouched && condition.str_at(&["status"]) != Some("Unknown") {
            condition.put(&["status"], "Unknown");
            condition.put(&["reason"], "NodeStatusUnknown");
            condition.put(&["message"], "Kubelet stopped posting node status.");
            condition.put(&["lastTransitionTime"], now.rfc3339());
        }
    }
    status.put(&["conditions"], conditions);
    new.set_status(status);
    let message = format!("Node {} status is now: NodeNotReady", node.meta.name);
    let mut writes = vec![
        Write::UpdateStatus(Box::new(new)),
        Write::event(node.reference(), false, "NodeNotReady", message, NAME, now),
    ];
    for pod in store.pods_on(&node.meta.name) {
        let mut new = (**pod).clone();
        let Some(state) = new.pod_mut() else { continue };
        if !state.status.is_ready() {
            continue;
        }
        state.status.set_condition(ConditionType::Ready, false, None, now);
        writes.push(Write::UpdateStatus(Box::new(new)));
        let about = pod.reference();
        let message = "Node is not ready";
        writes.push(Write::event(about, true, "NodeNotReady", message, NAME, now));
    }
    writes
}

/// The taints that follow from a node's conditions and from its cordon.
///
/// Models node_lifecycle_controller.go doNoScheduleTaintingPass, doNoExecuteTaintingPass.
fn taint(node: &Arc<Object>, now: SimTime) -> Option<Write> {
    let conditions = Conditions::of(node.status());
    let ready = ready_status(node);
    let taint =
        |name: &str, effect: &str| (format!("node.kubernetes.io/{name}"), effect.to_owned());
    let mut wanted: Vec<(String, String)> = Vec::new();
    let state = match ready {
        Some("True") => None,
        Some("False") => Some("not-ready"),
        _ => Some("unreachable"),
    };
    wanted.extend(state.map(|name| taint(name, "NoSchedule")));
    let pressures = [
        ("MemoryPressure", "memory-pressure"),
        ("DiskPressure", "disk-pressure"),
        ("PIDPressure", "pid-pressure"),
        ("NetworkUnavailable", "network-unavailable"),
    ];
    let pressed = pressures.iter().filter(|(condition, _)| conditions.is_true(condition));
    wanted.extend(pressed.map(|(_, name)| taint(name, "NoSchedule")));
    if node.spec().bool_at(&["unschedulable"]).unwrap_or_default() {
        wanted.push(taint("unschedulable", "NoSchedule"));
    }
    wanted.extend(state.map(|name| taint(name, "NoExecute")));
    let ours: Vec<String> = ["not-ready", "unreachable", "unschedulable"]
        .into_iter()
        .chain(pressures.iter().map(|(_, name)| *name))
        .map(|name| format!("node.kubernetes.io/{name}"))
        .collect();
    let old = node.spec().items_at(&["taints"]);
    let pair = |taint: &Value| {
        let text = |key| taint.str_at(&[key]).unwrap_or_default().to_owned();
        (text("key"), text("effect"))
    };
    let mut taints: Vec<Value> = old
        .iter()
        .filter(|taint| {
            let pair = pair(taint);
            !ours.contains(&pair.0) || wanted.contains(&pair)
        })
        .cloned()
        .collect();
    for (key, effect) in &wanted {
        if !taints.iter().any(|taint| pair(taint) == (key.clone(), effect.clone())) {
            taints.push(json!({"key": key, "effect": effect, "timeAdded": now.rfc3339()}));
        }
    }
    if taints == old {
        return None;
    }
    let mut new = (**node).clone();
    let mut spec = node.spec().clone();
    match taints.is_empty() {
        true => drop(spec.remove(&["taints"])),
        false => spec.put(&["taints"], taints),
    }
    new.set_spec(spec);
    Some(Write::Update(Box::new(new)))
}

/// The controller that clears away the pods of nodes that exist no more, and those that were
/// deleted before they had a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrphanedPods;

impl Controller for OrphanedPods {
    fn name(&self) -> &'static str {
        "pod-garbage-collector"
    }

    /// The quarantine of a node that is gone.
    fn delay(&self, _change: &Change) -> Duration {
        Duration::from_secs(40)
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::Node if change.new.is_none() => {
                vec![Key { kind: Kind::Node, object: change.key.clone() }]
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        if store.get(key.kind, &key.object).is_some() {
            return Plan::default();
        }
        let force = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        let writes = store.pods_on(&key.object.name).flat_map(|pod| {
            let mut new = (**pod).clone();
            if let Some(state) = new.pod_mut() {
                let why = Some(("DeletionByPodGC", "PodGC: node no longer exists"));
                state.status.set_condition(ConditionType::DisruptionTarget, true, why, now);
                if !state.status.phase.is_terminal() {
                    state.status.phase = crate::api::pod::Phase::Failed;
                }
            }
            let delete = Write::Delete { key: Key::of(pod), options: force.clone() };
            [Write::UpdateStatus(Box::new(new)), delete]
        });
        Plan::of(writes.collect())
    }
}
