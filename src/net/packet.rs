//! Packets, as far as a rule can see them.

use super::action::Reject;
use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Transport protocol of a packet or a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// ICMP: pings, which no Service has.
    Icmp,
}

impl Protocol {
    /// The transport protocols that Services have.
    pub const OF_SERVICES: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

    /// Reads `TCP`, `UDP`, `SCTP` in any case; `None` for any other word.
    pub fn parse(text: &str) -> Option<Self> {
        Protocol::OF_SERVICES
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(text))
    }

    /// The name in rules, `tcp`.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
            Protocol::Icmp => "icmp",
        }
    }

    /// The name in the API, `TCP`.
    pub const fn api_name(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
            Protocol::Icmp => "ICMP",
        }
    }

    /// The number in an IP header.
    pub const fn number(self) -> u8 {
        match self {
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
            Protocol::Sctp => 132,
            Protocol::Icmp => 1,
        }
    }

    /// Whether its packets have ports.
    pub const fn has_ports(self) -> bool {
        !matches!(self, Protocol::Icmp)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }

    /// The name in nftables, `ip` or `ip6`.
    pub const fn nft_name(self) -> &'static str {
        match self {
            Family::V4 => "ip",
            Family::V6 => "ip6",
        }
    }

    /// The name in the API, `IPv4` or `IPv6`.
    pub const fn api_name(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }

    /// The address that stands for any, `0.0.0.0` or `::`.
    pub const fn unspecified(self) -> IpAddr {
        match self {
            Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

/// An address with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Address.
    pub ip: IpAddr,
    /// Port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    /// As Go's `net.JoinHostPort`: an IPv6 address stands in brackets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(formatter, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(formatter, "[{ip}]:{}", self.port),
        }
    }
}

/// What connection tracking knows of a packet's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The first packet of a connection.
    New,
    /// A packet of a connection that has been seen.
    Established,
    /// A connection that another one announced.
    Related,
    /// Fits no connection.
    Invalid,
    /// Kept out of connection tracking by a rule.
    Untracked,
}

impl State {
    /// The name in iptables, `NEW`.
    pub const fn name(self) -> &'static str {
        match self {
            State::New => "NEW",
            State::Established => "ESTABLISHED",
            State::Related => "RELATED",
            State::Invalid => "INVALID",
            State::Untracked => "UNTRACKED",
        }
    }
}

/// A packet on its way through one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where it comes from.
    pub source: Endpoint,
    /// Where it goes.
    pub destination: Endpoint,
    /// Transport protocol.
    pub protocol: Protocol,
    /// The mark that the rules of this machine put on it; it does not leave the machine.
    pub mark: u32,
    /// Its connection's state on this machine.
    pub state: State,
    /// Whether its connection's destination is translated on this machine.
    pub dnat: bool,
    /// Whether its connection's source is translated on this machine.
    pub snat: bool,
    /// Whether it goes from who was asked to who asked.
    pub is_reply: bool,
    /// What it says, if it refuses a packet: a reset, or an ICMP error, whose ports are those of
    /// the packet that it is about.
    pub refusal: Option<Reject>,
}

impl Packet {
    /// The first packet of a connection.
    pub const fn new(protocol: Protocol, source: Endpoint, destination: Endpoint) -> Self {
        Packet {
            source,
            destination,
            protocol,
            mark: 0,
            state: State::New,
            dnat: false,
            snat: false,
            is_reply: false,
            refusal: None,
        }
    }

    /// The answer to it, as it is sent by who took it.
    pub const fn reply(&self) -> Self {
        Packet {
            state: State::Established,
            is_reply: true,
            ..Packet::new(self.protocol, self.destination, self.source)
        }
    }

