//! Rules for `nftables`.
//!
//! Models pkg/proxy/nftables/proxier.go setupNFTables and syncProxyRules.

use super::MASQUERADE_MARK;
use super::input::{Endpoint, Input, Node};
use super::services::{self, Nowhere, Port, short_hash};
use crate::net::packet::Endpoint as Address;
use crate::net::rule::{Action, End, Key, Match, Randomly, Reject, Rule, States, Verdict};
use crate::net::set::{Element, ElementKey, Field, NamedSet};
use crate::net::table::{Dialect, Hook};
use crate::net::{Base, Chain, Family, Protocol, Ruleset, Table};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// nft takes no longer remarks.
const LONGEST_COMMENT: usize = 128;

/// The rules of a node. A family whose rules nft refuses is left out: kube-proxy writes all of them
/// in one transaction or none.
///
/// That is a fault of the real one (1.36.2 with nft 1.0.6): a Service without endpoints whose
/// namespace, name and port are longer than 128 letters together becomes the remark of an element.
pub fn rules(input: &Input, node: &Node) -> Ruleset {
    let tables = [Family::V4, Family::V6].map(|family| {
        let mut writer = Writer::new(family, node, input);
        for port in services::ports(input, node, family) {
            writer.service(&port);
        }
        writer.table
    });
    let tables = tables.into_iter().filter(|table| !has_long_comment(table)).collect();
    Ruleset { dialect: Dialect::Nftables, tables, ipvs: Default::default() }
}

/// The rules of a node to which all Services look as they do to the node whose rules these were: only
/// its own addresses and its own pods are others.
pub(super) fn moved(mut rules: Ruleset, input: &Input, node: &Node) -> Ruleset {
    for table in &mut rules.tables {
        let family = table.family;
        if let Some(set) = table.set_mut(HAIRPIN_SET) {
            set.elements.clear();
            for port in services::ports(input, node, family) {
                let own = hairpins(&port, &node.name);
                set.elements.extend(own.map(|key| (key, Element::default())));
            }
        }
        if let (Some(set), Some(ip)) = (table.set_mut(NODE_PORT_SET), node.ip(family)) {
            set.elements = [(ElementKey::address(ip), Element::default())].into();
        }
    }
    rules
}

/// What a pod of a node sends that comes back to itself by a Service.
fn hairpins<'a>(port: &'a Port<'_>, node: &'a Arc<str>) -> impl Iterator<Item = ElementKey> + 'a {
    let own = port.endpoints.reachable.iter().filter(|it| it.node.as_ref() == Some(node));
    own.map(|endpoint| {
        let Address { ip, port: number } = endpoint.address;
        ElementKey { second: ip, ..ElementKey::service(ip, port.protocol(), number) }
    })
}

fn has_long_comment(table: &Table) -> bool {
    let elements = table.sets.iter().flat_map(|set| set.elements.values());
    let mut comments = elements.filter_map(|element| element.comment.as_deref());
    comments.any(|comment| comment.len() > LONGEST_COMMENT)
}

/// The name of kube-proxy's table.
pub const TABLE: &str = "kube-proxy";
const HAIRPIN_SET: &str = "hairpin-connections";
const NODE_PORT_SET: &str = "nodeport-ips";

const SERVICE: &[Field] = &[Field::Address, Field::Protocol, Field::Port];
const PORT: &[Field] = &[Field::Protocol, Field::Port];

/// The longest name of a chain after its prefix.
const NAME_LENGTH: usize = 240;

struct Writer {
    family: Family,
    node: Arc<str>,
    node_ip: Option<IpAddr>,
    cluster_cidr: Option<IpNet>,
    service_cidrs: Vec<IpNet>,
    table: Table,
}

/// The names of a Service's chains.
struct Names {
    cluster: Arc<str>,
    local: Arc<str>,
    external: Arc<str>,
    firewall: Arc<str>,
}

fn hashed(name: &str) -> String {
    let mut full = format!("{}-{name}", short_hash(name, 8));
    if full.len() > NAME_LENGTH {
        full.truncate(NAME_LENGTH - 3);
        full.push_str("...");
    }
    full
}

