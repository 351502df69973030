//! ping: iputils', and busybox's, which prints otherwise.

use super::exchange::asked;
use super::flags::{flag, plain};
use super::question::is_pod;
use super::{Output, Site};
use crate::net::Protocol;
use crate::net::rule::Reject;
use crate::trace::dns::{self, Data, Question, RecordType};
use crate::trace::{Cause, Manner, Outcome, PacketTrace, Reason, Request};
use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

/// How often ping asks if nobody says how often.
// Simplified: a real one goes on until it is stopped.
const PINGS: u32 = 4;
/// How long ping waits for an answer if none has come.
const WAIT: Duration = Duration::from_secs(10);
/// How long it takes to learn that nobody has an address.
const ONE_SECOND: Duration = Duration::from_secs(1);
/// No ping asks more often.
const MOST: u32 = 1000;

/// What becomes of a question for an echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    /// It is answered, with this time to live.
    Answers(u8),
    /// Somebody on the way says that it cannot be.
    Unreachable(&'static str, Option<IpAddr>),
    /// Nothing comes back.
    Silent,
}

/// What is known before the first question.
struct Target {
    ip: IpAddr,
    /// The full name of the host that was asked for.
    name: Arc<str>,
    echo: Echo,
}

/// Follows an echo request.
// Simplified: all that ping sends go the way of the first.
fn target(site: &mut Site<'_>, host: &str) -> Result<Target, Arc<PacketTrace>> {
    let trace = site.wire.send(&Request::connect(site.from.clone(), host, 0, Protocol::Icmp));
    let Some(ip) = asked(&trace).map(|to| to.ip) else { return Err(trace) };
    let echo = match &trace.outcome {
        Outcome::Answered { .. } => Echo::Answers(trace.ttl),
        Outcome::Failed(failure) => match (failure.manner, refusal(&trace)) {
            (_, Some((by, from))) => Echo::Unreachable(by.ping_text(), Some(from)),
            (Manner::Unreachable, None) => {
                Echo::Unreachable(Reject::HostUnreachable.ping_text(), None)
            }
            _ => Echo::Silent,
        },
    };
    let name = full_name(&trace).unwrap_or_else(|| Arc::from(host));
    Ok(Target { ip, name, echo })
}

/// The refusal that came back, and from whom.
fn refusal(trace: &PacketTrace) -> Option<(Reject, IpAddr)> {
    let last = trace.hops.last().filter(|hop| matches!(hop.reason, Reason::IsRefused))?;
    let (_, packet) = last.packet?;
    Some((packet.refusal?, packet.source.ip))
}

/// The name under which a host was found.
fn full_name(trace: &PacketTrace) -> Option<Arc<str>> {
    let last = trace.hops.iter().rev().find_map(|hop| match &hop.reason {
        Reason::Resolves { asked, .. } => Some(asked),
        _ => None,
    })?;
    let records = last.iter().flat_map(|(_, response)| &response.answers);
    let found = records.filter(|record| matches!(record.data, Data::Address(_)));
    found.map(|record| record.name.clone()).next()
}

/// A time for an answer, in microseconds.
fn time(site: &mut Site<'_>) -> u32 {
    60 + site.wire.rng().below(60)
}

fn millis(micros: u32) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

/// How often and how long is asked.
struct Settings {
    count: u32,
    wait: Duration,
    is_quiet: bool,
}

fn settings(words: &[String]) -> Settings {
    let number = |letter| flag(words, letter).and_then(|text| text.parse::<u32>().ok());
    let is_quiet = words.iter().any(|word| word == "-q");
    let wait = number('W').map_or(WAIT, |seconds| Duration::from_secs(seconds.into()));
    Settings { count: number('c').unwrap_or(PINGS).min(MOST), wait, is_quiet }
}

/// busybox's ping.
///
/// Models networking/ping.c of busybox.
pub(super) fn busybox(site: &mut Site<'_>, words: &[String]) -> Output {
    let Some(host) = plain(words, "cWwistpI").first().map(|host| (*host).to_owned()) else {
        return Output::failed(
            1,
            "BusyBox v1.37.0 multi-call binary.\n\nUsage: ping [OPTIONS] HOST\n\nSend ICMP ECHO_REQUESTs to HOST\n\n\t-c CNT\t\tSend only CNT pings\n\t-W SEC\t\tSeconds to wait for the first response (default 10)\n\t-w SEC\t\tSeconds until ping exits (default:infinite)\n\t-q\t\tQuiet, only display output at start/finish",
        );
    };
    let target = match target(site, &host) {
        Ok(target) => target,
        Err(trace) => {
            wait_for_names(site, &host, &trace);
            return Output::failed(1, format!("ping: bad address '{host}'"));
        }
    };
    let Settings { count, wait, is_quiet } = settings(words);
    let head = format!("PING {host} ({}): 56 data bytes\n", target.ip);
    let mut output = Output { stdout: head, ..Output::default() };
    let mut times = Vec::new();
    for number in 0..count {
        if let Echo::Answers(ttl) = target.echo {
            let micros = time(site);
            times.push(micros);
            if !is_quiet {
                output.stdout.push_str(&format!(
                    "64 bytes from {}: seq={number} ttl={ttl} time={} ms\n",
                    target.ip,
                    millis(micros)
                ));
            }
        }
        if number + 1 < count {
            output.pause(ONE_SECOND);
        }
    }
    if times.is_empty() {
        output.pause(wait);
    }
    let received = times.len();
    let lost = if times.is_empty() { 100 } else { 0 };
    output.stdout.push_str(&format!(
        "\n--- {host} ping statistics ---\n{count} packets transmitted, {received} packets received, {lost}% packet loss\n"
    ));
    if let Some(Statistics { least, mean, most, .. }) = Statistics::of(&times) {
        let [least, mean, most] = [least, mean, most].map(millis);
        output.stdout.push_str(&format!("round-trip min/avg/max = {least}/{mean}/{most} ms\n"));
    }
    output.exit = i32::from(times.is_empty());
    output
}

