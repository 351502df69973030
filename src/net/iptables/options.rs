//! The conditions of a rule as a command line has them: modules and their options.

use super::command::{Refusal, unknown, usage};
use super::names::{icmp_message, port_number};
use super::save::TCP_FLAGS;
use crate::net::Protocol;
use crate::net::rule::{End, Match, PortOf, Ports, Recent, States};
use std::net::IpAddr;
use std::sync::Arc;

/// What a module's option is.
#[derive(Clone, Copy, Debug)]
struct Known {
    module: &'static str,
    flag: &'static str,
    /// How many words follow it.
    values: u8,
}

const fn known(module: &'static str, flag: &'static str, values: u8) -> Known {
    Known { module, flag, values }
}

/// The options of the modules that this model has.
const OPTIONS: [Known; 55] = [
    known("tcp", "--source-port", 1),
    known("tcp", "--sport", 1),
    known("tcp", "--destination-port", 1),
    known("tcp", "--dport", 1),
    known("tcp", "--syn", 0),
    known("tcp", "--tcp-flags", 2),
    known("udp", "--source-port", 1),
    known("udp", "--sport", 1),
    known("udp", "--destination-port", 1),
    known("udp", "--dport", 1),
    known("sctp", "--source-port", 1),
    known("sctp", "--sport", 1),
    known("sctp", "--destination-port", 1),
    known("sctp", "--dport", 1),
    known("icmp", "--icmp-type", 1),
    known("multiport", "--source-ports", 1),
    known("multiport", "--sports", 1),
    known("multiport", "--sport", 1),
    known("multiport", "--destination-ports", 1),
    known("multiport", "--dports", 1),
    known("multiport", "--dport", 1),
    known("multiport", "--ports", 1),
    known("iprange", "--src-range", 1),
    known("iprange", "--dst-range", 1),
    known("state", "--state", 1),
    known("conntrack", "--ctstate", 1),
    known("addrtype", "--src-type", 1),
    known("addrtype", "--dst-type", 1),
    known("mark", "--mark", 1),
    known("statistic", "--mode", 1),
    known("statistic", "--probability", 1),
    known("statistic", "--every", 1),
    known("statistic", "--packet", 1),
    known("limit", "--limit", 1),
    known("limit", "--limit-burst", 1),
    known("recent", "--set", 0),
    known("recent", "--rcheck", 0),
    known("recent", "--update", 0),
    known("recent", "--remove", 0),
    known("recent", "--seconds", 1),
    known("recent", "--reap", 0),
    known("recent", "--hitcount", 1),
    known("recent", "--name", 1),
    known("recent", "--rsource", 0),
    known("recent", "--rdest", 0),
    known("recent", "--mask", 1),
    known("comment", "--comment", 1),
    known("physdev", "--physdev-is-in", 0),
    known("physdev", "--physdev-is-bridged", 0),
    known("set", "--match-set", 2),
    known("ipvs", "--vproto", 1),
    known("ipvs", "--vaddr", 1),
    known("ipvs", "--vport", 1),
    known("nfacct", "--nfacct-name", 1),
    known("recent", "--rttl", 0),
];

/// Modules that iptables has and this model has not.
const OTHER_MODULES: [&str; 24] = [
    "connbytes",
    "connlabel",
    "connlimit",
    "connmark",
    "cpu",
    "dscp",
    "ecn",
    "hashlimit",
    "helper",
    "length",
    "mac",
    "nfacct",
    "owner",
    "pkttype",
    "quota",
    "realm",
    "rpfilter",
    "socket",
    "string",
    "tcpmss",
    "time",
    "tos",
    "ttl",
    "u32",
];

/// An option as it was given.
#[derive(Clone, Debug)]
struct Given {
    flag: &'static str,
    values: Vec<String>,
    not: bool,
}

/// A module that a rule uses, with what was asked of it.
#[derive(Clone, Debug)]
struct Module {
    name: &'static str,
    given: Vec<Given>,
}

/// The modules of a rule, in the order of their loading.
#[derive(Clone, Debug, Default)]
pub(super) struct Modules(Vec<Module>);

impl Modules {
    /// `-m NAME`.
    pub(super) fn load(&mut self, name: &str) -> Result<(), Refusal> {
        let own = OPTIONS.iter().find(|it| it.module == name).map(|it| it.module);
        match own.filter(|name| !matches!(*name, "ipvs" | "nfacct")) {
            Some(name) => self.0.push(Module { name, given: Vec::new() }),
            None if OTHER_MODULES.contains(&name) || own.is_some() => {
                return Err(unknown(&format!("-m {name}")));
            }
            None => {
                let why = format!("Couldn't load match `{name}':No such file or directory\n");
                return Err(usage(&why));
            }
        }
        Ok(())
    }

