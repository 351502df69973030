//! Words for the network: requests from outside, `trace`, `proxy mode`, and what a node's own
//! tools show (`node run`).

use super::{Output, Session, failed, said};
use crate::net::edit::Edit;
use crate::net::iptables_command::{self, Command, TABLES};
use crate::net::iptables_list::{self, Style};
use crate::net::table::{Dialect, Ruleset, Table};
use crate::net::{Family, iptables_text, ipvs, nft_text};
use crate::programs::{self, Kit, Site};
use crate::proxy::Mode;
use crate::trace::{Request, Source};
use crate::world::{CLIENT_ADDRESS, World};
use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runs one of the words; `None` if it is none of them.
pub(super) fn run(world: &mut World, session: &mut Session, words: &[String]) -> Option<Output> {
    let (name, rest) = words.split_first()?;
    match name.as_str() {
        "trace" => Some(trace(world, rest)),
        "proxy" => Some(proxy(world, rest)),
        _ => {
            let from = Source::Internet { ip: CLIENT_ADDRESS };
            let mut files = BTreeMap::new();
            let forwards = &mut session.forwards;
            let mut site = Site::new(world, from, &mut files).with_forwards(forwards);
            let output = programs::run(&mut site, Kit::COMPUTER, words);
            files.into_iter().for_each(|(path, text)| session.write(&path, text));
            output
        }
    }
}

const TRACE_USAGE: &str = "usage: trace [--from internet|node/NAME|pod/NS/NAME] [-o text|json] [curl] [-H 'Host: NAME'] URL\n";

/// `trace curl URL`: every hop of a request.
fn trace(world: &mut World, words: &[String]) -> Output {
    let mut from = Source::Internet { ip: CLIENT_ADDRESS };
    let (mut url, mut host, mut json) = (None, None, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, given) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = || given.clone().or_else(|| words.next().cloned()).unwrap_or_default();
        match flag {
            "--from" => match source(&value()) {
                Some(found) => from = found,
                None => return failed(2, TRACE_USAGE.to_owned()),
            },
            "-o" | "--output" => match value().as_str() {
                "json" => json = true,
                "text" => json = false,
                _ => return failed(2, TRACE_USAGE.to_owned()),
            },
            "-ojson" => json = true,
            "-H" | "--header" => {
                let header = value();
                host = header.split_once(':').map(|(_, host)| Arc::from(host.trim()));
            }
            "curl" | "wget" if url.is_none() => {}
            "-m" | "--max-time" | "--connect-timeout" | "-w" | "-X" | "-A" => drop(value()),
            // How the answer would be printed changes nothing on its way.
            flag if flag.starts_with('-') => {}
            _ => url = Some(word.clone()),
        }
    }
    let Some(url) = url else { return failed(2, TRACE_USAGE.to_owned()) };
    let mut request = match Request::from_url(from, &url) {
        Ok(request) => request,
        Err(why) => return failed(3, format!("curl: {why}\n")),
    };
    request.host_header = host;
    let trace = world.send(&request);
    let stdout = match json {
        true => format!("{:#}\n", trace.to_value()),
        false => trace.to_text(),
    };
    let exit = match &trace.outcome {
        crate::trace::Outcome::Answered { .. } => 0,
        crate::trace::Outcome::Failed(failure) => i32::from(failure.manner.curl_code()),
    };
    Output { stdout, exit, ..Output::default() }
}

/// `internet`, `node/NAME`, `pod/NS/NAME` or `pod/NAME` in the namespace default.
fn source(text: &str) -> Option<Source> {
    let parts: Vec<&str> = text.split('/').collect();
    Some(match parts.as_slice() {
        ["internet"] => Source::Internet { ip: CLIENT_ADDRESS },
        ["node", name] => Source::Node(Arc::from(*name)),
        ["pod", name] => Source::Pod { namespace: Arc::from("default"), name: Arc::from(*name) },
        ["pod", namespace, name] => {
            Source::Pod { namespace: Arc::from(*namespace), name: Arc::from(*name) }
        }
        [ip] => Source::Internet { ip: ip.parse().ok()? },
        _ => return None,
    })
}

