//! A packet on one node: hooks, routing, IPVS, the pod network's own part.

use super::hop::{Cause, Failure, Manner, Place, Reason, Route, RuleRef};
use super::path::{Entrance, Next, Tracer};
use crate::api::Object;
use crate::net::conntrack::Known;
use crate::net::packet::State;
use crate::net::table::Hook;
use crate::net::walk::{Device, Fate, Passed, Surroundings, Walk};
use crate::net::{Packet, Ruleset};
use std::net::IpAddr;
use std::sync::Arc;

/// As many rules as a packet mostly meets at a hook, so that their list need not grow.
const USUAL_RULES: usize = 8;

/// A packet's passage through a node: what stays the same at all its hooks.
struct Passage<'a> {
    node: &'a Arc<str>,
    own_ip: IpAddr,
    ruleset: Arc<Ruleset>,
    known: Option<Known>,
    input: Device,
    output: Device,
}

impl Tracer<'_> {
    /// Carries a packet through one node.
    pub(super) fn on_node(
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
        let ruleset = self.network.ruleset(node);
        let known = self.network.kernel(node).memory().conntrack.find(&before, self.cluster.now);
        let input = match entrance {
            Entrance::Process => Device::None,
            Entrance::Pod => Device::Cable(before.source.ip),
            Entrance::Network => Device::Named("eth0"),
        };
        let mut it = Passage { node, own_ip, ruleset, known, input, output: Device::None };
        let mut packet = before;
        if let Some(known) = known {
            (packet.state, packet.dnat, packet.snat) = (known.state, known.dnat, known.snat);
        } else if before.is_reply {
            packet.state = State::Invalid;
        }
        if entrance != Entrance::Process && !before.is_reply {
            self.hop(Place::Node(node.clone()), Reason::Enters, Some((before, before)));
        }
        let route = self.hooks(&mut it, &mut packet, entrance, sender)?;
        if before.is_reply
            && (before.source, before.destination) == (packet.source, packet.destination)
        {
            self.hop(Place::Node(node.clone()), Reason::Returns, Some((packet, packet)));
        }
        if it.known.is_none() && !before.is_reply {
            self.track(node, &before, &packet);
        }
        self.leave(node, route, packet)
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
        let route = self.route(it.node, it.own_ip, &it.ruleset, packet.destination.ip);
        it.output = match route {
            Route::Local => Device::Named("lo"),
            Route::Pod => Device::Cable(packet.destination.ip),
            Route::Node(_) | Route::Default => Device::Named("eth0"),
        };
        if !packet.is_reply {
            let place = Place::Node(it.node.clone());
            self.hop(place, Reason::Routes(route.clone()), Some((*packet, *packet)));
        }
        route
    }

    /// Carries a packet through a hook of a node, and notes the rules it met.
    fn pass(&mut self, it: &Passage<'_>, hook: Hook, packet: &mut Packet) -> Result<(), Failure> {
        let own = own_addresses(it, packet);
        let is_before_routing = hook == Hook::Prerouting || hook == Hook::Input;
        let is_after_routing = hook == Hook::Output || hook == Hook::Postrouting;
        let surroundings = Surroundings {
            own: &own,
            masquerade_as: it.own_ip,
            input: if is_after_routing { Device::None } else { it.input },
            output: if is_before_routing { Device::None } else { it.output },
            from_bridge: false,
            now: self.cluster.now,
        };
        let before = *packet;
        let (memory, counts) = self.network.kernel(it.node).parts();
        let mut walk = Walk {
            ruleset: &it.ruleset,
            counts,
            memory,
            surroundings,
            known: it.known,
            dice: &mut self.rng,
            passed: Vec::with_capacity(USUAL_RULES),
            examined: 0,
        };
        let fate = walk.pass(hook, packet);
        let (passed, examined) = (walk.passed, walk.examined);
        self.examined = self.examined.saturating_add(examined);
        let last = passed.last().map(|passed| (passed.table, passed.chain.clone(), passed.rule));
        for passed in passed {
            self.rule_hop(it, passed);
        }
        self.known_hop(it, before, *packet);
        let manner = match fate {
            Fate::Accepted => return Ok(()),
            Fate::Dropped => Manner::TimedOut,
            Fate::Rejected(with) if with.is_refusal() => Manner::Refused,
            Fate::Rejected(_) => Manner::Unreachable,
        };
        let (table, chain, place) = last.unwrap_or_default();
        let cause = match fate {
            _ if self.network.is_by_hand(it.node, table, &chain, place) => {
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

    /// What connection tracking has changed in a packet of a connection that it knows.
    fn known_hop(&mut self, it: &Passage<'_>, before: Packet, after: Packet) {
        let is_same = (before.source, before.destination) == (after.source, after.destination);
        if it.known.is_none() || is_same {
            return;
        }
        let reason = if after.is_reply { Reason::Untranslates } else { Reason::Remembers };
        self.hop(Place::Node(it.node.clone()), reason, Some((before, after)));
    }

    /// IPVS hands a packet to a virtual server on to one of its servers. Says whether it did.
    fn schedule(&mut self, it: &Passage<'_>, packet: &mut Packet) -> Result<bool, Failure> {
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
        let memory = self.network.kernel(it.node).memory_mut();
        let kept = virtual_server
            .persistence_seconds
            .and_then(|seconds| memory.kept_server(client, servers, seconds, now));
        let server = kept.or_else(|| {
            let turn = self.rng.turn(among, || memory.next_turn(key, among));
            usize::try_from(turn).ok().and_then(|turn| servers.get(turn)).copied()
        });
        let place = Place::VirtualServer(it.node.clone(), packet.destination);
        let Some(server) = server else {
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
    /// what leaves it, as kindnet and Flannel do; other nodes' own addresses are outside too.
    fn masquerade_by_plugin(
        &mut self,
        it: &Passage<'_>,
        route: &Route,
        entrance: Entrance,
        packet: &mut Packet,
    ) {
        let leaves = matches!(route, Route::Default | Route::Node(_));
        let to = packet.destination.ip;
        let to_pod = self.network.input().cluster_cidrs.iter().any(|net| net.contains(&to));
        let is_first = it.known.is_none() && packet.state == State::New;
        let is_own = packet.source.ip == it.own_ip;
        if !leaves || to_pod || !is_first || is_own || entrance != Entrance::Pod {
            return;
        }
        let before = *packet;
        packet.source.ip = it.own_ip;
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
fn own_addresses(it: &Passage<'_>, packet: &Packet) -> [IpAddr; 3] {
    let bound = |end: IpAddr| if it.ruleset.ipvs.bound.contains(&end) { end } else { it.own_ip };
    [it.own_ip, bound(packet.source.ip), bound(packet.destination.ip)]
}