fn base_name(port: &Port<'_>) -> String {
    let (service, protocol) = (port.service, port.protocol());
    format!("{}/{}/{protocol}/{}", service.namespace, service.name, port.port.name)
}

impl Names {
    fn of(port: &Port<'_>) -> Self {
        let hashed = hashed(&base_name(port));
        let name = |kind: &str| Arc::from(format!("{kind}-{hashed}"));
        Names {
            cluster: name("service"),
            local: name("local"),
            external: name("external"),
            firewall: name("firewall"),
        }
    }
}

/// The names of an endpoint's chain and of the set of those who keep to it.
fn endpoint_names(port: &Port<'_>, endpoint: &Endpoint) -> (Arc<str>, Arc<str>) {
    let ip = endpoint.address.ip.to_string().replace(':', ".");
    let hashed = hashed(&format!("{}__{ip}/{}", base_name(port), endpoint.address.port));
    (Arc::from(format!("endpoint-{hashed}")), Arc::from(format!("affinity-{hashed}")))
}

fn name(text: &str) -> Arc<str> {
    Arc::from(text)
}

fn base_chain(
    chain: &str,
    nat: bool,
    hook: Hook,
    priority: i32,
    priority_text: &'static str,
) -> Chain {
    Chain::base(chain, Base { nat, hook, priority, priority_text, drops: false })
}

impl Writer {
    fn new(family: Family, node: &Node, input: &Input) -> Self {
        let in_family = |net: &&IpNet| Family::of(net.addr()) == family;
        let mut writer = Writer {
            family,
            node: node.name.clone(),
            node_ip: node.ip(family),
            cluster_cidr: input.cluster_cidr(family),
            service_cidrs: input.service_cidrs.iter().filter(in_family).copied().collect(),
            table: Table::new(family, TABLE),
        };
        writer.table.comment = Some("rules for kube-proxy");
        writer.sets();
        writer.base_chains();
        writer.jumps();
        writer.checks();
        writer.dispatch();
        writer.masquerading();
        writer.cluster_ips_check();
        writer.reject_chain();
        writer
    }

    fn sets(&mut self) {
        const HAIRPIN: &[Field] = &[Field::Address, Field::Address, Field::Protocol, Field::Port];
        const ADDRESS: &[Field] = &[Field::Address];
        let mut sets = vec![
            NamedSet::new(HAIRPIN_SET, HAIRPIN, "service hairpin connections"),
            NamedSet::new("cluster-ips", ADDRESS, "Active ClusterIPs"),
        ];
        if let Some(ip) = self.node_ip {
            let remark = "IPs that accept NodePort traffic";
            let mut set = NamedSet::new(NODE_PORT_SET, ADDRESS, remark);
            set.elements.insert(ElementKey::address(ip), Element::default());
            sets.push(set);
        }
        sets.extend([
            NamedSet::map(
                "no-endpoint-services",
                SERVICE,
                "vmap to drop or reject packets to services with no endpoints",
            ),
            NamedSet::map(
                "no-endpoint-nodeports",
                PORT,
                "vmap to drop or reject packets to service nodeports with no endpoints",
            ),
            NamedSet::map(
                "firewall-ips",
                SERVICE,
                "destinations that are subject to LoadBalancerSourceRanges",
            ),
            NamedSet::map(
                "service-ips",
                SERVICE,
                "ClusterIP, ExternalIP and LoadBalancer IP traffic",
            ),
            NamedSet::map("service-nodeports", PORT, "NodePort traffic"),
        ]);
        sets.into_iter().for_each(|set| self.table.add_set(set));
    }

    fn base_chains(&mut self) {
        for chain in [
            base_chain("filter-prerouting-pre-dnat", false, Hook::Prerouting, -110, "dstnat - 10"),
            base_chain("filter-output-pre-dnat", false, Hook::Output, -110, "-110"),
            base_chain("filter-input", false, Hook::Input, 0, "filter"),
            base_chain("filter-forward", false, Hook::Forward, 0, "filter"),
            base_chain("filter-output", false, Hook::Output, 0, "filter"),
            base_chain("nat-prerouting", true, Hook::Prerouting, -100, "dstnat"),
            base_chain("nat-output", true, Hook::Output, -100, "-100"),
            base_chain("nat-postrouting", true, Hook::Postrouting, 100, "srcnat"),
        ] {
            self.table.add_chain(chain);
        }
    }

