//! Requests from the page: where one can go, and one that is followed.

use super::aim;
use super::model::Model;
use super::object_id::ObjectId;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::container::server::speaks_http;
use crate::store::{ObjectKey, Store};
use crate::trace::{Request, gateway, haproxy};
use crate::world::World;
use std::sync::Arc;

/// The most nodes that are offered for one node port.
const MOST_NODES: usize = 4;
/// The most ports of one Service that are offered, and the most Services.
const MOST_PORTS: usize = 3;
const MOST_SERVICES: usize = 150;
/// The most Pods among which one is sought that can ask.
const MOST_SOUGHT: usize = 500;

/// Somewhere that a request can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What is asked, `http://172.18.0.3:30080/`.
    pub url: String,
    /// The Pod that asks; none for the client outside.
    pub from_pod: Option<ObjectId>,
    /// The Service, Ingress or Gateway that it goes to, or the machine of a load balancer that people
    /// built, which is in no namespace.
    pub object: ObjectKey,
    /// Which way in it is.
    pub door: Door,
}

/// A way to a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// By a port of a node.
    NodePort,
    /// By a load balancer.
    LoadBalancer,
    /// By host and path.
    Ingress,
    /// From inside, by name.
    Inside,
}

/// Everywhere that a request can go to now: first from outside, then from inside.
pub fn targets(world: &World) -> Vec<Target> {
    let store = world.store();
    let mut targets = hand_built(world);
    by_services(store, &mut targets);
    by_hosts(store, &mut targets);
    order::sort_by_key(&mut targets, |one| {
        let service = store.get(Kind::Service, &one.object);
        let service = service.filter(|_| one.door != Door::Ingress);
        // A Gateway's own Service is a way to nobody's pods but by the Gateway's routes.
        let is_of_gateway = service.and_then(|it| it.meta.controller());
        let is_of_gateway = is_of_gateway.is_some_and(|owner| &*owner.kind == "Gateway");
        let is_balanced = one.door == Door::NodePort && service.is_some_and(|it| has_balancer(it));
        (is_system(&one.object.namespace) || is_of_gateway, one.door, is_balanced)
    });
    targets
}

/// The ways to Services: by ports of nodes, by load balancers, by name from inside.
fn by_services(store: &Store, targets: &mut Vec<Target>) {
    let node_ips: Vec<&str> =
        store.list(Kind::Node).filter_map(worker_ip).take(MOST_NODES).collect();
    let is_own = |service: &Object| {
        &*service.meta.namespace == "kube-system" || &*service.meta.name == "kubernetes"
    };
    let services = store.list(Kind::Service).filter(|service| !is_own(service));
    let services: Vec<&Arc<Object>> = services.take(MOST_SERVICES).collect();
    if services.is_empty() {
        return;
    }
    let insider = insider(store);
    for service in services {
        let object = ObjectKey::of(service);
        let at = |url, door| Target { url, from_pod: None, object: object.clone(), door };
        let ports = service.spec().items_at(&["ports"]);
        for port in ports.iter().take(MOST_PORTS) {
            let number = port.int_at(&["port"]).unwrap_or(80);
            let scheme = scheme(store, service, port);
            let is_usual = scheme == "http" && number == 80;
            let shown = if is_usual { String::new() } else { format!(":{number}") };
            if let Some(node_port) = port.int_at(&["nodePort"]).filter(|port| *port > 0) {
                let urls = node_ips.iter().map(|ip| format!("{scheme}://{ip}:{node_port}/"));
                targets.extend(urls.map(|url| at(url, Door::NodePort)));
            }
            if let Some(ip) = balancer_address(service) {
                targets.push(at(format!("{scheme}://{ip}{shown}/"), Door::LoadBalancer));
            }
            if let Some(pod) = &insider {
                let name = match *pod.namespace == *service.meta.namespace {
                    true => service.meta.name.to_string(),
                    false => format!("{}.{}", service.meta.name, service.meta.namespace),
                };
                let inside = at(format!("{scheme}://{name}{shown}/"), Door::Inside);
                targets.push(Target { from_pod: Some(pod.clone()), ..inside });
            }
        }
    }
}

/// A Pod that can ask from inside: the first that is Ready, or among very many one that a Service has.
fn insider(store: &Store) -> Option<ObjectId> {
    let mut first = store.list(Kind::Pod).take(MOST_SOUGHT);
    let mut behind = store.list(Kind::EndpointSlice).flat_map(|slice| {
        let endpoints = slice.content().items_at(&["endpoints"]).iter();
        let names = endpoints.filter_map(|endpoint| endpoint.str_at(&["targetRef", "name"]));
        names.filter_map(move |name| store.find(Kind::Pod, &slice.meta.namespace, name))
    });
    let found = first.find(|pod| is_ready(pod)).or_else(|| behind.find(|pod| is_ready(pod)));
    found.map(|pod| ObjectId::of(pod))
}

/// The hosts and paths that Ingresses and the routes of Gateways name.
fn by_hosts(store: &Store, targets: &mut Vec<Target>) {
    let at = |host: &str, path: &str, object: &Object| Target {
        url: format!("http://{host}{path}"),
        from_pod: None,
        object: ObjectKey::of(object),
        door: Door::Ingress,
    };
    for ingress in store.list(Kind::Ingress) {
        for rule in ingress.spec().items_at(&["rules"]) {
            let Some(host) = rule.str_at(&["host"]) else { continue };
            let paths = rule.items_at(&["http", "paths"]).iter();
            let paths = paths.map(|path| path.str_at(&["path"]).unwrap_or("/"));
            targets.extend(paths.map(|path| at(host, path, ingress)));
        }
    }
    for gateway in gateway::objects(store, "Gateway") {
        let hosts = gateway::hosts(store, gateway);
        targets.extend(hosts.into_iter().map(|(host, path)| at(host, path, gateway)));
    }
}

