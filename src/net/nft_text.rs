//! A ruleset as `nft list ruleset` shows it.

use super::packet::Endpoint;
use super::rule::{Action, End, Key, Match, Randomly, Rule, States, Translator, Verdict};
use super::set::{Element, ElementKey, Field, NamedSet};
use super::table::{Chain, Ruleset, Table};
use super::{Family, Protocol};
use crate::base::order;
use core::fmt::Write as _;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// How wide nft makes the gap before the elements of a set's second line.
const NEXT_LINE: &str = ",\n\t\t\t     ";

/// Shows all tables.
pub fn print(ruleset: &Ruleset) -> String {
    let mut out = String::new();
    for table in &ruleset.tables {
        print_table(table, &mut out);
    }
    out
}

fn print_table(table: &Table, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "table {} {} {{", table.family.nft_name(), table.name);
    if let Some(comment) = table.comment {
        let _ = writeln!(out, "\tcomment \"{comment}\"");
    }
    for (index, set) in table.sets.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        print_set(set, table.family, out);
    }
    for (index, chain) in table.chains.iter().enumerate() {
        if index > 0 || !table.sets.is_empty() {
            out.push('\n');
        }
        print_chain(chain, table.family, out);
    }
    out.push_str("}\n");
}

fn print_set(set: &NamedSet, family: Family, out: &mut String) {
    let word = if set.is_map { "map" } else { "set" };
    let _ = writeln!(out, "\t{word} {} {{", set.name);
    let verdict = if set.is_map { " : verdict" } else { "" };
    let fields: Vec<&str> = set.fields.iter().map(|field| field_type(*field, family)).collect();
    let _ = writeln!(out, "\t\ttype {}{verdict}", fields.join(" . "));
    if let Some(comment) = set.comment {
        let _ = writeln!(out, "\t\tcomment \"{comment}\"");
    }
    if let Some(seconds) = set.timeout_seconds {
        let _ = writeln!(out, "\t\tsize 65535\n\t\tflags dynamic,timeout");
        let _ = writeln!(out, "\t\ttimeout {}", duration(seconds));
    }
    if !set.elements.is_empty() {
        print_elements(set, family, out);
    }
    out.push_str("\t}\n");
}

fn print_elements(set: &NamedSet, family: Family, out: &mut String) {
    let mut elements: Vec<(&ElementKey, &Element)> = set.elements.iter().collect();
    if let [Field::Address] = set.fields {
        order::sort_by_key(&mut elements, |(key, _)| key.first);
    }
    // Two plain IPv4 addresses fit on a line, of all else there is one.
    let columns =
        if matches!((set.fields, family), ([Field::Address], Family::V4)) { 2 } else { 1 };
    out.push_str("\t\telements = { ");
    for (index, (key, element)) in elements.into_iter().enumerate() {
        if index > 0 {
            out.push_str(if index % columns == 0 { NEXT_LINE } else { ", " });
        }
        out.push_str(&key_text(key, set.fields));
        if let Some(comment) = &element.comment {
            let _ = write!(out, " comment \"{comment}\"");
        }
        if let Some(verdict) = &element.verdict {
            let _ = write!(out, " : {}", verdict_text(verdict));
        }
    }
    out.push_str(" }\n");
}

fn key_text(key: &ElementKey, fields: &[Field]) -> String {
    let mut addresses = [key.first, key.second].into_iter();
    let columns: Vec<String> = fields
        .iter()
        .map(|field| match field {
            Field::Address => addresses.next().map(|ip| ip.to_string()).unwrap_or_default(),
            Field::Protocol => key.protocol.map_or("ip", Protocol::name).to_owned(),
            Field::Port => key.port.to_string(),
        })
        .collect();
    columns.join(" . ")
}

const fn field_type(field: Field, family: Family) -> &'static str {
    match (field, family) {
        (Field::Address, Family::V4) => "ipv4_addr",
        (Field::Address, Family::V6) => "ipv6_addr",
        (Field::Protocol, _) => "inet_proto",
        (Field::Port, _) => "inet_service",
    }
}

/// `1d2h3m4s`, without what is zero.
fn duration(seconds: u32) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let shown = parts.iter().filter(|(count, _)| *count > 0);
    shown.map(|(count, unit)| format!("{count}{unit}")).collect()
}

