//! Sets and maps of addresses and ports.

use super::packet::{Family, Packet, Protocol};
use super::rule::{Key, Verdict};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// One field of a set's key, which also is one column of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// An address.
    Address,
    /// A protocol.
    Protocol,
    /// A port.
    Port,
}

/// An element's key. What a set does not ask for is left at its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementKey {
    /// First address.
    pub first: IpAddr,
    /// Second address.
    pub second: IpAddr,
    /// Protocol.
    pub protocol: Option<Protocol>,
    /// Port.
    pub port: u16,
}

impl ElementKey {
    /// A key of nothing, to be filled.
    pub const fn empty(family: Family) -> Self {
        ElementKey {
            first: family.unspecified(),
            second: family.unspecified(),
            protocol: None,
            port: 0,
        }
    }

    /// A key of an address.
    pub const fn address(ip: IpAddr) -> Self {
        ElementKey { first: ip, ..ElementKey::empty(Family::of(ip)) }
    }

    /// A key of an address, a protocol and a port.
    pub const fn service(ip: IpAddr, protocol: Protocol, port: u16) -> Self {
        let empty = ElementKey::empty(Family::of(ip));
        ElementKey { first: ip, protocol: Some(protocol), port, ..empty }
    }

    /// A key of a protocol and a port.
    pub const fn port(family: Family, protocol: Protocol, port: u16) -> Self {
        ElementKey { protocol: Some(protocol), port, ..ElementKey::empty(family) }
    }

    /// What `key` takes of a packet.
    pub const fn of(packet: &Packet, key: Key) -> Self {
        let (source, destination) = (packet.source.ip, packet.destination.ip);
        let (protocol, port) = (packet.protocol, packet.destination.port);
        let service = ElementKey::service(destination, protocol, port);
        match key {
            Key::Source => ElementKey::address(source),
            Key::Destination => ElementKey::address(destination),
            Key::Port | Key::ProtocolPort => {
                ElementKey::port(Family::of(destination), protocol, port)
            }
            Key::DestinationPort => service,
            Key::DestinationPortSource => ElementKey { second: source, ..service },
            Key::Hairpin => ElementKey { first: source, second: destination, ..service },
        }
    }

    const fn protocol_number(&self) -> u8 {
        match self.protocol {
            Some(protocol) => protocol.number(),
            None => 0,
        }
    }
}

/// Orders addresses by their bytes, the last first.
fn by_bytes_backwards(a: IpAddr, b: IpAddr) -> core::cmp::Ordering {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.to_bits().swap_bytes().cmp(&b.to_bits().swap_bytes()),
        (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits().swap_bytes().cmp(&b.to_bits().swap_bytes()),
        (IpAddr::V4(_), IpAddr::V6(_)) => core::cmp::Ordering::Less,
        (IpAddr::V6(_), IpAddr::V4(_)) => core::cmp::Ordering::Greater,
    }
}

impl PartialOrd for ElementKey {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ElementKey {
    /// The order in which nft lists elements of several fields: their bytes side by side, read as
    /// one little-endian number.
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        let by_port = self.port.swap_bytes().cmp(&other.port.swap_bytes());
        by_port
            .then_with(|| self.protocol_number().cmp(&other.protocol_number()))
            .then_with(|| by_bytes_backwards(self.second, other.second))
            .then_with(|| by_bytes_backwards(self.first, other.first))
    }
}

/// An element of a set or a map.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Element {
    /// A remark.
    pub comment: Option<Arc<str>>,
    /// For a map: what it says.
    pub verdict: Option<Verdict>,
}

/// A named set or map.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSet {
    /// Name.
    pub name: Arc<str>,
    /// The columns of its elements.
    pub fields: &'static [Field],
    /// Whether its elements have a verdict.
    pub is_map: bool,
    /// A remark.
    pub comment: Option<&'static str>,
    /// If packets add to it: how long their elements stay, in seconds.
    pub timeout_seconds: Option<u32>,
    /// Elements, in the order in which they are listed if there is more than one field.
    pub elements: BTreeMap<ElementKey, Element>,
}

impl NamedSet {
    /// A set without elements.
    pub fn new(name: &str, fields: &'static [Field], comment: &'static str) -> Self {
        NamedSet {
            name: Arc::from(name),
            fields,
            is_map: false,
            comment: Some(comment),
            timeout_seconds: None,
            elements: BTreeMap::new(),
        }
    }

    /// A map to verdicts without elements.
    pub fn map(name: &str, fields: &'static [Field], comment: &'static str) -> Self {
        NamedSet { is_map: true, ..NamedSet::new(name, fields, comment) }
    }

    /// A set that packets add their source to.
    pub fn dynamic(name: &Arc<str>, timeout_seconds: u32) -> Self {
        NamedSet {
            name: name.clone(),
            fields: &[Field::Address],
            is_map: false,
            comment: None,
            timeout_seconds: Some(timeout_seconds),
            elements: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_listed_by_port_then_protocol_then_address_each_read_backwards() {
        let key =
            |ip: &str, protocol, port| ElementKey::service(ip.parse().unwrap(), protocol, port);
        let sorted = [
            key("10.96.10.1", Protocol::Udp, 53),
            key("10.96.10.7", Protocol::Tcp, 80),
            key("198.51.100.7", Protocol::Tcp, 80),
            key("10.96.174.94", Protocol::Tcp, 8080),
            key("10.96.0.1", Protocol::Tcp, 443),
        ];
        assert!(sorted.is_sorted());
    }
}
