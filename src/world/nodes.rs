//! The machines: heartbeats, cutting networks and mending them.

use super::World;
use super::config::LoadBalancers;
use super::queue::Due;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::kubelet::{NodeRuntime, node};
use crate::store::{Cause, Change, Plan, Write};
use core::time::Duration;
use std::sync::Arc;

/// Between two full reports of a node's conditions.
const STATUS_REPORT: Duration = Duration::from_secs(300);
const CONTROL_PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane";

/// Whether a node runs the control plane.
pub(super) fn is_control_plane(node: &Object) -> bool {
    node.meta.labels.get(CONTROL_PLANE_LABEL).is_some()
}

impl World {
    /// A kubelet renews its lease, and now and then reports its conditions.
    pub(super) fn heartbeat(&mut self, name: &Arc<str>) {
        self.queue.push(self.now + node::LEASE_RENEWAL, Due::Heartbeat { node: name.clone() });
        let Some(network_ready) =
            self.nodes.get(name).filter(|node| node.up).map(|node| node.network_ready)
        else {
            return;
        };
        let Some(object) = self.store.find(Kind::Node, "", name).cloned() else { return };
        let cause = Cause { writer: format!("kubelet/{name}").into(), working_on: None };
        let mut writes = Vec::new();
        if let Some(lease) = self.store.find(Kind::Lease, "kube-node-lease", name) {
            let mut lease = (**lease).clone();
            let mut spec = lease.spec().clone();
            spec.put(&["renewTime"], self.now.rfc3339_micros());
            lease.set_spec(spec);
            writes.push(Write::Update(Box::new(lease)));
        }
        let conditions = object.status().items_at(&["conditions"]);
        let is = |c: &Value, key, word| c.str_at(&[key]) == Some(word);
        let was_ready =
            conditions.iter().any(|c| is(c, "type", "Ready") && is(c, "status", "True"));
        let silenced = conditions.iter().any(|c| is(c, "status", "Unknown"));
        let turns_ready = !was_ready && network_ready;
        let reported = conditions
            .first()
            .and_then(|c| c.str_at(&["lastHeartbeatTime"]))
            .and_then(crate::base::SimTime::parse_rfc3339);
        let is_due = reported.is_none_or(|time| self.now.since(time) >= STATUS_REPORT);
        if silenced || turns_ready || is_due {
            let mut new = (*object).clone();
            let mut status = object.status().clone();
            let old = status.at(&["conditions"]).cloned().unwrap_or_default();
            status.put(&["conditions"], node::conditions(&old, network_ready, self.now));
            new.set_status(status);
            writes.push(Write::UpdateStatus(Box::new(new)));
            if turns_ready {
                let message = format!("Node {name} status is now: NodeReady");
                writes.push(node::event(&object, "NodeReady", message, self.now));
            }
        }
        self.apply_plan(Plan::of(writes), &cause);
    }

    /// A node was cordoned or uncordoned: its kubelet says so.
    pub(super) fn node_changed(&mut self, change: &Change) {
        let Some((old, new)) = change.old.as_ref().zip(change.new.as_ref()) else { return };
        let cordoned = |node: &Object| node.spec().bool_at(&["unschedulable"]).unwrap_or_default();
        if cordoned(old) == cordoned(new) {
            return;
        }
        let reason = if cordoned(new) { "NodeNotSchedulable" } else { "NodeSchedulable" };
        let message = format!("Node {} status is now: {reason}", new.meta.name);
        let write = node::event(new, reason, message, self.now);
        let cause = Cause { writer: format!("kubelet/{}", new.meta.name).into(), working_on: None };
        self.apply_plan(Plan::of(vec![write]), &cause);
    }

    /// Cuts a node's network: its kubelet falls silent, its pods run on and cannot be reached. Says
    /// whether there is such a node.
    pub fn stop_node(&mut self, name: &str) -> bool {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(name) else { return false };
        if node.up {
            (node.up, node.since) = (false, now);
            self.note_machine(&Arc::from(name), false);
        }
        true
    }

    /// Gives a node its network back. Says whether there is such a node.
    pub fn start_node(&mut self, name: &str) -> bool {
        let Some((name, node)) =
            self.nodes.get_key_value(name).map(|(k, v)| (k.clone(), v.clone()))
        else {
            return false;
        };
        if node.up {
            return true;
        }
        self.nodes.insert(name.clone(), NodeRuntime { up: true, since: self.now, ..node });
        self.note_machine(&name, true);
        self.heartbeat(&name);
        self.wake_all_pods(&name);
        self.tell();
        true
    }

    /// Whether a cloud gives external addresses.
    pub fn has_cloud(&self) -> bool {
        self.config.load_balancers == LoadBalancers::Cloud
    }
}
