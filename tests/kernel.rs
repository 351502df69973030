//! The rules in a real kernel: it takes them, lists them as we print them, and sends packets where
//! the model sends them.
//!
//! Needs Linux, root, and Debian's iptables, nftables, nfacct and iproute2; where they are missing,
//! the tests say so and pass. Everything happens in network namespaces of its own.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where it cannot go on"
)]

use diorama::base::SimTime;
use diorama::net::conntrack::Connection;
use diorama::net::dice::{Dice, Path};
use diorama::net::iptables::command::{Command as Asked, parse};
use diorama::net::memory::Memory;
use diorama::net::packet::Endpoint;
use diorama::net::table::Hook;
use diorama::net::walk::{Device, Fate, Surroundings, Walk};
use diorama::net::{Family, Packet, Protocol, Ruleset};
use diorama::proxy::{Input, Mode, rules};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const OBJECTS: &str = "tests/conformance/proxy/08-proxy-objects.yaml";
/// The packages' programs that are needed.
const TOOLS: [&str; 6] = ["unshare", "ip", "iptables-restore", "nft", "nfacct", "conntrack"];
/// What the rules count by name; kube-proxy makes them at its start.
const ACCOUNTS: &str =
    "nfacct add ct_state_invalid_dropped_pkts; nfacct add localhost_nps_accepted_pkts";

/// Says what it is that keeps these tests from running here, if anything does.
fn missing() -> Option<String> {
    let succeeds = |line: &str| {
        let done = Command::new("sh").args(["-c", line]).stderr(Stdio::null()).output();
        done.is_ok_and(|output| output.status.success())
    };
    let absent = TOOLS.iter().find(|tool| !succeeds(&format!("command -v {tool}")));
    match absent {
        Some(tool) => Some(format!("there is no {tool}")),
        None if !succeeds("test $(id -u) = 0") => Some("this needs root".to_owned()),
        None if !succeeds(
            "unshare -m -n sh -ec 'nft list ruleset; iptables -nL; nfacct add x; ip link add cable0 type veth peer name cable1; conntrack -L'",
        ) =>
        {
            Some("network namespaces, or netfilter in them, are not to be had".to_owned())
        }
        None => None,
    }
}

/// Whether the tests can run; otherwise says why not, past what captures tests' output.
fn can_run() -> bool {
    let missing = missing();
    if let Some(why) = &missing {
        let _ = writeln!(std::io::stderr(), "skipped, since {why}: tests/kernel.rs");
    }
    missing.is_none()
}

