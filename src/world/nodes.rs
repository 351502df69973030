//! The machines: setting the cluster up, heartbeats, cutting networks and mending them.

use super::World;
use super::config::LoadBalancers;
use super::queue::Due;
use crate::addons;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::kubelet::{NodeRuntime, node};
use crate::store::{Cause, Change, Context, FINISH_TIME, Manager, Plan, Write};
use core::time::Duration;
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The priority classes of every cluster.
const PRIORITY_CLASSES: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another \
         node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];
/// The namespaces of every cluster.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
/// Between two full reports of a node's conditions.
const STATUS_REPORT: Duration = Duration::from_secs(300);
const CONTROL_PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane";
/// Where the control plane is if no node says so.
const CONTROL_PLANE: Ipv4Addr = Ipv4Addr::new(172, 18, 0, 2);

/// Whether a node runs the control plane.
pub(super) fn is_control_plane(node: &Object) -> bool {
    node.meta.labels.get(CONTROL_PLANE_LABEL).is_some()
}

impl World {
    /// Namespaces, the API server's own Service, load balancer class and nodes.
    pub(super) fn set_up(&mut self) {
        let context = self.set_up_context();
        self.queue.push(self.now + FINISH_TIME, Due::EventSeries);
        for name in NAMESPACES {
            let namespace = json!({"metadata": {"name": name}, "spec": {}});
            self.create_quietly(&context, Kind::Namespace, namespace);
        }
        for (name, value, description) in PRIORITY_CLASSES {
            let class = json!({
                "metadata": {"name": name}, "value": value, "description": description,
                "preemptionPolicy": "PreemptLowerPriority",
            });
            self.create_quietly(&context, Kind::PriorityClass, class);
        }
        self.tell();
        let service = json!({
            "metadata": {
                "name": "kubernetes", "namespace": "default",
                "labels": {"component": "apiserver", "provider": "kubernetes"},
            },
            "spec": {
                "clusterIP": "10.96.0.1",
                "clusterIPs": ["10.96.0.1"],
                "internalTrafficPolicy": "Cluster",
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
                "sessionAffinity": "None",
                "type": "ClusterIP",
            },
        });
        self.create_quietly(&context, Kind::Service, service);
        for (number, config) in (0u32..).zip(self.config.nodes.clone()) {
            self.join(number, config.manifest, true);
        }
        self.publish_api_server();
        if self.config.addons {
            self.install_addons();
        }
        self.tell();
    }

    /// The API server makes itself the endpoint of the Service `kubernetes`.
    ///
    /// Models pkg/controlplane/reconcilers.
    fn publish_api_server(&mut self) {
        let node = self.store.list(Kind::Node).find(|node| is_control_plane(node));
        let machine = node.and_then(|node| self.nodes.get(&node.meta.name));
        // A list of nodes may leave the control plane out; it is somewhere.
        let ip =
            machine.map_or_else(|| CONTROL_PLANE.to_string(), |machine| machine.ip.to_string());
        let slice = json!({
            "metadata": {
                "name": "kubernetes", "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [ip], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
        });
        let endpoints = json!({
            "metadata": {
                "name": "kubernetes", "namespace": "default",
                "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
            },
            "subsets": [{
                "addresses": [{"ip": ip}],
                "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
            }],
        });
        let context = self.set_up_context();
        self.create_quietly(&context, Kind::EndpointSlice, slice);
        self.create_quietly(&context, Kind::Endpoints, endpoints);
    }

    /// Namespaces have what every one begins with before anything is put in them.
    fn install_addons(&mut self) {
        self.tell();
        self.run_for(Duration::from_secs(1));
        let metallb = match self.config.load_balancers {
            LoadBalancers::MetalLb => addons::METALLB,
            LoadBalancers::Cloud | LoadBalancers::None => "",
        };
        let gateways: &[&str] = match self.config.gateway_api {
            true => &[addons::GATEWAY_API, addons::NGINX_GATEWAY_CRDS, addons::NGINX_GATEWAY],
            false => &[],
        };
        let texts = [addons::CLASSROOM, metallb].into_iter().chain(gateways.iter().copied());
        // Kinds are known once their definitions are there.
        for document in texts.flat_map(|text| crate::manifest::parse(text).documents) {
            let kind = document.value.str_at(&["kind"]).and_then(Kind::of_word);
            let Some(kind) = kind else { continue };
            // Ours, and tested to be valid.
            let _ = self.create(kind, &document.value, "default");
            if kind == Kind::Namespace {
                self.run_for(Duration::from_secs(1));
            }
        }
    }

    pub(super) fn set_up_context(&self) -> Context {
        let cause = Cause { writer: "kubeadm".into(), working_on: None };
        Context {
            now: self.now,
            cause,
            validate: false,
            webhooks: addons::webhooks(),
            manager: Manager::Component,
        }
    }

    fn create_quietly(&mut self, context: &Context, kind: Kind, value: Value) {
        // The objects of the set-up are ours and valid; a user's node list may repeat a name, and
        // then the first of that name stays.
        let _ = self.store.create(context, Object::from_value(kind, value));
    }

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
