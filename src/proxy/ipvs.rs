//! Virtual servers for IPVS, and the rules and sets around them.
//!
//! Models pkg/proxy/ipvs/proxier.go syncProxyRules and writeIptablesRules.

use super::input::{Endpoint, Input, Node};
use super::iptables::{comment, filter, forward_rules, masquerade_chains, nat};
use super::services::{self, Port};
use crate::base::order;
use crate::net::ipvs::{IpSet, Ipvs, SetType, VirtualServer};
use crate::net::packet::Endpoint as Address;
use crate::net::rule::{Action, End, Key, Match, Randomly, Reject, Rule, Verdict};
use crate::net::set::{Element, ElementKey, NamedSet};
use crate::net::table::{Dialect, Hook};
use crate::net::{Family, Protocol, Ruleset, Table};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The sets and the remarks of the rules that use them.
const SETS: [(&str, SetType, &str); 17] = [
    (
        "KUBE-LOOP-BACK",
        SetType::IpPortIp,
        "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
    ),
    (
        "KUBE-CLUSTER-IP",
        SetType::IpPort,
        "Kubernetes service cluster ip + port for masquerade purpose",
    ),
    (
        "KUBE-EXTERNAL-IP",
        SetType::IpPort,
        "Kubernetes service external ip + port for masquerade and filter purpose",
    ),
    (
        "KUBE-EXTERNAL-IP-LOCAL",
        SetType::IpPort,
        "Kubernetes service external ip + port with externalTrafficPolicy=local",
    ),
    ("KUBE-LOAD-BALANCER", SetType::IpPort, "Kubernetes service lb portal"),
    (
        "KUBE-LOAD-BALANCER-FW",
        SetType::IpPort,
        "Kubernetes service load balancer ip + port for load balancer with sourceRange",
    ),
    (
        "KUBE-LOAD-BALANCER-LOCAL",
        SetType::IpPort,
        "Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
    ),
    (
        "KUBE-LOAD-BALANCER-SOURCE-IP",
        SetType::IpPortIp,
        "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
    ),
    (
        "KUBE-LOAD-BALANCER-SOURCE-CIDR",
        SetType::IpPortNet,
        "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
    ),
    ("KUBE-NODE-PORT-TCP", SetType::Port, "Kubernetes nodeport TCP port for masquerade purpose"),
    (
        "KUBE-NODE-PORT-LOCAL-TCP",
        SetType::Port,
        "Kubernetes nodeport TCP port with externalTrafficPolicy=local",
    ),
    ("KUBE-NODE-PORT-UDP", SetType::Port, "Kubernetes nodeport UDP port for masquerade purpose"),
    (
        "KUBE-NODE-PORT-LOCAL-UDP",
        SetType::Port,
        "Kubernetes nodeport UDP port with externalTrafficPolicy=local",
    ),
    (
        "KUBE-NODE-PORT-SCTP-HASH",
        SetType::IpPort,
        "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
    ),
    (
        "KUBE-NODE-PORT-LOCAL-SCTP-HASH",
        SetType::IpPort,
        "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
    ),
    ("KUBE-HEALTH-CHECK-NODE-PORT", SetType::Port, "Kubernetes health check node port"),
    ("KUBE-IPVS-IPS", SetType::Ip, "Addresses on the ipvs interface"),
];

/// The rules of a node.
pub fn rules(input: &Input, node: &Node) -> Ruleset {
    let mut ipvs = Ipvs::default();
    let mut tables = Vec::new();
    for family in [Family::V4, Family::V6] {
        let mut writer = Writer::new(family, node, input.cluster_cidr(family), &mut ipvs);
        for port in services::ports(input, node, family) {
            writer.service(&port);
        }
        tables.extend(writer.finish());
    }
    Ruleset { dialect: Dialect::Iptables, tables, ipvs }
}

