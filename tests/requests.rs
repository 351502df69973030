//! Requests in a classroom, typed into its console: who answers, and why nobody does.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::expect_used, clippy::panic, reason = "a test stops where it cannot go on")]

use diorama::console::{Console, Output};
use diorama::trace::{Cause, Outcome, PacketTrace, Server};
use diorama::world::{ClusterConfig, World};
use std::sync::Arc;

const MODES: [&str; 3] = ["iptables", "nftables", "ipvs"];

/// A classroom with a console.
struct Room {
    world: World,
    console: Console,
}

impl Room {
    /// Two Deployments with Services of every type, an Ingress, and a pod to ask from.
    fn new(mode: &str) -> Self {
        let mut world = World::new(ClusterConfig::classroom(), 7);
        world.run_for(core::time::Duration::from_secs(60));
        let mut room = Room { world, console: Console::new() };
        for line in [
            &format!("proxy mode {mode}"),
            "kubectl create deployment web --image=traefik/whoami --replicas=3",
            "kubectl create deployment shop --image=nginx:1.27 --replicas=1",
            "kubectl expose deployment web --port=80",
            "kubectl expose deployment web --name=web-np --port=80 --type=NodePort",
            "kubectl expose deployment web --name=web-lb --port=80 --type=LoadBalancer",
            "kubectl expose deployment shop --port=80",
            "kubectl create ingress web --class=nginx --rule=shop.example.com/api*=web:80 --rule=shop.example.com/*=shop:80",
            "kubectl run box --image=busybox:1.36 -- sleep infinity",
            "kubectl run curl --image=curlimages/curl --command -- sleep infinity",
            "sleep 60",
        ] {
            room.done(line);
        }
        room
    }

    fn run(&mut self, line: &str) -> Output {
        self.console.execute(&mut self.world, line, None)
    }

    /// What a command prints that must go well.
    fn done(&mut self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.exit, 0, "{line}: {}{}", output.stdout, output.stderr);
        output.stdout
    }

    /// What one field of an object says.
    fn field(&mut self, what: &str, path: &str) -> String {
        self.done(&format!("kubectl get {what} -o jsonpath={{{path}}}"))
    }

    /// The way of the request that a command sent.
    fn trace(&mut self) -> Arc<PacketTrace> {
        self.world.take_trace().expect("a request was sent")
    }

    /// A command that fails: its exit code, what it says, and the cause.
    fn fails(&mut self, line: &str) -> (i32, String, Cause) {
        let output = self.run(line);
        let trace = self.trace();
        let Outcome::Failed(failure) = &trace.outcome else {
            panic!("{line}: {}", trace.to_text())
        };
        (output.exit, output.stderr, failure.cause.clone())
    }

    /// Which pod answered the last request.
    fn answered_by(&mut self) -> String {
        let trace = self.trace();
        match &trace.outcome {
            Outcome::Answered { server: Server::Pod { pod, .. }, .. } => pod.name.to_string(),
            _ => panic!("{}", trace.to_text()),
        }
    }
}

fn in_every_mode(mut check: impl FnMut(&mut Room, &str)) {
    for mode in MODES {
        check(&mut Room::new(mode), mode);
    }
}

#[test]
fn a_pod_reaches_a_service_by_every_form_of_its_name() {
    in_every_mode(|room, mode| {
        for name in ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local"] {
            let body = room.done(&format!("kubectl exec box -- wget -qO- http://{name}"));
            let pod = room.answered_by();
            assert!(body.contains(&format!("Hostname: {pod}\n")), "{mode} {name}: {body}");
            let ip = room.field("pod/box", ".status.podIP");
            assert!(body.contains(&format!("RemoteAddr: {ip}:")), "{mode} {name}: {body}");
        }
    });
}

#[test]
fn a_node_port_is_open_on_every_node() {
    in_every_mode(|room, mode| {
        let port = room.field("svc/web-np", ".spec.ports[0].nodePort");
        for node in 2..=5 {
            let body = room.done(&format!("curl -s http://172.18.0.{node}:{port}/"));
            let pod = room.answered_by();
            assert!(body.contains(&format!("Hostname: {pod}\n")), "{mode}: {body}");
        }
    });
}

