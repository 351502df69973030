//! A load balancer that people build by hand in front of node ports: what it does, and what nobody
//! tells it. Its file is HAProxy's, its words too.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

const CHECKED: &str = include_str!("../static/samples/haproxy.cfg");

/// Four pods behind a node port, and HAProxy with the sample's file, or another one.
fn shop(file: &str) -> Room {
    let mut room = Room::with_gateways();
    room.done("kubectl create deployment web --image=traefik/whoami --replicas=4");
    room.apply("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}}");
    room.done("sleep 30");
    room.done(&format!("cat > haproxy.cfg <<'EOF'\n{file}\nEOF"));
    room.done("haproxy -f haproxy.cfg");
    room
}

fn with_checks() -> String {
    CHECKED.replace(":30080", ":30080 check")
}

/// The servers that requests were led to, one after the other.
fn turns(room: &mut Room, count: usize) -> Vec<String> {
    let one = |_| {
        let trace = room.run("trace curl -m 60 http://198.51.100.200/");
        let line = trace.lines().find(|line| line.contains(": server ")).unwrap_or_default();
        let name = line.split(": server ").nth(1).and_then(|rest| rest.split(' ').next());
        name.unwrap_or("none").to_owned()
    };
    (0..count).map(one).collect()
}

#[test]
fn it_takes_turns_among_the_lines_of_its_file() {
    let mut room = shop(CHECKED);
    assert_eq!(turns(&mut room, 4), ["node-1", "node-2", "node-3", "node-1"]);
    let trace = room.done("trace curl http://198.51.100.200/");
    assert!(
        trace.contains(
            "load balancer 198.51.100.200: server node-2 172.18.0.4:30080 (1 of 3, 0 down)"
        ),
        "{trace}"
    );
    // The pod sees a node, since the node port masquerades, or the machine's own address.
    assert!(trace.contains("answered 200") && !trace.contains("saw 198.51.100.7"), "{trace}");
    assert_eq!(room.done("haproxy -c -f haproxy.cfg"), "Configuration file is valid");
    room.done("haproxy stop");
    assert!(room.failed("curl -m 5 -sS http://198.51.100.200/").contains("(28)"));
}

#[test]
fn without_checks_a_third_of_the_clients_wait_for_a_dead_node_in_vain() {
    let mut room = shop(CHECKED);
    room.done("node stop node-2");
    room.done("sleep 60");
    let lost: Vec<bool> = (0..3)
        .map(|_| {
            room.run("curl -m 60 -sS http://198.51.100.200/")
                .contains("(52) Empty reply from server")
        })
        .collect();
    assert_eq!(lost, [false, true, false]);
    room.run("curl -sS http://198.51.100.200/");
    let trace = room.run("trace curl http://198.51.100.200/");
    assert!(
        trace.contains(
            "server node-2 172.18.0.4:30080 in the load balancer's file: node node-2 is down"
        ),
        "{trace}"
    );
}

#[test]
fn with_checks_it_notices_after_three_of_them() {
    let mut room = shop(&with_checks());
    room.done("node stop node-2");
    // Three checks, two seconds apart.
    room.done("sleep 3");
    assert!(turns(&mut room, 3).contains(&"node-2".to_owned()));
    room.done("sleep 4");
    assert!(!turns(&mut room, 4).contains(&"node-2".to_owned()));
    let status = room.done("haproxy status");
    let line = status.lines().find(|line| line.contains("node-2")).unwrap_or_default();
    assert!(line.contains("DOWN"), "{status}");
}

#[test]
fn with_redispatch_the_client_waits_and_is_served_by_another() {
    let mut room = shop(&CHECKED.replace("mode tcp", "mode tcp\n    option redispatch"));
    room.done("node stop node-1");
    room.done("sleep 60");
    let trace = room.run("trace curl http://198.51.100.200/");
    assert!(trace.contains("server node-1 timed out after 15 s"), "{trace}");
    assert!(
        trace.contains("server node-2 172.18.0.4:30080") && trace.contains("answered 200"),
        "{trace}"
    );
}

#[test]
fn nobody_tells_it_of_another_port_or_another_node() {
    let mut room = shop(CHECKED);
    room.done("node add");
    room.done("sleep 60");
    assert!(room.done("haproxy status").contains("not in the file: node-4"));
    assert!(!turns(&mut room, 6).contains(&"node-4".to_owned()));
    let port = r#"[{"op":"replace","path":"/spec/ports/0/nodePort","value":30081}]"#;
    room.done(&format!("kubectl patch svc web --type=json -p '{port}'"));
    room.done("sleep 5");
    let trace = room.run("trace curl http://198.51.100.200/");
    assert!(
        trace.contains("port 30080 of node") && trace.contains("is no Service's node port"),
        "{trace}"
    );
    // Who is told, writes it into the file and loads it anew.
    room.done("sed 's/:30080/:30081/' haproxy.cfg > new.cfg");
    room.done("haproxy -f new.cfg");
    assert!(room.done("curl -s http://198.51.100.200/").contains("Hostname: web-"));
    // A node that is gone stays in it.
    room.done("node remove node-3");
    room.done("sleep 60");
    let trace: Vec<String> =
        (0..3).map(|_| room.run("trace curl http://198.51.100.200/")).collect();
    assert!(trace.iter().any(|it| it.contains("nobody has address 172.18.0.5")), "{trace:?}");
}

#[test]
fn with_http_it_answers_503_and_passes_the_client_on() {
    let file = with_checks().replace("mode tcp", "mode http\n    option forwardfor");
    let mut room = shop(&file);
    assert!(room.done("curl -s http://198.51.100.200/").contains("X-Forwarded-For: 198.51.100.7"));
    room.done("kubectl scale deployment web --replicas=0");
    room.done("sleep 30");
    let said = room.done("curl -si http://198.51.100.200/");
    assert!(
        said.starts_with("HTTP/1.1 503 ")
            && said.contains("No server is available to handle this request."),
        "{said}"
    );
    assert!(
        room.run("trace curl http://198.51.100.200/").contains("have found all 3 servers down")
    );
}

#[test]
fn a_file_with_faults_is_refused_line_by_line_and_the_old_one_stays() {
    let mut room = shop(CHECKED);
    room.done("cat > bad.cfg <<'EOF'\nlisten web\n  bind *:80\n  acl here path /\n  server one 172.18.0.3:30080 chek\nEOF");
    let said = room.failed("haproxy -f bad.cfg");
    let expected = [
        "[ALERT]    (1) : config : parsing [bad.cfg:3] : unknown keyword 'acl' in 'listen' section",
        "[ALERT]    (1) : config : parsing [bad.cfg:4] : 'server one' : unknown keyword 'chek'.",
        "[ALERT]    (1) : config : Error(s) found in configuration file : bad.cfg",
        "[ALERT]    (1) : config : Fatal errors found in configuration.",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    assert!(room.done("curl -s http://198.51.100.200/").contains("Hostname: web-"));
    assert!(room.failed("curl -sS http://198.51.100.200:8080/").contains("(7)"));
}
