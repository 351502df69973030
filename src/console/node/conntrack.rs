//! conntrack: the connections that a node's kernel knows.
//!
//! Models conntrack-tools 1.4.7.

use super::Node;
use crate::console::{Output, failed, said};
use crate::net::Protocol;
use crate::net::conntrack::Connection;
use ipnet::IpNet;
use std::net::IpAddr;

const PROGRAM: &str = "conntrack v1.4.7 (conntrack-tools)";

/// Which connections are meant.
#[derive(Debug, Default)]
struct Filter {
    protocol: Option<Protocol>,
    source: Option<IpNet>,
    destination: Option<IpNet>,
    reply_source: Option<IpNet>,
    reply_destination: Option<IpNet>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    source_nat: bool,
    destination_nat: bool,
    any_nat: bool,
    status: Option<String>,
    state: Option<String>,
    extended: bool,
}

fn refused(why: &str) -> Output {
    let text = format!(
        "{PROGRAM}: {why}\nTry `conntrack -h' or 'conntrack --help' for more information.\n"
    );
    failed(2, text)
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

impl Filter {
    /// Reads the options of a command.
    fn read(words: &[&str]) -> Result<Self, String> {
        let mut filter = Filter::default();
        let mut words = words.iter().copied().peekable();
        while let Some(word) = words.next() {
            let (flag, glued) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
                _ => (word, None),
            };
            let is_value = |next: &&str| !next.starts_with('-');
            let unknown = || format!("unknown option `{flag}'");
            match flag {
                "-n" | "--src-nat" => {
                    filter.source_nat = true;
                    words.next_if(is_value);
                    continue;
                }
                "-g" | "--dst-nat" => {
                    filter.destination_nat = true;
                    words.next_if(is_value);
                    continue;
                }
                "-j" | "--any-nat" => {
                    filter.any_nat = true;
                    words.next_if(is_value);
                    continue;
                }
                _ => {}
            }
            let needs_value = [
                "-p",
                "--proto",
                "--protonum",
                "-s",
                "--src",
                "--orig-src",
                "-d",
                "--dst",
                "--orig-dst",
                "-r",
                "--reply-src",
                "-q",
                "--reply-dst",
                "--sport",
                "--dport",
                "--orig-port-src",
                "--orig-port-dst",
                "-u",
                "--status",
                "--state",
                "-o",
                "--output",
                "-f",
                "--family",
            ];
            if !needs_value.contains(&flag) {
                return Err(unknown());
            }
            let missing = || format!("option `{flag}' requires an argument");
            let value = glued.or_else(|| words.next()).ok_or_else(missing)?;
            filter.set(flag, value)?;
        }
        Ok(filter)
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        let bad = || format!("Invalid IP address `{value}'");
        let port = || match self.protocol {
            Some(protocol) if protocol.has_ports() => {
                value.parse().map(Some).map_err(|_| format!("Bad parameter `{value}'"))
            }
            _ => Err(format!("unknown option `{flag}'")),
        };
        match flag {
            "-p" | "--proto" | "--protonum" => {
                let known = Protocol::OF_SERVICES.into_iter().chain([Protocol::Icmp]);
                let found = known.into_iter().find(|protocol| {
                    protocol.name() == value || protocol.number().to_string() == value
                });
                let unsupported = || format!("`{value}' unsupported protocol");
                self.protocol = Some(found.ok_or_else(unsupported)?);
            }
            "-s" | "--src" | "--orig-src" => {
                self.source = Some(network(value).ok_or_else(bad)?);
            }
            "-d" | "--dst" | "--orig-dst" => {
                self.destination = Some(network(value).ok_or_else(bad)?);
            }
            "-r" | "--reply-src" => self.reply_source = Some(network(value).ok_or_else(bad)?),
            "-q" | "--reply-dst" => self.reply_destination = Some(network(value).ok_or_else(bad)?),
            "--sport" | "--orig-port-src" => self.source_port = port()?,
            "--dport" | "--orig-port-dst" => self.destination_port = port()?,
            "-u" | "--status" => self.status = Some(value.to_owned()),
            "--state" if self.protocol == Some(Protocol::Tcp) => {
                self.state = Some(value.to_owned());
            }
            "--state" => return Err(format!("unknown option `{flag}'")),
            "-o" | "--output" => self.extended = value.split(',').any(|it| it == "extended"),
            _ => {}
        }
        Ok(())
    }

    fn fits(&self, it: &Connection) -> bool {
        let within = |net: Option<IpNet>, ip: IpAddr| net.is_none_or(|net| net.contains(&ip));
        let same = |port: Option<u16>, own: u16| port.is_none_or(|port| port == own);
        let status = match self.status.as_deref() {
            Some("ASSURED") => it.is_assured(),
            Some("SEEN_REPLY") => it.is_replied(),
            Some("UNREPLIED" | "UNSET") => !it.is_replied(),
            _ => true,
        };
        status
            && self.protocol.is_none_or(|protocol| protocol == it.original.protocol)
            && within(self.source, it.original.source.ip)
            && within(self.destination, it.original.destination.ip)
            && within(self.reply_source, it.reply.source.ip)
            && within(self.reply_destination, it.reply.destination.ip)
            && same(self.source_port, it.original.source.port)
            && same(self.destination_port, it.original.destination.port)
            && (!self.source_nat || it.is_snat())
            && (!self.destination_nat || it.is_dnat())
            && (!self.any_nat || it.is_translated())
            && self.state.as_ref().is_none_or(|state| state == it.state_name())
    }
}

