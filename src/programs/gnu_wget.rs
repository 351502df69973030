//! GNU wget.
//!
//! Models src/http.c, src/host.c, src/connect.c and src/progress.c of GNU wget.

use super::exchange::{Exchange, Reply, Trouble};
use super::wget::{Options, file_name, follow, headers, parse, request_of, save};
use super::{CONNECT_TIMEOUT, NO_ROUTE, Output, Site};
use crate::base::SimTime;
use crate::trace::Request;
use core::time::Duration;

/// How often it tries what may go better later.
const TRIES: u32 = 20;
/// It waits one second more after each try, but no more than this.
const MOST_BETWEEN: u32 = 10;
/// What stands for how fast a body came.
// Simplified: all come at the same speed.
const SPEED: (&str, &str) = ("2.60M", "2.60 MB/s");
const USAGE: &str = "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.";

/// What it prints, and when.
struct Log<'a> {
    options: &'a Options,
    output: Output,
    /// The clock's time.
    now: SimTime,
}

impl Log<'_> {
    /// Says something unless it is to be quiet or brief.
    fn say(&mut self, text: &str) {
        if !self.options.quiet && !self.options.brief {
            self.output.complain(text);
        }
    }

    /// Says what is wrong unless it is to be quiet.
    fn warn(&mut self, text: &str) {
        if !self.options.quiet {
            self.output.complain(text);
        }
    }

    fn pause(&mut self, time: Duration) {
        self.output.pause(time);
        self.now = self.now + time;
    }

    fn time(&self) -> String {
        self.now.rfc3339().replace('T', " ").replace('Z', "")
    }

    fn ends(mut self, exit: i32) -> Output {
        self.output.exit = exit;
        self.output
    }
}

/// Runs GNU wget.
pub(super) fn run(site: &mut Site<'_>, words: &[String]) -> Output {
    let options = match parse(words) {
        Ok(options) if options.url.is_some() => options,
        Ok(_) => return Output::failed(1, format!("wget: missing URL\n{USAGE}")),
        Err(why) => return Output::failed(2, format!("{why}\n{USAGE}")),
    };
    let url = options.url.clone().unwrap_or_default();
    let mut request = match request_of(site, &options, "Wget/1.25.0") {
        Ok(request) => request,
        Err(why) => {
            let why = why.split(") ").last().unwrap_or_default();
            return Output::failed(1, format!("{url}: {why}"));
        }
    };
    let full = if url.contains("://") { url } else { format!("http://{url}") };
    let full = if request.path.len() == 1 && !full.ends_with('/') { full + "/" } else { full };
    let mut log = Log { options: &options, output: Output::default(), now: site.now() };
    if options.spider {
        log.say("Spider mode enabled. Check if remote file exists.\n");
    }
    let tries = options.tries.filter(|tries| *tries > 0).unwrap_or(TRIES);
    for number in 1..=tries {
        let count = if number > 1 { format!("  (try:{number:>2})") } else { String::new() };
        log.say(&format!("--{}--{count}  {full}\n", log.time()));
        let name = request.host.clone();
        let Exchange { address, waited, result, .. } = follow(site, &mut request, options.insecure);
        let is_name = name.parse::<core::net::IpAddr>().is_err();
        if is_name && number == 1 {
            let found = match (&address, &result) {
                (Some(to), _) => to.ip.to_string(),
                (None, Err(Trouble::NoNames { is_silent })) => {
                    let wait = site.name_wait(&name, *is_silent);
                    log.pause(wait);
                    "failed: Temporary failure in name resolution.".to_owned()
                }
                (None, _) => "failed: Name or service not known.".to_owned(),
            };
            log.say(&format!("Resolving {name} ({name})... {found}\n"));
        }
        let Some(to) = address else {
            log.warn(&format!("wget: unable to resolve host address ‘{name}’\n"));
            return log.ends(4);
        };
        let place = if is_name { format!("{name} ({name})|{}|", to.ip) } else { to.ip.to_string() };
        log.say(&format!("Connecting to {place}:{}... ", to.port));
        let trouble = match result {
            Ok(reply) => {
                log.pause(waited);
                return answered(site, log, &request, &reply, &full);
            }
            Err(trouble) => trouble,
        };
        match tells(&mut log, &name, trouble) {
            Some(exit) => return log.ends(exit),
            None if number == tries => log.say("Giving up.\n\n"),
            None => {
                log.say("Retrying.\n\n");
                log.pause(Duration::from_secs(number.min(MOST_BETWEEN).into()));
            }
        }
    }
    log.ends(4)
}

