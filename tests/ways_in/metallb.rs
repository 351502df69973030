//! MetalLB: from `<pending>` to an address that a node answers for.

use crate::{Room, assert_contains};
use diorama::world::LoadBalancers;
use std::collections::BTreeSet;

const URL: &str = "https://raw.githubusercontent.com/metallb/metallb/v0.15.3/config/manifests/metallb-native.yaml";

/// `kubectl apply` of an object of MetalLB's.
fn apply(kind: &str, name: &str, spec: &str) -> String {
    let version = if kind == "BGPPeer" { "v1beta2" } else { "v1beta1" };
    format!(
        "kubectl apply -f - <<'EOF'\napiVersion: metallb.io/{version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: metallb-system}}\nspec: {{{spec}}}\nEOF"
    )
}

/// The hop at which the router looks for the address, or how the way ends.
fn way(room: &mut Room, ip: &str) -> String {
    let trace = room.run(&format!("trace curl -m 1 http://{ip}/")).stdout;
    let mut lines = trace.lines();
    let router = lines.find(|line| line.contains("> router ")).unwrap_or_default();
    let router = router.split(": ").nth(1).unwrap_or_default();
    let router = router.split(" [tcp").next().unwrap_or_default();
    let end = trace.lines().last().unwrap_or_default();
    if end.contains("answered 200") { router.to_owned() } else { format!("{router} {end}") }
}

#[test]
fn on_bare_metal_an_address_is_pending_until_metallb_is_there_and_has_a_pool() {
    let mut room = Room::new(LoadBalancers::None);
    room.done("kubectl expose deployment web --name=lb --port=80 --type=LoadBalancer");
    room.done("sleep 300");
    assert_contains(&room.done("kubectl get svc lb"), &["<pending>"]);
    assert_eq!(room.events("lb"), "", "nobody cares for it");
    assert_contains(
        &room.done(&format!("kubectl apply -f {URL}")),
        &[
            "namespace/metallb-system created\n",
            "customresourcedefinition.apiextensions.k8s.io/ipaddresspools.metallb.io created\n",
            "deployment.apps/controller created\n",
            "daemonset.apps/speaker created\n",
        ],
    );
    let pool = apply("IPAddressPool", "lan", "addresses: [172.18.0.100-172.18.0.110]");
    // The webhook of a controller that is not up yet; its failurePolicy is Fail.
    let refused = room.run(&pool);
    assert_eq!(refused.exit, 1);
    assert_contains(
        &refused.stderr,
        &[
            "Internal error occurred: failed calling webhook \"ipaddresspoolvalidationwebhook.metallb.io\": failed to call webhook: Post \"https://metallb-webhook-service.metallb-system.svc:443/validate-metallb-io-v1beta1-ipaddresspool?timeout=10s\": ",
        ],
    );
    room.done("sleep 1");
    room.done("kubectl wait -n metallb-system --for=condition=Ready pod --all --timeout=120s");
    assert_contains(&room.done("kubectl get svc lb"), &["<pending>"]);
    room.done(&pool);
    room.done("sleep 2");
    assert_contains(&room.done("kubectl get svc lb"), &["172.18.0.10"]);
    // Models metallb/metallb controller/service.go convergeBalancer.
    assert_contains(&room.events("lb"), &["IPAllocated: Assigned IP [\"172.18.0.10"]);
    let ip = room.done("kubectl get svc lb -o jsonpath={.status.loadBalancer.ingress[0].ip}");
    assert_eq!(
        way(&mut room, &ip),
        format!(
            "who has {ip}? nobody answers = unreachable: nobody announces the address of default/lb: no L2Advertisement or BGPAdvertisement is for pool lan"
        )
    );
    room.done(&apply("L2Advertisement", "lan", ""));
    room.done("sleep 1");
    assert_contains(&way(&mut room, &ip), &[&format!("who has {ip}? 02:42:ac:12:00:0")]);
    assert_contains(
        &room.done("kubectl get ipaddresspool lan -n metallb-system -o jsonpath={.status}"),
        &["\"assignedIPv4\":2", "\"availableIPv4\":9"],
    );
}

