//! Words for the network: requests from outside, `proxy mode`, `network mode`.

use super::{Output, Session, failed, haproxy, said};
use crate::net::link::PodNetwork;
use crate::programs::{self, Kit, Site};
use crate::proxy::Mode;
use crate::trace::Source;
use crate::world::{CLIENT_ADDRESS, World};
use std::collections::BTreeMap;

/// Runs one of the words; `None` if it is none of them.
pub(super) fn run(world: &mut World, session: &mut Session, words: &[String]) -> Option<Output> {
    let (name, rest) = words.split_first()?;
    match name.as_str() {
        "proxy" => Some(proxy(world, rest)),
        "network" => Some(network(world, rest)),
        "haproxy" => Some(haproxy::run(world, session, rest)),
        _ => {
            let from = Source::Internet { ip: CLIENT_ADDRESS };
            // A program finds a file by the name that it was given, `-d @FILE` included.
            let names = words.iter().map(|word| word.strip_prefix('@').unwrap_or(word));
            let found =
                names.filter_map(|name| Some((name.to_owned(), session.read(name)?.to_owned())));
            let before: BTreeMap<String, String> = found.collect();
            let mut files = before.clone();
            let forwards = &mut session.forwards;
            let mut site = Site::new(world, from, &mut files).with_forwards(forwards);
            let output = programs::run(&mut site, Kit::COMPUTER, words);
            let written = files.into_iter().filter(|(name, text)| before.get(name) != Some(text));
            written.for_each(|(name, text)| session.write(&name, text));
            output
        }
    }
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

/// `network mode`, `network mode vxlan`.
fn network(world: &mut World, words: &[String]) -> Output {
    match words {
        [word] if word == "mode" => said(format!("{}\n", world.pod_network().name())),
        [word, mode] if word == "mode" => match PodNetwork::parse(mode) {
            Some(mode) => {
                world.set_pod_network(mode);
                Output::default()
            }
            None => failed(1, format!("network: unknown mode \"{mode}\": use routed or vxlan\n")),
        },
        _ => failed(2, "usage: network mode [routed|vxlan]\n".to_owned()),
    }
}