impl Node<'_> {
    /// `conntrack -L|-C|-D|-F`.
    pub(super) fn conntrack(&mut self, words: &[&str]) -> Output {
        let Some((command, rest)) = words.split_first() else {
            return refused("you have to specify a command");
        };
        // `conntrack -L conntrack` names the table that is meant anyway.
        let rest = rest.strip_prefix(&["conntrack"]).unwrap_or(rest);
        let now = self.world.now();
        match *command {
            "-L" | "--dump" | "-D" | "--delete" => {}
            "-C" | "--count" => {
                let conntrack = &self.world.kernel(self.name).memory().conntrack;
                return said(format!("{}\n", conntrack.list(now).count()));
            }
            "-F" | "--flush" => {
                self.world.kernel(self.name).memory_mut().conntrack = Default::default();
                let stderr = format!("{PROGRAM}: connection tracking table has been emptied.\n");
                return Output { stderr, ..Output::default() };
            }
            "-V" | "--version" => return said(format!("{PROGRAM}\n")),
            "-E" | "-G" | "-I" | "-U" | "-S" | "--event" | "--stats" => {
                return failed(2, format!("conntrack: {command}: this model does not know it\n"));
            }
            other => return refused(&format!("unknown option `{other}'")),
        }
        let filter = match Filter::read(rest) {
            Ok(filter) => filter,
            Err(why) => return refused(&why),
        };
        let conntrack = &mut self.world.kernel(self.name).memory_mut().conntrack;
        let mut shown: Vec<Connection> =
            conntrack.list(now).filter(|it| filter.fits(it)).copied().collect();
        crate::base::order::sort_by_key(&mut shown, |it| it.since);
        let is_deleted = matches!(*command, "-D" | "--delete");
        let stdout = shown.iter().map(|it| it.line(filter.extended, now)).collect();
        if is_deleted {
            shown.iter().for_each(|it| conntrack.remove(&it.original));
        }
        let (done, count) = (if is_deleted { "deleted" } else { "shown" }, shown.len());
        let stderr = format!("{PROGRAM}: {count} flow entries have been {done}.\n");
        Output { stdout, stderr, exit: i32::from(is_deleted && count == 0), ..Output::default() }
    }
}