struct Writer<'a> {
    family: Family,
    node: &'a Node,
    cluster_cidr: Option<IpNet>,
    ipvs: &'a mut Ipvs,
    no_node_access: Vec<(IpAddr, Protocol, u16)>,
}

impl<'a> Writer<'a> {
    fn new(
        family: Family,
        node: &'a Node,
        cluster_cidr: Option<IpNet>,
        ipvs: &'a mut Ipvs,
    ) -> Self {
        for (name, kind, _) in SETS {
            let name = set_name(name, family);
            let set = NamedSet::new(&name, kind.fields(), "");
            ipvs.sets.insert(name, IpSet { kind, family, set, nets: Vec::new() });
        }
        Writer { family, node, cluster_cidr, ipvs, no_node_access: Vec::new() }
    }

    fn insert(&mut self, set: &str, key: ElementKey) {
        if let Some(set) = self.ipvs.sets.get_mut(&set_name(set, self.family)) {
            set.set.elements.insert(key, Element::default());
        }
    }

    fn is_empty(&self, set: &str) -> bool {
        let set = self.ipvs.sets.get(&set_name(set, self.family));
        set.is_none_or(|set| set.set.elements.is_empty() && set.nets.is_empty())
    }

    fn service(&mut self, port: &Port<'_>) {
        for endpoint in port.all.iter().filter(|end| end.node.as_ref() == Some(&self.node.name)) {
            let Address { ip, port: number } = endpoint.address;
            let key = ElementKey::service(ip, port.protocol(), number);
            self.insert("KUBE-LOOP-BACK", ElementKey { second: ip, ..key });
        }
        self.insert("KUBE-CLUSTER-IP", key_at(port, port.cluster_ip));
        self.server(port, port.cluster_ip, port.port.port, port.service.internal_local, true);
        for ip in &port.external_ips {
            let local = port.service.external_local;
            let set = if local { "KUBE-EXTERNAL-IP-LOCAL" } else { "KUBE-EXTERNAL-IP" };
            self.insert(set, key_at(port, *ip));
            self.server(port, *ip, port.port.port, local, true);
        }
        for ip in &port.vips {
            self.load_balancer(port, *ip);
        }
        self.node_port(port);
        if let Some(health) = port.service.health_check_node_port {
            let key = ElementKey::port(self.family, Protocol::Tcp, health);
            let key = ElementKey { protocol: None, ..key };
            self.insert("KUBE-HEALTH-CHECK-NODE-PORT", key);
        }
    }

    fn load_balancer(&mut self, port: &Port<'_>, ip: IpAddr) {
        let key = key_at(port, ip);
        self.insert("KUBE-LOAD-BALANCER", key);
        if port.service.external_local {
            self.insert("KUBE-LOAD-BALANCER-LOCAL", key);
        }
        if !port.source_ranges.is_empty() {
            self.insert("KUBE-LOAD-BALANCER-FW", key);
            let set = set_name("KUBE-LOAD-BALANCER-SOURCE-CIDR", self.family);
            if let Some(set) = self.ipvs.sets.get_mut(&set) {
                set.nets.extend(port.source_ranges.iter().map(|net| (key, *net)));
            }
            let node = self.node.ip(self.family);
            if port.source_ranges.iter().any(|net| node.is_some_and(|ip| net.contains(&ip))) {
                let key = ElementKey { second: ip, ..key };
                self.insert("KUBE-LOAD-BALANCER-SOURCE-IP", key);
            } else {
                self.no_node_access.push((ip, port.protocol(), port.port.port));
            }
        }
        self.server(port, ip, port.port.port, port.service.external_local, true);
    }