    /// Takes an option with its values; `None` if no module of the rule has it. What the protocol's
    /// own module has need not be loaded before.
    pub(super) fn take<'a>(
        &mut self,
        word: &str,
        not: bool,
        protocol: Option<Protocol>,
        mut next: impl FnMut() -> Option<&'a String>,
    ) -> Result<Option<()>, Refusal> {
        let own = protocol.map(Protocol::name);
        let loaded = |it: &&Known| self.0.iter().any(|module| module.name == it.module);
        let at_hand = OPTIONS.iter().filter(|it| loaded(it) || own == Some(it.module));
        let at_hand: Vec<&Known> = at_hand.filter(|it| it.flag.starts_with(word)).collect();
        let exact = at_hand.iter().rev().find(|it| it.flag == word);
        let Some(option) = exact.or_else(|| at_hand.first()).filter(|_| word.len() > 3) else {
            return Ok(None);
        };
        let mut values = Vec::new();
        for _ in 0..option.values {
            let missing = || usage(&format!("option \"{word}\" requires an argument"));
            values.push(next().cloned().ok_or_else(missing)?);
        }
        if !self.0.iter().any(|module| module.name == option.module) {
            self.0.push(Module { name: option.module, given: Vec::new() });
        }
        let module = self.0.iter_mut().rev().find(|module| module.name == option.module);
        if let Some(module) = module {
            module.given.push(Given { flag: option.flag, values, not });
        }
        Ok(Some(()))
    }

    /// The conditions.
    pub(super) fn matches(&self, protocol: Option<Protocol>) -> Result<Vec<Match>, Refusal> {
        let mut matches = Vec::new();
        for module in &self.0 {
            module.matches(protocol, &mut matches)?;
        }
        Ok(matches)
    }
}

impl Module {
    fn find(&self, flags: &[&str]) -> Option<&Given> {
        self.given.iter().find(|given| flags.contains(&given.flag))
    }

    fn value(&self, flag: &str) -> Option<&str> {
        self.find(&[flag])?.values.first().map(String::as_str)
    }

    fn must(&self, flag: &str) -> Result<&Given, Refusal> {
        let missing = || usage(&format!("{}: option \"{flag}\" must be specified\n", self.name));
        self.find(&[flag]).ok_or_else(missing)
    }

    fn must_value(&self, flag: &str) -> Result<(&str, bool), Refusal> {
        let given = self.must(flag)?;
        Ok((given.values.first().map_or("", String::as_str), given.not))
    }

    fn number(&self, flag: &str) -> Result<u32, Refusal> {
        let Some(text) = self.value(flag) else { return Ok(0) };
        let bad = || {
            usage(&format!(
                "{}: bad integer value for option \"{flag}\", or out of range.\n",
                self.name
            ))
        };
        integer(text).ok_or_else(bad)
    }

    fn matches(&self, protocol: Option<Protocol>, out: &mut Vec<Match>) -> Result<(), Refusal> {
        match self.name {
            "tcp" | "udp" | "sctp" => self.transport(protocol, out)?,
            "icmp" => {
                let (text, not) = self.must_value("--icmp-type")?;
                let (kind, code) = icmp_message(text)
                    .ok_or_else(|| usage(&format!("Invalid ICMP type `{text}'\n")))?;
                out.push(Match::Icmp { kind, code, not });
            }
            "multiport" => out.push(self.multiport(protocol)?),
            "iprange" => {
                for (flag, end) in [("--src-range", End::Source), ("--dst-range", End::Destination)]
                {
                    let Some(given) = self.find(&[flag]) else { continue };
                    let text = given.values.first().map_or("", String::as_str);
                    let (first, last) =
                        range(text).ok_or_else(|| usage(&format!("Bad IP address \"{text}\"")))?;
                    out.push(Match::Range { end, first, last, not: given.not });
                }
            }
            "state" | "conntrack" => {
                let by_state = self.name == "state";
                let flag = if by_state { "--state" } else { "--ctstate" };
                let (text, not) = self.must_value(flag)?;
                let mut states = States::NONE;
                for name in text.split(',') {
                    let bad = || usage(&format!("Bad {} \"{name}\"", flag.trim_start_matches('-')));
                    states = states.or(States::parse(name).ok_or_else(bad)?);
                }
                out.push(Match::State { states, not, by_state });
            }
            "addrtype" => self.address_type(out)?,
            "mark" => {
                let (text, not) = self.must_value("--mark")?;
                let bad =
                    || usage("mark: bad integer value for option \"--mark\", or out of range.\n");
                let (mark, mask) = mark(text).ok_or_else(bad)?;
                out.push(Match::Mark { mark, mask, not });
            }
            "statistic" => out.push(self.statistic()?),
            "limit" => out.push(self.limit()?),
            "recent" => out.push(self.recent()?),
            "comment" => {
                let (text, _) = self.must_value("--comment")?;
                out.push(Match::Comment(Arc::from(text)));
            }
            other => return Err(unknown(&format!("-m {other}"))),
        }
        Ok(())
    }

