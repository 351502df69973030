//! Rules for `iptables`.
//!
//! Models pkg/proxy/iptables/proxier.go syncProxyRules. Conditions stand in the order in which
//! kube-proxy writes them, since `iptables-save` keeps it.

use super::input::{Endpoint, Input, Node};
use super::services::{Nowhere, Port, short_hash};
use super::{MASQUERADE_MARK, services};
use crate::base::order;
use crate::net::packet::Endpoint as Address;
use crate::net::rule::{Action, End, Match, Randomly, Reject, Rule, States, Verdict};
use crate::net::table::{Dialect, Hook};
use crate::net::{Family, Protocol, Ruleset, Table};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// With more endpoints than this in all, rules for one endpoint have no remarks, to save memory.
const LARGE: usize = 1000;

/// The remark of the rule that leads to the node ports.
const LAST: &str = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";

/// The rules of a node.
pub fn rules(input: &Input, node: &Node) -> Ruleset {
    let mut tables = Vec::new();
    for family in [Family::V4, Family::V6] {
        let mut writer = Writer::new(family, node, input.cluster_cidr(family));
        let ports = services::ports(input, node, family);
        writer.is_large = ports.iter().map(|port| port.all.len()).sum::<usize>() > LARGE;
        for port in &ports {
            writer.service(port);
        }
        tables.extend(writer.finish());
    }
    Ruleset { dialect: Dialect::Iptables, tables, ipvs: Default::default() }
}

/// One of iptables' own tables.
fn built_in(family: Family, name: &'static str) -> Table {
    Table::built_in(family, name).unwrap_or(Table::new(family, name))
}

/// The table `mangle`, which holds nothing but kube-proxy's canary.
pub(super) fn mangle(family: Family) -> Table {
    let mut table = built_in(family, "mangle");
    table.ensure_chain(&Arc::from("KUBE-PROXY-CANARY"));
    table
}

/// The table `filter` with its built-in chains.
pub(super) fn filter(family: Family) -> Table {
    built_in(family, "filter")
}

/// The table `nat` with its built-in chains.
pub(super) fn nat(family: Family) -> Table {
    built_in(family, "nat")
}

pub(super) fn comment(text: &str) -> Match {
    Match::Comment(Arc::from(text))
}

/// The chains that the mark and its use need, in the table `nat`.
pub(super) fn masquerade_chains(nat: &mut Table) {
    let (post, mark): (Arc<str>, Arc<str>) =
        (Arc::from("KUBE-POSTROUTING"), Arc::from("KUBE-MARK-MASQ"));
    let unmarked = Match::marked(MASQUERADE_MARK, true);
    nat.append(&post, Rule::verdict(vec![unmarked], Verdict::Return));
    nat.append(&post, Rule::new(Vec::new(), Action::flip_mark(MASQUERADE_MARK)));
    let requiring = comment("kubernetes service traffic requiring SNAT");
    nat.append(&post, Rule::new(vec![requiring], Action::masquerade(Randomly::Fully)));
    nat.append(&mark, Rule::new(Vec::new(), Action::set_mark(MASQUERADE_MARK)));
}

/// The rules of `KUBE-FORWARD` that let marked packets and known connections through.
pub(super) fn forward_rules(filter: &mut Table) {
    let forward: Arc<str> = Arc::from("KUBE-FORWARD");
    let marked = Match::marked(MASQUERADE_MARK, false);
    let accept = |matches| Rule::verdict(matches, Verdict::Accept);
    filter.append(&forward, accept(vec![comment("kubernetes forwarding rules"), marked]));
    let known = Match::states(States::KNOWN);
    let title = comment("kubernetes forwarding conntrack rule");
    filter.append(&forward, accept(vec![title, known]));
}

struct Writer {
    family: Family,
    node_ip: Option<IpAddr>,
    cluster_cidr: Option<IpNet>,
    is_large: bool,
    filter: Table,
    nat: Table,
    mark: Arc<str>,
    services: Arc<str>,
    external: Arc<str>,
    node_ports: Arc<str>,
    firewall: Arc<str>,
}

