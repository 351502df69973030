//! Connection tracking: what a machine knows of the connections that pass it, so that later packets
//! are translated as the first one was and replies find their way back.
//!
//! Simplified: a table holds at most [`MOST`] entries, and those that end soonest make room; a real
//! one holds 131,072 or more and throws new connections away when it is full.

use super::lookup;
use super::packet::{Endpoint, Packet, Protocol, State};
use crate::base::{Map, SimTime, order};
use core::fmt::Write as _;
use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr};

/// The most entries of a machine.
pub const MOST: usize = 16_384;

/// Protocol, source and destination of packets in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    /// Source.
    pub source: Endpoint,
    /// Destination.
    pub destination: Endpoint,
    /// Protocol.
    pub protocol: Protocol,
}

impl Tuple {
    /// The tuple of a packet.
    pub const fn of(packet: &Packet) -> Self {
        let (source, destination) = (packet.source, packet.destination);
        Tuple { source, destination, protocol: packet.protocol }
    }

    /// The tuple of the packets that answer.
    #[must_use]
    pub const fn inverse(self) -> Self {
        Tuple { source: self.destination, destination: self.source, protocol: self.protocol }
    }

    /// As `conntrack -L` shows it.
    fn line(&self, is_reply: bool) -> String {
        let (source, destination) = (self.source, self.destination);
        let ends = format!("src={} dst={} ", source.ip, destination.ip);
        match self.protocol {
            Protocol::Icmp => {
                let kind = if is_reply { 0 } else { 8 };
                // The port of who asks stands for the message's identification.
                let id = if is_reply { destination.port } else { source.port };
                format!("{ends}type={kind} code=0 id={id} ")
            }
            _ => format!("{ends}sport={} dport={} ", source.port, destination.port),
        }
    }
}

impl core::fmt::Display for Tuple {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Packet::new(self.protocol, self.source, self.destination).fmt(formatter)
    }
}

impl Tuple {
    /// The parts one after the other as one number, by which a table finds it. Those of IPv6 do not
    /// fit and are hashed: who finds one by its number looks at the tuple too.
    fn number(&self) -> u128 {
        let number = |ip: Ipv4Addr, port: u16| u128::from(ip.to_bits()) << 16 | u128::from(port);
        match (self.source.ip, self.destination.ip) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let source = number(source, self.source.port);
                let destination = number(destination, self.destination.port);
                source << 56 | destination << 8 | self.protocol as u128
            }
            (source, destination) => {
                let high = lookup::mix(lookup::of_ip(source), lookup::of_ip(destination));
                let ports = u64::from(self.source.port) << 16 | u64::from(self.destination.port);
                let low = lookup::mix(high, ports << 8 | self.protocol as u64);
                1 << 127 | u128::from(high) << 63 | u128::from(low >> 1)
            }
        }
    }
}

/// How far a connection has come, in the words of `conntrack -L`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Its first packet was seen.
    Begun,
    /// It is open, or an answer was seen.
    Established,
    /// It was closed in order.
    Closed,
}

/// A connection as one machine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Packets from who asked, as they come.
    pub original: Tuple,
    /// Packets from who was asked, as they come.
    pub reply: Tuple,
    /// How far it is.
    pub phase: Phase,
    /// When it was first seen.
    pub since: SimTime,
    /// When it is forgotten if nothing more comes.
    pub until: SimTime,
}

impl Connection {
    /// What came in as `before` and went on as `after`.
    pub fn new(before: &Packet, after: &Packet, now: SimTime) -> Self {
        let original = Tuple::of(before);
        let reply = Tuple::of(after).inverse();
        let mut new = Connection { original, reply, phase: Phase::Begun, since: now, until: now };
        new.advance(Phase::Begun, now);
        new
    }

    /// Whether the destination is translated.
    pub fn is_dnat(&self) -> bool {
        self.reply.source != self.original.destination
    }

    /// Whether the source is translated.
    pub fn is_snat(&self) -> bool {
        self.reply.destination != self.original.source
    }

    /// Whether any address is translated.
    pub fn is_translated(&self) -> bool {
        self.is_dnat() || self.is_snat()
    }

    /// Whether an answer was seen.
    pub fn is_replied(&self) -> bool {
        self.phase != Phase::Begun
    }

    /// Whether it is kept when the table is full: a TCP connection that was open.
    pub fn is_assured(&self) -> bool {
        self.is_replied() && matches!(self.original.protocol, Protocol::Tcp | Protocol::Sctp)
    }