    fn jumps(&mut self) {
        let new = || vec![Match::is_new()];
        for (to, from, matches) in [
            ("nodeport-endpoints-check", "filter-input", new()),
            ("service-endpoints-check", "filter-input", new()),
            ("service-endpoints-check", "filter-forward", new()),
            ("service-endpoints-check", "filter-output", new()),
            ("firewall-check", "filter-prerouting-pre-dnat", new()),
            ("firewall-check", "filter-output-pre-dnat", new()),
            ("services", "nat-output", Vec::new()),
            ("services", "nat-prerouting", Vec::new()),
            ("masquerading", "nat-postrouting", Vec::new()),
            ("cluster-ips-check", "filter-forward", new()),
            ("cluster-ips-check", "filter-output", new()),
        ] {
            self.table.ensure_chain(&name(to));
            self.table.append(&name(from), Rule::jump(matches, &name(to)));
        }
    }

    fn lookup(&mut self, chain: &str, matches: Vec<Match>, key: Key, map: &str) {
        let rule = Rule::new(matches, Action::Lookup { key, map: name(map) });
        self.table.append(&name(chain), rule);
    }

    /// What tells packets to a node port from others.
    fn to_node_port(&self, local: bool) -> Vec<Match> {
        if self.node_ip.is_some() {
            return vec![Match::InSet { set: name(NODE_PORT_SET), key: Key::Destination }];
        }
        let mut matches = Vec::new();
        if local {
            matches.push(Match::local(End::Destination));
        }
        let localhost = match self.family {
            Family::V4 => "127.0.0.0/8".parse().ok(),
            Family::V6 => Some(IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST))),
        };
        matches.extend(localhost.map(|net| Match::not_net(End::Destination, net)));
        matches
    }

    fn checks(&mut self) {
        let to_node_port = self.to_node_port(false);
        let (service, port) = (Key::DestinationPort, Key::ProtocolPort);
        let ports = "no-endpoint-nodeports";
        self.lookup("nodeport-endpoints-check", to_node_port, port, ports);
        self.lookup("service-endpoints-check", Vec::new(), service, "no-endpoint-services");
        self.lookup("firewall-check", Vec::new(), service, "firewall-ips");
    }

    fn dispatch(&mut self) {
        if let Some(cidr) = self.cluster_cidr {
            let to_cluster_ip = Match::InSet { set: name("cluster-ips"), key: Key::Destination };
            let matches = vec![to_cluster_ip, Match::not_net(End::Source, cidr)];
            let rule = Rule::new(matches, Action::set_mark(MASQUERADE_MARK));
            let remark = "masquerade clusterIP traffic from outside cluster";
            self.table.append(&name("services"), rule.with_comment(remark));
        }
        self.lookup("services", Vec::new(), Key::DestinationPort, "service-ips");
        let to_node_port = self.to_node_port(true);
        self.lookup("services", to_node_port, Key::ProtocolPort, "service-nodeports");
    }

    fn masquerading(&mut self) {
        let chain = name("masquerading");
        let marked = Match::marked(MASQUERADE_MARK, false);
        let actions = vec![Action::flip_mark(MASQUERADE_MARK), Action::masquerade(Randomly::Fully)];
        self.table.append(&chain, Rule { matches: vec![marked], actions, comment: None });
        let hairpin = Match::InSet { set: name(HAIRPIN_SET), key: Key::Hairpin };
        let rule = Rule::new(
            vec![Match::states(States::DNAT), hairpin],
            Action::masquerade(Randomly::Fully),
        );
        self.table.append(&chain, rule);
    }

    fn cluster_ips_check(&mut self) {
        let chain = name("cluster-ips-check");
        let known = Match::InSet { set: name("cluster-ips"), key: Key::Destination };
        let rule = Rule::verdict(vec![known], Verdict::Reject(Reject::PortUnreachable));
        let remark = "Reject traffic to invalid ports of ClusterIPs";
        self.table.append(&chain, rule.with_comment(remark));
        if !self.service_cidrs.is_empty() {
            let nets = Arc::from(self.service_cidrs.clone());
            let within = Match::Net { end: End::Destination, nets, not: false };
            let rule = Rule::verdict(vec![within], Verdict::Drop);
            let remark = "Drop traffic to unallocated ClusterIPs";
            self.table.append(&chain, rule.with_comment(remark));
        }
    }

    fn reject_chain(&mut self) {
        let mut chain = Chain::new(&name("reject-chain"));
        chain.comment = Some("helper for @no-endpoint-services / @no-endpoint-nodeports");
        chain.push(Rule::verdict(Vec::new(), Verdict::Reject(Reject::PortUnreachable)));
        self.table.add_chain(chain);
    }

    fn element(&mut self, set: &str, key: ElementKey, element: Element) {
        if let Some(set) = self.table.set_mut(set) {
            set.elements.insert(key, element);
        }
    }

    fn goto(&mut self, map: &str, key: ElementKey, chain: &Arc<str>) {
        let verdict = Some(Verdict::Goto(chain.clone()));
        self.element(map, key, Element { comment: None, verdict });
    }

    fn refuse(&mut self, map: &str, key: ElementKey, port: &Port<'_>, nowhere: Nowhere) {
        let verdict = match nowhere {
            Nowhere::Somewhere => return,
            Nowhere::Reject => Verdict::Goto(name("reject-chain")),
            Nowhere::Drop => Verdict::Drop,
        };
        let comment = Some(name(&port.title));
        self.element(map, key, Element { comment, verdict: Some(verdict) });
    }

    fn service(&mut self, port: &Port<'_>) {
        let names = Names::of(port);
        self.chains(port, &names);
        self.addresses(port, &names);
        self.node_port(port, &names);
        self.external_chain(port, &names);
        self.firewall_chain(port, &names);
        self.endpoints(port, &names);
    }

    /// Makes the chains in their order.
    fn chains(&mut self, port: &Port<'_>, names: &Names) {
        let sticky = port.service.affinity_seconds;
        for endpoint in &port.endpoints.reachable {
            let (chain, set) = endpoint_names(port, endpoint);
            if let Some(seconds) = sticky {
                self.table.ensure_chain(&chain);
                self.table.add_set(NamedSet::dynamic(&set, seconds));
            }
        }
        let node = self.node.clone();
        for key in hairpins(port, &node) {
            self.element(HAIRPIN_SET, key, Element::default());
        }
        if uses_cluster_chain(port) {
            self.table.ensure_chain(&names.cluster);
        }
        if uses_local_chain(port) {
            self.table.ensure_chain(&names.local);
        }
        if port.endpoints.any && port.externally_accessible() {
            self.table.ensure_chain(&names.external);
        }
        if uses_firewall(port) {
            self.table.ensure_chain(&names.firewall);
        }
    }

    fn addresses(&mut self, port: &Port<'_>, names: &Names) {
        let key = |ip: IpAddr| ElementKey::service(ip, port.protocol(), port.port.port);
        let own = port.cluster_ip;
        self.element("cluster-ips", ElementKey::address(own), Element::default());
        if port.internal() == Nowhere::Somewhere {
            let chain = if port.service.internal_local { &names.local } else { &names.cluster };
            self.goto("service-ips", key(own), chain);
        } else {
            self.refuse("no-endpoint-services", key(own), port, port.internal());
        }
        for ip in port.external_ips.iter().chain(&port.vips) {
            if port.endpoints.any {
                self.goto("service-ips", key(*ip), &names.external);
            }
            self.refuse("no-endpoint-services", key(*ip), port, port.external());
        }
        if uses_firewall(port) {
            port.vips.iter().for_each(|ip| self.goto("firewall-ips", key(*ip), &names.firewall));
        }
    }

    fn node_port(&mut self, port: &Port<'_>, names: &Names) {
        let number = port.port.node_port;
        if number == 0 {
            return;
        }
        let key = ElementKey::port(self.family, port.protocol(), number);
        if port.endpoints.any {
            self.goto("service-nodeports", key, &names.external);
        }
        self.refuse("no-endpoint-nodeports", key, port, port.external());
    }

    fn external_chain(&mut self, port: &Port<'_>, names: &Names) {
        if !port.endpoints.any || !port.externally_accessible() {
            return;
        }
        let (chain, mark) = (&names.external, Action::set_mark(MASQUERADE_MARK));
        if port.service.external_local {
            if let Some(cidr) = self.cluster_cidr {
                let rule = Rule::goto(vec![Match::net(End::Source, cidr)], &names.cluster);
                self.table.append(chain, rule.with_comment("short-circuit pod traffic"));
            }
            let local = || vec![Match::local(End::Source)];
            let rule = Rule::new(local(), mark).with_comment("masquerade local traffic");
            self.table.append(chain, rule);
            let rule = Rule::goto(local(), &names.cluster);
            self.table.append(chain, rule.with_comment("short-circuit local traffic"));
        } else {
            self.table.append(chain, Rule::new(Vec::new(), mark).with_comment("masquerade"));
        }
        if port.external() == Nowhere::Somewhere {
            let policy = if port.service.external_local { &names.local } else { &names.cluster };
            self.table.append(chain, Rule::goto(Vec::new(), policy));
        }
    }

    fn firewall_chain(&mut self, port: &Port<'_>, names: &Names) {
        if !uses_firewall(port) {
            return;
        }
        let mut nets = port.source_ranges.clone();
        let node = self.node_ip;
        if nets.iter().any(|net| node.is_some_and(|ip| net.contains(&ip))) {
            nets.extend(port.vips.iter().map(|ip| IpNet::from(*ip)));
        }
        let outside = Match::Net { end: End::Source, nets: Arc::from(nets), not: true };
        self.table.append(&names.firewall, Rule::verdict(vec![outside], Verdict::Drop));
    }

    fn endpoints(&mut self, port: &Port<'_>, names: &Names) {
        for (used, chain, endpoints) in [
            (uses_cluster_chain(port), &names.cluster, &port.endpoints.cluster),
            (uses_local_chain(port), &names.local, &port.endpoints.local),
        ] {
            match (used, port.service.affinity_seconds) {
                (false, _) => {}
                (true, None) => self.translate(port.protocol(), chain, endpoints),
                (true, Some(_)) => self.stick(port, chain, endpoints),
            }
        }
        if port.service.affinity_seconds.is_none() {
            return;
        }
        for endpoint in &port.endpoints.reachable {
            let (chain, set) = endpoint_names(port, endpoint);
            self.table.append(&chain, Rule::new(Vec::new(), Action::Remember(set)));
            let matches = vec![Match::protocol(port.protocol())];
            self.table.append(&chain, Rule::new(matches, Action::Dnat(endpoint.address)));
        }
    }

    fn translate(&mut self, protocol: Protocol, chain: &Arc<str>, endpoints: &[Endpoint]) {
        let addresses = endpoints.iter().map(|endpoint| endpoint.address).collect();
        let matches = vec![Match::protocol(protocol)];
        self.table.append(chain, Rule::new(matches, Action::DnatRandom(addresses)));
    }

    fn stick(&mut self, port: &Port<'_>, chain: &Arc<str>, endpoints: &[Endpoint]) {
        let names = endpoints.iter().map(|endpoint| endpoint_names(port, endpoint));
        let mut chains = Vec::new();
        for (endpoint_chain, set) in names {
            let seen = Match::InSet { set, key: Key::Source };
            self.table.append(chain, Rule::goto(vec![seen], &endpoint_chain));
            chains.push(endpoint_chain);
        }
        self.table.append(chain, Rule::new(Vec::new(), Action::GotoRandom(Arc::from(chains))));
    }
}

const fn uses_cluster_chain(port: &Port<'_>) -> bool {
    port.uses_cluster() && !port.endpoints.cluster.is_empty()
}

const fn uses_local_chain(port: &Port<'_>) -> bool {
    port.uses_local() && !port.endpoints.local.is_empty()
}

const fn uses_firewall(port: &Port<'_>) -> bool {
    !port.vips.is_empty() && !port.source_ranges.is_empty()
}
