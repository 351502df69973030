//! nslookup: BIND's, busybox's, and that of busybox 1.28 and before.

use super::question::{TRIES, no_address, unreachable, unreachable_wait};
use super::{Kit, Output, Site};
use crate::trace::dns::{self, Code, Data, Question, Record, RecordType, Response};
use core::net::IpAddr;
use core::time::Duration;

/// How long busybox and BIND wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Runs nslookup.
pub(super) fn run(site: &mut Site<'_>, words: &[String], kit: Kit) -> Output {
    match kit.busybox && !kit.bind {
        true if kit.old_nslookup => old_busybox(site, words),
        true => busybox(site, words),
        false => bind(site, words),
    }
}

/// What BIND's nslookup is asked for.
struct Asked<'a> {
    name: &'a str,
    server: Option<&'a str>,
    /// None for addresses of both families.
    record: Option<RecordType>,
    /// What it says of its flags.
    said: String,
}

/// `-type=srv`, `-query=srv`, `-q=srv`; other settings change nothing.
fn bind_words(words: &[String]) -> Asked<'_> {
    let mut asked = Asked { name: "", server: None, record: None, said: String::new() };
    let mut plain = Vec::new();
    for word in words {
        let Some(flag) = word.strip_prefix('-') else {
            plain.push(word.as_str());
            continue;
        };
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        if ["type", "ty", "querytype", "query", "qu", "q"].contains(&name) {
            match RecordType::parse(value) {
                Some(record) => asked.record = Some(record),
                None => asked.said.push_str(&format!("unknown query type: {value}\n")),
            }
        }
    }
    asked.name = plain.first().copied().unwrap_or_default();
    asked.server = plain.get(1).copied();
    asked
}

/// BIND's nslookup asks for one name after the other until there is one, and then for its IPv6
/// addresses. That CoreDNS would ask nobody else is news to it each time.
///
/// Models bin/dig/nslookup.c and dighost.c of BIND 9.18.
fn bind(site: &mut Site<'_>, words: &[String]) -> Output {
    let asked = bind_words(words);
    if asked.name.is_empty() {
        // Simplified: nobody types questions into it.
        return Output::default();
    }
    let server = match site.name_server(asked.server) {
        Ok(server) => server,
        Err(word) => return no_address("nslookup", &word),
    };
    let address: Option<IpAddr> = asked.name.parse().ok();
    let record = asked.record.unwrap_or(RecordType::A);
    let questions = match address.filter(|_| asked.record.is_none()) {
        Some(ip) => vec![Question::new(&dns::reverse(ip), RecordType::Ptr)],
        None => site.searched(asked.name, record),
    };
    let is_reverse = address.is_some() && asked.record.is_none();
    let inquired = site.inquire(server, questions, true);
    if let Some(is_silent) = inquired.is_silent() {
        return bind_fails(site, server, is_silent);
    }
    let hears = asked.server.is_none() && !is_reverse && !site.kit.old_bind;
    let mut stdout = asked.said.clone();
    for (_, response) in inquired.responses.iter().filter(|_| hears) {
        stdout.push_str(&notice(server, response));
    }
    if !is_reverse {
        stdout.push_str(&format!("Server:\t\t{server}\nAddress:\t{server}#53\n\n"));
    }
    let Some((question, response)) = inquired.responses.last() else { return Output::default() };
    if response.code != Code::NoError {
        let code = response.code.name();
        stdout.push_str(&format!("** server can't find {}: {code}\n\n", question.name));
        return Output { stdout, exit: 1, ..Output::default() };
    }
    if !response.authoritative {
        stdout.push_str("Non-authoritative answer:\n");
    }
    let told = bind_records(&response.answers);
    stdout.push_str(&told);
    let mut is_empty = response.answers.is_empty();
    let both = asked.record.is_none() && !is_reverse && !site.kit.old_bind;
    if both {
        let other = Question { record: RecordType::Aaaa, ..question.clone() };
        let inquired = site.inquire(server, vec![other], true);
        for (_, response) in &inquired.responses {
            if hears {
                stdout.push_str(&notice(server, response));
            }
            let addresses =
                response.answers.iter().filter(|it| matches!(it.data, Data::Address(_)));
            let addresses: Vec<Record> = addresses.cloned().collect();
            is_empty &= addresses.is_empty();
            stdout.push_str(&bind_records(&addresses));
        }
    }
    if is_empty {
        stdout.push_str(&format!("*** Can't find {}: No answer\n", asked.name));
    }
    stdout.push('\n');
    Output { stdout, ..Output::default() }
}

