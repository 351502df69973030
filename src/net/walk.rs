//! How a packet passes the rules of a machine.
//!
//! [`Walk::pass`] carries a packet through one hook. What it met on its way is noted in
//! [`Walk::passed`]: the rules do not know that they are watched.

use super::conntrack::Known;
use super::dice::Dice;
use super::memory::Memory;
use super::packet::{Endpoint, Packet, State};
use super::rule::{Action, Ports, Reject, Rule, Translation, Translator, Verdict};
use super::set::ElementKey;
use super::table::{Chain, Count, Dialect, Hook, Ruleset, Table};
use crate::base::SimTime;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
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
    Rejected(Reject),
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
    /// The rule's place in the chain, from 0; the place after the last rule is the chain's policy.
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

/// A network device that a packet comes in by or leaves by. Its name is made when a rule asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// None: the packet was made here, stays here, or is not routed yet.
    #[default]
    None,
    /// One of the machine's own.
    Named(&'static str),
    /// The machine's end of the cable to a pod of this address.
    Cable(IpAddr),
}

impl Device {
    /// The name; empty if there is none.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Device::None => Cow::Borrowed(""),
            Device::Named(name) => Cow::Borrowed(name),
            Device::Cable(ip) => Cow::Owned(super::link::cable_name(ip)),
        }
    }
}

/// What the machine around the rules knows.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The machine's own addresses, loopback aside.
    pub own: &'a [IpAddr],
    /// The address that masqueraded packets get.
    pub masquerade_as: IpAddr,
    /// Where the packet came in.
    pub input: Device,
    /// Where it leaves.
    pub output: Device,
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
pub struct Walk<'a, 'd> {
    /// The machine's rules.
    pub ruleset: &'a Ruleset,
    /// How often they have matched; empty where nobody counts.
    pub counts: &'a mut [Count],
    /// What it remembers.
    pub memory: &'a mut Memory,
    /// What it knows.
    pub surroundings: Surroundings<'a>,
    /// What it knows of the packet's connection, if it has seen it before.
    pub known: Option<Known>,
    /// Chance.
    pub dice: &'a mut Dice<'d>,
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

/// Where in a ruleset a packet is.
#[derive(Clone, Copy)]
struct At<'a> {
    hook: Hook,
    table: &'a Table,
    chain: &'a Chain,
    depth: u32,
}

impl Walk<'_, '_> {
    /// Carries a packet through a hook.
    ///
    /// Chains that translate addresses see only first packets of connections, as in the kernel;
    /// what is known of a connection is done to its later packets in their place.
    pub fn pass(&mut self, hook: Hook, packet: &mut Packet) -> Fate {
        let ruleset = self.ruleset;
        let mut is_translated = false;
        for (table, chain, base) in ruleset.at(hook, packet.family()) {
            if base.priority >= hook.translates_at() && !is_translated {
                is_translated = true;
                self.as_known(hook, packet);
            }
            let is_first = packet.state == State::New && self.known.is_none();
            if base.nat && !is_first {
                continue;
            }
            match self.chain(At { hook, table, chain, depth: 0 }, packet) {
                Left::Through if base.drops => return self.policy(hook, table, chain, packet),
                Left::Through => self.count(chain.policy_number(), packet),
                Left::Decided(Fate::Accepted) => {}
                Left::Decided(fate) => return fate,
            }
        }
        if !is_translated {
            self.as_known(hook, packet);
        }
        Fate::Accepted
    }

    /// Translates a packet of a connection that is known as its first one was translated.
    fn as_known(&self, hook: Hook, packet: &mut Packet) {
        let Some(known) = self.known.filter(|_| packet.state != State::Untracked) else { return };
        match hook {
            Hook::Prerouting | Hook::Output => packet.destination = known.destination,
            // An error comes from whoever made it, unless who was asked has another address.
            // Models net/netfilter/nf_nat_proto.c nf_nat_icmp_reply_translation.
            Hook::Input | Hook::Postrouting if packet.is_error() && !known.dnat => {}
            Hook::Input | Hook::Postrouting => packet.source = known.source,
            Hook::Forward => {}
        }
    }

    fn count(&mut self, number: u32, packet: &Packet) {
        let count = usize::try_from(number).ok().and_then(|place| self.counts.get_mut(place));
        if let Some(count) = count {
            count.packets += 1;
            count.bytes += packet.bytes();
        }
    }

