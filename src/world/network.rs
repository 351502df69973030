//! The cluster's network: requests that people and pods send, and what nodes hold for them.

use super::World;
use super::queue::Due;
use crate::api::Kind;
use crate::base::{Rng, SimTime};
use crate::net::Ruleset;
use crate::net::iptables::command::Refusal;
use crate::net::iptables::edit::Edit;
use crate::net::link::PodNetwork;
use crate::programs::{Served, Wire};
use crate::proxy::Mode;
use crate::store::{Change, ObjectKey};
use crate::trace::Kernel;
use crate::trace::beside::{self, Comparison};
use crate::trace::chances::Chances;
use crate::trace::haproxy;
use crate::trace::names::{Inquired, Inquiry};
use crate::trace::{Cluster, Network, PacketTrace, Request};
use core::time::Duration;
use std::sync::Arc;

pub use crate::trace::CLIENT_ADDRESS;

/// What a load balancer that people built knows of its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandBuilt {
    /// Whether each server is up, as far as it knows, in the order of the file.
    pub up: Vec<bool>,
    /// The node that each leads to, if there is one.
    pub nodes: Vec<Option<Arc<str>>>,
    /// Nodes that the file does not know.
    pub unlisted: Vec<Arc<str>>,
}

/// The network, and the request that was followed last.
#[derive(Clone, Debug)]
pub(super) struct Wires {
    network: Network,
    /// When kube-proxy may write rules again.
    next_sync: SimTime,
    latest: Option<Arc<PacketTrace>>,
}

impl Wires {
    pub(super) fn new(pods: PodNetwork) -> Self {
        let mut network = Network::new(Mode::Iptables);
        network.set_pod_network(pods);
        Wires { network, next_sync: SimTime::WORLD_START, latest: None }
    }
}

/// From a change of a Service or its endpoints to rules that know it: an informer's delay, and what
/// it takes to load the rules.
///
/// Simplified: always as long; with thousands of Services loading them takes up to seconds.
const SYNC_DELAY: Duration = Duration::from_millis(20);
/// How long kube-proxy waits at least before it writes rules again (`minSyncPeriod`).
///
/// Models pkg/proxy/apis/config/v1alpha1/defaults.go SetDefaults_KubeProxyConfiguration.
const MIN_SYNC_PERIOD: Duration = Duration::from_secs(1);

impl World {
    /// kube-proxy hears of a change, and looks at it as soon as it may.
    ///
    /// Models pkg/proxy/runner/bounded_frequency_runner.go BoundedFrequencyRunner.
    pub(super) fn wake_kube_proxy(&mut self, change: &Change) {
        let matters = match change.kind {
            Kind::Service | Kind::EndpointSlice => true,
            // Heartbeats are no news.
            Kind::Node => match (&change.old, &change.new) {
                (Some(old), Some(new)) => old.meta.labels != new.meta.labels,
                _ => true,
            },
            _ => false,
        };
        if matters {
            let at = self.wires.next_sync.max(self.now + SYNC_DELAY);
            self.queue.push(at, Due::ProxySync);
        }
    }

    /// kube-proxy writes the rules anew on every node.
    pub(super) fn sync_kube_proxy(&mut self) {
        self.wires.next_sync = self.now + MIN_SYNC_PERIOD;
        self.wires.network.sync(&self.store);
    }

