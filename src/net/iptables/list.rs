//! A table as `iptables -L` shows it.

use super::names::{icmp_name, port_name};
use super::save::{
    LOG_FLAGS, Moment, action_text, condition_text, flags_text, fraction, full_mask, mark_text,
    reject_name, set_flags, sorted, translation_to, unit,
};
use crate::net::rule::{
    Action, End, Match, PortOf, Ports, Randomly, Recent, Rule, Translation, Translator, Verdict,
};
use crate::net::table::{Chain, Count, Table};
use crate::net::{Family, Protocol};
use core::fmt::Write as _;
use std::sync::Arc;

/// How a table is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Addresses, ports and protocols stay numbers.
    pub numeric: bool,
    /// Rules are numbered from 1.
    pub line_numbers: bool,
    /// With counters and interfaces.
    pub verbose: bool,
    /// Counters in full.
    pub exact: bool,
}

/// Lists a table, or one chain of it, or one rule of that; `None` if there is no such chain.
pub fn print(
    table: &Table,
    only: Option<(&str, Option<u32>)>,
    style: Style,
    moment: Moment<'_>,
) -> Option<String> {
    let mut out = String::new();
    if let Some((name, Some(wanted))) = only {
        let chain = table.chain(name)?;
        let numbered = (1u32..).zip(&chain.rules);
        for (number, rule) in numbered.filter(|(number, _)| *number == wanted) {
            let count = moment.count(chain.first_number.saturating_add(number - 1));
            print_rule(rule, number, table.family, style, count, &mut out);
        }
        return Some(out);
    }
    let chains = match only {
        Some((name, _)) => vec![table.chain(name)?],
        None => sorted(table),
    };
    for (index, chain) in chains.into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        print_chain(table, chain, style, moment, &mut out);
    }
    Some(out)
}

/// Shows a table, or one chain of it, or one rule of that, as `iptables -S` does; `None` if there is
/// no such chain.
pub fn print_rules(
    table: &Table,
    only: Option<(&str, Option<u32>)>,
    with_counters: bool,
    moment: Moment<'_>,
) -> Option<String> {
    let chains = match only {
        Some((name, _)) => vec![table.chain(name)?],
        None => sorted(table),
    };
    let mut out = String::new();
    let counters = |number| {
        let Count { packets, bytes } = moment.count(number);
        if with_counters { format!(" -c {packets} {bytes}") } else { String::new() }
    };
    let wanted = only.and_then(|(_, number)| number);
    for chain in chains.iter().filter(|_| wanted.is_none()) {
        let _ = match chain.base {
            Some(_) => {
                let counters = counters(chain.policy_number());
                writeln!(out, "-P {} {}{counters}", chain.name, chain.policy_name())
            }
            None => writeln!(out, "-N {}", chain.name),
        };
    }
    for chain in &chains {
        let numbered = chain.rules.iter().zip(1u32..);
        for (rule, number) in numbered.filter(|(_, number)| wanted.is_none_or(|it| it == *number)) {
            // The counters stand before the target.
            let counters = counters(chain.first_number.saturating_add(number - 1));
            let conditions = condition_text(rule, table.family);
            let target = action_text(rule, table.family);
            let _ = writeln!(out, "-A {}{conditions}{counters}{target}", chain.name);
        }
    }
    Some(out)
}

fn print_chain(table: &Table, chain: &Chain, style: Style, moment: Moment<'_>, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match chain.base {
        Some(_) if style.verbose => {
            let Count { packets, bytes } = moment.count(chain.policy_number());
            let policy = chain.policy_name();
            let (packets, bytes) = match style.exact {
                true => (packets.to_string(), bytes.to_string()),
                false => (short(packets).trim().to_owned(), short(bytes).trim().to_owned()),
            };
            writeln!(out, "Chain {} (policy {policy} {packets} packets, {bytes} bytes)", chain.name)
        }
        Some(_) => writeln!(out, "Chain {} (policy {})", chain.name, chain.policy_name()),
        None => writeln!(out, "Chain {} ({} references)", chain.name, references(table, chain)),
    };
    if style.line_numbers {
        out.push_str("num  ");
    }
    out.push_str(match (style.verbose, style.exact) {
        (true, false) => {
            " pkts bytes target     prot opt in     out     source               destination         \n"
        }
        (true, true) => {
            "    pkts      bytes target     prot opt in     out     source               destination         \n"
        }
        (false, _) => "target     prot opt source               destination         \n",
    });
    for (rule, number) in chain.rules.iter().zip(1u32..) {
        let count = moment.count(chain.first_number.saturating_add(number - 1));
        print_rule(rule, number, table.family, style, count, out);
    }
}

