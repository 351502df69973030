//! What a node's kernel holds of the network: its rules and their counters, and what it remembers.

use crate::base::{Map, SimTime};
use crate::net::Ruleset;
use crate::net::memory::Memory;
use crate::net::table::Count;
use std::net::IpAddr;
use std::sync::Arc;

/// What a node's kernel holds of the network.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    /// Its rules; none until somebody asks.
    pub(super) ruleset: Option<Arc<Ruleset>>,
    /// Which input they were made for.
    pub(super) version: u64,
    /// Whether a person has changed them.
    pub(super) by_hand: bool,
    /// How often they have matched.
    pub(super) counts: Arc<[Count]>,
    /// What it remembers of packets.
    pub(super) memory: Memory,
    /// When the machines beside it were last heard of.
    pub(super) neighbours: Map<IpAddr, SimTime>,
    /// Settings that a person has changed (`sysctl -w`).
    pub(super) settings: Map<Arc<str>, Arc<str>>,
}

impl Kernel {
    /// What it remembers of packets.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// How often its rules have matched, by their numbers.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// What it remembers of packets, to be changed.
    pub const fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The same, and how often its rules have matched, where they are counted: nftables' have no
    /// counters, and nor is what is only tried.
    pub(super) fn parts(
        &mut self,
        ruleset: &Ruleset,
        is_trial: bool,
    ) -> (&mut Memory, &mut [Count]) {
        if is_trial {
            return (&mut self.memory, &mut []);
        }
        if self.counts.is_empty() && ruleset.counts() {
            let all = usize::try_from(ruleset.number_count()).unwrap_or(0);
            self.counts = vec![Count::default(); all].into();
        }
        let counts: &mut [Count] = match self.counts.is_empty() {
            true => &mut [],
            false => Arc::make_mut(&mut self.counts),
        };
        (&mut self.memory, counts)
    }

    /// When the machines beside it were last heard of, by address.
    pub const fn neighbours(&self) -> &Map<IpAddr, SimTime> {
        &self.neighbours
    }

    /// A machine beside it was heard of.
    pub(super) fn meets(&mut self, ip: IpAddr, now: SimTime) {
        if self.neighbours.get(&ip).is_none_or(|last| *last < now) {
            self.neighbours.insert(ip, now);
        }
    }

    /// A setting, if a person has changed it.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(|value| &**value)
    }

    /// Changes a setting, as `sysctl -w` does.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.insert(Arc::from(key), Arc::from(value));
    }

    /// Whether it passes on packets that are for others.
    pub(super) fn forwards(&self) -> bool {
        self.settings.is_empty() || self.setting("net.ipv4.ip_forward") != Some("0")
    }

    /// Counts from zero again: all rules of a table, those of a chain and its policy, or one rule.
    pub fn zero(&mut self, table: &str, chain: Option<(&str, Option<u32>)>) {
        let Some(ruleset) = self.ruleset.clone() else { return };
        let counts = Arc::make_mut(&mut self.counts);
        let tables = ruleset.tables.iter().filter(|it| it.name == table);
        for own in tables.flat_map(|it| it.chains.iter()) {
            if chain.is_some_and(|(name, _)| *own.name != *name) {
                continue;
            }
            let numbers = match chain {
                Some((_, Some(place))) => {
                    let number = own.first_number.saturating_add(place.saturating_sub(1));
                    number..=number
                }
                _ => own.first_number..=own.policy_number(),
            };
            for number in numbers {
                let count = usize::try_from(number).ok().and_then(|place| counts.get_mut(place));
                count.into_iter().for_each(|count| *count = Count::default());
            }
        }
    }

    /// Takes other rules; what they have in common with the old ones keeps its counts.
    pub(super) fn replace(&mut self, ruleset: Ruleset) -> Arc<Ruleset> {
        let ruleset = Arc::new(ruleset.numbered());
        let counts = match &self.ruleset {
            Some(old) if !self.counts.is_empty() => ruleset.carried_counts(old, &self.counts),
            _ => Vec::new(),
        };
        self.counts = counts.into();
        self.ruleset = Some(ruleset.clone());
        ruleset
    }
}
