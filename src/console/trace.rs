//! `trace`: a request of a program hop by hop, alone or beside the same under another setting.

use super::{Console, Output, failed};
use crate::net::Protocol;
use crate::telling;
use crate::trace::dns::{self, Question, RecordType};
use crate::trace::names::{Inquiry, resolv_conf};
use crate::trace::{Outcome, PacketTrace, Request, Source};
use crate::world::{CLIENT_ADDRESS, World};
use core::time::Duration;
use std::sync::Arc;

const USAGE: &str = "usage: trace [--from internet|node/NAME|pod/[NS/]NAME] [-o text|json] [--against 'COMMAND'] [curl|wget|nc|nslookup|dig|host|ping] …\n";

/// How long a changed setting has to take effect before the request is sent: as long as kube-proxy
/// may take to write its rules.
const SETTLE: Duration = Duration::from_secs(2);

/// Flags of curl that a value follows.
const CURL_VALUES: (&str, &[&str]) = (
    "oHXmwdAueTb",
    &[
        "header",
        "request",
        "max-time",
        "connect-timeout",
        "write-out",
        "data",
        "output",
        "user-agent",
        "retry",
        "resolve",
        "user",
    ],
);
/// Flags of wget that a value follows.
const WGET_VALUES: (&str, &[&str]) = ("OTtU", &["header", "timeout", "tries", "user-agent"]);
/// Flags of ping that a value follows.
const PING_VALUES: (&str, &[&str]) = ("cisWwtI", &[]);
/// Flags of nc that a value follows.
const NC_VALUES: (&str, &[&str]) = ("wps", &[]);

/// What the command line asks for.
struct Asked {
    json: bool,
    against: Option<String>,
    request: Request,
    /// What is asked of a name server, if that is the request.
    inquiry: Option<Inquiry>,
}

/// `trace curl URL`: every hop of a request.
pub(super) fn run(console: &mut Console, world: &mut World, words: &[String]) -> Output {
    let asked = match read(world, &console.session.namespace, words) {
        Ok(asked) => asked,
        Err(output) => return output,
    };
    if let Some(line) = &asked.against {
        return beside(console, world, line, &asked.request);
    }
    let trace = match &asked.inquiry {
        Some(inquiry) => world.inquire(inquiry).trace,
        None => world.send(&asked.request),
    };
    let stdout = match asked.json {
        true => format!("{:#}\n", telling::to_value(&trace, console.lang)),
        false => telling::to_text(&trace, console.lang),
    };
    Output { stdout, exit: exit(&trace), ..Output::default() }
}

/// The request of a program's words, after `--from SOURCE`.
pub(super) fn request(
    console: &Console,
    world: &World,
    words: &[String],
) -> Result<Request, Output> {
    read(world, &console.session.namespace, words).map(|asked| asked.request)
}

fn exit(trace: &PacketTrace) -> i32 {
    match &trace.outcome {
        Outcome::Answered { .. } => 0,
        Outcome::Failed(failure) => i32::from(failure.manner.curl_code()),
    }
}

/// The same request as things are, and after a command in a copy of the world.
fn beside(console: &Console, world: &World, line: &str, request: &Request) -> Output {
    let mut refused = None;
    let mut copy = console.twin();
    let change = |other: &mut World| {
        let output = copy.execute(other, line, None);
        if output.exit != 0 {
            refused = Some(output);
        }
        other.run_for(SETTLE);
    };
    let comparison = world.side_by_side(change, request);
    refused.unwrap_or_else(|| Output { stdout: comparison.to_text(), ..Output::default() })
}

fn usage() -> Output {
    failed(2, USAGE.to_owned())
}