    fn node_port(&mut self, port: &Port<'_>) {
        let number = port.port.node_port;
        let Some(node_ip) = self.node.ip(self.family).filter(|_| number != 0) else { return };
        let (protocol, local) = (port.protocol(), port.service.external_local);
        let (all, only_local, key) = match protocol {
            Protocol::Tcp | Protocol::Icmp => {
                ("KUBE-NODE-PORT-TCP", "KUBE-NODE-PORT-LOCAL-TCP", None)
            }
            Protocol::Udp => ("KUBE-NODE-PORT-UDP", "KUBE-NODE-PORT-LOCAL-UDP", None),
            Protocol::Sctp => (
                "KUBE-NODE-PORT-SCTP-HASH",
                "KUBE-NODE-PORT-LOCAL-SCTP-HASH",
                Some(ElementKey::service(node_ip, protocol, number)),
            ),
        };
        let key = key.unwrap_or_else(|| ElementKey {
            protocol: None,
            ..ElementKey::port(self.family, protocol, number)
        });
        self.insert(all, key);
        if local {
            self.insert(only_local, key);
        }
        self.server(port, node_ip, number, local, false);
    }

    /// A virtual server at an address.
    ///
    /// Models pkg/proxy/ipvs/proxier.go syncService and syncEndpoint.
    fn server(&mut self, port: &Port<'_>, ip: IpAddr, number: u16, local: bool, bind: bool) {
        let endpoints = match (local, port.endpoints.local.is_empty()) {
            (true, false) => &port.endpoints.local,
            _ => &port.endpoints.cluster,
        };
        let mut servers: Vec<Address> = endpoints.iter().map(|e: &Endpoint| e.address).collect();
        order::sort(&mut servers);
        servers.dedup();
        let server = VirtualServer {
            persistence_seconds: port.service.affinity_seconds,
            servers: Arc::from(servers),
        };
        let address = Address { ip, port: number };
        self.ipvs.virtual_servers.insert((port.protocol(), address), server);
        if bind && !self.node.ips.contains(&ip) {
            self.ipvs.bound.insert(ip);
            self.insert("KUBE-IPVS-IPS", ElementKey::address(ip));
        }
    }

    fn in_set(&self, set: &str, key: Key) -> Match {
        Match::InSet { set: set_name(set, self.family), key }
    }

    /// A rule with a set's remark that asks the set, unless the set is empty.
    fn set_rule(
        &self,
        table: &mut Table,
        chain: &str,
        (set, key, protocol): (&str, Key, Option<Protocol>),
        verdict: Verdict,
    ) {
        if self.is_empty(set) {
            return;
        }
        let mut matches = vec![comment(remark(set)), self.in_set(set, key)];
        matches.extend(protocol.map(Match::protocol));
        table.append(&Arc::from(chain), Rule::verdict(matches, verdict));
    }

    fn finish(self) -> [Table; 2] {
        let mut nat_table = nat(self.family);
        let mut filter_table = filter(self.family);
        for chain in ["KUBE-LOAD-BALANCER", "KUBE-NODE-PORT", "KUBE-SERVICES"] {
            nat_table.ensure_chain(&Arc::from(chain));
        }
        jumps(&mut nat_table, &mut filter_table);
        self.nat_rules(&mut nat_table);
        self.filter_rules(&mut filter_table);
        [filter_table, nat_table]
    }

