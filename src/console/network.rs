//! Words for the network: requests from outside, `trace`, `proxy mode`, `network mode`.

use super::{Output, failed, said};
use crate::net::link::PodNetwork;
use crate::programs::{self, Kit, Site};
use crate::proxy::Mode;
use crate::trace::{Request, Source};
use crate::world::{CLIENT_ADDRESS, World};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runs one of the words; `None` if it is none of them.
pub(super) fn run(
    world: &mut World,
    files: &mut BTreeMap<String, String>,
    words: &[String],
) -> Option<Output> {
    let (name, rest) = words.split_first()?;
    match name.as_str() {
        "trace" => Some(trace(world, rest)),
        "proxy" => Some(proxy(world, rest)),
        "network" => Some(network(world, rest)),
        _ => {
            let from = Source::Internet { ip: CLIENT_ADDRESS };
            programs::run(&mut Site { world, from, files }, Kit::COMPUTER, words)
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