/// A cluster with MetalLB, a pool of two addresses and L2; the ingress controller has the first
/// or the second, `lb` the other.
fn lan() -> (Room, String) {
    let mut room = Room::new(LoadBalancers::MetalLb);
    room.done(&apply("IPAddressPool", "lan", "addresses: [172.18.0.100-172.18.0.101]"));
    room.done(&apply("L2Advertisement", "lan", "ipAddressPools: [lan]"));
    room.done("kubectl expose deployment web --name=lb --port=80 --type=LoadBalancer");
    room.done("sleep 5");
    let ip = room.done("kubectl get svc lb -o jsonpath={.status.loadBalancer.ingress[0].ip}");
    (room, ip)
}

/// The nodes of the ServiceL2Status of `lb`.
fn allocated(room: &mut Room) -> String {
    room.done("kubectl get servicel2statuses -n metallb-system -l metallb.io/service-name=lb -o jsonpath={.items[*].status.node}")
}

#[test]
fn one_node_answers_arp_and_another_when_it_has_died() {
    let (mut room, ip) = lan();
    // sha256 of `NODE#IP`: node-3 comes first for both addresses, node-2 next.
    let first = format!("who has {ip}? 02:42:ac:12:00:05, node node-3 (1 of 3 that could)");
    assert_eq!(way(&mut room, &ip), first);
    assert_eq!(allocated(&mut room), "node-3");
    room.done("node stop node-3");
    assert_eq!(
        way(&mut room, &ip),
        format!("{first} = timed out: node node-3 announced the address of default/lb and is down"),
        "until the speakers have missed it"
    );
    room.done("sleep 7");
    assert_contains(
        &way(&mut room, &ip),
        &[&format!("who has {ip}? 02:42:ac:12:00:04, node node-2 (1 of 2 that could)")],
    );
    assert_eq!(allocated(&mut room), "node-2", "what cannot be written by a dead speaker is gone");
    assert_contains(
        &room.events("lb"),
        &[
            "nodeAssigned: announcing from node \"node-3\" with protocol \"layer2\"",
            "nodeAssigned: announcing from node \"node-2\" with protocol \"layer2\"",
        ],
    );
    room.done("node start node-3");
    room.done("sleep 2");
    assert_eq!(way(&mut room, &ip), first, "there is no stickiness");
    room.done("kubectl label node node-3 node.kubernetes.io/exclude-from-external-load-balancers=");
    room.done("sleep 1");
    assert_contains(&way(&mut room, &ip), &["node node-2 (1 of 2 that could)"]);
}