/// `proxy mode`, `proxy mode nftables`.
fn proxy(world: &mut World, words: &[String]) -> Output {
    match words {
        [word] if word == "mode" => said(format!("{}\n", world.proxy_mode().name())),
        [word, mode] if word == "mode" => match Mode::parse(mode) {
            Some(mode) => {
                world.set_proxy_mode(mode);
                Output::default()
            }
            None => failed(
                1,
                format!("proxy: unknown mode \"{mode}\": use iptables, nftables or ipvs\n"),
            ),
        },
        _ => failed(2, "usage: proxy mode [iptables|nftables|ipvs]\n".to_owned()),
    }
}

/// `node run NAME -- COMMAND`.
pub(super) fn node_run(world: &mut World, words: &[String]) -> Output {
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
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match (program.rsplit('/').next().unwrap_or_default(), arguments.as_slice()) {
        ("iptables-save", arguments) => save(&world.ruleset(name), arguments),
        ("iptables", _) => iptables(world, name, command.get(1..).unwrap_or_default()),
        ("nft", ["list", rest @ ..]) => nft(&world.ruleset(name), rest),
        ("ipvsadm", arguments) => ipvsadm(&world.ruleset(name), arguments),
        ("ipset", ["save"]) => said(ipvs::print_sets(&world.ruleset(name).ipvs, false)),
        ("ipset", ["list", ..]) => said(ipvs::print_sets(&world.ruleset(name).ipvs, false)),
        ("conntrack", ["-L", ..]) => conntrack(world, name),
        ("ip", _) => super::machine::ip(world, name, &arguments),
        ("ss" | "netstat", _) => super::machine::sockets(world, name),
        ("hostname", _) => said(format!("{name}\n")),
        (other, _) => {
            let from = Source::Node(Arc::from(name.as_str()));
            let mut files = BTreeMap::new();
            let mut site = Site::new(world, from, &mut files);
            let output = programs::run(&mut site, Kit::COMPUTER, command);
            output.unwrap_or_else(|| failed(127, format!("bash: {other}: command not found\n")))
        }
    }
}

fn tables(ruleset: &Ruleset) -> impl Iterator<Item = &Table> {
    let is_shown = |table: &&Table| table.family == Family::V4 && TABLES.contains(&table.name);
    ruleset.tables.iter().filter(is_shown)
}

/// `iptables-save [-t TABLE]`.
fn save(ruleset: &Ruleset, arguments: &[&str]) -> Output {
    let only = arguments.iter().position(|word| *word == "-t").and_then(|at| arguments.get(at + 1));
    let mut out = String::new();
    for table in tables(ruleset).filter(|table| only.is_none_or(|only| *only == table.name)) {
        iptables_text::print_table(table, &mut out);
    }
    said(out)
}

fn iptables(world: &mut World, node: &str, words: &[String]) -> Output {
    let command = match iptables_command::parse(words) {
        Ok(command) => command,
        Err(why) => return failed(2, format!("{why}\n")),
    };
    let ruleset = world.ruleset(node);
    let table_of = |name: &str| {
        let own = tables(&ruleset).find(|table| table.name == name).cloned();
        own.or_else(|| Table::built_in(Family::V4, name))
    };
    let text = match &command {
        Command::Edit(edit) => return change(world, node, edit.clone()),
        Command::List { table, chain, numeric, line_numbers, verbose } => {
            let style = Style { numeric: *numeric, line_numbers: *line_numbers, verbose: *verbose };
            table_of(table).and_then(|it| iptables_list::print(&it, chain.as_deref(), style))
        }
        Command::Show { table, chain } => {
            table_of(table).and_then(|table| iptables_list::print_rules(&table, chain.as_deref()))
        }
    };
    match text {
        Some(text) => said(text),
        None => failed(1, "iptables: No chain/target/match by that name.\n".to_owned()),
    }
}