    fn nat_rules(&self, table: &mut Table) {
        let services: Arc<str> = Arc::from("KUBE-SERVICES");
        let loopback = match self.family {
            Family::V4 => IpNet::new(IpAddr::from(Ipv4Addr::new(127, 0, 0, 0)), 8),
            Family::V6 => IpNet::new(IpAddr::from(std::net::Ipv6Addr::LOCALHOST), 128),
        };
        if let Ok(net) = loopback {
            let rule = Rule::verdict(vec![Match::net(End::Source, net)], Verdict::Return);
            table.append(&services, rule);
        }
        if !self.is_empty("KUBE-LOOP-BACK") {
            let matches = vec![
                comment(remark("KUBE-LOOP-BACK")),
                self.in_set("KUBE-LOOP-BACK", Key::DestinationPortSource),
            ];
            let rule = Rule::new(matches, Action::masquerade(Randomly::No));
            table.append(&Arc::from("KUBE-POSTROUTING"), rule);
        }
        let jump = |chain: &str| Verdict::Jump(Arc::from(chain));
        let pair = Key::DestinationPort;
        let balancer = jump("KUBE-LOAD-BALANCER");
        self.set_rule(table, "KUBE-SERVICES", ("KUBE-LOAD-BALANCER", pair, None), balancer);
        let local = ("KUBE-LOAD-BALANCER-LOCAL", pair, None);
        self.set_rule(table, "KUBE-LOAD-BALANCER", local, Verdict::Return);
        for (all, only_local, key, protocol) in [
            ("KUBE-NODE-PORT-TCP", "KUBE-NODE-PORT-LOCAL-TCP", Key::Port, Protocol::Tcp),
            ("KUBE-NODE-PORT-UDP", "KUBE-NODE-PORT-LOCAL-UDP", Key::Port, Protocol::Udp),
            ("KUBE-NODE-PORT-SCTP-HASH", "KUBE-NODE-PORT-LOCAL-SCTP-HASH", pair, Protocol::Sctp),
        ] {
            let local = (only_local, key, Some(protocol));
            self.set_rule(table, "KUBE-NODE-PORT", local, Verdict::Return);
            let all = (all, key, Some(protocol));
            self.set_rule(table, "KUBE-NODE-PORT", all, jump("KUBE-MARK-MASQ"));
        }
        self.address_rules(table);
        let own = vec![Match::local(End::Destination)];
        table.append(&services, Rule::jump(own, &Arc::from("KUBE-NODE-PORT")));
        let mark = Arc::from("KUBE-MARK-MASQ");
        table.append(&Arc::from("KUBE-LOAD-BALANCER"), Rule::jump(Vec::new(), &mark));
        for set in ["KUBE-CLUSTER-IP", "KUBE-LOAD-BALANCER"] {
            if !self.is_empty(set) {
                let matches = vec![self.in_set(set, pair)];
                table.append(&services, Rule::verdict(matches, Verdict::Accept));
            }
        }
        masquerade_chains(table);
    }

    /// What is marked on its way to a cluster IP or an external IP.
    fn address_rules(&self, table: &mut Table) {
        let (services, pair): (Arc<str>, _) = (Arc::from("KUBE-SERVICES"), Key::DestinationPort);
        let mark = Arc::from("KUBE-MARK-MASQ");
        if let Some(cidr) = self.cluster_cidr.filter(|_| !self.is_empty("KUBE-CLUSTER-IP")) {
            let matches = vec![
                comment(remark("KUBE-CLUSTER-IP")),
                self.in_set("KUBE-CLUSTER-IP", pair),
                Match::not_net(End::Source, cidr),
            ];
            table.append(&services, Rule::jump(matches, &mark));
        }
        for (set, masquerade) in [("KUBE-EXTERNAL-IP", true), ("KUBE-EXTERNAL-IP-LOCAL", false)] {
            if self.is_empty(set) {
                continue;
            }
            let to = || vec![comment(remark(set)), self.in_set(set, pair)];
            if masquerade {
                table.append(&services, Rule::jump(to(), &mark));
            }
            let with = |last: &[Match]| {
                let mut matches = to();
                matches.extend(last.iter().cloned());
                Rule::verdict(matches, Verdict::Accept)
            };
            let from_outside = [Match::NotBridged, Match::Local(End::Source, true)];
            table.append(&services, with(&from_outside));
            table.append(&services, with(&[Match::local(End::Destination)]));
        }
    }

