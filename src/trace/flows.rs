//! Where packets go under each mode of kube-proxy: tables of source, protocol and destination, and
//! of what comes of it, as upstream's tests of proxiers have them.

use super::fixture::Fixture;
use super::{Outcome, Server};
use crate::net::Protocol;
use crate::proxy::Mode;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many packets are sent, so that each endpoint is met.
const TRIES: u32 = 60;

/// One pod on node-1, two on node-2, none on node-3, behind Services of every kind; and who asks, a
/// pod on node-1 and one on node-3.
fn shop(mode: Mode) -> Fixture {
    let mut it = Fixture::new(mode);
    let all: [(u8, u8); 3] = [(1, 10), (2, 20), (2, 21)];
    for (node, last) in all {
        it.pod(&format!("demo/web-{last}"), node, last, json!({"app": "web"}));
    }
    it.pod("demo/client", 1, 50, json!({}));
    it.pod("demo/far", 3, 50, json!({}));
    let http = |node_port: u16| {
        let mut port = json!({"port": 80, "protocol": "TCP", "targetPort": 80});
        if node_port != 0 {
            port["nodePort"] = node_port.into();
        }
        json!([port])
    };
    let mut add = |name: &str, ip: u8, spec: Value, endpoints: &[(u8, u8)]| {
        let mut spec = spec;
        spec["clusterIP"] = format!("10.96.10.{ip}").into();
        let status = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.10", "ipMode": "VIP"}]}});
        let value = match spec["type"].as_str() {
            Some("LoadBalancer") => json!({"spec": spec, "status": status}),
            _ => spec,
        };
        it.service(&format!("demo/{name}"), value, endpoints);
    };
    add("any", 1, json!({"type": "NodePort", "ports": http(30_080)}), &all);
    let local = json!({
        "type": "NodePort", "ports": http(30_081), "externalTrafficPolicy": "Local",
    });
    add("local", 2, local, &all);
    let balanced = json!({
        "type": "LoadBalancer", "ports": http(30_082),
        "loadBalancerSourceRanges": ["203.0.113.0/24"],
    });
    add("balanced", 3, balanced, &all);
    add("inside", 4, json!({"internalTrafficPolicy": "Local"}), &all);
    add("external", 5, json!({"externalIPs": ["198.51.100.99"]}), &all);
    let dns = json!([{"port": 53, "protocol": "UDP", "targetPort": 80}]);
    add("dns", 6, json!({"ports": dns}), &[(2, 20)]);
    add("alone", 7, json!({}), &[(1, 10)]);
    add("empty", 8, json!({}), &[]);
    add("leaving", 9, json!({}), &[]);
    let leaving: Vec<Value> = [("10.244.1.10", "node-1"), ("10.244.2.20", "node-2")]
        .into_iter()
        .map(|(ip, node)| {
            let conditions = json!({"ready": false, "serving": true, "terminating": true});
            json!({"addresses": [ip], "nodeName": node, "conditions": conditions})
        })
        .collect();
    it.add(json!({
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "demo", "name": "leaving-y",
            "labels": {"kubernetes.io/service-name": "leaving"},
        },
        "addressType": "IPv4",
        "endpoints": leaving,
        "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
    }));
    it
}

/// All that comes of packets: the pods that answer, and whether they see another source.
fn outputs(it: &mut Fixture, from: &str, protocol: Protocol, to: &str) -> String {
    let mut found = BTreeSet::new();
    for _ in 0..TRIES {
        let trace = it.connect(from, to, protocol);
        let own = trace.hops.iter().find_map(|hop| hop.packet).map(|(packet, _)| packet.source.ip);
        found.insert(match &trace.outcome {
            Outcome::Answered { server: Server::Pod { pod, .. }, sees, .. } => {
                let masquerade = if Some(*sees) == own { "" } else { " masq" };
                format!("{}{masquerade}", pod.name)
            }
            Outcome::Answered { server, .. } => server.to_string(),
            Outcome::Failed(failure) => failure.manner.word().to_owned(),
        });
    }
    found.into_iter().collect::<Vec<_>>().join(", ")
}

