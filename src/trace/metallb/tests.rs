//! Which address a Service gets, and who may announce it to the router, in MetalLB's words.

use super::Mismatch;
use super::bgp::{mismatch, pick};
use super::pools::{Pool, Taken, allocate, assign, parse_range};
use crate::api::{Kind, Object, Value};
use crate::net::packet::Endpoint;
use crate::net::{Packet, Protocol};
use crate::proxy::Mode;
use crate::trace::fixture::Fixture;
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// An object of MetalLB's; which kind it is does not matter where only its fields are read.
fn configured(name: &str, spec: Value) -> Object {
    let meta = json!({"namespace": "metallb-system", "name": name});
    Object::from_value(Kind::Endpoints, json!({"metadata": meta, "spec": spec}))
}

fn pool(name: &str, addresses: &[&str], more: Value) -> Pool {
    let mut spec = json!({"addresses": addresses});
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    let ranges = addresses.iter().map(|text| parse_range(text).unwrap()).collect();
    Pool { object: Arc::new(configured(name, spec)), ranges }
}

/// A Service `demo/web`, its sharing key, and its port: `tcp/80`.
fn service(name: &str, sharing: &str, port: &str) -> Object {
    let (namespace, name) = name.split_once('/').unwrap();
    let (protocol, number) = port.split_once('/').unwrap();
    let annotations = json!({"metallb.io/allow-shared-ip": sharing});
    Object::from_value(
        Kind::Service,
        json!({
            "metadata": {
                "namespace": namespace, "name": name, "annotations": annotations,
                "labels": {"team": name},
            },
            "spec": {
                "type": "LoadBalancer",
                "ports": [{"protocol": protocol.to_uppercase(), "port": number.parse::<u16>().unwrap()}],
            },
        }),
    )
}

#[test]
fn ranges_are_read_as_metallb_reads_them() {
    // internal/config/config.go ParseCIDR.
    for (text, expected) in [
        ("10.0.0.0/28", Ok("10.0.0.0-10.0.0.15")),
        ("10.0.0.7/29", Ok("10.0.0.0-10.0.0.7")),
        ("10.0.0.1-10.0.0.9", Ok("10.0.0.1-10.0.0.9")),
        ("10.0.0.1 - 10.0.0.9", Ok("10.0.0.1-10.0.0.9")),
        ("10.0.0.1", Err("invalid CIDR \"10.0.0.1\"")),
        (
            "10.0.0.x-10.0.0.9",
            Err("invalid IP range \"10.0.0.x-10.0.0.9\": invalid start IP \"10.0.0.x\""),
        ),
        (
            "10.0.0.9-10.0.0.1",
            Err(
                "invalid IP range \"10.0.0.9-10.0.0.1\": start IP \"10.0.0.9\" is after the end IP \"10.0.0.1\"",
            ),
        ),
    ] {
        let read = parse_range(text)
            .map(|(from, to)| format!("{}-{}", Ipv4Addr::from_bits(from), Ipv4Addr::from_bits(to)));
        assert_eq!(read.as_deref().map_err(|why| &**why), expected, "{text}");
    }
}

#[test]
fn services_get_take_and_share_addresses() {
    // The cases of internal/allocator/allocator_test.go TestAssignment.
    let it = Fixture::new(Mode::Iptables);
    let buggy = json!({"avoidBuggyIPs": true});
    let pools = [
        pool("test", &["1.2.3.4/31"], json!({})),
        pool("test2", &["1.2.4.0/24"], buggy.clone()),
        pool("test3", &["1.2.5.0/24"], json!({"serviceAllocation": {"namespaces": ["other"]}})),
    ];
    let mut taken = Taken::default();
    for (name, sharing, port, ip, expected) in [
        ("demo/s1", "", "tcp/80", "1.2.3.4", Ok("test")),
        ("demo/s1", "", "tcp/80", "1.2.3.4", Ok("test")),
        (
            "demo/s2",
            "",
            "tcp/80",
            "1.2.3.4",
            Err("can't change sharing key for \"demo/s2\", address also in use by demo/s1"),
        ),
        ("demo/s2", "", "tcp/80", "1.2.3.5", Ok("test")),
        ("demo/s3", "", "tcp/80", "1.2.4.0", Err("[\"1.2.4.0\"] is not allowed in config")),
        ("demo/s3", "", "tcp/80", "1.2.4.255", Err("[\"1.2.4.255\"] is not allowed in config")),
        ("demo/s3", "", "tcp/80", "1.2.4.254", Ok("test2")),
        ("demo/s4", "share", "tcp/80", "1.2.4.3", Ok("test2")),
        (
            "demo/s5",
            "share",
            "tcp/80",
            "1.2.4.3",
            Err("port tcp/80 is already in use on \"1.2.4.3\""),
        ),
        (
            "demo/s5",
            "othershare",
            "tcp/443",
            "1.2.4.3",
            Err("can't change sharing key for \"demo/s5\", address also in use by demo/s4"),
        ),
        ("demo/s5", "share", "tcp/443", "1.2.4.3", Ok("test2")),
        ("demo/s6", "", "tcp/80", "1.2.5.1", Err("pool test3 not compatible for ip assignment")),
        ("other/s6", "", "tcp/80", "1.2.5.1", Ok("test3")),
        ("demo/s7", "", "tcp/80", "1.2.6.1", Err("[\"1.2.6.1\"] is not allowed in config")),
    ] {
        let service = service(name, sharing, port);
        let ips = [ip.parse::<Ipv4Addr>().unwrap()];
        let given = assign(&it.store, &pools, &taken, &service, &ips).map(|pool| &**pool.name());
        assert_eq!(given.as_deref().map_err(|why| &**why), expected, "{name} {ip}");
        if given.is_ok() {
            taken.put(&service, &ips);
        }
    }
}