    fn filter_rules(&self, table: &mut Table) {
        let pair = Key::DestinationPort;
        let ranges: Arc<str> = Arc::from("KUBE-SOURCE-RANGES-FIREWALL");
        let firewall = ("KUBE-LOAD-BALANCER-FW", pair, None);
        self.set_rule(table, "KUBE-PROXY-FIREWALL", firewall, Verdict::Jump(ranges.clone()));
        for set in ["KUBE-LOAD-BALANCER-SOURCE-CIDR", "KUBE-LOAD-BALANCER-SOURCE-IP"] {
            let asked = (set, Key::DestinationPortSource, None);
            self.set_rule(table, &ranges, asked, Verdict::Return);
        }
        table.append(&ranges, Rule::verdict(Vec::new(), Verdict::Drop));
        for (ip, protocol, port) in &self.no_node_access {
            let virtual_server = Match::VirtualServer {
                address: Address { ip: *ip, port: *port },
                protocol: *protocol,
            };
            let matches = vec![Match::net(End::Source, IpNet::from(*ip)), virtual_server];
            let rule = Rule::verdict(matches, Verdict::Drop);
            table.append(&Arc::from("KUBE-IPVS-OUT-FILTER"), rule);
        }
        forward_rules(table);
        let health = "KUBE-HEALTH-CHECK-NODE-PORT";
        let matches = vec![comment(remark(health)), self.in_set(health, Key::Port)];
        table.append(&Arc::from("KUBE-NODE-PORT"), Rule::verdict(matches, Verdict::Accept));
        let chain: Arc<str> = Arc::from("KUBE-IPVS-FILTER");
        for (set, key) in [
            ("KUBE-LOAD-BALANCER", pair),
            ("KUBE-CLUSTER-IP", pair),
            ("KUBE-EXTERNAL-IP", pair),
            ("KUBE-EXTERNAL-IP-LOCAL", pair),
            (health, Key::Port),
        ] {
            let rule = Rule::verdict(vec![self.in_set(set, key)], Verdict::Return);
            table.append(&chain, rule);
        }
        let matches = vec![Match::is_new(), self.in_set("KUBE-IPVS-IPS", Key::Destination)];
        table.append(&chain, Rule::verdict(matches, Verdict::Reject(Reject::PortUnreachable)));
    }
}

/// The jumps from the built-in chains; kube-proxy puts each at the front.
fn jumps(nat: &mut Table, filter: &mut Table) {
    let jump = |table: &mut Table, hook: Hook, to: &str, text: &str| {
        let to = Arc::from(to);
        table.ensure_chain(&to);
        table.append(&Arc::from(hook.chain()), Rule::jump(vec![comment(text)], &to));
    };
    let portals = "kubernetes service portals";
    jump(nat, Hook::Output, "KUBE-SERVICES", portals);
    jump(nat, Hook::Prerouting, "KUBE-SERVICES", portals);
    jump(nat, Hook::Postrouting, "KUBE-POSTROUTING", "kubernetes postrouting rules");
    let access = "kubernetes ipvs access filter";
    jump(filter, Hook::Input, "KUBE-IPVS-FILTER", access);
    jump(filter, Hook::Input, "KUBE-PROXY-FIREWALL", "kube-proxy firewall rules");
    jump(filter, Hook::Input, "KUBE-NODE-PORT", "kubernetes health check rules");
    jump(filter, Hook::Forward, "KUBE-PROXY-FIREWALL", "kube-proxy firewall rules");
    jump(filter, Hook::Forward, "KUBE-FORWARD", "kubernetes forwarding rules");
    jump(filter, Hook::Output, "KUBE-IPVS-OUT-FILTER", access);
}

/// The remark of a set's rules, which is its own.
fn remark(set: &str) -> &'static str {
    SETS.iter().find(|(name, _, _)| *name == set).map_or("", |(_, _, remark)| remark)
}

/// The name of a set for a family, at most 31 letters.
fn set_name(name: &str, family: Family) -> Arc<str> {
    if family == Family::V4 {
        return Arc::from(name);
    }
    let mut long = name.replacen("KUBE-", "KUBE-6-", 1);
    long.truncate(31);
    Arc::from(long)
}

const fn key_at(port: &Port<'_>, ip: IpAddr) -> ElementKey {
    ElementKey::service(ip, port.protocol(), port.port.port)
}