/// The names of a Service's chains.
struct Names {
    cluster: Arc<str>,
    local: Arc<str>,
    external: Arc<str>,
    firewall: Arc<str>,
}

impl Names {
    fn of(port: &Port<'_>) -> Self {
        let hash = short_hash(&format!("{}{}", port.title, port.protocol()), 16);
        let name = |kind: &str| Arc::from(format!("KUBE-{kind}-{hash}"));
        Names {
            cluster: name("SVC"),
            local: name("SVL"),
            external: name("EXT"),
            firewall: name("FW"),
        }
    }
}

/// The chains of a Service's endpoints, by address.
struct EndpointChains(Vec<(Address, Arc<str>)>);

impl EndpointChains {
    fn of(port: &Port<'_>) -> Self {
        let chain = |endpoint: &Endpoint| {
            let text = format!("{}{}{}", port.title, port.protocol(), endpoint.address);
            let chain = Arc::from(format!("KUBE-SEP-{}", short_hash(&text, 16)));
            (endpoint.address, chain)
        };
        let mut chains: Vec<_> = port.endpoints.reachable.iter().map(chain).collect();
        order::sort(&mut chains);
        EndpointChains(chains)
    }

    fn get(&self, endpoint: &Endpoint) -> Arc<str> {
        let place = self.0.binary_search_by_key(&endpoint.address, |(address, _)| *address);
        let found = place.ok().and_then(|place| self.0.get(place));
        found.map_or_else(|| Arc::from(""), |(_, chain)| chain.clone())
    }
}

impl Writer {
    fn new(family: Family, node: &Node, cluster_cidr: Option<IpNet>) -> Self {
        let mut writer = Writer {
            family,
            node_ip: node.ip(family),
            cluster_cidr,
            is_large: false,
            filter: filter(family),
            nat: nat(family),
            mark: Arc::from("KUBE-MARK-MASQ"),
            services: Arc::from("KUBE-SERVICES"),
            external: Arc::from("KUBE-EXTERNAL-SERVICES"),
            node_ports: Arc::from("KUBE-NODEPORTS"),
            firewall: Arc::from("KUBE-PROXY-FIREWALL"),
        };
        writer.jumps();
        masquerade_chains(&mut writer.nat);
        if family == Family::V4 {
            writer.localnet_firewall();
        }
        writer
    }

    /// The jumps from the built-in chains, which kube-proxy puts at the front one by one.
    fn jumps(&mut self) {
        let is_new = || vec![Match::is_new()];
        let portals = "kubernetes service portals";
        let visible = "kubernetes externally-visible service portals";
        let balancer = "kubernetes load balancer firewall";
        let mut jump = |hook: Hook, mut matches: Vec<Match>, text: &str, to: &str| {
            matches.extend((!text.is_empty()).then(|| comment(text)));
            self.filter.ensure_chain(&Arc::from(to));
            self.filter.append(&Arc::from(hook.chain()), Rule::jump(matches, &Arc::from(to)));
        };
        jump(Hook::Input, Vec::new(), "", "KUBE-FIREWALL");
        jump(Hook::Output, Vec::new(), "", "KUBE-FIREWALL");
        jump(Hook::Input, is_new(), balancer, "KUBE-PROXY-FIREWALL");
        let health = "kubernetes health check service ports";
        jump(Hook::Input, Vec::new(), health, "KUBE-NODEPORTS");
        jump(Hook::Input, is_new(), visible, "KUBE-EXTERNAL-SERVICES");
        jump(Hook::Forward, is_new(), balancer, "KUBE-PROXY-FIREWALL");
        jump(Hook::Forward, Vec::new(), "kubernetes forwarding rules", "KUBE-FORWARD");
        jump(Hook::Forward, is_new(), portals, "KUBE-SERVICES");
        jump(Hook::Forward, is_new(), visible, "KUBE-EXTERNAL-SERVICES");
        jump(Hook::Output, is_new(), balancer, "KUBE-PROXY-FIREWALL");
        jump(Hook::Output, is_new(), portals, "KUBE-SERVICES");
        self.filter.ensure_chain(&Arc::from("KUBE-PROXY-CANARY"));
        for (hook, text, to) in [
            (Hook::Prerouting, portals, "KUBE-SERVICES"),
            (Hook::Output, portals, "KUBE-SERVICES"),
            (Hook::Postrouting, "kubernetes postrouting rules", "KUBE-POSTROUTING"),
        ] {
            let rule = Rule::jump(vec![comment(text)], &Arc::from(to));
            self.nat.append(&Arc::from(hook.chain()), rule);
        }
        for chain in ["KUBE-NODEPORTS", "KUBE-PROXY-CANARY", "KUBE-SERVICES"] {
            self.nat.ensure_chain(&Arc::from(chain));
        }
    }

