//! A small cluster for the tests of this room: cp-1 and node-1 to node-3, and what a test puts
//! into it.

use super::{Cluster, Network, PacketTrace, Request, Source};
use crate::api::{Kind, Object, Value};
use crate::base::{Map, Rng, SimTime};
use crate::container::Trees;
use crate::kubelet::NodeRuntime;
use crate::net::Protocol;
use crate::proxy::Mode;
use crate::store::{Cause, Context, Manager, Store};
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;

pub(super) struct Fixture {
    pub(super) store: Store,
    pub(super) nodes: Map<Arc<str>, NodeRuntime>,
    pub(super) disks: Trees,
    pub(super) network: Network,
    pub(super) rng: Rng,
    pub(super) now: SimTime,
}

fn context() -> Context {
    let cause = Cause { writer: "test".into(), working_on: None };
    Context {
        now: SimTime::default(),
        cause,
        validate: false,
        webhooks: &[],
        manager: Manager::Component,
    }
}

impl Fixture {
    pub(super) fn new(mode: Mode) -> Self {
        let mut fixture = Fixture {
            store: Store::new(Rng::new(1)),
            nodes: Map::new(),
            disks: Trees::new(),
            network: Network::new(mode),
            rng: Rng::new(7),
            now: SimTime::default(),
        };
        for namespace in ["default", "demo", "other", "kube-system", "ingress-nginx"] {
            fixture.add(json!({"kind": "Namespace", "metadata": {"name": namespace}}));
            let meta = json!({"namespace": namespace, "name": "default"});
            fixture.add(json!({"kind": "ServiceAccount", "metadata": meta}));
        }
        for (number, name) in (0u8..).zip(["cp-1", "node-1", "node-2", "node-3"]) {
            let ip = Ipv4Addr::new(172, 18, 0, 2 + number);
            let role = if number == 0 {
                json!({
                    "node-role.kubernetes.io/control-plane": "",
                    "node.kubernetes.io/exclude-from-external-load-balancers": "",
                })
            } else {
                json!({})
            };
            fixture.add(json!({
                "kind": "Node",
                "metadata": {"name": name, "labels": role},
                "spec": {"podCIDR": format!("10.244.{number}.0/24"), "podCIDRs": [format!("10.244.{number}.0/24")]},
                "status": {
                    "addresses": [{"type": "InternalIP", "address": ip.to_string()}],
                    "conditions": [{"type": "Ready", "status": "True"}],
                },
            }));
            let machine =
                NodeRuntime::new(ip, Ipv4Addr::new(10, 244, number, 0), SimTime::WORLD_START);
            fixture.nodes.insert(Arc::from(name), machine);
        }
        fixture
    }

    /// Adds an object with its status.
    pub(super) fn add(&mut self, value: Value) -> Arc<Object> {
        let kind = Kind::of_word(value["kind"].as_str().unwrap()).unwrap();
        let object = Object::from_value(kind, value);
        let created = self.store.create(&context(), object.clone()).unwrap();
        let mut with_status = (*created).clone();
        with_status.body = object.body;
        self.store.update_status(&context(), with_status).unwrap()
    }

    /// A running pod of nginx: `demo/web-1`, node, the last number of its address, its labels.
    pub(super) fn pod(&mut self, name: &str, node: u8, last: u8, labels: Value) {
        self.pod_of(name, node, last, labels, "nginx:1.27", true);
    }

    /// A running pod of the ingress controller, its node, and the last number of its address.
    pub(super) fn controller(&mut self, name: &str, node: u8, last: u8) {
        let image = "registry.k8s.io/ingress-nginx/controller:v1.15.1";
        self.pod_of(&format!("ingress-nginx/{name}"), node, last, json!({}), image, true);
    }

    pub(super) fn pod_of(
        &mut self,
        name: &str,
        node: u8,
        last: u8,
        labels: Value,
        image: &str,
        ready: bool,
    ) {
        let (namespace, name) = name.split_once('/').unwrap();
        self.add(json!({
            "kind": "Pod",
            "metadata": {"namespace": namespace, "name": name, "labels": labels},
            "spec": {
                "nodeName": format!("node-{node}"),
                "containers": [{"name": "main", "image": image}],
            },
            "status": {
                "phase": "Running",
                "podIP": format!("10.244.{node}.{last}"),
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
                "containerStatuses": [{
                    "name": "main", "ready": ready, "started": true, "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                }],
            },
        }));
    }

    /// A Service `demo/web` with these further fields of its spec, and its endpoints (node and last
    /// number of the address), all ready.
    pub(super) fn service(&mut self, name: &str, spec: Value, endpoints: &[(u8, u8)]) {
        let (namespace, name) = name.split_once('/').unwrap();
        let mut full = json!({
            "type": "ClusterIP",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
            "sessionAffinity": "None",
        });
        for (key, value) in spec["spec"].as_object().unwrap_or(spec.as_object().unwrap()) {
            full[key] = value.clone();
        }
        self.add(json!({
            "kind": "Service",
            "metadata": {"namespace": namespace, "name": name},
            "spec": full,
            "status": spec.get("status").cloned().unwrap_or(json!({"loadBalancer": {}})),
        }));
        let ports: Vec<Value> = full["ports"]
            .as_array()
            .unwrap()
            .iter()
            .map(|port| {
                json!({
                    "name": port.get("name").cloned().unwrap_or("".into()),
                    "port": port["targetPort"].as_u64().unwrap_or(80),
                    "protocol": port["protocol"],
                })
            })
            .collect();
        let endpoints: Vec<Value> = endpoints
            .iter()
            .map(|(node, last)| {
                json!({
                    "addresses": [format!("10.244.{node}.{last}")],
                    "nodeName": format!("node-{node}"),
                    "conditions": {"ready": true, "serving": true, "terminating": false},
                })
            })
            .collect();
        self.add(json!({
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": namespace,
                "name": format!("{name}-x"),
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": ports,
        }));
    }

    /// The cluster as it is.
    pub(super) const fn cluster(&self) -> Cluster<'_> {
        Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now }
    }

    /// kube-proxy sees what there is.
    pub(super) fn refresh(&mut self) {
        let cluster =
            Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now };
        self.network.refresh(&cluster);
    }

    pub(super) fn send(&mut self, request: &Request) -> PacketTrace {
        let cluster =
            Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now };
        self.network.send(&cluster, request, &mut self.rng)
    }

    /// Follows a request to a URL.
    pub(super) fn get(&mut self, from: &str, url: &str) -> PacketTrace {
        self.send(&Request::from_url(source(from), url).unwrap())
    }

    /// Follows a connection that is not HTTP.
    pub(super) fn connect(&mut self, from: &str, to: &str, protocol: Protocol) -> PacketTrace {
        let (host, port) = to.rsplit_once(':').unwrap();
        self.send(&Request::connect(source(from), host, port.parse().unwrap(), protocol))
    }
}

/// `demo/web` is a pod, `node-1` a node, `8.8.8.8` a host of the internet.
pub(super) fn source(text: &str) -> Source {
    if let Ok(ip) = text.parse() {
        return Source::Internet { ip };
    }
    match text.split_once('/') {
        Some((namespace, name)) => {
            Source::Pod { namespace: Arc::from(namespace), name: Arc::from(name) }
        }
        None => Source::Node(Arc::from(text)),
    }
}
