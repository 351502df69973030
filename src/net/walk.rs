//! How a packet passes the rules of a machine.
//!
//! [`Walk::pass`] carries a packet through one hook. What it met on its way is noted in
//! [`Walk::passed`]: the rules do not know that they are watched.

use super::conntrack::Memory;
use super::packet::{Packet, State};
use super::rule::{Action, End, Key, Match, Rule, Verdict};
use super::set::ElementKey;
use super::table::{Chain, Dialect, Hook, Ruleset, Table};
use crate::base::{Rng, SimTime};
use std::net::IpAddr;
use std::sync::Arc;

/// How deep chains may be nested; kube-proxy's are at most five deep.
const MAX_DEPTH: u32 = 16;

/// What becomes of a packet at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Accepted,
    /// It is thrown away in silence.
    Dropped,
    /// It is refused, and its sender told.
    Rejected,
}

/// A draw of lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Among how many.
    pub among: u32,
    /// Which one came, from 0.
    pub drawn: u32,
}

/// A rule that a packet met: one that matched, or one that only chance kept from matching.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// Where.
    pub hook: Hook,
    /// The table's name.
    pub table: &'static str,
    /// The chain's name.
    pub chain: Arc<str>,
    /// The rule's place in the chain, from 0.
    pub rule: u32,
    /// How many rules of the chain the machine had to look at up to and with this one.
    pub examined: u32,
    /// Whether it matched.
    pub matched: bool,
    /// The lot that was drawn, if the rule draws one.
    pub draw: Option<Draw>,
    /// The verdict that a map gave, if it asked one.
    pub found: Option<Verdict>,
    /// The packet before.
    pub before: Packet,
    /// The packet after.
    pub after: Packet,
}

/// What the machine around the rules knows.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The machine's own addresses, loopback aside.
    pub own: &'a [IpAddr],
    /// The address that masqueraded packets get.
    pub masquerade_as: IpAddr,
    /// Whether the packet came over a bridge of this machine.
    pub from_bridge: bool,
    /// The present.
    pub now: SimTime,
}

impl Surroundings<'_> {
    /// Whether an address is the machine's own.
    pub fn is_own(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || self.own.contains(&ip)
    }
}

/// A packet's walk through the hooks of one machine.
#[derive(Debug)]
pub struct Walk<'a> {
    /// The machine's rules.
    pub ruleset: &'a Ruleset,
    /// What it remembers.
    pub memory: &'a mut Memory,
    /// What it knows.
    pub surroundings: Surroundings<'a>,
    /// Chance.
    pub rng: &'a mut Rng,
    /// The rules met so far.
    pub passed: Vec<Passed>,
    /// How many rules the machine had to look at so far, whether they matched or not.
    pub examined: u32,
}

/// How a chain was left.
enum Left {
    /// At its end or by `return`: the chain that jumped here goes on.
    Through,
    /// With a decision.
    Decided(Fate),
}

