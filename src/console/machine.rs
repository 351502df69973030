//! What a node's own tools show of its addresses, routes and open ports.

use super::{Output, failed, said};
use crate::api::Kind;
use crate::base::order;
use crate::kubelet::listens_on;
use crate::trace::metallb::mac;
use crate::world::World;
use core::fmt::Write as _;
use std::net::Ipv4Addr;

/// `ip addr`, `ip route`.
// Simplified: a node has one network card and one bridge for its pods; the pairs of pods' own
// devices are left out.
pub(super) fn ip(world: &mut World, node: &str, arguments: &[&str]) -> Output {
    let word = arguments.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    match word {
        "a" | "addr" | "address" => said(addresses(world, node)),
        "r" | "route" => said(routes(world, node)),
        _ => failed(255, format!("Object \"{word}\" is unknown, try \"ip help\".\n")),
    }
}

fn bridge(network: Ipv4Addr) -> Ipv4Addr {
    Ipv4Addr::from_bits(network.to_bits() + 1)
}

fn addresses(world: &mut World, node: &str) -> String {
    let bound: Vec<_> = world.ruleset(node).ipvs.bound.iter().copied().collect();
    let Some(machine) = world.nodes().get(node) else { return String::new() };
    let (ip, bridge) = (machine.ip, bridge(machine.pod_network));
    let mut text = format!(
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default
    link/ether {} brd ff:ff:ff:ff:ff:ff
    inet {ip}/16 brd 172.18.255.255 scope global eth0
       valid_lft forever preferred_lft forever
3: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether {} brd ff:ff:ff:ff:ff:ff
    inet {bridge}/24 brd {} scope global cni0
       valid_lft forever preferred_lft forever
",
        mac(ip),
        mac(bridge),
        Ipv4Addr::from_bits(machine.pod_network.to_bits() + 255),
    );
    if !bound.is_empty() {
        text.push_str(
            "4: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default\n",
        );
        let _ = writeln!(text, "    link/ether {} brd ff:ff:ff:ff:ff:ff", mac(ip));
    }
    for address in bound.iter().filter(|address| address.is_ipv4()) {
        let _ = writeln!(
            text,
            "    inet {address}/32 scope global kube-ipvs0\n       valid_lft forever preferred_lft forever"
        );
    }
    text
}

fn routes(world: &World, node: &str) -> String {
    let mut text = "default via 172.18.0.1 dev eth0\n".to_owned();
    let mut all: Vec<_> = world.nodes().iter().collect();
    order::sort_by_key(&mut all, |(_, machine)| machine.pod_network);
    for (name, machine) in all {
        let (ip, network) = (machine.ip, machine.pod_network);
        let _ = match **name == *node {
            true => {
                let own = bridge(network);
                writeln!(text, "{network}/24 dev cni0 proto kernel scope link src {own}")
            }
            false => writeln!(text, "{network}/24 via {ip} dev eth0"),
        };
    }
    if let Some(machine) = world.nodes().get(node) {
        let _ = writeln!(text, "172.18.0.0/16 dev eth0 proto kernel scope link src {}", machine.ip);
    }
    text
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
