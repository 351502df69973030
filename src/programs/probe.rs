//! ping and nc: whether there is somebody at an address.

use super::exchange::asked;
use super::{CONNECT_TIMEOUT, NO_ROUTE, Output, Site};
use crate::net::Protocol;
use crate::net::packet::Endpoint;
use crate::proxy::Mode;
use crate::trace::{Cause, Manner, Outcome, Request};
use core::time::Duration;

/// How often ping asks if nobody says how often.
// Simplified: a real one goes on until it is stopped.
const PINGS: u32 = 4;
/// How long ping waits for the last answer.
const PING_WAIT: Duration = Duration::from_secs(10);

/// The value of a flag of one letter, glued to it or after it.
fn flag(words: &[String], letter: char) -> Option<&str> {
    let at = words.iter().position(|word| {
        word.starts_with('-') && word.trim_start_matches('-').starts_with(letter)
    })?;
    let word = words.get(at)?;
    match word.trim_start_matches('-').get(1..) {
        Some("") | None => words.get(at + 1).map(String::as_str),
        glued => glued,
    }
}

/// The words that are neither flags nor the values of those that take one.
fn plain<'a>(words: &'a [String], with_value: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some(flag) if flag.len() == 1 && flag.chars().all(|it| with_value.contains(it)) => {
                words.next();
            }
            Some(_) => {}
            None => found.push(word.as_str()),
        }
    }
    found
}

/// Whether an address answers to pings.
enum Echo {
    Answers,
    Unreachable,
    Silent,
}

/// Follows what is like a ping: a connection to a port that nobody listens on is refused by
/// whoever has the address.
// Simplified: addresses of Services answer by the mode of kube-proxy, and nothing is followed.
fn echo(site: &mut Site<'_>, request: &Request) -> (Option<Endpoint>, Echo) {
    let trace = site.wire.send(request);
    let to = asked(&trace);
    let service = to.filter(|to| site.wire.is_service_address(to.ip));
    if service.is_some() {
        return (
            to,
            match site.wire.proxy_mode() {
                Mode::Ipvs => Echo::Answers,
                Mode::Nftables => Echo::Unreachable,
                Mode::Iptables => Echo::Silent,
            },
        );
    }
    let echo = match &trace.outcome {
        Outcome::Answered { .. } => Echo::Answers,
        Outcome::Failed(failure) => match (&failure.cause, failure.manner) {
            (Cause::NothingListens { .. } | Cause::NotANodePort { .. }, _) => Echo::Answers,
            (_, Manner::Unreachable) => Echo::Unreachable,
            _ => Echo::Silent,
        },
    };
    (to, echo)
}

/// ping.
pub(super) fn ping(site: &mut Site<'_>, words: &[String]) -> Output {
    let Some(host) = plain(words, "cWwis").first().map(|host| (*host).to_owned()) else {
        return Output::failed(1, "ping: missing host operand");
    };
    let count: u32 = flag(words, 'c').and_then(|count| count.parse().ok()).unwrap_or(PINGS);
    let request = Request::connect(site.from.clone(), &host, 7, Protocol::Tcp);
    let (to, echo) = echo(site, &request);
    let Some(to) = to else {
        return Output::failed(1, format!("ping: bad address '{host}'"));
    };
    let mut text = format!("PING {host} ({}): 56 data bytes\n", to.ip);
    for number in 0..count.min(1000) {
        if matches!(echo, Echo::Answers) {
            let micros = 60 + site.wire.rng().below(60);
            text.push_str(&format!(
                "64 bytes from {}: seq={number} ttl=62 time=0.{micros:03} ms\n",
                to.ip
            ));
        }
        site.wait(Duration::from_secs(1));
    }
    let (received, lost) = if matches!(echo, Echo::Answers) { (count, 0) } else { (0, 100) };
    if received == 0 {
        site.wait(PING_WAIT);
    }
    text.push_str(&format!(
        "\n--- {host} ping statistics ---\n{count} packets transmitted, {received} packets received, {lost}% packet loss\n"
    ));
    if received > 0 {
        text.push_str("round-trip min/avg/max = 0.060/0.090/0.120 ms\n");
    }
    Output { stdout: text, exit: i32::from(received == 0), ..Output::default() }
}

/// nc: whether a port is open.
// Simplified: what is typed goes nowhere; with UDP it is open unless refused.
pub(super) fn nc(site: &mut Site<'_>, words: &[String]) -> Output {
    let rest = plain(words, "wpse");
    let (Some(host), Some(port)) = (rest.first(), rest.get(1).and_then(|port| port.parse().ok()))
    else {
        return Output::failed(1, "Usage: nc [-vzu] [-w SEC] HOST PORT");
    };
    let has = |letter: char| {
        words.iter().any(|word| {
            word.starts_with('-')
                && word.chars().all(|it| !it.is_ascii_digit())
                && word.contains(letter)
        })
    };
    let protocol = if has('u') { Protocol::Udp } else { Protocol::Tcp };
    let trace = site.wire.send(&Request::connect(site.from.clone(), host, port, protocol));
    let Some(to) = asked(&trace) else {
        return Output::failed(1, format!("nc: bad address '{host}'"));
    };
    let wait = flag(words, 'w').and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let why = match &trace.outcome {
        Outcome::Answered { .. } => {
            let line = format!("{host} ({to}) open\n");
            let stderr = if has('v') { line } else { String::new() };
            return Output { stderr, ..Output::default() };
        }
        Outcome::Failed(failure) => match failure.manner {
            Manner::Refused => format!("nc: {host} ({to}): Connection refused"),
            Manner::TimedOut => match wait.filter(|wait| *wait < CONNECT_TIMEOUT) {
                Some(wait) => {
                    site.wait(wait);
                    "nc: timed out".to_owned()
                }
                None => {
                    site.wait(CONNECT_TIMEOUT);
                    format!("nc: {host} ({to}): Connection timed out")
                }
            },
            _ => {
                site.wait(NO_ROUTE);
                format!("nc: {host} ({to}): Host is unreachable")
            }
        },
    };
    Output::failed(1, why)
}
