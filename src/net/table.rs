//! Tables and chains.

use super::packet::{Endpoint, Family, Protocol};
use super::rule::{End, Match, Rule, Verdict};
use super::set::NamedSet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where in the kernel packets are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    /// Having come in, before routing.
    Prerouting,
    /// For this machine itself, after routing.
    Input,
    /// For somebody else, after routing.
    Forward,
    /// Made on this machine.
    Output,
    /// About to leave.
    Postrouting,
}

impl Hook {
    /// The name in nftables, `prerouting`.
    pub const fn name(self) -> &'static str {
        match self {
            Hook::Prerouting => "prerouting",
            Hook::Input => "input",
            Hook::Forward => "forward",
            Hook::Output => "output",
            Hook::Postrouting => "postrouting",
        }
    }

    /// The name of iptables' chain, `PREROUTING`.
    pub const fn chain(self) -> &'static str {
        match self {
            Hook::Prerouting => "PREROUTING",
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Output => "OUTPUT",
            Hook::Postrouting => "POSTROUTING",
        }
    }
}

/// What makes a chain one that packets enter from the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Whether it translates addresses; only first packets of connections enter such chains.
    pub nat: bool,
    /// Where.
    pub hook: Hook,
    /// In which order: the lower comes first.
    pub priority: i32,
    /// The priority as it is shown (`dstnat - 10`).
    pub priority_text: &'static str,
}

/// A chain of rules.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Chain {
    /// Name.
    pub name: Arc<str>,
    /// How packets enter it from the kernel, if they do. Its policy is to accept.
    pub base: Option<Base>,
    /// A remark (nftables).
    pub comment: Option<&'static str>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// The rules that can only match one destination, by that destination.
    by_destination: BTreeMap<(Endpoint, Protocol), Vec<u32>>,
    /// The rules that can match any, in order.
    for_any: Vec<u32>,
}

impl Chain {
    /// A chain without rules.
    pub fn new(name: &Arc<str>) -> Self {
        Chain { name: name.clone(), ..Chain::default() }
    }

    /// A chain that packets enter from the kernel.
    pub fn base(name: &str, base: Base) -> Self {
        Chain { name: Arc::from(name), base: Some(base), ..Chain::default() }
    }

    /// Appends a rule.
    pub fn push(&mut self, rule: Rule) {
        let index = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        match only_destination(&rule) {
            Some(key) => self.by_destination.entry(key).or_default().push(index),
            None => self.for_any.push(index),
        }
        self.rules.push(rule);
    }

    /// The places of the rules, in order, that a packet to this destination can match. The rules
    /// between them cannot match it: the kernel of an iptables machine looks at them all the same.
    pub fn candidates(&self, destination: Endpoint, protocol: Protocol) -> Candidates<'_> {
        let own = self.by_destination.get(&(destination, protocol)).map_or(&[][..], Vec::as_slice);
        Candidates { own, any: &self.for_any }
    }
}

/// Two sorted lists read as one.
#[derive(Clone, Debug)]
pub struct Candidates<'a> {
    own: &'a [u32],
    any: &'a [u32],
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let list = match (self.own.first(), self.any.first()) {
            (Some(own), Some(any)) if own < any => &mut self.own,
            (Some(_), None) => &mut self.own,
            _ => &mut self.any,
        };
        let (first, rest) = list.split_first()?;
        *list = rest;
        Some(*first)
    }
}

/// The one destination that a rule can match, if it names an address, a protocol and a port.
fn only_destination(rule: &Rule) -> Option<(Endpoint, Protocol)> {
    let ip = rule.matches.iter().find_map(|condition| match condition {
        Match::Net { end: End::Destination, nets, not: false } => match &**nets {
            [net] if net.prefix_len() == net.max_prefix_len() => Some(net.addr()),
            _ => None,
        },
        _ => None,
    })?;
    rule.matches.iter().find_map(|condition| match condition {
        Match::DestinationPort(protocol, port) => Some((Endpoint { ip, port: *port }, *protocol)),
        _ => None,
    })
}

/// A table: chains, and the sets they ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Family of the packets it sees.
    pub family: Family,
    /// Name.
    pub name: &'static str,
    /// A remark (nftables).
    pub comment: Option<&'static str>,
    /// Chains, in the order of their making.
    pub chains: Vec<Chain>,
    /// Sets, in the order of their making.
    pub sets: Vec<NamedSet>,
    chain_places: BTreeMap<Arc<str>, usize>,
    base_places: Vec<usize>,
    set_places: BTreeMap<Arc<str>, usize>,
}

impl Table {
    /// An empty table.
    pub const fn new(family: Family, name: &'static str) -> Self {
        Table {
            family,
            name,
            comment: None,
            chains: Vec::new(),
            sets: Vec::new(),
            chain_places: BTreeMap::new(),
            base_places: Vec::new(),
            set_places: BTreeMap::new(),
        }
    }

    /// Adds a chain unless there is one of its name.
    pub fn add_chain(&mut self, chain: Chain) {
        if !self.chain_places.contains_key(&chain.name) {
            self.chain_places.insert(chain.name.clone(), self.chains.len());
            if chain.base.is_some() {
                self.base_places.push(self.chains.len());
            }
            self.chains.push(chain);
        }
    }

