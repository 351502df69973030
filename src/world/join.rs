//! Machines join the cluster and leave it.

use super::World;
use super::config::{LoadBalancers, node_ip, pod_network};
use super::queue::Due;
use crate::addons;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Value, validation};
use crate::base::Set;
use crate::container::images;
use crate::kubelet::{NodeRuntime, node};
use crate::store::{Cause, DeleteOptions, ObjectKey, Plan};
use serde_json::json;
use std::sync::{Arc, LazyLock};

/// Images that a warm node has on its disk.
const WARM_IMAGES: [&str; 30] = [
    "nginx:1.25",
    "nginx:1.26",
    "nginx:1.27",
    "nginx:1.28",
    "nginx:1.29",
    "nginx:stable",
    "nginx:alpine",
    "nginx:1.27-alpine",
    "httpd:2.4",
    "busybox:1.35",
    "busybox:1.36",
    "busybox:1.37",
    "busybox:stable",
    "alpine:3",
    "alpine:3.20",
    "alpine:3.21",
    "redis:7",
    "redis:7-alpine",
    "redis:8",
    "postgres:16",
    "postgres:17",
    "postgres:18",
    "mysql:8",
    "mariadb:11",
    "mongo:7",
    "mongo:8",
    "memcached:1.6",
    "rabbitmq:4",
    "python:3.12",
    "perl:5.34",
];
/// What such a disk has; all of them share it.
static WARM_DISK: LazyLock<Set<Arc<str>>> = LazyLock::new(|| {
    let known = WARM_IMAGES.iter().filter(|image| images::is_well_known(image));
    known.map(|image| Arc::from(*image)).collect()
});
const REGION: &str = "topology.kubernetes.io/region";
const ZONE: &str = "topology.kubernetes.io/zone";
const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];
/// The most machines that can join: every one has a pod network of its own.
const MOST_MACHINES: u32 = 32_000;

impl World {
    /// A machine of the cluster's setting joins it; its node may be described already.
    pub(super) fn join(&mut self, number: u32, manifest: Value, network_ready: bool) {
        let name: Arc<str> = manifest.str_at(&["metadata", "name"]).unwrap_or_default().into();
        if name.is_empty() || self.nodes.contains_key(&name) {
            return;
        }
        let (machine, manifest) = self.machine(&name, number, manifest, network_ready);
        let registered =
            node::registration(manifest, &machine.ip.to_string(), network_ready, self.now);
        self.nodes.insert(name.clone(), machine);
        let context = self.set_up_context();
        let known = self.store.find(Kind::Node, "", &name).cloned();
        let stored = match known {
            // Models pkg/kubelet/kubelet_node_status.go tryRegisterWithAPIServer.
            Some(known) => {
                let described = complete(&known, &registered);
                let _ = self.store.update(&context, described.clone());
                self.store.update_status(&context, described)
            }
            None => self.store.create(&context, registered),
        };
        if let Ok(stored) = stored {
            let writes = node::start_events(&stored, network_ready, self.now);
            let cause = Cause { writer: format!("kubelet/{name}").into(), working_on: None };
            self.apply_plan(Plan::of(writes), &cause);
            let lease = node::lease(&stored, self.now);
            let _ = self.store.create(&context, lease);
        }
        self.queue.push(self.now + node::LEASE_RENEWAL, Due::Heartbeat { node: name });
    }

    /// The machine of a node, and its manifest with what the machine adds.
    fn machine(
        &self,
        name: &str,
        number: u32,
        mut manifest: Value,
        network_ready: bool,
    ) -> (NodeRuntime, Value) {
        let given_ip = manifest.items_at(&["status", "addresses"]).iter().find_map(|address| {
            (address.str_at(&["type"]) == Some("InternalIP"))
                .then(|| address.str_at(&["address"])?.parse().ok())
                .flatten()
        });
        let ip = given_ip.unwrap_or_else(|| node_ip(number));
        let given_network = manifest
            .str_at(&["spec", "podCIDR"])
            .and_then(|cidr| cidr.split('/').next()?.parse().ok());
        let network = given_network.unwrap_or_else(|| pod_network(number));
        if self.config.load_balancers == LoadBalancers::Cloud {
            let id = format!("{}{name}", addons::PROVIDER_PREFIX);
            manifest.put_default(&["spec", "providerID"], id);
        }
        manifest.put_default(&["spec", "podCIDR"], format!("{network}/24"));
        manifest.put_default(&["spec", "podCIDRs"], json!([format!("{network}/24")]));
        let mut machine = NodeRuntime::new(ip, network, self.now);
        machine.network_ready = network_ready;
        machine.is_hollow = self.config.hollow;
        if self.config.warm_images {
            machine.images = WARM_DISK.clone();
        }
        (machine, manifest)
    }