#[test]
fn a_load_balancer_spreads_requests_over_all_pods() {
    in_every_mode(|room, mode| {
        let ip = room.field("svc/web-lb", ".status.loadBalancer.ingress[0].ip");
        let mut pods = std::collections::BTreeSet::new();
        for _ in 0..40 {
            room.done(&format!("curl -s http://{ip}"));
            pods.insert(room.answered_by());
        }
        assert_eq!(pods.len(), 3, "{mode}");
    });
}

#[test]
fn an_ingress_tells_hosts_and_paths_apart() {
    in_every_mode(|room, mode| {
        let api = room.done("curl -s http://shop.example.com/api/items");
        assert!(api.contains("GET /api/items HTTP/1.1\nHost: shop.example.com\n"), "{mode}: {api}");
        let page = room.done("curl -s http://shop.example.com/");
        assert!(page.contains("Welcome to nginx!"), "{mode}: {page}");
        let ip = room.field(
            "svc/ingress-nginx-controller -n ingress-nginx",
            ".status.loadBalancer.ingress[0].ip",
        );
        let code = "-s -o /dev/null -w '%{http_code}'";
        assert_eq!(
            room.done(&format!("curl {code} -H 'Host: shop.example.com' http://{ip}/")),
            "200"
        );
        assert_eq!(room.done(&format!("curl {code} http://{ip}/")), "404");
        let pinned = format!("--resolve shop.example.com:80:{ip}");
        assert_eq!(room.done(&format!("curl {code} {pinned} http://shop.example.com/")), "200");
        room.done("kubectl scale deployment shop --replicas=0");
        room.done("sleep 40");
        assert_eq!(room.done(&format!("curl {code} http://shop.example.com/")), "503");
    });
}

#[test]
fn a_node_and_its_processes_can_ask_too() {
    in_every_mode(|room, mode| {
        let ip = room.field("svc/web", ".spec.clusterIP");
        let body = room.done(&format!("node run node-1 -- curl -s http://{ip}"));
        assert!(body.contains("Hostname: web-"), "{mode}: {body}");
        let version = room.run("kubectl exec curl -- curl -sk https://kubernetes/");
        assert!(version.stdout.contains("system:anonymous"), "{mode}: {version:?}");
        let strict = room.run("kubectl exec curl -- curl -s https://kubernetes/");
        assert_eq!(strict.exit, 60, "{mode}: {strict:?}");
    });
}

#[test]
fn a_service_without_endpoints_refuses() {
    in_every_mode(|room, mode| {
        room.done("kubectl scale deployment web --replicas=0");
        room.done("sleep 40");
        let (exit, said, cause) = room.fails("kubectl exec curl -- curl -s -S web");
        assert_eq!(exit, 7, "{mode}: {said}");
        assert!(said.contains("Failed to connect to web port 80"), "{mode}: {said}");
        let Cause::NoEndpoints { why, .. } = cause else { panic!("{mode}: {cause}") };
        assert!(why.not_ready.is_empty() && why.nearly.is_empty(), "{mode}: {why}");
    });
}