fn print_chain(chain: &Chain, family: Family, out: &mut String) {
    let _ = writeln!(out, "\tchain {} {{", chain.name);
    if let Some(comment) = chain.comment {
        let _ = writeln!(out, "\t\tcomment \"{comment}\"");
    }
    if let Some(base) = &chain.base {
        let kind = if base.nat { "nat" } else { "filter" };
        let (hook, priority) = (base.hook.name(), base.priority_text);
        let policy = if base.drops { "drop" } else { "accept" };
        let _ = writeln!(out, "\t\ttype {kind} hook {hook} priority {priority}; policy {policy};");
    }
    for rule in &chain.rules {
        let _ = writeln!(out, "\t\t{}", rule_text(rule, family));
    }
    out.push_str("\t}\n");
}

/// A rule in one line.
pub fn rule_text(rule: &Rule, family: Family) -> String {
    let mut words: Vec<String> = rule
        .matches
        .iter()
        .map(|condition| match_text(condition, family))
        .filter(|text| !text.is_empty())
        .collect();
    words.extend(rule.actions.iter().map(|action| action_text(action, family)));
    if let Some(comment) = &rule.comment {
        words.push(format!("comment \"{comment}\""));
    }
    words.join(" ")
}

fn match_text(condition: &Match, family: Family) -> String {
    let ip = family.nft_name();
    match condition {
        Match::Net { end, nets, not } => {
            let not = if *not { " !=" } else { "" };
            format!("{ip} {}{not} {}", end_text(*end), nets_text(nets))
        }
        Match::Protocol(protocol, _) => format!("meta l4proto {protocol}"),
        Match::Port { protocol, ports, .. } => format!("{protocol} dport {}", ports.first),
        Match::State { states: States::DNAT, .. } => "ct status dnat".to_owned(),
        Match::State { states, not, .. } => {
            let names: Vec<String> = states.names().map(str::to_lowercase).collect();
            format!("ct state {}{}", if *not { "!= " } else { "" }, names.join(","))
        }
        Match::Mark { mark, not, .. } => {
            let relation = if *not { "==" } else { "!=" };
            format!("meta mark & {mark:#010x} {relation} 0x00000000")
        }
        Match::Local(End::Source, _) => "fib saddr type local".to_owned(),
        Match::Local(End::Destination, _) => "fib daddr type local".to_owned(),
        Match::InSet { set, key } => format!("{} @{set}", lookup_text(*key, family)),
        // Nothing else is in kube-proxy's own table.
        _ => String::new(),
    }
}

const fn end_text(end: End) -> &'static str {
    match end {
        End::Source => "saddr",
        End::Destination => "daddr",
    }
}

/// Several networks as one set of intervals: nft joins those that overlap or touch, and shows each
/// as an address, a network, or a range.
fn nets_text(nets: &[IpNet]) -> String {
    if let [one] = nets {
        return match one.prefix_len() == one.max_prefix_len() {
            true => one.addr().to_string(),
            false => one.to_string(),
        };
    }
    let mut intervals: Vec<(u128, u128)> =
        nets.iter().map(|net| (number(net.network()), number(net.broadcast()))).collect();
    order::sort(&mut intervals);
    let mut joined: Vec<(u128, u128)> = Vec::new();
    for (first, last) in intervals {
        match joined.last_mut() {
            Some(own) if first <= own.1.saturating_add(1) => own.1 = own.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    let bits = nets.first().map_or(32, IpNet::max_prefix_len);
    let shown = joined.into_iter().map(|interval| interval_text(interval, bits));
    format!("{{ {} }}", shown.collect::<Vec<_>>().join(", "))
}

fn interval_text((first, last): (u128, u128), bits: u8) -> String {
    let ip = |number: u128| match bits {
        32 => IpAddr::from((number as u32).to_be_bytes()),
        _ => IpAddr::from(number.to_be_bytes()),
    };
    let (own, span) = (ip(first), last - first);
    let is_block = span & span.wrapping_add(1) == 0 && first & span == 0;
    match (is_block, u32::from(bits) - span.count_ones()) {
        (true, length) if length == u32::from(bits) => own.to_string(),
        (true, length) => format!("{own}/{length}"),
        (false, _) => format!("{own}-{}", ip(last)),
    }
}

const fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits() as u128,
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// What of a packet is looked up, `ip daddr . meta l4proto . th dport`.
fn lookup_text(key: Key, family: Family) -> String {
    let ip = family.nft_name();
    match key {
        Key::Source => format!("{ip} saddr"),
        Key::Destination => format!("{ip} daddr"),
        Key::Port => "th dport".to_owned(),
        Key::ProtocolPort => "meta l4proto . th dport".to_owned(),
        Key::DestinationPort => format!("{ip} daddr . meta l4proto . th dport"),
        Key::DestinationPortSource => {
            format!("{ip} daddr . meta l4proto . th dport . {ip} saddr")
        }
        Key::Hairpin => format!("{ip} saddr . {ip} daddr . meta l4proto . th dport"),
    }
}

fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Jump(chain) => format!("jump {chain}"),
        Verdict::Goto(chain) => format!("goto {chain}"),
        Verdict::Accept => "accept".to_owned(),
        Verdict::Drop => "drop".to_owned(),
        Verdict::Reject(_) => "reject".to_owned(),
        Verdict::Return => "return".to_owned(),
    }
}