    /// A new machine joins: as large as the workers that are there, in the next zone. Without a
    /// name it is the next of `node-1`, `node-2` … Returns its name.
    ///
    /// Its node is Ready once a DaemonSet has brought it a network plugin.
    ///
    /// Simplified: in a cluster without such a DaemonSet the machine brings its own.
    ///
    /// # Errors
    /// `AlreadyExists` if there is such a machine; `Invalid` if its name is none.
    pub fn add_node(&mut self, name: Option<&str>) -> Result<Arc<str>, ApiError> {
        let machines = &self.nodes;
        let is_taken = |number: &u32| {
            let (ip, network) = (node_ip(*number), pod_network(*number));
            machines.values().any(|it| it.ip == ip || it.pod_network == network)
        };
        let free = (0..MOST_MACHINES).find(|number| !is_taken(number));
        let Some(number) = free else {
            return Err(ApiError::forbidden("nodes", "", "there is no room for another machine"));
        };
        let name: Arc<str> = match name {
            Some(name) => name.into(),
            None => {
                let names = (1..=MOST_MACHINES).map(|number| format!("node-{number}"));
                let mut free = names.filter(|name| !machines.contains_key(name.as_str()));
                free.next().unwrap_or_default().into()
            }
        };
        if machines.contains_key(&name) {
            return Err(ApiError::already_exists("nodes", &name));
        }
        let is_worker = |node: &&Arc<Object>| !super::nodes::is_control_plane(node);
        let workers = || self.store.list(Kind::Node).filter(is_worker);
        let zone = ZONES.get(workers().count() % ZONES.len()).copied().unwrap_or_default();
        let mut manifest = json!({
            "metadata": {"name": *name, "labels": {REGION: "region-1", ZONE: zone}}, "spec": {},
        });
        if let Some(capacity) = workers().find_map(|node| node.status().at(&["capacity"])) {
            manifest.put(&["status", "capacity"], capacity.clone());
        }
        let causes = validation::validate_create(Kind::Node, &manifest);
        if !causes.is_empty() {
            return Err(ApiError::invalid("Node", &name, causes));
        }
        let is_plugin = |set: &Arc<Object>| {
            set.pod_template().is_some_and(|template| node::brings_network(&template.spec))
        };
        let network_ready = !self.store.list(Kind::DaemonSet).any(is_plugin);
        self.join(number, manifest, network_ready);
        self.tell();
        Ok(name)
    }

    /// A machine is taken away for good, and its node with it; its pods are cleared away as those
    /// of a node that is no more.
    ///
    /// # Errors
    /// `NotFound` if there is no such node; `Forbidden` for the control plane.
    pub fn remove_node(&mut self, name: &str) -> Result<(), ApiError> {
        let node = self.store.find(Kind::Node, "", name);
        if node.is_some_and(|node| super::nodes::is_control_plane(node)) {
            let why = "the control plane runs on it";
            return Err(ApiError::forbidden("nodes", name, why));
        }
        let options = DeleteOptions::default();
        self.delete(Kind::Node, &ObjectKey::new("", name), &options)?;
        self.nodes.remove(name);
        Ok(())
    }
}

/// A node that somebody described, with what its kubelet adds.
fn complete(known: &Object, registered: &Object) -> Object {
    let mut node = known.clone();
    for (key, value) in registered.meta.labels.iter() {
        if node.meta.labels.get(key).is_none() {
            node.meta.labels.set(key, value);
        }
    }
    let mut spec = node.spec().clone();
    for (key, value) in registered.spec().as_object().into_iter().flatten() {
        spec.put_default(&[key], value.clone());
    }
    node.set_spec(spec);
    node.set_status(registered.status().clone());
    node.meta.resource_version = 0;
    node
}