    /// Sends a request and follows it. It takes no time: what a client waits for is its own affair.
    pub fn send(&mut self, request: &Request) -> Arc<PacketTrace> {
        let mut rng = self.rng.fork();
        let cluster =
            Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now };
        let trace = Arc::new(self.wires.network.send(&cluster, request, &mut rng));
        self.wires.latest = Some(trace.clone());
        trace
    }

    /// Carries questions to a name server, as dig does. It takes no time either.
    pub fn inquire(&mut self, inquiry: &Inquiry) -> Inquired {
        let mut rng = self.rng.fork();
        let cluster =
            Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now };
        let inquired = self.wires.network.ask(&cluster, inquiry, &mut rng);
        self.wires.latest = Some(inquired.trace.clone());
        inquired
    }

    /// Where a request that is sent now can end, and how likely each end is, to the last digit.
    pub fn chances(&self, request: &Request) -> Chances {
        self.wires.network.chances(&self.cluster(), request)
    }

    /// The same request as things are and after a change, at the same moment and with the same
    /// chance, hop beside hop. This world stays as it is.
    ///
    /// `change` may let time pass, so that what it changes takes effect.
    pub fn side_by_side(&self, change: impl FnOnce(&mut World), request: &Request) -> Comparison {
        let (mut left, mut right) = (self.clone(), self.clone());
        change(&mut right);
        left.run_for(right.now.since(left.now));
        left.rng = self.rng.clone();
        right.rng = self.rng.clone();
        beside::side_by_side(left.send(request), right.send(request))
    }

    /// What CoreDNS in a pod has logged of questions since it runs.
    pub(super) fn queries(&self, pod: &ObjectKey) -> Vec<(SimTime, String)> {
        self.wires.network.queries().of(pod).to_vec()
    }

    /// The cluster at this moment, for those who ask its DNS.
    pub const fn cluster(&self) -> Cluster<'_> {
        Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now }
    }

    /// Takes the request that was sent last, if one was since this was asked before: for whoever
    /// shows requests beside the text that they give.
    pub const fn take_trace(&mut self) -> Option<Arc<PacketTrace>> {
        self.wires.latest.take()
    }

    /// The file of a load balancer that people built outside of the cluster, if they did.
    pub const fn hand_built(&self) -> Option<&Arc<haproxy::Config>> {
        self.wires.network.hand_built()
    }

    /// A load balancer that people built starts with a file, loads another one, or goes.
    pub fn set_hand_built(&mut self, config: Option<haproxy::Config>) {
        self.wires.network.set_hand_built(config);
    }

    /// What such a load balancer knows of its servers, and the nodes that it does not know.
    pub fn hand_built_state(&self, config: &haproxy::Config) -> HandBuilt {
        let cluster = self.cluster();
        let mut network = self.wires.network.clone();
        network.refresh(&cluster);
        let network = &network;
        let up = config.pools.iter().flat_map(|pool| network.servers_up(&cluster, pool)).collect();
        let nodes = config.pools.iter().flat_map(|pool| &pool.servers);
        let nodes = nodes.map(|server| network.node_at(server.to.ip).cloned()).collect();
        HandBuilt { up, nodes, unlisted: haproxy::unlisted(&cluster, network, config) }
    }

    /// How kube-proxy works.
    pub const fn proxy_mode(&self) -> Mode {
        self.wires.network.mode()
    }

    /// Makes kube-proxy work otherwise on every node. Rules that a person added to chains of their
    /// own stay; connections and affinity are forgotten.
    pub fn set_proxy_mode(&mut self, mode: Mode) {
        self.wires.network.set_mode(mode);
        // It starts again, and so begins with what there is.
        self.sync_kube_proxy();
    }

    /// How packets come from one pod to another.
    pub const fn pod_network(&self) -> PodNetwork {
        self.wires.network.pod_network()
    }

    /// Makes packets come from one pod to another otherwise, on every node. What nodes remember of
    /// connections is forgotten.
    pub fn set_pod_network(&mut self, pods: PodNetwork) {
        self.wires.network.set_pod_network(pods);
    }

    /// What netfilter and IPVS hold on a node now.
    pub fn ruleset(&mut self, node: &str) -> Arc<Ruleset> {
        let cluster =
            Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now };
        self.wires.network.refresh(&cluster);
        self.wires.network.ruleset(node)
    }

    /// What a node's kernel holds of the network: counters, connections, its log.
    pub fn kernel(&mut self, node: &str) -> &mut Kernel {
        self.wires.network.kernel(&Arc::from(node))
    }

    /// Changes a node's rules by hand, as `iptables -I`, `-A`, `-D` and their kin do: all changes or
    /// none.
    ///
    /// # Errors
    /// iptables' sentence, if there is no such chain or rule.
    pub fn edit_rules(&mut self, node: &str, edits: &[Edit]) -> Result<(), Refusal> {
        let mut ruleset = (*self.ruleset(node)).clone();
        for edit in edits {
            edit.apply(&mut ruleset)?;
        }
        self.set_ruleset(node, ruleset);
        Ok(())
    }

    /// Gives a node other rules, as `iptables-restore` does.
    pub fn set_ruleset(&mut self, node: &str, ruleset: Ruleset) {
        self.wires.network.set_ruleset(node, ruleset);
    }

    /// The rules of the nodes where people have changed some, for the world's hash.
    pub(super) fn rules_by_hand(&self) -> impl Iterator<Item = (&Arc<str>, &Ruleset)> {
        self.wires.network.changed_by_hand()
    }
}

impl Wire for World {
    fn send(&mut self, request: &Request) -> Arc<PacketTrace> {
        World::send(self, request)
    }

    fn inquire(&mut self, inquiry: &Inquiry) -> Inquired {
        World::inquire(self, inquiry)
    }

    fn cluster(&self) -> Cluster<'_> {
        World::cluster(self)
    }

    fn rng(&mut self) -> &mut Rng {
        World::rng(self)
    }

    fn api(&mut self, request: &Request, is_trusted: bool) -> Served {
        super::rest::served(self, request, is_trusted)
    }
}
