//! Nodes, and which Pods are on them.

use super::pods::Pods;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::{Map, Quantity, order};
use crate::present::condition;
use crate::present::scene::{NodeBox, NodeState, Usage};
use crate::session::ObjectId;
use crate::session::request::is_system;
use crate::store::Store;
use crate::world::World;
use std::rc::Rc;
use std::sync::Arc;

const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
const ZONE: &str = "topology.kubernetes.io/zone";
/// The label of kube-proxy's own Pods.
const PROXY: (&str, &str) = ("k8s-app", "kube-proxy");

/// The boxes of the nodes as they were drawn last, in the order of the map.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    all: Vec<Rc<NodeBox>>,
    /// Which of them have to be drawn again.
    stale: Vec<bool>,
    /// Where each node's is.
    places: Map<Arc<str>, u32>,
    /// Where drawing goes on, so that everyone has a turn.
    next: usize,
}

impl Boxes {
    /// All of them.
    pub(super) fn all(&self) -> &[Rc<NodeBox>] {
        &self.all
    }

    /// Whether some are not as they should be.
    pub(super) fn is_behind(&self) -> bool {
        self.stale.contains(&true)
    }

    /// Makes a place for each node that there is: those that are new have nothing on them yet.
    pub(super) fn arrange(&mut self, world: &World) {
        let mut boxes: Vec<(Rc<NodeBox>, bool)> = Vec::new();
        for node in world.store().list(Kind::Node) {
            let old = self.place(&node.meta.name);
            let old = old.and_then(|at| Some((self.all.get(at)?.clone(), *self.stale.get(at)?)));
            boxes.push(old.unwrap_or_else(|| (Rc::new(bare(world, node)), true)));
        }
        order::sort_by_key(&mut boxes, |(node, _)| (!node.control_plane, by_number(&node.id.name)));
        (self.all, self.stale) = boxes.into_iter().unzip();
        let names = self.all.iter().map(|node| node.id.name.clone());
        self.places = names.zip(0_u32..).collect();
    }

    fn place(&self, node: &str) -> Option<usize> {
        self.places.get(node).and_then(|at| usize::try_from(*at).ok())
    }

    /// A node has changed, or what is on it.
    pub(super) fn spoil(&mut self, node: &str) {
        if let Some(stale) = self.place(node).and_then(|at| self.stale.get_mut(at)) {
            *stale = true;
        }
    }

    /// Something has changed that all nodes show.
    pub(super) fn spoil_all(&mut self) {
        self.stale.fill(true);
    }

    /// Draws a node, if it has to be drawn again.
    pub(super) fn draw(&mut self, node: &str, draw: &dyn Fn(&str) -> Option<NodeBox>) {
        if let Some(at) = self.place(node) {
            self.draw_at(at, draw);
        }
    }

    /// Draws the nodes that have to be drawn again, as long as there is time.
    pub(super) fn draw_all(
        &mut self,
        draw: &dyn Fn(&str) -> Option<NodeBox>,
        has_time: &dyn Fn() -> bool,
    ) {
        for _ in 0..self.all.len() {
            self.next = if self.next < self.all.len() { self.next } else { 0 };
            if self.stale.get(self.next) == Some(&true) {
                if !has_time() {
                    return;
                }
                self.draw_at(self.next, draw);
            }
            self.next += 1;
        }
    }

    fn draw_at(&mut self, at: usize, draw: &dyn Fn(&str) -> Option<NodeBox>) {
        let Some((one, stale)) = self.all.get_mut(at).zip(self.stale.get_mut(at)) else { return };
        // What looks the same stays the same.
        if *stale && let Some(drawn) = draw(&one.id.name).filter(|drawn| **one != *drawn) {
            *one = Rc::new(drawn);
        }
        *stale = false;
    }
}

/// A node with the Pods on it; `with_chips` by name, too. `proxy_is_seen` says whether kube-proxy runs
/// as Pods that can be seen; else every machine has it.
pub(super) fn draw(
    world: &World,
    name: &str,
    pods: &Pods<'_>,
    (with_chips, proxy_is_seen): (bool, bool),
) -> Option<NodeBox> {
    let node = world.store().find(Kind::Node, "", name)?;
    let mut drawn = bare(world, node);
    let (mut milli_cpu, mut memory, mut has_proxy) = (0_i64, 0_i64, !proxy_is_seen);
    for pod in world.store().pods_on(name) {
        if let Some(spec) = pod.pod().map(|pod| &pod.spec) {
            milli_cpu = milli_cpu.saturating_add(spec.requests.milli_cpu);
            memory = memory.saturating_add(spec.requests.memory);
        }
        let dot = pods.dot(pod);
        drawn.dots.push(dot);
        if dot.system && pod.meta.labels.get(PROXY.0) == Some(PROXY.1) {
            let has_run = pod
                .pod()
                .is_some_and(|pod| pod.status.containers.iter().any(|c| c.container_number > 0));
            has_proxy |= has_run;
        }
        if with_chips {
            drawn.pods.push(pods.chip(pod));
        }
    }
    order::sort_by_key(&mut drawn.pods, |pod| pod.system);
    order::sort_by_key(&mut drawn.dots, |dot| dot.system);
    drawn.cpu = usage(Quantity::from_millis(milli_cpu), node, "cpu");
    drawn.memory = usage(Quantity::from_bytes(memory), node, "memory");
    drawn.has_rules = has_proxy && world.nodes().contains_key(name);
    Some(drawn)
}

/// Whether kube-proxy runs as Pods that can be seen.
pub(super) fn is_proxy_seen(store: &Store) -> bool {
    let mut daemons = store.list_in(Kind::DaemonSet, "kube-system");
    daemons.any(|set| set.meta.labels.get(PROXY.0) == Some(PROXY.1))
}

