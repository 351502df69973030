//! HAProxy's file, as far as a load balancer in front of node ports needs it.
//!
//! Models haproxy/haproxy src/cfgparse.c, src/cfgparse-listen.c and src/server.c.
//!
//! Simplified: no conditions (`acl`, `use_backend`), no certificates, no tables; what is left out is
//! refused as an unknown keyword.

use super::{Check, Config, Front, Pool, Server};
use crate::net::packet::Endpoint;
use core::time::Duration;
use std::sync::Arc;

/// What is wrong with a file, as HAProxy says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// The sentence.
    pub message: String,
}

/// Keywords of `global` that change nothing here.
const GLOBAL: [&str; 14] = [
    "log",
    "chroot",
    "stats",
    "user",
    "group",
    "daemon",
    "maxconn",
    "nbthread",
    "pidfile",
    "ca-base",
    "crt-base",
    "ssl-default-bind-ciphers",
    "ssl-default-bind-ciphersuites",
    "ssl-default-bind-options",
];
/// Options of proxies that change nothing here.
const OPTIONS: [&str; 9] = [
    "httplog",
    "tcplog",
    "dontlognull",
    "http-server-close",
    "httpclose",
    "tcp-check",
    "httpchk",
    "log-health-checks",
    "tcpka",
];
/// Timeouts that change nothing here.
const TIMEOUTS: [&str; 6] =
    ["client", "server", "http-request", "http-keep-alive", "queue", "check"];
/// Ways to choose of which each server has as many turns as the others.
const ALGORITHMS: [&str; 4] = ["roundrobin", "static-rr", "leastconn", "random"];

/// A section of proxies while it is read.
#[derive(Clone)]
struct Section {
    kind: &'static str,
    name: Arc<str>,
    line: usize,
    pool: Pool,
    ports: Vec<u16>,
    backend: Option<Arc<str>>,
}

/// Reads a file; what is wrong with it in the order of its lines.
pub fn read(text: &str) -> (Config, Vec<Problem>) {
    let usual = Pool { retries: 3, connect: Duration::from_secs(5), ..Pool::default() };
    let mut defaults = Section {
        kind: "defaults",
        name: Arc::from(""),
        line: 0,
        pool: usual,
        ports: Vec::new(),
        backend: None,
    };
    let (mut sections, mut problems): (Vec<Section>, Vec<Problem>) = (Vec::new(), Vec::new());
    let mut here = "";
    for (place, whole) in text.lines().enumerate() {
        let line = place + 1;
        let words = words(whole);
        let Some((first, rest)) = words.split_first() else { continue };
        let begins = ["global", "defaults", "frontend", "backend", "listen"];
        if let Some(kind) = begins.iter().find(|kind| *kind == first) {
            here = kind;
            if !matches!(here, "global" | "defaults") {
                if rest.is_empty() {
                    let message = format!("'{here}' expects an <id> argument");
                    problems.push(Problem { line, message });
                }
                let name = Arc::from(rest.first().copied().unwrap_or_default());
                sections.push(Section { kind, name, line, ..defaults.clone() });
            }
            continue;
        }
        let section = match here {
            "" => {
                let message = format!("unknown keyword '{first}' out of section.");
                problems.push(Problem { line, message });
                continue;
            }
            "global" => None,
            "defaults" => Some(&mut defaults),
            _ => sections.last_mut(),
        };
        let fault = match section {
            Some(section) => keyword(section, first, rest),
            None if GLOBAL.contains(first) => None,
            None => Some(format!("unknown keyword '{first}' in 'global' section")),
        };
        problems.extend(fault.map(|message| Problem { line, message }));
    }
    let config = joined(sections, &mut problems);
    (config, problems)
}

/// The words of a line, without what is behind a `#`.
fn words(line: &str) -> Vec<&str> {
    line.split('#').next().unwrap_or_default().split_whitespace().collect()
}

