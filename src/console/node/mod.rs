//! What a node's own tools show and change: `node run NAME -- COMMAND`.

mod conntrack;
mod iptables;
mod machine;
mod nft;
mod virtual_servers;

use super::{Output, Session, failed, said};
use crate::net::Family;
use crate::programs::{self, Kit, Site};
use crate::trace::Source;
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node that a command runs on.
struct Node<'a> {
    world: &'a mut World,
    name: &'a str,
    /// What the command reads.
    stdin: Option<&'a str>,
    /// The files of who types the command.
    session: &'a Session,
}

/// `node run NAME -- COMMAND`.
pub(super) fn run(
    world: &mut World,
    words: &[String],
    stdin: Option<&str>,
    session: &Session,
) -> Output {
    let usage = || failed(2, "usage: node run NAME -- COMMAND\n".to_owned());
    let Some((name, rest)) = words.split_first() else { return usage() };
    let command = rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest);
    let Some((program, arguments)) = command.split_first() else { return usage() };
    match world.nodes().get(name.as_str()) {
        None => return failed(1, format!("node: there is no node \"{name}\"\n")),
        Some(machine) if !machine.up => {
            let why = format!("ssh: connect to host {name} port 22: No route to host\n");
            return failed(255, why);
        }
        Some(_) => {}
    }
    let program = program.rsplit('/').next().unwrap_or_default();
    let mut node = Node { world, name, stdin, session };
    if let Some(output) = node.tool(program, arguments) {
        return output;
    }
    let from = Source::Node(Arc::from(name.as_str()));
    let mut files = BTreeMap::new();
    let mut site = Site::new(world, from, &mut files);
    let output = programs::run(&mut site, Kit::COMPUTER, command);
    output.unwrap_or_else(|| failed(127, format!("bash: {program}: command not found\n")))
}

impl Node<'_> {
    /// Runs one of the node's tools; `None` if it has none of that name.
    fn tool(&mut self, program: &str, arguments: &[String]) -> Option<Output> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Some(match program {
            "iptables" | "iptables-nft" => self.iptables(Family::V4, arguments),
            "ip6tables" | "ip6tables-nft" => self.iptables(Family::V6, arguments),
            "iptables-save" | "iptables-nft-save" => self.iptables_save(Family::V4, &words),
            "ip6tables-save" | "ip6tables-nft-save" => self.iptables_save(Family::V6, &words),
            "iptables-restore" => self.iptables_restore(Family::V4, &words),
            "ip6tables-restore" => self.iptables_restore(Family::V6, &words),
            "nft" => self.nft(&words),
            "ipvsadm" => self.ipvsadm(&words),
            "ipvsadm-save" => self.ipvsadm(&["-S", "-n"]),
            "ipset" => self.ipset(&words),
            "conntrack" => self.conntrack(&words),
            "bridge" => machine::bridge(self.world, self.name, &words),
            "ip" => machine::ip(self.world, self.name, &words),
            "ss" | "netstat" => machine::sockets(self.world, self.name),
            "cat" => machine::cat(&words)?,
            "sysctl" => machine::sysctl(self.world, self.name, &words),
            "hostname" => said(format!("{}\n", self.name)),
            _ => return None,
        })
    }
}
