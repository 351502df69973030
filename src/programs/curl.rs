//! curl.

use super::exchange::{Exchange, Reply, Trouble, exchange};
use super::{CONNECT_TIMEOUT, NAME_TIMEOUT, NO_ROUTE, Output, Site};
use crate::trace::{Request, Source};
use core::time::Duration;
use std::sync::Arc;

/// How often `-L` follows at most.
const MOST_REDIRECTS: u32 = 50;
/// How long the ingress controller tries endpoints that do not answer before it says 504: five
/// seconds, three times.
pub(super) const GATEWAY_TIMEOUT: Duration = Duration::from_secs(15);

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    urls: Vec<String>,
    silent: bool,
    show_errors: bool,
    include: bool,
    head: bool,
    verbose: bool,
    insecure: bool,
    follow: bool,
    fail: bool,
    fail_with_body: bool,
    /// Where bodies go; `None` for standard output.
    outputs: Vec<String>,
    host: Option<String>,
    method: Option<String>,
    agent: Option<String>,
    has_data: bool,
    resolve: Vec<String>,
    /// In all, and for the connection alone.
    max_time: Option<Duration>,
    connect_timeout: Option<Duration>,
    write_out: Option<String>,
    retries: u32,
}

/// Runs curl.
pub(super) fn run(site: &mut Site<'_>, words: &[String]) -> Output {
    let options = match parse(words) {
        Ok(options) => options,
        Err(output) => return output,
    };
    let mut output = Output::default();
    for (index, url) in options.urls.iter().enumerate() {
        let to = options.outputs.get(index).map(String::as_str);
        one(site, &options, url, to, &mut output);
    }
    output
}

/// The text of `--help` for who says nothing.
const TRY: &str = "curl: try 'curl --help' or 'curl --manual' for more information";

/// Flags of one letter that take a value.
const WITH_VALUE: &str = "oHXmwdAueTb";

fn parse(words: &[String]) -> Result<Options, Output> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let takes = long_takes_value(long).ok_or_else(|| {
                Output::failed(2, format!("curl: option --{long}: is unknown\n{TRY}"))
            })?;
            let value = if takes { words.next() } else { None };
            let missing =
                || Output::failed(2, format!("curl: option --{long}: requires parameter\n{TRY}"));
            if takes && value.is_none() {
                return Err(missing());
            }
            long_flag(&mut options, long, value.map_or("", String::as_str))?;
            continue;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            options.urls.push(word.clone());
            continue;
        };
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            if !WITH_VALUE.contains(letter) {
                short_flag(&mut options, letter)?;
                continue;
            }
            let glued = rest.as_str();
            let value =
                if glued.is_empty() { words.next().map(String::as_str) } else { Some(glued) };
            let Some(value) = value else {
                let why = format!("curl: option -{letter}: requires parameter\n{TRY}");
                return Err(Output::failed(2, why));
            };
            value_flag(&mut options, letter, value)?;
            break;
        }
    }
    match options.urls.is_empty() {
        true => Err(Output::failed(2, format!("curl: (2) no URL specified\n{TRY}"))),
        false => Ok(options),
    }
}

fn short_flag(options: &mut Options, letter: char) -> Result<(), Output> {
    match letter {
        's' => options.silent = true,
        'S' => options.show_errors = true,
        'i' => options.include = true,
        'I' => options.head = true,
        'v' => options.verbose = true,
        'k' => options.insecure = true,
        'L' => options.follow = true,
        'f' => options.fail = true,
        '4' | 'N' | '#' | 'g' | 'q' => {}
        other => {
            return Err(Output::failed(2, format!("curl: option -{other}: is unknown\n{TRY}")));
        }
    }
    Ok(())
}

fn value_flag(options: &mut Options, letter: char, value: &str) -> Result<(), Output> {
    match letter {
        'o' => options.outputs.push(value.to_owned()),
        'X' => options.method = Some(value.to_owned()),
        'm' => options.max_time = Some(seconds("--max-time", value)?),
        'w' => options.write_out = Some(value.to_owned()),
        'A' => options.agent = Some(value.to_owned()),
        'd' => options.has_data = true,
        'H' => {
            if let Some((name, host)) = value.split_once(':')
                && name.eq_ignore_ascii_case("host")
            {
                options.host = Some(host.trim().to_owned());
            }
        }
        // Simplified: cookies, users, referers and uploads are sent by nobody and read by nobody.
        _ => {}
    }
    Ok(())
}

