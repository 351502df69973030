//! dig, host and getent.

use super::question::{BIND, TRIES, no_address, unreachable, unreachable_wait};
use super::{Output, Site};
use crate::api::Kind;
use crate::trace::Source;
use crate::trace::dns::{self, Code, Data, Question, Record, RecordType, Response};
use core::net::IpAddr;
use core::time::Duration;

/// What dig prints, and what it asks for.
struct Dig<'a> {
    server: Option<&'a str>,
    name: Option<String>,
    record: Option<RecordType>,
    search: bool,
    short: bool,
    edns: bool,
    cookie: bool,
    /// Sections by the names of their flags.
    hidden: Vec<&'static str>,
    timeout: Duration,
    tries: u32,
    warnings: String,
}

/// The flags that hide parts of what dig prints.
const PARTS: [&str; 7] =
    ["cmd", "comments", "question", "answer", "authority", "additional", "stats"];

impl<'a> Dig<'a> {
    fn parse(words: &'a [String]) -> Self {
        let mut dig = Dig {
            server: None,
            name: None,
            record: None,
            search: false,
            short: false,
            edns: true,
            cookie: true,
            hidden: Vec::new(),
            timeout: Duration::from_secs(5),
            tries: TRIES,
            warnings: String::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if let Some(server) = word.strip_prefix('@') {
                dig.server = Some(server);
            } else if let Some(flag) = word.strip_prefix('+') {
                dig.flag(flag);
            } else if let Some(flag) = word.strip_prefix('-') {
                let (letter, glued) = flag.split_at(flag.len().min(1));
                let mut value = || match glued {
                    "" => words.next().map(String::as_str).unwrap_or_default(),
                    glued => glued,
                };
                match letter {
                    "t" => dig.typed(value()),
                    "q" => dig.name = Some(value().to_owned()),
                    "x" => {
                        let ip = value().parse::<IpAddr>().ok();
                        dig.name = ip.map(dns::reverse);
                        dig.record = Some(RecordType::Ptr);
                    }
                    "p" | "b" | "c" | "y" | "k" => drop(value()),
                    _ => {}
                }
            } else {
                match RecordType::parse(word) {
                    Some(record) if dig.record.is_none() => dig.record = Some(record),
                    _ if word == "IN" || word == "in" => {}
                    // Simplified: of several names only the first is asked for.
                    _ => dig.name = dig.name.take().or_else(|| Some(word.clone())),
                }
            }
        }
        dig
    }

    fn typed(&mut self, word: &str) {
        match RecordType::parse(word) {
            Some(record) => self.record = Some(record),
            None => {
                self.warnings.push_str(&format!(";; Warning, ignoring invalid type {word}\n"));
            }
        }
    }

    fn flag(&mut self, flag: &str) {
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        let (name, is_on) = name.strip_prefix("no").map_or((name, true), |name| (name, false));
        match name {
            "search" | "defname" => self.search = is_on,
            "short" => self.short = is_on,
            "edns" => self.edns = is_on,
            "cookie" => self.cookie = is_on,
            "all" => self.hidden = if is_on { Vec::new() } else { PARTS.to_vec() },
            "time" | "timeout" => {
                self.timeout = value.parse().map_or(self.timeout, Duration::from_secs);
            }
            "tries" => self.tries = value.parse().unwrap_or(self.tries).max(1),
            "retry" => self.tries = value.parse::<u32>().map_or(self.tries, |it| it + 1),
            _ => {
                self.hidden.retain(|part| *part != name);
                if !is_on {
                    self.hidden.extend(PARTS.iter().find(|part| **part == name));
                }
            }
        }
    }

    fn shows(&self, part: &str) -> bool {
        !self.hidden.contains(&part)
    }
}

