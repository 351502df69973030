//! The way of one connection's first packet, from where it is sent to who takes it.

use super::hop::{Cause, Direction, Failure, Hop, Manner, Place, Reason, Route, RuleRef};
use super::network::{Cluster, Network, why_no_endpoints};
use super::policy;
use super::request::Source;
use crate::api::{Kind, Object};
use crate::base::Rng;
use crate::net::conntrack::Connection;
use crate::net::packet::{Endpoint, State};
use crate::net::table::Hook;
use crate::net::walk::{Fate, Passed, Surroundings, Walk};
use crate::net::{Packet, Ruleset};
use crate::store::ObjectKey;
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

/// How many nodes a packet may pass; more can only be a loop.
const MAX_NODES: u32 = 8;

/// As many rules as a packet mostly meets at a hook, so that their list need not grow.
const USUAL_RULES: usize = 8;

/// Writes a trace.
#[derive(Debug)]
pub(super) struct Tracer<'a> {
    /// The cluster.
    pub(super) cluster: Cluster<'a>,
    /// Its network.
    pub(super) network: &'a mut Network,
    /// Chance.
    pub(super) rng: &'a mut Rng,
    /// The hops so far.
    pub(super) hops: Vec<Hop>,
    /// How many rules the nodes had to look at so far.
    pub(super) examined: u32,
    /// How long proxies on the way have waited for servers that did not answer.
    pub(super) waited: Duration,
    /// How many proxies the request has passed.
    pub(super) proxies: u32,
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
}

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
}

/// What comes after a node.
enum Next {
    Arrived(Arrival),
    Node(Arc<str>, Packet),
}