    /// Makes sure that there is a chain of this name.
    pub fn ensure_chain(&mut self, name: &Arc<str>) {
        if !self.chain_places.contains_key(name) {
            self.add_chain(Chain::new(name));
        }
    }

    /// One of iptables' own tables with its built-in chains; `None` for a name that is none of
    /// them.
    pub fn built_in(family: Family, name: &str) -> Option<Self> {
        use Hook::{Forward, Input, Output, Postrouting, Prerouting};
        let nat = [(Prerouting, -100), (Input, 100), (Output, -100), (Postrouting, 100)];
        let all = |priority| {
            [Prerouting, Input, Forward, Output, Postrouting].map(|hook| (hook, priority)).to_vec()
        };
        let (name, hooks) = match name {
            "raw" => ("raw", vec![(Prerouting, -300), (Output, -300)]),
            "mangle" => ("mangle", all(-150)),
            "nat" => ("nat", nat.to_vec()),
            "filter" => ("filter", vec![(Input, 0), (Forward, 0), (Output, 0)]),
            "security" => ("security", vec![(Input, 50), (Forward, 50), (Output, 50)]),
            _ => return None,
        };
        let mut table = Table::new(family, name);
        for (hook, priority) in hooks {
            let base = Base { nat: name == "nat", hook, priority, priority_text: "" };
            table.add_chain(Chain::base(hook.chain(), base));
        }
        Some(table)
    }

    /// Replaces the rules of a chain.
    pub fn set_rules(&mut self, chain: &str, rules: Vec<Rule>) {
        let place = self.chain_places.get(chain).copied();
        if let Some(chain) = place.and_then(|place| self.chains.get_mut(place)) {
            let mut new = Chain {
                base: chain.base.take(),
                comment: chain.comment,
                ..Chain::new(&chain.name)
            };
            rules.into_iter().for_each(|rule| new.push(rule));
            *chain = new;
        }
    }

    /// Takes a chain away.
    pub fn remove_chain(&mut self, name: &str) {
        let chains = core::mem::take(&mut self.chains);
        (self.chain_places, self.base_places) = (BTreeMap::new(), Vec::new());
        chains.into_iter().filter(|it| &*it.name != name).for_each(|it| self.add_chain(it));
    }

    /// Appends a rule to a chain, which is made if there is none.
    pub fn append(&mut self, chain: &Arc<str>, rule: Rule) {
        let place = match self.chain_places.get(chain) {
            Some(place) => *place,
            None => {
                self.add_chain(Chain::new(chain));
                self.chains.len() - 1
            }
        };
        if let Some(chain) = self.chains.get_mut(place) {
            chain.push(rule);
        }
    }

    /// The chain of a name.
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.get(*self.chain_places.get(name)?)
    }

    /// Adds a set.
    pub fn add_set(&mut self, set: NamedSet) {
        self.set_places.insert(set.name.clone(), self.sets.len());
        self.sets.push(set);
    }

    /// The set of a name.
    pub fn set(&self, name: &str) -> Option<&NamedSet> {
        self.sets.get(*self.set_places.get(name)?)
    }

    /// The set of a name, to add elements.
    pub fn set_mut(&mut self, name: &str) -> Option<&mut NamedSet> {
        self.sets.get_mut(*self.set_places.get(name)?)
    }

    /// The chains that packets enter at a hook, the first first.
    pub fn at(&self, hook: Hook) -> impl Iterator<Item = (&Chain, &Base)> {
        self.base_places.iter().filter_map(move |place| {
            let chain = self.chains.get(*place)?;
            let base = chain.base.as_ref()?;
            (base.hook == hook).then_some((chain, base))
        })
    }
}

/// Which program's language a ruleset is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `iptables-save`.
    Iptables,
    /// `nft list ruleset`.
    Nftables,
}

/// All that netfilter does on one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruleset {
    /// How it is shown.
    pub dialect: Dialect,
    /// Tables, in the order in which they are shown.
    pub tables: Vec<Table>,
    /// Virtual servers, for a machine whose kube-proxy uses IPVS.
    pub ipvs: super::ipvs::Ipvs,
}

impl Ruleset {
    /// The base chains at a hook with their tables, in order of priority.
    pub fn at(&self, hook: Hook, family: Family) -> Vec<(&Table, &Chain, &Base)> {
        let tables = self.tables.iter().filter(|table| table.family == family);
        let mut chains: Vec<_> = tables
            .flat_map(|table| table.at(hook).map(move |(chain, base)| (table, chain, base)))
            .collect();
        chains.sort_by_key(|(_, _, base)| base.priority);
        chains
    }

    /// How many rules there are in all.
    pub fn rule_count(&self) -> u64 {
        let chains = self.tables.iter().flat_map(|table| &table.chains);
        chains.map(|chain| chain.rules.len() as u64).sum()
    }
}

impl Verdict {
    /// The chain it leads to, if any.
    pub const fn chain(&self) -> Option<&Arc<str>> {
        match self {
            Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain),
            _ => None,
        }
    }
}
