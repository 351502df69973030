//! ipvsadm and ipset.

use super::Node;
use crate::console::{Output, failed, said};
use crate::net::Ruleset;
use crate::net::conntrack::Phase;
use crate::net::ipvs;
use crate::net::packet::{Endpoint, Protocol};
use crate::net::rule::Match;
use core::fmt::Write as _;

impl Node<'_> {
    /// `ipvsadm -Ln`, `-Sn`, `-Lnc`.
    pub(super) fn ipvsadm(&mut self, words: &[&str]) -> Output {
        let ruleset = self.world.ruleset(self.name);
        let has = |letter: char, long: &str| {
            words
                .iter()
                .any(|word| *word == long || (!word.starts_with("--") && word.contains(letter)))
        };
        if has('S', "--save") {
            return said(ipvs::print_servers(&ruleset.ipvs));
        }
        let now = self.world.now();
        let conntrack = &self.world.kernel(self.name).memory().conntrack;
        let connections: Vec<_> = conntrack.list(now).copied().collect();
        if has('c', "--connection") {
            let mut out =
                "IPVS connection entries\npro expire state       source             virtual            destination\n"
                    .to_owned();
            for it in &connections {
                let key = (it.original.protocol, it.original.destination);
                if !ruleset.ipvs.virtual_servers.contains_key(&key) {
                    continue;
                }
                let left = it.until.since(now).as_secs();
                let protocol = it.original.protocol.api_name();
                let _ = writeln!(
                    out,
                    "{protocol:<3} {:02}:{:02}  {:<11} {:<18} {:<18} {}",
                    left / 60,
                    left % 60,
                    state(it.original.protocol, it.phase),
                    it.original.source.to_string(),
                    it.original.destination.to_string(),
                    it.reply.source,
                );
            }
            return said(out);
        }
        let load = |protocol: Protocol, address: Endpoint, real: Endpoint| {
            let own = connections.iter().filter(|it| {
                (it.original.protocol, it.original.destination, it.reply.source)
                    == (protocol, address, real)
            });
            let (mut active, mut inactive) = (0, 0);
            own.for_each(|it| if is_open(it) { active += 1 } else { inactive += 1 });
            (active, inactive)
        };
        said(ipvs::print_list(&ruleset.ipvs, &load))
    }

    /// `ipset list [-n] [NAME]`, `ipset save [NAME]`.
    pub(super) fn ipset(&mut self, words: &[&str]) -> Output {
        let ruleset = self.world.ruleset(self.name);
        let sets = &ruleset.ipvs;
        let names_only = words.iter().any(|word| matches!(*word, "-n" | "-name"));
        let name = words.get(1..).unwrap_or_default().iter().find(|word| !word.starts_with('-'));
        let missing =
            || failed(1, "ipset v7.17: The set with the given name does not exist\n".to_owned());
        match words.first().copied() {
            Some("save" | "-S") => match name {
                Some(name) if !sets.sets.contains_key(*name) => missing(),
                name => {
                    let mut shown = sets.clone();
                    shown.sets.retain(|own, _| name.is_none_or(|name| **own == **name));
                    said(ipvs::print_sets(&shown))
                }
            },
            Some("list" | "-L") if names_only => {
                said(sets.sets.keys().map(|name| format!("{name}\n")).collect())
            }
            Some("list" | "-L") => {
                let references = |set: &str| references(&ruleset, set);
                match ipvs::print_set_list(sets, name.copied(), &references) {
                    Some(text) => said(text),
                    None => missing(),
                }
            }
            Some("-v" | "--version" | "version") => {
                said("ipset v7.17, protocol version: 7\n".to_owned())
            }
            Some(other) => failed(1, format!("ipset: {other}: this model only lists and saves\n")),
            None => failed(
                1,
                "ipset v7.17: No command specified.\nTry `ipset help' for more information.\n"
                    .to_owned(),
            ),
        }
    }
}

const fn is_open(it: &crate::net::conntrack::Connection) -> bool {
    matches!((it.original.protocol, it.phase), (Protocol::Tcp, Phase::Established))
}

/// The state of a connection in IPVS' words.
const fn state(protocol: Protocol, phase: Phase) -> &'static str {
    match (protocol, phase) {
        (Protocol::Tcp, Phase::Begun) => "SYN_RECV",
        (Protocol::Tcp, Phase::Closed) => "TIME_WAIT",
        (Protocol::Udp, _) => "UDP",
        _ => "ESTABLISHED",
    }
}

/// How many rules ask a set.
fn references(ruleset: &Ruleset, set: &str) -> usize {
    let chains = ruleset.tables.iter().flat_map(|table| table.chains.iter());
    let conditions = chains.flat_map(|chain| &chain.rules).flat_map(|rule| &rule.matches);
    let asks = |it: &&Match| matches!(it, Match::InSet { set: own, .. } if **own == *set);
    conditions.filter(asks).count()
}