/// Takes a line of a section of proxies; what is wrong with it.
fn keyword(section: &mut Section, first: &str, rest: &[&str]) -> Option<String> {
    let (kind, pool) = (section.kind, &mut section.pool);
    let unknown = || Some(format!("unknown keyword '{first}' in '{kind}' section"));
    let value = rest.first().copied().unwrap_or_default();
    match first {
        "mode" => match value {
            "tcp" | "http" => pool.is_http = value == "http",
            _ => return Some(format!("unknown proxy mode '{value}'.")),
        },
        "option" => match value {
            "forwardfor" => pool.forwards_for = true,
            "redispatch" => pool.redispatches = true,
            _ if OPTIONS.contains(&value) => {}
            _ => return Some(format!("unknown option '{value}'.")),
        },
        "timeout" => match (value, rest.get(1).and_then(|time| duration(time))) {
            ("connect", Some(time)) => pool.connect = time,
            (name, Some(_)) if TIMEOUTS.contains(&name) => {}
            (name, None) if name == "connect" || TIMEOUTS.contains(&name) => {
                let given = rest.get(1).copied().unwrap_or_default();
                return Some(format!("unexpected character in 'timeout {name}': '{given}'"));
            }
            _ => return Some(format!("'timeout' : unknown timer '{value}'")),
        },
        "retries" => match value.parse() {
            Ok(count) => pool.retries = count,
            Err(_) => return Some("'retries' expects an integer argument.".to_owned()),
        },
        "log" | "maxconn" | "errorfile" | "description" => {}
        "balance" if kind != "frontend" => {
            if !ALGORITHMS.contains(&value) {
                let known = ALGORITHMS.map(|name| format!("'{name}'")).join(", ");
                return Some(format!("'balance' only supports {known}."));
            }
        }
        "bind" if matches!(kind, "frontend" | "listen") => {
            return match bind(value) {
                Some(port) => {
                    section.ports.push(port);
                    rest.get(1).map(|word| {
                        format!("'bind {value}' in section '{kind}': unknown keyword '{word}'.")
                    })
                }
                None => Some(format!("'bind' : invalid address: '{value}'")),
            };
        }
        "default_backend" if matches!(kind, "frontend" | "listen" | "defaults") => {
            section.backend = Some(Arc::from(value));
        }
        "server" if matches!(kind, "backend" | "listen") => return server(pool, rest),
        _ => return unknown(),
    }
    None
}

/// The port of `*:80`, `:80` or `0.0.0.0:80`.
fn bind(text: &str) -> Option<u16> {
    let (host, port) = text.rsplit_once(':')?;
    let is_any = matches!(host, "" | "*" | "0.0.0.0") || host.parse() == Ok(super::ADDRESS);
    port.parse().ok().filter(|_| is_any)
}

/// `5s`, `500ms`, `1m`; milliseconds without a unit.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "us" => return Some(Duration::from_micros(number)),
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(millis)?))
}

/// A line `server NAME ADDRESS:PORT [check …]`.
fn server(pool: &mut Pool, rest: &[&str]) -> Option<String> {
    let [name, address, options @ ..] = rest else {
        return Some("'server' expects <name> and <addr>[:<port>] as arguments.".to_owned());
    };
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "0"));
    let (Ok(ip), Ok(port)) = (host.parse(), port.parse()) else {
        return Some(format!("'server {name}' : could not resolve address '{host}'."));
    };
    let mut check = Check { interval: Duration::from_secs(2), fall: 3, rise: 2 };
    let (mut is_checked, mut weight, mut is_backup) = (false, 1, false);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let mut number = || options.next().and_then(|value| value.parse::<u32>().ok());
        let is_read = match *option {
            "check" => {
                is_checked = true;
                true
            }
            "backup" => {
                is_backup = true;
                true
            }
            "weight" => number().map(|value| weight = value).is_some(),
            "fall" => number().map(|value| check.fall = value.max(1)).is_some(),
            "rise" => number().map(|value| check.rise = value.max(1)).is_some(),
            "maxconn" => number().is_some(),
            "inter" => match options.next().and_then(|time| duration(time)) {
                Some(time) => {
                    check.interval = time;
                    true
                }
                None => false,
            },
            _ => return Some(format!("'server {name}' : unknown keyword '{option}'.")),
        };
        if !is_read {
            return Some(format!("'server {name}' : '{option}' expects a value."));
        }
    }
    pool.servers.push(Server {
        name: Arc::from(*name),
        to: Endpoint { ip, port },
        check: is_checked.then_some(check),
        weight,
        is_backup,
    });
    None
}

/// Joins frontends with their backends.
fn joined(sections: Vec<Section>, problems: &mut Vec<Problem>) -> Config {
    let mut config = Config::default();
    let pools: Vec<&Section> = sections.iter().filter(|it| it.kind != "frontend").collect();
    for section in sections.iter().filter(|it| it.kind != "backend") {
        let name = match &section.backend {
            Some(name) => name.clone(),
            None if section.kind == "listen" => section.name.clone(),
            None => continue,
        };
        let Some(pool) = pools.iter().position(|it| it.name == name) else {
            let message = format!(
                "Proxy '{}': unable to find required default_backend: '{name}'.",
                section.name
            );
            problems.push(Problem { line: 0, message });
            continue;
        };
        config.fronts.push(Front {
            name: section.name.clone(),
            ports: section.ports.clone(),
            pool,
        });
    }
    for section in pools {
        let twice = config.pools.iter().any(|pool| pool.name == section.name);
        if twice {
            let (name, line) = (&section.name, section.line);
            let message = format!("{} '{name}' has the same name as another one.", section.kind);
            problems.push(Problem { line, message });
        }
        config.pools.push(Pool { name: section.name.clone(), ..section.pool.clone() });
    }
    config
}
