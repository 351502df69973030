//! nslookup: BIND's, busybox's, and that of busybox 1.28 and before.

use super::exchange::asked;
use super::{Kit, NAME_TIMEOUT, Output, Site};
use crate::api::Kind;
use crate::api::tree::Tree as _;
use crate::net::Protocol;
use crate::trace::dns::{self, Answer, Question, Record};
use crate::trace::{Outcome, Request, Source};
use std::net::IpAddr;
use std::sync::Arc;

/// The name server of the world outside of the cluster.
const OUTSIDE: &str = "1.1.1.1";
/// The name server of pods if there is no Service for it.
const INSIDE: &str = "10.96.0.10";

/// Runs nslookup.
pub(super) fn run(site: &mut Site<'_>, words: &[String], kit: Kit) -> Output {
    let mut words = words.iter().filter(|word| !word.starts_with('-'));
    let Some(name) = words.next() else {
        return Output::failed(1, "Usage: nslookup [HOST] [SERVER]");
    };
    let server = server(site);
    if !is_up(site, &server) {
        site.wait(NAME_TIMEOUT);
        return Output {
            stdout: ";; connection timed out; no servers could be reached\n\n".to_owned(),
            exit: 1,
            ..Output::default()
        };
    }
    match (&site.from, kit.busybox && !kit.nslookup) {
        (Source::Pod { .. }, true) if kit.old_nslookup => old_busybox(site, name, &server),
        (Source::Pod { .. }, true) => busybox(site, name, &server),
        _ => bind(site, name, &server),
    }
}

/// The name server that is asked.
fn server(site: &Site<'_>) -> String {
    if !matches!(site.from, Source::Pod { .. }) {
        return OUTSIDE.to_owned();
    }
    let service = site.wire.cluster().store.find(Kind::Service, "kube-system", "kube-dns");
    let ip = service.and_then(|service| service.spec().str_at(&["clusterIP"]));
    ip.unwrap_or(INSIDE).to_owned()
}

/// Whether packets to the name server find somebody.
fn is_up(site: &mut Site<'_>, server: &str) -> bool {
    if server == OUTSIDE
        || site.wire.cluster().store.find(Kind::Service, "kube-system", "kube-dns").is_none()
    {
        return true;
    }
    let request = Request::connect(site.from.clone(), server, 53, Protocol::Udp);
    matches!(site.wire.send(&request).outcome, Outcome::Answered { .. })
}

/// The addresses of one full name.
fn addresses(site: &mut Site<'_>, name: &str) -> Answer {
    let full: Arc<str> = Arc::from(name.trim_end_matches('.'));
    let is_inside = full.ends_with(dns::DOMAIN);
    if is_inside && matches!(site.from, Source::Pod { .. }) {
        let question = Question { name: full, record: Record::A };
        return dns::query(&site.wire.cluster(), &question);
    }
    // What lies outside is found as a client of it would.
    let host = format!("{full}.");
    let from = match &site.from {
        Source::Pod { .. } => Source::Internet { ip: crate::trace::CLIENT_ADDRESS },
        other => other.clone(),
    };
    let trace = site.wire.send(&Request::connect(from, &host, 80, Protocol::Tcp));
    match asked(&trace) {
        Some(to) => Answer::Addresses(vec![to.ip]),
        None => Answer::NoSuchName,
    }
}

/// Names that stand for others, with those; and the last name with its addresses, if it is one.
type Found = (Vec<(String, String)>, Option<(String, Vec<IpAddr>)>);

/// Follows other names to addresses: the names on the way, and the addresses.
fn follow(site: &mut Site<'_>, name: &str) -> Found {
    let (mut aliases, mut name) = (Vec::new(), name.to_owned());
    for _ in 0..8 {
        match addresses(site, &name) {
            Answer::Alias(other) => {
                aliases.push((name.clone(), other.to_string()));
                name = other.to_string();
            }
            Answer::Addresses(found) => return (aliases, Some((name, found))),
            Answer::NoData => return (aliases, Some((name, Vec::new()))),
            Answer::NoSuchName | Answer::Services(_) => return (aliases, None),
        }
    }
    (aliases, None)
}