    /// The state's name, for protocols that have states.
    pub const fn state_name(&self) -> &'static str {
        match (self.original.protocol, self.phase) {
            (Protocol::Tcp, Phase::Begun) => "SYN_SENT",
            (Protocol::Sctp, Phase::Begun) => "COOKIE_WAIT",
            (Protocol::Tcp | Protocol::Sctp, Phase::Established) => "ESTABLISHED",
            (Protocol::Tcp, Phase::Closed) => "TIME_WAIT",
            (Protocol::Sctp, Phase::Closed) => "SHUTDOWN_ACK_SENT",
            (Protocol::Udp | Protocol::Icmp, _) => "",
        }
    }

    /// As `conntrack -L` shows it, or with `extended` as `conntrack -L -o extended` does.
    pub fn line(&self, extended: bool, now: SimTime) -> String {
        let protocol = self.original.protocol;
        let left = self.until.since(now).saturating_sub(Duration::from_micros(1)).as_secs();
        let mut out = String::new();
        if extended {
            out.push_str(if self.original.source.ip.is_ipv4() {
                "ipv4     2 "
            } else {
                "ipv6     10 "
            });
        }
        let state = self.state_name();
        let gap = if state.is_empty() { "" } else { " " };
        let _ = write!(out, "{:<8} {} {left} {state}{gap}", protocol.name(), protocol.number());
        out.push_str(&self.original.line(false));
        out.push_str(if self.is_replied() { "" } else { "[UNREPLIED] " });
        out.push_str(&self.reply.line(true));
        out.push_str(if self.is_assured() { "[ASSURED] " } else { "" });
        out.push_str("mark=0 use=1\n");
        out
    }

    /// What is known of its answers.
    fn answered(&self, state: State) -> Known {
        Known {
            original: self.original,
            is_reply: true,
            source: self.original.destination,
            destination: self.original.source,
            state,
            dnat: self.is_dnat(),
            snat: self.is_snat(),
        }
    }

    /// It comes to a phase: the time until it is forgotten begins anew.
    pub fn advance(&mut self, phase: Phase, now: SimTime) {
        self.phase = phase;
        self.until = now + timeout(self.original.protocol, phase);
    }
}

/// How long a connection is remembered. An open one of TCP for a day: kube-proxy sets that, where
/// the kernel would wait five.
///
/// Models net/netfilter/nf_conntrack_proto_*.c, and cmd/kube-proxy's conntrack settings.
pub const fn timeout(protocol: Protocol, phase: Phase) -> Duration {
    Duration::from_secs(match (protocol, phase) {
        (Protocol::Tcp, Phase::Begun | Phase::Closed) => 120,
        (Protocol::Tcp, Phase::Established) => 86_400,
        (Protocol::Udp | Protocol::Icmp, _) => 30,
        (Protocol::Sctp, Phase::Begun | Phase::Closed) => 3,
        (Protocol::Sctp, Phase::Established) => 210,
    })
}

/// What is known of a packet's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The tuple it is found by.
    pub original: Tuple,
    /// Whether the packet is an answer.
    pub is_reply: bool,
    /// The source that the packet gets.
    pub source: Endpoint,
    /// The destination that the packet gets.
    pub destination: Endpoint,
    /// The state that rules see.
    pub state: State,
    /// Whether the connection's destination is translated.
    pub dnat: bool,
    /// Whether its source is.
    pub snat: bool,
}

impl Known {
    /// What a machine knows of the refusal that it sends itself: the refused packet came to it as
    /// `before`, and was `after` when it was refused.
    ///
    /// Models net/netfilter/nf_conntrack_core.c nf_conntrack_attach.
    pub fn of_refusal(before: &Packet, after: &Packet) -> Self {
        Connection::new(before, after, SimTime::default()).answered(State::Related)
    }
}

/// A machine's connections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conntrack {
    /// By the numbers of their first packets' tuples.
    connections: Map<u128, Connection>,
    /// From the number of the replies' tuple to that of the original one, where it is not just the
    /// original turned around.
    by_reply: Map<u128, u128>,
    /// When there are as many, what has ended is swept away.
    sweep_at: usize,
}

impl Conntrack {
    /// What is known of a packet's connection.
    pub fn find(&self, packet: &Packet, now: SimTime) -> Option<Known> {
        let tuple = Tuple::of(packet);
        let answered = || {
            let original = self.by_reply.get(&tuple.number()).copied();
            let original = original.unwrap_or_else(|| tuple.inverse().number());
            let own = self.alive(original, now).filter(|own| own.reply == tuple)?;
            Some(own.answered(State::Established))
        };
        // What is most likely first: no tuple is of two connections.
        if packet.is_reply
            && let Some(known) = answered()
        {
            return Some(known);
        }
        if let Some(own) = self.alive(tuple.number(), now).filter(|own| own.original == tuple) {
            // A new connection takes the place of one that is over.
            // Models net/netfilter/nf_conntrack_proto_tcp.c nf_conntrack_tcp_packet.
            if own.original.protocol == Protocol::Tcp && own.phase == Phase::Closed {
                return None;
            }
            return Some(Known {
                original: own.original,
                is_reply: false,
                source: own.reply.destination,
                destination: own.reply.source,
                state: if own.is_replied() { State::Established } else { State::New },
                dnat: own.is_dnat(),
                snat: own.is_snat(),
            });
        }
        if packet.is_reply { None } else { answered() }
    }