/// Reads the flags of `trace` itself, and then the program's words.
fn read(world: &World, namespace: &str, words: &[String]) -> Result<Asked, Output> {
    let mut from = Source::Internet { ip: CLIENT_ADDRESS };
    let (mut json, mut against, mut host) = (false, None, None);
    let mut rest = words.iter();
    let program = loop {
        let word = rest.next().ok_or_else(usage)?;
        let (flag, given) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        if !flag.starts_with('-') {
            break word;
        }
        if flag == "-ojson" {
            json = true;
            continue;
        }
        let value = given.or_else(|| rest.next().cloned()).unwrap_or_default();
        match flag {
            "--from" => from = source(&value, namespace).ok_or_else(usage)?,
            "--against" => against = Some(value),
            "-H" | "--header" => host = Some(value),
            "-o" | "--output" => json = is_json(&value).ok_or_else(usage)?,
            _ => return Err(usage()),
        }
    };
    let rest = rest.as_slice();
    // At the end of the line `-o json` means the trace, and not a file of curl's.
    if let [.., flag, form] = rest
        && flag == "-o"
    {
        json = is_json(form).unwrap_or(json);
    }
    let mut inquiry = None;
    let request = match program.as_str() {
        "curl" => of_url(&from, rest, &CURL_VALUES, host),
        "wget" => of_url(&from, rest, &WGET_VALUES, host),
        "nc" => of_nc(&from, rest),
        "ping" => of_ping(&from, rest),
        "nslookup" | "dig" | "host" => {
            let asked = of_dns(world, &from, program, rest)?;
            let server = asked.server.to_string();
            inquiry = Some(asked);
            Ok(Request::connect(from.clone(), &server, 53, Protocol::Udp))
        }
        _ => {
            let mut whole = vec![program.clone()];
            whole.extend_from_slice(rest);
            of_url(&from, &whole, &CURL_VALUES, host)
        }
    }?;
    Ok(Asked { json, against, request, inquiry })
}

fn is_json(word: &str) -> Option<bool> {
    match word {
        "json" => Some(true),
        "text" => Some(false),
        _ => None,
    }
}

/// What stands in a program's words beside its flags, and the values of its flags.
fn plain<'a>(
    words: &'a [String],
    (letters, long): &(&str, &[&str]),
) -> (Vec<&'a str>, Vec<(String, &'a str)>) {
    let (mut plain, mut values) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(flag) = word.strip_prefix("--") {
            let (flag, given) = match flag.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (flag, None),
            };
            if long.contains(&flag) {
                let value = given.or_else(|| words.next().map(String::as_str)).unwrap_or_default();
                values.push((flag.to_owned(), value));
            }
            continue;
        }
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) else {
            plain.push(word.as_str());
            continue;
        };
        // The first letter that takes a value takes the rest of the word, or the next one.
        if let Some(at) = flags.find(|letter| letters.contains(letter)) {
            let (letter, glued) = flags.split_at(at).1.split_at(1);
            let value = match glued {
                "" => words.next().map(String::as_str).unwrap_or_default(),
                glued => glued,
            };
            values.push((letter.to_owned(), value));
        }
    }
    (plain, values)
}

/// A request of curl or wget. How the answer would be printed changes nothing on its way.
fn of_url(
    from: &Source,
    words: &[String],
    flags: &(&str, &[&str]),
    host: Option<String>,
) -> Result<Request, Output> {
    let (urls, values) = plain(words, flags);
    let url = urls.first().ok_or_else(usage)?;
    let mut request = match Request::from_url(from.clone(), url) {
        Ok(request) => request,
        Err(why) => return Err(failed(3, format!("curl: {why}\n"))),
    };
    let headers = values.iter().filter(|(flag, _)| matches!(flag.as_str(), "H" | "header"));
    for header in headers.map(|(_, value)| *value).chain(host.as_deref()) {
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            request.host_header = Some(Arc::from(value.trim()));
        }
    }
    for (flag, value) in &values {
        match flag.as_str() {
            "X" | "request" => request.method = Arc::from(*value),
            "A" | "user-agent" => request.agent = Arc::from(*value),
            _ => {}
        }
    }
    Ok(request)
}

