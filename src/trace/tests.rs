//! Whole requests through a small cluster.

use super::fixture::Fixture;
use super::{Outcome, PacketTrace, Place};
use crate::net::Protocol;
use crate::proxy::Mode;
use serde_json::json;

/// Two web servers, a client beside the first, and Services of every kind.
fn shop(mode: Mode) -> Fixture {
    let mut it = Fixture::new(mode);
    it.pod("demo/web-1", 1, 58, json!({"app": "web"}));
    it.pod("demo/web-2", 2, 19, json!({"app": "web"}));
    it.pod("demo/client", 1, 57, json!({"app": "client"}));
    let both: &[(u8, u8)] = &[(1, 58), (2, 19)];
    it.service("demo/web", json!({"clusterIP": "10.96.10.1", "selector": {"app": "web"}}), both);
    let node_port = |number: u16| json!([{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": number}]);
    let spec = json!({"type": "NodePort", "clusterIP": "10.96.10.2", "ports": node_port(30080)});
    it.service("demo/np", spec, &[(1, 58)]);
    let spec = json!({
        "type": "NodePort", "clusterIP": "10.96.10.3", "externalTrafficPolicy": "Local",
        "ports": node_port(30081),
    });
    it.service("demo/np-local", spec, &[(1, 58)]);
    it.service("demo/empty", json!({"clusterIP": "10.96.10.4", "selector": {"app": "wep"}}), &[]);
    let spec = json!({
        "clusterIP": "10.96.10.5", "sessionAffinity": "ClientIP",
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
    });
    it.service("demo/sticky", spec, both);
    it.service("demo/only-1", json!({"clusterIP": "10.96.10.6"}), &[(1, 58)]);
    let spec = json!({"clusterIP": "10.96.10.7", "internalTrafficPolicy": "Local"});
    it.service("demo/near", spec, &[(2, 19)]);
    let spec = json!({
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.96.10.8", "ports": node_port(30082),
            "loadBalancerSourceRanges": ["203.0.113.0/24"],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10", "ipMode": "VIP"}]}},
    });
    it.service("demo/lb", spec, both);
    let spec = json!({
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.96.10.9", "ports": node_port(30083),
            "externalTrafficPolicy": "Local", "healthCheckNodePort": 32000,
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.11", "ipMode": "VIP"}]}},
    });
    it.service("demo/lb-local", spec, &[(2, 19)]);
    it.service("demo/db", json!({"clusterIP": "None"}), both);
    it.service(
        "demo/wrong",
        json!({
            "clusterIP": "10.96.10.11",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}],
        }),
        &[(1, 58)],
    );
    it.add(json!({
        "kind": "Service",
        "metadata": {"namespace": "demo", "name": "ext"},
        "spec": {"type": "ExternalName", "externalName": "example.com"},
    }));
    it
}

fn brief(trace: &PacketTrace) -> String {
    trace.outcome.to_string()
}

/// What the server saw, or how it failed.
fn seen(trace: &PacketTrace) -> String {
    match &trace.outcome {
        Outcome::Answered { sees, .. } => format!("saw {sees}"),
        Outcome::Failed(failure) => format!("curl {}", failure.manner.curl_code()),
    }
}

#[test]
fn servers_see_the_source_addresses_that_real_servers_saw() {
    // tests/conformance/proxy/10-packets.txt, recorded under iptables.
    let cases = [
        ("demo/client", "10.244.1.58", "saw 10.244.1.57"),
        ("demo/client", "10.96.10.6", "saw 10.244.1.57"),
        ("demo/client", "172.18.0.3:30080", "saw 172.18.0.3"),
        ("node-1", "10.96.10.6", "saw 172.18.0.3"),
        ("node-1", "127.0.0.1:30080", "saw 172.18.0.3"),
        ("demo/web-1", "10.96.10.6", "saw 172.18.0.3"),
        ("demo/client", "10.96.10.4", "curl 7"),
        ("demo/client", "10.96.10.6:81", "curl 28"),
    ];
    let mut it = shop(Mode::Iptables);
    for (from, url, expected) in cases {
        let trace = it.get(from, url);
        assert_eq!(seen(&trace), expected, "{from} -> {url}\n{}", trace.to_text());
    }
}

#[test]
fn requests_end_as_they_do_in_a_cluster() {
    let answered = |pod: &str, saw: &str, from: &str| {
        format!("pod demo/{pod} container main answered 200; saw {saw}, reply from {from}:80")
    };
    let cases = [
        ("demo/client", "http://only-1", answered("web-1", "10.244.1.57", "10.96.10.6")),
        (
            "demo/client",
            "http://empty",
            "refused: demo/empty has no endpoints (selector app=wep selects no pod; web-1 has app=web, not wep; web-2 has app=web, not wep)".into(),
        ),
        ("demo/client", "http://nobody", "not resolved: no such name nobody".into()),
        (
            "demo/client",
            "http://wrong",
            "refused: nothing listens on port 8080 of pod demo/web-1".into(),
        ),
        ("203.0.113.7", "http://192.0.2.11", answered("web-2", "203.0.113.7", "192.0.2.11")),
        (
            "198.51.100.9",
            "http://192.0.2.10",
            "timed out: demo/lb has loadBalancerSourceRanges without this source".into(),
        ),
        (
            "203.0.113.7",
            "http://172.18.0.4:30099",
            "refused: port 30099 of node node-2 is no Service's node port".into(),
        ),
        ("demo/client", "http://10.244.3.99", "unreachable: nobody has address 10.244.3.99".into()),
        (
            "demo/client",
            "http://ext",
            "internet answered 200; saw 172.18.0.3, reply from ".into(),
        ),
    ];
    for mode in Mode::ALL {
        let mut it = shop(mode);
        for (from, url, expected) in &cases {
            let trace = it.get(from, url);
            let found = brief(&trace);
            assert!(found.starts_with(expected), "{mode:?} {from} -> {url}\n{}", trace.to_text());
        }
    }
}

#[test]
fn without_an_endpoint_of_its_own_a_node_drops_what_must_stay_local() {
    let ask = |from, url| Mode::ALL.map(|mode| brief(&shop(mode).get(from, url)));
    let dropped = "timed out: demo/near has no endpoints on node node-1";
    let refused = "refused: demo/near has no endpoints on node node-1";
    assert_eq!(ask("demo/client", "http://near"), [dropped, dropped, refused]);
    let dropped = "timed out: demo/np-local has no endpoints on node node-2";
    // IPVS sends it to another node after all, but the reply does not come back through this one.
    let strange = "timed out: the reply came from 10.244.1.58:80, which was not asked";
    assert_eq!(ask("203.0.113.7", "http://172.18.0.4:30081"), [dropped, dropped, strange]);
}

#[test]
fn a_load_balancer_that_is_a_proxy_goes_to_a_node_port_and_hides_its_client() {
    for mode in Mode::ALL {
        let mut it = shop(mode);
        let spec = json!({
            "spec": {
                "type": "LoadBalancer", "clusterIP": "10.96.10.12",
                "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30090}],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.12", "ipMode": "Proxy"}]}},
        });
        it.service("demo/proxied", spec, &[(1, 58)]);
        let trace = it.get("203.0.113.7", "http://192.0.2.12");
        let text = trace.to_text();
        assert!(trace.is_answered(), "{text}");
        assert!(text.contains("reply from 192.0.2.12:80") && text.contains(":30090"), "{text}");
    }
}

