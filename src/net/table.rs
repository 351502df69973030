//! Tables and chains.

use super::lookup::{self, Lookup};
use super::packet::{Endpoint, Family, Protocol};
use super::rule::{End, Match, Rule};
use super::set::NamedSet;
use std::net::IpAddr;
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

    /// The priority from which on packets of known connections are translated there as their first
    /// one was.
    pub const fn translates_at(self) -> i32 {
        match self {
            Hook::Prerouting | Hook::Output => -100,
            Hook::Input | Hook::Forward | Hook::Postrouting => 100,
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
    /// Whether a packet that comes to its end is thrown away (policy DROP).
    pub drops: bool,
}

/// How many packets have matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Their bytes, IP headers included.
    pub bytes: u64,
}

/// A chain of rules.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Chain {
    /// Name.
    pub name: Arc<str>,
    /// How packets enter it from the kernel, if they do.
    pub base: Option<Base>,
    /// A remark (nftables).
    pub comment: Option<&'static str>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// The number of its first rule among all of the ruleset, for counters; its policy comes after
    /// its last rule.
    pub first_number: u32,
    /// The destinations that are the only ones of some rules, with those rules' places; without an
    /// address if they can match any.
    destinations: Vec<(Option<IpAddr>, u16, Protocol, Vec<u32>)>,
    by_destination: Lookup,
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

    /// The same chain without its rules.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let (base, comment) = (self.base.clone(), self.comment);
        Chain { base, comment, ..Chain::new(&self.name) }
    }

    /// What a packet that comes to its end meets, as iptables shows it.
    pub const fn policy_name(&self) -> &'static str {
        match &self.base {
            Some(Base { drops: true, .. }) => "DROP",
            Some(_) => "ACCEPT",
            None => "-",
        }
    }

    /// The number of its policy among all rules of the ruleset.
    pub fn policy_number(&self) -> u32 {
        self.policy_number_from(self.first_number)
    }

    fn policy_number_from(&self, first: u32) -> u32 {
        first.saturating_add(u32::try_from(self.rules.len()).unwrap_or(u32::MAX))
    }

    /// Appends a rule.
    pub fn push(&mut self, rule: Rule) {
        let index = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        match only_destination(&rule) {
            Some((ip, port, protocol)) => self.add_destination(ip, port, protocol, index),
            None => self.for_any.push(index),
        }
        self.rules.push(rule);
    }

    fn add_destination(&mut self, ip: Option<IpAddr>, port: u16, protocol: Protocol, rule: u32) {
        let found = self.place_of(ip, port, protocol);
        if let Some((.., rules)) = found.and_then(|place| self.destinations.get_mut(place)) {
            rules.push(rule);
            return;
        }
        let all = &self.destinations;
        let known = |place: usize| all.get(place).map_or(0, |it| hash_of(it.0, it.1, it.2));
        self.by_destination.add(hash_of(ip, port, protocol), all.len(), known);
        self.destinations.push((ip, port, protocol, vec![rule]));
    }

    fn place_of(&self, ip: Option<IpAddr>, port: u16, protocol: Protocol) -> Option<usize> {
        let is_it = |place: usize| {
            let found = self.destinations.get(place);
            found.is_some_and(|it| (it.0, it.1, it.2) == (ip, port, protocol))
        };
        self.by_destination.find(hash_of(ip, port, protocol), is_it)
    }

    /// The places of the rules, in order, that a packet to this destination can match. The rules
    /// between them cannot match it: the kernel of an iptables machine looks at them all the same.
    pub fn candidates(&self, destination: Endpoint, protocol: Protocol) -> Candidates<'_> {
        let rules = |ip: Option<IpAddr>| {
            let place = self.place_of(ip, destination.port, protocol);
            let found = place.and_then(|place| self.destinations.get(place));
            found.map_or(&[][..], |(.., rules)| rules.as_slice())
        };
        if self.destinations.is_empty() {
            return Candidates { lists: [&[], &[], &self.for_any] };
        }
        Candidates { lists: [rules(Some(destination.ip)), rules(None), &self.for_any] }
    }
}

fn hash_of(ip: Option<IpAddr>, port: u16, protocol: Protocol) -> u64 {
    let port = u64::from(port) << 8 | u64::from(protocol.number());
    lookup::mix(ip.map_or(0, lookup::of_ip), port)
}

/// Sorted lists read as one.
#[derive(Clone, Debug)]
pub struct Candidates<'a> {
    lists: [&'a [u32]; 3],
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let filled = self.lists.iter_mut().filter(|list| !list.is_empty());
        let list = filled.min_by_key(|list| list.first().copied())?;
        let (first, rest) = list.split_first()?;
        *list = rest;
        Some(*first)
    }
}