fn change(world: &mut World, node: &str, edit: Edit) -> Output {
    match world.edit_rules(node, edit) {
        Ok(()) => Output::default(),
        Err(why) => failed(1, format!("{why}\n")),
    }
}

/// `nft list ruleset`, `nft list tables`, `nft list table FAMILY NAME`, `nft list chain|map|set …`.
// Simplified: the tables that iptables itself keeps in the kernel are shown in nft's words only
// where kube-proxy uses nftables.
fn nft(ruleset: &Ruleset, arguments: &[&str]) -> Output {
    if ruleset.dialect != Dialect::Nftables {
        return match arguments {
            ["ruleset" | "tables"] => Output::default(),
            _ => failed(1, "Error: No such file or directory\n".to_owned()),
        };
    }
    let only = |table: &Table| Ruleset {
        dialect: ruleset.dialect,
        tables: vec![table.clone()],
        ipvs: Default::default(),
    };
    let find = |family: &str, name: &str| {
        ruleset.tables.iter().find(|it| it.family.nft_name() == family && it.name == name)
    };
    let found = match arguments {
        ["ruleset"] => Some(nft_text::print(ruleset)),
        ["tables"] => Some(ruleset.tables.iter().fold(String::new(), |mut text, table| {
            let _ = writeln!(text, "table {} {}", table.family.nft_name(), table.name);
            text
        })),
        ["table", family, name] => find(family, name).map(|table| nft_text::print(&only(table))),
        ["table", name] => find("ip", name).map(|table| nft_text::print(&only(table))),
        [kind @ ("chain" | "map" | "set"), family, name, part] => {
            find(family, name).and_then(|table| {
                let mut small = Table::new(table.family, table.name);
                match *kind {
                    "chain" => small.add_chain(table.chain(part)?.clone()),
                    _ => small.add_set(table.set(part)?.clone()),
                }
                Some(nft_text::print(&only(&small)))
            })
        }
        _ => {
            return failed(
                1,
                "nft: usage: nft list ruleset | tables | table|chain|map|set …\n".to_owned(),
            );
        }
    };
    match found {
        Some(text) => said(text),
        None => failed(1, "Error: No such file or directory\n".to_owned()),
    }
}

/// `ipvsadm -Ln`, `ipvsadm -Sn`.
fn ipvsadm(ruleset: &Ruleset, arguments: &[&str]) -> Output {
    match arguments.iter().any(|word| word.contains('S')) {
        true => said(ipvs::print_servers(&ruleset.ipvs)),
        false => said(ipvs::print_list(&ruleset.ipvs)),
    }
}

/// `conntrack -L`.
// Simplified: connections stand as they are right after they were closed, and do not age.
fn conntrack(world: &World, node: &str) -> Output {
    let mut output = Output::default();
    let mut count = 0u32;
    for connection in world.memory_of(node).into_iter().flat_map(|memory| memory.connections()) {
        count += 1;
        let (source, destination) = connection.original;
        let (new_source, new_destination) = connection.translated;
        let state = match connection.protocol {
            crate::net::Protocol::Tcp => "119 TIME_WAIT ",
            _ => "29 ",
        };
        let _ = writeln!(
            output.stdout,
            "{:<8} {} {state}src={} dst={} sport={} dport={} src={} dst={} sport={} dport={} [ASSURED] mark=0 use=1",
            connection.protocol.name(),
            connection.protocol.number(),
            source.ip,
            destination.ip,
            source.port,
            destination.port,
            new_destination.ip,
            new_source.ip,
            new_destination.port,
            new_source.port,
        );
    }
    output.stderr =
        format!("conntrack v1.4.7 (conntrack-tools): {count} flow entries have been shown.\n");
    output
}