    fn localnet_firewall(&mut self) {
        let Ok(localnet) = "127.0.0.0/8".parse::<IpNet>() else { return };
        let states = States::KNOWN.or(States::DNAT);
        let known = Match::State { states, not: true, by_state: false };
        let matches = vec![
            comment("block incoming localnet connections"),
            Match::net(End::Destination, localnet),
            Match::not_net(End::Source, localnet),
            known,
        ];
        self.filter.append(&Arc::from("KUBE-FIREWALL"), Rule::verdict(matches, Verdict::Drop));
    }

    fn service(&mut self, port: &Port<'_>) {
        let names = Names::of(port);
        self.cluster_ip(port, &names);
        self.external_ips(port, &names);
        self.load_balancer(port, &names);
        self.node_port(port, &names);
        if let Some(health) = port.service.health_check_node_port {
            let title = comment(&format!("{} health check node port", port.title));
            let to = Match::to_port(Protocol::Tcp, health);
            let matches = vec![title, Match::protocol(Protocol::Tcp), to];
            self.filter.append(&self.node_ports, Rule::verdict(matches, Verdict::Accept));
        }
        self.external_chain(port, &names);
        self.firewall_chain(port, &names);
        let chains = EndpointChains::of(port);
        if port.uses_cluster() && !port.endpoints.cluster.is_empty() {
            self.spread(port, &names.cluster, &port.endpoints.cluster, &chains);
        }
        if port.uses_local() && !port.endpoints.local.is_empty() {
            self.spread(port, &names.local, &port.endpoints.local, &chains);
        }
        for endpoint in &port.endpoints.reachable {
            self.endpoint(port, endpoint, &chains.get(endpoint));
        }
    }

    /// A packet to an address and a port of the Service.
    fn towards(port: &Port<'_>, remark: &str, ip: IpAddr) -> Vec<Match> {
        let protocol = port.protocol();
        vec![
            comment(remark),
            Match::protocol(protocol),
            Match::to(ip),
            Match::to_port(protocol, port.port.port),
        ]
    }

    fn nowhere(port: &Port<'_>, nowhere: Nowhere) -> Option<(String, Verdict)> {
        match nowhere {
            Nowhere::Somewhere => None,
            Nowhere::Reject => Some((
                format!("{} has no endpoints", port.title),
                Verdict::Reject(Reject::PortUnreachable),
            )),
            Nowhere::Drop => {
                Some((format!("{} has no local endpoints", port.title), Verdict::Drop))
            }
        }
    }

    fn cluster_ip(&mut self, port: &Port<'_>, names: &Names) {
        if let Some((remark, verdict)) = Self::nowhere(port, port.internal()) {
            let matches = Self::towards(port, &remark, port.cluster_ip);
            self.filter.append(&self.services, Rule::verdict(matches, verdict));
            return;
        }
        let chain = if port.service.internal_local { &names.local } else { &names.cluster };
        let matches = Self::towards(port, &format!("{} cluster IP", port.title), port.cluster_ip);
        self.nat.append(&self.services, Rule::jump(matches.clone(), chain));
        if let Some(cidr) = self.cluster_cidr {
            let mut matches = matches;
            matches.push(Match::not_net(End::Source, cidr));
            self.nat.append(chain, Rule::jump(matches, &self.mark));
        }
    }