/// The one destination that a rule can match, if it names a protocol and a port, and perhaps an
/// address.
fn only_destination(rule: &Rule) -> Option<(Option<IpAddr>, u16, Protocol)> {
    let ip = rule.matches.iter().find_map(|condition| match condition {
        Match::Net { end: End::Destination, nets, not: false } => match &**nets {
            [net] if net.prefix_len() == net.max_prefix_len() => Some(net.addr()),
            _ => None,
        },
        _ => None,
    });
    rule.matches.iter().find_map(|condition| match condition {
        Match::Port { protocol, end: End::Destination, ports, not: false }
            if ports.first == ports.last =>
        {
            Some((ip, ports.first, *protocol))
        }
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
    /// Chains, in the order of their making; several machines can share them.
    pub chains: Arc<Vec<Chain>>,
    /// Sets, in the order of their making.
    pub sets: Vec<NamedSet>,
    chain_places: Lookup,
    base_places: Vec<usize>,
    set_places: Lookup,
}

impl Table {
    /// An empty table.
    pub fn new(family: Family, name: &'static str) -> Self {
        Table {
            family,
            name,
            comment: None,
            chains: Arc::default(),
            sets: Vec::new(),
            chain_places: Lookup::empty(),
            base_places: Vec::new(),
            set_places: Lookup::empty(),
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        let is_it = |place: usize| {
            // Rules mostly have the very text of the chain that they lead to.
            let is_name = |it: &Chain| core::ptr::eq(&*it.name, name) || *it.name == *name;
            self.chains.get(place).is_some_and(is_name)
        };
        self.chain_places.find(lookup::of_text(name), is_it)
    }

    /// Adds a chain unless there is one of its name.
    pub fn add_chain(&mut self, chain: Chain) {
        if self.place(&chain.name).is_none() {
            let known = &self.chains;
            let hash = |place: usize| known.get(place).map_or(0, |it| lookup::of_text(&it.name));
            self.chain_places.add(lookup::of_text(&chain.name), known.len(), hash);
            if chain.base.is_some() {
                self.base_places.push(self.chains.len());
            }
            Arc::make_mut(&mut self.chains).push(chain);
        }
    }

    /// Makes sure that there is a chain of this name.
    pub fn ensure_chain(&mut self, name: &Arc<str>) {
        if self.place(name).is_none() {
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
            let base = Base { nat: name == "nat", hook, priority, priority_text: "", drops: false };
            table.add_chain(Chain::base(hook.chain(), base));
        }
        Some(table)
    }

    /// Replaces the rules of a chain.
    pub fn set_rules(&mut self, chain: &str, rules: Vec<Rule>) {
        let place = self.place(chain);
        if let Some(chain) = place.and_then(|place| Arc::make_mut(&mut self.chains).get_mut(place))
        {
            let mut new = chain.emptied();
            rules.into_iter().for_each(|rule| new.push(rule));
            *chain = new;
        }
    }

    /// Changes what packets meet that come to the end of a chain that the kernel leads them to. Says
    /// whether there is such a chain.
    pub fn set_policy(&mut self, chain: &str, drops: bool) -> bool {
        let place = self.place(chain);
        let chain = place.and_then(|place| Arc::make_mut(&mut self.chains).get_mut(place));
        let base = chain.and_then(|chain| chain.base.as_mut());
        base.map(|base| base.drops = drops).is_some()
    }

    /// Gives a chain another name, in the rules that lead to it too.
    pub fn rename_chain(&mut self, old: &str, new: &Arc<str>) {
        let chains = Arc::unwrap_or_clone(core::mem::take(&mut self.chains));
        (self.chain_places, self.base_places) = (Lookup::empty(), Vec::new());
        for mut chain in chains {
            if *chain.name == *old {
                chain.name = new.clone();
            }
            for rule in &mut chain.rules {
                rule.rename_target(old, new);
            }
            self.add_chain(chain);
        }
    }

    /// Takes a chain away.
    pub fn remove_chain(&mut self, name: &str) {
        let chains = Arc::unwrap_or_clone(core::mem::take(&mut self.chains));
        (self.chain_places, self.base_places) = (Lookup::empty(), Vec::new());
        chains.into_iter().filter(|it| &*it.name != name).for_each(|it| self.add_chain(it));
    }

    /// Appends a rule to a chain, which is made if there is none.
    pub fn append(&mut self, chain: &Arc<str>, rule: Rule) {
        let place = match self.place(chain) {
            Some(place) => place,
            None => {
                self.add_chain(Chain::new(chain));
                self.chains.len() - 1
            }
        };
        if let Some(chain) = Arc::make_mut(&mut self.chains).get_mut(place) {
            chain.push(rule);
        }
    }

    /// The chain of a name.
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.get(self.place(name)?)
    }

    fn set_place(&self, name: &str) -> Option<usize> {
        let is_it = |place: usize| self.sets.get(place).is_some_and(|it| *it.name == *name);
        self.set_places.find(lookup::of_text(name), is_it)
    }

    /// Adds a set.
    pub fn add_set(&mut self, set: NamedSet) {
        let known = &self.sets;
        let hash = |place: usize| known.get(place).map_or(0, |it| lookup::of_text(&it.name));
        self.set_places.add(lookup::of_text(&set.name), known.len(), hash);
        self.sets.push(set);
    }

    /// The set of a name.
    pub fn set(&self, name: &str) -> Option<&NamedSet> {
        self.sets.get(self.set_place(name)?)
    }

    /// The set of a name, to add elements.
    pub fn set_mut(&mut self, name: &str) -> Option<&mut NamedSet> {
        let place = self.set_place(name)?;
        self.sets.get_mut(place)
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

/// As many base chains as there can be at a hook: one of each of iptables' five tables, and few of
/// kube-proxy's own.
const MOST_BASES: usize = 12;

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
    pub fn at(&self, hook: Hook, family: Family) -> impl Iterator<Item = (&Table, &Chain, &Base)> {
        let tables = self.tables.iter().filter(move |table| table.family == family);
        let all =
            tables.flat_map(move |it| it.at(hook).map(move |(chain, base)| (it, chain, base)));
        let mut sorted: [Option<(&Table, &Chain, &Base)>; MOST_BASES] = [None; MOST_BASES];
        for (count, one) in all.take(MOST_BASES).enumerate() {
            let place = sorted.partition_point(|known| {
                known.is_some_and(|(_, _, base)| base.priority <= one.2.priority)
            });
            // The last of these is free.
            if let Some(moved) = sorted.get_mut(place..=count) {
                moved.rotate_right(1);
                moved.first_mut().into_iter().for_each(|first| *first = Some(one));
            }
        }
        sorted.into_iter().flatten()
    }

    /// Numbers all rules and policies, so that they can be counted. To be asked for whenever rules
    /// have changed.
    #[must_use]
    pub fn numbered(mut self) -> Self {
        let mut next = 0u32;
        for table in &mut self.tables {
            let first = next;
            let mut is_numbered = true;
            for chain in table.chains.iter() {
                is_numbered &= chain.first_number == next;
                next = chain.policy_number_from(next).saturating_add(1);
            }
            // Chains that are shared are left alone where nothing is new.
            if is_numbered {
                continue;
            }
            next = first;
            for chain in Arc::make_mut(&mut table.chains) {
                chain.first_number = next;
                next = chain.policy_number().saturating_add(1);
            }
        }
        self
    }

    /// How many numbers there are.
    pub fn number_count(&self) -> u32 {
        let chains = self.tables.iter().flat_map(|table| table.chains.iter());
        chains.last().map_or(0, |chain| chain.policy_number().saturating_add(1))
    }

    /// Whether its rules have counters: iptables' have, kube-proxy's own for nftables have not.
    pub fn counts(&self) -> bool {
        self.tables.iter().any(|table| super::iptables::TABLES.contains(&table.name))
    }

    /// The counts of `old` for this ruleset: what has not changed keeps its count.
    pub fn carried_counts(&self, old: &Ruleset, counts: &[Count]) -> Vec<Count> {
        let mut carried = Vec::new();
        for (table, chain) in
            self.tables.iter().flat_map(|it| it.chains.iter().map(move |c| (it, c)))
        {
            let before =
                old.tables.iter().find(|it| (it.family, it.name) == (table.family, table.name));
            let before = before.and_then(|table| table.chain(&chain.name));
            let mut rest: &[Rule] = before.map_or(&[], |chain| &chain.rules);
            let mut number = before.map_or(0, |chain| chain.first_number);
            let count = |number: u32| {
                let place = usize::try_from(number).unwrap_or(usize::MAX);
                counts.get(place).copied().unwrap_or_default()
            };
            for rule in &chain.rules {
                // Rules keep their order, so that each is looked for after the one before it.
                let same = rest.iter().position(|old| old == rule);
                carried.push(same.map_or(Count::default(), |place| {
                    rest = rest.get(place + 1..).unwrap_or_default();
                    number = number.saturating_add(u32::try_from(place).unwrap_or(u32::MAX));
                    let found = count(number);
                    number = number.saturating_add(1);
                    found
                }));
            }
            carried.push(before.map_or(Count::default(), |chain| count(chain.policy_number())));
        }
        carried
    }

    /// How many rules there are in all.
    pub fn rule_count(&self) -> u64 {
        let chains = self.tables.iter().flat_map(|table| table.chains.iter());
        chains.map(|chain| chain.rules.len() as u64).sum()
    }
}