/// A counter in five columns, in thousands and so on where it is larger.
///
/// Models iptables' xtables_print_num.
fn short(number: u64) -> String {
    if number <= 99_999 {
        return format!("{number:>5}");
    }
    let mut number = number;
    for unit in ["K", "M", "G"] {
        number = (number + 500) / 1000;
        if number <= 9_999 {
            return format!("{number:>4}{unit}");
        }
    }
    format!("{:>4}T", (number + 500) / 1000)
}

fn references(table: &Table, chain: &Chain) -> usize {
    let leads_here = |rule: &&Rule| rule.target() == Some(&chain.name);
    table.chains.iter().map(|other| other.rules.iter().filter(leads_here).count()).sum()
}

/// A name or a number of an address, with the `!` of a condition that is turned around.
fn address(rule: &Rule, end: End, family: Family, numeric: bool) -> (bool, String) {
    let found = rule.matches.iter().find_map(|condition| match condition {
        Match::Net { end: of, nets, not } if *of == end => nets.first().map(|net| (*not, *net)),
        _ => None,
    });
    let Some((not, net)) = found.filter(|(_, net)| net.prefix_len() > 0) else {
        let any = match (numeric, family) {
            (false, _) => "anywhere",
            (true, Family::V4) => "0.0.0.0/0",
            (true, Family::V6) => "::/0",
        };
        return (false, any.to_owned());
    };
    let text = match net.prefix_len() == net.max_prefix_len() {
        true => net.addr().to_string(),
        false => net.to_string(),
    };
    // What /etc/hosts and /etc/networks have a name for.
    let named = match text.as_str() {
        "127.0.0.1" | "::1" if !numeric => "localhost",
        "127.0.0.0/8" if !numeric => "loopback/8",
        other => other,
    };
    (not, named.to_owned())
}

fn device(rule: &Rule, wanted: bool, numeric: bool) -> String {
    let found = rule.matches.iter().find_map(|condition| match condition {
        Match::Interface { incoming, name, not } if *incoming == wanted => {
            Some(format!("{}{name}", if *not { "!" } else { "" }))
        }
        _ => None,
    });
    found.unwrap_or_else(|| if numeric { "*" } else { "any" }.to_owned())
}

fn print_rule(
    rule: &Rule,
    number: u32,
    family: Family,
    style: Style,
    count: Count,
    out: &mut String,
) {
    if style.line_numbers {
        let _ = write!(out, "{number:<4} ");
    }
    if style.verbose {
        let Count { packets, bytes } = count;
        let _ = match style.exact {
            true => write!(out, "{packets:>8} {bytes:>8} "),
            false => write!(out, "{} {} ", short(packets), short(bytes)),
        };
    }
    let target = rule.actions.iter().find_map(target).unwrap_or_default();
    let protocol = rule.matches.iter().find_map(|condition| match condition {
        Match::Protocol(protocol, not) => Some((*protocol, *not)),
        _ => None,
    });
    let bang = if protocol.is_some_and(|(_, not)| not) { '!' } else { ' ' };
    let shown = match (protocol, style.numeric) {
        (None, true) => "0".to_owned(),
        (None, false) => "all".to_owned(),
        (Some((protocol, _)), true) => protocol.number().to_string(),
        (Some((protocol, _)), false) => protocol.name().to_owned(),
    };
    let _ = write!(out, "{target:<9} {bang}{shown:<4} --  ");
    if style.verbose {
        let devices = [true, false].map(|incoming| device(rule, incoming, style.numeric));
        let _ = write!(out, "{:<6} {:<6}  ", devices[0], devices[1]);
    }
    // The `!` of an address stands in the gap before it.
    let ends = [End::Source, End::Destination].map(|end| address(rule, end, family, style.numeric));
    for (place, (not, text)) in ends.into_iter().enumerate() {
        if not {
            out.pop();
            out.push('!');
        }
        let _ = write!(out, "{text:<20}{}", if place == 0 { " " } else { "" });
    }
    if rule.actions.iter().any(|it| matches!(it, Action::Verdict(Verdict::Goto(_)))) {
        out.push_str("[goto] ");
    }
    print_matches(rule, style.numeric, family, out);
    for action in &rule.actions {
        print_options(action, family, style.numeric, out);
    }
    out.push('\n');
}

fn target(action: &Action) -> Option<Arc<str>> {
    let name = match action {
        Action::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain)) => return Some(chain.clone()),
        Action::Verdict(Verdict::Accept) => "ACCEPT",
        Action::Verdict(Verdict::Drop) => "DROP",
        Action::Verdict(Verdict::Return) => "RETURN",
        Action::Verdict(Verdict::Reject(_)) => "REJECT",
        Action::Mark { .. } => "MARK",
        Action::Dnat(_) => "DNAT",
        Action::Translate(translation) => match translation.by {
            Translator::Dnat => "DNAT",
            Translator::Snat => "SNAT",
            Translator::Masquerade => "MASQUERADE",
            Translator::Redirect => "REDIRECT",
        },
        Action::Log { .. } => "LOG",
        Action::NoTrack { .. } => "CT",
        Action::DnatRandom(_)
        | Action::Lookup { .. }
        | Action::GotoRandom(_)
        | Action::Remember(_) => return None,
    };
    Some(Arc::from(name))
}

