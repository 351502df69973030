//! curl.

use super::cookies::Jar;
use super::curl_options::{Options, REMOTE_NAME, parse};
use super::exchange::{Exchange, Reply, Trouble, exchange};
use super::{CONNECT_TIMEOUT, NO_ROUTE, Output, Site};
use crate::net::packet::Endpoint;
use crate::trace::{Headers, Manner, Request, Source};
use core::time::Duration;
use std::sync::Arc;

/// How long it waits before it tries again for the first time; twice as long each time after.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// It never waits longer.
const MOST_BETWEEN: Duration = Duration::from_secs(600);
/// How often `-L` follows at most.
const MOST_REDIRECTS: u32 = 50;

/// Runs curl.
pub(super) fn run(site: &mut Site<'_>, words: &[String]) -> Output {
    let options = match parse(words) {
        Ok(options) => options,
        Err(output) => return output,
    };
    let mut output = Output::default();
    let mut jar = Jar::of(&options.cookies, options.jar.is_some(), site.files);
    for (index, url) in options.urls.iter().enumerate() {
        let to = options.outputs.get(index).map(String::as_str);
        one(site, &options, url, to, &mut jar, &mut output);
    }
    match options.jar.as_deref() {
        None => {}
        Some("-") => output.stdout.push_str(&jar.text()),
        Some(path) => drop(site.files.insert(path.to_owned(), jar.text())),
    }
    output
}

/// The request of a URL, and the name that was typed.
fn request_of(
    site: &Site<'_>,
    options: &Options,
    jar: &Jar,
    url: &str,
) -> Result<(Request, String), String> {
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
    let own = if options.data.is_empty() { own } else { "POST" };
    request.method = Arc::from(options.method.as_deref().unwrap_or(own));
    if let Some(agent) = &options.agent {
        request.agent = Arc::from(agent.as_str());
    }
    request.headers = headers_of(options, jar, &name, &request);
    request.body = Arc::from(options.data.join("&"));
    Ok((request, name))
}

/// The headers in curl's order: its own, those that are given, the cookies, those of the body.
fn headers_of(options: &Options, jar: &Jar, host: &str, request: &Request) -> Headers {
    let mut headers = Headers::default();
    let body = options.data.join("&");
    let mut own = vec![("Accept", "*/*".to_owned())];
    if !body.is_empty() {
        own.push(("Content-Length", body.len().to_string()));
        own.push(("Content-Type", "application/x-www-form-urlencoded".to_owned()));
    }
    let is_given =
        |name: &str| options.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    for (name, value) in own.iter().filter(|(name, _)| !is_given(name)) {
        headers = headers.and(name, value);
    }
    for (name, value) in options.headers.iter().filter(|(_, value)| !value.is_empty()) {
        headers = headers.and(name, value);
    }
    let cookies = jar.header(host, &request.path, request.tls);
    if cookies.is_empty() { headers } else { headers.and("Cookie", &cookies) }
}

/// What is known of a transfer for `-w`.
#[derive(Default)]
struct Transfer {
    url: String,
    status: u16,
    size: usize,
    kind: String,
    address: Option<Endpoint>,
    waited: Duration,
    exit: i32,
    redirects: u32,
    message: String,
    is_refused: bool,
}

