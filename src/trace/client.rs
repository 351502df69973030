//! How a request begins: its first packet, the load balancer.

use super::haproxy;
use super::hop::{Cause, Failure, Manner, Place, Reason};
use super::metallb;
use super::path::{Arrival, Entrance, Origin, Taker, Tracer};
use super::request::{Request, Source};
use crate::api::Kind;
use crate::net::Packet;
use crate::net::packet::Endpoint;
use std::net::IpAddr;
use std::sync::Arc;

impl Tracer<'_> {
    /// Opens the connection and says who takes it.
    pub(super) fn open(&mut self, request: &Request, to: Endpoint) -> Result<Arrival, Failure> {
        let origin = match &request.from {
            Source::Internet { .. } => None,
            from => Some(self.origin(from)?),
        };
        self.open_from(origin, request, to)
    }

    /// The same, where it is known already where the packets of who asks begin.
    pub(super) fn open_from(
        &mut self,
        origin: Option<Origin>,
        request: &Request,
        to: Endpoint,
    ) -> Result<Arrival, Failure> {
        let place = Place::Client(request.from.clone());
        if let Source::Internet { ip } = &request.from {
            let node = self.network.node_at(to.ip).cloned();
            let port = self.free_port(request.protocol, *ip, to, node.as_ref());
            let packet = Packet::new(request.protocol, Endpoint { ip: *ip, port }, to);
            self.hop(place, Reason::Sends, Some((packet, packet)));
            return self.arrive_from_internet(packet);
        }
        let Some((node, ip, entrance)) = origin else {
            return self.fail(Cause::NoClient(request.from.clone()), Manner::NotSent);
        };
        let ip = if to.ip.is_loopback() { to.ip } else { self.source_for(&node, ip, to.ip) };
        let port = self.free_port(request.protocol, ip, to, Some(&node));
        let packet = Packet::new(request.protocol, Endpoint { ip, port }, to);
        self.hop(place, Reason::Sends, Some((packet, packet)));
        if to.ip.is_loopback() && entrance == Entrance::Pod {
            return self.within_pod(request, packet, &node);
        }
        self.send(&node, packet, entrance)
    }

    /// The address that a packet gets that begins on a node: that of the device it leaves by.
    pub(super) fn source_for(&self, node: &Arc<str>, ip: IpAddr, to: IpAddr) -> IpAddr {
        let Some(machine) = self.cluster.machine(node).filter(|it| IpAddr::from(it.ip) == ip)
        else {
            return ip;
        };
        let own = self.network.pod_network().own_addresses(machine.pod_network);
        match (self.network.node_of_pods_at(to), own) {
            (Some(home), Some((bridge, _))) if home == node => bridge,
            (Some(_), Some((_, tunnel))) => tunnel,
            _ => ip,
        }
    }

    /// A pod that talks to itself over loopback.
    fn within_pod(
        &mut self,
        request: &Request,
        packet: Packet,
        node: &Arc<str>,
    ) -> Result<Arrival, Failure> {
        let Source::Pod { namespace, name } = &request.from else {
            return self.fail(Cause::NoClient(request.from.clone()), Manner::NotSent);
        };
        match self.cluster.store.find(Kind::Pod, namespace, name) {
            Some(pod) => {
                let taker = Taker::Pod(pod.clone(), node.clone());
                Ok(Arrival { taker, packet, tracked: Vec::new() })
            }
            None => self.fail(Cause::NoClient(request.from.clone()), Manner::NotSent),
        }
    }

    /// A packet from outside: to a load balancer, to a node, or to an external IP.
    fn arrive_from_internet(&mut self, packet: Packet) -> Result<Arrival, Failure> {
        let to = packet.destination;
        if let Some(node) = self.network.node_at(to.ip).cloned() {
            return self.send(&node, packet, Entrance::Network);
        }
        if to.ip == IpAddr::from(haproxy::ADDRESS) && self.network.hand_built().is_some() {
            return Ok(Arrival { taker: Taker::Internet(None), packet, tracked: Vec::new() });
        }
        let Some(key) = self.network.service_at(to).map(|(key, _)| key.clone()) else {
            let cause = Cause::NoSuchAddress(to.ip);
            return self.fail(cause, Manner::TimedOut);
        };
        let service = self.network.service(&key).cloned();
        match service {
            Some(service)
                if service.load_balancer_vips.contains(&to.ip)
                    || service.load_balancer_proxies.contains(&to.ip) =>
            {
                let object = self.cluster.store.get(Kind::Service, &key).cloned();
                match (object.filter(|object| metallb::is_from_pool(object)), to.ip) {
                    (Some(object), IpAddr::V4(ip)) => self.by_metallb(&key, &object, ip, packet),
                    _ => self.balance(&key, &service, packet),
                }
            }
            // Simplified: who routes external IPs to which node is up to the network; the first
            // node that is up gets it.
            Some(service) if service.external_ips.contains(&to.ip) => {
                let up = self.cluster.nodes.iter().find(|(_, machine)| machine.up);
                match up.map(|(name, _)| name.clone()) {
                    Some(node) => self.send(&node, packet, Entrance::Network),
                    None => self.fail(Cause::NoHealthyNode(key), Manner::TimedOut),
                }
            }
            _ => self.fail(Cause::NoSuchAddress(to.ip), Manner::TimedOut),
        }
    }
}