struct Statistics {
    least: u32,
    mean: u32,
    most: u32,
    deviation: u32,
}

impl Statistics {
    fn of(times: &[u32]) -> Option<Self> {
        let count = u32::try_from(times.len()).ok().filter(|count| *count > 0)?;
        let (least, most) = (*times.iter().min()?, *times.iter().max()?);
        let mean = times.iter().sum::<u32>() / count;
        let squares: u64 = times.iter().map(|time| u64::from(time.abs_diff(mean)).pow(2)).sum();
        let deviation = u32::try_from((squares / u64::from(count)).isqrt()).unwrap_or(0);
        Some(Statistics { least, mean, most, deviation })
    }
}

/// How long the resolver waits before a host is given up.
fn wait_for_names(site: &mut Site<'_>, host: &str, trace: &PacketTrace) {
    if let Outcome::Failed(failure) = &trace.outcome
        && matches!(failure.cause, Cause::NoNameServer { .. })
    {
        let wait = site.name_wait(host, failure.cause.is_silence());
        site.wait(wait);
    }
}

/// iputils' ping.
///
/// Models ping/ping.c and ping_common.c of iputils.
pub(super) fn iputils(site: &mut Site<'_>, words: &[String]) -> Output {
    let Some(host) = plain(words, "cWwistpIQMlF").first().map(|host| (*host).to_owned()) else {
        return Output::failed(1, "ping: usage error: Destination address required");
    };
    let target = match target(site, &host) {
        Ok(target) => target,
        Err(trace) => {
            wait_for_names(site, &host, &trace);
            let why = site.name_error(&trace);
            return Output::failed(2, format!("ping: {host}: {why}"));
        }
    };
    let Settings { count, wait, is_quiet } = settings(words);
    let name = target.name.clone();
    let head = format!("PING {name} ({}) 56(84) bytes of data.\n", target.ip);
    let mut output = Output { stdout: head, ..Output::default() };
    let from = match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_string(),
        Err(_) => reverse_name(site, target.ip),
    };
    let own = own_address(site);
    let (mut times, mut errors) = (Vec::new(), 0u32);
    for number in 1..=count {
        let line = match target.echo {
            Echo::Answers(ttl) => {
                let micros = time(site);
                times.push(micros);
                let time = short_millis(micros);
                format!("64 bytes from {from}: icmp_seq={number} ttl={ttl} time={time} ms\n")
            }
            Echo::Unreachable(why, by) => {
                let from = by.unwrap_or(own);
                errors += 1;
                format!("From {from} icmp_seq={number} {why}\n")
            }
            Echo::Silent => String::new(),
        };
        if !is_quiet {
            output.stdout.push_str(&line);
        }
        if number < count {
            output.pause(ONE_SECOND);
        }
    }
    if target.echo == Echo::Silent {
        output.pause(wait);
    }
    let whole = count.saturating_sub(1) * 1024;
    let received = times.len();
    let lost = if times.is_empty() { 100 } else { 0 };
    let told = if errors > 0 { format!(", +{errors} errors") } else { String::new() };
    output.stdout.push_str(&format!(
        "\n--- {name} ping statistics ---\n{count} packets transmitted, {received} received{told}, {lost}% packet loss, time {whole}ms\n"
    ));
    output.stdout.push_str(&match Statistics::of(&times) {
        Some(Statistics { least, mean, most, deviation }) => {
            let [least, mean, most, deviation] = [least, mean, most, deviation].map(millis);
            format!("rtt min/avg/max/mdev = {least}/{mean}/{most}/{deviation} ms\n")
        }
        None => "\n".to_owned(),
    });
    output.exit = i32::from(times.is_empty());
    output
}

/// `0.063`, `1.20`, `12.3`: three digits.
fn short_millis(micros: u32) -> String {
    match micros {
        0..1000 => millis(micros),
        1000..10_000 => format!("{}.{:02}", micros / 1000, micros % 1000 / 10),
        _ => format!("{}.{}", micros / 1000, micros % 1000 / 100),
    }
}

/// The address that a node's kernel complains from to a process there or in a pod.
fn own_address(site: &Site<'_>) -> IpAddr {
    use crate::api::Kind;
    use crate::trace::{CLIENT_ADDRESS, Source};
    let cluster = site.wire.cluster();
    let node = match &site.from {
        Source::Internet { .. } => None,
        Source::Node(name) => Some(name),
        Source::Pod { namespace, name } => {
            let pod = cluster.store.find(Kind::Pod, namespace, name);
            pod.and_then(|pod| pod.pod()).and_then(|pod| pod.node_name.as_ref())
        }
    };
    let machine = node.and_then(|node| cluster.nodes.get(node));
    machine.map_or(CLIENT_ADDRESS, |machine| IpAddr::from(machine.ip))
}

/// `NAME (ADDRESS)`, or the address alone if it has no name.
fn reverse_name(site: &mut Site<'_>, ip: IpAddr) -> String {
    let question = Question::new(&dns::reverse(ip), RecordType::Ptr);
    let Ok(server) = site.name_server(None) else { return ip.to_string() };
    if !is_pod(&site.from) {
        return ip.to_string();
    }
    let inquired = site.inquire(server, vec![question], true);
    let mut records = inquired.responses.iter().flat_map(|(_, response)| &response.answers);
    let name = records.find_map(|record| match &record.data {
        Data::Ptr(name) => Some(format!("{name} ({ip})")),
        _ => None,
    });
    name.unwrap_or_else(|| ip.to_string())
}