#[test]
fn a_selector_with_a_slip_is_seen_beside_the_label_it_meant() {
    in_every_mode(|room, mode| {
        room.done(r#"kubectl patch service web -p '{"spec":{"selector":{"app":"wep"}}}'"#);
        room.done("sleep 5");
        let (exit, said, cause) = room.fails("kubectl exec box -- wget -qO- web");
        assert_eq!(exit, 1, "{mode}: {said}");
        assert!(said.contains("Connection refused"), "{mode}: {said}");
        let Cause::NoEndpoints { why, .. } = cause else { panic!("{mode}: {cause}") };
        assert!(why.to_string().contains("has app=web, not wep"), "{mode}: {why}");
    });
}

#[test]
fn a_wrong_port_is_told_from_a_right_one() {
    in_every_mode(|room, mode| {
        let (exit, _, cause) = room.fails("kubectl exec curl -- curl -s -m 2 web:81");
        // Only nftables' rules refuse it; others let it go where nobody is. IPVS' address is the
        // node's own, where nothing listens.
        let expected = if mode == "iptables" { 28 } else { 7 };
        assert_eq!(exit, expected, "{mode}: {cause}");
        if mode != "ipvs" {
            assert!(matches!(cause, Cause::WrongPort { port: 81, .. }), "{mode}: {cause}");
        }
    });
}

#[test]
fn a_target_port_that_nothing_listens_on_refuses() {
    in_every_mode(|room, mode| {
        room.done(
            r#"kubectl patch service shop -p '{"spec":{"ports":[{"port":80,"targetPort":8080}]}}'"#,
        );
        room.done("sleep 5");
        let (exit, _, cause) = room.fails("kubectl exec curl -- curl -s shop");
        assert_eq!(exit, 7, "{mode}");
        assert!(matches!(cause, Cause::NothingListens { port: 8080, .. }), "{mode}: {cause}");
    });
}

#[test]
fn a_stopped_node_is_silent_and_time_passes() {
    in_every_mode(|room, mode| {
        let port = room.field("svc/web-np", ".spec.ports[0].nodePort");
        room.done("node stop node-2");
        let begin = room.world.now();
        let (exit, said, cause) = room.fails(&format!("curl http://172.18.0.4:{port}/"));
        assert_eq!((exit, room.world.now().since(begin).as_secs()), (28, 134), "{mode}: {said}");
        assert_eq!(cause, Cause::NodeDown(Arc::from("node-2")), "{mode}");
        let begin = room.world.now();
        let (exit, said, _) = room.fails(&format!("curl -m 3 http://172.18.0.4:{port}/"));
        assert_eq!((exit, room.world.now().since(begin).as_secs()), (28, 3), "{mode}: {said}");
        assert_eq!(said, "curl: (28) Connection timed out after 3000 milliseconds\n");
    });
}

#[test]
fn a_local_policy_drops_where_no_pod_is() {
    in_every_mode(|room, mode| {
        room.done(
            r#"kubectl patch service web-np -p '{"spec":{"externalTrafficPolicy":"Local"}}'"#,
        );
        room.done("sleep 5");
        let port = room.field("svc/web-np", ".spec.ports[0].nodePort");
        // No pod runs on the control plane.
        let line = format!("curl -m 2 http://172.18.0.2:{port}/");
        if mode == "ipvs" {
            // kube-proxy gives IPVS all endpoints where it has none of its own.
            let _ = room.run(&line);
            return;
        }
        let (exit, _, cause) = room.fails(&line);
        assert_eq!(exit, 28, "{mode}");
        assert!(
            matches!(&cause, Cause::NoLocalEndpoints { node, .. } if &**node == "cp-1"),
            "{mode}: {cause}"
        );
        let body = room.done(&format!("curl -s http://172.18.0.3:{port}/"));
        assert!(body.contains("RemoteAddr: 198.51.100.7:"), "{mode}: the client is seen: {body}");
    });
}

#[test]
fn an_unknown_host_is_not_resolved() {
    in_every_mode(|room, mode| {
        let (exit, said, cause) = room.fails("kubectl exec curl -- curl -s -S nobody");
        assert_eq!(exit, 6, "{mode}");
        assert!(said.starts_with("curl: (6) Could not resolve host: nobody\n"), "{said}");
        assert_eq!(cause, Cause::NoSuchName(Arc::from("nobody")));
        let (exit, said, _) = room.fails("curl http://nobody/");
        assert_eq!((exit, said.as_str()), (6, "curl: (6) Could not resolve host: nobody\n"));
        assert_eq!(room.run("curl http://web:x/").exit, 3);
    });
}

const DENY: &str = "kubectl apply -f - <<EOF
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {matchLabels: {KEY: VALUE}}, policyTypes: [TYPE]}
EOF";

