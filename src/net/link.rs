//! How pods hang on a machine's network, and the machines on each other's: routed, or through
//! tunnels.

use super::lookup;
use super::packet::{Endpoint, Packet, Protocol};
use super::walk::Device;
use std::net::{IpAddr, Ipv4Addr};

/// How packets come from one pod to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodNetwork {
    /// Each pod has a cable of its own to its node, and nodes route to each other's pods, as Calico
    /// without an overlay does.
    #[default]
    Routed,
    /// A node's pods hang on a bridge, and what goes to another node's pods goes through a tunnel,
    /// as Flannel does.
    Vxlan,
}

/// The router of the nodes' network, which leads out of the cluster.
pub const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(172, 18, 0, 1));

/// The bytes that a VXLAN tunnel adds to each packet: Ethernet, IP, UDP and VXLAN headers.
pub const OVERHEAD: u16 = 50;
/// The port of the tunnels (Linux' own choice, and Flannel's).
pub const VXLAN_PORT: u16 = 8472;
/// The tunnels' network.
pub const VNI: u32 = 1;

impl PodNetwork {
    /// All kinds.
    pub const ALL: [PodNetwork; 2] = [PodNetwork::Routed, PodNetwork::Vxlan];

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            PodNetwork::Routed => "routed",
            PodNetwork::Vxlan => "vxlan",
        }
    }

    /// Reads a name; `None` for any other word.
    pub fn parse(text: &str) -> Option<Self> {
        PodNetwork::ALL.into_iter().find(|network| network.name() == text)
    }

    /// The longest packet that a pod may send.
    pub const fn pod_mtu(self) -> u16 {
        match self {
            PodNetwork::Routed => 1500,
            PodNetwork::Vxlan => 1500 - OVERHEAD,
        }
    }

    /// The addresses that a node has in its pods' network: its bridge's, and its tunnel's.
    pub fn own_addresses(self, pod_network: Ipv4Addr) -> Option<(IpAddr, IpAddr)> {
        let bridge = Ipv4Addr::from_bits(pod_network.to_bits() | 1);
        (self == PodNetwork::Vxlan).then(|| (IpAddr::from(bridge), IpAddr::from(pod_network)))
    }

    /// The device between a node and a pod of its own.
    pub const fn to_pod(self, ip: IpAddr) -> Device {
        match self {
            PodNetwork::Routed => Device::Cable(ip),
            PodNetwork::Vxlan => Device::Named("cni0"),
        }
    }

    /// The device between a node and the pods of others.
    pub const fn to_other_pods(self) -> Device {
        match self {
            PodNetwork::Routed => Device::Named("eth0"),
            PodNetwork::Vxlan => Device::Named("flannel.1"),
        }
    }
}

/// The packet that carries another through a tunnel from one node to another. Its source port is a
/// hash of what is inside, so that routers tell flows apart.
pub const fn encapsulated(inside: &Packet, from: IpAddr, to: IpAddr) -> Packet {
    let ends = lookup::mix(lookup::of_ip(inside.source.ip), lookup::of_ip(inside.destination.ip));
    let ports = (inside.source.port as u64) << 16 | inside.destination.port as u64;
    let hash = lookup::mix(ends, ports);
    let port = 32_768 + (hash % 28_232) as u16;
    let source = Endpoint { ip: from, port };
    Packet::new(Protocol::Udp, source, Endpoint { ip: to, port: VXLAN_PORT })
}

/// The name of the machine's end of the cable to a pod of this address.
pub fn cable_name(ip: IpAddr) -> String {
    let hash = lookup::of_ip(ip);
    format!("veth{:08x}", (hash ^ hash >> 32) as u32)
}

/// The hardware address of a machine's card, as container runtimes give them: from its IP.
pub fn card_mac(ip: Ipv4Addr) -> String {
    let [a, b, c, d] = ip.octets();
    format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// A hardware address for a device of a machine.
pub fn mac(device: &str, of: IpAddr) -> String {
    let hash = lookup::mix(lookup::of_text(device), lookup::of_ip(of));
    let [a, b, c, d, e, f, ..] = hash.to_le_bytes();
    // A locally administered address of one machine, not of a group.
    let a = a & 0xfc | 0x02;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}
