//! What all traces share: the rules of every node, what the nodes remember, who has which address.

use super::dns::Corefile;
use super::gateway::{self, Graph};
use super::haproxy;
use super::names::{self, QueryLog};
use super::nginx::{Balancers, Configuration, Settings};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Uid};
use crate::base::{Map, SimTime};
use crate::container::Trees;
use crate::kubelet::NodeRuntime;
use crate::kubelet::inside::Inside;
use crate::net::conntrack::Conntrack;
use crate::net::flannel;
use crate::net::iptables::edit;
use crate::net::link::PodNetwork;
use crate::net::memory::Memory;
use crate::net::packet::Endpoint;
use crate::net::table::{Count, Dialect};
use crate::net::{Family, Protocol, Ruleset};
use crate::proxy::{self, Input, Mode, nftables};
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
    /// The disks that outlive pods.
    pub disks: &'a Trees,
    /// The moment.
    pub now: SimTime,
}

impl Cluster<'_> {
    /// The machine of a node, if it is up.
    pub fn machine(&self, node: &str) -> Option<&NodeRuntime> {
        self.nodes.get(node).filter(|machine| machine.up)
    }

    /// What is inside of a pod, if its kubelet runs it.
    pub fn inside<'b>(&'b self, object: &'b Arc<Object>) -> Option<Inside<'b>> {
        let node = object.pod()?.node_name.as_ref()?;
        let runtime = self.nodes.get(node)?.pods.get(&object.meta.uid)?;
        Some(Inside { api: self.store, object, runtime, disks: self.disks })
    }

    /// Whether a container of a pod was asked to end, and so takes no more connections; `place`
    /// counts init containers too.
    pub fn is_ending(&self, object: &Object, place: usize) -> bool {
        let node = object.pod().and_then(|pod| pod.node_name.as_ref());
        let machine = node.and_then(|node| self.nodes.get(node));
        let runtime = machine.and_then(|machine| machine.pods.get(&object.meta.uid));
        runtime.is_some_and(|runtime| runtime.is_asked_to_end(place))
    }
}

/// The cluster's network: rules by node, made when they are first needed and kept until a Service,
/// an EndpointSlice or a Node has changed, and what nodes remember of packets.
///
/// Plain data: a clone is the network at that moment.
#[derive(Clone, Debug)]
pub struct Network {
    mode: Mode,
    pods: PodNetwork,
    /// The objects that kube-proxy has written its rules for; none where it is never behind.
    synced: Option<Store>,
    /// The store's revision at the last look, and what was found then.
    seen: Option<(u64, Fingerprint)>,
    input: Arc<Input>,
    /// How often the input has been read anew.
    version: u64,
    kernels: Map<Arc<str>, Kernel>,
    /// What kube-proxy wrote on one of the nodes, from which the rules of others are made.
    written: Option<(Arc<str>, Arc<Ruleset>)>,
    /// The connections of load balancers that are proxies, by their address.
    balancers: Map<IpAddr, Conntrack>,
    addresses: Arc<Addresses>,
    /// Which pod had an address when it was last looked for, and at which revision of the store: at
    /// another one it is not believed without a look.
    pods_by_ip: Map<Ipv4Addr, (u64, Arc<Object>)>,
    /// What ingress controllers were configured to do, by revision, when that was last asked.
    nginx: Option<(u64, Settings, Arc<Configuration>)>,
    /// What CoreDNS goes by, of the ConfigMap's version.
    corefile: Option<((Uid, u64), Arc<Corefile>)>,
    /// The questions that CoreDNS has logged.
    pub(super) queries: QueryLog,
    /// Where their workers are in their turns.
    nginx_turns: Balancers,
    /// What was made of Gateways of a class, by revision, when that was last asked.
    gateways: Option<(u64, Arc<str>, Arc<Graph>)>,
    /// The file of the load balancer that people built, if they did.
    hand_built: Option<Arc<haproxy::Config>>,
    /// Where it is in the turns of its backends.
    hand_turns: Map<Arc<str>, u32>,
}