    /// The packet came to the end of a chain that throws away what nobody wants.
    fn policy(&mut self, hook: Hook, table: &Table, chain: &Chain, packet: &Packet) -> Fate {
        self.count(chain.policy_number(), packet);
        let rule = u32::try_from(chain.rules.len()).unwrap_or(u32::MAX);
        self.passed.push(Passed {
            hook,
            table: table.name,
            chain: chain.name.clone(),
            rule,
            examined: rule,
            matched: true,
            draw: None,
            found: None,
            before: *packet,
            after: *packet,
        });
        Fate::Dropped
    }

    fn chain(&mut self, at: At<'_>, packet: &mut Packet) -> Left {
        let chain = at.chain;
        let mut looked_at = 0;
        for place in chain.candidates(packet.destination, packet.protocol) {
            let Some(rule) = usize::try_from(place).ok().and_then(|place| chain.rules.get(place))
            else {
                continue;
            };
            let before = *packet;
            let number = chain.first_number.saturating_add(place);
            let mut draw = None;
            let matched = rule
                .matches
                .iter()
                .all(|condition| self.matches(at.table, condition, packet, number, &mut draw));
            if !matched && draw.is_none() {
                continue;
            }
            let examined = place.saturating_add(1);
            self.examined = self.examined.saturating_add(examined.saturating_sub(looked_at));
            looked_at = examined;
            let noted = self.passed.len();
            self.passed.push(Passed {
                hook: at.hook,
                table: at.table.name,
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
            self.count(number, packet);
            let next = self.actions(at, rule, packet, noted);
            if let Some(passed) = self.passed.get_mut(noted) {
                passed.after = *packet;
            }
            if let Some(left) = self.follow(at, next, packet) {
                return left;
            }
        }
        let all = u32::try_from(chain.rules.len()).unwrap_or(u32::MAX);
        self.examined = self.examined.saturating_add(all.saturating_sub(looked_at));
        Left::Through
    }

    /// Does what a rule does, and gives the verdict if it comes to one.
    fn actions(
        &mut self,
        at: At<'_>,
        rule: &Rule,
        packet: &mut Packet,
        noted: usize,
    ) -> Option<Verdict> {
        let now = self.surroundings.now;
        for action in &rule.actions {
            match action {
                Action::Verdict(verdict) => return Some(verdict.clone()),
                Action::Mark { value, mask } => packet.mark = packet.mark & !mask ^ value,
                Action::Dnat(endpoint) => {
                    packet.destination = *endpoint;
                    packet.dnat = true;
                    return Some(Verdict::Accept);
                }
                Action::DnatRandom(endpoints) => {
                    if let Some(endpoint) = self.pick(endpoints, noted) {
                        packet.destination = endpoint;
                        packet.dnat = true;
                    }
                    return Some(Verdict::Accept);
                }
                Action::GotoRandom(chains) => return self.pick(chains, noted).map(Verdict::Goto),
                Action::Translate(translation) => {
                    self.translate(at.hook, translation, packet);
                    return Some(Verdict::Accept);
                }
                Action::Lookup { key, map } => {
                    let map = at.table.set(map)?;
                    let element = map.elements.get(&ElementKey::of(packet, *key));
                    let verdict = element.and_then(|element| element.verdict.clone());
                    if let Some(passed) = self.passed.get_mut(noted) {
                        passed.found.clone_from(&verdict);
                        passed.matched = verdict.is_some();
                    }
                    return verdict;
                }
                Action::Remember(set) => self.memory.remember(set, packet.source.ip, now),
                Action::Log { prefix, .. } => {
                    let line = self.log_line(prefix, packet);
                    self.memory.write(line, now);
                }
                Action::NoTrack { .. } => packet.state = State::Untracked,
            }
        }
        None
    }

    /// Translates an address as a person's rule says.
    fn translate(&mut self, hook: Hook, it: &Translation, packet: &mut Packet) {
        let own = match (it.by, hook) {
            (Translator::Masquerade, _) => Some(self.surroundings.masquerade_as),
            (Translator::Redirect, Hook::Output) => Some(IpAddr::from(Ipv4Addr::LOCALHOST)),
            (Translator::Redirect, _) => self.surroundings.own.first().copied(),
            _ => it.first,
        };
        let ip = self.one_of(own, it.last);
        // `--random-fully`: any of the ports that are not reserved.
        let free = Ports { first: 1024, last: u16::MAX };
        let is_source = matches!(it.by, Translator::Masquerade | Translator::Snat);
        let range = it.ports.or((is_source && it.randomly != Default::default()).then_some(free));
        let port = range.filter(|_| packet.protocol.has_ports()).map(|ports| {
            let span = u32::from(ports.last.saturating_sub(ports.first)) + 1;
            let offset = u16::try_from(self.dice.any(span)).unwrap_or(0);
            ports.first.saturating_add(offset)
        });
        let change = |end: &mut Endpoint| {
            end.ip = ip.unwrap_or(end.ip);
            end.port = port.unwrap_or(end.port);
        };
        if is_source {
            change(&mut packet.source);
            packet.snat = true;
        } else {
            change(&mut packet.destination);
            packet.dnat = true;
        }
    }

    /// An address between two.
    fn one_of(&mut self, first: Option<IpAddr>, last: Option<IpAddr>) -> Option<IpAddr> {
        let (Some(IpAddr::V4(from)), Some(IpAddr::V4(to))) = (first, last) else { return first };
        let span = to.to_bits().saturating_sub(from.to_bits()).saturating_add(1);
        let offset = self.dice.below(span);
        Some(IpAddr::from(Ipv4Addr::from_bits(from.to_bits().saturating_add(offset))))
    }

    fn pick<T: Clone>(&mut self, items: &[T], noted: usize) -> Option<T> {
        let among = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let drawn = self.dice.below(among);
        if let Some(passed) = self.passed.get_mut(noted) {
            passed.draw = Some(Draw { among, drawn });
        }
        items.get(usize::try_from(drawn).ok()?).cloned()
    }

    /// Follows a verdict; `None` means that the next rule of the chain is looked at.
    fn follow(
        &mut self,
        at: At<'_>,
        verdict: Option<Verdict>,
        packet: &mut Packet,
    ) -> Option<Left> {
        let (target, is_goto) = match verdict? {
            Verdict::Accept => return Some(Left::Decided(Fate::Accepted)),
            Verdict::Drop => return Some(Left::Decided(Fate::Dropped)),
            Verdict::Reject(with) => return Some(Left::Decided(Fate::Rejected(with))),
            Verdict::Return => return Some(Left::Through),
            Verdict::Jump(chain) => (chain, false),
            Verdict::Goto(chain) => (chain, true),
        };
        let chain = at.table.chain(&target).filter(|_| at.depth < MAX_DEPTH)?;
        match self.chain(At { chain, depth: at.depth + 1, ..at }, packet) {
            Left::Through if !is_goto => None,
            left => Some(left),
        }
    }

    /// A line of the kernel's log, as `-j LOG` writes it.
    ///
    /// Simplified: lengths, flags and identifications are those of a first packet.
    fn log_line(&self, prefix: &str, packet: &Packet) -> String {
        let around = &self.surroundings;
        let (input, output) = (around.input.name(), around.output.name());
        let (source, destination) = (packet.source, packet.destination);
        let mut line = format!(
            "{prefix}IN={input} OUT={output} SRC={} DST={} LEN={} TOS=0x00 PREC=0x00 TTL=64 ID=0 DF PROTO={}",
            source.ip,
            destination.ip,
            packet.bytes(),
            packet.protocol.api_name(),
        );
        line += &match packet.protocol.has_ports() {
            true => format!(" SPT={} DPT={}", source.port, destination.port),
            false => format!(" TYPE={} CODE={}", packet.icmp_type(), packet.icmp_code()),
        };
        if packet.protocol == super::Protocol::Tcp {
            line += match (packet.refusal, packet.is_reply) {
                (Some(_), _) => " WINDOW=0 RES=0x00 ACK RST URGP=0",
                (None, true) => " WINDOW=65160 RES=0x00 ACK SYN URGP=0",
                (None, false) => " WINDOW=64240 RES=0x00 SYN URGP=0",
            };
        }
        if packet.mark != 0 {
            line += &format!(" MARK={:#x}", packet.mark);
        }
        line
    }

    /// Whether sets are ipset's, and not the table's own.
    pub(super) fn has_ipsets(&self) -> bool {
        self.ruleset.dialect == Dialect::Iptables
    }
}
