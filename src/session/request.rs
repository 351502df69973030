//! Requests from the page: where one can go, one that is followed, and a hundred that are counted.

use super::model::Model;
use super::object_id::ObjectId;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::store::Store;
use crate::trace::{Outcome, PacketTrace, Request, Server, Source};
use crate::world::CLIENT_ADDRESS;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// How many requests a burst has.
pub const BURST: u32 = 100;
/// The most nodes that are offered for one node port.
const MOST_NODES: usize = 4;
/// How long the packet stays at a hop, in microseconds of ours.
const HOP_MICROS: u32 = 750_000;
/// The same in slow motion.
const SLOW_HOP_MICROS: u32 = 2_400_000;

/// Somewhere that a request can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What is asked, `http://172.18.0.3:30080/`.
    pub url: String,
    /// The Pod that asks; none for the client outside.
    pub from_pod: Option<ObjectId>,
    /// The Service or Ingress that it goes to.
    pub object: ObjectId,
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

/// A trace on its way over the map.
#[derive(Clone, Debug)]
pub struct Journey {
    /// The trace.
    pub trace: Arc<PacketTrace>,
    /// The hop that the packet is at or comes to, from 0.
    pub hop: usize,
    /// How long it has been on the way to that hop, in microseconds of ours.
    pub micros: u32,
    /// Whether it goes on by itself.
    pub playing: bool,
    /// Whether it goes slowly.
    pub is_slow: bool,
}

impl Journey {
    /// How far the packet is on its way to its hop, in thousandths.
    pub fn progress(&self) -> u32 {
        (u64::from(self.micros.min(self.hop_micros())) * 1000 / u64::from(self.hop_micros()))
            .try_into()
            .unwrap_or(1000)
    }

    const fn hop_micros(&self) -> u32 {
        if self.is_slow { SLOW_HOP_MICROS } else { HOP_MICROS }
    }

    fn last(&self) -> usize {
        self.trace.hops.len().saturating_sub(1)
    }

    /// Lets the packet go on for a moment.
    pub(super) fn advance(&mut self, micros: u32) {
        if !self.playing {
            return;
        }
        self.micros = self.micros.saturating_add(micros);
        // The packet moves in the first half of a hop's time and rests in the second.
        if self.micros >= self.hop_micros().saturating_mul(2) {
            if self.hop < self.last() {
                (self.hop, self.micros) = (self.hop.saturating_add(1), 0);
            } else {
                self.playing = false;
            }
        }
    }

    /// Goes to a hop and stays there.
    pub(super) fn go_to(&mut self, hop: usize) {
        self.hop = hop.min(self.last());
        self.micros = self.hop_micros();
        self.playing = false;
    }

    /// Starts or stops; from the end it starts again.
    pub(super) fn toggle(&mut self) {
        self.playing = !self.playing;
        if self.playing && self.hop == self.last() {
            (self.hop, self.micros) = (0, 0);
        }
    }
}

/// What became of many requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Where they went.
    pub url: String,
    /// How many were answered by whom, by name.
    pub answers: Vec<(String, u32)>,
    /// How many nobody answered.
    pub lost: u32,
    /// Among how many Pods they are expected to spread.
    pub endpoints: u32,
}

/// Everywhere that a request can go to now: first from outside, then from inside.
pub fn targets(store: &Store) -> Vec<Target> {
    let mut targets = Vec::new();
    let node_ips: Vec<&str> =
        store.list(Kind::Node).filter_map(worker_ip).take(MOST_NODES).collect();
    let insider = store.list(Kind::Pod).find(|pod| is_ready(pod)).map(|pod| ObjectId::of(pod));
    for service in store.list(Kind::Service) {
        if &*service.meta.namespace == "kube-system" || &*service.meta.name == "kubernetes" {
            continue;
        }
        let at =
            |url: String, door| Target { url, from_pod: None, object: ObjectId::of(service), door };
        let Some(port) = service.spec().items_at(&["ports"]).first() else { continue };
        let number = port.int_at(&["port"]).unwrap_or(80);
        let shown = if number == 80 { String::new() } else { format!(":{number}") };
        if let Some(node_port) = port.int_at(&["nodePort"]).filter(|port| *port > 0) {
            let urls = node_ips.iter().map(|ip| format!("http://{ip}:{node_port}/"));
            targets.extend(urls.map(|url| at(url, Door::NodePort)));
        }
        if let Some(ip) = balancer_address(service) {
            targets.push(at(format!("http://{ip}{shown}/"), Door::LoadBalancer));
        }
        if let Some(pod) = &insider {
            let name = match *pod.namespace == *service.meta.namespace {
                true => service.meta.name.to_string(),
                false => format!("{}.{}", service.meta.name, service.meta.namespace),
            };
            let from_pod = Some(pod.clone());
            let object = ObjectId::of(service);
            targets.push(Target {
                url: format!("http://{name}{shown}/"),
                from_pod,
                object,
                door: Door::Inside,
            });
        }
    }
    for ingress in store.list(Kind::Ingress) {
        for rule in ingress.spec().items_at(&["rules"]) {
            let Some(host) = rule.str_at(&["host"]) else { continue };
            for path in rule.items_at(&["http", "paths"]) {
                let path = path.str_at(&["path"]).unwrap_or("/");
                let url = format!("http://{host}{path}");
                targets.push(Target {
                    url,
                    from_pod: None,
                    object: ObjectId::of(ingress),
                    door: Door::Ingress,
                });
            }
        }
    }
    let is_balanced =
        |target: &Target| target.door == Door::NodePort && has_balancer(store, &target.object);
    order::sort_by_key(&mut targets, |one| {
        (is_system(&one.object.namespace), one.door, is_balanced(one))
    });
    targets
}

