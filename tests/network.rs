//! The network between nodes, and requests over time, typed into a classroom's console.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// Pods on all three workers, a Service of each kind that matters, and a pod to ask from.
fn with_web() -> Room {
    let mut room = Room::new();
    for line in [
        "kubectl create deployment web --image=traefik/whoami --replicas=3",
        "kubectl expose deployment web --port=80 --type=NodePort",
        "kubectl run curl --image=curlimages/curl --command -- sleep infinity",
        "sleep 60",
    ] {
        room.done(line);
    }
    room
}

/// A pod of `app=web` on this node, by its address.
fn pod_on(room: &mut Room, node: &str) -> String {
    let path = format!("{{.items[?(@.spec.nodeName==\"{node}\")].status.podIP}}");
    room.done(&format!("kubectl get pods -l app=web -o jsonpath='{path}'"))
}

#[test]
fn a_packet_to_another_nodes_pod_goes_through_the_tunnel_inside_of_another() {
    let mut room = with_web();
    let home = room.field("pod/curl", ".spec.nodeName");
    let other = if home == "node-1" { "node-2" } else { "node-1" };
    let (near, far) = (pod_on(&mut room, &home), pod_on(&mut room, other));
    let ask = |ip: &str| format!("trace --from pod/curl curl http://{ip}");

    assert_eq!(room.done("network mode"), "routed");
    assert!(!room.done(&ask(&far)).contains("VXLAN"));

    room.done("network mode vxlan");
    let trace = room.done(&ask(&far));
    let packed = trace.lines().find(|line| line.contains("packs into VXLAN 1, 50 bytes more"));
    let Some(packed) = packed else { panic!("{trace}") };
    assert!(packed.contains(":8472]") && packed.contains("[udp 172.18.0."), "{packed}");
    // There and back.
    assert_eq!(trace.matches("unpacks from VXLAN").count(), 2, "{trace}");
    assert!(!room.done(&ask(&near)).contains("VXLAN"));

    let routes = room.done(&format!("node run {home} -- ip route"));
    assert!(routes.contains(" dev flannel.1 onlink") && routes.contains(" dev cni0 "), "{routes}");
    assert!(room.done(&format!("node run {home} -- ip neigh")).contains(" dev flannel.1 lladdr "));

    // What cuts the tunnel cuts the pods of that node off, and nothing else.
    room.done(&format!("node run {other} -- iptables -I INPUT -p udp --dport 8472 -j DROP"));
    let cut = room.failed(&ask(&far));
    assert!(
        cut.ends_with(&format!("a rule added by hand to chain INPUT of node {other}\n")),
        "{cut}"
    );
    room.done(&ask(&near));
}

/// With tunnels a node has an address of its own among its pods', and masquerades with it: what
/// Linux 6.18 did with Flannel's devices and rules.
#[test]
fn masqueraded_packets_have_the_address_of_the_device_they_leave_by() {
    let mut room = with_web();
    let port = room.field("svc/web", ".spec.ports[0].nodePort");
    room.done("network mode vxlan");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let body = room.done(&format!("curl -s http://172.18.0.3:{port}/"));
        let line = body.lines().find_map(|line| line.strip_prefix("RemoteAddr: "));
        let Some(address) = line.and_then(|line| line.split_once(':')) else { panic!("{body}") };
        seen.insert(address.0.to_owned());
    }
    let seen: Vec<String> = seen.into_iter().collect();
    assert_eq!(seen, ["10.244.1.0", "10.244.1.1"], "to other nodes' pods, and to node-1's own");
}

#[test]
fn the_same_request_is_seen_beside_what_it_would_be_under_another_setting() {
    let mut room = with_web();
    let text =
        room.done("trace --from pod/curl --against 'proxy mode ipvs' curl -s -o /dev/null web");
    assert!(text.contains("\n- node node-") && text.contains("\n+ node node-"), "{text}");
    assert!(text.contains(" ipvs 10.96.") && text.contains(": round robin to 10.244."), "{text}");
    let examined = |sign: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{sign} = pod ")));
        let counted = line.and_then(|line| line.rsplit_once(" hops, ")).map(|(_, rest)| rest);
        let number = counted.and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
        number.unwrap_or_else(|| panic!("{text}"))
    };
    assert!(examined("-") > examined("+"), "{text}");
    // Nothing of it has happened.
    assert_eq!(room.done("proxy mode"), "iptables");

    // Local keeps the client's address, and drops where no pod is.
    let port = room.field("svc/web", ".spec.ports[0].nodePort");
    let patch = r#"kubectl patch svc web -p '{\"spec\":{\"externalTrafficPolicy\":\"Local\"}}'"#;
    let text = room.done(&format!("trace --against \"{patch}\" curl http://172.18.0.3:{port}"));
    let ends: Vec<&str> = text.lines().filter(|line| line.contains(" = ")).collect();
    let [left, right] = ends.as_slice() else { panic!("{text}") };
    assert!(left.contains("saw 172.18.0.3,") && right.contains("saw 198.51.100.7,"), "{text}");
    room.failed("trace --against 'kubectl patch svc none -p {}' curl http://172.18.0.3");
}

