//! How a packet from outside comes to a node that MetalLB makes answer for a Service.

use super::pools::{self, Pool};
use super::{FROM_POOL, WhySilent, bgp, layer2};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::net::Packet;
use crate::net::link::card_mac;
use crate::net::walk::Draw;
use crate::proxy::Mode;
use crate::store::ObjectKey;
use crate::trace::front::BalancerReason;
use crate::trace::hop::{BalancerCause, Cause, Failure, Manner, Place};
use crate::trace::path::{Arrival, Entrance, Tracer};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Whether a Service has its address from MetalLB.
pub(in crate::trace) fn is_from_pool(service: &Object) -> bool {
    service.meta.annotations.get(FROM_POOL).is_some()
}

impl Tracer<'_> {
    /// The router finds a node for an address of MetalLB's.
    pub(in crate::trace) fn by_metallb(
        &mut self,
        key: &ObjectKey,
        service: &Arc<Object>,
        ip: Ipv4Addr,
        packet: Packet,
    ) -> Result<Arrival, Failure> {
        let store = self.cluster.store;
        let all = pools::pools(store);
        let Some(pool) = pools::pool_of(&all, ip) else {
            return self.fail(Cause::NoSuchAddress(IpAddr::V4(ip)), Manner::TimedOut);
        };
        // A route to the single address goes before the network that it may be of.
        let why = match bgp::next_hops(store, self.cluster.now, service, pool) {
            Ok(hops) => {
                let names = hops.iter().map(|hop| hop.name().clone()).collect();
                return self.by_route(key, names, packet);
            }
            Err(why) => why,
        };
        if !self.is_neighbour(ip) {
            let why = match why {
                WhySilent::NoAdvertisement { .. } => WhySilent::OtherNetwork,
                why => why,
            };
            return self.silent(key, why, Manner::TimedOut);
        }
        self.by_arp(key, service, (pool, ip, why), packet)
    }

    /// Whether an address is of the nodes' network, so that the router asks for it there.
    fn is_neighbour(&self, ip: Ipv4Addr) -> bool {
        let mut machines = self.cluster.nodes.values();
        machines.any(|machine| machine.ip.octets()[..2] == ip.octets()[..2])
    }

    fn silent(
        &mut self,
        service: &ObjectKey,
        why: WhySilent,
        manner: Manner,
    ) -> Result<Arrival, Failure> {
        let cause = BalancerCause::NotAnnounced { service: service.clone(), why: Box::new(why) };
        self.fail(Cause::Balancer(cause), manner)
    }

    /// BGP: one of several next hops.
    fn by_route(
        &mut self,
        service: &ObjectKey,
        nodes: Vec<Arc<str>>,
        packet: Packet,
    ) -> Result<Arrival, Failure> {
        let among = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        let drawn = bgp::pick(&packet, among);
        let chosen = usize::try_from(drawn).ok().and_then(|at| nodes.get(at)).cloned();
        let node = chosen.unwrap_or_default();
        let draw = Draw { among, drawn };
        let reason =
            BalancerReason::RoutesByBgp { service: service.clone(), node: node.clone(), draw };
        self.balancer_hop(Place::Router, reason, (packet, packet));
        self.enter(service, &node, packet)
    }

    /// L2: whoever answers when the address is asked for. Without any advertisement for L2, what is
    /// wrong with BGP matters.
    fn by_arp(
        &mut self,
        key: &ObjectKey,
        service: &Arc<Object>,
        (pool, ip, by_bgp): (&Pool, Ipv4Addr, WhySilent),
        packet: Packet,
    ) -> Result<Arrival, Failure> {
        let owner = layer2::owner(self.cluster.store, self.cluster.now, service, (pool, ip));
        let everybody = self.answerers_of_ipvs(ip);
        let (node, among) = match (owner, everybody.is_empty()) {
            (Ok(owner), true) => (owner.speaker.name().clone(), owner.among),
            (Err(why), true) => {
                let reason = BalancerReason::AsksInVain { ip };
                self.balancer_hop(Place::Router, reason, (packet, packet));
                let why = match why {
                    WhySilent::NoAdvertisement { .. } => by_bgp,
                    why => why,
                };
                return self.silent(key, why, Manner::Unreachable);
            }
            (_, false) => return self.by_any_answer(key, &everybody, ip, packet),
        };
        let mac = self.mac_of(&node);
        let reason = BalancerReason::AnswersArp { ip, node: node.clone(), mac, among };
        self.balancer_hop(Place::Router, reason, (packet, packet));
        self.enter(key, &node, packet)
    }

    /// Without `strictARP` every node of a cluster with IPVS answers for every address of a Service,
    /// since it has them all on `kube-ipvs0`; the first answer is taken.
    fn by_any_answer(
        &mut self,
        key: &ObjectKey,
        nodes: &[Arc<str>],
        ip: Ipv4Addr,
        packet: Packet,
    ) -> Result<Arrival, Failure> {
        let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        let drawn = usize::try_from(self.rng.below(count)).unwrap_or_default();
        let node = nodes.get(drawn).cloned().unwrap_or_default();
        let mac = self.mac_of(&node);
        let reason = BalancerReason::AllAnswerArp { ip, node: node.clone(), mac, count };
        self.balancer_hop(Place::Router, reason, (packet, packet));
        self.enter(key, &node, packet)
    }

    fn answerers_of_ipvs(&mut self, ip: Ipv4Addr) -> Vec<Arc<str>> {
        if self.network.mode() != Mode::Ipvs || self.has_strict_arp() {
            return Vec::new();
        }
        let up: Vec<Arc<str>> = self
            .cluster
            .nodes
            .iter()
            .filter(|(_, machine)| machine.up)
            .map(|(name, _)| name.clone())
            .collect();
        let has = |node: &Arc<str>| self.network.ruleset(node).ipvs.bound.contains(&IpAddr::V4(ip));
        up.into_iter().filter(has).collect()
    }

    /// `ipvs.strictARP` of kube-proxy's configuration.
    fn has_strict_arp(&self) -> bool {
        let map = self.cluster.store.find(Kind::ConfigMap, "kube-system", "kube-proxy");
        let text = map.and_then(|map| map.content().str_at(&["data", "config.conf"]));
        let parsed = text.map(crate::manifest::parse);
        let document = parsed.and_then(|parsed| parsed.documents.into_iter().next());
        document.and_then(|it| it.value.bool_at(&["ipvs", "strictARP"])).unwrap_or(false)
    }

    fn mac_of(&self, node: &str) -> Arc<str> {
        let ip = self.cluster.nodes.get(node).map(|machine| machine.ip);
        Arc::from(ip.map(card_mac).unwrap_or_default())
    }

    /// The packet is put on the wire to a node, which may not be there any more.
    fn enter(
        &mut self,
        service: &ObjectKey,
        node: &Arc<str>,
        packet: Packet,
    ) -> Result<Arrival, Failure> {
        if self.cluster.machine(node).is_none() {
            let cause =
                BalancerCause::AnnouncerDown { service: service.clone(), node: node.clone() };
            return self.fail(Cause::Balancer(cause), Manner::TimedOut);
        }
        self.send(node, packet, Entrance::Network)
    }
}