/// Whether a namespace belongs to the cluster itself, so that what is in it is drawn small.
pub fn is_system(namespace: &str) -> bool {
    namespace.starts_with("kube-") || ["ingress-nginx", "metallb-system"].contains(&namespace)
}

/// Whether a Service has a load balancer, so that its node ports are not how people come to it.
fn has_balancer(store: &Store, id: &ObjectId) -> bool {
    let service = store.find(Kind::Service, &id.namespace, &id.name);
    service.is_some_and(|service| service.spec().str_at(&["type"]) == Some("LoadBalancer"))
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
    if let Some(trace) = aim(model).and_then(|target| follow(model, &target)) {
        model.journey =
            Some(Journey { trace, hop: 0, micros: 0, playing: true, is_slow: model.is_slow });
        model.burst = None;
    }
}

/// Sends many requests to where the page aims, to be counted; the last one can be followed.
pub(super) fn burst(model: &mut Model) {
    let Some(target) = aim(model) else { return };
    let mut answers: BTreeMap<String, u32> = BTreeMap::new();
    for endpoint in endpoint_names(model.world.store(), &target) {
        answers.insert(endpoint, 0);
    }
    let endpoints = u32::try_from(answers.len()).unwrap_or(u32::MAX);
    let mut lost = 0_u32;
    let mut last = None;
    for _ in 0..BURST {
        let Some(trace) = follow(model, &target) else { break };
        match &trace.outcome {
            Outcome::Answered { server: Server::Pod { pod, .. }, .. } => {
                let count = answers.entry(pod.name.to_string()).or_default();
                *count = count.saturating_add(1);
            }
            Outcome::Answered { server: Server::Node(name), .. } => {
                let count = answers.entry(name.to_string()).or_default();
                *count = count.saturating_add(1);
            }
            _ => lost = lost.saturating_add(1),
        }
        last = Some(trace);
    }
    let answers = answers.into_iter().collect();
    model.burst = Some(Rc::new(Burst { url: target.url, answers, lost, endpoints }));
    if let Some(trace) = last {
        let mut journey =
            Journey { trace, hop: 0, micros: 0, playing: false, is_slow: model.is_slow };
        journey.go_to(0);
        model.journey = Some(journey);
    }
}

fn aim(model: &Model) -> Option<Target> {
    aimed(&targets(model.world.store()), model.aim.as_ref()).cloned()
}

/// The Pods behind a target's Service that are Ready.
fn endpoint_names(store: &Store, target: &Target) -> Vec<String> {
    if target.object.kind != Kind::Service {
        return Vec::new();
    }
    let slices = store.list_in(Kind::EndpointSlice, &target.object.namespace);
    let own = slices.filter(|slice| {
        slice.meta.labels.get("kubernetes.io/service-name") == Some(&*target.object.name)
    });
    let endpoints = own.flat_map(|slice| slice.content().items_at(&["endpoints"]));
    let ready = endpoints.filter(|e| e.bool_at(&["conditions", "ready"]).unwrap_or(true));
    ready.filter_map(|e| e.str_at(&["targetRef", "name"])).map(str::to_owned).collect()
}

fn follow(model: &mut Model, target: &Target) -> Option<Arc<PacketTrace>> {
    let from = match &target.from_pod {
        Some(pod) => Source::Pod { namespace: pod.namespace.clone(), name: pod.name.clone() },
        None => Source::Internet { ip: CLIENT_ADDRESS },
    };
    let request = Request::from_url(from, &target.url).ok()?;
    let trace = model.world.send(&request);
    model.world.take_trace();
    Some(trace)
}

/// Shows the request that a command of the terminal sent last, if it sent any, on the map too.
pub(super) fn show_latest(model: &mut Model) {
    let Some(trace) = model.world.take_trace() else { return };
    let is_slow = model.is_slow;
    model.journey = Some(Journey { trace, hop: 0, micros: 0, playing: true, is_slow });
    model.burst = None;
    model.side = super::model::Panel::Trace;
}
