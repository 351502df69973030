//! What a rule did to a packet and why it is there, in a sentence.

use crate::net::Packet;
use crate::net::rule::{Action, Match, Recent, Rule, States, Verdict};
use crate::proxy::MASQUERADE_MARK;
use crate::text::{Lang, Text};
use crate::trace::hop::RuleRef;
use crate::trace::{Hop, Place, Reason};
use core::fmt::Display;
use std::sync::Arc;

/// What chains are for, by how their names begin: iptables', then nftables'. The first that fits
/// counts.
const CHAINS: [(&str, Text); 27] = [
    ("KUBE-SERVICES", Text::ToServices),
    ("KUBE-NODEPORTS", Text::ToNodePorts),
    ("KUBE-EXTERNAL-SERVICES", Text::ToExternalServices),
    ("KUBE-EXT-", Text::ToExternal),
    ("KUBE-SVC-", Text::ToService),
    ("KUBE-SVL-", Text::ToLocal),
    ("KUBE-SEP-", Text::ToEndpoint),
    ("KUBE-FW-", Text::ToFirewall),
    ("KUBE-MARK-MASQ", Text::ToMark),
    ("KUBE-POSTROUTING", Text::ToPostrouting),
    ("KUBE-FORWARD", Text::ToForward),
    ("KUBE-FIREWALL", Text::ToKubeletFirewall),
    ("KUBE-PROXY-FIREWALL", Text::ToProxyFirewall),
    ("KUBE-NODE-PORT", Text::ToIpvsNodePort),
    ("KUBE-LOAD-BALANCER", Text::ToFirewall),
    ("KUBE-SOURCE-RANGES-FIREWALL", Text::ToFirewall),
    ("KUBE-IPVS", Text::ToIpvsFilter),
    ("services", Text::ToServices),
    ("external-", Text::ToExternal),
    ("local-", Text::ToLocal),
    ("service-endpoints-check", Text::ToNoEndpoints),
    ("cluster-ips-check", Text::ToClusterIps),
    ("service-", Text::ToService),
    ("endpoint-", Text::ToEndpoint),
    ("firewall-check", Text::ToProxyFirewall),
    ("firewall-", Text::ToFirewall),
    ("masquerading", Text::ToPostrouting),
];

/// Tells a hop at a rule; `is_idle` if it leads to a chain in which nothing matched.
pub(super) fn rule(hop: &Hop, is_idle: bool, lang: Lang) -> String {
    let (Place::Rule(_, at), Reason::Rule { matched, draw, found, .. }) = (&hop.place, &hop.reason)
    else {
        return String::new();
    };
    let say = |text: Text, values: &[(&str, &dyn Display)]| lang.fill(text, values);
    let Some(rule) = at.rule() else {
        return say(Text::RulePolicy, &[("chain", &at.chain)]);
    };
    let changed = |pick: fn(&Packet) -> String| {
        hop.packet.map(|(a, b)| (pick(&a), pick(&b))).filter(|(a, b)| a != b)
    };
    let drawn = draw.map(|draw| (draw.drawn.saturating_add(1), draw.among));
    if let Some((_, to)) = changed(|packet| packet.destination.to_string()) {
        return match drawn {
            Some(_) if turns(rule) => {
                let turn = drawn_text(rule, *matched, drawn, lang).unwrap_or_default();
                [turn, say(dnat(at), &[("to", &to)])].join(" ")
            }
            Some((number, count)) => {
                let values: [(&str, &dyn Display); 3] =
                    [("number", &number), ("count", &count), ("to", &to)];
                say(Text::RuleDnatDrawn, &values)
            }
            None => say(dnat(at), &[("to", &to)]),
        };
    }
    if let Some((from, to)) = changed(|packet| packet.source.ip.to_string()) {
        return say(Text::HopMasquerade, &[("from", &from), ("to", &to)]);
    }
    if let Some((before, after)) = hop.packet.filter(|(before, after)| before.mark != after.mark) {
        let text = match (before.mark & MASQUERADE_MARK, after.mark & MASQUERADE_MARK) {
            (0, MASQUERADE_MARK) => Text::HopMark,
            (MASQUERADE_MARK, 0) => Text::RuleUnmark,
            _ => Text::RuleMarks,
        };
        return say(text, &[("mark", &format!("{:#x}", after.mark))]);
    }
    if let Some(told) = drawn_text(rule, *matched, drawn, lang) {
        return told;
    }
    let verdict = found.as_ref().or_else(|| verdict(rule));
    match verdict {
        Some(Verdict::Jump(to) | Verdict::Goto(to)) => {
            let mut told = leads(at, rule, to, lang);
            if is_idle {
                told.push(' ');
                told.push_str(lang.t(Text::RuleIdle));
            }
            told
        }
        Some(Verdict::Drop) => say(Text::RuleDrops, &[]),
        Some(Verdict::Reject(with)) => say(Text::RuleRejects, &[("with", &with.name())]),
        Some(Verdict::Return) if asks_mark(rule) == Some(true) => say(Text::RuleUnmarked, &[]),
        Some(Verdict::Return) => say(Text::RuleReturns, &[("chain", &at.chain)]),
        Some(Verdict::Accept) if asks_mark(rule) == Some(false) => say(Text::RuleMarked, &[]),
        Some(Verdict::Accept) if asks_known(rule) => say(Text::RuleKnown, &[]),
        Some(Verdict::Accept) if is_left_to_ipvs(at, rule) => say(Text::RuleIpvs, &[]),
        Some(Verdict::Accept) => say(Text::RuleAccepts, &[]),
        None => lang.t(undecided(rule)).to_owned(),
    }
}

