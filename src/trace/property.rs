//! Whatever Services there are: every request ends at a ready endpoint or with a reason, replies
//! come from where they were asked, and all modes reach the same, by tunnels too (IPVS more, where a Service whose
//! policy is Local has no endpoint on the node: it then takes one elsewhere, as kube-proxy has it).

use super::fixture::Fixture;
use super::{Outcome, Server};
use crate::net::Protocol;
use crate::net::link::PodNetwork;
use crate::proxy::Mode;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A Service drawn by lot.
#[derive(Clone, Debug)]
struct Drawn {
    kind: u8,
    internal_local: bool,
    external_local: bool,
    sticky: bool,
    udp: bool,
    /// Of six pods, two on each node: whether it is an endpoint, and whether it is ready.
    endpoints: Vec<(bool, bool)>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let endpoints = proptest::collection::vec((any::<bool>(), any::<bool>()), 6);
    let facts = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (0u8..3, facts, endpoints).prop_map(
        |(kind, (internal_local, external_local, sticky, udp), endpoints)| Drawn {
            kind,
            internal_local,
            external_local,
            sticky,
            udp,
            endpoints,
        },
    )
}

fn policy(local: bool) -> &'static str {
    if local { "Local" } else { "Cluster" }
}

fn add(it: &mut Fixture, number: u8, service: &Drawn) {
    let protocol = if service.udp { "UDP" } else { "TCP" };
    let kind = ["ClusterIP", "NodePort", "LoadBalancer"][usize::from(service.kind)];
    let mut spec = json!({
        "type": kind,
        "clusterIP": format!("10.96.20.{number}"),
        "internalTrafficPolicy": policy(service.internal_local),
        "ports": [{"port": 80, "protocol": protocol, "targetPort": 80}],
    });
    let mut status = json!({"loadBalancer": {}});
    if service.kind > 0 {
        spec["ports"][0]["nodePort"] = (30_100 + u16::from(number)).into();
        spec["externalTrafficPolicy"] = policy(service.external_local).into();
    }
    if service.kind == 2 {
        spec["healthCheckNodePort"] = (32_100 + u16::from(number)).into();
        let ip = format!("192.0.2.{number}");
        status = json!({"loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}]}});
    }
    if service.sticky {
        spec["sessionAffinity"] = "ClientIP".into();
        spec["sessionAffinityConfig"] = json!({"clientIP": {"timeoutSeconds": 600}});
    }
    it.service(&format!("demo/s{number}"), json!({"spec": spec, "status": status}), &[]);
    let endpoints: Vec<Value> = pods()
        .zip(&service.endpoints)
        .filter(|(_, (is_endpoint, _))| *is_endpoint)
        .map(|((node, last), (_, ready))| {
            json!({
                "addresses": [format!("10.244.{node}.{last}")],
                "nodeName": format!("node-{node}"),
                "conditions": {"ready": ready, "serving": ready, "terminating": false},
            })
        })
        .collect();
    it.add(json!({
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "demo", "name": format!("s{number}-y"),
            "labels": {"kubernetes.io/service-name": format!("s{number}")},
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "", "port": 80, "protocol": protocol}],
    }));
}

fn pods() -> impl Iterator<Item = (u8, u8)> {
    (1u8..=3).flat_map(|node| [(node, 10), (node, 11)])
}

/// Who asks, and for what; who asks may be an endpoint itself.
fn requests(number: u8, service: &Drawn) -> Vec<(&'static str, String)> {
    let cluster_ip = format!("http://10.96.20.{number}");
    let mut all = vec![
        ("demo/p-1-10", cluster_ip.clone()),
        ("demo/p-3-11", format!("http://s{number}")),
        ("node-2", cluster_ip),
    ];
    if service.kind > 0 {
        let port = 30_100 + u16::from(number);
        all.push(("203.0.113.7", format!("http://172.18.0.3:{port}")));
        all.push(("demo/p-2-10", format!("http://172.18.0.3:{port}")));
        all.push(("node-1", format!("http://172.18.0.5:{port}")));
    }
    if service.kind == 2 {
        all.push(("203.0.113.7", format!("http://192.0.2.{number}")));
        all.push(("demo/p-1-11", format!("http://192.0.2.{number}")));
    }
    all
}

/// What a request comes to: whether it is answered, and by which pods.
fn check(it: &mut Fixture, from: &str, url: &str, service: &Drawn) -> Result<bool, TestCaseError> {
    let trace = match (service.udp, url.trim_start_matches("http://")) {
        (false, _) => it.get(from, url),
        (true, to) if to.contains(':') => it.connect(from, to, Protocol::Udp),
        (true, to) => it.connect(from, &format!("{to}:80"), Protocol::Udp),
    };
    prop_assert!(trace.hops.len() < 160, "{}", trace.to_text());
    let Outcome::Answered { server, reply_from, .. } = &trace.outcome else {
        return Ok(false);
    };
    let Server::Pod { pod, .. } = server else {
        return Err(TestCaseError::fail(trace.to_text()));
    };
    let ready: BTreeSet<String> = pods()
        .zip(&service.endpoints)
        .filter(|(_, facts)| **facts == (true, true))
        .map(|((node, last), _)| format!("p-{node}-{last}"))
        .collect();
    prop_assert!(ready.contains(&*pod.name), "{}", trace.to_text());
    let asked = trace.hops.iter().find_map(|hop| hop.packet.map(|(before, _)| before.destination));
    prop_assert_eq!(Some(*reply_from), asked, "{}", trace.to_text());
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_request_ends_at_a_ready_endpoint_or_with_a_reason(
        services in proptest::collection::vec(drawn(), 1..5),
    ) {
        let mut reached: Vec<BTreeSet<String>> = Vec::new();
        let networks = Mode::ALL.map(|mode| (mode, PodNetwork::Routed));
        for (mode, pods_network) in networks.into_iter().chain([(Mode::Iptables, PodNetwork::Vxlan)]) {
            let mut it = Fixture::new(mode);
            it.network.set_pod_network(pods_network);
            for (node, last) in pods() {
                it.pod(&format!("demo/p-{node}-{last}"), node, last, json!({}));
            }
            for (number, service) in (1u8..).zip(&services) {
                add(&mut it, number, service);
            }
            let mut answered = BTreeSet::new();
            for (number, service) in (1u8..).zip(&services) {
                for (from, url) in requests(number, service) {
                    if check(&mut it, from, &url, service)? {
                        answered.insert(format!("{from} {url}"));
                    }
                }
            }
            reached.push(answered);
        }
        prop_assert_eq!(&reached[0], &reached[1]);
        prop_assert_eq!(&reached[0], &reached[3], "by tunnels");
        let any_local = services.iter().any(|it| it.internal_local || it.external_local);
        if any_local {
            let missed: Vec<&String> = reached[0].difference(&reached[2]).collect();
            prop_assert!(missed.is_empty(), "IPVS misses {missed:?}");
        } else {
            prop_assert_eq!(&reached[0], &reached[2]);
        }
    }
}