impl Tracer<'_> {
    pub(super) fn hop(&mut self, place: Place, reason: Reason, packet: Option<(Packet, Packet)>) {
        self.hops.push(Hop { place, reason, packet, is_reply: false });
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
            Entrance::Pod => self.pod_of(packet.source.ip),
            Entrance::Process | Entrance::Network => None,
        };
        for passed in 0..MAX_NODES {
            let first_pod = sender.as_ref().filter(|_| passed == 0);
            match self.on_node(&node, packet, entrance, first_pod)? {
                Next::Arrived(arrival) => return Ok(arrival),
                Next::Node(next, on_wire) => {
                    (node, entrance) = (next, Entrance::Network);
                    packet = Packet { mark: 0, dnat: false, state: State::New, ..on_wire };
                }
            }
        }
        self.fail(Cause::Loop, Manner::TimedOut)
    }

    /// Carries a packet through one node.
    fn on_node(
        &mut self,
        node: &Arc<str>,
        before: Packet,
        entrance: Entrance,
        sender: Option<&Arc<Object>>,
    ) -> Result<Next, Failure> {
        let Some(machine) = self.cluster.machine(node) else {
            return self.fail(Cause::NodeDown(node.clone()), Manner::TimedOut);
        };
        let own_ip = IpAddr::from(machine.ip);
        let mut packet = before;
        if entrance != Entrance::Process {
            self.hop(Place::Node(node.clone()), Reason::Enters, Some((before, before)));
        }
        let ruleset = self.network.ruleset(node);
        let hook = if entrance == Entrance::Process { Hook::Output } else { Hook::Prerouting };
        self.pass(node, &ruleset, hook, &mut packet, entrance)?;
        let mut route = self.route(node, own_ip, &ruleset, packet.destination.ip);
        if entrance != Entrance::Process {
            let hook = if route == Route::Local { Hook::Input } else { Hook::Forward };
            self.pass(node, &ruleset, hook, &mut packet, entrance)?;
        }
        if route == Route::Local && self.schedule(node, &ruleset, &mut packet)? {
            route = self.route(node, own_ip, &ruleset, packet.destination.ip);
        }
        let place = Place::Node(node.clone());
        self.hop(place, Reason::Routes(route.clone()), Some((packet, packet)));
        if let Some(sender) = sender {
            self.check_egress(sender, &packet)?;
        }
        if route != Route::Local || entrance == Entrance::Process {
            self.pass(node, &ruleset, Hook::Postrouting, &mut packet, entrance)?;
        }
        self.masquerade_by_plugin(node, &route, own_ip, entrance, &mut packet);
        self.track(node, &before, &packet);
        self.leave(node, route, packet)
    }

    fn leave(&mut self, node: &Arc<str>, route: Route, packet: Packet) -> Result<Next, Failure> {
        let arrived = |taker| Ok(Next::Arrived(Arrival { taker, packet }));
        match route {
            Route::Local => arrived(Taker::Node(node.clone())),
            Route::Node(next) => Ok(Next::Node(next, packet)),
            Route::Pod => {
                let Some(pod) = self.pod_of(packet.destination.ip) else {
                    let cause = Cause::NoSuchAddress(packet.destination.ip);
                    return self.fail(cause, Manner::Unreachable);
                };
                self.check_ingress(&pod, node, &packet)?;
                self.hop(Place::Bridge(node.clone()), Reason::Delivers, Some((packet, packet)));
                arrived(Taker::Pod(pod, node.clone()))
            }
            Route::Default => {
                if let Some(cause) = self.lost(&packet) {
                    return self.fail(cause, Manner::TimedOut);
                }
                arrived(Taker::Internet(Some(node.clone())))
            }
        }
    }

    /// Why a packet that leaves the cluster can reach nobody, if so.
    fn lost(&self, packet: &Packet) -> Option<Cause> {
        let to = packet.destination;
        if let Some((service, _)) = self.network.service_at(to) {
            let service = service.clone();
            let offered = self.network.ports(&service).unwrap_or_default();
            return Some(Cause::WrongPort { service, port: to.port, offered });
        }
        let input = self.network.input();
        let mut inside = input.service_cidrs.iter().chain(&input.cluster_cidrs);
        inside.any(|net| net.contains(&to.ip)).then_some(Cause::NoSuchAddress(to.ip))
    }

    /// Carries a packet through a hook of a node, and notes the rules it met.
    fn pass(
        &mut self,
        node: &Arc<str>,
        ruleset: &Arc<Ruleset>,
        hook: Hook,
        packet: &mut Packet,
        entrance: Entrance,
    ) -> Result<(), Failure> {
        let Some(machine) = self.cluster.machine(node) else {
            return self.fail(Cause::NodeDown(node.clone()), Manner::TimedOut);
        };
        let masquerade_as = IpAddr::from(machine.ip);
        let own = own_addresses(machine, packet, ruleset);
        let mut walk = Walk {
            ruleset,
            memory: self.network.memory(node),
            surroundings: Surroundings {
                own: &own,
                masquerade_as,
                from_bridge: entrance == Entrance::Pod,
                now: self.cluster.now,
            },
            rng: self.rng,
            passed: Vec::with_capacity(USUAL_RULES),
            examined: 0,
        };
        let fate = walk.pass(hook, packet);
        let passed = walk.passed;
        self.examined = self.examined.saturating_add(walk.examined);
        let last = passed.last().map(|passed| (passed.table, passed.chain.clone(), passed.rule));
        for passed in passed {
            self.rule_hop(node, ruleset, passed);
        }
        match fate {
            Fate::Accepted => Ok(()),
            Fate::Dropped | Fate::Rejected => {
                let manner = if fate == Fate::Dropped { Manner::TimedOut } else { Manner::Refused };
                if let Some((table, chain, place)) = &last
                    && self.network.is_by_hand(node, table, chain, *place)
                {
                    let cause = Cause::RuleByHand { node: node.clone(), chain: chain.clone() };
                    return self.fail(cause, manner);
                }
                let chain = last.map(|(_, chain, _)| chain);
                self.fail(
                    match fate {
                        Fate::Rejected => self.rejected(packet),
                        _ => self.dropped(node, packet, chain),
                    },
                    manner,
                )
            }
        }
    }

    fn rule_hop(&mut self, node: &Arc<str>, ruleset: &Arc<Ruleset>, passed: Passed) {
        if !passed.matched && passed.draw.is_none() {
            return;
        }
        let rule = RuleRef {
            ruleset: ruleset.clone(),
            family: passed.before.family(),
            hook: passed.hook,
            table: passed.table,
            chain: passed.chain,
            index: passed.rule,
        };
        let reason = Reason::Rule {
            matched: passed.matched,
            examined: passed.examined,
            draw: passed.draw,
            found: passed.found,
        };
        let packets = Some((passed.before, passed.after));
        self.hop(Place::Rule(node.clone(), rule), reason, packets);
    }

    /// Why a rule threw a packet away.
    fn dropped(&self, node: &Arc<str>, packet: &Packet, chain: Option<Arc<str>>) -> Cause {
        let Some((service, _)) = self.network.service_at(packet.destination) else {
            return Cause::NoSuchAddress(packet.destination.ip);
        };
        let service = service.clone();
        let chain = chain.unwrap_or_default();
        let is_firewall = ["KUBE-PROXY-FIREWALL", "KUBE-SOURCE-RANGES-FIREWALL", "firewall-"]
            .iter()
            .any(|name| chain.starts_with(name));
        match is_firewall {
            true => Cause::SourceRange { service },
            false => Cause::NoLocalEndpoints { service, node: node.clone() },
        }
    }

    /// Why a rule refused a packet.
    fn rejected(&self, packet: &Packet) -> Cause {
        match self.network.service_at(packet.destination) {
            Some((service, Some(_))) => why_no_endpoints(&self.cluster, service),
            Some((service, None)) => Cause::WrongPort {
                service: service.clone(),
                port: packet.destination.port,
                offered: self.network.ports(service).unwrap_or_default(),
            },
            None => Cause::NoSuchAddress(packet.destination.ip),
        }
    }

    /// Where a node sends a packet to an address.
    ///
    /// Simplified: the pod network routes, as kindnet and Flannel's host-gw do; there are no
    /// tunnels.
    fn route(&self, node: &Arc<str>, own: IpAddr, ruleset: &Ruleset, to: IpAddr) -> Route {
        if to == own || to.is_loopback() || ruleset.ipvs.bound.contains(&to) {
            return Route::Local;
        }
        if let Some(other) = self.network.node_at(to) {
            return Route::Node(other.clone());
        }
        match self.network.node_of_pods_at(to) {
            Some(home) if home == node => match to {
                IpAddr::V4(ip) if ip.octets()[3] == 1 => Route::Local,
                _ => Route::Pod,
            },
            Some(other) => Route::Node(other.clone()),
            None => Route::Default,
        }
    }

    /// IPVS hands a packet to a virtual server on to one of its servers. Says whether it did.
    fn schedule(
        &mut self,
        node: &Arc<str>,
        ruleset: &Ruleset,
        packet: &mut Packet,
    ) -> Result<bool, Failure> {
        let key = (packet.protocol, packet.destination);
        let Some(virtual_server) = ruleset.ipvs.virtual_servers.get(&key) else {
            return Ok(false);
        };
        let (before, now) = (*packet, self.cluster.now);
        let server = self.network.memory(node).next_server(
            key,
            packet.source.ip,
            &virtual_server.servers,
            virtual_server.persistence_seconds,
            now,
        );
        let place = Place::VirtualServer(node.clone(), packet.destination);
        let Some(server) = server else {
            let cause = self.without_server(node, packet);
            return self.fail(cause, Manner::Refused);
        };
        packet.destination = server;
        packet.dnat = true;
        let among = u32::try_from(virtual_server.servers.len()).unwrap_or(u32::MAX);
        self.hop(place, Reason::Schedules { server, among }, Some((before, *packet)));
        Ok(true)
    }

    /// Why a virtual server has no servers.
    fn without_server(&self, node: &Arc<str>, packet: &Packet) -> Cause {
        let Some((service, _)) = self.network.service_at(packet.destination) else {
            return Cause::NoSuchAddress(packet.destination.ip);
        };
        let input = self.network.input();
        let name = (service.namespace.clone(), service.name.clone());
        let mut all = input.endpoints.iter().filter(|((port, _), _)| {
            (port.0.clone(), port.1.clone()) == name && port.3 == packet.protocol
        });
        match all.any(|(_, endpoints)| endpoints.iter().any(|endpoint| endpoint.ready)) {
            true => Cause::NoLocalEndpoints { service: service.clone(), node: node.clone() },
            false => why_no_endpoints(&self.cluster, service),
        }
    }

    /// Pods have addresses that nobody outside of the pod network knows: its plugin translates
    /// what leaves it, as kindnet and Flannel do; other nodes' own addresses are outside too.
    fn masquerade_by_plugin(
        &mut self,
        node: &Arc<str>,
        route: &Route,
        own_ip: IpAddr,
        entrance: Entrance,
        packet: &mut Packet,
    ) {
        let leaves = matches!(route, Route::Default | Route::Node(_));
        let to = packet.destination.ip;
        let to_pod = self.network.input().cluster_cidrs.iter().any(|net| net.contains(&to));
        if !leaves || to_pod || entrance != Entrance::Pod || packet.source.ip == own_ip {
            return;
        }
        let before = *packet;
        packet.source.ip = own_ip;
        let place = Place::Node(node.clone());
        self.hop(place, Reason::LeavesCluster, Some((before, *packet)));
    }

    fn track(&mut self, node: &Arc<str>, before: &Packet, after: &Packet) {
        let connection = Connection::new(before, after);
        self.network.memory(node).track(connection);
        if connection.is_translated() {
            let place = Place::Node(node.clone());
            self.hop(place, Reason::Tracks, Some((*before, *after)));
        }
    }

    pub(super) fn check_egress(
        &mut self,
        pod: &Arc<Object>,
        packet: &Packet,
    ) -> Result<(), Failure> {
        if !self.has_policies() {
            return Ok(());
        }
        let peer = self.pod_of(packet.destination.ip);
        let connection = policy::Connection {
            pod,
            peer_ip: packet.destination.ip,
            peer: peer.as_deref(),
            server: peer.as_deref(),
            protocol: packet.protocol,
            port: packet.destination.port,
        };
        self.enforce(Direction::Egress, &connection, packet)
    }

    fn check_ingress(
        &mut self,
        pod: &Arc<Object>,
        node: &Arc<str>,
        packet: &Packet,
    ) -> Result<(), Failure> {
        if !self.has_policies() || self.network.node_at(packet.source.ip) == Some(node) {
            return Ok(());
        }
        let peer = self.pod_of(packet.source.ip);
        let connection = policy::Connection {
            pod,
            peer_ip: packet.source.ip,
            peer: peer.as_deref(),
            server: Some(pod),
            protocol: packet.protocol,
            port: packet.destination.port,
        };
        self.enforce(Direction::Ingress, &connection, packet)
    }

    fn enforce(
        &mut self,
        direction: Direction,
        connection: &policy::Connection<'_>,
        packet: &Packet,
    ) -> Result<(), Failure> {
        let pod = ObjectKey::of(connection.pod);
        let place = Place::Pod(pod.clone());
        let packets = Some((*packet, *packet));
        match policy::check(&self.cluster, direction, connection) {
            policy::Verdict::Unselected => Ok(()),
            policy::Verdict::Allowed(policy) => {
                let policy = Some(policy);
                self.hop(place, Reason::Allowed { direction, pod, policy }, packets);
                Ok(())
            }
            policy::Verdict::Denied(policies) => {
                let reason =
                    Reason::Denied { direction, pod: pod.clone(), policies: policies.clone() };
                self.hop(place, reason, packets);
                self.fail(Cause::Policy { direction, pod, policies }, Manner::TimedOut)
            }
        }
    }

    /// The pod that has an address.
    pub(super) fn pod_of(&mut self, ip: IpAddr) -> Option<Arc<Object>> {
        self.network.pod_at(&self.cluster, ip).cloned()
    }

    /// Whether there are policies to ask.
    pub(super) fn has_policies(&self) -> bool {
        self.cluster.store.count(Kind::NetworkPolicy) > 0
    }

    /// Where the packets of a source begin: node, address, and how they enter it.
    pub(super) fn origin(
        &mut self,
        source: &Source,
    ) -> Result<(Arc<str>, IpAddr, Entrance), Failure> {
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
        let port = 32_768 + self.rng.below(28_232);
        u16::try_from(port).unwrap_or(u16::MAX)
    }

    /// Carries a reply back from who took the packet, and gives the address it came from as the
    /// client saw it.
    pub(super) fn reply(&mut self, arrival: &Arrival) -> Endpoint {
        let asked = arrival.packet;
        let mut packet = Packet {
            state: State::Established,
            ..Packet::new(asked.protocol, asked.destination, asked.source)
        };
        let mut node = match &arrival.taker {
            Taker::Pod(_, node) | Taker::Node(node) => Some(node.clone()),
            Taker::Internet(node) => node.clone(),
        };
        for _ in 0..MAX_NODES {
            let Some(here) = node.take() else { break };
            let before = packet;
            let known = self.network.memory(&here).untranslate(&mut packet);
            let reason = match known && before != packet {
                true => Reason::Untranslates,
                false => Reason::Returns,
            };
            packet.state = State::Established;
            self.hops.push(Hop {
                place: Place::Node(here.clone()),
                reason,
                packet: Some((before, packet)),
                is_reply: true,
            });
            let to = packet.destination.ip;
            let next = self.network.node_at(to).or_else(|| self.network.node_of_pods_at(to));
            node = next.filter(|next| **next != here).cloned();
        }
        self.through_balancer(&mut packet);
        packet.source
    }

    /// A reply to a load balancer that is a proxy: it hands it on to its client.
    fn through_balancer(&mut self, packet: &mut Packet) {
        let (before, ip) = (*packet, packet.destination.ip);
        let memory = self.network.memory_of(&Network::balancer_key(ip));
        if memory.is_some_and(|memory| memory.untranslate(packet)) {
            self.hops.push(Hop {
                place: Place::LoadBalancer(ip),
                reason: Reason::Untranslates,
                packet: Some((before, *packet)),
                is_reply: true,
            });
        }
    }
}

/// The addresses of a machine that can matter to a packet.
fn own_addresses(
    machine: &crate::kubelet::NodeRuntime,
    packet: &Packet,
    ruleset: &Ruleset,
) -> [IpAddr; 4] {
    let [a, b, c, _] = machine.pod_network.octets();
    let ip = IpAddr::from(machine.ip);
    let bound = |end: IpAddr| if ruleset.ipvs.bound.contains(&end) { end } else { ip };
    [ip, IpAddr::from([a, b, c, 1]), bound(packet.source.ip), bound(packet.destination.ip)]
}