/// Runs dig.
///
/// Models bin/dig/dig.c of BIND 9.18.
pub(super) fn dig(site: &mut Site<'_>, words: &[String]) -> Output {
    let dig = Dig::parse(words);
    let server = match site.name_server(dig.server) {
        Ok(server) => server,
        Err(word) => return no_address("dig", &word),
    };
    let mut output = Output::default();
    output.complain(&dig.warnings);
    let none = if dig.name.is_some() { RecordType::A } else { RecordType::Ns };
    let (name, record) = (dig.name.as_deref().unwrap_or("."), dig.record.unwrap_or(none));
    let questions = match dig.search {
        true => site.searched(name, record),
        false => vec![Question::new(name, record)],
    };
    let inquired = site.inquire(server, questions, true);
    let given: String = words.iter().map(|word| format!(" {word}")).collect();
    let found = if dig.server.is_some() { "; (1 server found)\n" } else { "" };
    let own = if super::question::is_pod(&site.from) { "" } else { "-1~deb12u3-Debian" };
    let head = format!("\n; <<>> DiG {BIND}{own} <<>>{given}\n{found};; global options: +cmd\n");
    let head = if dig.shows("cmd") && !dig.short { head } else { String::new() };
    if let Some(is_silent) = inquired.is_silent() {
        site.wait(unreachable_wait(is_silent, dig.timeout, dig.tries));
        output.stdout.push_str(&unreachable(server, is_silent, dig.tries));
        output.stdout.push_str(&format!("{head};; no servers could be reached\n"));
        output.exit = 9;
        return output;
    }
    let Some((question, response)) = inquired.responses.last() else { return output };
    if dig.short {
        output.stdout.extend(response.answers.iter().map(|record| format!("{}\n", record.data)));
        return output;
    }
    output.stdout.push_str(&head);
    let id = site.wire.rng().below(65_536);
    let cookie = format!("{:08x}{:08x}", site.wire.rng().bits(), site.wire.rng().bits());
    output.stdout.push_str(&message(&dig, question, response, id, &cookie));
    if dig.shows("stats") {
        let mut size = response.size(question);
        // The pseudosection is eleven bytes long, and twelve more with a cookie.
        size += usize::from(dig.edns) * (11 + usize::from(dig.cookie) * 12);
        let now = when(&site.now().rfc1123z());
        output.stdout.push_str(&format!(
            ";; Query time: 0 msec\n;; SERVER: {server}#53({server}) (UDP)\n;; WHEN: {now}\n;; MSG SIZE  rcvd: {size}\n\n"
        ));
    }
    output
}

/// `Thu, 26 Nov 2026 22:24:19 +0000` as `Thu Nov 26 22:24:19 UTC 2026`.
fn when(date: &str) -> String {
    let words: Vec<&str> = date.split_whitespace().collect();
    match words.as_slice() {
        [weekday, day, month, year, time, _] => {
            let weekday = weekday.trim_end_matches(',');
            format!("{weekday} {month} {day} {time} UTC {year}")
        }
        _ => date.to_owned(),
    }
}

/// The sections of an answer.
fn message(
    dig: &Dig<'_>,
    question: &Question,
    response: &Response,
    id: u32,
    cookie: &str,
) -> String {
    let mut text = String::new();
    let comments = dig.shows("comments");
    if comments {
        text.push_str(";; Got answer:\n");
        if question.name.ends_with(".local") {
            text.push_str(";; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n");
        }
        let aa = if response.authoritative { " aa" } else { "" };
        let ra = if response.recursion { " ra" } else { "" };
        let additional = response.additional.len() + usize::from(dig.edns);
        text.push_str(&format!(
            ";; ->>HEADER<<- opcode: QUERY, status: {}, id: {id}\n;; flags: qr{aa} rd{ra}; QUERY: 1, ANSWER: {}, AUTHORITY: {}, ADDITIONAL: {additional}\n",
            response.code.name(),
            response.answers.len(),
            response.authority.len(),
        ));
        if !response.recursion {
            text.push_str(";; WARNING: recursion requested but not available\n");
        }
        text.push('\n');
        if dig.edns {
            text.push_str(";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n");
            if dig.cookie {
                text.push_str(&format!("; COOKIE: {cookie} (echoed)\n"));
            }
        }
    }
    let title = |name: &str| match comments {
        true => format!(";; {name} SECTION:\n"),
        false => String::new(),
    };
    let end = if comments { "\n" } else { "" };
    if dig.shows("question") {
        let line = columns(&format!(";{}.", question.name), &["", "IN", question.record.name()]);
        text.push_str(&format!("{}{line}\n{end}", title("QUESTION")));
    }
    let sections = [
        ("answer", "ANSWER", &response.answers),
        ("authority", "AUTHORITY", &response.authority),
        ("additional", "ADDITIONAL", &response.additional),
    ];
    for (part, name, records) in sections {
        if !records.is_empty() && dig.shows(part) {
            text.push_str(&title(name));
            text.extend(records.iter().map(|record| line(record) + "\n"));
            text.push_str(end);
        }
    }
    text
}

/// A record in dig's columns.
fn line(record: &Record) -> String {
    let (ttl, data) = (record.ttl.to_string(), record.data.to_string());
    let name = format!("{}.", record.name);
    columns(&name, &[&ttl, "IN", record.data.record().name(), &data])
}

