//! What a node's own tools show of its addresses, routes and open ports.

use crate::api::Kind;
use crate::base::{SimTime, order};
use crate::console::{Output, failed, said};
use crate::container::server::listens_on;
use crate::kubelet::NodeRuntime;
use crate::kubelet::dns::ResolvConf;
use crate::net::link::{self, PodNetwork};
use crate::world::World;
use core::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A network device of a node, as `ip` shows it.
struct Shown {
    name: String,
    /// What stands behind the name: the number of the other end.
    peer: &'static str,
    flags: &'static str,
    mtu: u32,
    queue: &'static str,
    state: &'static str,
    /// The bridge that it hangs on.
    master: &'static str,
    hardware: String,
    addresses: Vec<String>,
}

const UP: &str = "BROADCAST,MULTICAST,UP,LOWER_UP";

/// How long a neighbour that was heard of counts as reachable, in seconds.
///
/// Models Linux' base_reachable_time; Simplified: the kernel draws between half of it and three
/// halves, and asks again before it forgets.
const REACHABLE_SECONDS: u64 = 30;

/// `ip addr`, `ip link`, `ip route`, `ip neigh`.
pub(super) fn ip(world: &mut World, node: &str, arguments: &[&str]) -> Output {
    let word = arguments.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    match word {
        "a" | "addr" | "address" => said(devices(world, node, true)),
        "l" | "link" => said(devices(world, node, false)),
        "r" | "route" => said(routes(world, node)),
        "n" | "neigh" | "neighbour" => said(neighbours(world, node)),
        _ => failed(255, format!("Object \"{word}\" is unknown, try \"ip help\".\n")),
    }
}

/// `bridge fdb`: where the ends of the tunnels are.
pub(super) fn bridge(world: &World, node: &str, arguments: &[&str]) -> Output {
    match arguments.first() {
        Some(&"fdb") => {}
        _ => return failed(255, "usage: bridge fdb show\n".to_owned()),
    }
    let mut text = String::new();
    for (_, machine) in others(world, node).filter(|_| world.pod_network() == PodNetwork::Vxlan) {
        let hardware = link::mac(TUNNEL, machine.pod_network.into());
        let ip = machine.ip;
        let _ = writeln!(text, "{hardware} dev {TUNNEL} dst {ip} self permanent");
    }
    said(text)
}

const TUNNEL: &str = "flannel.1";

/// The other machines, by their pods' networks.
fn others<'a>(
    world: &'a World,
    node: &'a str,
) -> impl Iterator<Item = (&'a Arc<str>, &'a NodeRuntime)> {
    let mut all: Vec<_> = world.nodes().iter().filter(|(name, _)| ***name != *node).collect();
    order::sort_by_key(&mut all, |(_, machine)| machine.pod_network);
    all.into_iter()
}

/// The addresses of a node's own pods that have any.
fn pods_at(world: &World, node: &str) -> Vec<Ipv4Addr> {
    let pods = world.store().pods_on(node).filter_map(|object| object.pod());
    let own = pods.filter(|pod| !pod.spec.host_network && !pod.status.phase.is_terminal());
    let mut all: Vec<Ipv4Addr> = own.filter_map(|pod| pod.status.pod_ip).collect();
    order::sort(&mut all);
    all
}