/// A rule that changes the destination: kube-proxy's, or one of somebody's own.
fn dnat(at: &RuleRef) -> Text {
    let own = ["KUBE-", "service-", "endpoint-"];
    match own.iter().any(|prefix| at.chain.starts_with(prefix)) {
        true => Text::HopDnat,
        false => Text::RuleDnatOwn,
    }
}

/// What chance, or a rule that takes turns, made of a packet.
fn drawn_text(rule: &Rule, matched: bool, drawn: Option<(u32, u32)>, lang: Lang) -> Option<String> {
    let (number, count) = drawn?;
    let text = match (turns(rule), matched) {
        (false, true) => Text::HopDrawn,
        (false, false) => Text::HopNotDrawn,
        (true, true) => Text::RuleTurn,
        (true, false) => Text::RuleNotTurn,
    };
    Some(lang.fill(text, &[("number", &number), ("count", &count)]))
}

/// Whether a rule takes one packet of several in turn, and not by chance.
fn turns(rule: &Rule) -> bool {
    rule.matches.iter().any(|condition| matches!(condition, Match::Turn { .. }))
}

/// What a rule is for that neither decides nor changes anything.
fn undecided(rule: &Rule) -> Text {
    match rule.actions.first() {
        None => Text::RuleCounts,
        Some(Action::Log { .. }) => Text::RuleLogs,
        Some(Action::NoTrack { .. }) => Text::RuleNoTrack,
        Some(Action::Remember(_)) => Text::RuleRemembers,
        Some(Action::Mark { .. }) => Text::RuleMarkedAlready,
        Some(Action::Dnat(_) | Action::DnatRandom(_) | Action::Translate(_)) => Text::RuleSame,
        Some(Action::Verdict(_) | Action::GotoRandom(_) | Action::Lookup { .. }) => Text::HopRule,
    }
}

/// A rule that leads to a chain: why, and what that chain is for.
fn leads(at: &RuleRef, rule: &Rule, to: &Arc<str>, lang: Lang) -> String {
    let own = |prefix: &str| at.chain.starts_with(prefix);
    let filters = |name: &str| at.table == "filter" && **to == *name;
    let is_affine = rule.matches.iter().any(|condition| {
        matches!(condition, Match::Recent { what: Recent::Check | Recent::Update, .. })
    });
    let text = match () {
        () if is_affine => Text::RuleAffinity,
        // Chains of the same names as in the table nat, and for something else.
        () if filters("KUBE-SERVICES") => Text::ToRefusals,
        () if filters("KUBE-NODEPORTS") || filters("KUBE-NODE-PORT") => Text::ToHealthPorts,
        () if to.starts_with("KUBE-MARK-MASQ") && own("KUBE-EXT-") => Text::MarksExternal,
        () if to.starts_with("KUBE-MARK-MASQ") && own("KUBE-SEP-") => Text::MarksHairpin,
        () if to.starts_with("KUBE-MARK-MASQ") && own("KUBE-SV") => Text::MarksOutside,
        // The rule after all those that draw: kube-proxy writes it without a draw.
        () if to.starts_with("KUBE-SEP-") => Text::RuleLast,
        () => purpose(to).unwrap_or(Text::RuleLeads),
    };
    // A rule without a remark stands beside others that have one.
    let remarks = at.chain().into_iter().flat_map(|chain| &chain.rules).find_map(remark);
    let named = service(rule, to);
    let service = if named == **to { remarks.unwrap_or(named) } else { named };
    lang.fill(text, &[("chain", to), ("service", &service)])
}

/// What a chain is for.
pub(super) fn purpose(chain: &str) -> Option<Text> {
    CHAINS.iter().find(|(prefix, _)| chain.starts_with(prefix)).map(|(_, text)| *text)
}

/// The Service that kube-proxy's remark or the chain's name speaks of, `default/web`; the chain if
/// neither does.
pub(super) fn service(rule: &Rule, to: &str) -> String {
    // `service-KOAMWL4R-default/web/tcp/http`.
    let named = || {
        let (hashed, rest) = to.split_once('/')?;
        let namespace = hashed.splitn(3, '-').nth(2)?;
        Some(format!("{namespace}/{}", rest.split('/').next().unwrap_or_default()))
    };
    remark(rule).or_else(named).unwrap_or_else(|| to.to_owned())
}

/// The Service that kube-proxy's remark speaks of.
fn remark(rule: &Rule) -> Option<String> {
    rule.matches.iter().find_map(|condition| match condition {
        Match::Comment(text) => {
            let words = text.split([' ', '"']);
            words.into_iter().find(|word| word.contains('/')).map(str::to_owned)
        }
        _ => None,
    })
}

