//! What all traces share: the rules of every node, what the nodes remember, who has which address.

use super::hop::{Cause, NearMiss, WhyNoEndpoints};
use super::nginx::{Balancers, Configuration, Settings};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector};
use crate::base::{Map, SimTime};
use crate::kubelet::NodeRuntime;
use crate::net::Ruleset;
use crate::net::conntrack::Memory;
use crate::net::edit::{Change, Edit};
use crate::net::packet::Endpoint;
use crate::net::{Family, Protocol};
use crate::proxy::{self, Input, Mode};
use crate::store::{ObjectKey, Store};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The cluster at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'a> {
    /// Its objects.
    pub store: &'a Store,
    /// Its machines, by node name.
    pub nodes: &'a Map<Arc<str>, NodeRuntime>,
    /// The moment.
    pub now: SimTime,
}

impl Cluster<'_> {
    /// The machine of a node, if it is up.
    pub fn machine(&self, node: &str) -> Option<&NodeRuntime> {
        self.nodes.get(node).filter(|machine| machine.up)
    }
}

/// The cluster's network: rules by node, made when they are first needed and kept until a Service,
/// an EndpointSlice or a Node has changed, and what nodes remember of packets.
///
/// Plain data: a clone is the network at that moment.
#[derive(Clone, Debug)]
pub struct Network {
    mode: Mode,
    /// The store's revision at the last look, and what was found then.
    seen: Option<(u64, Fingerprint)>,
    input: Arc<Input>,
    rulesets: Map<Arc<str>, Arc<Ruleset>>,
    memories: Map<Arc<str>, Memory>,
    /// What people changed by hand, by node, oldest first.
    edits: Map<Arc<str>, Vec<Edit>>,
    addresses: Arc<Addresses>,
    /// Which pod had an address when it was last looked for; never believed without a look.
    pods_by_ip: Map<Ipv4Addr, ObjectKey>,
    /// What ingress controllers were configured to do, by revision, when that was last asked.
    nginx: Option<(u64, Settings, Arc<Configuration>)>,
    /// Where their workers are in their turns.
    balancers: Balancers,
}

/// Who has which address, as far as nodes and Services go.
#[derive(Clone, Debug, Default)]
struct Addresses {
    nodes: BTreeMap<IpAddr, Arc<str>>,
    nodes_by_pod_network: BTreeMap<[u8; 3], Arc<str>>,
    services: BTreeMap<IpAddr, Vec<ObjectKey>>,
    services_by_node_port: BTreeMap<u16, ObjectKey>,
    dns: Option<(IpAddr, Option<Endpoint>)>,
}

/// How many objects of each kind there are, and the newest revision among them.
type Fingerprint = [(u64, u64); 3];

/// The kinds that rules are made of.
const KINDS: [Kind; 3] = [Kind::Service, Kind::EndpointSlice, Kind::Node];

impl Network {
    /// A network whose nodes all run kube-proxy in this mode.
    pub fn new(mode: Mode) -> Self {
        Network {
            mode,
            seen: None,
            input: Arc::default(),
            rulesets: Map::new(),
            memories: Map::new(),
            edits: Map::new(),
            addresses: Arc::default(),
            pods_by_ip: Map::new(),
            nginx: None,
            balancers: Balancers::default(),
        }
    }

    /// How kube-proxy works.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Makes kube-proxy work otherwise. Connections and affinity are forgotten, as after a restart
    /// of every node; what people changed by hand in chains of their own stays.
    pub fn set_mode(&mut self, mode: Mode) {
        if self.mode != mode {
            let edits = core::mem::take(&mut self.edits);
            *self = Network { edits, ..Network::new(mode) };
            self.undo_edits_of_own_chains();
        }
    }

    /// Notes what a person changed on a node by hand, and the rules as they then are.
    pub fn add_edit(&mut self, node: &str, edit: Edit, ruleset: Ruleset) {
        let node: Arc<str> = Arc::from(node);
        let edits = self.edits.entry(node.clone()).or_default();
        edits.retain(|earlier| !edit.outdates(earlier));
        edits.push(edit);
        self.rulesets.insert(node, Arc::new(ruleset));
    }

    /// What people changed by hand, by node.
    pub fn edits(&self) -> impl Iterator<Item = (&Arc<str>, &[Edit])> {
        self.edits.iter().map(|(node, edits)| (node, edits.as_slice()))
    }