    fn external_ips(&mut self, port: &Port<'_>, names: &Names) {
        for ip in &port.external_ips {
            if port.endpoints.any {
                let matches = Self::towards(port, &format!("{} external IP", port.title), *ip);
                self.nat.append(&self.services, Rule::jump(matches, &names.external));
            }
            self.refuse(port, *ip);
        }
    }

    fn refuse(&mut self, port: &Port<'_>, ip: IpAddr) {
        if let Some((remark, verdict)) = Self::nowhere(port, port.external()) {
            let matches = Self::towards(port, &remark, ip);
            self.filter.append(&self.external, Rule::verdict(matches, verdict));
        }
    }

    fn uses_firewall(port: &Port<'_>) -> bool {
        port.endpoints.any && !port.vips.is_empty() && !port.source_ranges.is_empty()
    }

    fn load_balancer(&mut self, port: &Port<'_>, names: &Names) {
        let firewall = Self::uses_firewall(port);
        let chain = if firewall { &names.firewall } else { &names.external };
        for ip in &port.vips {
            if port.endpoints.any {
                let matches = Self::towards(port, &format!("{} loadbalancer IP", port.title), *ip);
                self.nat.append(&self.services, Rule::jump(matches, chain));
            }
            if firewall {
                let remark = format!("{} traffic not accepted by {}", port.title, names.firewall);
                let matches = Self::towards(port, &remark, *ip);
                self.filter.append(&self.firewall, Rule::verdict(matches, Verdict::Drop));
            }
        }
        for ip in &port.vips {
            self.refuse(port, *ip);
        }
    }

    fn node_port(&mut self, port: &Port<'_>, names: &Names) {
        if port.port.node_port == 0 {
            return;
        }
        let protocol = port.protocol();
        let to = || Match::to_port(protocol, port.port.node_port);
        if port.endpoints.any {
            let title = || comment(&port.title);
            if let (Family::V4, Ok(localnet)) = (self.family, "127.0.0.0/8".parse()) {
                let matches = vec![
                    title(),
                    Match::protocol(protocol),
                    Match::net(End::Destination, localnet),
                    to(),
                    Match::Account("localhost_nps_accepted_pkts"),
                ];
                self.nat.append(&self.node_ports, Rule::jump(matches, &names.external));
            }
            let matches = vec![title(), Match::protocol(protocol), to()];
            self.nat.append(&self.node_ports, Rule::jump(matches, &names.external));
        }
        if let Some((remark, verdict)) = Self::nowhere(port, port.external()) {
            let matches = vec![
                comment(&remark),
                Match::local(End::Destination),
                Match::protocol(protocol),
                to(),
            ];
            self.filter.append(&self.external, Rule::verdict(matches, verdict));
        }
    }

    /// What happens to traffic from outside before it is spread.
    fn external_chain(&mut self, port: &Port<'_>, names: &Names) {
        if !port.endpoints.any || !port.externally_accessible() {
            return;
        }
        let title =
            |what: &str| comment(&format!("{what} for {} external destinations", port.title));
        let chain = &names.external;
        if port.service.external_local {
            if let Some(cidr) = self.cluster_cidr {
                let matches = vec![title("pod traffic"), Match::net(End::Source, cidr)];
                self.nat.append(chain, Rule::jump(matches, &names.cluster));
            }
            let local = Match::local(End::Source);
            let matches = vec![title("masquerade LOCAL traffic"), local.clone()];
            self.nat.append(chain, Rule::jump(matches, &self.mark));
            let matches = vec![title("route LOCAL traffic"), local];
            self.nat.append(chain, Rule::jump(matches, &names.cluster));
        } else {
            self.nat.append(chain, Rule::jump(vec![title("masquerade traffic")], &self.mark));
        }
        if port.external() == Nowhere::Somewhere {
            let policy = if port.service.external_local { &names.local } else { &names.cluster };
            self.nat.append(chain, Rule::jump(Vec::new(), policy));
        }
    }