/// Whether a long flag takes a value; `None` for one that curl, or this model, does not know.
fn long_takes_value(name: &str) -> Option<bool> {
    match name {
        "silent" | "show-error" | "include" | "head" | "verbose" | "insecure" | "location"
        | "fail" | "fail-with-body" | "no-progress-meter" | "compressed" | "http1.1" | "ipv4"
        | "no-buffer" | "progress-bar" | "retry-connrefused" | "retry-all-errors" => Some(false),
        "output" | "header" | "request" | "max-time" | "connect-timeout" | "write-out" | "data"
        | "user-agent" | "resolve" | "url" | "retry" | "retry-delay" | "cacert" | "cert"
        | "key" => Some(true),
        _ => None,
    }
}

fn long_flag(options: &mut Options, name: &str, value: &str) -> Result<(), Output> {
    match name {
        "silent" => short_flag(options, 's'),
        "show-error" => short_flag(options, 'S'),
        "include" => short_flag(options, 'i'),
        "head" => short_flag(options, 'I'),
        "verbose" => short_flag(options, 'v'),
        "insecure" => short_flag(options, 'k'),
        "location" => short_flag(options, 'L'),
        "fail" => short_flag(options, 'f'),
        "output" => value_flag(options, 'o', value),
        "header" => value_flag(options, 'H', value),
        "request" => value_flag(options, 'X', value),
        "max-time" => value_flag(options, 'm', value),
        "write-out" => value_flag(options, 'w', value),
        "data" => value_flag(options, 'd', value),
        "user-agent" => value_flag(options, 'A', value),
        "fail-with-body" => {
            options.fail_with_body = true;
            Ok(())
        }
        "connect-timeout" => {
            options.connect_timeout = Some(seconds("--connect-timeout", value)?);
            Ok(())
        }
        "resolve" => {
            options.resolve.push(value.to_owned());
            Ok(())
        }
        "url" => {
            options.urls.push(value.to_owned());
            Ok(())
        }
        "retry" => {
            options.retries = value.parse().unwrap_or(0);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `5`, `0.5`.
fn seconds(flag: &str, text: &str) -> Result<Duration, Output> {
    let wrong = || {
        let why = format!("curl: option {flag}: expected a proper numerical parameter\n{TRY}");
        Output::failed(2, why)
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let millis: String = format!("{part:0<3}").chars().take(3).collect();
    let millis: u64 = millis.parse().map_err(|_| wrong())?;
    Ok(Duration::from_millis(whole.saturating_mul(1000).saturating_add(millis)))
}

/// The request of a URL, and the name that was typed.
fn request_of(site: &Site<'_>, options: &Options, url: &str) -> Result<(Request, String), String> {
    let mut request = Request::from_url(site.from.clone(), url)?;
    let name = request.host.to_string();
    let key = format!("{name}:{}:", request.port);
    let pinned = options.resolve.iter().find_map(|entry| entry.strip_prefix(&key));
    if let Some(address) = pinned {
        request.host_header = Some(request.host.clone());
        request.host = Arc::from(address.trim_matches(['[', ']']));
    }
    if let Some(host) = &options.host {
        request.host_header = Some(Arc::from(host.as_str()));
    }
    let own = if options.head { "HEAD" } else { "GET" };
    let own = if options.has_data { "POST" } else { own };
    request.method = Arc::from(options.method.as_deref().unwrap_or(own));
    if let Some(agent) = &options.agent {
        request.agent = Arc::from(agent.as_str());
    }
    Ok((request, name))
}

/// What is known of a transfer for `-w`.
#[derive(Default)]
struct Transfer {
    url: String,
    status: u16,
    size: usize,
    kind: String,
    address: Option<crate::net::packet::Endpoint>,
    waited: Duration,
    exit: i32,
    redirects: u32,
}

/// Fetches one URL.
fn one(site: &mut Site<'_>, options: &Options, url: &str, to: Option<&str>, output: &mut Output) {
    let mut transfer = Transfer { url: url.to_owned(), ..Transfer::default() };
    let mut body = String::new();
    let mut attempts = 0;
    let error = loop {
        body.clear();
        let result = fetch(site, options, &mut transfer, &mut body, output);
        let again = matches!(&result, Err((28, _))) && attempts < options.retries;
        attempts += 1;
        if !again {
            break result.err();
        }
    };
    match to {
        None => output.stdout.push_str(&body),
        Some("/dev/null") => {}
        Some(path) => drop(site.files.insert(path.to_owned(), body)),
    }
    transfer.exit = error.as_ref().map_or(0, |(code, _)| *code);
    output.exit = transfer.exit;
    if let Some((code, why)) = error
        && (!options.silent || options.show_errors)
    {
        output.complain(&format!("curl: ({code}) {why}\n"));
    }
    if let Some(format) = &options.write_out {
        output.stdout.push_str(&write_out(format, &transfer));
    }
}

/// Sends the request, and those that redirections lead to.
fn fetch(
    site: &mut Site<'_>,
    options: &Options,
    transfer: &mut Transfer,
    body: &mut String,
    output: &mut Output,
) -> Result<(), (i32, String)> {
    for _ in 0..=MOST_REDIRECTS {
        let (request, name) =
            request_of(site, options, &transfer.url).map_err(|why| coded(&why))?;
        let Exchange { address, result } = exchange(site, &request, options.insecure);
        transfer.address = address;
        if options.verbose {
            say_connection(&request, &name, address, &result, output);
        }
        let reply = match result {
            Ok(reply) => reply,
            Err(trouble) => {
                transfer.status = 0;
                return Err(wait_and_tell(site, options, &request, &name, trouble, transfer));
            }
        };
        if reply.status == 504 {
            let most = options.max_time.unwrap_or(GATEWAY_TIMEOUT).min(GATEWAY_TIMEOUT);
            wait(site, most, transfer);
            if most < GATEWAY_TIMEOUT {
                let millis = most.as_millis();
                let why = format!(
                    "Operation timed out after {millis} milliseconds with 0 bytes received"
                );
                return Err((28, why));
            }
        }
        (transfer.status, transfer.size) = (reply.status, reply.body.len());
        transfer.kind = reply.header("Content-Type").unwrap_or_default().to_owned();
        if options.include || options.head {
            body.push_str(&head_text(&reply, ""));
        }
        if options.verbose {
            output.complain(&head_text(&reply, "< "));
            output.complain(&format!("* Connection #0 to host {name} left intact\n"));
        }
        if reply.status >= 400 && (options.fail || options.fail_with_body) {
            if options.fail_with_body {
                body.push_str(&reply.body);
            }
            return Err((22, format!("The requested URL returned error: {}", reply.status)));
        }
        if let Some(next) = reply.header("Location").filter(|_| options.follow) {
            transfer.url = next.to_owned();
            transfer.redirects += 1;
            continue;
        }
        if !options.head {
            body.push_str(&reply.body);
        }
        return Ok(());
    }
    Err((47, format!("Maximum ({MOST_REDIRECTS}) redirects followed")))
}

/// Parts `(6) why` into the code and the sentence.
fn coded(text: &str) -> (i32, String) {
    let parted = text.strip_prefix('(').and_then(|rest| rest.split_once(") "));
    match parted.and_then(|(code, why)| Some((code.parse().ok()?, why.to_owned()))) {
        Some(found) => found,
        None => (3, text.to_owned()),
    }
}

fn head_text(reply: &Reply, mark: &str) -> String {
    let mut text = format!("{mark}{}\n", reply.status_line());
    for (name, value) in &reply.headers {
        text.push_str(&format!("{mark}{name}: {value}\n"));
    }
    text.push_str(&format!("{mark}\n"));
    text
}

fn say_connection(
    request: &Request,
    name: &str,
    address: Option<crate::net::packet::Endpoint>,
    result: &Result<Reply, Trouble>,
    output: &mut Output,
) {
    let mut err = String::new();
    let Some(to) = address else {
        output.complain(&format!(
            "* Could not resolve host: {name}\n* shutting down connection #0\n"
        ));
        return;
    };
    if request.host.parse::<core::net::IpAddr>().is_err() {
        err.push_str(&format!(
            "* Host {name}:{} was resolved.\n* IPv6: (none)\n* IPv4: {}\n",
            to.port, to.ip
        ));
    }
    err.push_str(&format!("*   Trying {to}...\n"));
    match result {
        Err(Trouble::Refused | Trouble::Unreachable | Trouble::TimedOut) => {
            let why = match result {
                Err(Trouble::Refused) => "Connection refused",
                Err(Trouble::Unreachable) => "No route to host",
                _ => "Connection timed out",
            };
            err.push_str(&format!("* connect to {} port {} failed: {why}\n", to.ip, to.port));
        }
        _ => {
            err.push_str(&format!("* Connected to {name} ({}) port {}\n", to.ip, to.port));
            let host = request.host_header.as_deref().unwrap_or(name);
            let usual = if request.tls { 443 } else { 80 };
            let port = match request.port == usual || request.host_header.is_some() {
                true => String::new(),
                false => format!(":{}", request.port),
            };
            err.push_str(&format!(
                "> {} {} HTTP/1.1\n> Host: {host}{port}\n> User-Agent: {}\n> Accept: */*\n> \n* Request completely sent off\n",
                request.method, request.path, request.agent
            ));
        }
    }
    output.complain(&err);
}

fn wait(site: &mut Site<'_>, duration: Duration, transfer: &mut Transfer) {
    site.wait(duration);
    transfer.waited += duration;
}

/// Lets the time pass that the trouble takes, and says what curl says of it.
fn wait_and_tell(
    site: &mut Site<'_>,
    options: &Options,
    request: &Request,
    name: &str,
    trouble: Trouble,
    transfer: &mut Transfer,
) -> (i32, String) {
    let given = options.max_time.into_iter().chain(options.connect_timeout).min();
    let connect = |millis: u128| {
        format!(
            "Failed to connect to {name} port {} after {millis} ms: Could not connect to server",
            request.port
        )
    };
    match trouble {
        Trouble::NotResolved => (6, format!("Could not resolve host: {name}")),
        Trouble::NamesTimedOut => match given.filter(|given| *given < NAME_TIMEOUT) {
            Some(given) => {
                wait(site, given, transfer);
                (28, format!("Resolving timed out after {} milliseconds", given.as_millis()))
            }
            None => {
                wait(site, NAME_TIMEOUT, transfer);
                (6, format!("Could not resolve host: {name}"))
            }
        },
        Trouble::Refused => (7, connect(answer_millis(&request.from).into())),
        Trouble::Unreachable => {
            wait(site, given.map_or(NO_ROUTE, |given| given.min(NO_ROUTE)), transfer);
            (7, connect(NO_ROUTE.as_millis()))
        }
        Trouble::TimedOut => match given.filter(|given| *given < CONNECT_TIMEOUT) {
            Some(given) => {
                wait(site, given, transfer);
                (28, format!("Connection timed out after {} milliseconds", given.as_millis()))
            }
            None => {
                wait(site, CONNECT_TIMEOUT, transfer);
                (28, connect(CONNECT_TIMEOUT.as_millis()))
            }
        },
        Trouble::Empty => (52, "Empty reply from server".to_owned()),
        Trouble::NotHttp => (1, "Received HTTP/0.9 when not allowed".to_owned()),
        Trouble::NoTls => (
            35,
            "TLS connect error: error:0A0000C6:SSL routines::packet length too long".to_owned(),
        ),
        Trouble::Certificate => (60, CERTIFICATE.to_owned()),
    }
}

const CERTIFICATE: &str = "SSL certificate problem: unable to get local issuer certificate
More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the webpage mentioned above.";

/// How long an answer takes.
// Simplified: the same for all within the cluster, and for all from outside.
const fn answer_millis(from: &Source) -> u32 {
    match from {
        Source::Internet { .. } => 12,
        Source::Node(_) | Source::Pod { .. } => 0,
    }
}

fn write_out(format: &str, transfer: &Transfer) -> String {
    let mut text = String::new();
    let format = format.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
    let mut rest = format.as_str();
    while let Some((before, after)) = rest.split_once("%{") {
        text.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            text.push_str("%{");
            rest = after;
            continue;
        };
        rest = tail;
        let micros = transfer.waited.as_micros();
        match name {
            "http_code" | "response_code" => text.push_str(&format!("{:03}", transfer.status)),
            "remote_ip" => {
                text.push_str(&transfer.address.map(|to| to.ip.to_string()).unwrap_or_default());
            }
            "remote_port" => {
                text.push_str(&transfer.address.map_or(0, |to| to.port).to_string());
            }
            "url" | "url_effective" => text.push_str(&transfer.url),
            "size_download" => text.push_str(&transfer.size.to_string()),
            "content_type" => text.push_str(&transfer.kind),
            "exitcode" => text.push_str(&transfer.exit.to_string()),
            "num_redirects" => text.push_str(&transfer.redirects.to_string()),
            "time_total" | "time_connect" | "time_starttransfer" => {
                text.push_str(&format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000));
            }
            other => text.push_str(&format!("curl: unknown --write-out variable: '{other}'")),
        }
    }
    text.push_str(rest);
    text
}