/// Words at the columns 24, 32, 40 and 48, by tabs where there is room, else after a space.
///
/// Models lib/dns/masterdump.c indent.
fn columns(first: &str, words: &[&str]) -> String {
    let mut text = first.to_owned();
    let mut at = first.len();
    for (word, column) in words.iter().zip([24, 32, 40, 48]) {
        if word.is_empty() {
            continue;
        }
        let to = column.max(at + 1);
        let tabs = to / 8 - at / 8;
        match tabs {
            0 => text.push_str(&" ".repeat(to - at)),
            tabs => text.push_str(&("\t".repeat(tabs) + &" ".repeat(to % 8))),
        }
        text.push_str(word);
        at = to + word.len();
    }
    text
}

/// Runs host.
///
/// Models bin/dig/host.c of BIND 9.18.
pub(super) fn host(site: &mut Site<'_>, words: &[String]) -> Output {
    let (mut record, mut timeout) = (None, Duration::from_secs(5));
    let (mut plain, mut rest) = (Vec::new(), words.iter());
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-t" => record = rest.next().and_then(|word| RecordType::parse(word)),
            "-W" => {
                let seconds = rest.next().and_then(|word| word.parse().ok());
                timeout = seconds.map_or(timeout, Duration::from_secs);
            }
            "-R" | "-p" | "-N" | "-c" => drop(rest.next()),
            word if word.starts_with('-') => {}
            word => plain.push(word),
        }
    }
    let Some(name) = plain.first() else {
        return Output::failed(
            1,
            "Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]\n            [-R number] [-m flag] [-p port] hostname [server]",
        );
    };
    let server = match site.name_server(plain.get(1).copied()) {
        Ok(server) => server,
        Err(word) => return no_address("host", &word),
    };
    let reverse = name.parse::<IpAddr>().ok().filter(|_| record.is_none());
    let questions = match reverse {
        Some(ip) => vec![Question::new(&dns::reverse(ip), RecordType::Ptr)],
        None => site.searched(name, record.unwrap_or(RecordType::A)),
    };
    let inquired = site.inquire(server, questions, true);
    let mut output = Output::default();
    if let Some(is_silent) = inquired.is_silent() {
        site.wait(unreachable_wait(is_silent, timeout, 2));
        output.stdout = unreachable(server, is_silent, 2) + ";; no servers could be reached\n";
        output.exit = 1;
        return output;
    }
    if plain.len() > 1 {
        output.stdout.push_str(&format!(
            "Using domain server:\nName: {server}\nAddress: {server}#53\nAliases: \n\n"
        ));
    }
    let Some((question, response)) = inquired.responses.last() else { return output };
    if response.code != Code::NoError {
        let (number, code) = (response.code.number(), response.code.name());
        let dot = if reverse.is_some() { "." } else { "" };
        output
            .stdout
            .push_str(&format!("Host {}{dot} not found: {number}({code})\n", question.name));
        output.exit = 1;
        return output;
    }
    output.stdout.extend(response.answers.iter().map(told));
    match record {
        Some(record) if response.answers.is_empty() => {
            let none = format!("{} has no {} record\n", question.name, record.name());
            output.stdout.push_str(&none);
        }
        None if reverse.is_none() => {
            let name = response.answers.last().map_or(&question.name, |record| &record.name);
            let more = [RecordType::Aaaa, RecordType::Mx].map(|record| Question::new(name, record));
            let more = site.inquire(server, more.to_vec(), false);
            let records = more.responses.iter().flat_map(|(_, response)| &response.answers);
            output.stdout.extend(records.map(told));
        }
        _ => {}
    }
    output
}

/// A record in host's words.
fn told(record: &Record) -> String {
    let (name, data) = (&record.name, &record.data);
    match data {
        Data::Address(IpAddr::V4(ip)) => format!("{name} has address {ip}\n"),
        Data::Address(IpAddr::V6(ip)) => format!("{name} has IPv6 address {ip}\n"),
        Data::Cname(_) => format!("{name} is an alias for {data}\n"),
        Data::Ptr(_) => format!("{name} domain name pointer {data}\n"),
        Data::Ns(_) => format!("{name} name server {data}\n"),
        Data::Txt(_) => format!("{name} descriptive text {data}\n"),
        Data::Srv { .. } | Data::Soa { .. } => {
            format!("{name} has {} record {data}\n", data.record().name())
        }
    }
}

