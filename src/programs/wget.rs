//! wget: its command line, and busybox's; GNU's is in `gnu_wget`.

use super::exchange::{Exchange, Reply, Trouble, Trust, exchange};
use super::{CONNECT_TIMEOUT, NO_ROUTE, Output, Site};
use crate::trace::{Manner, Request};
use core::time::Duration;
use std::sync::Arc;

/// What the command line asks for.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) url: Option<String>,
    pub(super) quiet: bool,
    /// `-nv`: one line, and errors.
    pub(super) brief: bool,
    pub(super) spider: bool,
    pub(super) insecure: bool,
    pub(super) show_headers: bool,
    /// Where the body goes; `-` for standard output.
    pub(super) to: Option<String>,
    host: Option<String>,
    pub(super) timeout: Option<Duration>,
    /// How often GNU wget tries what may go better later.
    pub(super) tries: Option<u32>,
}

pub(super) fn parse(words: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, given) = long.split_once('=').map_or((long, None), |(a, b)| (a, Some(b)));
            let mut value = || given.map(str::to_owned).or_else(|| words.next().cloned());
            match name {
                "quiet" => options.quiet = true,
                "spider" => options.spider = true,
                "no-check-certificate" => options.insecure = true,
                "server-response" => options.show_headers = true,
                "no-verbose" => options.brief = true,
                "output-document" => options.to = value(),
                "timeout" | "connect-timeout" => options.timeout = value().and_then(seconds),
                "header" => options.host = value().and_then(host_of).or(options.host.take()),
                "tries" => options.tries = value().and_then(|it| it.parse().ok()),
                _ => return Err(format!("wget: unrecognized option '--{name}'")),
            }
            continue;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            options.url = options.url.or_else(|| Some(word.clone()));
            continue;
        };
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            if !"OTtUPow".contains(letter) {
                match letter {
                    'n' if rest.as_str().starts_with('v') => options.brief = true,
                    'q' => options.quiet = true,
                    'S' => options.show_headers = true,
                    'c' | 'n' | 'v' | '4' | 'N' | 'r' => {}
                    other => return Err(format!("wget: unrecognized option: {other}")),
                }
                continue;
            }
            let glued = rest.as_str();
            let value =
                if glued.is_empty() { words.next().cloned() } else { Some(glued.to_owned()) };
            match letter {
                'O' => options.to = value,
                'T' => options.timeout = value.and_then(seconds),
                't' => options.tries = value.and_then(|it| it.parse().ok()),
                _ => {}
            }
            break;
        }
    }
    Ok(options)
}

