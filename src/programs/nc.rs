//! nc: OpenBSD's, and busybox's, which prints otherwise.

use super::exchange::asked;
use super::flags::{flag, plain, times};
use super::{CONNECT_TIMEOUT, NO_ROUTE, Output, Site};
use crate::net::Protocol;
use crate::net::packet::Endpoint;
use crate::trace::{Cause, Manner, Outcome, PacketTrace, Request};
use core::time::Duration;
use std::sync::Arc;

/// Flags that a value follows.
const WITH_VALUE: &str = "wpseiIqxXPTMmO";

/// A connection that was tried.
struct Tried {
    host: String,
    port: u16,
    protocol: Protocol,
    /// None if the host has no address.
    to: Option<Endpoint>,
    /// None if it is open.
    trouble: Option<Manner>,
    /// How long `-w` says to wait.
    wait: Option<Duration>,
    trace: Arc<PacketTrace>,
}

// Simplified: what is typed goes nowhere; with UDP a port is open unless it is refused.
fn tried(site: &mut Site<'_>, words: &[String]) -> Option<Tried> {
    let (host, port) = match plain(words, WITH_VALUE).as_slice() {
        [host, port, ..] => ((*host).to_owned(), port.parse().ok()?),
        _ => return None,
    };
    let protocol = if times(words, 'u') > 0 { Protocol::Udp } else { Protocol::Tcp };
    let trace = site.wire.send(&Request::connect(site.from.clone(), &host, port, protocol));
    let to = asked(&trace);
    let mut trouble = match &trace.outcome {
        Outcome::Answered { .. } => None,
        Outcome::Failed(failure) => Some(failure.manner),
    };
    if protocol == Protocol::Udp && trouble == Some(Manner::TimedOut) {
        trouble = None;
    }
    let wait = flag(words, 'w').and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let wait = wait.filter(|wait| *wait < CONNECT_TIMEOUT);
    let tried = Tried { host, port, protocol, to, trouble, wait, trace };
    let time = match (tried.to, tried.trouble) {
        (None, _) => match &tried.trace.outcome {
            Outcome::Failed(failure) if matches!(failure.cause, Cause::NoNameServer { .. }) => {
                site.name_wait(&tried.host, failure.cause.is_silence())
            }
            _ => Duration::ZERO,
        },
        (_, Some(Manner::TimedOut)) => wait.unwrap_or(CONNECT_TIMEOUT),
        (_, Some(Manner::Unreachable)) => wait.unwrap_or(NO_ROUTE).min(NO_ROUTE),
        _ => Duration::ZERO,
    };
    site.wait(time);
    Some(tried)
}

/// busybox's nc: with one `-v` it says nothing of a refusal.
///
/// Models networking/nc_bloaty.c of busybox.
pub(super) fn busybox(site: &mut Site<'_>, words: &[String]) -> Output {
    let Some(tried) = tried(site, words) else {
        return Output::failed(
            1,
            "BusyBox v1.37.0 multi-call binary.\n\nUsage: nc [OPTIONS] HOST PORT  - connect\nnc [OPTIONS] -l -p PORT [HOST] [PORT]  - listen",
        );
    };
    let Tried { host, to, trouble, .. } = &tried;
    let Some(to) = to else { return Output::failed(1, format!("nc: bad address '{host}'")) };
    let loud = times(words, 'v');
    let counts = if loud > 1 { "sent 0, rcvd 0\n" } else { "" };
    let Some(trouble) = trouble else {
        let line = if loud > 0 { format!("{host} ({to}) open\n") } else { String::new() };
        return Output { stderr: line + counts, ..Output::default() };
    };
    let line = match trouble {
        Manner::Refused if loud < 2 => String::new(),
        _ if loud == 0 => String::new(),
        trouble => format!("nc: {host} ({to}): {}\n", site.error_text(*trouble)),
    };
    Output { stderr: line + counts, exit: 1, ..Output::default() }
}

/// OpenBSD's nc.
///
/// Models netcat.c of netcat-openbsd.
pub(super) fn openbsd(site: &mut Site<'_>, words: &[String]) -> Output {
    let Some(tried) = tried(site, words) else {
        return Output::failed(
            1,
            "usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]",
        );
    };
    let Tried { host, port, protocol, to, trouble, wait, trace } = &tried;
    let Some(to) = to else {
        let why = site.name_error(trace);
        return Output::failed(
            1,
            format!("nc: getaddrinfo for host \"{host}\" port {port}: {why}"),
        );
    };
    let is_loud = times(words, 'v') > 0;
    let (protocol, is_name) = (protocol.name(), host.parse::<core::net::IpAddr>().is_err());
    let named = if is_name { format!("{host} ({})", to.ip) } else { host.clone() };
    let line = match trouble {
        _ if !is_loud => String::new(),
        None => {
            let service = service(*port);
            format!("Connection to {named} {port} port [{protocol}/{service}] succeeded!\n")
        }
        // A port of UDP that is refused is passed over in silence.
        Some(_) if protocol == "udp" => String::new(),
        Some(Manner::TimedOut) if wait.is_some() => {
            format!(
                "nc: connect to {named} port {port} ({protocol}) timed out: Operation now in progress\n"
            )
        }
        Some(trouble) => {
            let why = site.error_text(*trouble);
            format!("nc: connect to {named} port {port} ({protocol}) failed: {why}\n")
        }
    };
    Output { stderr: line, exit: i32::from(trouble.is_some()), ..Output::default() }
}

/// The names of ports that /etc/services has.
const fn service(port: u16) -> &'static str {
    match port {
        22 => "ssh",
        25 => "smtp",
        53 => "domain",
        80 => "http",
        443 => "https",
        3306 => "mysql",
        5432 => "postgresql",
        8080 => "http-alt",
        _ => "*",
    }
}