/// `nc -zv HOST PORT`, with UDP after `-u`.
fn of_nc(from: &Source, words: &[String]) -> Result<Request, Output> {
    let (plain, _) = plain(words, &NC_VALUES);
    let is_udp = words
        .iter()
        .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('u'));
    let protocol = if is_udp { Protocol::Udp } else { Protocol::Tcp };
    match plain.as_slice() {
        [host, port] => {
            let port = port.parse().map_err(|_| usage())?;
            Ok(Request::connect(from.clone(), host, port, protocol))
        }
        _ => Err(usage()),
    }
}

/// `ping HOST`: an echo request.
fn of_ping(from: &Source, words: &[String]) -> Result<Request, Output> {
    let (plain, _) = plain(words, &PING_VALUES);
    match plain.as_slice() {
        [host] => Ok(Request::connect(from.clone(), host, 0, Protocol::Icmp)),
        _ => Err(usage()),
    }
}

/// `nslookup NAME [SERVER]`, `dig [@SERVER] NAME [TYPE]`: the questions of one type, up to the first
/// name that there is. dig does not search.
fn of_dns(
    world: &World,
    from: &Source,
    program: &str,
    words: &[String],
) -> Result<Inquiry, Output> {
    let (plain, values) = plain(words, &("tqx", &[]));
    let conf = resolv_conf(&world.cluster(), from);
    let (mut names, mut server, mut record) = (Vec::new(), conf.servers.first().copied(), None);
    for word in plain.into_iter().filter(|word| !word.starts_with('+')) {
        match (word.strip_prefix('@'), program) {
            (Some(ip), _) => server = ip.parse().ok(),
            (None, "dig") if RecordType::parse(word).is_some() => record = RecordType::parse(word),
            (None, "dig") => names.push(word),
            (None, _) if names.is_empty() => names.push(word),
            (None, _) => server = word.parse().ok(),
        }
    }
    let is_search = words.iter().any(|word| word == "+search");
    for (flag, value) in &values {
        match flag.as_str() {
            "x" => names.push(value),
            _ => record = RecordType::parse(value.trim_start_matches("ype=")),
        }
    }
    let (Some(name), Some(server)) = (names.first(), server) else { return Err(usage()) };
    let questions = match name.parse().ok().filter(|_| record.is_none()) {
        Some(ip) => vec![Question::new(&dns::reverse(ip), RecordType::Ptr)],
        None => {
            let record = record.unwrap_or(RecordType::A);
            let all = dns::search(&conf, name).map(|name| Question::new(&name, record));
            match program == "dig" && !is_search {
                true => vec![Question::new(name, record)],
                false => all.collect(),
            }
        }
    };
    Ok(Inquiry { from: from.clone(), server, questions, until_found: true })
}

/// `internet`, an address outside, `node/NAME`, `pod/NS/NAME`, or `pod/NAME` in the namespace of
/// who asks.
pub(super) fn source(text: &str, own: &str) -> Option<Source> {
    let parts: Vec<&str> = text.split('/').collect();
    let pod = |namespace: &str, name: &str| Source::Pod {
        namespace: Arc::from(namespace),
        name: Arc::from(name),
    };
    Some(match parts.as_slice() {
        ["internet"] => Source::Internet { ip: CLIENT_ADDRESS },
        ["node", name] => Source::Node(Arc::from(*name)),
        ["pod", name] => pod(own, name),
        ["pod", namespace, name] => pod(namespace, name),
        [ip] => Source::Internet { ip: ip.parse().ok()? },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_flag_is_no_url() {
        let read = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let (plain, values) = plain(&words, &CURL_VALUES);
            let values: Vec<String> =
                values.into_iter().map(|(flag, value)| format!("{flag}={value}")).collect();
            format!("{} | {}", plain.join(" "), values.join(" "))
        };
        let cases = [
            ("-s -o /dev/null http://web", "http://web | o=/dev/null"),
            ("-so /dev/null http://web", "http://web | o=/dev/null"),
            ("-sm2 web", "web | m=2"),
            ("--max-time 2 -k --header=Host:a web", "web | max-time=2 header=Host:a"),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line), expected, "{line}");
        }
    }
}