/// Runs getent, for hosts alone.
pub(super) fn getent(site: &mut Site<'_>, words: &[String]) -> Output {
    let [database, names @ ..] = words else {
        let stdout = "Try `getent --help' or `getent --usage' for more information.\n".to_owned();
        let stderr = "getent: wrong number of arguments\n".to_owned();
        return Output { stdout, stderr, exit: 1, ..Output::default() };
    };
    let is_long = match database.as_str() {
        "hosts" => false,
        "ahosts" | "ahostsv4" => true,
        other => return Output::failed(1, format!("Unknown database: {other}")),
    };
    let mut output = Output::default();
    for name in names {
        let found = addresses(site, name);
        if found.is_empty() {
            output.exit = 2;
        }
        for (place, (ip, full)) in found.into_iter().enumerate() {
            let named = if place == 0 { &*full } else { "" };
            output.stdout.push_str(&match is_long {
                false => format!("{ip:<15} {full}\n"),
                true => format!("{ip:<15} STREAM {named}\n{ip:<15} DGRAM  \n{ip:<15} RAW    \n"),
            });
        }
    }
    output
}

/// The addresses of a name and whose they are, as the C library finds them.
fn addresses(site: &mut Site<'_>, name: &str) -> Vec<(String, String)> {
    let own = of_file(site, name);
    if !own.is_empty() {
        return own;
    }
    let questions = site.searched(name, RecordType::A);
    let Ok(server) = site.name_server(None) else { return Vec::new() };
    let inquired = site.inquire(server, questions, false);
    if let Some(is_silent) = inquired.is_silent() {
        let wait = site.name_wait(name, is_silent);
        site.wait(wait);
    }
    for (question, response) in inquired.responses {
        let found = response.answers.iter().filter_map(|record| match record.data {
            Data::Address(ip) => Some((ip.to_string(), record.name.to_string())),
            _ => None,
        });
        let found: Vec<_> = found.collect();
        if !found.is_empty() {
            return found;
        }
        drop(question);
    }
    Vec::new()
}

/// What /etc/hosts says of a name: IPv6 first, with the other names behind.
fn of_file(site: &Site<'_>, name: &str) -> Vec<(String, String)> {
    let cluster = site.wire.cluster();
    let text = match &site.from {
        Source::Pod { namespace, name } => {
            cluster.store.find(Kind::Pod, namespace, name).map(|pod| crate::kubelet::hosts(pod))
        }
        Source::Node(_) | Source::Internet { .. } => None,
    };
    let text = text.unwrap_or_else(|| "127.0.0.1 localhost\n".to_owned());
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let fits = words.filter_map(|words| match words.split_first() {
        Some((ip, names)) if names.iter().any(|own| own.eq_ignore_ascii_case(name)) => {
            Some(((*ip).to_owned(), names.join(" ")))
        }
        _ => None,
    });
    let fits: Vec<(String, String)> = fits.collect();
    let of_family = |is_v6: bool| fits.iter().filter(move |(ip, _)| ip.contains(':') == is_v6);
    let of_family = |is_v6| of_family(is_v6).cloned().collect::<Vec<_>>();
    let first = of_family(true);
    if first.is_empty() { of_family(false) } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of dig of BIND 9.18.
    #[test]
    fn columns_are_digs() {
        let cases = [
            ("cluster.local.", vec!["30", "IN", "SOA", "x"], "cluster.local.\t\t30\tIN\tSOA\tx"),
            (
                "db-0.db.demo.svc.cluster.local.",
                vec!["30", "IN", "A", "10.244.1.5"],
                "db-0.db.demo.svc.cluster.local.\t30 IN\tA\t10.244.1.5",
            ),
            (
                "web.demo.svc.cluster.local.",
                vec!["30", "IN", "A", "10.96.71.33"],
                "web.demo.svc.cluster.local. 30\tIN\tA\t10.96.71.33",
            ),
            (
                "_pg._tcp.db.demo.svc.cluster.local.",
                vec!["30", "IN", "SRV", "0"],
                "_pg._tcp.db.demo.svc.cluster.local. 30 IN SRV\t0",
            ),
            (";web.", vec!["", "IN", "A"], ";web.\t\t\t\tIN\tA"),
            (
                ";_pg._tcp.db.demo.svc.cluster.local.",
                vec!["", "IN", "SRV"],
                ";_pg._tcp.db.demo.svc.cluster.local. IN\tSRV",
            ),
        ];
        for (first, words, expected) in cases {
            assert_eq!(columns(first, &words), expected, "{first}");
        }
    }
}