const ALL: &str = "web-10, web-20, web-21";
const ALL_MASQ: &str = "web-10 masq, web-20 masq, web-21 masq";
const OUTSIDE: &str = "203.0.113.7";
const STRANGER: &str = "8.8.8.8";

#[test]
fn packets_go_where_services_say_in_every_mode() {
    use Protocol::{Tcp, Udp};
    let cases = [
        ("pod to cluster IP", "demo/client", Tcp, "10.96.10.1:80", ALL),
        ("node to cluster IP", "node-1", Tcp, "10.96.10.1:80", ALL),
        ("outside to a node port", OUTSIDE, Tcp, "172.18.0.3:30080", ALL_MASQ),
        (
            "outside to a node port of a node without pods",
            OUTSIDE,
            Tcp,
            "172.18.0.5:30080",
            ALL_MASQ,
        ),
        ("outside to a local node port", OUTSIDE, Tcp, "172.18.0.3:30081", "web-10"),
        ("outside to another's", OUTSIDE, Tcp, "172.18.0.4:30081", "web-20, web-21"),
        ("who may to a load balancer IP", OUTSIDE, Tcp, "192.0.2.10:80", ALL_MASQ),
        ("who may not to a load balancer IP", STRANGER, Tcp, "192.0.2.10:80", "timed out"),
        ("who may not by its node port", STRANGER, Tcp, "172.18.0.3:30082", ALL_MASQ),
        ("outside to an external IP", OUTSIDE, Tcp, "198.51.100.99:80", ALL_MASQ),
        ("pod to an external IP", "demo/client", Tcp, "198.51.100.99:80", ALL_MASQ),
        ("what stays on its node", "demo/client", Tcp, "10.96.10.4:80", "web-10"),
        ("UDP", "demo/client", Udp, "10.96.10.6:53", "web-20"),
        ("an endpoint to its own Service", "demo/web-10", Tcp, "10.96.10.7:80", "web-10 masq"),
        ("to a Service without endpoints", "demo/client", Tcp, "10.96.10.8:80", "refused"),
        ("to endpoints that leave", "demo/client", Tcp, "10.96.10.9:80", "web-10, web-20"),
    ];
    for mode in Mode::ALL {
        let mut it = shop(mode);
        for (title, from, protocol, to, expected) in cases {
            assert_eq!(outputs(&mut it, from, protocol, to), expected, "{mode:?}: {title}");
        }
    }
}

#[test]
fn modes_differ_where_a_real_kube_proxy_does() {
    use Protocol::{Icmp, Tcp};
    let cases = [
        // IPVS has one list of servers for each address, whoever asks.
        ("pod to a local node port", "demo/client", Tcp, "172.18.0.3:30081", [ALL, ALL, "web-10"]),
        (
            "no pod on the node",
            "demo/far",
            Tcp,
            "10.96.10.4:80",
            ["timed out", "timed out", "refused"],
        ),
        // iptables has no rule for the port; the others refuse whatever is not asked for.
        ("wrong port", "demo/client", Tcp, "10.96.10.6:53", ["timed out", "refused", "refused"]),
        ("ping", "demo/client", Icmp, "10.96.10.1:0", ["timed out", "unreachable", "unreachable"]),
    ];
    for (place, mode) in Mode::ALL.into_iter().enumerate() {
        let mut it = shop(mode);
        for (title, from, protocol, to, expected) in &cases {
            let found = outputs(&mut it, from, *protocol, to);
            assert_eq!(found, expected[place], "{mode:?}: {title}");
        }
    }
}

#[test]
fn whoever_has_an_address_of_its_own_answers_a_ping() {
    for mode in Mode::ALL {
        let mut it = shop(mode);
        let cases = [
            ("demo/client", "10.244.2.20:0", "web-20"),
            ("demo/client", "10.244.1.10:0", "web-10"),
            ("demo/client", "172.18.0.4:0", "node node-2"),
            ("node-1", "172.18.0.4:0", "node node-2"),
            ("demo/client", "10.244.2.99:0", "unreachable"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(
                outputs(&mut it, from, Protocol::Icmp, to),
                expected,
                "{mode:?}: {from} {to}"
            );
        }
    }
}