/// Fetches one URL.
fn one(
    site: &mut Site<'_>,
    options: &Options,
    url: &str,
    to: Option<&str>,
    jar: &mut Jar,
    output: &mut Output,
) {
    let mut transfer = Transfer { url: url.to_owned(), ..Transfer::default() };
    let (mut left, mut sleep) = (options.retries, options.retry_delay.unwrap_or(FIRST_RETRY));
    let (to, warning) = saved_as(to, url);
    if !options.silent {
        output.complain(warning);
    }
    loop {
        let mut body = String::new();
        let error = fetch(site, options, &mut transfer, jar, (&mut body, output)).err();
        match to.as_deref() {
            None => output.stdout.push_str(&body),
            Some("/dev/null") => {}
            Some(path) => drop(site.files.insert(path.to_owned(), body)),
        }
        transfer.exit = error.as_ref().map_or(0, |(code, _)| *code);
        if let Some((code, why)) = &error
            && (!options.silent || options.show_errors)
        {
            output.complain(&format!("curl: ({code}) {why}\n"));
        }
        transfer.message = error.map(|(_, why)| why).unwrap_or_default();
        let Some(problem) = retried(options, &transfer).filter(|_| left > 0) else { break };
        if !options.silent {
            let seconds = sleep.as_secs();
            let (s, ies) =
                (if seconds == 1 { "" } else { "s" }, if left > 1 { "ies" } else { "y" });
            output.complain(&format!(
                "Warning: Problem {problem}. Will retry in {seconds} second{s}. {left} retr{ies} left.\n"
            ));
        }
        output.pause(sleep);
        transfer.waited += sleep;
        left -= 1;
        if options.retry_delay.is_none() {
            sleep = (sleep * 2).min(MOST_BETWEEN);
        }
    }
    output.exit = transfer.exit;
    if let Some(format) = &options.write_out {
        let (text, complaints) = write_out(format, &transfer);
        output.stdout.push_str(&text);
        if !complaints.is_empty() {
            output.complain(&complaints);
        }
    }
}

/// Sends the request, and those that redirections lead to.
fn fetch(
    site: &mut Site<'_>,
    options: &Options,
    transfer: &mut Transfer,
    jar: &mut Jar,
    (body, output): (&mut String, &mut Output),
) -> Result<(), (i32, String)> {
    for _ in 0..=MOST_REDIRECTS {
        let (request, name) =
            request_of(site, options, jar, &transfer.url).map_err(|why| coded(&why))?;
        let found = exchange(site, &request, options.trust);
        transfer.address = found.address;
        transfer.is_refused = matches!(found.result, Err(Trouble::Refused));
        if options.verbose {
            say_connection(site, &request, &name, &found, output);
        }
        let Exchange { waited, result, .. } = found;
        let reply = match result {
            Ok(reply) => reply,
            Err(trouble) => {
                transfer.status = 0;
                let (code, why) = wait_and_tell(site, options, &request, &name, trouble, transfer);
                if options.verbose {
                    // How a connection ends that came to something, and one that did not.
                    let ends = if matches!(code, 6 | 52) { "shutting down" } else { "closing" };
                    let first = why.lines().next().unwrap_or_default();
                    output.complain(&format!("* {first}\n* {ends} connection #0\n"));
                }
                return Err((code, why));
            }
        };
        if !waited.is_zero() {
            let most = options.max_time.unwrap_or(waited).min(waited);
            wait(site, most, transfer);
            if most < waited {
                let millis = most.as_millis();
                let why = format!(
                    "Operation timed out after {millis} milliseconds with 0 bytes received"
                );
                return Err((28, why));
            }
        }
        jar.take(&reply, &name, &request.path, site.now());
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

/// Why a transfer is tried again, if it is.
///
/// Models src/tool_operate.c retrycheck.
fn retried(options: &Options, transfer: &Transfer) -> Option<&'static str> {
    match (transfer.exit, transfer.status) {
        (6 | 28, _) => Some(": timeout"),
        (7, _) if options.retry_refused && transfer.is_refused => Some(": connection refused"),
        (0 | 22, 408 | 429 | 500 | 502 | 503 | 504) => Some(": HTTP error"),
        (0, _) => None,
        _ => options.retry_all.then_some("(retrying all errors)"),
    }
}

/// The file that a body is saved in, and what is to be said of it.
fn saved_as(to: Option<&str>, url: &str) -> (Option<String>, &'static str) {
    if to != Some(REMOTE_NAME) {
        return (to.map(str::to_owned), "");
    }
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    match path.split_once('/').and_then(|(_, path)| path.rsplit('/').next()) {
        Some(name) if !name.is_empty() => (Some(name.to_owned()), ""),
        _ => {
            let warning = "Warning: No remote file name, uses \"curl_response\"\n";
            (Some("curl_response".to_owned()), warning)
        }
    }
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
        text.push_str(&format!("{mark}{}: {value}\n", reply.shown(name)));
    }
    text.push_str(&format!("{mark}\n"));
    text
}

