//! What all traces share: the rules of every node, and what nodes remember of packets.

use super::addresses::Addresses;
use super::cluster::Cluster;
use super::configured::Configured;
use super::kernel::Kernel;
use crate::api::{Kind, Object};
use crate::base::Map;
use crate::net::conntrack::Conntrack;
use crate::net::flannel;
use crate::net::iptables::edit;
use crate::net::link::PodNetwork;
use crate::net::memory::Memory;
use crate::net::table::Dialect;
use crate::net::{Family, Protocol, Ruleset};
use crate::proxy::{self, Input, Mode, nftables};
use crate::store::{ObjectKey, Store};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

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
    pub(super) input: Arc<Input>,
    /// How often the input has been read anew.
    version: u64,
    kernels: Map<Arc<str>, Kernel>,
    /// What kube-proxy wrote on one of the nodes, from which the rules of others are made.
    written: Option<(Arc<str>, Arc<Ruleset>)>,
    /// The connections of load balancers that are proxies, by their address.
    balancers: Map<IpAddr, Conntrack>,
    /// Whether packets are only tried, so that rules need not count them.
    pub(super) is_trial: bool,
    pub(super) addresses: Arc<Addresses>,
    /// Which pod had an address when it was last looked for, and at which revision of the store: at
    /// another one it is not believed without a look.
    pub(super) pods_by_ip: Map<Ipv4Addr, (u64, Arc<Object>)>,
    /// What programs on the way are configured to do.
    pub(super) configured: Configured,
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
            is_trial: false,
            addresses: Arc::default(),
            pods_by_ip: Map::new(),
            configured: Configured::default(),
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
        self.addresses = Arc::new(Addresses::of(cluster, &self.input));
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

    /// Lends what a node's kernel holds to a packet that passes, with its rules; it is to be given
    /// back.
    pub(super) fn lend_kernel(&mut self, node: &Arc<str>) -> (Arc<Ruleset>, Kernel) {
        let version = self.version;
        if let Some(kernel) = self.kernels.get_mut(node).filter(|it| it.version == version)
            && let Some(ruleset) = kernel.ruleset.clone()
        {
            return (ruleset, core::mem::take(kernel));
        }
        let ruleset = self.ruleset(node);
        (ruleset, self.kernels.get_mut(node).map(core::mem::take).unwrap_or_default())
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

    /// The connections of a load balancer that is a proxy, if it has any.
    pub(super) fn balancer_at(&self, ip: IpAddr) -> Option<&Conntrack> {
        self.balancers.get(&ip)
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
