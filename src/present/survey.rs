//! Reads the scene of the map from the world.

use super::condition;
use super::palette::Palette;
use super::scene::{
    ClusterScene, External, IngressChip, NodeBox, NodeState, PodChip, ServiceChip, Usage,
};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::{Quantity, order};
use crate::session::ObjectId;
use crate::session::request::is_system;
use crate::store::Store;
use crate::world::CLIENT_ADDRESS;
use crate::world::World;

const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
const ZONE: &str = "topology.kubernetes.io/zone";
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Everything the map shows of a world with few Pods; `crowd.rs` is for many.
pub fn survey(world: &World) -> ClusterScene {
    let store = world.store();
    let palette = Palette::of(store);
    let chips = Chips { store, palette: &palette };
    let ports = node_ports(store);
    let mut nodes: Vec<NodeBox> =
        store.list(Kind::Node).map(|node| chips.node(world, node, &ports)).collect();
    order::sort_by_key(&mut nodes, |node| (!node.control_plane, by_number(&node.id.name)));
    ClusterScene {
        client: CLIENT_ADDRESS.to_string(),
        nodes,
        services: store
            .list(Kind::Service)
            .filter(|service| !is_own_service(service))
            .map(|service| chips.service(service))
            .collect(),
        ingresses: store.list(Kind::Ingress).map(|ingress| ingress_chip(ingress)).collect(),
        waiting: store
            .list(Kind::Pod)
            .filter(|pod| pod.pod().is_some_and(|pod| pod.node_name.is_none()))
            .map(|pod| chips.pod(pod))
            .collect(),
    }
}

/// A name in front of its number, so that node-10 comes after node-9.
fn by_number(name: &str) -> (String, u64) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.get(stem.len()..).and_then(|number| number.parse().ok());
    (stem.to_owned(), number.unwrap_or_default())
}

/// Whether this is a Service of the cluster's own, such as `default/kubernetes`: the map leaves
/// those out.
fn is_own_service(service: &Object) -> bool {
    let (namespace, name) = (&*service.meta.namespace, &*service.meta.name);
    namespace == "kube-system" || namespace == "default" && name == "kubernetes"
}

/// A Service in short.
pub(super) fn service_chip(world: &World, service: &Object) -> ServiceChip {
    let store = world.store();
    Chips { store, palette: &Palette::default() }.service(service)
}

/// The open node ports of the whole cluster, sorted, the cluster's own last: kube-proxy opens each
/// on every node.
fn node_ports(store: &Store) -> Vec<u16> {
    let services = store.list(Kind::Service);
    let mut ports: Vec<(bool, u16)> = services
        .flat_map(|service| {
            let own = is_system(&service.meta.namespace);
            let ports = service.spec().items_at(&["ports"]).iter();
            ports.filter_map(move |port| Some((own, port_at(port, "nodePort")?)))
        })
        .collect();
    order::sort(&mut ports);
    ports.into_iter().map(|(_, port)| port).collect()
}

fn port_at(port: &Value, key: &str) -> Option<u16> {
    port.int_at(&[key]).and_then(|number| u16::try_from(number).ok()).filter(|&port| port > 0)
}

/// What every chip is made from.
struct Chips<'a> {
    store: &'a Store,
    palette: &'a Palette,
}