fn say_connection(
    site: &Site<'_>,
    request: &Request,
    name: &str,
    found: &Exchange,
    output: &mut Output,
) {
    let mut err = String::new();
    let Some(to) = found.address else { return };
    if request.host.parse::<core::net::IpAddr>().is_err() {
        err.push_str(&format!(
            "* Host {name}:{} was resolved.\n* IPv6: (none)\n* IPv4: {}\n",
            to.port, to.ip
        ));
    } else if *request.host != *name {
        err.push_str(&format!(
            "* Added {name}:{}:{} to DNS cache\n* Hostname {name} was found in DNS cache\n",
            to.port, to.ip
        ));
    }
    err.push_str(&format!("*   Trying {to}...\n"));
    let manner = match found.result {
        Err(Trouble::Refused) => Some(Manner::Refused),
        Err(Trouble::Unreachable) => Some(Manner::Unreachable),
        Err(Trouble::TimedOut) => Some(Manner::TimedOut),
        _ => None,
    };
    match manner {
        // Simplified: as if the time that is given were always over before Linux gives up.
        Some(Manner::TimedOut) => {}
        Some(manner) => {
            let why = site.error_text(manner);
            let from = found.own.map(|own| format!(" from {} port {}", own.ip, own.port));
            let from = from.unwrap_or_default();
            err.push_str(&format!("* connect to {} port {}{from} failed: {why}\n", to.ip, to.port));
        }
        None => {
            if request.tls {
                err.push_str("* ALPN: curl offers h2,http/1.1\n");
            }
            if !matches!(found.result, Err(Trouble::NoTls | Trouble::Certificate { .. })) {
                say_request(request, name, found, to, &mut err);
            }
        }
    }
    output.complain(&err);
}

fn say_request(request: &Request, name: &str, found: &Exchange, to: Endpoint, err: &mut String) {
    let is_new = found.result.as_ref().is_ok_and(|reply| reply.version == "2");
    let version = if is_new { "2" } else { "1.x" };
    err.push_str(&format!("* Connected to {name} ({}) port {}\n", to.ip, to.port));
    err.push_str(&format!("* using HTTP/{version}\n"));
    let host = request.host_header.as_deref().unwrap_or(name);
    let usual = if request.tls { 443 } else { 80 };
    let port = match request.port == usual || request.host_header.is_some() {
        true => String::new(),
        false => format!(":{}", request.port),
    };
    let version = if is_new { "2" } else { "1.1" };
    err.push_str(&format!(
        "> {} {} HTTP/{version}\n> Host: {host}{port}\n> User-Agent: {}\n",
        request.method, request.path, request.agent
    ));
    for (name, value) in request.headers.iter() {
        err.push_str(&format!("> {name}: {value}\n"));
    }
    err.push_str("> \n* Request completely sent off\n");
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
        Trouble::NoNames { is_silent } => {
            let whole = site.name_wait(&request.host, is_silent);
            match given.filter(|given| *given < whole) {
                Some(given) => {
                    wait(site, given, transfer);
                    (28, format!("Resolving timed out after {} milliseconds", given.as_millis()))
                }
                None => {
                    wait(site, whole, transfer);
                    (6, format!("Could not resolve host: {name}"))
                }
            }
        }
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
        Trouble::NoTlsName => (
            35,
            "TLS connect error: error:0A000458:SSL routines::tlsv1 unrecognized name".to_owned(),
        ),
        Trouble::Certificate { why } => (60, format!("{why}\n{CERTIFICATE}")),
    }
}

const CERTIFICATE: &str = "More details here: https://curl.se/docs/sslcerts.html

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

/// What `-w` prints, and what is wrong with it.
fn write_out(format: &str, transfer: &Transfer) -> (String, String) {
    let (mut text, mut complaints) = (String::new(), String::new());
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
            "scheme" => text.push_str(transfer.url.split_once("://").map_or("http", |(it, _)| it)),
            "errormsg" => text.push_str(&transfer.message),
            "time_total" | "time_connect" | "time_starttransfer" | "time_namelookup"
            | "time_pretransfer" | "time_appconnect" => {
                text.push_str(&format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000));
            }
            other => {
                complaints.push_str(&format!("curl: unknown --write-out variable: '{other}'\n"))
            }
        }
    }
    text.push_str(rest);
    (text, complaints)
}
