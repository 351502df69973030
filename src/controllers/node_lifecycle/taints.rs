//! The taints that follow from a node's conditions and from its cordon.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use serde_json::json;
use std::sync::Arc;

/// Which condition in which state gives which taint.
const BY_CONDITION: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const NO_SCHEDULE: &str = "NoSchedule";
const NO_EXECUTE: &str = "NoExecute";

/// The part of the node controller that keeps new pods away from nodes in trouble.
///
/// Models node_lifecycle_controller.go doNoScheduleTaintingPass.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct NodeTaints;

impl Controller for NodeTaints {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        if change.kind != Kind::Node || change.new.is_none() {
            return Vec::new();
        }
        vec![Key { kind: Kind::Node, object: change.key.clone() }]
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(node) = store.get(key.kind, &key.object) else { return Plan::default() };
        let mut wanted: Vec<&str> = Vec::new();
        for condition in node.status().items_at(&["conditions"]) {
            let text = |key: &str| condition.str_at(&[key]).unwrap_or_default();
            let is = |(name, status, _): &&(&str, &str, &str)| {
                *name == text("type") && *status == text("status")
            };
            wanted.extend(BY_CONDITION.iter().find(is).map(|(_, _, taint)| *taint));
        }
        if node.spec().bool_at(&["unschedulable"]).unwrap_or_default() {
            wanted.push(UNSCHEDULABLE);
        }
        let is_ours = |name: &str| {
            name == UNSCHEDULABLE || BY_CONDITION.iter().any(|(_, _, taint)| *taint == name)
        };
        let old: Vec<&str> = with_effect(node, NO_SCHEDULE).filter(|name| is_ours(name)).collect();
        let add: Vec<&str> = wanted.iter().filter(|name| !old.contains(name)).copied().collect();
        let remove: Vec<&str> = old.iter().filter(|name| !wanted.contains(name)).copied().collect();
        Plan::of(swap(node, NO_SCHEDULE, &add, &remove, now))
    }
}

/// Whether a node sends its pods away because it is silent or says that it is not well.
pub(super) fn is_evicting(node: &Object) -> bool {
    with_effect(node, NO_EXECUTE).any(|name| [NOT_READY, UNREACHABLE].contains(&name))
}

/// Adds the `NoExecute` taint for a state of the condition Ready.
pub(super) fn add_no_execute(node: &Arc<Object>, status: Option<&str>, now: SimTime) -> Vec<Write> {
    let (add, remove) = match status {
        Some("Unknown") => (UNREACHABLE, NOT_READY),
        _ => (NOT_READY, UNREACHABLE),
    };
    let old: Vec<&str> = with_effect(node, NO_EXECUTE).filter(|name| *name == remove).collect();
    swap(node, NO_EXECUTE, &[add], &old, now)
}

/// The other `NoExecute` taint, for a node that has one, and no longer the right one.
///
/// Models node_lifecycle_controller.go processTaintBaseEviction.
pub(super) fn swap_no_execute(
    node: &Arc<Object>,
    status: Option<&str>,
    now: SimTime,
) -> Vec<Write> {
    let wrong = if status == Some("Unknown") { NOT_READY } else { UNREACHABLE };
    if with_effect(node, NO_EXECUTE).any(|name| name == wrong) {
        return add_no_execute(node, status, now);
    }
    Vec::new()
}

/// Takes the `NoExecute` taints away.
///
/// Models node_lifecycle_controller.go markNodeAsReachable.
pub(super) fn mark_reachable(node: &Arc<Object>) -> Vec<Write> {
    let ours = |name: &&str| [NOT_READY, UNREACHABLE].contains(name);
    let old: Vec<&str> = with_effect(node, NO_EXECUTE).filter(ours).collect();
    swap(node, NO_EXECUTE, &[], &old, SimTime::WORLD_START)
}

fn with_effect<'a>(node: &'a Object, effect: &'a str) -> impl Iterator<Item = &'a str> {
    let taints = node.spec().items_at(&["taints"]).iter();
    taints
        .filter(move |taint| taint.str_at(&["effect"]) == Some(effect))
        .filter_map(|taint| taint.str_at(&["key"]))
}

/// Adds taints in one write, then takes others away in a second one.
///
/// Models pkg/controller/util/node/controller_utils.go SwapNodeControllerTaint.
fn swap(
    node: &Arc<Object>,
    effect: &str,
    add: &[&str],
    remove: &[&str],
    now: SimTime,
) -> Vec<Write> {
    let mut taints = node.spec().items_at(&["taints"]).to_vec();
    let mut writes = Vec::new();
    if !add.is_empty() {
        taints.extend(
            add.iter()
                .map(|name| json!({"key": name, "effect": effect, "timeAdded": now.rfc3339()})),
        );
        writes.push(with_taints(node, &taints));
    }
    if !remove.is_empty() {
        let is_out = |taint: &Value| {
            taint.str_at(&["effect"]) == Some(effect)
                && taint.str_at(&["key"]).is_some_and(|name| remove.contains(&name))
        };
        taints.retain(|taint| !is_out(taint));
        writes.push(with_taints(node, &taints));
    }
    writes
}

fn with_taints(node: &Arc<Object>, taints: &[Value]) -> Write {
    let mut spec = node.spec().clone();
    match taints.is_empty() {
        true => drop(spec.remove(&["taints"])),
        false => spec.put(&["taints"], taints.to_vec()),
    }
    let mut new = (**node).clone();
    new.set_spec(spec);
    // It was read before the write ahead of this one.
    new.meta.resource_version = 0;
    Write::Update(Box::new(new))
}
