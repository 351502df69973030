//! A table as `iptables -L` shows it.

use super::rule::{Action, End, Match, Rule, Verdict};
use super::table::{Chain, Table};
use super::{Family, Protocol};
use crate::base::order;
use core::fmt::Write as _;
use std::sync::Arc;

/// How a table is listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Addresses stay numbers.
    pub numeric: bool,
    /// Rules are numbered from 1.
    pub line_numbers: bool,
    /// With counters, which are zero, and interfaces, which are any.
    pub verbose: bool,
}

/// Lists a table, or one chain of it; `None` if there is no such chain.
pub fn print(table: &Table, only: Option<&str>, style: Style) -> Option<String> {
    let mut out = String::new();
    for (index, chain) in sorted(table, only)?.into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        print_chain(table, chain, style, &mut out);
    }
    Some(out)
}

/// Shows a table, or one chain of it, as `iptables -S` does; `None` if there is no such chain.
pub fn print_rules(table: &Table, only: Option<&str>) -> Option<String> {
    let chains = sorted(table, only)?;
    let mut out = String::new();
    for chain in &chains {
        let _ = match chain.base {
            Some(_) => writeln!(out, "-P {} ACCEPT", chain.name),
            None => writeln!(out, "-N {}", chain.name),
        };
    }
    for chain in &chains {
        for rule in &chain.rules {
            let text = super::iptables_text::rule_text(rule, table.family);
            let _ = writeln!(out, "-A {}{text}", chain.name);
        }
    }
    Some(out)
}

fn sorted<'a>(table: &'a Table, only: Option<&str>) -> Option<Vec<&'a Chain>> {
    if let Some(name) = only {
        return table.chain(name).map(|chain| vec![chain]);
    }
    let mut chains: Vec<&Chain> = table.chains.iter().collect();
    order::sort_by(&mut chains, |a, b| {
        let key = |it: &&Chain| it.base.as_ref().map(|base| base.hook);
        (key(a).is_none(), key(a), &a.name).cmp(&(key(b).is_none(), key(b), &b.name))
    });
    Some(chains)
}

fn print_chain(table: &Table, chain: &Chain, style: Style, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match chain.base {
        Some(_) if style.verbose => {
            writeln!(out, "Chain {} (policy ACCEPT 0 packets, 0 bytes)", chain.name)
        }
        Some(_) => writeln!(out, "Chain {} (policy ACCEPT)", chain.name),
        None => writeln!(out, "Chain {} ({} references)", chain.name, references(table, chain)),
    };
    if style.line_numbers {
        out.push_str("num  ");
    }
    out.push_str(if style.verbose {
        " pkts bytes target     prot opt in     out     source               destination         \n"
    } else {
        "target     prot opt source               destination         \n"
    });
    for (rule, number) in chain.rules.iter().zip(1u32..) {
        if style.line_numbers {
            let _ = write!(out, "{number:<4} ");
        }
        print_rule(rule, table.family, style, out);
    }
}

fn references(table: &Table, chain: &Chain) -> usize {
    let leads_here = |rule: &&Rule| {
        rule.actions.iter().any(|action| match action {
            Action::Verdict(verdict) => verdict.chain() == Some(&chain.name),
            _ => false,
        })
    };
    table.chains.iter().map(|other| other.rules.iter().filter(leads_here).count()).sum()
}

fn print_rule(rule: &Rule, family: Family, style: Style, out: &mut String) {
    let any = match (style.numeric, family) {
        (false, _) => "anywhere",
        (true, Family::V4) => "0.0.0.0/0",
        (true, Family::V6) => "::/0",
    };
    let address = |end: End| {
        let found = rule.matches.iter().find_map(|condition| match condition {
            Match::Net { end: of, nets, not } if *of == end => nets.first().map(|net| {
                let text = match net.prefix_len() == net.max_prefix_len() {
                    true => net.addr().to_string(),
                    false => net.to_string(),
                };
                if *not { format!("!{text}") } else { text }
            }),
            _ => None,
        });
        found.unwrap_or_else(|| any.to_owned())
    };
    let protocol = rule.matches.iter().find_map(|condition| match condition {
        Match::Protocol(protocol) => Some(protocol.name()),
        _ => None,
    });
    let target = rule.actions.iter().find_map(target).unwrap_or_default();
    if style.verbose {
        out.push_str("    0     0 ");
    }
    let _ = write!(out, "{target:<10} {:<4} --  ", protocol.unwrap_or("all"));
    if style.verbose {
        out.push_str("*      *       ");
    }
    let (source, destination) = (address(End::Source), address(End::Destination));
    let _ = write!(out, "{source:<20} {destination:<20}");
    let goto = rule.actions.iter().any(|it| matches!(it, Action::Verdict(Verdict::Goto(_))));
    if goto {
        out.push_str(" [goto] ");
    }
    for condition in &rule.matches {
        print_match(condition, out);
    }
    for action in &rule.actions {
        print_options(action, family, out);
    }
    out.push('\n');
}