/// Runs a script in a network namespace of its own and gives what it prints.
fn in_namespace(script: &str, stdin: &str) -> Result<String, String> {
    let mut child = Command::new("unshare")
        .args(["-m", "-n", "sh", "-ec", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(stdin.as_bytes()).map_err(|error| error.to_string())?;
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn cases() -> impl Iterator<Item = (String, &'static str)> {
    let folder = "tests/conformance/proxy";
    [("08-proxy", "node-1"), ("services", "node-2"), ("ranges", "node-3"), ("dual-stack", "node-1")]
        .into_iter()
        .map(move |(name, node)| {
            let file = std::fs::read_to_string(format!("{folder}/{name}-objects.yaml"));
            (file.expect("objects"), node)
        })
}

#[test]
fn nft_takes_the_rules_and_lists_them_as_we_do() {
    if !can_run() {
        return;
    }
    // A set of which one range is left loses its braces when it is loaded once more.
    for (objects, node) in cases().filter(|(_, node)| *node != "node-3") {
        let ours = diorama::proxy::print(&objects, node, "nftables").expect("rules");
        let script =
            "cat > /tmp/$$; nft -c -f /tmp/$$; nft -f /tmp/$$; rm /tmp/$$; nft list ruleset";
        let listed = in_namespace(script, &ours).expect("nft takes them");
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let (listed, ours) = (lines(&listed), lines(&ours));
        let differing: Vec<&String> = listed.symmetric_difference(&ours).collect();
        assert!(differing.is_empty(), "nft lists something else for {node}: {differing:#?}");
    }
}

/// The lines of `iptables-save` without what time puts there.
fn rules_of(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(" [").next().unwrap_or_default()).collect()
}

#[test]
fn iptables_takes_the_rules_and_saves_them_as_we_do() {
    if !can_run() {
        return;
    }
    for (objects, node) in cases() {
        let ours = diorama::proxy::print(&objects, node, "iptables").expect("rules");
        let six = ours.find("# Generated by ip6tables-save").unwrap_or(ours.len());
        let families = ours.split_at(six);
        for (program, text) in [("iptables", families.0), ("ip6tables", families.1)] {
            let script = format!(
                "cat > /tmp/$$; {ACCOUNTS}; {program}-restore --test /tmp/$$; \
                 {program}-restore /tmp/$$; rm /tmp/$$; {program}-save"
            );
            let saved = in_namespace(&script, text).expect("iptables takes them");
            assert_eq!(rules_of(&saved), rules_of(text), "{node}");
        }
    }
}

/// One connection that is tried: who asks, and whom.
type Flow = (&'static str, &'static str);

const NODE: &str = "172.18.0.3";
const POD: &str = "10.244.1.57";
const ENDPOINT: &str = "10.244.1.27";
const OTHER_POD: &str = "10.244.2.57";
const OUTSIDE: &str = "198.51.100.77";
const ALLOWED: &str = "203.0.113.5";
/// Where servers listen on port 80 (and, on the first, on 8080).
const SERVERS: [&str; 3] = [ENDPOINT, "10.244.2.19", "10.244.4.16"];

const FLOWS: [Flow; 22] = [
    (POD, "10.96.10.1:80"),
    (NODE, "10.96.10.1:80"),
    (OUTSIDE, "10.96.10.1:80"),
    (ENDPOINT, "10.96.10.1:80"),
    (POD, "10.96.10.4:80"),
    (POD, "10.96.10.6:80"),
    (OUTSIDE, "172.18.0.3:30082"),
    (OUTSIDE, "172.18.0.3:30081"),
    (POD, "172.18.0.3:30081"),
    (OTHER_POD, "172.18.0.3:30081"),
    (NODE, "172.18.0.3:30081"),
    (OUTSIDE, "172.18.0.3:30083"),
    (OUTSIDE, "198.51.100.7:80"),
    (POD, "198.51.100.7:80"),
    (ALLOWED, "192.0.2.10:80"),
    (OUTSIDE, "192.0.2.10:80"),
    (OUTSIDE, "172.18.0.3:31999"),
    (NODE, "127.0.0.1:30083"),
    (POD, "10.96.10.1:81"),
    (POD, "10.96.10.99:80"),
    (OTHER_POD, "10.244.1.27:80"),
    (OTHER_POD, "10.244.1.27:81"),
];

/// Rules by hand, and a connection that they matter to.
const BY_HAND: [(&[&str], Flow); 18] = [
    (&["-A FORWARD -p tcp --dport 80 -j DROP"], (POD, "10.96.10.1:80")),
    (&["-I FORWARD -p tcp --dport 80 -j REJECT"], (POD, "10.96.10.1:80")),
    (&["-I FORWARD -p tcp -j REJECT --reject-with tcp-reset"], (POD, "10.96.10.1:80")),
    (&["-I FORWARD -j REJECT --reject-with icmp-host-prohibited"], (POD, "10.96.10.1:80")),
    (&["-I FORWARD -s 10.244.1.27 -j DROP"], (POD, "10.244.1.27:80")),
    (&["-P FORWARD DROP"], (POD, "10.244.1.27:80")),
    (&["-P FORWARD DROP", "-A FORWARD -d 10.244.0.0/16 -j ACCEPT"], (POD, "10.244.1.27:80")),
    (&["-I FORWARD -m conntrack --ctstate DNAT -j DROP"], (POD, "10.96.10.1:80")),
    (&["-I FORWARD -m conntrack --ctstate ESTABLISHED -j DROP"], (POD, "10.244.1.27:80")),
    (
        &["-t nat -I PREROUTING -p tcp --dport 8000:8100 -j DNAT --to-destination 10.244.1.27:80"],
        (POD, "172.18.0.3:8080"),
    ),
    (
        &["-t nat -I OUTPUT -p tcp -d 192.0.2.99 --dport 80 -j DNAT --to-destination 10.244.1.27"],
        (NODE, "192.0.2.99:80"),
    ),
    (
        &["-t nat -I POSTROUTING -d 10.244.1.27 -j SNAT --to-source 172.18.0.3"],
        (POD, "10.244.1.27:80"),
    ),
    (&["-t nat -I POSTROUTING -d 10.244.1.27 -j MASQUERADE"], (POD, "10.244.1.27:80")),
    (&["-t raw -I PREROUTING -d 10.96.10.1 -j NOTRACK"], (POD, "10.96.10.1:80")),
    (
        &["-I FORWARD -p tcp -m multiport --dports 443,80 -m mark ! --mark 1 -j DROP"],
        (POD, "10.244.1.27:80"),
    ),
    (
        &[
            "-t mangle -I PREROUTING -s 10.244.1.57 -j MARK --set-mark 1",
            "-I FORWARD -m mark --mark 1 -j DROP",
        ],
        (POD, "10.244.1.27:80"),
    ),
    (
        &[
            "-N MINE",
            "-I FORWARD -j MINE",
            "-A MINE -m iprange --src-range 10.244.1.50-10.244.1.60 -j RETURN",
            "-A MINE -j DROP",
        ],
        (POD, "10.244.1.27:80"),
    ),
    (&["-I INPUT -p tcp --dport 31999 -j DROP"], (OUTSIDE, "172.18.0.3:31999")),
];

/// The machine of the model: what comes of a connection, over all that chance could do.
fn model(ruleset: &Ruleset, (from, to): Flow) -> BTreeSet<String> {
    let (mut path, mut found) = (Path::default(), BTreeSet::new());
    loop {
        found.insert(one(ruleset, &mut path, from, to));
        if !path.turn() {
            return found;
        }
    }
}

fn endpoint(text: &str) -> Endpoint {
    let address: SocketAddr = text.parse().expect("an address");
    Endpoint { ip: address.ip(), port: address.port() }
}

/// Carries one packet through the hooks of the node; `None` if it is stopped in silence.
fn carry(
    ruleset: &Ruleset,
    memory: &mut Memory,
    path: &mut Path,
    packet: &mut Packet,
) -> Result<(), &'static str> {
    let own: Vec<IpAddr> = vec![NODE.parse().expect("an address")];
    let surroundings = Surroundings {
        own: &own,
        masquerade_as: own[0],
        input: Device::None,
        output: Device::None,
        from_bridge: false,
        now: SimTime::default(),
    };
    let before = *packet;
    let known = memory.conntrack.find(packet, surroundings.now);
    if let Some(known) = known {
        (packet.state, packet.dnat, packet.snat) = (known.state, known.dnat, known.snat);
    }
    let mut dice = Dice::Followed(path);
    let mut walk = Walk {
        ruleset,
        counts: &mut [],
        memory,
        surroundings,
        known,
        dice: &mut dice,
        passed: Vec::new(),
        examined: 0,
    };
    let is_local = surroundings.is_own(packet.source.ip);
    let mut next = Some(if is_local { Hook::Output } else { Hook::Prerouting });
    while let Some(hook) = next {
        match walk.pass(hook, packet) {
            Fate::Accepted => {}
            Fate::Dropped => return Err("silence"),
            Fate::Rejected(with) if with.is_refusal() => return Err("refused"),
            Fate::Rejected(_) => return Err("no route"),
        }
        let for_us = surroundings.is_own(packet.destination.ip);
        next = match hook {
            Hook::Prerouting if for_us => Some(Hook::Input),
            Hook::Prerouting => Some(Hook::Forward),
            Hook::Forward | Hook::Output => Some(Hook::Postrouting),
            Hook::Input | Hook::Postrouting => None,
        };
    }
    if known.is_none() && packet.state != diorama::net::packet::State::Untracked {
        let connection = Connection::new(&before, packet, surroundings.now);
        memory.conntrack.add(connection, surroundings.now);
    }
    Ok(())
}

fn one(ruleset: &Ruleset, path: &mut Path, from: &str, to: &str) -> String {
    let to = endpoint(to);
    let ip = if to.ip.is_loopback() { to.ip } else { from.parse().expect("an address") };
    let mut packet = Packet::new(Protocol::Tcp, Endpoint { ip, port: 40_000 }, to);
    let mut memory = Memory::default();
    if let Err(why) = carry(ruleset, &mut memory, path, &mut packet) {
        return why.to_owned();
    }
    let there = packet.destination.ip.to_string();
    let is_server = SERVERS.contains(&there.as_str()) && packet.destination.port == 80;
    if !is_server {
        let is_somebody = [NODE, "127.0.0.1"].contains(&&*there) || there.starts_with("10.244.");
        return if is_somebody { "refused" } else { "silence" }.to_owned();
    }
    let (seen, sent) = (packet.source.ip, packet);
    let mut reply = sent.reply();
    if let Err(why) = carry(ruleset, &mut memory, path, &mut reply) {
        return if why == "silence" { why } else { "silence" }.to_owned();
    }
    // Who is answered from another address than the one asked throws the answer away.
    if reply.source != to {
        return "silence".to_owned();
    }
    let server = sent.destination;
    format!("{server} saw {seen}")
}

/// The model's node with kube-proxy's rules and some by hand.
fn with_rules(mode: Mode, by_hand: &[&str]) -> Ruleset {
    let objects = std::fs::read_to_string(OBJECTS).expect("objects");
    let input = Input::from_yaml(&objects).expect("objects");
    let mut ruleset = rules(&input, input.node("node-1").expect("a node"), mode);
    for line in by_hand {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let Ok(Asked::Edits(edits)) = parse(&words, Family::V4) else { panic!("{line}") };
        edits.iter().for_each(|edit| edit.apply(&mut ruleset).expect("a change"));
    }
    ruleset.numbered()
}

/// This program again, inside of a namespace and in another role.
fn again(role: &str, prefix: &[&str]) -> Command {
    let own = std::env::current_exe().expect("this program");
    let (first, rest) = prefix.split_first().expect("a program");
    let mut command = Command::new(first);
    command.args(rest).arg(own).args(["--exact", "a_part", "--ignored", "--nocapture"]);
    command.env("DIORAMA_ROLE", role);
    command
}

fn run_part(role: &str) {
    let prefix = "mount -t tmpfs none /run/netns || { mkdir -p /run/netns; mount -t tmpfs none /run/netns; }; exec \"$@\"";
    let mut command = again(role, &["unshare", "-m", "-n", "sh", "-c", prefix, "sh"]);
    let output = command.output().expect("a namespace");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn packets_under_iptables_go_where_the_model_sends_them() {
    if can_run() {
        run_part("iptables");
    }
}

#[test]
fn packets_under_nftables_go_where_the_model_sends_them() {
    if can_run() {
        run_part("nftables");
    }
}

/// What this program does inside of a namespace.
#[test]
#[ignore = "a part of the other tests, which call it"]
fn a_part() {
    let Ok(role) = std::env::var("DIORAMA_ROLE") else { return };
    match role.as_str() {
        "serve" => serve(),
        "connect" => connect(),
        mode => compare(Mode::parse(mode).expect("a mode")),
    }
}

fn sh(script: &str) {
    let output = Command::new("sh").args(["-ec", script]).output().expect("a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A namespace for the node, and one with a cable to it for each address.
fn lay_cables() {
    let mut script = format!(
        "ip netns add node; ip -n node link set lo up; ip -n node addr add {NODE}/32 dev lo\n"
    );
    let others = [POD, OTHER_POD, OUTSIDE, ALLOWED].into_iter().chain(SERVERS);
    for (number, ip) in others.enumerate() {
        let _ = writeln!(
            script,
            "ip netns add {ip}; ip -n {ip} link set lo up
             ip link add v{number} netns node type veth peer name eth0 netns {ip}
             ip -n node link set v{number} up
             ip netns exec node sysctl -qw net.ipv4.conf.v{number}.proxy_arp=1 net.ipv4.neigh.v{number}.proxy_delay=0
             ip -n node route add {ip} dev v{number} src {NODE}
             ip -n {ip} addr add {ip}/32 dev eth0; ip -n {ip} link set eth0 up
             ip -n {ip} route add 169.254.1.1 dev eth0; ip -n {ip} route add default via 169.254.1.1"
        );
    }
    // Cables have no addresses: masquerading takes the node's own.
    let _ = writeln!(
        script,
        "ip -n node link add eth0 type veth peer name wire; ip -n node link set eth0 up
         ip -n node link set wire up; ip -n node route add default dev eth0 src {NODE}
         ip netns exec node sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
           net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.all.route_localnet=1 \
           net.ipv4.conf.all.send_redirects=0 net.ipv4.icmp_ratemask=0
         ip netns exec node sh -c '{ACCOUNTS}'"
    );
    sh(&script);
}

fn load(mode: Mode) {
    let objects = std::fs::read_to_string(OBJECTS).expect("objects");
    let text = diorama::proxy::print(&objects, "node-1", mode.name()).expect("rules");
    let program = if mode == Mode::Nftables { "nft -f -" } else { "iptables-restore" };
    let mut child = Command::new("ip")
        .args(["netns", "exec", "node", "sh", "-c", program])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("to write");
    assert!(child.wait().expect("an end").success(), "{program}");
}

fn compare(mode: Mode) {
    lay_cables();
    load(mode);
    let servers: Vec<Child> = SERVERS
        .map(|ip| {
            let mut server = again("serve", &["ip", "netns", "exec", ip]);
            let mut child = server.stdout(Stdio::piped()).spawn().expect("a server");
            let mut said = BufReader::new(child.stdout.take().expect("a pipe")).lines();
            assert!(said.any(|line| line.is_ok_and(|line| line.contains("listening"))));
            child
        })
        .into();
    let mut wrong = check(mode, &[], &FLOWS);
    if mode == Mode::Iptables {
        wrong += &check_connections();
        let iptables = |line: &str| sh(&format!("ip netns exec node iptables {line}"));
        for (rules, flow) in BY_HAND {
            rules.iter().for_each(|line| iptables(line));
            wrong += &check(mode, rules, &[flow]);
            // What is loaded replaces all but the table raw.
            iptables("-t raw -F");
            load(mode);
        }
    }
    for mut server in servers {
        let _ = server.kill();
        let _ = server.wait();
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What the kernel remembers of connections that ended in one way or another: what
/// `net::conntrack` says of them.
fn check_connections() -> String {
    let mut list = Command::new("ip");
    list.args(["netns", "exec", "node", "conntrack", "-L", "-p", "tcp"]);
    let output = list.output().expect("conntrack");
    let text = String::from_utf8_lossy(&output.stdout);
    let cases = [
        ("src=10.244.1.57 dst=10.96.10.1 ", "dport=80 ", " TIME_WAIT ", true),
        ("src=10.244.1.57 dst=10.96.10.1 ", "dport=80 ", "[ASSURED]", true),
        ("src=10.244.1.57 dst=10.96.10.1 ", "dport=81 ", " SYN_SENT ", true),
        ("src=10.244.1.57 dst=10.96.10.1 ", "dport=81 ", "[UNREPLIED]", true),
        // Refused by a rule, by nobody listening, or thrown away: nothing is remembered.
        ("src=10.244.1.57 dst=10.96.10.6 ", "dport=80 ", "", false),
        ("src=10.244.2.57 dst=10.244.1.27 ", "dport=81 ", "", false),
        ("src=198.51.100.77 dst=192.0.2.10 ", "dport=80 ", "", false),
    ];
    let mut wrong = String::new();
    for (ends, port, state, expected) in cases {
        let is_it = |line: &str| line.contains(ends) && line.contains(port) && line.contains(state);
        if text.lines().any(is_it) != expected {
            let _ = writeln!(wrong, "conntrack -L: {ends}{port}{state}: not {expected}\n{text}");
        }
    }
    wrong
}

/// Tries connections in the kernel, and says where the model is wrong.
fn check(mode: Mode, by_hand: &[&str], flows: &[Flow]) -> String {
    let ruleset = with_rules(mode, by_hand);
    let mut by_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in flows {
        by_source.entry(from).or_default().push(to);
    }
    let clients: Vec<_> = by_source
        .iter()
        .map(|(from, to)| {
            let namespace = if *from == NODE { "node" } else { from };
            let mut client = again("connect", &["ip", "netns", "exec", namespace]);
            client.env("DIORAMA_TO", to.join(" "));
            let child = client.stdout(Stdio::piped()).spawn().expect("a client");
            (*from, child)
        })
        .collect();
    let mut wrong = String::new();
    for (from, child) in clients {
        let output = child.wait_with_output().expect("an end");
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Some(("", rest)) = line.split_once("found ") else { continue };
            let (to, found) = rest.split_once(": ").expect("a result");
            let flow = flows.iter().find(|flow| **flow == (from, to)).expect("a flow");
            let expected: Vec<String> = model(&ruleset, *flow).into_iter().collect();
            if expected.join(", ") != found {
                let _ = writeln!(
                    wrong,
                    "{by_hand:?} {from} -> {to}: kernel {found}; model {}",
                    expected.join(", ")
                );
            }
        }
    }
    wrong
}

/// A server on port 80 that tells who it is and whom it sees.
fn serve() {
    let listener = TcpListener::bind("0.0.0.0:80").expect("port 80");
    println!("\nlistening");
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let (Ok(peer), Ok(own)) = (stream.peer_addr(), stream.local_addr()) else { continue };
        let _ = write!(stream, "{own} saw {}", peer.ip());
    }
}

/// A client that tries each address often enough to see all endpoints.
fn connect() {
    let variable = |name| std::env::var(name).expect("a variable");
    let all = variable("DIORAMA_TO");
    for to in all.split(' ') {
        let address: SocketAddr = to.parse().expect("an address");
        let mut found = BTreeSet::new();
        let mut tries = 0;
        // What is stopped in silence takes its time, and is so every time.
        while tries < 40 {
            let result = try_once(address);
            tries += if result == "silence" || result == "no route" { 20 } else { 1 };
            found.insert(result);
        }
        println!("\nfound {to}: {}", found.into_iter().collect::<Vec<_>>().join(", "));
    }
}

fn try_once(to: SocketAddr) -> String {
    let wait = Duration::from_millis(200);
    let mut stream = match TcpStream::connect_timeout(&to, wait) {
        Ok(stream) => stream,
        Err(error) => {
            return match error.raw_os_error() {
                Some(111) => "refused",
                Some(113) => "no route",
                _ => "silence",
            }
            .to_owned();
        }
    };
    let mut text = String::new();
    let _ = stream.set_read_timeout(Some(wait));
    if stream.read_to_string(&mut text).is_err() {
        return "silence".to_owned();
    }
    text
}
