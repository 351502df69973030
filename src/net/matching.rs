//! Whether a packet is as a rule's condition says.

use super::memory::Memory;
use super::packet::{Packet, Protocol};
use super::rule::{End, Key, Match, PortOf, Recent, States};
use super::set::ElementKey;
use super::table::Table;
use super::walk::{Device, Draw, Walk};
use std::net::IpAddr;
use std::sync::Arc;

/// The ports of a packet that has some.
fn is_among(of: PortOf, packet: &Packet, is_one: impl Fn(u16) -> bool) -> bool {
    let (source, destination) = (packet.source.port, packet.destination.port);
    match of {
        PortOf::Source => is_one(source),
        PortOf::Destination => is_one(destination),
        PortOf::Either => is_one(source) || is_one(destination),
    }
}

/// Whether a device is called so; a `+` at the end stands for anything.
fn is_called(device: Device, name: &str) -> bool {
    let own = device.name();
    match name.strip_suffix('+') {
        Some(beginning) => own.starts_with(beginning) && !own.is_empty(),
        None => own == name,
    }
}

impl Walk<'_, '_> {
    /// Whether a condition of the rule of this number holds; what it draws goes to `draw`.
    pub(super) fn matches(
        &mut self,
        table: &Table,
        condition: &Match,
        packet: &Packet,
        number: u32,
        draw: &mut Option<Draw>,
    ) -> bool {
        let around = self.surroundings;
        let at = |end: End| match end {
            End::Source => packet.source.ip,
            End::Destination => packet.destination.ip,
        };
        match condition {
            Match::Net { end, nets, not } => nets.iter().any(|net| net.contains(&at(*end))) != *not,
            Match::Range { end, first, last, not } => {
                (*first <= at(*end) && at(*end) <= *last) != *not
            }
            Match::Protocol(protocol, not) => (packet.protocol == *protocol) != *not,
            Match::Extension(protocol) => packet.protocol == *protocol,
            Match::Port { protocol, end, ports, not } => {
                let port = match end {
                    End::Source => packet.source.port,
                    End::Destination => packet.destination.port,
                };
                packet.protocol == *protocol && ports.contains(port) != *not
            }
            Match::AnyPort { of, ports, not } => {
                let is_one = |port| ports.iter().any(|ports| ports.contains(port));
                packet.protocol.has_ports() && is_among(*of, packet, is_one) != *not
            }
            Match::Flags { mask, set, not } => {
                packet.protocol == Protocol::Tcp && (packet.tcp_flags() & mask == *set) != *not
            }
            Match::Icmp { kind, code, not } => {
                let is_type = *kind == 255 || packet.icmp_type() == *kind;
                let is_it = is_type && code.is_none_or(|code| code == packet.icmp_code());
                packet.protocol == Protocol::Icmp && is_it != *not
            }
            Match::Interface { incoming, name, not } => {
                let device = if *incoming { around.input } else { around.output };
                is_called(device, name) != *not
            }
            Match::State { states, not, .. } => states.meets(States::of(packet)) != *not,
            Match::Mark { mark, mask, not } => (packet.mark & mask == *mark) != *not,
            Match::Local(end, not) => around.is_own(at(*end)) != *not,
            Match::NotBridged => !around.from_bridge,
            Match::VirtualServer { address, protocol } => {
                (packet.destination, packet.protocol) == (*address, *protocol)
            }
            Match::Account(_) | Match::Comment(_) => true,
            Match::Chance { wins, among, not, .. } => {
                let drawn = self.dice.lot(*wins, *among);
                *draw = Some(Draw { among: *among, drawn });
                (drawn < *wins) != *not
            }
            Match::Turn { every, packet, not } => {
                let drawn = self.memory.come_by(number, *every);
                *draw = Some(Draw { among: *every, drawn });
                (drawn == *packet) != *not
            }
            Match::Limit { count, seconds, burst } => {
                self.memory.within_limit(number, (*count, *seconds, *burst), around.now)
            }
            Match::Recent { list, what, seconds, hits, end, not, .. } => {
                let (ip, within) = (at(*end), (*seconds, *hits));
                recent(self.memory, *what, (list, ip), within, around.now) != *not
            }
            Match::InSet { set, key } => self.in_set(table, set, *key, packet),
        }
    }

    fn in_set(&self, table: &Table, set: &Arc<str>, key: Key, packet: &Packet) -> bool {
        if self.has_ipsets() {
            return self.ruleset.ipvs.has(set, key, packet);
        }
        let Some(named) = table.set(set) else { return false };
        match named.timeout_seconds {
            Some(seconds) => {
                let (source, now) = (packet.source.ip, self.surroundings.now);
                self.memory.has_seen(set, source, (seconds, 0), now)
            }
            None => named.elements.contains_key(&ElementKey::of(packet, key)),
        }
    }
}

/// Asks a list of addresses seen lately.
///
/// Models net/netfilter/xt_recent.c recent_mt.
fn recent(
    memory: &mut Memory,
    what: Recent,
    (list, ip): (&Arc<str>, IpAddr),
    within: (u32, u32),
    now: crate::base::SimTime,
) -> bool {
    let found = what == Recent::Set || memory.has_seen(list, ip, within, now);
    match what {
        Recent::Set => memory.remember(list, ip, now),
        Recent::Update if found => memory.remember(list, ip, now),
        Recent::Remove if found => memory.forget(list, ip),
        _ => {}
    }
    found
}