    /// Whether a person put a rule where it is.
    pub(super) fn is_by_hand(&self, node: &str, table: &str, chain: &str, place: u32) -> bool {
        let Some(edits) = self.edits.get(node) else { return false };
        let tables = self.rulesets.get(node).into_iter().flat_map(|ruleset| &ruleset.tables);
        let mut chains = tables.filter(|it| it.name == table).filter_map(|it| it.chain(chain));
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let Some(rule) = chains.find_map(|chain| chain.rules.get(place)) else { return false };
        edits.iter().any(|edit| match &edit.change {
            Change::Insert(own, _, added) | Change::Append(own, added) => {
                edit.table == table && **own == *chain && added == rule
            }
            _ => false,
        })
    }

    /// kube-proxy writes its own chains anew.
    ///
    /// Simplified: after any change of a Service, an EndpointSlice or a Node; a real one leaves
    /// the chains of Services that did not change as they are until its next full synchronization.
    fn undo_edits_of_own_chains(&mut self) {
        let nodes: Vec<Arc<str>> = self.edits.keys().cloned().collect();
        for node in nodes {
            let Some(edits) = self.edits.get_mut(&node) else { continue };
            edits.retain(|edit| !edit.is_undone_by_proxy());
            if edits.is_empty() {
                self.edits.remove(&node);
            }
        }
    }

    /// What kube-proxy sees.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Takes notice of what has changed since the last look.
    ///
    /// Simplified: rules are up to date at once; a real kube-proxy writes them a moment after the
    /// change, at most once a second.
    pub fn refresh(&mut self, cluster: &Cluster<'_>) {
        let revision = cluster.store.revision();
        if self.seen.is_some_and(|(seen, _)| seen == revision) {
            return;
        }
        let fingerprint = KINDS.map(|kind| {
            let revisions = cluster.store.list(kind).map(|object| object.meta.resource_version);
            (cluster.store.count(kind) as u64, revisions.max().unwrap_or(0))
        });
        // The status of Nodes changes with every heartbeat; what rules need of them does not.
        let only_nodes = |old: Fingerprint| old[..2] == fingerprint[..2];
        let kept = self.seen.is_some_and(|(_, old)| only_nodes(old) && self.knows_nodes(cluster));
        self.seen = Some((revision, fingerprint));
        if !kept {
            self.read(cluster);
        }
    }

    /// Whether the nodes are those that the rules were made for.
    fn knows_nodes(&self, cluster: &Cluster<'_>) -> bool {
        let nodes = cluster.store.list(Kind::Node);
        let known = self.input.nodes.iter().map(|node| &node.name);
        nodes.map(|node| &node.meta.name).eq(known)
    }

    fn read(&mut self, cluster: &Cluster<'_>) {
        self.rulesets.clear();
        self.undo_edits_of_own_chains();
        self.input = Arc::new(Input::from_store(cluster.store));
        let mut addresses = Addresses::default();
        for (name, machine) in cluster.nodes.iter() {
            addresses.nodes.insert(IpAddr::from(machine.ip), name.clone());
            let network = network_of(machine.pod_network);
            addresses.nodes_by_pod_network.insert(network, name.clone());
        }
        for service in &self.input.services {
            let key =
                ObjectKey { namespace: service.namespace.clone(), name: service.name.clone() };
            let ips = service.cluster_ips.iter().chain(&service.external_ips);
            let ips = ips.chain(&service.load_balancer_vips);
            for ip in ips.chain(&service.load_balancer_proxies) {
                addresses.services.entry(*ip).or_default().push(key.clone());
            }
            for port in service.ports.iter().filter(|port| port.node_port != 0) {
                addresses.services_by_node_port.insert(port.node_port, key.clone());
            }
        }
        addresses.dns = self.find_dns();
        self.addresses = Arc::new(addresses);
    }

    fn find_dns(&self) -> Option<(IpAddr, Option<Endpoint>)> {
        let key = ObjectKey::new("kube-system", "kube-dns");
        let ip = self.service(&key)?.cluster_ip(Family::V4)?;
        let first = (key.namespace.clone(), key.name.clone(), Arc::from(""), Protocol::Tcp);
        let from = self.input.endpoints.range((first, Family::V4)..);
        let is_own = |name: &proxy::input::PortName| name.0 == key.namespace && name.1 == key.name;
        let own = from.take_while(|((name, _), _)| is_own(name));
        let ready = own.flat_map(|(_, all)| all).find(|endpoint| endpoint.ready);
        Some((ip, ready.map(|endpoint| endpoint.address)))
    }