#[test]
fn a_name_without_an_address_is_told_from_a_name_of_nothing() {
    let mut it = shop(Mode::Nftables);
    it.service("demo/none", json!({"clusterIP": "None"}), &[]);
    let told = |it: &mut Fixture, url| brief(&it.get("demo/client", url));
    assert_eq!(told(&mut it, "http://none"), "not resolved: demo/none has no address");
    assert_eq!(told(&mut it, "http://nothing.other"), "not resolved: no such name nothing.other");
    it.add(json!({
        "kind": "Ingress", "metadata": {"namespace": "demo", "name": "shop"},
        "spec": {"rules": [{"host": "shop.example.com"}]},
    }));
    let spec = json!({"type": "LoadBalancer", "clusterIP": "10.96.10.40"});
    it.service("ingress-nginx/ingress-nginx-controller", spec, &[]);
    assert_eq!(
        brief(&it.get("8.8.8.8", "http://shop.example.com")),
        "not resolved: EXTERNAL-IP of ingress-nginx/ingress-nginx-controller is <pending>"
    );
}

#[test]
fn a_wrong_port_of_a_cluster_ip_times_out_under_iptables_and_is_refused_elsewhere() {
    let found = Mode::ALL.map(|mode| brief(&shop(mode).get("demo/client", "10.96.10.6:81")));
    assert_eq!(
        found,
        [
            "timed out: demo/only-1 has no port 81, only 80",
            "refused: demo/only-1 has no port 81, only 80",
            "refused: demo/only-1 has no port 81, only 80",
        ]
    );
}