fn action_text(action: &Action, family: Family) -> String {
    let ip = family.nft_name();
    match action {
        Action::Verdict(verdict) => verdict_text(verdict),
        Action::Mark { value, mask: 0 } => format!("meta mark set meta mark ^ {value:#010x}"),
        Action::Mark { value, .. } => format!("meta mark set meta mark | {value:#010x}"),
        Action::Dnat(endpoint) => format!("dnat to {endpoint}"),
        Action::DnatRandom(endpoints) => {
            let choices = choices(endpoints, |endpoint: &Endpoint| {
                format!("{} . {}", address(endpoint.ip), endpoint.port)
            });
            format!("dnat {ip} to numgen random mod {} map {{ {choices} }}", endpoints.len())
        }
        Action::Translate(it) => {
            let word = if it.by == Translator::Masquerade { "masquerade" } else { "redirect" };
            format!("{word}{}", if it.randomly == Randomly::Fully { " fully-random" } else { "" })
        }
        Action::Lookup { key, map } => format!("{} vmap @{map}", lookup_text(*key, family)),
        Action::GotoRandom(chains) => {
            let choices = choices(chains, |chain: &Arc<str>| format!("goto {chain}"));
            format!("numgen random mod {} vmap {{ {choices} }}", chains.len())
        }
        Action::Remember(set) => format!("update @{set} {{ {ip} saddr }}"),
        // Nothing else is in kube-proxy's own table.
        Action::Log { .. } | Action::NoTrack { .. } => String::new(),
    }
}

fn choices<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    let numbered = items.iter().enumerate();
    let shown: Vec<String> =
        numbered.map(|(index, item)| format!("{index} : {}", text(item))).collect();
    shown.join(", ")
}

fn address(ip: IpAddr) -> String {
    ip.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_overlap_or_touch_are_shown_as_one() {
        // What nft 1.0.6 lists after these were added.
        let cases = [
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("1.2.3.4/32", "1.2.3.4"),
            ("203.0.113.0/25 203.0.113.128/25", "{ 203.0.113.0/24 }"),
            ("10.0.0.0/16 10.1.0.0/16 10.2.0.0/16", "{ 10.0.0.0-10.2.255.255 }"),
            ("203.0.113.7/32 203.0.113.0/24", "{ 203.0.113.0/24 }"),
            ("203.0.113.7/32 203.0.113.7/32", "{ 203.0.113.7 }"),
            ("9.9.9.9/32 8.8.8.8/32", "{ 8.8.8.8, 9.9.9.9 }"),
            ("8.8.8.8/32 8.8.8.9/32", "{ 8.8.8.8/31 }"),
            ("8.8.8.7/32 8.8.8.8/32 8.8.8.9/32 10.0.0.0/8", "{ 8.8.8.7-8.8.8.9, 10.0.0.0/8 }"),
            ("0.0.0.0/1 128.0.0.0/1", "{ 0.0.0.0/0 }"),
            ("2001:db8::/32 2001:db9::/32", "{ 2001:db8::/31 }"),
            ("fd00::1/128 2001:db8::5/128", "{ 2001:db8::5, fd00::1 }"),
        ];
        for (nets, expected) in cases {
            let nets: Vec<IpNet> = nets.split(' ').map(|net| net.parse().unwrap()).collect();
            assert_eq!(nets_text(&nets), expected);
        }
    }

    #[test]
    fn a_timeout_names_its_units_and_leaves_out_what_is_zero() {
        let shown = [10_800, 86_400, 90, 5_400].map(duration);
        assert_eq!(shown, ["3h", "1d", "1m30s", "1h30m"]);
    }
}