#[test]
fn an_address_is_of_the_pool_that_is_kept_for_its_service() {
    // internal/allocator/allocator.go Allocate.
    let it = Fixture::new(Mode::Iptables);
    let kept = |priority: u8, key: &str, value: Value| json!({"serviceAllocation": {"priority": priority, key: value}});
    let team = json!([{"matchLabels": {"team": "blue"}}]);
    let named = json!([{"matchLabels": {"kubernetes.io/metadata.name": "other"}}]);
    let pools = [
        pool("a-open", &["10.0.0.1-10.0.0.2"], json!({})),
        pool("b-late", &["10.0.1.0/30"], kept(20, "serviceSelectors", team.clone())),
        pool("c-early", &["10.0.2.0-10.0.2.1"], kept(10, "serviceSelectors", team)),
        pool("d-space", &["10.0.3.0/30"], kept(0, "namespaceSelectors", named)),
        pool("e-asked", &["10.0.4.7/32"], json!({"autoAssign": false})),
    ];
    let mut taken = Taken::default();
    for (name, wanted, expected) in [
        ("demo/blue", None, Ok("10.0.2.0")),
        ("demo/red", None, Ok("10.0.0.1")),
        ("other/red", None, Ok("10.0.3.0")),
        ("other/blue", None, Ok("10.0.2.1")),
        ("kube-system/blue", None, Ok("10.0.1.0")),
        ("demo/x", None, Ok("10.0.0.2")),
        ("demo/y", None, Err("no available IPs")),
        ("demo/y", Some("e-asked"), Ok("10.0.4.7")),
        ("demo/z", Some("e-asked"), Err("no available IPs in pool e-asked")),
        ("demo/z", Some("d-space"), Err("pool d-space not compatible for ip assignment")),
        ("demo/z", Some("nope"), Err("unknown pool \"nope\"")),
    ] {
        let service = service(name, "", "tcp/80");
        let given = allocate(&it.store, &pools, &taken, &service, wanted);
        let text = given.as_ref().map(|(ip, _)| ip.to_string());
        assert_eq!(text.as_deref().map_err(|why| why.as_str()), expected, "{name} {wanted:?}");
        if let Ok((ip, _)) = given {
            taken.put(&service, &[ip]);
        }
    }
}

#[test]
fn a_session_needs_the_router_as_it_is() {
    let peer = |more: Value| {
        let mut spec = json!({"myASN": 64500, "peerASN": 64501, "peerAddress": "172.18.0.1"});
        for (key, value) in more.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        configured("router", spec)
    };
    for (more, expected) in [
        (json!({}), None),
        (json!({"peerPort": 179, "password": ""}), None),
        (json!({"peerAddress": "172.18.0.9"}), Some(Mismatch::Address)),
        (json!({"peerPort": 1179}), Some(Mismatch::Port)),
        (json!({"peerASN": 64512}), Some(Mismatch::Asn)),
        (json!({"password": "secret"}), Some(Mismatch::Password)),
        (json!({"passwordSecret": {"name": "bgp"}}), Some(Mismatch::Password)),
    ] {
        assert_eq!(mismatch(&peer(more.clone())), expected, "{more}");
    }
}

#[test]
fn packets_of_a_connection_take_the_same_way() {
    let packet = |port: u16| {
        let source = Endpoint { ip: Ipv4Addr::new(198, 51, 100, 7).into(), port };
        let destination = Endpoint { ip: Ipv4Addr::new(192, 168, 10, 1).into(), port: 80 };
        Packet::new(Protocol::Tcp, source, destination)
    };
    let mut counts = [0u32; 3];
    for port in 40_000..40_300 {
        let way = pick(&packet(port), 3);
        assert_eq!(way, pick(&packet(port), 3));
        counts[usize::try_from(way).unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| (60..140).contains(count)), "{counts:?}");
}
