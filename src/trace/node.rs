//! A packet on one node: hooks, routing, IPVS, the pod network's own part.

use super::hop::{Cause, Failure, Manner, Place, Reason, Route, RuleRef};
use super::kernel::Kernel;
use super::path::{Entrance, Next, Tracer};
use super::refusal::Refused;
use crate::api::Object;
use crate::base::SimTime;
use crate::net::conntrack::{Connection, Known, Tuple};
use crate::net::link::{self, PodNetwork};
use crate::net::packet::State;
use crate::net::rule::Reject;
use crate::net::table::Hook;
use crate::net::walk::{Device, Fate, Passed, Surroundings, Walk};
use crate::net::{Packet, Protocol, Ruleset};
use std::net::IpAddr;
use std::sync::Arc;

/// A packet's passage through a node: what stays the same at all its hooks.
pub(super) struct Passage<'a> {
    pub(super) node: &'a Arc<str>,
    /// Its address on the nodes' network, and those on its pods', which are the same again where it
    /// has none.
    pub(super) own: [IpAddr; 3],
    pub(super) ruleset: Arc<Ruleset>,
    /// The node's kernel, lent for the passage.
    pub(super) kernel: Kernel,
    pub(super) known: Option<Known>,
    pub(super) input: Device,
    pub(super) output: Device,
}

impl Passage<'_> {
    /// The address that masqueraded packets get: that of the device they leave by. A cable has
    /// none, and then the machine's first address stands in.
    fn masquerade_as(&self) -> IpAddr {
        let [own, bridge, tunnel] = self.own;
        match self.output {
            Device::Named("cni0") => bridge,
            Device::Named("flannel.1") => tunnel,
            _ => own,
        }
    }

    /// The node notes a connection, unless a rule keeps it from that.
    pub(super) fn note(
        &mut self,
        before: &Packet,
        after: &Packet,
        now: SimTime,
    ) -> Option<Connection> {
        if after.state == State::Untracked {
            return None;
        }
        let connection = Connection::new(before, after, now);
        self.kernel.memory_mut().conntrack.add(connection, now);
        Some(connection)
    }
}