fn bind_fails(site: &mut Site<'_>, server: IpAddr, is_silent: bool) -> Output {
    if site.kit.old_bind {
        site.wait(TIMEOUT * TRIES);
        let stdout = ";; connection timed out; no servers could be reached\n\n".to_owned();
        return Output { stdout, exit: 1, ..Output::default() };
    }
    site.wait(unreachable_wait(is_silent, TIMEOUT, TRIES));
    let stdout = unreachable(server, is_silent, TRIES) + ";; no servers could be reached\n\n";
    Output { stdout, exit: 1, ..Output::default() }
}

/// What BIND says of a server that would ask nobody else, or could not find out.
fn notice(server: IpAddr, response: &Response) -> String {
    match response.code {
        Code::ServerFailure => format!(";; Got SERVFAIL reply from {server}\n"),
        _ if !response.recursion => format!(";; Got recursion not available from {server}\n"),
        _ => String::new(),
    }
}

fn bind_records(records: &[Record]) -> String {
    let one = |it: &Record| match &it.data {
        Data::Address(ip) => format!("Name:\t{}\nAddress: {ip}\n", it.name),
        Data::Soa { .. } => soa(it),
        data => format!("{}\t{} = {data}\n", it.name, relation(data)),
    };
    records.iter().map(one).collect()
}

const fn relation(data: &Data) -> &'static str {
    match data {
        Data::Cname(_) => "canonical name",
        Data::Ptr(_) => "name",
        Data::Ns(_) => "nameserver",
        Data::Srv { .. } => "service",
        Data::Txt(_) => "text",
        Data::Address(_) | Data::Soa { .. } => "",
    }
}

fn soa(record: &Record) -> String {
    let Data::Soa { zone, serial, minimum } = &record.data else { return String::new() };
    format!(
        "{}\n\torigin = ns.dns.{zone}\n\tmail addr = hostmaster.{zone}\n\tserial = {serial}\n\trefresh = 7200\n\tretry = 1800\n\texpire = 86400\n\tminimum = {minimum}\n",
        record.name
    )
}

/// What `busybox nslookup` prints for who does not know how.
const USAGE: &str = "BusyBox v1.37.0 multi-call binary.\n\nUsage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n\nQuery DNS about HOST\n\nQUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any";

/// The names of types that busybox knows, in the order of its questions.
const BUSYBOX_TYPES: [RecordType; 10] = [
    RecordType::Soa,
    RecordType::Ns,
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Mx,
    RecordType::Txt,
    RecordType::Ptr,
    RecordType::Srv,
    RecordType::Any,
];

/// busybox asks for addresses of both families under every name of the search list at once, and
/// for a name with a dot under that name alone.
///
/// Models networking/nslookup.c nslookup_main.
fn busybox(site: &mut Site<'_>, words: &[String]) -> Output {
    let (mut types, mut timeout, mut rest) = (Vec::new(), TIMEOUT, words);
    while let Some((flag, more)) = rest.split_first().filter(|(word, _)| word.starts_with('-')) {
        rest = more;
        let (name, value) = flag[1..].split_once('=').unwrap_or((&flag[1..], ""));
        let known = ["type", "querytype", "port", "retry", "debug", "t", "timeout"];
        match known.iter().find(|own| own.starts_with(name)) {
            None => return Output::failed(1, USAGE),
            Some(&"type" | &"querytype") => match RecordType::parse(value) {
                Some(record) => types.push(record),
                None => {
                    let why = format!("nslookup: invalid query type \"{value}\"");
                    return Output::failed(1, why);
                }
            },
            Some(&"debug") => {}
            Some(own) => match value.parse::<u32>() {
                Err(_) => return Output::failed(1, format!("nslookup: invalid number '{value}'")),
                Ok(number) if own.starts_with('t') => timeout = Duration::from_secs(number.into()),
                Ok(_) => {}
            },
        }
    }
    let (name, server) = match rest {
        [name] => (name, None),
        [name, server] => (name, Some(server.as_str())),
        _ => return Output::failed(1, USAGE),
    };
    let address = match site.name_server(server) {
        Ok(ip) => ip,
        Err(word) => return Output::failed(1, format!("nslookup: bad address '{word}'")),
    };
    let questions = busybox_questions(site, name, server.is_some(), &types);
    let count = questions.len();
    let inquired = site.inquire(address, questions, false);
    if let Some(is_silent) = inquired.is_silent() {
        return busybox_fails(
            site,
            server.unwrap_or(&address.to_string()),
            is_silent,
            count,
            timeout,
        );
    }
    let named = server.map_or_else(|| address.to_string(), str::to_owned);
    let mut stdout = format!("Server:\t\t{named}\nAddress:\t{address}:53\n\n");
    let mut exit = 0;
    for (question, response) in &inquired.responses {
        if response.code == Code::NoError {
            stdout.push_str(&busybox_records(response));
        } else {
            let code = response.code.name();
            stdout.push_str(&format!("** server can't find {}: {code}\n", question.name));
            exit = 1;
        }
        stdout.push('\n');
    }
    Output { stdout, exit, ..Output::default() }
}