    /// Lets only the source ranges through.
    fn firewall_chain(&mut self, port: &Port<'_>, names: &Names) {
        if !Self::uses_firewall(port) {
            return;
        }
        let title = || comment(&format!("{} loadbalancer IP", port.title));
        let mut allow = |net: IpNet| {
            let matches = vec![title(), Match::net(End::Source, net)];
            self.nat.append(&names.firewall, Rule::jump(matches, &names.external));
        };
        for net in &port.source_ranges {
            allow(*net);
        }
        let node = self.node_ip;
        if port.source_ranges.iter().any(|net| node.is_some_and(|ip| net.contains(&ip))) {
            port.vips.iter().for_each(|ip| allow(IpNet::from(*ip)));
        }
        let remark =
            format!("other traffic to {} will be dropped by KUBE-PROXY-FIREWALL", port.title);
        let rule = Rule { matches: vec![comment(&remark)], ..Rule::default() };
        self.nat.append(&names.firewall, rule);
    }

    /// The remark of a rule for one endpoint.
    ///
    /// Models pkg/proxy/iptables/proxier.go appendServiceCommentLocked.
    fn endpoint_comment(&self, text: impl FnOnce() -> String) -> Vec<Match> {
        if self.is_large { Vec::new() } else { vec![comment(&text())] }
    }

    /// Spreads connections over endpoints.
    ///
    /// Models pkg/proxy/iptables/proxier.go writeServiceToEndpointRules.
    fn spread(
        &mut self,
        port: &Port<'_>,
        chain: &Arc<str>,
        endpoints: &[Endpoint],
        chains: &EndpointChains,
    ) {
        let title = |writer: &Self, endpoint: &Endpoint| {
            writer.endpoint_comment(|| format!("{} -> {}", port.title, endpoint.address))
        };
        if let Some(seconds) = port.service.affinity_seconds {
            for endpoint in endpoints {
                let to = chains.get(endpoint);
                let mut matches = title(self, endpoint);
                matches.push(Match::seen(to.clone(), seconds));
                self.nat.append(chain, Rule::jump(matches, &to));
            }
        }
        let count = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
        for (index, endpoint) in (0..count).zip(endpoints) {
            let mut matches = title(self, endpoint);
            if index + 1 < count {
                matches.push(Match::one_in(count - index));
            }
            self.nat.append(chain, Rule::jump(matches, &chains.get(endpoint)));
        }
    }

    fn endpoint(&mut self, port: &Port<'_>, endpoint: &Endpoint, chain: &Arc<str>) {
        let own = IpNet::from(endpoint.address.ip);
        let mut matches = self.endpoint_comment(|| port.title.clone());
        matches.push(Match::net(End::Source, own));
        self.nat.append(chain, Rule::jump(matches, &self.mark));
        let mut matches = self.endpoint_comment(|| port.title.clone());
        if port.service.affinity_seconds.is_some() {
            matches.push(Match::remember(chain.clone()));
        }
        matches.extend([Match::Extension(port.protocol()), Match::protocol(port.protocol())]);
        self.nat.append(chain, Rule::new(matches, Action::Dnat(endpoint.address)));
    }

    fn finish(mut self) -> [Table; 3] {
        let mut matches = vec![comment(LAST), Match::local(End::Destination)];
        if let (Family::V6, Ok(loopback)) = (self.family, "::1/128".parse()) {
            matches.push(Match::not_net(End::Destination, loopback));
        }
        self.nat.append(&self.services, Rule::jump(matches, &self.node_ports));
        let invalid = Match::states(States::INVALID);
        let account = Match::Account("ct_state_invalid_dropped_pkts");
        let rule = Rule::verdict(vec![invalid, account], Verdict::Drop);
        self.filter.append(&Arc::from("KUBE-FORWARD"), rule);
        forward_rules(&mut self.filter);
        [mangle(self.family), self.filter, self.nat]
    }
}