fn print_matches(rule: &Rule, numeric: bool, family: Family, out: &mut String) {
    let mut module = "";
    for condition in &rule.matches {
        let before = module;
        // What belongs to one module is introduced once.
        module = match condition {
            Match::Extension(protocol) | Match::Port { protocol, .. } => protocol.name(),
            Match::Flags { .. } => "tcp",
            Match::Local(..) => "ADDRTYPE match",
            Match::Net { .. } | Match::Protocol(..) | Match::Interface { .. } => continue,
            _ => "",
        };
        if !module.is_empty() && module != before {
            let _ = write!(out, " {module}");
        }
        print_match(condition, numeric, rule.protocol(), family, out);
    }
}

fn ports(ports: Ports, numeric: bool, protocol: Option<Protocol>) -> String {
    let name = |port| if numeric { format!("{port}") } else { port_name(port, protocol) };
    match ports.first == ports.last {
        true => name(ports.first),
        false => format!("{}:{}", name(ports.first), name(ports.last)),
    }
}

fn print_match(
    condition: &Match,
    numeric: bool,
    protocol: Option<Protocol>,
    family: Family,
    out: &mut String,
) {
    let not = |not: bool| if not { "!" } else { "" };
    let gap = |not: bool| if not { "! " } else { "" };
    let end = |end: End, source, destination| if end == End::Source { source } else { destination };
    let _ = match condition {
        Match::Net { .. } | Match::Protocol(..) | Match::Interface { .. } | Match::Extension(_) => {
            Ok(())
        }
        Match::Range { end: of, first, last, not } => {
            let of = end(*of, "source", "destination");
            write!(out, " {of} IP range {}{first}-{last}", gap(*not))
        }
        Match::Port { protocol, end: of, ports: own, not: inverse } => {
            let of = end(*of, "spt", "dpt");
            let many = if own.first == own.last { "" } else { "s" };
            let text = ports(*own, numeric, Some(*protocol));
            write!(out, " {of}{many}:{}{text}", not(*inverse))
        }
        Match::AnyPort { of, ports, not } => {
            print_any_port(*of, ports, *not, (numeric, protocol), out);
            Ok(())
        }
        Match::Flags { mask, set, not: inverse } => match numeric {
            true => write!(out, " flags:{}0x{mask:02X}/0x{set:02X}", not(*inverse)),
            false => {
                let (mask, set) = (flags_text(*mask), flags_text(*set));
                write!(out, " flags:{}{mask}/{set}", not(*inverse))
            }
        },
        Match::Icmp { kind, code, not: inverse } => {
            print_icmp(*kind, *code, *inverse, numeric, out);
            Ok(())
        }
        Match::State { states, not, by_state } => {
            let names: Vec<&str> = states.names().collect();
            let word = if *by_state { "state" } else { "ctstate" };
            write!(out, " {}{word} {}", gap(*not), names.join(","))
        }
        Match::Mark { mark, mask, not } => {
            write!(out, " mark match {}{}", gap(*not), mark_text(*mark, *mask))
        }
        Match::Local(of, inverse) => {
            write!(out, " {}-type {}LOCAL", end(*of, "src", "dst"), not(*inverse))
        }
        Match::NotBridged => write!(out, " PHYSDEV match ! --physdev-is-in"),
        Match::VirtualServer { address, protocol } => {
            let vproto = Protocol::number(*protocol);
            write!(out, " vproto {vproto} vaddr {} vport {}", address.ip, address.port)
        }
        Match::Account(name) => write!(out, " nfacct-name  {name}"),
        Match::Chance { probability, not, .. } => {
            let text = fraction(*probability);
            write!(out, " statistic mode random {}probability {text}", gap(*not))
        }
        Match::Turn { every, packet, not } => {
            let _ = write!(out, " statistic mode nth {}every {every}", gap(*not));
            if *packet > 0 { write!(out, " packet {packet}") } else { Ok(()) }
        }
        Match::Limit { count, seconds, burst } => {
            write!(out, " limit: avg {count}/{} burst {burst}", unit(*seconds))
        }
        Match::Recent { .. } => {
            print_recent(condition, family, out);
            Ok(())
        }
        Match::InSet { set, key } => write!(out, " match-set {set} {}", set_flags(*key)),
        Match::Comment(text) => write!(out, " /* {text} */"),
    };
}