    fn alive(&self, original: u128, now: SimTime) -> Option<&Connection> {
        self.connections.get(&original).filter(|it| it.until > now)
    }

    /// What is known of an ICMP error about a packet.
    ///
    /// Models net/netfilter/nf_conntrack_proto_icmp.c nf_conntrack_inet_error.
    pub fn find_error(&self, about: &Tuple, now: SimTime) -> Option<Known> {
        let answer = about.inverse();
        let answer = Packet::new(answer.protocol, answer.source, answer.destination);
        let known = self.find(&answer, now).filter(|known| known.is_reply)?;
        Some(Known { state: State::Related, ..known })
    }

    /// Remembers a connection.
    pub fn add(&mut self, connection: Connection, now: SimTime) {
        if self.connections.len() >= self.sweep_at.clamp(256, MOST) {
            self.sweep(now);
        }
        self.put(connection);
    }

    fn put(&mut self, connection: Connection) {
        let number = connection.original.number();
        if connection.is_translated() {
            self.by_reply.insert(connection.reply.number(), number);
        }
        self.connections.insert(number, connection);
    }

    /// Forgets what has ended, and of too many what ends soonest.
    fn sweep(&mut self, now: SimTime) {
        let mut alive: Vec<Connection> = self.list(now).copied().collect();
        if alive.len() > MOST / 2 {
            order::sort_by_key(&mut alive, |connection| core::cmp::Reverse(connection.until));
            alive.truncate(MOST / 2);
        }
        (self.connections, self.by_reply) = (Map::new(), Map::new());
        self.sweep_at = alive.len() * 2;
        alive.into_iter().for_each(|connection| self.put(connection));
    }

    /// A connection comes to a phase.
    pub fn advance(&mut self, original: &Tuple, phase: Phase, now: SimTime) {
        if let Some(connection) = self.connections.get_mut(&original.number()) {
            connection.advance(phase, now);
        }
    }

    /// Forgets a connection: it was reset before it was open, or a person deletes it.
    pub fn remove(&mut self, original: &Tuple) {
        if let Some(connection) = self.connections.remove(&original.number()) {
            self.by_reply.remove(&connection.reply.number());
        }
    }

    /// The connections that have not ended.
    pub fn list(&self, now: SimTime) -> impl Iterator<Item = &Connection> {
        self.connections.values().filter(move |connection| connection.until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        let (ip, port) = text.rsplit_once(':').unwrap();
        Endpoint { ip: ip.parse().unwrap(), port: port.parse().unwrap() }
    }

    #[test]
    fn a_reply_comes_from_the_address_that_was_asked() {
        let (client, service) = (endpoint("10.244.1.2:40000"), endpoint("10.96.0.5:80"));
        let (node, server) = (endpoint("172.18.0.3:50000"), endpoint("10.244.2.2:8080"));
        let asked = Packet::new(Protocol::Tcp, client, service);
        let sent = Packet::new(Protocol::Tcp, node, server);
        let (mut table, now) = (Conntrack::default(), SimTime::default());
        table.add(Connection::new(&asked, &sent, now), now);
        let known = table.find(&sent.reply(), now).unwrap();
        assert_eq!((known.source, known.destination, known.is_reply), (service, client, true));
        let again = table.find(&asked, now).unwrap();
        assert_eq!((again.destination, again.state), (server, State::New));
        let stranger = Packet::new(Protocol::Udp, server, node);
        assert_eq!(table.find(&stranger, now), None);
    }

    #[test]
    fn connections_are_forgotten_when_their_time_is_over() {
        let (client, server) = (endpoint("10.244.1.2:40000"), endpoint("10.244.2.2:80"));
        let asked = Packet::new(Protocol::Tcp, client, server);
        let (mut table, now) = (Conntrack::default(), SimTime::default());
        table.add(Connection::new(&asked, &asked, now), now);
        let later = |seconds| now + Duration::from_secs(seconds);
        assert!(table.find(&asked, later(119)).is_some());
        assert!(table.find(&asked, later(120)).is_none());
        table.advance(&Tuple::of(&asked), Phase::Established, now);
        assert_eq!(table.find(&asked, later(86_399)).unwrap().state, State::Established);
        assert!(table.list(later(86_400)).next().is_none());
    }

    #[test]
    fn a_full_table_makes_room() {
        let (mut table, now) = (Conntrack::default(), SimTime::default());
        for number in 0..40_000u32 {
            let client = Endpoint { ip: IpAddr::from(number.to_be_bytes()), port: 1 };
            let asked = Packet::new(Protocol::Tcp, client, endpoint("10.244.2.2:80"));
            table.add(Connection::new(&asked, &asked, now), now);
        }
        assert!(table.list(now).count() <= MOST);
    }
}