#[test]
fn a_network_policy_denies_in_silence() {
    in_every_mode(|room, mode| {
        let ingress = DENY.replace("KEY: VALUE", "app: web").replace("TYPE", "Ingress");
        room.done(&ingress);
        let (exit, _, cause) = room.fails("kubectl exec curl -- curl -s -m 2 web");
        assert_eq!(exit, 28, "{mode}");
        assert!(matches!(&cause, Cause::Policy { policies, .. } if policies.len() == 1), "{cause}");
        room.done("kubectl delete networkpolicy deny");
        room.done("kubectl exec curl -- curl -s -m 2 web");
    });
}

#[test]
fn a_policy_against_all_egress_takes_names_away_too() {
    let mut room = Room::new("iptables");
    room.done(&DENY.replace("KEY: VALUE", "run: curl").replace("TYPE", "Egress"));
    let (exit, said, cause) = room.fails("kubectl exec curl -- curl web");
    assert_eq!(exit, 6, "{said}");
    let Cause::NoNameServer { why, .. } = &cause else { panic!("{cause}") };
    assert!(matches!(**why, Cause::Policy { .. }), "{cause}");
    let output = room.run("kubectl exec curl -- nslookup web");
    assert!(output.stdout.contains("no servers could be reached"), "{output:?}");
}

#[test]
fn a_rule_added_by_hand_acts_until_it_is_taken_away_and_stays_when_services_change() {
    for mode in ["iptables", "nftables", "ipvs"] {
        let mut room = Room::new(mode);
        let node = room.field("pod/curl", ".spec.nodeName");
        // IPVS takes packets before they would be forwarded.
        let chain = if mode == "ipvs" { "INPUT" } else { "FORWARD" };
        let rule = format!("{chain} -p tcp --dport 80 -j DROP");
        room.done(&format!("node run {node} -- iptables -I {rule}"));
        room.done("kubectl expose deployment web --name=other --port=80");
        room.done("sleep 5");
        let (exit, _, cause) = room.fails("kubectl exec curl -- curl -s -m 2 web");
        assert_eq!(exit, 28, "{mode}: {cause}");
        assert!(matches!(cause, Cause::RuleByHand { .. }), "{mode}: {cause}");
        room.done(&format!("node run {node} -- iptables -D {rule}"));
        room.done("kubectl exec curl -- curl -s -m 2 web");
        let gone = room.run(&format!("node run {node} -- iptables -D {rule}"));
        assert_eq!(gone.exit, 1, "{gone:?}");
    }
}

#[test]
fn kube_proxy_writes_its_own_chains_anew() {
    let mut room = Room::new("iptables");
    room.done("node run node-1 -- iptables -t nat -F KUBE-SERVICES");
    let list = "node run node-1 -- iptables -t nat -S KUBE-SERVICES";
    assert_eq!(room.done(list).lines().count(), 1);
    room.done("node run node-1 -- iptables -I FORWARD -j DROP");
    room.done("node run node-1 -- iptables -F");
    let jumps = "node run node-1 -- iptables -t nat -S PREROUTING";
    room.done("node run node-1 -- iptables -t nat -D PREROUTING 1");
    assert_eq!(room.done(jumps), "-P PREROUTING ACCEPT\n");
    room.done("kubectl expose deployment web --name=other --port=80");
    room.done("sleep 5");
    assert!(room.done(list).lines().count() > 5);
    assert!(room.done(jumps).contains("-j KUBE-SERVICES"));
    assert!(!room.done("node run node-1 -- iptables -S FORWARD").contains("DROP"));
}