fn seconds(text: String) -> Option<Duration> {
    text.parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

fn host_of(header: String) -> Option<String> {
    let (name, value) = header.split_once(':')?;
    name.eq_ignore_ascii_case("host").then(|| value.trim().to_owned())
}

pub(super) fn request_of(
    site: &Site<'_>,
    options: &Options,
    agent: &str,
) -> Result<Request, String> {
    let url = options.url.as_deref().unwrap_or_default();
    let mut request = Request::from_url(site.from.clone(), url)?;
    request.agent = Arc::from(agent);
    request.host_header = options.host.as_deref().map(Arc::from);
    if options.spider {
        request.method = Arc::from("HEAD");
    }
    Ok(request)
}

/// Sends the request and the one that a redirection leads to.
pub(super) fn follow(site: &mut Site<'_>, request: &mut Request, insecure: bool) -> Exchange {
    let mut found = exchange(site, request, Trust::of_insecure(insecure));
    for _ in 0..20 {
        let next = match &found.result {
            Ok(reply) => reply.header("Location").map(str::to_owned),
            Err(_) => None,
        };
        let Some(next) = next.and_then(|next| Request::from_url(request.from.clone(), &next).ok())
        else {
            break;
        };
        *request = Request { agent: request.agent.clone(), ..next };
        found = exchange(site, request, Trust::of_insecure(insecure));
    }
    found
}

/// The last part of a path, or `index.html`.
pub(super) fn file_name(request: &Request) -> String {
    let path = request.path.split('?').next().unwrap_or_default();
    match path.rsplit('/').next() {
        Some("") | None => "index.html".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// busybox's wget.
pub(super) fn busybox(site: &mut Site<'_>, words: &[String]) -> Output {
    let options = match parse(words) {
        Ok(options) if options.url.is_some() => options,
        Ok(_) => return Output::failed(1, BUSYBOX_USAGE),
        Err(why) => return Output::failed(1, format!("{why}\n{BUSYBOX_USAGE}")),
    };
    let url = options.url.clone().unwrap_or_default();
    let mut request = match request_of(site, &options, "Wget") {
        Ok(request) => request,
        Err(why) if why.contains("Port number") => {
            let authority = url.rsplit("://").next().unwrap_or_default();
            let port = authority.split('/').next().and_then(|it| it.rsplit(':').next());
            return Output::failed(1, format!("wget: bad port '{}'", port.unwrap_or_default()));
        }
        Err(_) => return Output::failed(1, format!("wget: not an http or ftp url: {url}")),
    };
    let mut output = Output::default();
    // busybox checks no certificates.
    let Exchange { address, waited, result, .. } = follow(site, &mut request, true);
    if let Some(to) = address.filter(|_| !options.quiet) {
        output.complain(&format!("Connecting to {} ({to})\n", authority(&request)));
    }
    let host = address.map_or_else(|| request.host.to_string(), |to| to.ip.to_string());
    let why = match result {
        Ok(reply) => {
            if options.show_headers {
                output.complain(&headers(&reply));
            }
            site.wait(waited);
            if reply.status >= 400 {
                let line = format!("wget: server returned error: {}\n", reply.status_line());
                output.complain(&line);
                output.exit = 1;
                return output;
            }
            busybox_save(site, &options, &request, &reply, &mut output);
            return output;
        }
        Err(Trouble::NoNames { is_silent }) => {
            let wait = site.name_wait(&request.host, is_silent);
            site.wait(wait);
            format!("bad address '{}'", authority(&request))
        }
        Err(Trouble::NotResolved) => format!("bad address '{}'", authority(&request)),
        Err(Trouble::Refused) => format!("can't connect to remote host ({host}): Connection refused"),
        Err(Trouble::Unreachable) => {
            site.wait(NO_ROUTE);
            format!("can't connect to remote host ({host}): {}", site.error_text(Manner::Unreachable))
        }
        Err(Trouble::TimedOut) => match options.timeout.filter(|it| *it < CONNECT_TIMEOUT) {
            Some(timeout) => {
                site.wait(timeout);
                "download timed out".to_owned()
            }
            None => {
                site.wait(CONNECT_TIMEOUT);
                format!("can't connect to remote host ({host}): {}", site.error_text(Manner::TimedOut))
            }
        },
        Err(Trouble::Empty) => "error getting response".to_owned(),
        Err(Trouble::NotHttp) => "error getting response".to_owned(),
        Err(Trouble::NoTls | Trouble::NoTlsName | Trouble::Certificate { .. }) => {
            "TLS error from peer (alert code 80): 80\nwget: error getting response: Connection reset by peer".to_owned()
        }
    };
    output.complain(&format!("wget: {why}\n"));
    output.exit = 1;
    output
}

const BUSYBOX_USAGE: &str =
    "Usage: wget [-cqS] [--spider] [-O FILE] [-T SEC] [--header STR] URL...";

fn busybox_save(
    site: &mut Site<'_>,
    options: &Options,
    request: &Request,
    reply: &Reply,
    output: &mut Output,
) {
    if options.spider {
        if !options.quiet {
            output.complain("remote file exists\n");
        }
        return;
    }
    let name = options.to.clone().unwrap_or_else(|| file_name(request));
    let (shown, what) = match name.as_str() {
        "-" => ("-", "stdout".to_owned()),
        other => (other, format!("'{other}'")),
    };
    if !options.quiet {
        let verb = if name == "-" { "writing to" } else { "saving to" };
        let done =
            if name == "-" { "written to stdout".to_owned() } else { format!("{what} saved") };
        let size = reply.body.len();
        output.complain(&format!(
            "{verb} {what}\n{shown:<20} 100% |********************************| {size:>5}  0:00:00 ETA\n{done}\n"
        ));
    }
    save(site, &name, reply, output);
}

pub(super) fn save(site: &mut Site<'_>, name: &str, reply: &Reply, output: &mut Output) {
    match name {
        "-" => output.stdout.push_str(&reply.body),
        "/dev/null" => {}
        name => drop(site.files.insert(name.to_owned(), reply.body.to_string())),
    }
}

pub(super) fn headers(reply: &Reply) -> String {
    let first = format!("  {}\n", reply.status_line());
    reply.headers.iter().fold(first, |text, (name, value)| text + &format!("  {name}: {value}\n"))
}

/// `web`, `web:8080`.
fn authority(request: &Request) -> String {
    let usual = if request.tls { 443 } else { 80 };
    match request.port == usual {
        true => request.host.to_string(),
        false => format!("{}:{}", request.host, request.port),
    }
}