fn busybox_questions(
    site: &Site<'_>,
    name: &str,
    has_server: bool,
    types: &[RecordType],
) -> Vec<Question> {
    if let (Ok(ip), true) = (name.parse::<IpAddr>(), types.is_empty()) {
        return vec![Question::new(&dns::reverse(ip), RecordType::Ptr)];
    }
    let conf = site.resolv_conf();
    let is_alone = has_server || name.contains('.') || conf.search.is_empty();
    let of_type = |record: RecordType| -> Vec<Question> {
        match is_alone || record == RecordType::Ptr {
            true => vec![Question::new(name, record)],
            false => {
                let names = conf.search.iter().map(|domain| format!("{name}.{domain}"));
                names.map(|full| Question::new(&full, record)).collect()
            }
        }
    };
    let both = [RecordType::A, RecordType::Aaaa];
    let wanted = BUSYBOX_TYPES.into_iter().filter(|own| types.contains(own));
    match types.is_empty() {
        true => both.into_iter().flat_map(of_type).collect(),
        false => wanted.flat_map(of_type).collect(),
    }
}

/// A refusal is heard with the second question; a single one is put again until time is over.
fn busybox_fails(
    site: &mut Site<'_>,
    server: &str,
    is_silent: bool,
    count: usize,
    timeout: Duration,
) -> Output {
    let stderr = match (is_silent, count > 1) {
        (true, _) => String::new(),
        (false, true) => format!("nslookup: write to '{server}': Connection refused\n"),
        (false, false) => "nslookup: read: Connection refused\n".repeat(2),
    };
    if is_silent || count == 1 {
        site.wait(timeout);
    }
    let stdout = ";; connection timed out; no servers could be reached\n\n".to_owned();
    Output { stdout, stderr, exit: 1, ..Output::default() }
}

/// Models networking/nslookup.c parse_reply.
fn busybox_records(response: &Response) -> String {
    let mut text = String::new();
    if !response.authoritative {
        text.push_str("Non-authoritative answer:\n");
    }
    for it in &response.answers {
        text.push_str(&match &it.data {
            Data::Address(ip) => format!("Name:\t{}\nAddress: {ip}\n", it.name),
            Data::Soa { .. } => soa(it),
            Data::Txt(text) => format!("{}\ttext = \"{text}\"\n", it.name),
            data => {
                let data = data.to_string();
                let value = data.strip_suffix('.').unwrap_or(&data);
                format!("{}\t{} = {value}\n", it.name, relation(&it.data))
            }
        });
    }
    text
}

/// busybox until 1.28 asks as programs do, and for the names of addresses.
///
/// Models networking/nslookup.c of busybox 1.28 print_host.
fn old_busybox(site: &mut Site<'_>, words: &[String]) -> Output {
    let plain: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let Some(name) = plain.first() else {
        return Output::failed(
            1,
            "BusyBox v1.28.4 multi-call binary.\n\nUsage: nslookup [HOST] [SERVER]\n\nQuery the nameserver for the IP address of the given HOST\noptionally using a specified DNS server",
        );
    };
    let server = match site.name_server(plain.get(1).map(|word| word.as_str())) {
        Ok(server) => server,
        Err(word) => return Output::failed(1, format!("nslookup: bad address '{word}'")),
    };
    let questions = site.searched(name, RecordType::A);
    let inquired = site.inquire(server, questions, false);
    let own = name_of(site, server, server);
    let mut stdout = format!("Server:    {server}\nAddress 1: {server}{own}\n\n");
    if let Some(is_silent) = inquired.is_silent() {
        let wait = site.name_wait(name, is_silent);
        site.wait(wait);
    }
    let found = inquired.responses.iter().map(|(_, response)| response);
    let found = found.map(|response| response.addresses().collect::<Vec<_>>());
    let Some(found) = found.into_iter().find(|found| !found.is_empty()) else {
        let stderr = format!("nslookup: can't resolve '{name}'\n");
        return Output { stdout, stderr, exit: 1, ..Output::default() };
    };
    stdout.push_str(&format!("Name:      {name}\n"));
    for (ip, number) in found.into_iter().zip(1u32..) {
        let own = name_of(site, server, ip);
        stdout.push_str(&format!("Address {number}: {ip}{own}\n"));
    }
    Output { stdout, ..Output::default() }
}

/// The name of an address, after a space.
fn name_of(site: &mut Site<'_>, server: IpAddr, ip: IpAddr) -> String {
    let question = Question::new(&dns::reverse(ip), RecordType::Ptr);
    let inquired = site.inquire(server, vec![question], true);
    let mut records = inquired.responses.iter().flat_map(|(_, response)| &response.answers);
    let name = records.find_map(|record| match &record.data {
        Data::Ptr(name) => Some(format!(" {name}")),
        _ => None,
    });
    name.unwrap_or_default()
}