    /// `-m tcp`, `-m udp`, `-m sctp`: iptables shows the source's port first and flags last.
    fn transport(&self, protocol: Option<Protocol>, out: &mut Vec<Match>) -> Result<(), Refusal> {
        let Some(own) = Protocol::parse(self.name) else { return Ok(()) };
        if protocol != Some(own) {
            let why = format!("{} match requires '-p {own}'", own.api_name());
            return Err(usage(&why));
        }
        let before = out.len();
        for (flags, end) in [
            (["--sport", "--source-port"], End::Source),
            (["--dport", "--destination-port"], End::Destination),
        ] {
            let Some(given) = self.find(&flags) else { continue };
            let text = given.values.first().map_or("", String::as_str);
            let ports = port_range(text, own)?;
            out.push(Match::Port { protocol: own, end, ports, not: given.not });
        }
        if let Some(given) = self.find(&["--syn"]) {
            out.push(Match::Flags { mask: 0x17, set: 0x02, not: given.not });
        }
        if let Some(given) = self.find(&["--tcp-flags"]) {
            let mut both = given.values.iter().map(|text| tcp_flags(text));
            let mut next = || both.next().unwrap_or(Ok(0));
            let (mask, set) = (next()?, next()?);
            out.push(Match::Flags { mask, set, not: given.not });
        }
        if out.len() == before {
            out.push(Match::Extension(own));
        }
        Ok(())
    }

    fn multiport(&self, protocol: Option<Protocol>) -> Result<Match, Refusal> {
        let Some(protocol) = protocol else {
            return Err(usage(
                "multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'",
            ));
        };
        if !protocol.has_ports() {
            return Err(usage("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP"));
        }
        let Some(given) = self.given.first() else {
            return Err(usage("multiport expection an option"));
        };
        let of = match given.flag {
            "--ports" => PortOf::Either,
            flag if flag.starts_with("--s") => PortOf::Source,
            _ => PortOf::Destination,
        };
        let text = given.values.first().map_or("", String::as_str);
        let all: Result<Vec<Ports>, Refusal> =
            text.split(',').map(|part| port_range(part, protocol)).collect();
        Ok(Match::AnyPort { of, ports: Arc::from(all?), not: given.not })
    }

    fn address_type(&self, out: &mut Vec<Match>) -> Result<(), Refusal> {
        for (flag, end) in [("--src-type", End::Source), ("--dst-type", End::Destination)] {
            let Some(given) = self.find(&[flag]) else { continue };
            match given.values.first().map_or("", String::as_str) {
                "LOCAL" => out.push(Match::Local(end, given.not)),
                kind @ ("UNSPEC" | "UNICAST" | "BROADCAST" | "ANYCAST" | "MULTICAST"
                | "BLACKHOLE" | "UNREACHABLE" | "PROHIBIT" | "THROW" | "NAT") => {
                    return Err(unknown(&format!("{flag} {kind}")));
                }
                other => return Err(usage(&format!("addrtype: bad type \"{other}\""))),
            }
        }
        match self.given.is_empty() {
            true => Err(usage("addrtype: you must specify --src-type or --dst-type")),
            false => Ok(()),
        }
    }

    fn statistic(&self) -> Result<Match, Refusal> {
        match self.must_value("--mode")?.0 {
            "random" => {
                let Some(given) = self.find(&["--probability"]) else {
                    return Err(usage("--probability must be specified when using random mode"));
                };
                let text = given.values.first().map_or("", String::as_str);
                chance(text, given.not).ok_or_else(|| {
                    usage("statistic: bad value for option \"--probability\", or out of range (0-1).\n")
                })
            }
            "nth" => {
                let Some(every) = self.find(&["--every"]) else {
                    return Err(usage("--every must be specified when using nth mode"));
                };
                if self.find(&["--packet"]).is_none() {
                    return Err(usage(
                        "statistic: option \"--every\" also requires \"--packet\".\n",
                    ));
                }
                let (number, packet) = (self.number("--every")?, self.number("--packet")?);
                if number == 0 || packet >= number {
                    return Err(usage("the --packet p must be 0 <= p <= n-1"));
                }
                Ok(Match::Turn { every: number, packet, not: every.not })
            }
            other => Err(usage(&format!("Bad mode \"{other}\""))),
        }
    }

