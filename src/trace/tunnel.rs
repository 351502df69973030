//! A packet in a tunnel between nodes: packed into another one, and unpacked.

use super::hop::{Failure, Manner, Place, Reason};
use super::node::Passage;
use super::path::{Entrance, Tracer};
use crate::net::Packet;
use crate::net::link;
use crate::net::table::Hook;
use crate::net::walk::Device;
use std::net::IpAddr;
use std::sync::Arc;

impl Tracer<'_> {
    /// Packs a packet into one that goes through the tunnel to another node, and sends that off.
    pub(super) fn pack(
        &mut self,
        node: &Arc<str>,
        to: &Arc<str>,
        inside: &Packet,
    ) -> Result<Packet, Failure> {
        let ip_of = |name: &Arc<str>| {
            let machine = self.cluster.nodes.get(name);
            machine.map_or(inside.destination.ip, |machine| IpAddr::from(machine.ip))
        };
        let mut outside = link::encapsulated(inside, ip_of(node), ip_of(to));
        let mtu = self.network.pod_network().pod_mtu();
        let reason = Reason::Encapsulates { vni: link::VNI, overhead: link::OVERHEAD, mtu };
        let place = Place::Device(node.clone(), Device::Named("flannel.1"));
        self.hop(place, reason, Some((*inside, outside)));
        let mut it = self.passage(node, &outside, Entrance::Process)?;
        it.output = Device::Named("eth0");
        it.kernel.meets(outside.destination.ip, self.cluster.now);
        let passed = self.both(&mut it, [Hook::Output, Hook::Postrouting], &mut outside);
        self.network.take_back(node, it.kernel);
        self.unheard(passed).map(|()| outside)
    }

    /// Receives a packet that carries another, and unpacks it.
    pub(super) fn unpack(
        &mut self,
        node: &Arc<str>,
        outside: Packet,
        inside: Packet,
    ) -> Result<(), Failure> {
        let mut it = self.passage(node, &outside, Entrance::Network)?;
        let mut packet = outside;
        self.hop(Place::Node(node.clone()), Reason::Enters, Some((packet, packet)));
        let passed = self.both(&mut it, [Hook::Prerouting, Hook::Input], &mut packet);
        self.network.take_back(node, it.kernel);
        self.unheard(passed)?;
        let place = Place::Device(node.clone(), Device::Named("flannel.1"));
        self.hop(place, Reason::Decapsulates, Some((packet, inside.on_wire())));
        Ok(())
    }

    /// Who refuses a tunnel's packet tells a tunnel, which tells nobody.
    fn unheard<T>(&mut self, passed: Result<T, Failure>) -> Result<T, Failure> {
        self.refused = None;
        passed.map_err(|failure| Failure { manner: Manner::TimedOut, ..failure })
    }

    /// Carries a tunnel's packet through two hooks, and notes its connection.
    fn both(
        &mut self,
        it: &mut Passage<'_>,
        hooks: [Hook; 2],
        packet: &mut Packet,
    ) -> Result<(), Failure> {
        let before = *packet;
        for hook in hooks {
            self.pass(it, hook, packet)?;
        }
        if it.known.is_none() {
            it.note(&before, packet, self.cluster.now);
        }
        Ok(())
    }
}