/// What a node's kernel holds of the network.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    /// Its rules; none until somebody asks.
    ruleset: Option<Arc<Ruleset>>,
    /// Which input they were made for.
    version: u64,
    /// Whether a person has changed them.
    by_hand: bool,
    /// How often they have matched.
    counts: Arc<[Count]>,
    /// What it remembers of packets.
    memory: Memory,
    /// When the machines beside it were last heard of.
    neighbours: Map<IpAddr, SimTime>,
    /// Settings that a person has changed (`sysctl -w`).
    settings: Map<Arc<str>, Arc<str>>,
}

impl Kernel {
    /// What it remembers of packets.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// How often its rules have matched, by their numbers.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// What it remembers of packets, to be changed.
    pub const fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The same, and how often its rules have matched, where they are counted: nftables' have no
    /// counters.
    pub(super) fn parts(&mut self, ruleset: &Ruleset) -> (&mut Memory, &mut [Count]) {
        if self.counts.is_empty() && ruleset.counts() {
            let all = usize::try_from(ruleset.number_count()).unwrap_or(0);
            self.counts = vec![Count::default(); all].into();
        }
        let counts: &mut [Count] = match self.counts.is_empty() {
            true => &mut [],
            false => Arc::make_mut(&mut self.counts),
        };
        (&mut self.memory, counts)
    }

    /// When the machines beside it were last heard of, by address.
    pub const fn neighbours(&self) -> &Map<IpAddr, SimTime> {
        &self.neighbours
    }

    /// A machine beside it was heard of.
    pub(super) fn meets(&mut self, ip: IpAddr, now: SimTime) {
        if self.neighbours.get(&ip).is_none_or(|last| *last < now) {
            self.neighbours.insert(ip, now);
        }
    }

    /// A setting, if a person has changed it.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(|value| &**value)
    }

    /// Changes a setting, as `sysctl -w` does.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.insert(Arc::from(key), Arc::from(value));
    }

    /// Whether it passes on packets that are for others.
    pub(super) fn forwards(&self) -> bool {
        self.settings.is_empty() || self.setting("net.ipv4.ip_forward") != Some("0")
    }

    /// Counts from zero again: all rules of a table, those of a chain and its policy, or one rule.
    pub fn zero(&mut self, table: &str, chain: Option<(&str, Option<u32>)>) {
        let Some(ruleset) = self.ruleset.clone() else { return };
        let counts = Arc::make_mut(&mut self.counts);
        let tables = ruleset.tables.iter().filter(|it| it.name == table);
        for own in tables.flat_map(|it| it.chains.iter()) {
            if chain.is_some_and(|(name, _)| *own.name != *name) {
                continue;
            }
            let numbers = match chain {
                Some((_, Some(place))) => {
                    let number = own.first_number.saturating_add(place.saturating_sub(1));
                    number..=number
                }
                _ => own.first_number..=own.policy_number(),
            };
            for number in numbers {
                let count = usize::try_from(number).ok().and_then(|place| counts.get_mut(place));
                count.into_iter().for_each(|count| *count = Count::default());
            }
        }
    }
}