impl Chips<'_> {
    fn node(&self, world: &World, node: &Object, ports: &[u16]) -> NodeBox {
        let name = &node.meta.name;
        let up = world.nodes().get(name).is_none_or(|node| node.up);
        let pods: Vec<&Object> = self.store.pods_on(name).map(|pod| &**pod).collect();
        let requests = pods.iter().filter_map(|pod| pod.pod()).map(|pod| &pod.spec.requests);
        let (cpu, memory) = requests.fold((0, 0), |(cpu, memory), requests| {
            (cpu + requests.milli_cpu, memory + requests.memory)
        });
        let addresses = node.status().items_at(&["addresses"]);
        let internal = addresses.iter().find(|a| a.str_at(&["type"]) == Some("InternalIP"));
        NodeBox {
            id: ObjectId::of(node),
            ip: internal.and_then(|a| a.str_at(&["address"])).unwrap_or_default().into(),
            zone: node.meta.labels.get(ZONE).unwrap_or_default().into(),
            control_plane: node.meta.labels.get(CONTROL_PLANE).is_some(),
            state: match (up, condition::node_is_ready(node)) {
                (false, _) => NodeState::Stopped,
                (true, true) => NodeState::Ready,
                (true, false) => NodeState::NotReady,
            },
            cordoned: condition::is_cordoned(node),
            node_ports: ports.to_vec(),
            cpu: usage(Quantity::from_millis(cpu), node, "cpu"),
            memory: usage(Quantity::from_bytes(memory), node, "memory"),
            pods: {
                let mut pods: Vec<PodChip> = pods.into_iter().map(|pod| self.pod(pod)).collect();
                order::sort_by_key(&mut pods, |pod| pod.system);
                pods
            },
        }
    }

    fn pod(&self, object: &Object) -> PodChip {
        let spec = object.pod().map(|pod| &*pod.spec);
        let volumes = spec.map(|spec| spec.tree.items_at(&["volumes"])).unwrap_or_default();
        PodChip {
            id: ObjectId::of(object),
            ip: condition::pod_ip(object),
            state: condition::pod_state(object),
            status: condition::pod_word(object),
            ready: condition::ready_count(object),
            colour: self.palette.of_pod(object),
            containers: condition::containers(object),
            disk: volumes.iter().any(|v| v.get("persistentVolumeClaim").is_some()),
            shared: volumes.iter().any(|v| v.get("emptyDir").is_some()),
            system: is_system(&object.meta.namespace),
        }
    }

    fn service(&self, service: &Object) -> ServiceChip {
        let spec = service.spec();
        let kind = spec.str_at(&["type"]).unwrap_or("ClusterIP");
        let cluster_ip = spec.str_at(&["clusterIP"]).filter(|&ip| ip != "None");
        let ingress = service.status().items_at(&["loadBalancer", "ingress"]).first();
        let address = ingress.and_then(|one| one.str_at(&["ip"]).or(one.str_at(&["hostname"])));
        ServiceChip {
            id: ObjectId::of(service),
            kind: kind.into(),
            cluster_ip: cluster_ip.unwrap_or_default().into(),
            ports: spec
                .items_at(&["ports"])
                .iter()
                .filter_map(|port| Some((port_at(port, "port")?, port_at(port, "nodePort"))))
                .collect(),
            external: match (kind, address) {
                ("LoadBalancer", Some(address)) => External::Address(address.into()),
                ("LoadBalancer", None) => External::Pending,
                _ => External::None,
            },
            endpoints: self.endpoints(service),
            colour: self.palette.of_selector(spec.get("selector")),
        }
    }

    /// The Pods behind a Service that take requests.
    fn endpoints(&self, service: &Object) -> Vec<ObjectId> {
        let slices = self.store.list_in(Kind::EndpointSlice, &service.meta.namespace);
        let own =
            slices.filter(|slice| slice.meta.labels.get(SERVICE_NAME) == Some(&*service.meta.name));
        let endpoints = own.flat_map(|slice| slice.content().items_at(&["endpoints"]));
        let ready = endpoints.filter(|e| e.bool_at(&["conditions", "ready"]).unwrap_or(true));
        let pods = ready.filter_map(|e| e.str_at(&["targetRef", "name"]));
        pods.map(|name| ObjectId::new(Kind::Pod, &service.meta.namespace, name)).collect()
    }
}

/// What is requested of a node's `resource`, beside what it has.
fn usage(requested: Quantity, node: &Object, resource: &str) -> Usage {
    let allocatable = node.status().at(&["allocatable", resource]);
    let allocatable = allocatable.and_then(crate::api::pod::quantity_of).unwrap_or(Quantity::ZERO);
    let whole = allocatable.milli_value().max(1);
    let percent = requested.milli_value().saturating_mul(100).checked_div(whole).unwrap_or(0);
    Usage {
        requested: requested.to_string(),
        allocatable: allocatable.to_string(),
        percent: u8::try_from(percent.clamp(0, 100)).unwrap_or(100),
    }
}

/// An Ingress in short.
pub(super) fn ingress_chip(ingress: &Object) -> IngressChip {
    let spec = ingress.spec();
    let backend =
        |value: &Value| -> String { value.str_at(&["service", "name"]).unwrap_or("?").to_owned() };
    let mut rules = Vec::new();
    for rule in spec.items_at(&["rules"]) {
        let host = rule.str_at(&["host"]).unwrap_or("*");
        for path in rule.items_at(&["http", "paths"]) {
            let to = path.get("backend").map(&backend).unwrap_or_default();
            rules.push(format!("{host}{} → {to}", path.str_at(&["path"]).unwrap_or("/")));
        }
    }
    if let Some(default) = spec.get("defaultBackend") {
        rules.push(format!("* → {}", backend(default)));
    }
    let ingress_points = ingress.status().items_at(&["loadBalancer", "ingress"]);
    let address = ingress_points
        .first()
        .and_then(|one| one.str_at(&["ip"]).or(one.str_at(&["hostname"])))
        .unwrap_or_default();
    IngressChip { id: ObjectId::of(ingress), rules, address: address.into() }
}