    fn limit(&self) -> Result<Match, Refusal> {
        let text = self.value("--limit").unwrap_or("3/hour");
        let bad = || usage(&format!("bad rate \"{text}\"'"));
        let (count, unit) = text.split_once('/').unwrap_or((text, "second"));
        let units = [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400)];
        let found = units.iter().find(|(name, _)| !unit.is_empty() && name.starts_with(unit));
        let (_, seconds) = found.ok_or_else(bad)?;
        let count = count.parse().ok().filter(|count| *count > 0).ok_or_else(bad)?;
        let burst = match self.value("--limit-burst") {
            Some(_) => self.number("--limit-burst")?,
            None => 5,
        };
        Ok(Match::Limit { count, seconds: *seconds, burst })
    }

    fn recent(&self) -> Result<Match, Refusal> {
        let whats = [
            ("--set", Recent::Set),
            ("--rcheck", Recent::Check),
            ("--update", Recent::Update),
            ("--remove", Recent::Remove),
        ];
        let found = whats.iter().find_map(|(flag, what)| Some((self.find(&[flag])?, *what)));
        let Some((given, what)) = found else {
            return Err(usage(
                "recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'",
            ));
        };
        if self.find(&["--rttl"]).is_some()
            || self.find(&["--mask"]).is_some_and(|mask| {
                mask.values.first().is_none_or(|text| text != "255.255.255.255")
            })
        {
            return Err(unknown("-m recent --rttl, --mask"));
        }
        let end = if self.find(&["--rdest"]).is_some() { End::Destination } else { End::Source };
        Ok(Match::Recent {
            list: Arc::from(self.value("--name").unwrap_or("DEFAULT")),
            what,
            seconds: self.number("--seconds")?,
            hits: self.number("--hitcount")?,
            reap: self.find(&["--reap"]).is_some(),
            end,
            not: given.not,
        })
    }
}

/// `80`, `http`, `80:90`, `:90`, `90:`.
fn port_range(text: &str, protocol: Protocol) -> Result<Ports, Refusal> {
    let one = |text: &str| {
        let bad = || usage(&format!("invalid port/service `{text}' specified"));
        port_number(text, protocol).ok_or_else(bad)
    };
    let Some((first, last)) = text.split_once(':') else { return one(text).map(Ports::one) };
    let first = if first.is_empty() { 0 } else { one(first)? };
    let last = if last.is_empty() { u16::MAX } else { one(last)? };
    if first > last {
        return Err(usage("invalid portrange (min > max)"));
    }
    Ok(Ports { first, last })
}

fn tcp_flags(text: &str) -> Result<u8, Refusal> {
    let mut flags = 0;
    for name in text.split(',') {
        flags |= match name {
            "ALL" => 0x3f,
            "NONE" => 0,
            name => {
                let place = TCP_FLAGS.iter().zip(0u32..).find(|(own, _)| **own == name);
                let bad = || usage(&format!("Unknown TCP flag `{name}'"));
                1u8 << place.ok_or_else(bad)?.1
            }
        };
    }
    Ok(flags)
}

fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// `7`, `0x7`.
pub(super) fn integer(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// `0x4000/0x4000`; all bits without a mask.
pub(super) fn mark(text: &str) -> Option<(u32, u32)> {
    match text.split_once('/') {
        Some((mark, mask)) => Some((integer(mark)?, integer(mask)?)),
        None => Some((integer(text)?, u32::MAX)),
    }
}

/// The lots of a probability between 0 and 1, as few of them as it takes.
fn chance(text: &str, not: bool) -> Option<Match> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > 12 || text.is_empty() {
        return None;
    }
    let scale = 10u64.pow(u32::try_from(decimals.len()).ok()?);
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u64 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    let value = whole.checked_mul(scale)?.checked_add(part).filter(|value| *value <= scale)?;
    let probability = (u128::from(value) * (1 << 31) + u128::from(scale) / 2) / u128::from(scale);
    let probability = u32::try_from(probability).ok()?;
    // A third is written 0.33333; lots are whole.
    let (wins, among) = (1..=100u64)
        .find_map(|among| {
            let wins = (value * among + scale / 2) / scale;
            let off = (value * among).abs_diff(wins * scale);
            (wins > 0 && off * 10_000 <= scale).then_some((wins, among))
        })
        .unwrap_or((u64::from(probability), 1 << 31));
    let (wins, among) = (u32::try_from(wins).ok()?, u32::try_from(among).ok()?);
    Some(Match::Chance { wins, among, probability, not })
}