#[test]
fn with_a_policy_of_local_only_nodes_with_an_endpoint_answer() {
    let (mut room, ip) = lan();
    room.done("kubectl scale deployment web --replicas=1");
    room.done("sleep 40");
    room.done(r#"kubectl patch svc lb -p '{"spec":{"externalTrafficPolicy":"Local"}}'"#);
    room.done("sleep 2");
    let node = room.done("kubectl get pods -l app=web -o jsonpath={.items[0].spec.nodeName}");
    assert_contains(&way(&mut room, &ip), &[&format!("node {node} (1 of 1 that could)")]);
    room.done("kubectl scale deployment web --replicas=0");
    room.done("sleep 5");
    assert_eq!(
        way(&mut room, &ip),
        format!(
            "who has {ip}? nobody answers = unreachable: nobody announces the address of default/lb: it has no endpoint that serves"
        )
    );
    assert_eq!(allocated(&mut room), "");
}

#[test]
fn an_empty_pool_is_an_event_and_a_freed_address_goes_to_who_waits() {
    let (mut room, ip) = lan();
    room.done("kubectl expose deployment web --name=late --port=80 --type=LoadBalancer");
    room.done("sleep 2");
    assert_eq!(
        room.events("late"),
        "AllocationFailed: Failed to allocate IP for \"default/late\": no available IPs x1\n"
    );
    room.done("kubectl delete svc lb");
    room.done("sleep 2");
    let own = room.done("kubectl get svc late -o jsonpath={.status.loadBalancer.ingress[0].ip}");
    assert_eq!(own, ip);
}

#[test]
fn metallbs_webhooks_refuse_what_cannot_be() {
    let (mut room, _) = lan();
    // internal/config/config.go.
    for (kind, spec, hook, expected) in [
        (
            "IPAddressPool",
            "addresses: [192.168.10.0/24, 172.18.0.101/32]",
            "ipaddresspool",
            "CIDR \"172.18.0.101/32\" in pool \"new\" overlaps with already defined CIDR \"172.18.0.100/31\"",
        ),
        (
            "IPAddressPool",
            "addresses: [192.168.10.9-192.168.10.1]",
            "ipaddresspool",
            "parsing address pool new: invalid CIDR \"192.168.10.9-192.168.10.1\" in pool \"new\": invalid IP range \"192.168.10.9-192.168.10.1\": start IP \"192.168.10.9\" is after the end IP \"192.168.10.1\"",
        ),
        (
            "BGPPeer",
            "myASN: 64500, peerASN: 64500, peerAddress: 172.18.0.1, ebgpMultiHop: true",
            "bgppeers",
            "parsing peer new invalid ebgp-multihop parameter set for an ibgp peer",
        ),
    ] {
        let output = room.run(&apply(kind, "new", spec));
        assert_eq!(output.exit, 1, "{spec}");
        let door = format!(
            "Error from server (Forbidden): error when creating \"STDIN\": admission webhook \"{hook}validationwebhook.metallb.io\" denied the request: {expected}\n"
        );
        assert_eq!(output.stderr, door);
    }
}

#[test]
fn with_bgp_the_router_spreads_connections_until_the_hold_time_is_over() {
    let mut room = Room::new(LoadBalancers::MetalLb);
    room.done(&apply("IPAddressPool", "wan", "addresses: [192.168.10.1-192.168.10.9]"));
    room.done(&apply("BGPAdvertisement", "wan", ""));
    room.done("kubectl expose deployment web --name=lb --port=80 --type=LoadBalancer");
    room.done("sleep 3");
    let ip = room.done("kubectl get svc lb -o jsonpath={.status.loadBalancer.ingress[0].ip}");
    let nobody = " = timed out: nobody announces the address of default/lb: the router has no BGP session, since ";
    assert_eq!(way(&mut room, &ip), format!("{nobody}there is no BGPPeer"));
    let peer = |asn: u32| {
        let spec = format!("myASN: 64500, peerASN: {asn}, peerAddress: 172.18.0.1");
        apply("BGPPeer", "router", &spec)
    };
    room.done(&peer(64_512));
    assert_contains(&way(&mut room, &ip), &["BGPPeer router has another peerASN than the router"]);
    room.done(&peer(64_501));
    let seen = |room: &mut Room| {
        let nodes: BTreeSet<String> = (0..30).map(|_| way(room, &ip)).collect();
        nodes.into_iter().collect::<Vec<_>>().join("\n")
    };
    let route = "BGP route of default/lb to node";
    assert_eq!(
        seen(&mut room),
        format!(
            "{route} node-1 (next hop 1 of 3)\n{route} node-2 (next hop 2 of 3)\n{route} node-3 (next hop 3 of 3)"
        )
    );
    room.done("node stop node-1");
    let lost = (0..30).filter(|_| way(&mut room, &ip).contains("announced the address")).count();
    assert!((3..20).contains(&lost), "a third of the connections is lost: {lost}");
    room.done("sleep 91");
    assert_eq!(
        seen(&mut room),
        format!("{route} node-2 (next hop 1 of 2)\n{route} node-3 (next hop 2 of 2)")
    );
}
