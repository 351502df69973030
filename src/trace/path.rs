//! The way of one packet, from where it is sent to who takes it, and of the answer back.

use super::cluster::Cluster;
use super::front::{BalancerReason, ProxyReason};
use super::hop::{Cause, Failure, Hop, Manner, Place, Reason, Route};
use super::network::Network;
use super::refusal::Refused;
use super::request::Source;
use crate::api::{Kind, Object};
use crate::net::conntrack::{Known, Phase, Tuple};
use crate::net::dice::Dice;
use crate::net::link::PodNetwork;
use crate::net::packet::{Endpoint, Protocol};
use crate::net::walk::Passed;
use crate::net::{Packet, Ruleset};
use crate::store::ObjectKey;
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

/// How many nodes a packet may pass; more can only be a loop.
const MAX_NODES: u32 = 8;

/// Writes a trace.
#[derive(Debug)]
pub(super) struct Tracer<'a> {
    /// The cluster.
    pub(super) cluster: Cluster<'a>,
    /// Its network.
    pub(super) network: &'a mut Network,
    /// Chance.
    pub(super) rng: Dice<'a>,
    /// The hops so far.
    pub(super) hops: Vec<Hop>,
    /// How many rules the nodes had to look at so far.
    pub(super) examined: u32,
    /// How long proxies on the way have waited for servers that did not answer.
    pub(super) waited: Duration,
    /// How many proxies the request has passed.
    pub(super) proxies: u32,
    /// The entries that the current connection has made in connection tracking.
    pub(super) tracked: Vec<(Arc<str>, Tuple)>,
    /// Whether an answer is on its way back.
    pub(super) is_replying: bool,
    /// How many nodes have forwarded the last packet.
    pub(super) forwards: u8,
    /// The packet that the last rule refused.
    pub(super) refused: Option<Refused>,
    /// What the node knows of a refusal that it makes itself, until it is on its way.
    pub(super) attached: Option<Known>,
    /// The packet that a refusal on its way is about, as the refusal's own node would see it.
    pub(super) about: Option<Tuple>,
    /// The connection that begins, where its first node is known not to know of it.
    pub(super) unknown: Option<Tuple>,
    /// Where rules are noted that a packet meets at a hook; empty between two hooks.
    pub(super) passed: Vec<Passed>,
}

/// How a packet came to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    /// It was made there.
    Process,
    /// From one of its pods.
    Pod,
    /// Over the network.
    Network,
    /// Over the network, out of a tunnel.
    Tunnel,
}

/// Where the packets of a source begin: the node, their address, how they come to the node.
pub(super) type Origin = (Arc<str>, IpAddr, Entrance);

/// Who takes a packet.
#[derive(Clone, Debug)]
pub(super) enum Taker {
    /// A pod on a node.
    Pod(Arc<Object>, Arc<str>),
    /// The node's own processes.
    Node(Arc<str>),
    /// Somebody outside of the cluster, by way of this node or straight.
    Internet(Option<Arc<str>>),
}

/// Where a packet ended, and what it looked like then.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// Who has it.
    pub(super) taker: Taker,
    /// The packet.
    pub(super) packet: Packet,
    /// The entries that its connection has made in connection tracking, by node.
    pub(super) tracked: Vec<(Arc<str>, Tuple)>,
}

/// What comes after a node.
pub(super) enum Next {
    Arrived(Taker, Packet),
    Node(Arc<str>, Packet),
    /// By a tunnel, in the second packet.
    Tunnel(Arc<str>, Packet, Packet),
}

/// As many hops as most traces have, so that their list need not grow.
const USUAL_HOPS: usize = 48;
/// As many rules as a packet mostly meets at a hook.
const USUAL_RULES: usize = 8;

impl<'a> Tracer<'a> {
    pub(super) fn new(cluster: &Cluster<'a>, network: &'a mut Network, rng: Dice<'a>) -> Self {
        Tracer {
            cluster: *cluster,
            network,
            rng,
            hops: Vec::with_capacity(USUAL_HOPS),
            examined: 0,
            waited: Duration::ZERO,
            proxies: 0,
            tracked: Vec::new(),
            is_replying: false,
            forwards: 0,
            refused: None,
            attached: None,
            about: None,
            unknown: None,
            passed: Vec::with_capacity(USUAL_RULES),
        }
    }
}

