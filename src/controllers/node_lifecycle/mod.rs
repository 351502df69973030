//! Nodes that fall silent, and the pods they leave behind.
//!
//! Models pkg/controller/nodelifecycle/node_lifecycle_controller.go. The `NoSchedule` taints follow
//! a node's conditions at once (`taints.rs`); its health is looked at every five seconds (here),
//! and `NoExecute` taints come one by one, as fast as the state of the zone allows (`zones.rs`).

mod taints;
mod zones;

pub(super) use taints::NodeTaints;

use crate::api::pod::ConditionType;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, ObjectReference};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Note, ObjectKey, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;
use zones::Zones;

const NAME: &str = "node-controller";
/// How long a kubelet may be silent.
const GRACE_PERIOD: Duration = Duration::from_secs(50);
/// How long a node may exist before its kubelet says anything.
const STARTUP_GRACE_PERIOD: Duration = Duration::from_secs(60);
/// How often all nodes are looked at.
const MONITOR_PERIOD: Duration = Duration::from_secs(5);
/// The conditions that a silent kubelet no longer vouches for.
const VOUCHED: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];
const EXCLUDED: &str = "node.kubernetes.io/exclude-disruption";

/// The controller that watches over nodes.
///
/// It has one key for all nodes, whose [`Note`] says since when silence counts, and one for each
/// node that is gone. A node's note says that the node is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeLifecycle;