impl Walk<'_> {
    /// Carries a packet through a hook.
    ///
    /// Chains that translate addresses see only first packets, as in the kernel.
    pub fn pass(&mut self, hook: Hook, packet: &mut Packet) -> Fate {
        let ruleset = self.ruleset;
        for (table, chain, base) in ruleset.at(hook, packet.family()) {
            if base.nat && packet.state != State::New {
                continue;
            }
            match self.chain(hook, table, chain, packet, 0) {
                Left::Through | Left::Decided(Fate::Accepted) => {}
                Left::Decided(fate) => return fate,
            }
        }
        Fate::Accepted
    }

    fn chain(
        &mut self,
        hook: Hook,
        table: &Table,
        chain: &Chain,
        packet: &mut Packet,
        depth: u32,
    ) -> Left {
        let mut looked_at = 0;
        for place in chain.candidates(packet.destination, packet.protocol) {
            let Some(rule) = usize::try_from(place).ok().and_then(|place| chain.rules.get(place))
            else {
                continue;
            };
            let before = *packet;
            let mut draw = None;
            let matched = rule.matches.iter().all(|it| self.matches(table, it, packet, &mut draw));
            if !matched && draw.is_none() {
                continue;
            }
            let at = self.passed.len();
            let examined = place.saturating_add(1);
            self.examined = self.examined.saturating_add(examined.saturating_sub(looked_at));
            looked_at = examined;
            self.passed.push(Passed {
                hook,
                table: table.name,
                chain: chain.name.clone(),
                rule: place,
                examined,
                matched,
                draw,
                found: None,
                before,
                after: before,
            });
            if !matched {
                continue;
            }
            let next = self.actions(table, rule, packet, at);
            if let Some(passed) = self.passed.get_mut(at) {
                passed.after = *packet;
            }
            match self.follow(hook, table, next, packet, depth) {
                Some(left) => return left,
                None => continue,
            }
        }
        let all = u32::try_from(chain.rules.len()).unwrap_or(u32::MAX);
        self.examined = self.examined.saturating_add(all.saturating_sub(looked_at));
        Left::Through
    }

    /// Does what a rule does, and gives the verdict if it comes to one.
    fn actions(
        &mut self,
        table: &Table,
        rule: &Rule,
        packet: &mut Packet,
        at: usize,
    ) -> Option<Verdict> {
        let now = self.surroundings.now;
        for action in &rule.actions {
            match action {
                Action::Verdict(verdict) => return Some(verdict.clone()),
                Action::SetMark(mark) => packet.mark |= mark,
                Action::FlipMark(mark) => packet.mark ^= mark,
                Action::Dnat(endpoint) => {
                    packet.destination = *endpoint;
                    packet.dnat = true;
                    return Some(Verdict::Accept);
                }
                Action::DnatRandom(endpoints) => {
                    if let Some(endpoint) = self.pick(endpoints, at) {
                        packet.destination = endpoint;
                        packet.dnat = true;
                    }
                    return Some(Verdict::Accept);
                }
                Action::GotoRandom(chains) => return self.pick(chains, at).map(Verdict::Goto),
                Action::Masquerade => {
                    packet.source.ip = self.surroundings.masquerade_as;
                    // `--random-fully`: any of the ports that are not reserved.
                    let port = 1024 + self.rng.below(64_512);
                    packet.source.port = u16::try_from(port).unwrap_or(u16::MAX);
                    return Some(Verdict::Accept);
                }
                Action::Lookup { key, map } => {
                    let element = table.set(map)?.elements.get(&ElementKey::of(packet, *key));
                    let verdict = element.and_then(|element| element.verdict.clone());
                    if let Some(passed) = self.passed.get_mut(at) {
                        passed.found.clone_from(&verdict);
                        passed.matched = verdict.is_some();
                    }
                    return verdict;
                }
                Action::Remember(set) => self.memory.remember(set, packet.source.ip, now),
            }
        }
        None
    }

    fn pick<T: Clone>(&mut self, items: &[T], at: usize) -> Option<T> {
        let among = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let drawn = self.rng.below(among);
        if let Some(passed) = self.passed.get_mut(at) {
            passed.draw = Some(Draw { among, drawn });
        }
        items.get(usize::try_from(drawn).ok()?).cloned()
    }

    /// Follows a verdict; `None` means that the next rule of the chain is looked at.
    fn follow(
        &mut self,
        hook: Hook,
        table: &Table,
        verdict: Option<Verdict>,
        packet: &mut Packet,
        depth: u32,
    ) -> Option<Left> {
        let (target, is_goto) = match verdict? {
            Verdict::Accept => return Some(Left::Decided(Fate::Accepted)),
            Verdict::Drop => return Some(Left::Decided(Fate::Dropped)),
            Verdict::Reject => return Some(Left::Decided(Fate::Rejected)),
            Verdict::Return => return Some(Left::Through),
            Verdict::Jump(chain) => (chain, false),
            Verdict::Goto(chain) => (chain, true),
        };
        let chain = table.chain(&target).filter(|_| depth < MAX_DEPTH)?;
        match self.chain(hook, table, chain, packet, depth + 1) {
            Left::Through if !is_goto => None,
            left => Some(left),
        }
    }

    fn matches(
        &mut self,
        table: &Table,
        condition: &Match,
        packet: &Packet,
        draw: &mut Option<Draw>,
    ) -> bool {
        let around = self.surroundings;
        let at = |end: End| match end {
            End::Source => packet.source.ip,
            End::Destination => packet.destination.ip,
        };
        match condition {
            Match::Net { end, nets, not } => nets.iter().any(|net| net.contains(&at(*end))) != *not,
            Match::Protocol(protocol) | Match::Extension(protocol) => packet.protocol == *protocol,
            Match::DestinationPort(protocol, port) => {
                packet.protocol == *protocol && packet.destination.port == *port
            }
            Match::State { states, dnat, not } => {
                (states.contains(&packet.state) || (*dnat && packet.dnat)) != *not
            }
            Match::Translated => packet.dnat,
            Match::Mark { mark, not } => (packet.mark & mark == *mark) != *not,
            Match::Local(end) => around.is_own(at(*end)),
            Match::FromOutside => !around.from_bridge && !around.is_own(packet.source.ip),
            Match::VirtualServer { address, protocol } => {
                (packet.destination, packet.protocol) == (*address, *protocol)
            }
            Match::Account(_) | Match::Comment(_) => true,
            Match::Chance { among, .. } => {
                let drawn = self.rng.below(*among);
                *draw = Some(Draw { among: *among, drawn });
                drawn == 0
            }
            Match::SeenRecently { list, seconds } => {
                self.memory.has_seen(list, packet.source.ip, *seconds, around.now)
            }
            Match::Remember { list } => {
                self.memory.remember(list, packet.source.ip, around.now);
                true
            }
            Match::InSet { set, key } => self.in_set(table, set, *key, packet),
        }
    }

    fn in_set(&self, table: &Table, set: &Arc<str>, key: Key, packet: &Packet) -> bool {
        if self.ruleset.dialect == Dialect::Iptables {
            return self.ruleset.ipvs.has(set, key, packet);
        }
        let Some(named) = table.set(set) else { return false };
        match named.timeout_seconds {
            Some(seconds) => {
                let (source, now) = (packet.source.ip, self.surroundings.now);
                self.memory.has_seen(set, source, seconds, now)
            }
            None => named.elements.contains_key(&ElementKey::of(packet, key)),
        }
    }
}