fn answer_text(name: &str, found: &[IpAddr]) -> String {
    found.iter().map(|ip| format!("Name:\t{name}\nAddress: {ip}\n")).collect()
}

/// BIND's nslookup asks for one name after the other until one has addresses.
fn bind(site: &mut Site<'_>, name: &str, server: &str) -> Output {
    let mut stdout = format!("Server:\t\t{server}\nAddress:\t{server}#53\n\n");
    let names = match &site.from {
        Source::Pod { namespace, .. } => dns::candidates(name, namespace),
        _ => dns::outside(name),
    };
    for candidate in names {
        let (aliases, Some((last, found))) = follow(site, &candidate) else { continue };
        if !candidate.ends_with(dns::DOMAIN) {
            stdout.push_str("Non-authoritative answer:\n");
        }
        for (from, to) in aliases {
            stdout.push_str(&format!("{from}\tcanonical name = {to}.\n"));
        }
        if found.is_empty() {
            stdout.push_str(&format!("*** Can't find {name}: No answer\n\n"));
            return Output { stdout, exit: 1, ..Output::default() };
        }
        stdout.push_str(&answer_text(&last, &found));
        stdout.push('\n');
        return Output { stdout, ..Output::default() };
    }
    stdout.push_str(&format!("** server can't find {name}: NXDOMAIN\n\n"));
    Output { stdout, exit: 1, ..Output::default() }
}

/// busybox asks for addresses of both families under every name of the search list at once, and
/// for a name with a dot under that name alone.
fn busybox(site: &mut Site<'_>, name: &str, server: &str) -> Output {
    let mut output = Output {
        stdout: format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n"),
        ..Output::default()
    };
    let namespace = match &site.from {
        Source::Pod { namespace, .. } => namespace.clone(),
        _ => Arc::from("default"),
    };
    let mut names = dns::candidates(name, &namespace);
    match name.contains('.') {
        true => names = vec![Arc::from(name.trim_end_matches('.'))],
        false => names.retain(|candidate| &**candidate != name),
    }
    for full in names {
        let (aliases, found) = follow(site, &full);
        for family in [4, 6] {
            match &found {
                None => {
                    output.stdout.push_str(&format!("** server can't find {full}: NXDOMAIN\n"));
                    output.exit = 1;
                }
                Some((last, found)) => {
                    if !full.ends_with(dns::DOMAIN) {
                        output.stdout.push_str("Non-authoritative answer:\n");
                    }
                    for (from, to) in &aliases {
                        output.stdout.push_str(&format!("{from}\tcanonical name = {to}\n"));
                    }
                    let own: Vec<IpAddr> =
                        found.iter().filter(|ip| ip.is_ipv4() == (family == 4)).copied().collect();
                    output.stdout.push_str(&answer_text(last, &own));
                }
            }
            output.stdout.push('\n');
        }
    }
    output
}

/// busybox until 1.28 asks as programs do.
fn old_busybox(site: &mut Site<'_>, name: &str, server: &str) -> Output {
    let own = "kube-dns.kube-system.svc.cluster.local";
    let mut stdout = format!("Server:    {server}\nAddress 1: {server} {own}\n\n");
    let namespace = match &site.from {
        Source::Pod { namespace, .. } => namespace.clone(),
        _ => Arc::from("default"),
    };
    for candidate in dns::candidates(name, &namespace) {
        let (_, Some((last, found))) = follow(site, &candidate) else { continue };
        if found.is_empty() {
            continue;
        }
        stdout.push_str(&format!("Name:      {name}\n"));
        for (ip, number) in found.iter().zip(1u32..) {
            let back = if last.ends_with(dns::DOMAIN) { format!(" {last}") } else { String::new() };
            stdout.push_str(&format!("Address {number}: {ip}{back}\n"));
        }
        return Output { stdout, ..Output::default() };
    }
    let stderr = format!("nslookup: can't resolve '{name}'\n");
    Output { stdout, stderr, exit: 1 }
}