    /// What the ingress controller with these settings is configured to do now.
    pub fn nginx(&mut self, cluster: &Cluster<'_>, settings: &Settings) -> Arc<Configuration> {
        let revision = cluster.store.revision();
        if let Some((at, own, known)) = &self.nginx
            && *at == revision
            && own == settings
        {
            return known.clone();
        }
        let made = Arc::new(Configuration::of(cluster.store, settings));
        self.nginx = Some((revision, settings.clone(), made.clone()));
        made
    }

    /// Where the workers of ingress controllers are in their turns.
    pub(super) const fn balancers(&mut self) -> &mut Balancers {
        &mut self.balancers
    }

    /// The address of the Service of the cluster's DNS, and one of its ready endpoints.
    pub(super) fn dns(&self) -> Option<(IpAddr, Option<Endpoint>)> {
        self.addresses.dns
    }

    /// The rules of a node.
    pub fn ruleset(&mut self, node: &str) -> Arc<Ruleset> {
        if let Some(ruleset) = self.rulesets.get(node) {
            return ruleset.clone();
        }
        let missing = proxy::Node { name: Arc::from(node), ..proxy::Node::default() };
        let found = self.input.node(node).unwrap_or(&missing);
        let mut ruleset = proxy::rules(&self.input, found, self.mode);
        for edit in self.edits.get(node).into_iter().flatten() {
            // What led to a chain that is no longer there is gone with it.
            let _ = edit.apply(&mut ruleset);
        }
        let ruleset = Arc::new(ruleset);
        self.rulesets.insert(Arc::from(node), ruleset.clone());
        ruleset
    }

    /// What a node remembers of packets.
    pub fn memory(&mut self, node: &Arc<str>) -> &mut Memory {
        self.memories.entry(node.clone()).or_default()
    }

    /// What a node remembers of packets, if it has seen any.
    pub fn memory_of(&self, node: &str) -> Option<&Memory> {
        self.memories.get(node)
    }

    /// The node that has this address.
    pub fn node_at(&self, ip: IpAddr) -> Option<&Arc<str>> {
        self.addresses.nodes.get(&ip)
    }

    /// The node whose pods have addresses like this one.
    pub fn node_of_pods_at(&self, ip: IpAddr) -> Option<&Arc<str>> {
        match ip {
            IpAddr::V4(ip) => self.addresses.nodes_by_pod_network.get(&network_of(ip)),
            IpAddr::V6(_) => None,
        }
    }

    /// The pod that has an address.
    pub fn pod_at<'a>(&mut self, cluster: &Cluster<'a>, ip: IpAddr) -> Option<&'a Arc<Object>> {
        let IpAddr::V4(ip) = ip else { return None };
        let known = self.pods_by_ip.get(&ip).and_then(|key| cluster.store.get(Kind::Pod, key));
        if known.is_some_and(|pod| has_ip(pod, ip)) {
            return known;
        }
        let node = self.node_of_pods_at(IpAddr::V4(ip))?;
        let found = cluster.store.pods_on(node).find(|pod| has_ip(pod, ip))?;
        self.pods_by_ip.insert(ip, ObjectKey::of(found));
        Some(found)
    }

    /// Whether some Service has an address.
    pub fn is_service_ip(&self, ip: IpAddr) -> bool {
        self.addresses.services.contains_key(&ip)
    }

    /// The Service that has an address; of several with the same external IP, one with the port.
    pub fn service_at(&self, address: Endpoint) -> Option<(&ObjectKey, Option<u16>)> {
        if let Some(keys) = self.addresses.services.get(&address.ip) {
            let offers = |key: &&ObjectKey| {
                self.ports(key).is_some_and(|ports| ports.contains(&address.port))
            };
            if let Some(key) = keys.iter().find(offers) {
                return Some((key, Some(address.port)));
            }
            return keys.first().map(|key| (key, None));
        }
        let key = self.addresses.services_by_node_port.get(&address.port)?;
        let is_node = self.addresses.nodes.contains_key(&address.ip) || address.ip.is_loopback();
        is_node.then_some((key, Some(address.port)))
    }

    /// The Service as kube-proxy sees it.
    pub fn service(&self, key: &ObjectKey) -> Option<&proxy::input::Service> {
        let order = |it: &proxy::input::Service| {
            (&*it.namespace, &*it.name).cmp(&(&*key.namespace, &*key.name))
        };
        let place = self.input.services.binary_search_by(order).ok()?;
        self.input.services.get(place)
    }

    /// What a load balancer that is a proxy remembers goes by its address.
    pub(super) fn balancer_key(ip: IpAddr) -> Arc<str> {
        Arc::from(format!("load balancer {ip}"))
    }

    /// The ports of a Service.
    pub fn ports(&self, key: &ObjectKey) -> Option<Vec<u16>> {
        Some(self.service(key)?.ports.iter().map(|port| port.port).collect())
    }
}