/// Who has which address, as far as nodes and Services go.
#[derive(Clone, Debug, Default)]
struct Addresses {
    nodes: BTreeMap<IpAddr, Arc<str>>,
    nodes_by_pod_network: BTreeMap<u32, Arc<str>>,
    services: BTreeMap<IpAddr, Vec<ObjectKey>>,
    services_by_node_port: BTreeMap<u16, ObjectKey>,
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
            pods: PodNetwork::Routed,
            synced: None,
            seen: None,
            input: Arc::default(),
            version: 0,
            kernels: Map::new(),
            written: None,
            balancers: Map::new(),
            addresses: Arc::default(),
            pods_by_ip: Map::new(),
            nginx: None,
            corefile: None,
            queries: QueryLog::default(),
            nginx_turns: Balancers::default(),
            gateways: None,
            hand_built: None,
            hand_turns: Map::new(),
        }
    }

    /// How kube-proxy works.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Makes kube-proxy work otherwise. Connections and affinity are forgotten, as after a restart
    /// of every node; what people put beside kube-proxy's own rules stays.
    pub fn set_mode(&mut self, mode: Mode) {
        if self.mode != mode {
            let version = self.version.saturating_add(1);
            let by_hand = self.kernels.iter().filter(|(_, kernel)| kernel.by_hand);
            let kernels = by_hand.map(|(node, kernel)| {
                let ruleset = kernel.ruleset.clone();
                (node.clone(), Kernel { ruleset, by_hand: true, ..Kernel::default() })
            });
            let (kernels, pods, synced) = (kernels.collect(), self.pods, self.synced.take());
            *self = Network { version, kernels, pods, synced, ..Network::new(mode) };
        }
    }

    /// How packets come from one pod to another.
    pub const fn pod_network(&self) -> PodNetwork {
        self.pods
    }

    /// Makes packets come from one pod to another otherwise. Nodes forget their connections and
    /// their neighbours, since both have other addresses now.
    pub fn set_pod_network(&mut self, pods: PodNetwork) {
        if self.pods == pods {
            return;
        }
        self.pods = pods;
        self.version = self.version.saturating_add(1);
        self.written = None;
        let nodes: Vec<Arc<str>> = self.kernels.iter().map(|(node, _)| node.clone()).collect();
        for node in nodes {
            let kernel = self.kernels.entry(node).or_default();
            (kernel.memory, kernel.neighbours) = (Memory::default(), Map::new());
        }
    }

    /// Gives a node the rules that a person has made of its own.
    pub fn set_ruleset(&mut self, node: &str, ruleset: Ruleset) {
        let version = self.version;
        let kernel = self.kernels.entry(Arc::from(node)).or_default();
        (kernel.by_hand, kernel.version) = (true, version);
        kernel.replace(ruleset);
    }

    /// The nodes whose rules people have changed, with those rules.
    pub fn changed_by_hand(&self) -> impl Iterator<Item = (&Arc<str>, &Ruleset)> {
        let changed = self.kernels.iter().filter(|(_, kernel)| kernel.by_hand);
        changed.filter_map(|(node, kernel)| Some((node, kernel.ruleset.as_deref()?)))
    }

    /// Whether a person put a rule, or a chain's policy, where it is on a node with this kernel.
    pub(super) fn is_by_hand(
        &mut self,
        (node, kernel): (&str, &Kernel),
        table: &str,
        chain: &str,
        place: u32,
    ) -> bool {
        if !kernel.by_hand {
            return false;
        }
        let find = |ruleset: &Ruleset| {
            let mut tables = ruleset.tables.iter().filter(|it| it.name == table);
            let chain = tables.find_map(|it| it.chain(chain))?;
            let place = usize::try_from(place).ok()?;
            Some((chain.rules.get(place).cloned(), chain.rules.clone()))
        };
        let Some((rule, _)) = kernel.ruleset.as_deref().and_then(find) else { return false };
        let Some(rule) = rule else { return true };
        let fresh = self.fresh_ruleset(node);
        !find(&fresh).is_some_and(|(_, own)| own.contains(&rule))
    }

    /// What kube-proxy sees.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Every kube-proxy writes its rules for these objects; until the next time it knows no others.
    ///
    /// Simplified: all nodes do so at the same moment, and in no time.
    pub fn sync(&mut self, store: &Store) {
        self.synced = Some(store.clone());
    }

    /// Takes notice of what kube-proxy has done since the last look: it has seen all there is, unless
    /// it was ever told when to look ([`Network::sync`]).
    pub fn refresh(&mut self, cluster: &Cluster<'_>) {
        match self.synced.take() {
            None => self.look(cluster),
            Some(store) => {
                self.look(&Cluster { store: &store, ..*cluster });
                self.synced = Some(store);
            }
        }
    }

    fn look(&mut self, cluster: &Cluster<'_>) {
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
        self.version = self.version.saturating_add(1);
        self.written = None;
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
        self.addresses = Arc::new(addresses);
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

    /// What their controller makes of the Gateways of the class that this one is of.
    ///
    /// Simplified: a Gateway's nginx follows the objects at once, its control plane may be away.
    pub(super) fn gateways(&mut self, cluster: &Cluster<'_>, own: &ObjectKey) -> Arc<Graph> {
        let store = cluster.store;
        let found = gateway::kind("Gateway").and_then(|kind| store.get(kind, own));
        let class = found.and_then(|it| it.spec().str_at(&["gatewayClassName"]));
        let Some(class) = class else { return Arc::default() };
        let revision = store.revision();
        if let Some((at, known_class, known)) = &self.gateways
            && *at == revision
            && **known_class == *class
        {
            return known.clone();
        }
        let object = gateway::kind("GatewayClass").and_then(|kind| store.find(kind, "", class));
        let controller = object.and_then(|it| it.spec().str_at(&["controllerName"]));
        let made = Arc::new(Graph::of(store, class, controller.unwrap_or_default()));
        self.gateways = Some((revision, Arc::from(class), made.clone()));
        made
    }

    /// Where the workers of ingress controllers are in their turns.
    pub(super) const fn nginx_turns(&mut self) -> &mut Balancers {
        &mut self.nginx_turns
    }

    /// The file of the load balancer that people built, if they did.
    pub const fn hand_built(&self) -> Option<&Arc<haproxy::Config>> {
        self.hand_built.as_ref()
    }

    /// A load balancer that people built starts with a file, loads another one, or goes.
    pub fn set_hand_built(&mut self, config: Option<haproxy::Config>) {
        self.hand_built = config.map(Arc::new);
        self.hand_turns = Map::new();
    }

    pub(super) fn hand_turn(&self, pool: &str) -> u32 {
        self.hand_turns.get(pool).copied().unwrap_or_default()
    }

    pub(super) fn next_hand_turn(&mut self, pool: &Arc<str>) {
        let next = self.hand_turn(pool).wrapping_add(1);
        self.hand_turns.insert(pool.clone(), next);
    }

    /// The questions that CoreDNS in a pod has logged.
    pub const fn queries(&self) -> &QueryLog {
        &self.queries
    }

    /// CoreDNS' configuration in a ConfigMap.
    pub(super) fn corefile(&mut self, map: &Object) -> Arc<Corefile> {
        let version = (map.meta.uid, map.meta.resource_version);
        if let Some((at, known)) = &self.corefile
            && *at == version
        {
            return known.clone();
        }
        let made = Arc::new(Corefile::parse(names::text_of(map).unwrap_or_default()));
        self.corefile = Some((version, made.clone()));
        made
    }

    /// The rules that kube-proxy would write on a node that has none.
    fn fresh_ruleset(&mut self, node: &str) -> Ruleset {
        let missing = proxy::Node { name: Arc::from(node), ..proxy::Node::default() };
        let input = self.input.clone();
        let found = input.node(node).unwrap_or(&missing);
        let like = self.written.as_ref().and_then(|(other, known)| {
            proxy::rules_like(&self.input, found, self.mode, (self.input.node(other)?, known))
        });
        let mut ruleset =
            like.unwrap_or_else(|| proxy::rules(&self.input, found, self.mode)).numbered();
        if self.written.is_none() {
            self.written = Some((Arc::from(node), Arc::new(ruleset.clone())));
        }
        let own = found.pod_cidrs.iter().find(|net| Family::of(net.addr()) == Family::V4);
        let cluster = self.input.cluster_cidr(Family::V4);
        if let (PodNetwork::Vxlan, Some(own), Some(cluster)) = (self.pods, own, cluster) {
            flannel::add_rules(&mut ruleset, cluster, *own);
        }
        ruleset
    }

    /// The rules of a node.
    ///
    /// Simplified: kube-proxy writes all its chains anew with every change; a real one leaves those
    /// of Services that did not change as they are until its next full synchronization.
    pub fn ruleset(&mut self, node: &str) -> Arc<Ruleset> {
        if let Some(kernel) = self.kernels.get(node)
            && let Some(ruleset) =
                kernel.ruleset.as_ref().filter(|_| kernel.version == self.version)
        {
            return ruleset.clone();
        }
        let (mut fresh, version) = (self.fresh_ruleset(node), self.version);
        let kernel = self.kernels.entry(Arc::from(node)).or_default();
        kernel.version = version;
        if let Some(old) = &kernel.ruleset {
            keep_unwritten(old, &mut fresh);
        }
        if let Some(live) = kernel.ruleset.as_ref().filter(|_| kernel.by_hand) {
            fresh = edit::rewritten(live, &fresh);
        }
        kernel.replace(fresh)
    }

    /// What a node's kernel holds.
    pub fn kernel(&mut self, node: &Arc<str>) -> &mut Kernel {
        self.kernels.entry(node.clone()).or_default()
    }

    /// Lends what a node's kernel holds to a packet that passes; it is to be given back.
    pub(super) fn lend_kernel(&mut self, node: &Arc<str>) -> Kernel {
        self.kernels.get_mut(node).map(core::mem::take).unwrap_or_default()
    }

    /// Takes it back.
    pub(super) fn take_back(&mut self, node: &Arc<str>, kernel: Kernel) {
        match self.kernels.get_mut(node) {
            Some(own) => *own = kernel,
            None => drop(self.kernels.insert(node.clone(), kernel)),
        }
    }

    /// What a node's kernel holds, if anything has passed it.
    pub fn kernel_of(&self, node: &str) -> Option<&Kernel> {
        self.kernels.get(node)
    }

    /// The connections of a load balancer that is a proxy.
    pub(super) fn balancer(&mut self, ip: IpAddr) -> &mut Conntrack {
        self.balancers.entry(ip).or_default()
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
    pub fn pod_at(&mut self, cluster: &Cluster<'_>, ip: IpAddr) -> Option<Arc<Object>> {
        let IpAddr::V4(ip) = ip else { return None };
        let revision = cluster.store.revision();
        let known = self.pods_by_ip.get(&ip);
        if let Some((_, pod)) = known.filter(|(at, _)| *at == revision) {
            return Some(pod.clone());
        }
        let still = known
            .and_then(|(_, pod)| cluster.store.get(Kind::Pod, &ObjectKey::of(pod)))
            .filter(|pod| has_ip(pod, ip));
        let found = match still {
            Some(pod) => pod,
            None => {
                let node = self.node_of_pods_at(IpAddr::V4(ip))?;
                cluster.store.pods_on(node).find(|pod| has_ip(pod, ip))?
            }
        };
        self.pods_by_ip.insert(ip, (revision, found.clone()));
        Some(found.clone())
    }

    /// Whether some Service has an address.
    pub(super) fn is_service_ip(&self, ip: IpAddr) -> bool {
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

    /// The endpoints of a Service's ports.
    pub(super) fn endpoints_of(
        &self,
        service: &ObjectKey,
    ) -> impl Iterator<Item = (&(proxy::input::PortName, Family), &Vec<proxy::input::Endpoint>)>
    {
        let key = service.clone();
        let first = (key.namespace.clone(), key.name.clone(), Arc::from(""), Protocol::Tcp);
        let from = self.input.endpoints.range((first, Family::V4)..);
        from.take_while(move |((name, _), _)| name.0 == key.namespace && name.1 == key.name)
    }

    /// The ports of a Service.
    pub fn ports(&self, key: &ObjectKey) -> Option<Vec<u16>> {
        Some(self.service(key)?.ports.iter().map(|port| port.port).collect())
    }
}

/// What kube-proxy could not write anew stays as it was: its table of nftables.
fn keep_unwritten(old: &Ruleset, fresh: &mut Ruleset) {
    for table in old.tables.iter().filter(|table| table.name == nftables::TABLE) {
        let is_missing = fresh.tables.iter().all(|it| it.family != table.family);
        if fresh.dialect == Dialect::Nftables && is_missing {
            fresh.tables.push(table.clone());
        }
    }
}

impl Kernel {
    /// Takes other rules; what they have in common with the old ones keeps its counts.
    fn replace(&mut self, ruleset: Ruleset) -> Arc<Ruleset> {
        let ruleset = Arc::new(ruleset.numbered());
        let counts = match &self.ruleset {
            Some(old) if !self.counts.is_empty() => ruleset.carried_counts(old, &self.counts),
            _ => Vec::new(),
        };
        self.counts = counts.into();
        self.ruleset = Some(ruleset.clone());
        ruleset
    }
}

/// Whether a pod has an address of its own, and this one.
fn has_ip(object: &Object, ip: Ipv4Addr) -> bool {
    object.pod().is_some_and(|pod| {
        pod.status.pod_ip == Some(ip) && !pod.spec.host_network && !pod.status.phase.is_terminal()
    })
}

/// The first 24 bits of an address.
const fn network_of(ip: Ipv4Addr) -> u32 {
    ip.to_bits() >> 8
}
