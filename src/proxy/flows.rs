//! Where the rules of the recorded cluster send packets: tables of source, destination and what
//! comes of it, under both kinds of rules.

use super::{Input, Mode, rules};
use crate::base::{Rng, SimTime};
use crate::net::dice::Dice;
use crate::net::memory::Memory;
use crate::net::packet::Endpoint;
use crate::net::table::Hook;
use crate::net::walk::{Device, Fate, Surroundings, Walk};
use crate::net::{Packet, Protocol, Ruleset};
use std::collections::BTreeSet;
use std::net::IpAddr;

const OBJECTS: &str = include_str!("../../tests/conformance/proxy/08-proxy-objects.yaml");
const NODE_IP: &str = "172.18.0.3";

fn address(text: &str) -> Endpoint {
    let (ip, port) = text.rsplit_once(':').unwrap();
    Endpoint { ip: ip.parse().unwrap(), port: port.parse().unwrap() }
}

/// One packet through node-1, by way of the hooks that its source and destination ask for.
fn one(ruleset: &Ruleset, seed: u64, protocol: Protocol, source: &str, to: &str) -> String {
    let own: Vec<IpAddr> = vec![NODE_IP.parse().unwrap()];
    let source = Endpoint { ip: source.parse().unwrap(), port: 40_000 };
    let mut packet = Packet::new(protocol, source, address(to));
    let surroundings = Surroundings {
        own: &own,
        masquerade_as: own[0],
        input: Device::None,
        output: Device::None,
        from_bridge: source.ip.to_string().starts_with("10.244.1."),
        now: SimTime::default(),
    };
    let (mut memory, mut rng) = (Memory::default(), Rng::new(seed));
    let mut walk = Walk {
        ruleset,
        counts: &mut [],
        memory: &mut memory,
        surroundings,
        known: None,
        dice: &mut Dice::Drawn(&mut rng),
        passed: Vec::new(),
        examined: 0,
    };
    let is_local = surroundings.is_own(source.ip);
    let mut hooks = vec![if is_local { Hook::Output } else { Hook::Prerouting }];
    while let Some(hook) = hooks.pop() {
        match walk.pass(hook, &mut packet) {
            Fate::Accepted => {}
            Fate::Dropped => return "DROP".to_owned(),
            Fate::Rejected(_) => return "REJECT".to_owned(),
        }
        let for_us = surroundings.is_own(packet.destination.ip);
        match hook {
            Hook::Prerouting if for_us => hooks.push(Hook::Input),
            Hook::Prerouting => hooks.push(Hook::Forward),
            Hook::Forward | Hook::Output => hooks.push(Hook::Postrouting),
            Hook::Input | Hook::Postrouting => {}
        }
    }
    if !packet.dnat {
        return "-".to_owned();
    }
    let masquerade = if packet.source == source { "" } else { " masq" };
    format!("{}{masquerade}", packet.destination)
}

/// All that can come of a packet.
fn flow(ruleset: &Ruleset, protocol: Protocol, source: &str, to: &str) -> String {
    let found: BTreeSet<String> =
        (0..60).map(|seed| one(ruleset, seed, protocol, source, to)).collect();
    found.into_iter().collect::<Vec<_>>().join(", ")
}

const ALL: &str = "10.244.1.27:80, 10.244.2.19:80, 10.244.4.16:80";
const ALL_MASQ: &str = "10.244.1.27:80 masq, 10.244.2.19:80 masq, 10.244.4.16:80 masq";
const POD: &str = "10.244.1.57";
const OTHER_POD: &str = "10.244.2.57";
const OUTSIDE: &str = "198.51.100.77";

fn check(mode: Mode, cases: &[(&str, &str, &str, &str)]) {
    let input = Input::from_yaml(OBJECTS).unwrap();
    let ruleset = rules(&input, input.node("node-1").unwrap(), mode);
    for (title, source, to, expected) in cases {
        let found = flow(&ruleset, Protocol::Tcp, source, to);
        assert_eq!(found, *expected, "{mode:?}: {title}");
    }
}

#[test]
fn packets_go_where_services_say_under_rules_of_either_kind() {
    let hairpin = "10.244.1.27:80 masq, 10.244.2.19:80, 10.244.4.16:80";
    let cases = [
        ("pod to cluster IP", POD, "10.96.10.1:80", ALL),
        ("node to cluster IP", NODE_IP, "10.96.10.1:80", ALL_MASQ),
        ("outside to cluster IP", OUTSIDE, "10.96.10.1:80", ALL_MASQ),
        ("an endpoint to its own Service", "10.244.1.27", "10.96.10.1:80", hairpin),
        ("pod to a cluster IP that stays on the node", POD, "10.96.10.4:80", "10.244.1.27:80"),
        ("pod to a Service without endpoints", POD, "10.96.10.6:80", "REJECT"),
        ("outside to a node port without endpoints", OUTSIDE, "172.18.0.3:30082", "REJECT"),
        ("outside to a local node port", OUTSIDE, "172.18.0.3:30081", "10.244.1.27:80"),
        ("pod to a local node port", POD, "172.18.0.3:30081", ALL),
        ("another node's pod to a local node port", OTHER_POD, "172.18.0.3:30081", ALL),
        ("node to its own local node port", NODE_IP, "172.18.0.3:30081", ALL_MASQ),
        ("outside to a node port", OUTSIDE, "172.18.0.3:30083", ALL_MASQ),
        ("outside to an external IP", OUTSIDE, "198.51.100.7:80", ALL_MASQ),
        ("pod to an external IP", POD, "198.51.100.7:80", ALL_MASQ),
        ("who may to a load balancer IP", "203.0.113.5", "192.0.2.10:80", ALL_MASQ),
        ("who may not to a load balancer IP", OUTSIDE, "192.0.2.10:80", "DROP"),
        ("to a port of a load balancer IP that it has not", OUTSIDE, "192.0.2.10:81", "-"),
        ("to a port of the node that is nobody's", OUTSIDE, "172.18.0.3:31999", "-"),
        ("straight to a pod", OTHER_POD, "10.244.1.27:80", "-"),
        ("to a headless Service's pod on another port", POD, "10.244.2.19:81", "-"),
    ];
    check(Mode::Iptables, &cases);
    check(Mode::Nftables, &cases);
}

#[test]
fn a_wrong_port_of_a_cluster_ip_is_refused_by_nftables_alone() {
    let to = |expected| [("wrong port", POD, "10.96.10.1:81", expected)];
    check(Mode::Iptables, &to("-"));
    check(Mode::Nftables, &to("REJECT"));
    let to = |expected| [("address of no Service", POD, "10.96.10.99:80", expected)];
    check(Mode::Iptables, &to("-"));
    check(Mode::Nftables, &to("DROP"));
}

#[test]
fn localhost_has_node_ports_under_iptables_alone() {
    let to = |expected| [("node port of localhost", "127.0.0.1", "127.0.0.1:30083", expected)];
    check(Mode::Iptables, &to(ALL_MASQ));
    check(Mode::Nftables, &to("-"));
}

#[test]
fn a_port_of_another_protocol_is_another_port() {
    let input = Input::from_yaml(OBJECTS).unwrap();
    for mode in [Mode::Iptables, Mode::Nftables] {
        let ruleset = rules(&input, input.node("node-1").unwrap(), mode);
        let dns = flow(&ruleset, Protocol::Udp, POD, "10.96.10.1:53");
        assert_eq!(dns, "10.244.1.27:53, 10.244.2.19:53, 10.244.4.16:53");
        assert_ne!(flow(&ruleset, Protocol::Tcp, POD, "10.96.10.1:53"), dns);
    }
}
