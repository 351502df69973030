//! Virtual servers, ipsets, and how `ipvsadm-save -n` and `ipset save` show them.

use super::Family;
use super::packet::{Endpoint, Packet, Protocol};
use super::rule::Key;
use super::set::{ElementKey, Field, NamedSet};
use crate::base::names::fnv64a;
use crate::base::order;
use core::cmp::Ordering;
use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::net::IpAddr;
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

/// Orders addresses as ipvsadm does: by the difference of their numbers in 32 bits with a sign, so
/// that 172.18.0.2 comes before 10.96.0.1.
///
/// Models ipvsadm's libipvs.c ipvs_cmp_services.
fn compare(a: &Endpoint, b: &Endpoint) -> Ordering {
    let by_address = match (a.ip, b.ip) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let difference = a.to_bits().wrapping_sub(b.to_bits());
            difference.cast_signed().cmp(&0)
        }
        (a, b) => a.cmp(&b),
    };
    by_address.then_with(|| a.port.cmp(&b.port))
}

type Shown<'a> = (Protocol, Endpoint, &'a VirtualServer, Vec<Endpoint>);

/// The virtual servers and their servers in ipvsadm's order.
fn sorted(ipvs: &Ipvs) -> Vec<Shown<'_>> {
    let mut all: Vec<Shown<'_>> = ipvs
        .virtual_servers
        .iter()
        .map(|((protocol, address), server)| {
            let mut servers = server.servers.to_vec();
            order::sort_by(&mut servers, compare);
            (*protocol, *address, server, servers)
        })
        .collect();
    order::sort_by(&mut all, |a, b| {
        let family = (a.1.ip.is_ipv6(), a.0.number()).cmp(&(b.1.ip.is_ipv6(), b.0.number()));
        family.then_with(|| compare(&a.1, &b.1))
    });
    all
}

/// Shows the virtual servers as `ipvsadm-save -n` does.
pub fn print_servers(ipvs: &Ipvs) -> String {
    let mut out = String::new();
    for (protocol, address, server, servers) in sorted(ipvs) {
        let flag = match protocol {
            Protocol::Udp => "-u",
            Protocol::Sctp => "--sctp-service",
            Protocol::Tcp | Protocol::Icmp => "-t",
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "-A {flag} {address} -s rr");
        if let Some(seconds) = server.persistence_seconds {
            let _ = write!(out, " -p {seconds}");
        }
        out.push('\n');
        for real in servers {
            let _ = writeln!(out, "-a {flag} {address} -r {real} -m -w 1");
        }
    }
    out
}

/// How many connections a server of a virtual server has: open ones, and those that are closed.
pub type Load<'a> = &'a dyn Fn(Protocol, Endpoint, Endpoint) -> (u32, u32);

/// Shows the virtual servers as `ipvsadm -Ln` does.
pub fn print_list(ipvs: &Ipvs, load: Load<'_>) -> String {
    let mut out = "IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"
    .to_owned();
    for (protocol, address, server, servers) in sorted(ipvs) {
        let _ = write!(out, "{:<4} {address} rr", protocol.api_name());
        if let Some(seconds) = server.persistence_seconds {
            let _ = write!(out, " persistent {seconds}");
        }
        out.push('\n');
        for real in servers {
            let (active, inactive) = load(protocol, address, real);
            let real = real.to_string();
            let _ = writeln!(out, "  -> {real:<28} Masq    1      {active:<10} {inactive:<10}");
        }
    }
    out
}

/// What `ipset` says of a set at its making. The last number is chance in the kernel.
fn header(set: &IpSet) -> String {
    let family = if set.family == Family::V4 { "inet" } else { "inet6" };
    match set.kind {
        SetType::Port => "range 0-65535".to_owned(),
        _ => {
            let initval = fnv64a(u64::from(set.kind as u8), set.set.name.as_bytes()) as u32;
            format!(
                "family {family} hashsize 1024 maxelem 65536 bucketsize 12 initval {initval:#010x}"
            )
        }
    }
}

/// Shows the sets as `ipset save` does.
pub fn print_sets(ipvs: &Ipvs) -> String {
    let mut out = String::new();
    for set in ipvs.sets.values() {
        let name = &set.set.name;
        let _ = writeln!(out, "create {name} {} {}", set.kind.name(), header(set));
        for member in members(set) {
            let _ = writeln!(out, "add {name} {member}");
        }
    }
    out
}

/// Shows one set, or all, as `ipset list` does; `references` says how many rules ask a set. `None`
/// if there is no set of the name.
pub fn print_set_list(
    ipvs: &Ipvs,
    only: Option<&str>,
    references: &dyn Fn(&str) -> usize,
) -> Option<String> {
    let shown: Vec<&IpSet> =
        ipvs.sets.values().filter(|set| only.is_none_or(|only| *set.set.name == *only)).collect();
    if shown.is_empty() && only.is_some() {
        return None;
    }
    let mut texts = Vec::new();
    for set in shown {
        let members: Vec<String> = members(set).collect();
        // What Linux 6 has on 64 bits: the set, and its elements.
        let (revision, empty, each) = match set.kind {
            SetType::Port => (3, 8264, 0),
            SetType::Ip => (6, 216, 40),
            SetType::IpPort => (7, 216, 48),
            SetType::IpPortIp => (6, 208, 56),
            SetType::IpPortNet => (8, 464, 56),
        };
        let mut text = format!(
            "Name: {}\nType: {}\nRevision: {revision}\nHeader: {}\nSize in memory: {}\nReferences: {}\nNumber of entries: {}\nMembers:\n",
            set.set.name,
            set.kind.name(),
            header(set),
            empty + each * members.len(),
            references(&set.set.name),
            members.len(),
        );
        members.iter().for_each(|member| text += &format!("{member}\n"));
        texts.push(text);
    }
    Some(texts.join("\n"))
}

/// The elements of a set.
fn members(set: &IpSet) -> impl Iterator<Item = String> {
    let elements = set.set.elements.keys().map(|key| element_text(set.kind, key));
    let mut nets = set.nets.clone();
    order::sort_by(&mut nets, |a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    nets.dedup();
    let nets = nets.into_iter().map(|(key, net)| {
        // A single address is shown without its length.
        let net = match net.prefix_len() == net.max_prefix_len() {
            true => net.addr().to_string(),
            false => net.to_string(),
        };
        format!("{},{net}", element_text(SetType::IpPort, &key))
    });
    elements.chain(nets)
}

fn element_text(kind: SetType, key: &ElementKey) -> String {
    let port = || match key.protocol {
        Some(protocol) => format!("{protocol}:{}", key.port),
        None => key.port.to_string(),
    };
    match kind {
        SetType::Ip => key.first.to_string(),
        SetType::Port => key.port.to_string(),
        SetType::IpPort | SetType::IpPortNet => format!("{},{}", key.first, port()),
        SetType::IpPortIp => format!("{},{},{}", key.first, port(), key.second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_addresses_come_before_low_ones_as_ipvsadm_has_it() {
        let mut ipvs = Ipvs::default();
        for ip in ["10.96.0.1", "172.18.0.3", "198.51.100.7", "10.96.0.10"] {
            let address = Endpoint { ip: ip.parse().unwrap(), port: 80 };
            ipvs.virtual_servers.insert((Protocol::Tcp, address), VirtualServer::default());
        }
        let text = print_servers(&ipvs);
        let shown: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        assert_eq!(shown, ["172.18.0.3:80", "198.51.100.7:80", "10.96.0.1:80", "10.96.0.10:80"]);
    }
}