#[test]
fn a_node_that_is_down_answers_nothing() {
    let mut it = shop(Mode::Nftables);
    it.nodes.get_mut("node-1").unwrap().up = false;
    let trace = it.get("203.0.113.7", "http://172.18.0.3:30080");
    assert_eq!(brief(&trace), "timed out: node node-1 is down");
    let trace = it.get("demo/client", "http://web");
    assert_eq!(brief(&trace), "not sent: pod demo/client is not running");
}

#[test]
fn a_client_that_sticks_keeps_its_server_for_as_long_as_it_is_told() {
    for mode in Mode::ALL {
        let mut it = shop(mode);
        let mut servers = std::collections::BTreeSet::new();
        for _ in 0..20 {
            servers.insert(brief(&it.get("demo/client", "http://sticky")));
        }
        assert_eq!(servers.len(), 1, "{mode:?}");
        let mut spread = std::collections::BTreeSet::new();
        for _ in 0..20 {
            it.now = it.now + core::time::Duration::from_secs(61);
            spread.insert(brief(&it.get("demo/client", "http://sticky")));
        }
        assert_eq!(spread.len(), 2, "{mode:?}");
    }
}

#[test]
fn policies_decide_who_may_talk_to_whom() {
    let mut it = shop(Mode::Nftables);
    it.pod("other/stranger", 3, 9, json!({"app": "client"}));
    it.add(json!({
        "kind": "NetworkPolicy",
        "metadata": {"namespace": "demo", "name": "web-only-for-clients"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "policyTypes": ["Ingress"],
            "ingress": [{
                "from": [{"podSelector": {"matchLabels": {"app": "client"}}}],
                "ports": [{"port": 80}],
            }],
        },
    }));
    assert!(it.get("demo/client", "http://web").is_answered());
    let denied = "timed out: ingress denied by NetworkPolicy demo/web-only-for-clients";
    assert_eq!(brief(&it.get("other/stranger", "http://web.demo")), denied);
    it.add(json!({
        "kind": "NetworkPolicy",
        "metadata": {"namespace": "other", "name": "no-way-out"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    }));
    let denied = "timed out: egress denied by NetworkPolicy other/no-way-out";
    assert_eq!(brief(&it.get("other/stranger", "http://web.demo")), denied);
}

#[test]
fn an_ingress_leads_to_a_service_and_past_its_cluster_ip() {
    let mut it = shop(Mode::Iptables);
    it.controller("ingress-nginx-controller-abc", 3, 4);
    let spec = json!({
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.96.10.20",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 31080}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.20", "ipMode": "VIP"}]}},
    });
    it.service("ingress-nginx/ingress-nginx-controller", spec, &[(3, 4)]);
    let path = |path: &str, service: &str| {
        json!({
            "path": path, "pathType": "Prefix",
            "backend": {"service": {"name": service, "port": {"number": 80}}},
        })
    };
    it.add(json!({
        "kind": "Ingress",
        "metadata": {"namespace": "demo", "name": "shop"},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{
                "host": "shop.example.com",
                "http": {"paths": [path("/", "only-1"), path("/none", "empty")]},
            }],
        },
    }));
    it.add(json!({
        "kind": "IngressClass", "metadata": {"name": "nginx"},
        "spec": {"controller": "k8s.io/ingress-nginx"},
    }));
    let client = "203.0.113.7";
    let trace = it.get(client, "http://shop.example.com/a");
    expect_test::expect![[r#"
        dns 1.1.1.1: A shop.example.com -> 192.0.2.20; AAAA -> NODATA
        internet 203.0.113.7: sends [tcp 203.0.113.7:48821 -> 192.0.2.20:80]
        load balancer 192.0.2.20: ingress-nginx/ingress-nginx-controller to node node-1 (healthy nodes, draw 1 of 3) [tcp 203.0.113.7:48821 -> 192.0.2.20:80]
        node node-1: enters [tcp 203.0.113.7:48821 -> 192.0.2.20:80]
        node node-1: route via node node-3 [tcp 203.0.113.7:48821 -> 10.244.3.4:80 mark 0x4000]
        node node-1: conntrack entry [tcp 203.0.113.7:48821 -> 192.0.2.20:80] => [tcp 172.18.0.3:42233 -> 10.244.3.4:80]
        node node-3: enters [tcp 172.18.0.3:42233 -> 10.244.3.4:80]
        node node-3: route to own pod [tcp 172.18.0.3:42233 -> 10.244.3.4:80]
        node node-3 veth1a8ddd1c: delivers [tcp 172.18.0.3:42233 -> 10.244.3.4:80]
        pod ingress-nginx/ingress-nginx-controller-abc: Ingress demo/shop shop.example.com/ -> demo/only-1:80
        pod ingress-nginx/ingress-nginx-controller-abc: straight to endpoint 10.244.1.58:80 of demo/only-1, not to its cluster IP (1 of 1, its turn with worker 1 of 1)
        pod ingress-nginx/ingress-nginx-controller-abc: sends [tcp 10.244.3.4:54647 -> 10.244.1.58:80]
        node node-3: enters [tcp 10.244.3.4:54647 -> 10.244.1.58:80]
        node node-3: route via node node-1 [tcp 10.244.3.4:54647 -> 10.244.1.58:80]
        node node-1: enters [tcp 10.244.3.4:54647 -> 10.244.1.58:80]
        node node-1: route to own pod [tcp 10.244.3.4:54647 -> 10.244.1.58:80]
        node node-1 vethd84deaff: delivers [tcp 10.244.3.4:54647 -> 10.244.1.58:80]
        pod demo/web-1: answers, sees source 10.244.3.4 [tcp 10.244.3.4:54647 -> 10.244.1.58:80]
        node node-1: passes [tcp 10.244.1.58:80 -> 10.244.3.4:54647]
        node node-3: passes [tcp 10.244.1.58:80 -> 10.244.3.4:54647]
        node node-3: passes [tcp 10.244.3.4:80 -> 172.18.0.3:42233]
        node node-1: conntrack untranslates [tcp 10.244.3.4:80 -> 172.18.0.3:42233] => [tcp 10.244.3.4:80 -> 203.0.113.7:48821]
        node node-1: conntrack untranslates [tcp 10.244.3.4:80 -> 203.0.113.7:48821] => [tcp 192.0.2.20:80 -> 203.0.113.7:48821]
        internet 203.0.113.7: receives the answer
        pod demo/web-1 container main answered 404; saw 10.244.3.4, reply from 192.0.2.20:80
    "#]].assert_eq(&without_rules(&trace));
    let status = |trace: &PacketTrace| match &trace.outcome {
        Outcome::Answered { status, .. } => *status,
        Outcome::Failed(_) => 0,
    };
    assert_eq!(status(&it.get(client, "http://shop.example.com/none")), 503);
    assert_eq!(status(&it.get(client, "http://192.0.2.20/a")), 404);
}

/// The hops but for the rules.
fn without_rules(trace: &PacketTrace) -> String {
    let hops = trace.hops.iter().filter(|hop| !matches!(hop.place, Place::Rule(..)));
    hops.map(|hop| format!("{hop}\n")).chain([format!("{}\n", trace.outcome)]).collect()
}

#[test]
fn a_request_is_shown_hop_by_hop() {
    let trace = shop(Mode::Iptables).get("demo/client", "http://np");
    expect_test::expect![[r#"
        1  > dns 10.96.0.10: A np.demo.svc.cluster.local -> 10.96.10.2; AAAA -> NODATA
        2  > pod demo/client: sends [tcp 10.244.1.57:48821 -> 10.96.10.2:80]
        3  > node node-1: enters [tcp 10.244.1.57:48821 -> 10.96.10.2:80]
        4  > node node-1 prerouting nat PREROUTING: matches, 1 examined | -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES [tcp 10.244.1.57:48821 -> 10.96.10.2:80]
        5  > node node-1 prerouting nat KUBE-SERVICES: matches, 5 examined | -A KUBE-SERVICES -d 10.96.10.2/32 -p tcp -m comment --comment "demo/np cluster IP" -m tcp --dport 80 -j KUBE-SVC-3FI5PGKAZJQCM3EG [tcp 10.244.1.57:48821 -> 10.96.10.2:80]
        6  > node node-1 prerouting nat KUBE-SVC-3FI5PGKAZJQCM3EG: matches, 2 examined | -A KUBE-SVC-3FI5PGKAZJQCM3EG -m comment --comment "demo/np -> 10.244.1.58:80" -j KUBE-SEP-I2FRGNXJX6TEHR3M [tcp 10.244.1.57:48821 -> 10.96.10.2:80]
        7  > node node-1 prerouting nat KUBE-SEP-I2FRGNXJX6TEHR3M: matches, 2 examined | -A KUBE-SEP-I2FRGNXJX6TEHR3M -p tcp -m comment --comment "demo/np" -m tcp -j DNAT --to-destination 10.244.1.58:80 [tcp 10.244.1.57:48821 -> 10.96.10.2:80] => [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        8  > node node-1: route to own pod [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        9  > node node-1 forward filter FORWARD: matches, 1 examined | -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        10 > node node-1 forward filter FORWARD: matches, 2 examined | -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        11 > node node-1 forward filter FORWARD: matches, 3 examined | -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        12 > node node-1 forward filter FORWARD: matches, 4 examined | -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        13 > node node-1 postrouting nat POSTROUTING: matches, 1 examined | -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        14 > node node-1 postrouting nat KUBE-POSTROUTING: matches, 1 examined | -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        15 > node node-1: conntrack entry [tcp 10.244.1.57:48821 -> 10.96.10.2:80] => [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        16 > node node-1 vethd84deaff: delivers [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        17 > pod demo/web-1: answers, sees source 10.244.1.57 [tcp 10.244.1.57:48821 -> 10.244.1.58:80]
        18 < node node-1 forward filter FORWARD: matches, 2 examined | -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD [tcp 10.244.1.58:80 -> 10.244.1.57:48821]
        19 < node node-1 forward filter KUBE-FORWARD: matches, 3 examined | -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT [tcp 10.244.1.58:80 -> 10.244.1.57:48821]
        20 < node node-1: conntrack untranslates [tcp 10.244.1.58:80 -> 10.244.1.57:48821] => [tcp 10.96.10.2:80 -> 10.244.1.57:48821]
        21 < pod demo/client: receives the answer
        = pod demo/web-1 container main answered 200; saw 10.244.1.57, reply from 10.96.10.2:80
    "#]].assert_eq(&trace.to_text());
}

#[test]
fn a_node_port_leads_from_any_node_to_the_endpoint_and_back_the_same_way() {
    let trace = shop(Mode::Nftables).get("203.0.113.7", "http://172.18.0.4:30080");
    expect_test::expect![[r#"
        internet 203.0.113.7: sends [tcp 203.0.113.7:48821 -> 172.18.0.4:30080]
        node node-2: enters [tcp 203.0.113.7:48821 -> 172.18.0.4:30080]
        node node-2: route via node node-1 [tcp 203.0.113.7:48821 -> 10.244.1.58:80 mark 0x4000]
        node node-2: conntrack entry [tcp 203.0.113.7:48821 -> 172.18.0.4:30080] => [tcp 172.18.0.4:42233 -> 10.244.1.58:80]
        node node-1: enters [tcp 172.18.0.4:42233 -> 10.244.1.58:80]
        node node-1: route to own pod [tcp 172.18.0.4:42233 -> 10.244.1.58:80]
        node node-1 vethd84deaff: delivers [tcp 172.18.0.4:42233 -> 10.244.1.58:80]
        pod demo/web-1: answers, sees source 172.18.0.4 [tcp 172.18.0.4:42233 -> 10.244.1.58:80]
        node node-1: passes [tcp 10.244.1.58:80 -> 172.18.0.4:42233]
        node node-2: conntrack untranslates [tcp 10.244.1.58:80 -> 172.18.0.4:42233] => [tcp 10.244.1.58:80 -> 203.0.113.7:48821]
        node node-2: conntrack untranslates [tcp 10.244.1.58:80 -> 203.0.113.7:48821] => [tcp 172.18.0.4:30080 -> 203.0.113.7:48821]
        internet 203.0.113.7: receives the answer
        pod demo/web-1 container main answered 200; saw 172.18.0.4, reply from 172.18.0.4:30080
    "#]].assert_eq(&without_rules(&trace));
}

#[test]
fn ipvs_hands_a_connection_on_after_the_input_hook() {
    let trace = shop(Mode::Ipvs).get("203.0.113.7", "http://172.18.0.4:30080");
    expect_test::expect![[r#"
        internet 203.0.113.7: sends [tcp 203.0.113.7:48821 -> 172.18.0.4:30080]
        node node-2: enters [tcp 203.0.113.7:48821 -> 172.18.0.4:30080]
        node node-2: route local [tcp 203.0.113.7:48821 -> 172.18.0.4:30080 mark 0x4000]
        node node-2 ipvs 172.18.0.4:30080: round robin to 10.244.1.58:80 (1 of 1) [tcp 203.0.113.7:48821 -> 172.18.0.4:30080 mark 0x4000] => [tcp 203.0.113.7:48821 -> 10.244.1.58:80 mark 0x4000]
        node node-2: route via node node-1 [tcp 203.0.113.7:48821 -> 10.244.1.58:80 mark 0x4000]
        node node-2: conntrack entry [tcp 203.0.113.7:48821 -> 172.18.0.4:30080] => [tcp 172.18.0.4:7243 -> 10.244.1.58:80]
        node node-1: enters [tcp 172.18.0.4:7243 -> 10.244.1.58:80]
        node node-1: route to own pod [tcp 172.18.0.4:7243 -> 10.244.1.58:80]
        node node-1 vethd84deaff: delivers [tcp 172.18.0.4:7243 -> 10.244.1.58:80]
        pod demo/web-1: answers, sees source 172.18.0.4 [tcp 172.18.0.4:7243 -> 10.244.1.58:80]
        node node-1: passes [tcp 10.244.1.58:80 -> 172.18.0.4:7243]
        node node-2: conntrack untranslates [tcp 10.244.1.58:80 -> 172.18.0.4:7243] => [tcp 10.244.1.58:80 -> 203.0.113.7:48821]
        node node-2: conntrack untranslates [tcp 10.244.1.58:80 -> 203.0.113.7:48821] => [tcp 172.18.0.4:30080 -> 203.0.113.7:48821]
        internet 203.0.113.7: receives the answer
        pod demo/web-1 container main answered 200; saw 172.18.0.4, reply from 172.18.0.4:30080
    "#]].assert_eq(&without_rules(&trace));
}

#[test]
fn a_trace_as_json_names_kinds() {
    let trace = shop(Mode::Nftables).get("demo/client", "http://empty");
    let value = trace.to_value();
    assert_eq!(value["outcome"]["cause"]["kind"], "noEndpoints");
    assert_eq!(value["outcome"]["cause"]["nearly"][0]["has"], "web");
    assert_eq!(value["hops"][0]["place"]["kind"], "dns");
}

#[test]
fn udp_is_followed_too() {
    let mut it = shop(Mode::Nftables);
    let ports = json!([{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 80}]);
    it.service("demo/dns", json!({"clusterIP": "10.96.10.30", "ports": ports}), &[(2, 19)]);
    let trace = it.connect("demo/client", "10.96.10.30:53", Protocol::Udp);
    assert!(trace.is_answered(), "{}", trace.to_text());
    let trace = it.connect("demo/client", "10.96.10.30:53", Protocol::Tcp);
    assert!(!trace.is_answered(), "{}", trace.to_text());
}