fn target(action: &Action) -> Option<Arc<str>> {
    Some(match action {
        Action::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain)) => chain.clone(),
        Action::Verdict(Verdict::Accept) => Arc::from("ACCEPT"),
        Action::Verdict(Verdict::Drop) => Arc::from("DROP"),
        Action::Verdict(Verdict::Return) => Arc::from("RETURN"),
        Action::Verdict(Verdict::Reject) => Arc::from("REJECT"),
        Action::SetMark(_) | Action::FlipMark(_) => Arc::from("MARK"),
        Action::Dnat(_) => Arc::from("DNAT"),
        Action::Masquerade => Arc::from("MASQUERADE"),
        Action::DnatRandom(_)
        | Action::Lookup { .. }
        | Action::GotoRandom(_)
        | Action::Remember(_) => return None,
    })
}

fn print_match(condition: &Match, out: &mut String) {
    let not = |not: bool| if not { "!" } else { "" };
    let _ = match condition {
        Match::Net { .. } | Match::Protocol(_) | Match::Translated => Ok(()),
        Match::Extension(protocol) => write!(out, " {protocol}"),
        Match::DestinationPort(protocol, port) => write!(out, " {protocol} dpt:{port}"),
        Match::State { states, dnat, not: inverse } => {
            let mut names: Vec<&str> = states.iter().map(|state| state.name()).collect();
            if *dnat {
                names.push("DNAT");
            }
            write!(out, " {}ctstate {}", not(*inverse), names.join(","))
        }
        Match::Mark { mark, not: inverse } => {
            write!(out, " mark match {}{mark:#x}/{mark:#x}", not(*inverse))
        }
        Match::Local(End::Source) => write!(out, " ADDRTYPE match src-type LOCAL"),
        Match::Local(End::Destination) => write!(out, " ADDRTYPE match dst-type LOCAL"),
        Match::FromOutside => {
            write!(out, " PHYSDEV match ! --physdev-is-in ADDRTYPE match src-type !LOCAL")
        }
        Match::VirtualServer { address, protocol } => {
            let vproto = Protocol::number(*protocol);
            write!(out, " vproto {vproto} vaddr {} vport {}", address.ip, address.port)
        }
        Match::Account(name) => write!(out, " nfacct-name  {name}"),
        Match::Chance { .. } => {
            let text = super::iptables_text::rule_text(
                &Rule { matches: vec![condition.clone()], ..Rule::default() },
                Family::V4,
            );
            let number = text.rsplit(' ').next().unwrap_or_default().to_owned();
            write!(out, " statistic mode random probability {number}")
        }
        Match::SeenRecently { list, seconds } => write!(
            out,
            " recent: CHECK seconds: {seconds} reap name: {list} side: source mask: 255.255.255.255"
        ),
        Match::Remember { list } => {
            write!(out, " recent: SET name: {list} side: source mask: 255.255.255.255")
        }
        Match::InSet { set, .. } => write!(out, " match-set {set} dst"),
        Match::Comment(text) => write!(out, " /* {text} */"),
    };
}

fn print_options(action: &Action, family: Family, out: &mut String) {
    let _ = match action {
        Action::Verdict(Verdict::Reject) => {
            let kind = if family == Family::V4 { "icmp" } else { "icmp6" };
            write!(out, " reject-with {kind}-port-unreachable")
        }
        Action::SetMark(mark) => write!(out, " MARK or {mark:#x}"),
        Action::FlipMark(mark) => write!(out, " MARK xor {mark:#x}"),
        Action::Dnat(to) => write!(out, " to:{to}"),
        Action::Masquerade => write!(out, " random-fully"),
        _ => Ok(()),
    };
}
