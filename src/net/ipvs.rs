//! Virtual servers, ipsets, and how `ipvsadm-save -n` and `ipset save` show them.

use super::Family;
use super::iptables_text::protocol_port;
use super::packet::{Endpoint, Packet, Protocol};
use super::rule::Key;
use super::set::{ElementKey, Field, NamedSet};
use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A virtual server and those it hands connections to, in turn.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VirtualServer {
    /// Session affinity: for how many seconds a client keeps its server; `None` without.
    pub persistence_seconds: Option<u32>,
    /// The servers, all of weight 1, by address as a text.
    pub servers: Arc<[Endpoint]>,
}

/// How packets come to look into an ipset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetType {
    /// `hash:ip`.
    Ip,
    /// `hash:ip,port`.
    IpPort,
    /// `hash:ip,port,ip`.
    IpPortIp,
    /// `hash:ip,port,net`.
    IpPortNet,
    /// `bitmap:port`.
    Port,
}

impl SetType {
    /// The name that ipset has for it.
    pub const fn name(self) -> &'static str {
        match self {
            SetType::Ip => "hash:ip",
            SetType::IpPort => "hash:ip,port",
            SetType::IpPortIp => "hash:ip,port,ip",
            SetType::IpPortNet => "hash:ip,port,net",
            SetType::Port => "bitmap:port",
        }
    }

    /// The columns of its elements.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            SetType::Ip => &[Field::Address],
            SetType::IpPort => &[Field::Address, Field::Protocol, Field::Port],
            SetType::IpPortIp | SetType::IpPortNet => {
                &[Field::Address, Field::Protocol, Field::Port, Field::Address]
            }
            SetType::Port => &[Field::Port],
        }
    }
}

/// An ipset; of [`SetType::IpPortNet`] the networks are beside the elements.
#[derive(Clone, Debug, PartialEq)]
pub struct IpSet {
    /// Type.
    pub kind: SetType,
    /// Family.
    pub family: Family,
    /// Elements.
    pub set: NamedSet,
    /// For `hash:ip,port,net`: what may reach which service.
    pub nets: Vec<(ElementKey, ipnet::IpNet)>,
}

/// What IPVS and ipset hold on one machine; empty unless kube-proxy uses IPVS.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Ipvs {
    /// Virtual servers.
    pub virtual_servers: BTreeMap<(Protocol, Endpoint), VirtualServer>,
    /// The addresses of the device `kube-ipvs0`, which make them this machine's own.
    pub bound: std::collections::BTreeSet<std::net::IpAddr>,
    /// ipsets, by name.
    pub sets: BTreeMap<Arc<str>, IpSet>,
}

impl Ipvs {
    /// Whether a set holds what `key` takes of a packet.
    pub fn has(&self, set: &str, key: Key, packet: &Packet) -> bool {
        let Some(set) = self.sets.get(set) else { return false };
        let asked = ElementKey::of(packet, key);
        if set.kind == SetType::IpPortNet {
            let service = ElementKey::of(packet, Key::DestinationPort);
            let source = packet.source.ip;
            return set.nets.iter().any(|(to, net)| *to == service && net.contains(&source));
        }
        if set.kind == SetType::Port {
            return set.set.elements.contains_key(&ElementKey { protocol: None, ..asked });
        }
        set.set.elements.contains_key(&asked)
    }
}

/// Shows the virtual servers as `ipvsadm-save -n` does.
pub fn print_servers(ipvs: &Ipvs) -> String {
    let mut out = String::new();
    for ((protocol, address), server) in &ipvs.virtual_servers {
        let flag = match protocol {
            Protocol::Tcp => "-t",
            Protocol::Udp => "-u",
            Protocol::Sctp => "--sctp-service",
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "-A {flag} {address} -s rr");
        if let Some(seconds) = server.persistence_seconds {
            let _ = write!(out, " -p {seconds}");
        }
        out.push('\n');
        for real in server.servers.iter() {
            let _ = writeln!(out, "-a {flag} {address} -r {real} -m -w 1");
        }
    }
    out
}

/// Shows the virtual servers as `ipvsadm -Ln` does.
pub fn print_list(ipvs: &Ipvs) -> String {
    let mut out = "IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"
    .to_owned();
    for ((protocol, address), server) in &ipvs.virtual_servers {
        let _ = write!(out, "{:<4} {address} rr", protocol.api_name());
        if let Some(seconds) = server.persistence_seconds {
            let _ = write!(out, " persistent {seconds}");
        }
        out.push('\n');
        for real in server.servers.iter() {
            let real = real.to_string();
            let _ = writeln!(out, "  -> {real:<28} Masq    1      0          0");
        }
    }
    out
}

/// Shows the sets as `ipset save` does.
pub fn print_sets(ipvs: &Ipvs, with_ipv6: bool) -> String {
    let mut out = String::new();
    let shown = |set: &&IpSet| with_ipv6 || set.family == Family::V4;
    for set in ipvs.sets.values().filter(shown) {
        let name = &set.set.name;
        let kind = set.kind.name();
        let options = match (set.kind, set.family) {
            (SetType::Port, _) => "range 0-65535".to_owned(),
            (_, Family::V4) => "family inet hashsize 1024 maxelem 65536".to_owned(),
            (_, Family::V6) => "family inet6 hashsize 1024 maxelem 65536".to_owned(),
        };
        let _ = writeln!(out, "create {name} {kind} {options}");
        for key in set.set.elements.keys() {
            let _ = writeln!(out, "add {name} {}", element_text(set.kind, key));
        }
        for (key, net) in &set.nets {
            let _ = writeln!(out, "add {name} {},{net}", element_text(SetType::IpPort, key));
        }
    }
    out
}

fn element_text(kind: SetType, key: &ElementKey) -> String {
    match kind {
        SetType::Ip => key.first.to_string(),
        SetType::Port => key.port.to_string(),
        SetType::IpPort | SetType::IpPortNet => {
            format!("{},{}", key.first, protocol_port(key.protocol, key.port))
        }
        SetType::IpPortIp => {
            let port = protocol_port(key.protocol, key.port);
            format!("{},{port},{}", key.first, key.second)
        }
    }
}