fn print_any_port(
    of: PortOf,
    own: &[Ports],
    not: bool,
    (numeric, protocol): (bool, Option<Protocol>),
    out: &mut String,
) {
    let of = match of {
        PortOf::Source => "sports",
        PortOf::Destination => "dports",
        PortOf::Either => "ports",
    };
    let all: Vec<String> = own.iter().map(|it| ports(*it, numeric, protocol)).collect();
    // The space before it is iptables' own.
    let bang = if not { " !" } else { "" };
    let _ = write!(out, " multiport {of} {bang}{}", all.join(","));
}

fn print_recent(condition: &Match, family: Family, out: &mut String) {
    let Match::Recent { list, what, seconds, hits, reap, end, not } = condition else { return };
    let what = match what {
        Recent::Set => "SET",
        Recent::Check => "CHECK",
        Recent::Update => "UPDATE",
        Recent::Remove => "REMOVE",
    };
    let _ = write!(out, " {}recent: {what}", if *not { "! " } else { "" });
    if *seconds > 0 {
        let _ = write!(out, " seconds: {seconds}");
    }
    out.push_str(if *reap { " reap" } else { "" });
    if *hits > 0 {
        let _ = write!(out, " hit_count: {hits}");
    }
    let of = if *end == End::Source { "source" } else { "dest" };
    let _ = write!(out, " name: {list} side: {of} mask: {}", full_mask(family));
}

fn print_icmp(kind: u8, code: Option<u8>, not: bool, numeric: bool, out: &mut String) {
    let bang = if not { "!" } else { "" };
    let _ = match icmp_name(kind, code).filter(|_| !numeric) {
        Some(name) => write!(out, " icmp {bang}{name}"),
        None => {
            let code = code.map(|code| format!(" code {code}")).unwrap_or_default();
            write!(out, " icmp{}type {kind}{code}", if not { " !" } else { "" })
        }
    };
}

/// The names of the log's levels.
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"];

/// The level of a name or a number.
pub(super) fn log_level(text: &str) -> Option<u8> {
    let named = LEVELS.iter().zip(0u8..).find(|(name, _)| name.eq_ignore_ascii_case(text));
    let other = match text {
        "warning" => Some(4),
        "panic" => Some(0),
        number => number.parse().ok().filter(|level| *level < 8),
    };
    named.map(|(_, level)| level).or(other)
}

fn print_options(action: &Action, family: Family, numeric: bool, out: &mut String) {
    let _ = match action {
        Action::Verdict(Verdict::Reject(with)) => {
            write!(out, " reject-with {}", reject_name(*with, family))
        }
        Action::Mark { value: 0, mask } => write!(out, " MARK and {:#x}", !mask),
        Action::Mark { value, mask } if value == mask => write!(out, " MARK or {value:#x}"),
        Action::Mark { value, mask: 0 } => write!(out, " MARK xor {value:#x}"),
        Action::Mark { value, mask: u32::MAX } => write!(out, " MARK set {value:#x}"),
        Action::Mark { value, mask } => write!(out, " MARK xset {value:#x}/{mask:#x}"),
        Action::Dnat(to) => write!(out, " to:{to}"),
        Action::Translate(translation) => {
            print_translation(translation, out);
            Ok(())
        }
        Action::Log { prefix, level, flags } => {
            let level_name = LEVELS.get(usize::from(*level)).copied().unwrap_or_default();
            let _ = match numeric {
                true => write!(out, " LOG flags {flags} level {level}"),
                false => write!(out, " LOG level {level_name}"),
            };
            for (_, name) in LOG_FLAGS.iter().filter(|(bit, _)| !numeric && flags & bit != 0) {
                let _ = write!(out, " {name}");
            }
            if prefix.is_empty() { Ok(()) } else { write!(out, " prefix \"{prefix}\"") }
        }
        Action::NoTrack { by_ct: true } => write!(out, " CT notrack"),
        Action::NoTrack { by_ct: false } => write!(out, " NOTRACK"),
        _ => Ok(()),
    };
}

fn print_translation(it: &Translation, out: &mut String) {
    let to = translation_to(it);
    if !to.is_empty() {
        let word = match it.by {
            Translator::Dnat | Translator::Snat => "to:",
            Translator::Masquerade => "masq ports: ",
            Translator::Redirect => "redir ports ",
        };
        let _ = write!(out, " {word}{to}");
    }
    out.push_str(match it.randomly {
        Randomly::No => "",
        Randomly::Hashed => " random",
        Randomly::Fully => " random-fully",
    });
    out.push_str(if it.is_persistent { " persistent" } else { "" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counters_are_shown_in_thousands() {
        let shown = [7, 99_999, 100_000, 9_999_499, 10_000_000, 12_345_678_901].map(short);
        assert_eq!(shown, ["    7", "99999", " 100K", "9999K", "  10M", "  12G"]);
    }
}