/// Whether a pod has an address of its own, and this one.
fn has_ip(object: &Object, ip: Ipv4Addr) -> bool {
    object.pod().is_some_and(|pod| {
        pod.status.pod_ip == Some(ip) && !pod.spec.host_network && !pod.status.phase.is_terminal()
    })
}

const fn network_of(ip: Ipv4Addr) -> [u8; 3] {
    let [a, b, c, _] = ip.octets();
    [a, b, c]
}

/// Why a Service has no endpoints: what it selects, what it nearly selects.
pub fn why_no_endpoints(cluster: &Cluster<'_>, service: &ObjectKey) -> Cause {
    let mut why = WhyNoEndpoints::default();
    if let Some(object) = cluster.store.get(Kind::Service, service) {
        let selector = object.spec().get("selector");
        let pairs = selector.and_then(|it| it.as_object()).into_iter().flatten();
        let pairs: Vec<(&str, &str)> =
            pairs.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect();
        why.selector = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if !pairs.is_empty() {
            near_misses(cluster, service, &pairs, &mut why);
            why.unknown_target_port = unknown_target_port(cluster, object);
        }
    }
    Cause::NoEndpoints { service: service.clone(), why: Box::new(why) }
}

/// How many pods are named at most.
const NAMED: usize = 5;

fn near_misses(
    cluster: &Cluster<'_>,
    service: &ObjectKey,
    pairs: &[(&str, &str)],
    why: &mut WhyNoEndpoints,
) {
    for pod in cluster.store.list_in(Kind::Pod, &service.namespace) {
        let labels = &pod.meta.labels;
        let wrong: Vec<_> =
            pairs.iter().filter(|(key, value)| labels.get(key) != Some(value)).collect();
        match wrong.as_slice() {
            [] if why.not_ready.len() < NAMED => why.not_ready.push(pod.meta.name.clone()),
            // One label off is near, unless it is the only one and quite another key.
            [(key, value)] if why.nearly.len() < NAMED => {
                let has = labels.get(key);
                if pairs.len() > 1 || has.is_some_and(|has| alike(has, value)) {
                    why.nearly.push(NearMiss {
                        pod: pod.meta.name.clone(),
                        key: Arc::from(*key),
                        wanted: Arc::from(*value),
                        has: has.map(Arc::from),
                    });
                }
            }
            _ => {}
        }
    }
}

/// Whether two label values look like the same with a slip: case, or a few letters.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let tail = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b).count();
    a == b || a.contains(&b) || b.contains(&a) || common + tail + 1 >= a.len().max(b.len())
}

fn unknown_target_port(cluster: &Cluster<'_>, service: &Object) -> Option<Arc<str>> {
    let selector = Selector::from_map(service.spec().get("selector"));
    let ports = service.spec().items_at(&["ports"]);
    let name = ports.iter().find_map(|port| port.str_at(&["targetPort"]))?;
    let has_port = |pod: &Arc<Object>| {
        let containers = pod.pod().map(|pod| &pod.spec.containers);
        let mut ports = containers.into_iter().flatten().flat_map(|container| &container.ports);
        ports.any(|port| port.name == name)
    };
    let mut pods = cluster.store.pods_matching(&service.meta.namespace, &selector).peekable();
    pods.peek()?;
    (!pods.any(has_port)).then(|| Arc::from(name))
}