impl Controller for NodeLifecycle {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        match (change.kind, &change.old, &change.new) {
            (Kind::Node, None, Some(_)) => vec![all_nodes()],
            (Kind::Node, Some(_), None) => {
                vec![Key { kind: Kind::Node, object: change.key.clone() }]
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let next_look = until_next_look(now);
        let is_look = next_look == MONITOR_PERIOD;
        if *key != all_nodes() {
            let gone = store.note(NAME, key).filter(|_| store.get(key.kind, &key.object).is_none());
            return match gone {
                Some(known) if is_look => Plan::of(removed(key, known, now)),
                Some(_) => Plan { writes: Vec::new(), requeue_after: Some(next_look) },
                None => Plan::default(),
            };
        }
        let mut zones = Zones::default();
        let mut writes = Vec::new();
        for node in store.list(Kind::Node) {
            if is_look {
                monitor(store, node, now, &mut zones, &mut writes);
            } else {
                zones.count(node, ready_status(node), store);
            }
        }
        if is_look {
            zones.handle_disruption(store, now, &mut writes);
        }
        let next_eviction = zones.evict(is_look, now, &mut writes);
        let requeue_after = next_eviction.into_iter().chain([next_look]).min();
        Plan { writes, requeue_after }
    }
}

fn all_nodes() -> Key {
    Key { kind: Kind::Node, object: ObjectKey::new("", "") }
}

/// How long it is until the nodes are looked at again: the whole period at a time of looking.
fn until_next_look(now: SimTime) -> Duration {
    let into_period = now.since(SimTime::WORLD_START).as_micros() % MONITOR_PERIOD.as_micros();
    MONITOR_PERIOD - Duration::from_micros(u64::try_from(into_period).unwrap_or_default())
}

/// Looks at one node.
///
/// Models node_lifecycle_controller.go monitorNodeHealth.
fn monitor(
    store: &Store,
    node: &Arc<Object>,
    now: SimTime,
    zones: &mut Zones,
    writes: &mut Vec<Write>,
) {
    let key = Key::of(node);
    let name = &node.meta.name;
    if store.note(NAME, &key).is_none() {
        let known = Note { since: now, until: now, count: 1, uid: node.meta.uid };
        writes.push(Write::Note { writer: NAME, key, note: Some(known) });
        let message = format!("Node {name} event: Registered Node {name} in Controller");
        writes.push(event(node.reference(), "RegisteredNode", message, now));
    }
    let observed = ready_status(node);
    let is_silent = now.since(probed(store, node)) >= grace(node);
    let status = if is_silent { Some("Unknown") } else { observed };
    if is_silent {
        writes.extend(mark_unknown(node, now));
    }
    zones.count(node, status, store);
    if status == Some("True") {
        writes.extend(taints::mark_reachable(node));
    } else if status.is_some() {
        writes.extend(taints::swap_no_execute(node, status, now));
        if observed == Some("True") {
            let message = format!("Node {name} status is now: NodeNotReady");
            writes.push(event(node.reference(), "NodeNotReady", message, now));
            writes.extend(mark_pods_not_ready(store, node, now));
        }
    }
}

/// A node that is gone.
fn removed(key: &Key, known: Note, now: SimTime) -> Vec<Write> {
    let name = &key.object.name;
    let about = ObjectReference { uid: known.uid, ..reference(name) };
    let message = format!("Node {name} event: Removing Node {name} from Controller");
    let forget = Write::Note { writer: NAME, key: key.clone(), note: None };
    vec![event(about, "RemovingNode", message, now), forget]
}

fn reference(name: &Arc<str>) -> ObjectReference {
    ObjectReference::by_name(Kind::Node, Arc::from(""), name.clone())
}

/// An event about a node says which one it is, and not which version of it.
fn event(about: ObjectReference, reason: &str, message: String, now: SimTime) -> Write {
    let about = ObjectReference { resource_version: 0, ..about };
    Write::event(about, false, reason, message, NAME, now)
}

/// The status of a node's condition Ready.
fn ready_status(node: &Object) -> Option<&str> {
    let conditions = node.status().items_at(&["conditions"]).iter();
    let mut ready = conditions.filter(|condition| condition.str_at(&["type"]) == Some("Ready"));
    ready.next()?.str_at(&["status"])
}

fn grace(node: &Object) -> Duration {
    if ready_status(node).is_some() { GRACE_PERIOD } else { STARTUP_GRACE_PERIOD }
}

/// At which look a sign of life of a node was seen last. What it said when all nodes were silent
/// does not count against it.
fn probed(store: &Store, node: &Object) -> SimTime {
    let lease = store.find(Kind::Lease, "kube-node-lease", &node.meta.name);
    let renewed = lease.and_then(|lease| lease.spec().str_at(&["renewTime"]));
    let renewed = renewed.and_then(SimTime::parse_rfc3339);
    let posted = node.status().items_at(&["conditions"]).iter().filter_map(|condition| {
        condition.str_at(&["lastHeartbeatTime"]).and_then(SimTime::parse_rfc3339)
    });
    let heard = posted.chain(renewed).max().unwrap_or(node.meta.creation_timestamp);
    let wait = until_next_look(heard);
    let seen = if wait == MONITOR_PERIOD { heard } else { heard + wait };
    let excused = store.note(NAME, &all_nodes()).map(|note| note.since);
    excused.map_or(seen, |excused| excused.max(seen))
}

/// What a node's kubelet said holds no longer.
///
/// Models node_lifecycle_controller.go tryUpdateNodeHealth.
fn mark_unknown(node: &Arc<Object>, now: SimTime) -> Option<Write> {
    let mut status = node.status().clone();
    let mut conditions = status.items_at(&["conditions"]).to_vec();
    for name in VOUCHED {
        match conditions.iter_mut().find(|condition| condition.str_at(&["type"]) == Some(name)) {
            Some(condition) if condition.str_at(&["status"]) != Some("Unknown") => {
                condition.put(&["status"], "Unknown");
                condition.put(&["reason"], "NodeStatusUnknown");
                condition.put(&["message"], "Kubelet stopped posting node status.");
                condition.put(&["lastTransitionTime"], now.rfc3339());
            }
            Some(_) => {}
            None => conditions.push(json!({
                "type": name, "status": "Unknown", "reason": "NodeStatusNeverUpdated",
                "message": "Kubelet never posted node status.",
                "lastHeartbeatTime": node.meta.creation_timestamp.rfc3339(),
                "lastTransitionTime": now.rfc3339(),
            })),
        }
    }
    if conditions == status.items_at(&["conditions"]) {
        return None;
    }
    status.put(&["conditions"], conditions);
    let mut new = (**node).clone();
    new.set_status(status);
    Some(Write::UpdateStatus(Box::new(new)))
}

/// Models pkg/controller/util/node/controller_utils.go MarkPodsNotReady.
fn mark_pods_not_ready(store: &Store, node: &Object, now: SimTime) -> Vec<Write> {
    let mut writes = Vec::new();
    for pod in store.pods_on(&node.meta.name) {
        let mut new = (**pod).clone();
        let Some(state) = new.pod_mut() else { continue };
        if !state.status.is_ready() {
            continue;
        }
        state.status.set_condition(ConditionType::Ready, false, None, now);
        writes.push(Write::UpdateStatus(Box::new(new)));
        let message = "Node is not ready";
        writes.push(Write::event(pod.reference(), true, "NodeNotReady", message, NAME, now));
    }
    writes
}