/// What `ip addr` or `ip link` prints.
fn devices(world: &mut World, node: &str, with_addresses: bool) -> String {
    let bound: Vec<_> = world.ruleset(node).ipvs.bound.iter().copied().collect();
    let Some(machine) = world.nodes().get(node) else { return String::new() };
    let mut all = vec![
        Shown {
            name: "lo".to_owned(),
            peer: "",
            flags: "LOOPBACK,UP,LOWER_UP",
            mtu: 65_536,
            queue: "noqueue",
            state: "UNKNOWN",
            master: "",
            hardware: "link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00".to_owned(),
            addresses: vec!["127.0.0.1/8 scope host lo".to_owned()],
        },
        ethernet("eth0", link::card_mac(machine.ip), 1500, Some((machine.ip, 16))),
    ];
    all.extend(of_pods(world, node, machine));
    if !bound.is_empty() {
        let fours = bound.iter().filter(|address| address.is_ipv4());
        all.push(Shown {
            flags: "BROADCAST,NOARP",
            queue: "noop",
            state: "DOWN",
            addresses: fours.map(|it| format!("{it}/32 scope global kube-ipvs0")).collect(),
            ..ethernet("kube-ipvs0", link::mac("kube-ipvs0", machine.ip.into()), 1500, None)
        });
    }
    let mut text = String::new();
    for (index, device) in all.iter().enumerate() {
        let Shown { name, peer, flags, mtu, queue, state, master, hardware, .. } = device;
        let mode = if with_addresses { "" } else { "mode DEFAULT " };
        let _ = writeln!(
            text,
            "{}: {name}{peer}: <{flags}> mtu {mtu} qdisc {queue} {master}state {state} {mode}group default qlen 1000\n    {hardware}",
            index + 1
        );
        for address in device.addresses.iter().filter(|_| with_addresses) {
            let _ = writeln!(
                text,
                "    inet {address}\n       valid_lft forever preferred_lft forever"
            );
        }
    }
    text
}

fn ethernet(name: &str, mac: String, mtu: u32, address: Option<(Ipv4Addr, u8)>) -> Shown {
    let addresses = address.map(|(ip, length)| {
        let last =
            Ipv4Addr::from_bits(ip.to_bits() | u32::MAX.checked_shr(length.into()).unwrap_or(0));
        match length {
            32 => format!("{ip}/32 scope global {name}"),
            _ => format!("{ip}/{length} brd {last} scope global {name}"),
        }
    });
    Shown {
        name: name.to_owned(),
        peer: "",
        flags: UP,
        mtu,
        queue: "noqueue",
        state: "UP",
        master: "",
        hardware: format!("link/ether {mac} brd ff:ff:ff:ff:ff:ff"),
        addresses: addresses.into_iter().collect(),
    }
}

/// The devices that lead to pods.
fn of_pods(world: &World, node: &str, machine: &NodeRuntime) -> Vec<Shown> {
    let pods = world.pod_network();
    let mtu = u32::from(pods.pod_mtu());
    let mut all = Vec::new();
    if let Some((IpAddr::V4(bridge), IpAddr::V4(tunnel))) = pods.own_addresses(machine.pod_network)
    {
        let hardware = link::mac(TUNNEL, machine.pod_network.into());
        all.push(Shown { state: "UNKNOWN", ..ethernet(TUNNEL, hardware, mtu, Some((tunnel, 32))) });
        all.push(ethernet("cni0", link::mac("cni0", bridge.into()), mtu, Some((bridge, 24))));
    }
    for ip in pods_at(world, node) {
        let name = link::cable_name(ip.into());
        let device = ethernet(&name, link::mac(&name, ip.into()), mtu, None);
        let master = if pods == PodNetwork::Vxlan { "master cni0 " } else { "" };
        all.push(Shown { peer: "@if2", master, ..device });
    }
    all
}

fn routes(world: &World, node: &str) -> String {
    let Some(own) = world.nodes().get(node) else { return String::new() };
    let mut lines = vec![(Ipv4Addr::UNSPECIFIED, "default via 172.18.0.1 dev eth0".to_owned())];
    let pods = world.pod_network();
    for (_, machine) in others(world, node) {
        let (ip, network) = (machine.ip, machine.pod_network);
        let line = match pods {
            PodNetwork::Routed => format!("{network}/24 via {ip} dev eth0"),
            PodNetwork::Vxlan => format!("{network}/24 via {network} dev {TUNNEL} onlink"),
        };
        lines.push((network, line));
    }
    match pods.own_addresses(own.pod_network) {
        Some((bridge, _)) => {
            let network = own.pod_network;
            let line = format!("{network}/24 dev cni0 proto kernel scope link src {bridge}");
            lines.push((network, line));
        }
        None => {
            for ip in pods_at(world, node) {
                let name = link::cable_name(ip.into());
                lines.push((ip, format!("{ip} dev {name} scope host")));
            }
        }
    }
    let line = format!("172.18.0.0/16 dev eth0 proto kernel scope link src {}", own.ip);
    lines.push((Ipv4Addr::new(172, 18, 0, 0), line));
    order::sort(&mut lines);
    // iproute2 leaves a blank at the end of each line.
    lines.into_iter().map(|(_, line)| format!("{line} \n")).collect()
}