/// A node with nothing on it.
fn bare(world: &World, node: &Object) -> NodeBox {
    let machine = world.nodes().get(&node.meta.name);
    let addresses = node.status().items_at(&["addresses"]);
    let internal = addresses.iter().find(|a| a.str_at(&["type"]) == Some("InternalIP"));
    NodeBox {
        id: ObjectId::of(node),
        ip: internal.and_then(|a| a.str_at(&["address"])).unwrap_or_default().into(),
        zone: node.meta.labels.get(ZONE).unwrap_or_default().into(),
        control_plane: node.meta.labels.get(CONTROL_PLANE).is_some(),
        state: match condition::node_ready(node) {
            Some(true) => NodeState::Ready,
            Some(false) => NodeState::NotReady,
            None => NodeState::Unknown,
        },
        status: condition::node_word(node),
        cut_since: machine.filter(|machine| !machine.up).map(|machine| machine.since),
        cordoned: condition::is_cordoned(node),
        taints: node.spec().items_at(&["taints"]).iter().map(short_taint).collect(),
        labels: own_labels(node),
        has_rules: false,
        cpu: Usage::default(),
        memory: Usage::default(),
        pods: Vec::new(),
        dots: Vec::new(),
    }
}

/// A taint as kubectl writes it: `dedicated=gpu:NoSchedule`.
pub(in crate::present) fn taint(taint: &Value) -> String {
    let text = |key| taint.str_at(&[key]).unwrap_or_default();
    let value = text("value");
    let value = if value.is_empty() { String::new() } else { format!("={value}") };
    format!("{}{value}:{}", text("key"), text("effect"))
}

/// The same without the domain of its key.
fn short_taint(value: &Value) -> String {
    let whole = taint(value);
    whole.split_once('/').map_or(whole.clone(), |(_, rest)| rest.to_owned())
}

/// The labels that somebody gave a node, beside those that every node has.
pub(in crate::present) fn own_labels(node: &Object) -> Vec<String> {
    let is_own = |key: &str| {
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        !domain.ends_with("kubernetes.io") && !domain.ends_with("k8s.io")
    };
    let labels = node.meta.labels.iter().filter(|(key, _)| is_own(key));
    labels.map(|(key, value)| format!("{key}={value}")).collect()
}

/// A name in front of its number, so that node-10 comes after node-9.
fn by_number(name: &str) -> (String, u64) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.get(stem.len()..).and_then(|number| number.parse().ok());
    (stem.to_owned(), number.unwrap_or_default())
}

/// The open node ports of the whole cluster, sorted, the cluster's own last: kube-proxy opens each
/// on every node.
pub(super) fn node_ports(store: &Store) -> Vec<u16> {
    let services = store.list(Kind::Service);
    let mut ports: Vec<(bool, u16)> = services
        .flat_map(|service| {
            let own = is_system(&service.meta.namespace);
            let ports = service.spec().items_at(&["ports"]).iter();
            ports.filter_map(move |port| Some((own, super::services::port_at(port, "nodePort")?)))
        })
        .collect();
    order::sort(&mut ports);
    ports.into_iter().map(|(_, port)| port).collect()
}

/// What is requested of a node's `resource`, beside what it has.
fn usage(requested: Quantity, node: &Object, resource: &str) -> Usage {
    let allocatable = node.status().at(&["allocatable", resource]);
    let allocatable = allocatable.and_then(crate::api::pod::quantity_of).unwrap_or(Quantity::ZERO);
    let (some, all) = (requested.milli_value(), allocatable.milli_value());
    let percent = some.saturating_mul(100).checked_div(all.max(1)).unwrap_or(0);
    let text = match resource {
        "cpu" => format!("{}/{}", tenths(some, 1000), tenths(all, 1000)),
        // A small node is shown in Mi.
        _ if all < 1000 << 30 => {
            format!("{}/{}Mi", tenths(some, 1000 << 20), tenths(all, 1000 << 20))
        }
        _ => format!("{}/{}Gi", tenths(some, 1000 << 30), tenths(all, 1000 << 30)),
    };
    Usage { text, percent: u8::try_from(percent.clamp(0, 100)).unwrap_or(100) }
}

/// How many `unit`s an amount is, with one decimal where it is not whole.
fn tenths(amount: i64, unit: i64) -> String {
    let tenths = amount.saturating_mul(10).saturating_add(unit / 2) / unit.max(1);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Value;
    use serde_json::json;

    #[test]
    fn amounts_have_one_decimal_where_they_are_not_whole() {
        let node = |cpu: &str, memory: &str| {
            let status: Value = json!({"allocatable": {"cpu": cpu, "memory": memory}});
            Object::from_value(Kind::Node, json!({"metadata": {"name": "a"}, "status": status}))
        };
        let cases = [
            (Quantity::from_millis(1200), "cpu", "1.2/4", 30),
            (Quantity::from_millis(4000), "cpu", "4/4", 100),
            (Quantity::from_bytes(0), "memory", "0/8Gi", 0),
            (Quantity::from_bytes(3_300_000_000), "memory", "3.1/8Gi", 38),
        ];
        for (requested, resource, text, percent) in cases {
            let usage = usage(requested, &node("4", "8Gi"), resource);
            assert_eq!((usage.text.as_str(), usage.percent), (text, percent));
        }
        let small = super::usage(Quantity::from_bytes(64 << 20), &node("1", "512Mi"), "memory");
        assert_eq!(small.text, "64/512Mi");
    }

    #[test]
    fn node_10_comes_after_node_9() {
        let mut names = ["node-10", "node-9", "edge"];
        order::sort_by_key(&mut names, |name| by_number(name));
        assert_eq!(names, ["edge", "node-9", "node-10"]);
    }
}