fn answered(
    site: &mut Site<'_>,
    mut log: Log<'_>,
    request: &Request,
    reply: &Reply,
    url: &str,
) -> Output {
    let options = log.options;
    let line = reply.status_line();
    let status = line.split_once(' ').map_or("", |(_, rest)| rest.trim_end());
    let head =
        if options.show_headers { format!("\n{}", headers(reply)) } else { format!("{status}\n") };
    log.say(&format!("connected.\nHTTP request sent, awaiting response... {head}"));
    if reply.status >= 400 {
        match options.spider {
            true => log.warn("Remote file does not exist -- broken link!!!\n\n"),
            false if options.brief => {
                let status = status.replacen(' ', ": ", 1);
                log.warn(&format!("{url}:\n{} ERROR {status}.\n", log.time()));
            }
            false => {
                let status = status.replacen(' ', ": ", 1);
                log.warn(&format!("{} ERROR {status}.\n\n", log.time()));
            }
        }
        return log.ends(8);
    }
    let size = reply.body.len();
    let kind = reply.header("Content-Type").unwrap_or("text/plain");
    let kind = kind.split(';').next().unwrap_or_default();
    log.say(&format!("Length: {size}{} [{kind}]\n", in_units(size)));
    if options.spider {
        log.say("Remote file exists.\n\n");
        return log.ends(0);
    }
    let name = options.to.clone().unwrap_or_else(|| file_name(request));
    let is_out = name == "-";
    log.say(&format!("Saving to: ‘{}’\n", if is_out { "STDOUT" } else { &name }));
    save(site, &name, reply, &mut log.output);
    let (short, long) = SPEED;
    log.say(&format!("\n{}100% {short}=0s\n\n", dots(size)));
    let done = if is_out { "written to stdout".to_owned() } else { format!("‘{name}’ saved") };
    let time = log.time();
    log.say(&format!("{time} ({long}) - {done} [{size}/{size}]\n\n"));
    if options.brief {
        log.warn(&format!("{time} URL:{url} [{size}/{size}] -> \"{name}\" [1]\n"));
    }
    log.ends(0)
}

/// ` (1.2K)` behind a number of bytes.
fn in_units(size: usize) -> String {
    match size {
        0..1024 => String::new(),
        _ => format!(" ({}.{}K)", size / 1024, size % 1024 * 10 / 1024),
    }
}

/// The row of dots of a short body: one for each KiB, in groups of ten.
fn dots(size: usize) -> String {
    let all: String = (0..50)
        .map(|place| {
            let gap = if place % 10 == 0 { " " } else { "" };
            format!("{gap}{}", if place < size / 1024 { '.' } else { ' ' })
        })
        .collect();
    format!("     0K{all}")
}

/// Says what is wrong: the exit code, if another try would go no better.
fn tells(log: &mut Log<'_>, name: &str, trouble: Trouble) -> Option<i32> {
    match trouble {
        Trouble::Refused => {
            log.say("failed: Connection refused.\n");
            Some(4)
        }
        Trouble::Unreachable => {
            log.pause(NO_ROUTE);
            log.say("failed: No route to host.\n");
            Some(4)
        }
        Trouble::TimedOut => {
            let most = log.options.timeout.unwrap_or(CONNECT_TIMEOUT).min(CONNECT_TIMEOUT);
            log.pause(most);
            log.say("failed: Connection timed out.\n");
            None
        }
        Trouble::Empty => {
            log.say("connected.\nHTTP request sent, awaiting response... No data received.\n");
            None
        }
        Trouble::NotHttp => {
            log.say("connected.\nHTTP request sent, awaiting response... 200 No headers, assuming HTTP/0.9\n");
            Some(4)
        }
        Trouble::NoTls | Trouble::NoTlsName => {
            log.say("connected.\nUnable to establish SSL connection.\n");
            Some(4)
        }
        Trouble::Certificate { .. } => {
            log.say("connected.\n");
            log.warn(&format!("ERROR: cannot verify {name}'s certificate:\n  Unable to locally verify the issuer's authority.\nTo connect to {name} insecurely, use `--no-check-certificate'.\n"));
            Some(5)
        }
        Trouble::NotResolved | Trouble::NoNames { .. } => Some(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of GNU wget 1.21 for a body of six bytes.
    #[test]
    fn a_row_of_dots_is_as_long_as_it_is() {
        let empty = "     0K                                                       ";
        assert_eq!(dots(6), empty);
        assert_eq!(dots(2100).trim_end(), "     0K ..");
        assert_eq!(dots(11 * 1024).trim_end(), "     0K .......... .");
    }
}