/// What `ip neigh` prints.
fn neighbours(world: &mut World, node: &str) -> String {
    let now = world.now();
    let heard: Vec<(IpAddr, SimTime)> =
        world.kernel(node).neighbours().iter().map(|(ip, last)| (*ip, *last)).collect();
    let pods = world.pod_network();
    let mut text = String::new();
    for (ip, last) in heard {
        let is_pod = pods_at(world, node).into_iter().any(|own| IpAddr::V4(own) == ip);
        let device = match is_pod {
            true => pods.to_pod(ip).name(),
            false => "eth0".into(),
        };
        let hardware = match (is_pod, ip) {
            (false, IpAddr::V4(ip)) => link::card_mac(ip),
            _ => link::mac("eth0", ip),
        };
        let age = now.since(last).as_secs();
        let state = if age < REACHABLE_SECONDS { "REACHABLE" } else { "STALE" };
        let _ = writeln!(text, "{ip} dev {device} lladdr {hardware} {state} ");
    }
    for (_, machine) in others(world, node).filter(|_| pods == PodNetwork::Vxlan) {
        let ip = machine.pod_network;
        let hardware = link::mac(TUNNEL, ip.into());
        let _ = writeln!(text, "{ip} dev {TUNNEL} lladdr {hardware} PERMANENT ");
    }
    text
}

/// `cat /etc/resolv.conf`; other files are not there.
pub(super) fn cat(words: &[&str]) -> Option<Output> {
    match words {
        ["/etc/resolv.conf"] => Some(said(ResolvConf::of_node().text())),
        _ => None,
    }
}

/// The setting of the kernel that packets depend on.
const FORWARD: &str = "net.ipv4.ip_forward";

/// `sysctl`: whether the node passes on packets that are for others.
///
/// Simplified: this is the only setting that there is.
pub(super) fn sysctl(world: &mut World, node: &str, words: &[&str]) -> Output {
    let (is_short, mut output) = (words.contains(&"-n"), Output::default());
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (*word, None),
        };
        if key.replace('/', ".") != FORWARD {
            let path = key.replace('.', "/");
            output.exit = 1;
            output.stderr +=
                &format!("sysctl: cannot stat /proc/sys/{path}: No such file or directory\n");
            continue;
        }
        let kernel = world.kernel(node);
        if let Some(value) = value {
            kernel.set(FORWARD, value);
        }
        let now = kernel.setting(FORWARD).unwrap_or("1");
        let name = if is_short { String::new() } else { format!("{FORWARD} = ") };
        output.stdout += &format!("{name}{now}\n");
    }
    output
}

/// `ss -lnt`: what listens on a node.
pub(super) fn sockets(world: &World, node: &str) -> Output {
    let mut ports = vec![
        ("127.0.0.1:10248".to_owned(), false),
        ("127.0.0.1:10249".to_owned(), false),
        ("*:10250".to_owned(), true),
        ("*:10256".to_owned(), true),
    ];
    let is_control_plane = world.find(Kind::Node, "", node).is_some_and(|node| {
        node.meta.labels.get("node-role.kubernetes.io/control-plane").is_some()
    });
    if is_control_plane {
        ports.push(("*:6443".to_owned(), true));
    }
    for pod in world.store().pods_on(node).filter_map(|object| object.pod()) {
        if pod.spec.host_network {
            let all = pod.spec.containers.iter();
            let declared = all.flat_map(|it| it.ports.iter().map(move |port| (it, port)));
            let open = declared.filter(|(it, port)| listens_on(it, port.container_port));
            ports.extend(open.map(|(_, port)| (format!("0.0.0.0:{}", port.container_port), false)));
        }
    }
    let mut text = "State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n".to_owned();
    for (address, any) in ports {
        let peer = if any { "*:*" } else { "0.0.0.0:*" };
        let _ = writeln!(text, "LISTEN 0      4096   {address:>18}       {peer:>9}");
    }
    said(text)
}