impl Tracer<'_> {
    /// Notes a hop.
    pub(super) fn hop(&mut self, place: Place, reason: Reason, packet: Option<(Packet, Packet)>) {
        self.hops.push(Hop { place, reason, packet, is_reply: self.is_replying });
    }

    /// Notes what a load balancer did.
    pub(super) fn balancer_hop(
        &mut self,
        place: Place,
        reason: BalancerReason,
        packet: (Packet, Packet),
    ) {
        self.hop(place, Reason::Balancer(Box::new(reason)), Some(packet));
    }

    /// Notes what a proxy did with a request.
    pub(super) fn proxy_hop(&mut self, place: Place, reason: ProxyReason) {
        self.hop(place, Reason::Proxy(Box::new(reason)), None);
    }

    pub(super) fn fail<T>(&self, cause: Cause, manner: Manner) -> Result<T, Failure> {
        let at = u32::try_from(self.hops.len().saturating_sub(1)).unwrap_or(u32::MAX);
        Err(Failure { cause, manner, at })
    }

    /// Sends a packet from a node on.
    pub(super) fn send(
        &mut self,
        node: &Arc<str>,
        packet: Packet,
        entrance: Entrance,
    ) -> Result<Arrival, Failure> {
        let (mut node, mut packet, mut entrance) = (node.clone(), packet, entrance);
        let sender = match entrance {
            Entrance::Pod if !packet.is_reply => self.pod_of(packet.source.ip),
            _ => None,
        };
        self.tracked.clear();
        self.forwards = 0;
        for passed in 0..MAX_NODES {
            let first_pod = sender.as_ref().filter(|_| passed == 0);
            let next = match self.on_node(&node, packet, entrance, first_pod) {
                Ok(next) => next,
                Err(failure) => return Err(self.stopped(&packet, failure)),
            };
            match next {
                Next::Arrived(taker, packet) => {
                    let tracked = core::mem::take(&mut self.tracked);
                    return Ok(Arrival { taker, packet, tracked });
                }
                Next::Node(next, on_wire) => {
                    (node, entrance) = (next, Entrance::Network);
                    packet = on_wire.on_wire();
                }
                Next::Tunnel(next, inside, outside) => {
                    self.unpack(&next, outside.on_wire(), inside)?;
                    (node, entrance) = (next, Entrance::Tunnel);
                    packet = inside.on_wire();
                }
            }
        }
        self.fail(Cause::Loop, Manner::TimedOut)
    }

    /// A packet came no further: a node that refused it tells its sender. Whose answer is refused
    /// hears nothing.
    fn stopped(&mut self, packet: &Packet, failure: Failure) -> Failure {
        match self.refused.take() {
            None => failure,
            Some(_) if packet.is_reply => Failure { manner: Manner::TimedOut, ..failure },
            Some(refused) => self.sends_back(&refused, failure),
        }
    }

    /// Where a node sends a packet to an address; `own` are the node's addresses.
    pub(super) fn route(
        &self,
        node: &Arc<str>,
        own: &[IpAddr],
        ruleset: &Ruleset,
        to: IpAddr,
    ) -> Route {
        if own.contains(&to) || to.is_loopback() || ruleset.ipvs.bound.contains(&to) {
            return Route::Local;
        }
        if let Some(other) = self.network.node_at(to) {
            return Route::Neighbour(other.clone());
        }
        match self.network.node_of_pods_at(to) {
            Some(home) if home == node => Route::Pod,
            Some(other) => match self.network.pod_network() {
                PodNetwork::Routed => Route::Node(other.clone()),
                PodNetwork::Vxlan => Route::Tunnel(other.clone()),
            },
            None => Route::Default,
        }
    }

    /// The packet leaves a node.
    pub(super) fn leave(
        &mut self,
        node: &Arc<str>,
        route: Route,
        packet: Packet,
    ) -> Result<Next, Failure> {
        match route {
            Route::Local => Ok(Next::Arrived(Taker::Node(node.clone()), packet)),
            Route::Neighbour(next) | Route::Node(next) => Ok(Next::Node(next, packet)),
            Route::Tunnel(next) => {
                let outside = self.pack(node, &next, &packet)?;
                Ok(Next::Tunnel(next, packet, outside))
            }
            Route::Pod => {
                let Some(pod) = self.pod_of(packet.destination.ip) else {
                    let cause = Cause::NoSuchAddress(packet.destination.ip);
                    return self.fail(cause, Manner::Unreachable);
                };
                if !packet.is_reply {
                    let device = self.network.pod_network().to_pod(packet.destination.ip);
                    let place = Place::Device(node.clone(), device);
                    self.hop(place, Reason::Delivers, Some((packet, packet)));
                }
                Ok(Next::Arrived(Taker::Pod(pod, node.clone()), packet))
            }
            Route::Default => {
                if let Some(cause) = self.lost(&packet).filter(|_| !packet.is_reply) {
                    return self.fail(cause, Manner::TimedOut);
                }
                Ok(Next::Arrived(Taker::Internet(Some(node.clone())), packet))
            }
        }
    }

    /// The nodes learn what became of a connection.
    pub(super) fn conclude(&mut self, arrival: &Arrival, phase: Phase) {
        let now = self.cluster.now;
        for (node, tuple) in &arrival.tracked {
            let conntrack = &mut self.network.kernel(node).memory_mut().conntrack;
            conntrack.advance(tuple, phase, now);
        }
    }

    /// The pod that has an address.
    pub(super) fn pod_of(&mut self, ip: IpAddr) -> Option<Arc<Object>> {
        self.network.pod_at(&self.cluster, ip)
    }

    /// Where the packets of a source begin: node, address, and how they enter it.
    pub(super) fn origin(&mut self, source: &Source) -> Result<Origin, Failure> {
        match source {
            Source::Node(name) => match self.cluster.machine(name) {
                Some(machine) => Ok((name.clone(), IpAddr::from(machine.ip), Entrance::Process)),
                None => self.fail(Cause::NoClient(source.clone()), Manner::NotSent),
            },
            Source::Pod { namespace, name } => {
                let key = ObjectKey { namespace: namespace.clone(), name: name.clone() };
                let pod = self.cluster.store.get(Kind::Pod, &key);
                let found = pod.and_then(|object| {
                    let pod = object.pod()?;
                    let node = pod.node_name.clone()?;
                    let machine = self.cluster.machine(&node)?;
                    let host = pod.spec.host_network;
                    let ip = if host { machine.ip } else { pod.status.pod_ip? };
                    let entrance = if host { Entrance::Process } else { Entrance::Pod };
                    Some((node, IpAddr::from(ip), entrance))
                });
                match found {
                    Some(found) => Ok(found),
                    None => self.fail(Cause::NoClient(source.clone()), Manner::NotSent),
                }
            }
            Source::Internet { .. } => self.fail(Cause::NoClient(source.clone()), Manner::NotSent),
        }
    }

    /// A port for a connection that begins, as the kernel gives them.
    pub(super) fn ephemeral_port(&mut self) -> u16 {
        let port = 32_768 + self.rng.any(28_232);
        u16::try_from(port).unwrap_or(u16::MAX)
    }

    /// A port for a connection that begins, which no connection to the same place has used so lately
    /// that the node still knows of it.
    ///
    /// Models net/ipv4/inet_hashtables.c __inet_hash_connect, which gives no port that waits
    /// (TIME_WAIT) for what may still come from there.
    pub(super) fn free_port(
        &mut self,
        protocol: Protocol,
        ip: IpAddr,
        to: Endpoint,
        node: Option<&Arc<str>>,
    ) -> u16 {
        const MOST_TRIES: u32 = 16;
        let mut port = self.ephemeral_port();
        let Some(node) = node else { return port };
        for _ in 0..MOST_TRIES {
            let packet = Packet::new(protocol, Endpoint { ip, port }, to);
            let kernel = self.network.kernel_of(node);
            let known = kernel.and_then(|it| it.memory().conntrack.find(&packet, self.cluster.now));
            if known.is_none() {
                self.unknown = Some(Tuple::of(&packet));
                break;
            }
            port = self.ephemeral_port();
        }
        port
    }

    /// Carries a reply back from who took the packet, and gives the address it came from as the
    /// client saw it.
    pub(super) fn reply(&mut self, arrival: &Arrival) -> Result<Endpoint, Failure> {
        let came = self.carry_back(arrival.packet.reply(), arrival);
        came.map(|packet| packet.source)
    }

    /// Carries what who took a packet says to it back to who sent it.
    pub(super) fn carry_back(
        &mut self,
        packet: Packet,
        arrival: &Arrival,
    ) -> Result<Packet, Failure> {
        let mut packet = packet;
        let begin = match &arrival.taker {
            Taker::Pod(pod, node) => {
                let is_host = pod.pod().is_some_and(|pod| pod.spec.host_network);
                Some((node, if is_host { Entrance::Process } else { Entrance::Pod }))
            }
            Taker::Node(node) => Some((node, Entrance::Process)),
            Taker::Internet(Some(node)) => Some((node, Entrance::Network)),
            Taker::Internet(None) => None,
        };
        self.is_replying = true;
        let sent = self.send_reply(&mut packet, arrival, begin);
        self.is_replying = false;
        sent.map(|()| packet)
    }

    fn send_reply(
        &mut self,
        packet: &mut Packet,
        arrival: &Arrival,
        begin: Option<(&Arc<str>, Entrance)>,
    ) -> Result<(), Failure> {
        // A pod that talks to itself needs no node.
        if let Some((node, entrance)) = begin.filter(|_| !arrival.packet.source.ip.is_loopback()) {
            *packet = self.send(node, *packet, entrance)?.packet;
        }
        self.through_balancer(packet);
        Ok(())
    }

    /// A reply to a load balancer that is a proxy: it hands it on to its client.
    pub(super) fn through_balancer(&mut self, packet: &mut Packet) {
        let (before, ip, now) = (*packet, packet.destination.ip, self.cluster.now);
        let Some(conntrack) = self.network.balancer_at(ip) else { return };
        let known = match self.about.filter(|_| packet.is_error()) {
            Some(about) => conntrack.find_error(&about, now),
            None => conntrack.find(packet, now),
        };
        if let Some(known) = known {
            self.about = Some(known.original);
            (packet.source, packet.destination) = (known.source, known.destination);
            self.hop(Place::LoadBalancer(ip), Reason::Untranslates, Some((before, *packet)));
        }
    }
}
