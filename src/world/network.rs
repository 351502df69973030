//! The cluster's network: requests that people and pods send, and what nodes hold for them.

use super::World;
use crate::base::Rng;
use crate::net::Ruleset;
use crate::net::conntrack::Memory;
use crate::net::edit::{Edit, Refused};
use crate::programs::Wire;
use crate::proxy::Mode;
use crate::trace::{Cluster, Network, PacketTrace, Request};
use core::net::IpAddr;
use std::sync::Arc;

pub use crate::trace::CLIENT_ADDRESS;

/// The network, and the request that was followed last.
#[derive(Clone, Debug)]
pub(super) struct Wires {
    network: Network,
    latest: Option<Arc<PacketTrace>>,
}

impl Wires {
    pub(super) fn new() -> Self {
        Wires { network: Network::new(Mode::Iptables), latest: None }
    }
}

impl World {
    /// Sends a request and follows it. It takes no time: what a client waits for is its own affair.
    pub fn send(&mut self, request: &Request) -> Arc<PacketTrace> {
        let mut rng = self.rng.fork();
        let cluster =
            Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now };
        let trace = Arc::new(self.wires.network.send(&cluster, request, &mut rng));
        self.wires.latest = Some(trace.clone());
        trace
    }

    /// Whether an address is one that kube-proxy makes for a Service.
    pub fn is_service_address(&mut self, ip: IpAddr) -> bool {
        let cluster =
            Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now };
        self.wires.network.refresh(&cluster);
        self.wires.network.is_service_ip(ip)
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

    /// How kube-proxy works.
    pub const fn proxy_mode(&self) -> Mode {
        self.wires.network.mode()
    }

    /// Makes kube-proxy work otherwise on every node. Rules that a person added to chains of their
    /// own stay; connections and affinity are forgotten.
    pub fn set_proxy_mode(&mut self, mode: Mode) {
        self.wires.network.set_mode(mode);
    }

    /// What netfilter and IPVS hold on a node now.
    pub fn ruleset(&mut self, node: &str) -> Arc<Ruleset> {
        let cluster =
            Cluster { store: &self.store, nodes: &self.nodes, disks: &self.disks, now: self.now };
        self.wires.network.refresh(&cluster);
        self.wires.network.ruleset(node)
    }

    /// What a node remembers of packets, if it has seen any.
    pub fn memory_of(&self, node: &str) -> Option<&Memory> {
        self.wires.network.memory_of(node)
    }

    /// Changes a node's rules by hand, as `iptables -I`, `-A`, `-D` and their kin do.
    ///
    /// # Errors
    /// iptables' sentence, if there is no such chain or rule.
    pub fn edit_rules(&mut self, node: &str, edit: Edit) -> Result<(), Refused> {
        let mut ruleset = (*self.ruleset(node)).clone();
        let edit = edit.by_rule(&ruleset);
        edit.apply(&mut ruleset)?;
        self.wires.network.add_edit(node, edit, ruleset);
        Ok(())
    }

    /// Rules that people changed by hand, by node, for the world's hash.
    pub(super) fn edits(&self) -> impl Iterator<Item = (&Arc<str>, &[Edit])> {
        self.wires.network.edits()
    }
}

impl Wire for World {
    fn send(&mut self, request: &Request) -> Arc<PacketTrace> {
        World::send(self, request)
    }

    fn cluster(&self) -> Cluster<'_> {
        World::cluster(self)
    }

    fn is_service_address(&mut self, ip: IpAddr) -> bool {
        World::is_service_address(self, ip)
    }

    fn proxy_mode(&self) -> Mode {
        World::proxy_mode(self)
    }

    fn rng(&mut self) -> &mut Rng {
        World::rng(self)
    }
}