#[test]
fn traces_are_of_other_programs_too_and_from_the_current_namespace() {
    let mut room = with_web();
    let trace = room.done("trace --from pod/curl nc -zv web 80");
    assert!(trace.contains("A web.default.svc.cluster.local"), "{trace}");
    let trace = room.done("trace --from pod/curl nslookup web");
    assert!(trace.contains("dns 10.96.0.10: A web.default.svc.cluster.local -> 10."), "{trace}");
    room.done("kubectl create namespace other");
    room.done("kubectl config set-context --current --namespace=other");
    let trace = room.failed("trace --from pod/curl curl web");
    assert!(trace.contains("= not sent"), "{trace}");
    room.done("trace --from pod/default/curl wget -qO- http://web.default");
}

/// Models pkg/proxy/runner/bounded_frequency_runner.go: rules come a moment after the change, and
/// not again within a second.
#[test]
fn rules_come_a_moment_after_the_change_and_at_most_once_a_second() {
    let mut room = with_web();
    let rules = |room: &mut Room, port: &str| {
        let save = room.done("node run node-1 -- iptables-save -t nat");
        save.contains(&format!("--dport {port} "))
    };
    room.done("kubectl expose deployment web --name=a --port=81");
    assert!(!rules(&mut room, "81"), "at the moment of the change");
    room.done("sleep 0.5");
    assert!(rules(&mut room, "81"), "half a second later");
    room.done("kubectl expose deployment web --name=b --port=82");
    room.done("sleep 0.3");
    assert!(!rules(&mut room, "82"), "kube-proxy waits a second");
    room.done("sleep 0.7");
    assert!(rules(&mut room, "82"));
}

#[test]
fn a_burst_is_counted_by_pod_against_exact_shares_and_a_kept_connection_stays_with_its_pod() {
    let mut room = with_web();
    let text = room.done("burst -n 60 --from pod/curl curl http://web");
    assert!(
        text.starts_with("60 requests over 60 connections in 0.000 s: 60 answered, 0 failed"),
        "{text}"
    );
    assert_eq!(text.matches(" expected  33.3 % (1/3)").count(), 3, "{text}");
    let counts = |text: &str| -> Vec<u32> {
        let lines = text.lines().skip(1).filter_map(|line| line.split(" expected").next());
        lines.filter_map(|line| line.split_whitespace().rev().nth(2)?.parse().ok()).collect()
    };
    assert_eq!(counts(&text).iter().sum::<u32>(), 60, "{text}");
    assert!(counts(&text).iter().all(|count| *count > 5), "{text}");
    // Two connections can be with two Pods at most.
    let text = room.done("burst -n 60 --keepalive 2 --from pod/curl curl http://web");
    assert!(text.starts_with("60 requests over 2 connections"), "{text}");
    assert!(counts(&text).iter().filter(|count| **count > 0).count() <= 2, "{text}");
    assert!(counts(&text).iter().all(|count| [0, 30, 60].contains(count)), "{text}");
}

/// Processes that end at once while rules still lead to them: what a `preStop` hook is for.
#[test]
fn requests_fail_during_a_rollout_while_rules_lead_to_pods_that_have_ended() {
    let mut room = with_web();
    let text = room.failed(
        "kubectl rollout restart deployment web; burst -n 400 --rate 20 --from pod/curl curl http://web",
    );
    assert!(text.contains(" refused: nothing listens on port 80 of pod default/web-"), "{text}");
    assert!(text.contains("; saved by lifecycle.preStop with a sleep"), "{text}");
    // A while after the rollout all is well again.
    room.done("sleep 60");
    room.done("burst -n 100 --from pod/curl curl http://web");
    // Connections that are kept alive are closed by the Pod that ends, and opened to another one.
    let restart = "kubectl rollout restart deployment web; burst -n 400 --rate 20 --keepalive 3";
    let text = room.run(&format!("{restart} --from pod/curl curl http://web"));
    let first = text.lines().nth(1).unwrap_or_default();
    let opened = first.split(" over ").nth(1).and_then(|rest| rest.split(' ').next());
    let opened: u32 = opened.and_then(|word| word.parse().ok()).unwrap_or(0);
    assert!((6..100).contains(&opened), "{text}");
}