    /// The refusal of it that `from` sends: a reset, or an ICMP error.
    pub const fn refused(&self, by: Reject, from: IpAddr) -> Self {
        let protocol = match by {
            Reject::TcpReset => self.protocol,
            _ => Protocol::Icmp,
        };
        let source = Endpoint { ip: from, port: self.destination.port };
        let packet = Packet::new(protocol, source, self.source);
        Packet { state: State::Related, is_reply: true, refusal: Some(by), ..packet }
    }

    /// Whether it is an ICMP error, which carries the beginning of the packet that it is about.
    pub const fn is_error(&self) -> bool {
        matches!(self.refusal, Some(by) if !matches!(by, Reject::TcpReset))
    }

    /// The same packet when it has left a machine: marks and what is known of its connection stay
    /// there.
    #[must_use]
    pub const fn on_wire(&self) -> Self {
        let packet = Packet::new(self.protocol, self.source, self.destination);
        Packet { is_reply: self.is_reply, refusal: self.refusal, ..packet }
    }

    /// The TCP flags of the packets that are followed: a connection's first, and its answer.
    pub const fn tcp_flags(&self) -> u8 {
        const SYN: u8 = 0x02;
        const RST: u8 = 0x04;
        const ACK: u8 = 0x10;
        match (self.refusal, self.is_reply) {
            (Some(_), _) => RST | ACK,
            (None, true) => SYN | ACK,
            (None, false) => SYN,
        }
    }

    /// The ICMP type: an echo request, the echo, or "destination unreachable".
    pub const fn icmp_type(&self) -> u8 {
        match (self.refusal, self.is_reply) {
            (Some(_), _) => 3,
            (None, true) => 0,
            (None, false) => 8,
        }
    }

    /// The ICMP code.
    pub const fn icmp_code(&self) -> u8 {
        match self.refusal {
            Some(by) => by.icmp_code(),
            None => 0,
        }
    }

    /// How many bytes its IP packet has, as Linux sends it; an ICMP error is taken for one about
    /// the first packet of a TCP connection.
    pub const fn bytes(&self) -> u64 {
        match (self.protocol, self.destination.ip) {
            (Protocol::Icmp, IpAddr::V4(_)) if self.refusal.is_some() => 88,
            (Protocol::Icmp, IpAddr::V6(_)) if self.refusal.is_some() => 128,
            (_, IpAddr::V4(_)) if self.refusal.is_some() => 40,
            (_, IpAddr::V6(_)) if self.refusal.is_some() => 60,
            (Protocol::Icmp, _) => 84,
            (Protocol::Tcp, IpAddr::V4(_)) => 60,
            (_, IpAddr::V4(_)) => 64,
            (_, IpAddr::V6(_)) => 80,
        }
    }

    /// What it is called, if it refuses a packet: `RST`, `icmp-port-unreachable`.
    pub const fn refusal_name(&self) -> Option<&'static str> {
        match (self.refusal, self.protocol) {
            (None, _) => None,
            (Some(Reject::TcpReset), Protocol::Sctp) => Some("ABORT"),
            (Some(Reject::TcpReset), _) => Some("RST"),
            (Some(by), _) => Some(by.name()),
        }
    }

    /// Source and destination as they are shown: an ICMP error has no ports of its own.
    pub fn ends(&self) -> [String; 2] {
        let text = |end: Endpoint| match self.is_error() {
            true => end.ip.to_string(),
            false => end.to_string(),
        };
        [text(self.source), text(self.destination)]
    }

    /// The family of its addresses.
    pub const fn family(&self) -> Family {
        Family::of(self.destination.ip)
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol.has_ports() {
            true => write!(formatter, "{} {} -> {}", self.protocol, self.source, self.destination)?,
            false => {
                let (from, to) = (self.source.ip, self.destination.ip);
                write!(formatter, "{} {from} -> {to}", self.protocol)?;
            }
        }
        if let Some(word) = self.refusal_name() {
            write!(formatter, " {word}")?;
        }
        if self.mark != 0 {
            write!(formatter, " mark {:#x}", self.mark)?;
        }
        Ok(())
    }
}