/// Whether a rule lets the packet of a Service go, since IPVS takes it after all rules.
fn is_left_to_ipvs(at: &RuleRef, rule: &Rule) -> bool {
    at.table == "nat" && rule.matches.iter().any(|it| matches!(it, Match::InSet { .. }))
}

/// Whether a rule asks for the mark, and whether it asks for its absence.
fn asks_mark(rule: &Rule) -> Option<bool> {
    rule.matches.iter().find_map(|condition| match condition {
        Match::Mark { not, .. } => Some(*not),
        _ => None,
    })
}

fn asks_known(rule: &Rule) -> bool {
    rule.matches.iter().any(|condition| match condition {
        Match::State { states, not: false, .. } => states.meets(States::KNOWN),
        _ => false,
    })
}

fn verdict(rule: &Rule) -> Option<&Verdict> {
    rule.actions.iter().find_map(|action| match action {
        Action::Verdict(verdict) => Some(verdict),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::iptables::restore;
    use crate::net::packet::{Endpoint, Protocol};
    use crate::net::table::{Dialect, Hook, Ruleset};
    use crate::net::walk::Draw;
    use crate::net::{Family, Packet};

    /// Tells of the first rule that a text gives to a chain; the packet's mark goes from one to
    /// another.
    fn told(chain: &str, rules: &str, marks: (u32, u32), drawn: Option<(u32, u32)>) -> String {
        let empty =
            Ruleset { dialect: Dialect::Iptables, tables: Vec::new(), ipvs: Default::default() };
        let Ok(ruleset) = restore::restore(&empty, rules, Family::V4, true) else {
            panic!("{rules}")
        };
        let end = |ip: [u8; 4]| Endpoint { ip: ip.into(), port: 80 };
        let packet = Packet::new(Protocol::Tcp, end([10, 244, 1, 2]), end([10, 96, 0, 9]));
        let at = RuleRef {
            family: Family::V4,
            hook: Hook::Forward,
            table: ruleset.tables.first().unwrap().name,
            ruleset: Arc::new(ruleset),
            chain: Arc::from(chain),
            index: 0,
        };
        let draw = drawn.map(|(drawn, among)| Draw { among, drawn });
        let (before, after) = marks;
        let hop = Hop {
            place: Place::Rule(Arc::from("node-1"), at),
            reason: Reason::Rule { matched: true, examined: 1, draw, found: None },
            packet: Some((Packet { mark: before, ..packet }, Packet { mark: after, ..packet })),
            is_reply: false,
        };
        rule(&hop, false, Lang::En)
    }

    #[test]
    fn rules_that_neither_decide_nor_translate_say_what_they_are_for() {
        let cases = [
            ("filter", "-A FORWARD -j LOG --log-prefix \"in: \"", (0, 0), None, "LOG: a line"),
            ("filter", "-A FORWARD -p tcp", (0, 0), None, "The rule only counts"),
            ("mangle", "-A FORWARD -j MARK --set-xmark 0x1/0x1", (0, 1), None, "becomes 0x1."),
            ("mangle", "-A FORWARD -j MARK --set-xmark 0x1/0x1", (1, 1), None, "that mark already"),
            (
                "filter",
                "-A FORWARD -m statistic --mode nth --every 3 --packet 1 -j DROP",
                (0, 0),
                Some((1, 3)),
                "in turn: this is number 2",
            ),
            (
                "filter",
                "-A FORWARD -m statistic --mode random --probability 0.5 -j DROP",
                (0, 0),
                Some((2, 4)),
                "number 3 was drawn",
            ),
        ];
        for (table, rule, marks, drawn, expected) in cases {
            let text = told("FORWARD", &format!("*{table}\n{rule}\nCOMMIT\n"), marks, drawn);
            assert!(text.contains(expected), "{rule}: {text}");
        }
    }

    #[test]
    fn a_chain_of_the_same_name_in_another_table_is_for_something_else() {
        let jump = |table: &str, from: &str, to: &str| {
            let rules = format!("*{table}\n:{to} - [0:0]\n-A {from} -j {to}\nCOMMIT\n");
            told(from, &rules, (0, 0), None)
        };
        assert!(jump("nat", "PREROUTING", "KUBE-SERVICES").contains("list of all Services"));
        assert!(jump("filter", "FORWARD", "KUBE-SERVICES").contains("without endpoints"));
        assert!(jump("nat", "PREROUTING", "KUBE-NODEPORTS").contains("list of node ports"));
        assert!(jump("filter", "INPUT", "KUBE-NODEPORTS").contains("health checks"));
    }

    #[test]
    fn a_rule_without_a_remark_is_told_by_those_beside_it() {
        let rules = "*nat\n:KUBE-SVC-A - [0:0]\n:KUBE-EXT-A - [0:0]\n-A KUBE-EXT-A -j KUBE-SVC-A\n\
                     -A KUBE-EXT-A -m comment --comment \"masquerade traffic for demo/web external destinations\" -j RETURN\nCOMMIT\n";
        assert!(told("KUBE-EXT-A", rules, (0, 0), None).contains("It is demo/web:"));
    }
}