#[test]
fn images_have_the_programs_that_they_really_have() {
    let mut room = Room::new("iptables");
    for (line, exit, says) in [
        ("kubectl exec deploy/shop -- curl -s web", 0, "Hostname: web-"),
        ("kubectl exec deploy/shop -- wget -qO- web", 1, "executable file not found in $PATH"),
        ("kubectl exec deploy/web -- curl web", 1, "executable file not found in $PATH"),
        ("kubectl exec box -- sh -c 'curl web'", 127, "sh: curl: not found"),
        ("kubectl exec box -- sh -c 'wget -qO- web && echo fine'", 0, "fine\n"),
        ("kubectl exec box -- nc -zv web 80", 0, ":80) open\n"),
        ("kubectl exec box -- nslookup kubernetes.default.svc.cluster.local", 0, "10.96.0.1\n"),
        ("kubectl exec box -- cat /etc/resolv.conf", 0, "options ndots:5"),
        ("nslookup shop.example.com", 0, "203.0.113."),
        ("wget -qO- http://shop.example.com/", 0, "Welcome to nginx!"),
    ] {
        let output = room.run(line);
        let text = format!("{}{}", output.stdout, output.stderr);
        assert_eq!(output.exit, exit, "{line}: {text}");
        assert!(text.contains(says), "{line}: {text}");
    }
}

#[test]
fn a_pod_for_one_command_prints_what_it_gets_and_goes() {
    let mut room = Room::new("iptables");
    let run = "kubectl run tmp --rm -it --restart=Never --image=busybox -- wget -qO-";
    let text = room.done(&format!("{run} web"));
    assert!(text.contains("Hostname: web-"), "{text}");
    assert!(text.ends_with("pod \"tmp\" deleted from default namespace\n"), "{text}");
    room.done("sleep 40");
    let output = room.run(&format!("{run} -T 2 nobody"));
    assert_eq!(
        // A terminal has one stream.
        (output.exit, output.stdout.contains("bad address 'nobody'")),
        (1, true),
        "{output:?}"
    );
}

#[test]
fn a_trace_is_shown_as_text_and_as_json_from_wherever_it_begins() {
    in_every_mode(|room, mode| {
        let text = room.done("trace --from pod/default/box curl web");
        assert!(text.contains("pod default/box: sends"), "{mode}: {text}");
        assert!(text.lines().last().is_some_and(|line| line.contains("answered 200")), "{text}");
        let json = room.done("trace curl http://shop.example.com/ -o json");
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(value["outcome"]["kind"], "answered", "{mode}");
        let text = room.done("trace --from node/node-1 curl http://172.18.0.4:10250/");
        assert!(text.contains("node node-1: sends"), "{mode}: {text}");
    });
}

#[test]
fn each_hop_of_a_trace_is_told_in_the_language_of_the_session() {
    in_every_mode(|room, mode| {
        let port = room.field("svc/web-np", ".spec.ports[0].nodePort");
        let ask = format!("trace curl http://172.18.0.3:{port}");
        let text = room.done(&ask);
        for told in [
            "     The packet comes in by the node's door.",
            "     The kernel notes the connection (conntrack)",
            "     tcp      6 119 SYN_SENT src=198.51.100.7 dst=172.18.0.3 ",
            "     dst: 172.18.0.3:",
            "     One of 3, ",
            "     The answer is back.",
        ] {
            assert!(text.contains(told), "{mode}: no {told:?} in {text}");
        }
        // What chance chose stands between asterisks, and is where the packet goes.
        let lots = text.lines().find(|line| line.contains("One of 3, ")).expect("a draw");
        let chosen =
            lots.split('*').nth(1).expect("a choice").split(' ').next().unwrap_or_default();
        let goes = |line: &str| line.contains("dst: ") && line.ends_with(&format!("=> {chosen}"));
        assert!(text.lines().any(goes), "{mode}: {chosen} in {text}");

        let json = room.done(&format!("{ask} -o json"));
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let hops = value["hops"].as_array().expect("hops");
        let is_told =
            |hop: &serde_json::Value| hop["sentence"].as_str().is_some_and(|it| it.len() > 3);
        assert!(hops.iter().all(is_told), "{mode}: {json}");
        assert!(hops.iter().any(|hop| hop["changed"][0]["field"] == "dst"), "{mode}: {json}");
        assert!(hops.iter().any(|hop| hop["entry"].is_string()), "{mode}: {json}");
        assert!(hops.iter().any(|hop| hop["lots"]["among"] == 3), "{mode}: {json}");

        room.console.lang = diorama::text::Lang::Es;
        let text = room.done(&ask);
        assert!(text.contains("     La respuesta ha vuelto."), "{text}");
        assert!(!text.contains("The answer is back."), "{mode}: {text}");
        room.console.lang = diorama::text::Lang::En;
    });
}