impl Tracer<'_> {
    /// Carries a packet through one node.
    pub(super) fn on_node(
        &mut self,
        node: &Arc<str>,
        packet: Packet,
        entrance: Entrance,
        sender: Option<&Arc<Object>>,
    ) -> Result<Next, Failure> {
        let mut it = self.passage(node, &packet, entrance)?;
        let left = self.through(&mut it, packet, entrance, sender);
        if let Some(refused) = &mut self.refused {
            refused.before = packet;
        }
        if packet.refusal == Some(Reject::TcpReset)
            && packet.protocol == Protocol::Tcp
            && let Some(known) = it.known
        {
            it.kernel.memory_mut().conntrack.remove(&known.original);
        }
        self.network.take_back(node, it.kernel);
        let (route, packet) = left?;
        self.leave(node, route, packet)
    }

    fn through(
        &mut self,
        it: &mut Passage<'_>,
        before: Packet,
        entrance: Entrance,
        sender: Option<&Arc<Object>>,
    ) -> Result<(Route, Packet), Failure> {
        let mut packet = before;
        if let Some(known) = it.known {
            (packet.state, packet.dnat, packet.snat) = (known.state, known.dnat, known.snat);
        } else if before.is_reply {
            packet.state = State::Invalid;
        }
        if entrance != Entrance::Process && !before.is_reply {
            self.hop(Place::Node(it.node.clone()), Reason::Enters, Some((before, before)));
        }
        let route = self.hooks(it, &mut packet, entrance, sender)?;
        if before.is_reply
            && !(before.refusal.is_some() && entrance == Entrance::Process)
            && (before.source, before.destination) == (packet.source, packet.destination)
        {
            self.hop(Place::Node(it.node.clone()), Reason::Returns, Some((packet, packet)));
        }
        if it.known.is_none() && !before.is_reply {
            self.track(it, &before, &packet);
        }
        Ok((route, packet))
    }

    /// A node notes a connection whose first packet it has let through.
    fn track(&mut self, it: &mut Passage<'_>, before: &Packet, after: &Packet) {
        let Some(connection) = it.note(before, after, self.cluster.now) else { return };
        self.tracked.push((it.node.clone(), connection.original));
        if connection.is_translated() {
            let place = Place::Node(it.node.clone());
            self.hop(place, Reason::Tracks, Some((*before, *after)));
        }
    }

    /// What a node knows of a packet that comes to it.
    pub(super) fn passage<'n>(
        &mut self,
        node: &'n Arc<str>,
        packet: &Packet,
        entrance: Entrance,
    ) -> Result<Passage<'n>, Failure> {
        let Some(machine) = self.cluster.machine(node) else {
            let place = Place::Node(node.clone());
            self.hop(place, Reason::Vanishes, Some((*packet, *packet)));
            return self.fail(Cause::NodeDown(node.clone()), Manner::TimedOut);
        };
        let own_ip = IpAddr::from(machine.ip);
        let pods = self.network.pod_network();
        let (bridge, tunnel) = pods.own_addresses(machine.pod_network).unwrap_or((own_ip, own_ip));
        let (ruleset, kernel) = self.network.lend_kernel(node);
        let (conntrack, now) = (&kernel.memory().conntrack, self.cluster.now);
        let known = match (self.attached.take(), self.about.filter(|_| packet.is_error())) {
            (Some(attached), _) => Some(attached),
            (None, Some(about)) => conntrack.find_error(&about, now),
            // Who opened the connection has looked already.
            (None, None) if self.unknown.take() == Some(Tuple::of(packet)) => None,
            (None, None) => conntrack.find(packet, now),
        };
        let input = match entrance {
            Entrance::Process => Device::None,
            Entrance::Pod => pods.to_pod(packet.source.ip),
            Entrance::Network => Device::Named("eth0"),
            Entrance::Tunnel => pods.to_other_pods(),
        };
        let own = [own_ip, bridge, tunnel];
        Ok(Passage { node, own, ruleset, kernel, known, input, output: Device::None })
    }

    /// The hooks of a node one after the other, with routing between them.
    fn hooks(
        &mut self,
        it: &mut Passage<'_>,
        packet: &mut Packet,
        entrance: Entrance,
        sender: Option<&Arc<Object>>,
    ) -> Result<Route, Failure> {
        let is_made_here = entrance == Entrance::Process;
        let first = if is_made_here { Hook::Output } else { Hook::Prerouting };
        self.pass(it, first, packet)?;
        let mut route = self.routed(it, packet);
        if !is_made_here {
            self.forward(it, &route, entrance, packet)?;
            let hook = if route == Route::Local { Hook::Input } else { Hook::Forward };
            self.pass(it, hook, packet)?;
        }
        let scheduled = route == Route::Local && self.schedule(it, packet)?;
        if scheduled {
            route = self.routed(it, packet);
            if !is_made_here {
                // What IPVS hands on leaves as if it had been made here; it is translated already.
                let known = it.known.replace(as_it_is(packet));
                self.pass(it, Hook::Output, packet)?;
                it.known = known;
            }
        }
        if let Some(sender) = sender {
            self.check_egress(sender, packet)?;
        }
        if route == Route::Pod && !packet.is_reply {
            self.check_ingress(it.node, packet)?;
        }
        if route != Route::Local || is_made_here {
            self.pass(it, Hook::Postrouting, packet)?;
            self.masquerade_by_plugin(it, &route, entrance, packet);
        }
        if route == Route::Local && is_made_here {
            self.loop_back(it, packet)?;
        }
        Ok(route)
    }

    /// What is for others goes on only if the node forwards packets, and lives one node less.
    fn forward(
        &mut self,
        it: &Passage<'_>,
        route: &Route,
        entrance: Entrance,
        packet: &Packet,
    ) -> Result<(), Failure> {
        if *route == Route::Local {
            return Ok(());
        }
        // A bridge passes on what stays on it by itself.
        let is_bridged = self.network.pod_network() == PodNetwork::Vxlan
            && entrance == Entrance::Pod
            && *route == Route::Pod
            && !packet.dnat;
        if is_bridged {
            return Ok(());
        }
        if !it.kernel.forwards() {
            return self.fail(Cause::NoForwarding(it.node.clone()), Manner::TimedOut);
        }
        self.forwards = self.forwards.saturating_add(1);
        Ok(())
    }

    /// What a machine sends to itself comes in again over its loopback device.
    fn loop_back(&mut self, it: &mut Passage<'_>, packet: &mut Packet) -> Result<(), Failure> {
        (it.input, it.output) = (Device::Named("lo"), Device::None);
        let known = it.known.replace(as_it_is(packet));
        self.pass(it, Hook::Prerouting, packet)?;
        self.pass(it, Hook::Input, packet)?;
        it.known = known;
        Ok(())
    }

    /// Asks the routing table where a packet goes.
    fn routed(&mut self, it: &mut Passage<'_>, packet: &Packet) -> Route {
        let route = self.route(it.node, &it.own, &it.ruleset, packet.destination.ip);
        let pods = self.network.pod_network();
        let (output, neighbour) = match &route {
            Route::Local => (Device::Named("lo"), None),
            Route::Pod => (pods.to_pod(packet.destination.ip), Some(packet.destination.ip)),
            Route::Neighbour(node) | Route::Node(node) => {
                let machine = self.cluster.nodes.get(node);
                (Device::Named("eth0"), machine.map(|machine| IpAddr::from(machine.ip)))
            }
            Route::Tunnel(_) => (pods.to_other_pods(), None),
            Route::Default => (Device::Named("eth0"), Some(link::ROUTER)),
        };
        it.output = output;
        if let Some(ip) = neighbour {
            it.kernel.meets(ip, self.cluster.now);
        }
        if !packet.is_reply {
            let place = Place::Node(it.node.clone());
            self.hop(place, Reason::Routes(route.clone()), Some((*packet, *packet)));
        }
        route
    }

    /// Carries a packet through a hook of a node, and notes the rules it met.
    pub(super) fn pass(
        &mut self,
        it: &mut Passage<'_>,
        hook: Hook,
        packet: &mut Packet,
    ) -> Result<(), Failure> {
        let own = own_addresses(it, packet);
        let is_before_routing = hook == Hook::Prerouting || hook == Hook::Input;
        let is_after_routing = hook == Hook::Output || hook == Hook::Postrouting;
        let surroundings = Surroundings {
            own: &own,
            masquerade_as: it.masquerade_as(),
            input: if is_after_routing { Device::None } else { it.input },
            output: if is_before_routing { Device::None } else { it.output },
            from_bridge: it.input == Device::Named("cni0"),
            now: self.cluster.now,
        };
        let before = *packet;
        let (memory, counts) = it.kernel.parts(&it.ruleset, self.network.is_trial);
        let mut walk = Walk {
            ruleset: &it.ruleset,
            counts,
            memory,
            surroundings,
            known: it.known,
            dice: &mut self.rng,
            passed: core::mem::take(&mut self.passed),
            examined: 0,
        };
        let fate = walk.pass(hook, packet);
        let (mut passed, examined) = (walk.passed, walk.examined);
        self.examined = self.examined.saturating_add(examined);
        let last = passed.last().map(|passed| (passed.table, passed.chain.clone(), passed.rule));
        for passed in passed.drain(..) {
            self.rule_hop(it, passed);
        }
        self.passed = passed;
        self.known_hop(it, hook, before, *packet);
        let manner = match fate {
            Fate::Accepted => return Ok(()),
            Fate::Dropped => Manner::TimedOut,
            Fate::Rejected(with) if with.is_refusal() && packet.protocol != Protocol::Icmp => {
                Manner::Refused
            }
            Fate::Rejected(_) => Manner::Unreachable,
        };
        if let Fate::Rejected(with) = fate {
            self.refuse(it, with, packet);
        }
        let (table, chain, place) = last.unwrap_or_default();
        let cause = match fate {
            _ if self.network.is_by_hand((it.node, &it.kernel), table, &chain, place) => {
                Cause::RuleByHand { node: it.node.clone(), chain }
            }
            Fate::Rejected(_) => self.rejected(packet),
            _ => self.dropped(it.node, packet, &chain),
        };
        self.fail(cause, manner)
    }

    fn rule_hop(&mut self, it: &Passage<'_>, passed: Passed) {
        if !passed.matched && passed.draw.is_none() {
            return;
        }
        let rule = RuleRef {
            ruleset: it.ruleset.clone(),
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
        self.hop(Place::Rule(it.node.clone(), rule), reason, packets);
    }

    /// A rule refuses a packet: the node will tell its sender. It writes from the address that was
    /// asked if that is its own, or else from that of the device on which its message leaves.
    ///
    /// Models net/ipv4/icmp.c __icmp_send.
    fn refuse(&mut self, it: &Passage<'_>, with: Reject, packet: &Packet) {
        let [own, ..] = it.own;
        let (to, sender) = (packet.destination.ip, packet.source.ip);
        let from = match self.route(it.node, &it.own, &it.ruleset, to) {
            Route::Local => to,
            _ if it.own.contains(&sender) => sender,
            _ => self.source_for(it.node, own, sender),
        };
        let (node, after) = (it.node.clone(), *packet);
        self.refused = Some(Refused { node, with, before: after, after, from });
    }

    /// What connection tracking has changed in a packet of a connection that it knows.
    fn known_hop(&mut self, it: &Passage<'_>, hook: Hook, before: Packet, after: Packet) {
        let is_same = (before.source, before.destination) == (after.source, after.destination);
        let Some(known) = it.known.filter(|_| !is_same) else { return };
        let reason = match self.about.as_mut().filter(|_| after.is_error()) {
            Some(about) => {
                let was = *about;
                match hook {
                    Hook::Prerouting | Hook::Output => about.source = known.destination,
                    _ => about.destination = known.source,
                }
                Reason::UntranslatesError { inside: Box::new((was, *about)) }
            }
            None if after.is_reply => Reason::Untranslates,
            None => Reason::Remembers,
        };
        self.hop(Place::Node(it.node.clone()), reason, Some((before, after)));
    }

    /// IPVS hands a packet to a virtual server on to one of its servers. Says whether it did.
    fn schedule(&mut self, it: &mut Passage<'_>, packet: &mut Packet) -> Result<bool, Failure> {
        let key = (packet.protocol, packet.destination);
        let Some(virtual_server) =
            it.ruleset.ipvs.virtual_servers.get(&key).filter(|_| it.known.is_none())
        else {
            return Ok(false);
        };
        let (before, now) = (*packet, self.cluster.now);
        let servers = &virtual_server.servers;
        let client = (key.0, key.1, packet.source.ip);
        let among = u32::try_from(servers.len()).unwrap_or(u32::MAX);
        let memory = it.kernel.memory_mut();
        let kept = virtual_server
            .persistence_seconds
            .and_then(|seconds| memory.kept_server(client, servers, seconds, now));
        let server = kept.or_else(|| {
            let turn = self.rng.turn(among, || memory.next_turn(key, among));
            usize::try_from(turn).ok().and_then(|turn| servers.get(turn)).copied()
        });
        let place = Place::VirtualServer(it.node.clone(), packet.destination);
        let Some(server) = server else {
            // Models net/netfilter/ipvs/ip_vs_core.c ip_vs_leave.
            self.refuse(it, Reject::PortUnreachable, packet);
            let cause = self.without_server(it.node, packet);
            return self.fail(cause, Manner::Refused);
        };
        if virtual_server.persistence_seconds.is_some() && kept.is_none() {
            memory.keep_server(client, server, now);
        }
        packet.destination = server;
        packet.dnat = true;
        self.hop(place, Reason::Schedules { server, among }, Some((before, *packet)));
        Ok(true)
    }

    /// Pods have addresses that nobody outside of the pod network knows: its plugin translates
    /// what leaves it; other nodes' own addresses are outside too. Flannel has rules for it.
    ///
    /// Simplified: a routed network's plugin has rules for it too, which are not among the node's.
    fn masquerade_by_plugin(
        &mut self,
        it: &Passage<'_>,
        route: &Route,
        entrance: Entrance,
        packet: &mut Packet,
    ) {
        if self.network.pod_network() != PodNetwork::Routed {
            return;
        }
        let [own_ip, ..] = it.own;
        let leaves = matches!(route, Route::Default | Route::Neighbour(_));
        let to = packet.destination.ip;
        let to_pod = self.network.input().cluster_cidrs.iter().any(|net| net.contains(&to));
        let is_first = it.known.is_none() && packet.state == State::New;
        let is_own = packet.source.ip == own_ip;
        if !leaves || to_pod || !is_first || is_own || entrance != Entrance::Pod {
            return;
        }
        let before = *packet;
        packet.source.ip = own_ip;
        packet.snat = true;
        let place = Place::Node(it.node.clone());
        self.hop(place, Reason::LeavesCluster, Some((before, *packet)));
    }
}

/// What is known of a packet that has passed the rules already and is not translated again.
fn as_it_is(packet: &Packet) -> Known {
    Known {
        original: crate::net::conntrack::Tuple::of(packet),
        is_reply: packet.is_reply,
        source: packet.source,
        destination: packet.destination,
        state: packet.state,
        dnat: packet.dnat,
        snat: packet.snat,
    }
}

/// The addresses of a machine that can matter to a packet.
fn own_addresses(it: &Passage<'_>, packet: &Packet) -> [IpAddr; 5] {
    let [own, bridge, tunnel] = it.own;
    if it.ruleset.ipvs.bound.is_empty() {
        return [own, bridge, tunnel, own, own];
    }
    let bound = |end: IpAddr| if it.ruleset.ipvs.bound.contains(&end) { end } else { own };
    [own, bridge, tunnel, bound(packet.source.ip), bound(packet.destination.ip)]
}