/// Where a load balancer that people built listens.
fn hand_built(world: &World) -> Vec<Target> {
    let fronts = world.hand_built().into_iter().flat_map(|config| &config.fronts);
    let urls = fronts.flat_map(|front| &front.ports).map(|port| match port {
        80 => format!("http://{}/", haproxy::ADDRESS),
        port => format!("http://{}:{port}/", haproxy::ADDRESS),
    });
    let object = ObjectKey::new("", "haproxy");
    let target =
        |url| Target { url, from_pod: None, object: object.clone(), door: Door::LoadBalancer };
    urls.take(MOST_PORTS).map(target).collect()
}

/// What is spoken at a Service's port: what its first Pod's image speaks.
fn scheme(store: &Store, service: &Object, port: &Value) -> &'static str {
    match port.str_at(&["protocol"]) {
        Some("UDP") => return "udp",
        Some("SCTP") => return "tcp",
        _ => {}
    }
    let selector = service.spec().get("selector").and_then(Value::as_object);
    let Some(selector) = selector.filter(|it| !it.is_empty()) else { return "http" };
    let is_selected = |pod: &&Arc<Object>| {
        let labels = &pod.meta.labels;
        selector.iter().all(|(key, value)| labels.get(key) == value.as_str())
    };
    let pod = store.list_in(Kind::Pod, &service.meta.namespace).into_iter().find(is_selected);
    let containers = pod.and_then(|pod| pod.pod()).map(|pod| pod.spec.containers.as_slice());
    let all = containers.unwrap_or_default();
    match all.is_empty() || all.iter().any(|container| speaks_http(&container.image)) {
        true => "http",
        false => "tcp",
    }
}

/// Whether a namespace belongs to the cluster itself, so that what is in it is drawn small.
pub fn is_system(namespace: &str) -> bool {
    namespace.starts_with("kube-")
        || ["ingress-nginx", "metallb-system", "nginx-gateway"].contains(&namespace)
}

/// Whether a Service has a load balancer, so that its node ports are not how people come to it.
fn has_balancer(service: &Object) -> bool {
    service.spec().str_at(&["type"]) == Some("LoadBalancer")
}

fn is_ready(pod: &Object) -> bool {
    !is_system(&pod.meta.namespace)
        && !pod.meta.is_terminating()
        && pod.pod().is_some_and(|pod| pod.status.is_ready())
}

fn worker_ip(node: &std::sync::Arc<Object>) -> Option<&str> {
    if node.meta.labels.get("node-role.kubernetes.io/control-plane").is_some() {
        return None;
    }
    let addresses = node.status().items_at(&["addresses"]);
    addresses.iter().find(|a| a.str_at(&["type"]) == Some("InternalIP"))?.str_at(&["address"])
}

fn balancer_address(service: &Object) -> Option<&str> {
    let ingress: &Value = service.status().items_at(&["loadBalancer", "ingress"]).first()?;
    ingress.str_at(&["ip"])
}

/// The target that is aimed at: the one chosen while it is there, otherwise the first.
pub fn aimed<'a>(targets: &'a [Target], chosen: Option<&Target>) -> Option<&'a Target> {
    let same = |target: &&Target| {
        chosen.is_some_and(|chosen| chosen.url == target.url && chosen.door == target.door)
    };
    targets.iter().find(same).or_else(|| targets.first())
}

/// Sends one request to where the page aims, to be followed.
pub(super) fn send(model: &mut Model) {
    if let Some(request) = aim::request(model) {
        follow_one(model, &request);
        model.burst = None;
    }
}

/// Sends a request and shows it.
pub(super) fn follow_one(model: &mut Model, request: &Request) {
    let before = model.world.clone();
    let trace = model.world.send(request);
    model.world.take_trace();
    model.follow(trace.clone());
    model.tracer.before = Some((trace, before));
}

/// Shows the request that a command of the terminal sent last, if it sent any, on the map too.
pub(super) fn show_latest(model: &mut Model) {
    let Some(trace) = model.world.take_trace() else { return };
    model.follow(trace);
    model.burst = None;
    model.side = super::model::Panel::Trace;
}

#[cfg(test)]
mod tests {
    use super::super::{Msg, Opening, Sample, update};
    use super::*;

    /// What is offered in a cluster of a sample after half a minute and these lines.
    fn offered(sample: Sample, lines: &[&str]) -> Vec<String> {
        let mut model = Model::new(Opening { sample, ..Opening::default() });
        for line in lines {
            update(&mut model, Msg::Type((*line).to_owned()));
            update(&mut model, Msg::Enter);
        }
        (0..120).for_each(|_| drop(update(&mut model, Msg::Tick(250_000))));
        targets(&model.world).into_iter().map(|target| target.url).collect()
    }

    #[test]
    fn a_sample_with_a_gateway_is_asked_through_it_first() {
        let urls = offered(Sample::Gateway, &[]);
        assert!(
            urls.first().is_some_and(|url| url.starts_with("http://example.test/")),
            "{urls:?}"
        );
    }

    #[test]
    fn a_load_balancer_built_by_hand_can_be_asked_while_it_runs() {
        let (here, start) = ("http://198.51.100.200/".to_owned(), "haproxy -f haproxy.cfg");
        assert!(!offered(Sample::ByHand, &[]).contains(&here));
        assert!(offered(Sample::ByHand, &[start]).contains(&here));
        assert!(!offered(Sample::ByHand, &[start, "haproxy stop"]).contains(&here));
    }
}