#[test]
fn a_ping_is_followed_to_the_kernel_that_answers_it() {
    in_every_mode(|room, mode| {
        let ip = room.field("pod/curl", ".status.podIP");
        let text = room.done(&format!("trace --from pod/box ping {ip}"));
        assert!(text.contains("answers the echo request"), "{mode}: {text}");
        let last = text.lines().last().unwrap_or_default();
        assert!(last.starts_with("= pod default/curl answered; saw 10.244."), "{mode}: {last}");
        let none = room.run("trace --from pod/box ping web").stdout;
        assert!(none.contains("default/web is no machine that answers a ping"), "{mode}: {none}");
    });
}

#[test]
fn a_nodes_own_tools_show_what_decides() {
    let mut room = Room::new("iptables");
    let save = room.done("node run node-1 -- iptables-save -t nat");
    assert!(save.starts_with("# Generated by iptables-save") && save.contains("*nat\n"), "{save}");
    assert!(!save.contains("*filter"));
    let list = room.done("node run node-1 -- iptables -t nat -L KUBE-SERVICES -n");
    assert!(list.contains("/* default/web cluster IP */ tcp dpt:80"), "{list}");
    room.done("kubectl exec curl -- curl -s web");
    let node = room.field("pod/curl", ".spec.nodeName");
    let table = room.done(&format!("node run {node} -- conntrack -L"));
    assert!(table.contains("dport=80 src=10.244."), "{table}");
    room.done("proxy mode nftables");
    assert!(room.done("node run node-1 -- nft list ruleset").contains("map service-ips {"));
    room.done("proxy mode ipvs");
    assert!(room.done("node run node-1 -- ipvsadm -Ln").contains(":80 rr\n"));
    assert!(room.done("node run node-1 -- ip addr").contains("kube-ipvs0"));
    room.done("node stop node-1");
    assert_eq!(room.run("node run node-1 -- iptables-save").exit, 255);
}

#[test]
fn what_was_meant_is_told_by_protocol_policy_and_name_server() {
    in_every_mode(|room, mode| {
        let (_, _, cause) = room.fails("kubectl exec box -- nc -z -u -w 1 web 80");
        let expected = "default/web has port 80 for TCP, not for UDP";
        assert_eq!(cause.to_string(), expected, "{mode}");
        let address = room.field("svc/shop", ".spec.clusterIP");
        room.done(r#"kubectl patch service shop -p '{"spec":{"internalTrafficPolicy":"Local"}}'"#);
        room.done("sleep 5");
        let (_, _, cause) = room.fails(&format!("trace --from node/cp-1 curl http://{address}"));
        let Cause::NoLocalEndpoints { is_internal: true, .. } = cause else {
            panic!("{mode}: {cause}")
        };
        // A node asks another name server than Pods do.
        let (_, _, cause) =
            room.fails("trace --from node/cp-1 curl http://shop.default.svc.cluster.local");
        let expected = "name server 172.18.0.1 does not know Service default/shop";
        assert_eq!(cause.to_string(), expected, "{mode}");
        // Only iptables' rules take node ports at loopback addresses.
        let port = room.field("svc/web-np", ".spec.ports[0].nodePort");
        let line = format!("trace --from node/node-1 curl http://127.0.0.1:{port}");
        match mode {
            "iptables" => drop(room.done(&line)),
            _ => {
                let (_, _, cause) = room.fails(&line);
                assert!(matches!(cause, Cause::NodePortOnLoopback { .. }), "{mode}: {cause}");
            }
        }
    });
}
