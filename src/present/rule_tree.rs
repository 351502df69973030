//! A node's rules as a tree, chain in chain, with the branch lit that a packet took.

use super::shorten;
use crate::net::table::{Chain, Hook, Table};
use crate::net::{Family, Ruleset, iptables, nft_text};
use crate::trace::{PacketTrace, Place};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most rules that are shown at all.
const MOST_RULES: usize = 600;
/// The most rules that are looked through for something.
const MOST_LOOKED_THROUGH: usize = 100_000;
/// The most rules of a chain that are shown, beside those that were met.
const MOST_OF_CHAIN: usize = 30;
/// The hooks in the order in which a packet comes by.
const HOOKS: [Hook; 5] =
    [Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting];

/// A node's rules.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTree {
    /// The node.
    pub node: Arc<str>,
    /// How many rules it has.
    pub count: u64,
    /// Whether they are iptables'.
    pub is_iptables: bool,
    /// The chains that packets enter from the kernel, hook by hook.
    pub hooks: Vec<(&'static str, Vec<Branch>)>,
}

/// A chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub chain: String,
    /// Whether the packet came here.
    pub is_lit: bool,
    /// Its rules.
    pub rules: Vec<Twig>,
    /// How many more it has.
    pub hidden: usize,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Twig {
    /// Its text.
    pub text: String,
    /// Whether the packet met it.
    pub is_lit: bool,
    /// The chain that it leads to.
    pub leads_to: Option<Branch>,
}

/// Where a packet met a rule.
type Met = (&'static str, &'static str, Arc<str>, u32);

struct Grower<'a> {
    met: BTreeSet<Met>,
    left: usize,
    family: Family,
    table: &'a Table,
    hook: Hook,
    sought: &'a str,
    /// How many rules may still be looked through.
    looks: usize,
}

/// The rules of a node, with what a request met there; if something is `sought`, those with that in
/// their text or in the name of their chain, and those that lead to them.
#[inline(never)]
pub fn rule_tree(
    node: &Arc<str>,
    ruleset: &Ruleset,
    trace: Option<&PacketTrace>,
    sought: &str,
) -> RuleTree {
    let sought = sought.trim().to_lowercase();
    let hops = trace.map(|trace| trace.hops.as_slice()).unwrap_or_default();
    let met: BTreeSet<Met> = hops
        .iter()
        .filter_map(|hop| match &hop.place {
            Place::Rule(on, at) if on == node => {
                Some((at.hook.name(), at.table, at.chain.clone(), at.index))
            }
            _ => None,
        })
        .collect();
    let (mut left, mut looks) = (MOST_RULES, MOST_LOOKED_THROUGH);
    let hooks = HOOKS.map(|hook| {
        let bases = ruleset.at(hook, Family::V4).filter(|(_, chain, _)| !chain.rules.is_empty());
        let branches = bases.map(|(table, chain, _)| {
            let met = met.clone();
            let (family, sought) = (Family::V4, sought.as_str());
            let mut grower = Grower { met, left, family, table, hook, sought, looks };
            let branch = grower.branch(chain, 0, true);
            (left, looks) = (grower.left, grower.looks);
            branch
        });
        let is_shown = |branch: &Branch| sought.is_empty() || !branch.rules.is_empty();
        (hook.chain(), branches.filter(is_shown).collect::<Vec<_>>())
    });
    RuleTree {
        node: node.clone(),
        count: ruleset.rule_count(),
        is_iptables: ruleset.counts(),
        hooks: hooks.into_iter().filter(|(_, branches)| !branches.is_empty()).collect(),
    }
}

impl Grower<'_> {
    fn is_met(&self, chain: &Chain, place: usize) -> bool {
        let Ok(place) = u32::try_from(place) else { return false };
        self.met.contains(&(self.hook.name(), self.table.name, chain.name.clone(), place))
    }

    fn branch(&mut self, chain: &Chain, depth: u32, is_on_path: bool) -> Branch {
        let mut rules = Vec::new();
        // A chain that several rules lead to is lit only where the packet came by.
        let is_lit = is_on_path && (0..chain.rules.len()).any(|place| self.is_met(chain, place));
        for (place, rule) in chain.rules.iter().enumerate() {
            let is_met = is_on_path && self.is_met(chain, place);
            if !self.sought.is_empty() {
                rules.extend(self.found(chain, rule, depth, is_met));
                continue;
            }
            if !is_met && (rules.len() >= MOST_OF_CHAIN || self.left == 0) {
                continue;
            }
            self.left = self.left.saturating_sub(1);
            let target = rule.target().and_then(|target| self.table.chain(target));
            // A branch that the packet did not take is grown only where there is room.
            let target = target.filter(|_| depth < 6 && (is_met || self.left > 0));
            let leads_to = target
                .filter(|it| !it.rules.is_empty())
                .map(|it| self.branch(it, depth + 1, is_met));
            rules.push(Twig { text: self.text(rule), is_lit: is_met, leads_to });
        }
        let hidden = chain.rules.len().saturating_sub(rules.len());
        Branch { table: self.table.name, chain: chain.name.to_string(), is_lit, rules, hidden }
    }

    /// A rule of a chain, if what is sought is in it or in what it leads to.
    fn found(
        &mut self,
        chain: &Chain,
        rule: &crate::net::rule::Rule,
        depth: u32,
        is_met: bool,
    ) -> Option<Twig> {
        if self.left == 0 || self.looks == 0 {
            return None;
        }
        self.looks -= 1;
        let text = self.text(rule);
        let has = |text: &str| text.to_lowercase().contains(self.sought);
        let is_it = has(&text) || has(&chain.name) || rule.comment.as_deref().is_some_and(has);
        let target = rule.target().and_then(|target| self.table.chain(target));
        let target = target.filter(|it| depth < 6 && !it.rules.is_empty());
        let leads_to = target.map(|it| self.branch(it, depth + 1, is_met));
        let leads_to = leads_to.filter(|it| !it.rules.is_empty());
        if !is_it && leads_to.is_none() {
            return None;
        }
        self.left -= 1;
        Some(Twig { text, is_lit: is_met, leads_to })
    }

    fn text(&self, rule: &crate::net::rule::Rule) -> String {
        if iptables::TABLES.contains(&self.table.name) {
            let full = format!("-A _{}", iptables::rule_text(rule, self.family));
            let short = shorten::rule(&full);
            return short.trim_start_matches('_').trim_start().to_owned();
        }
        nft_text::rule_text(rule, self.family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Model, Msg, Opening, update};

    fn lit<'a>(branch: &'a Branch, into: &mut Vec<&'a str>) {
        for twig in branch.rules.iter().filter(|twig| twig.is_lit) {
            into.push(&twig.text);
            twig.leads_to.iter().for_each(|branch| lit(branch, into));
        }
    }

    #[test]
    fn the_branch_that_a_packet_took_is_lit_down_to_its_endpoint() {
        let mut model = Model::new(Opening::default());
        model.world.run_for(core::time::Duration::from_secs(20));
        update(&mut model, Msg::Run("curl http://172.18.0.3:30080".into()));
        let node: Arc<str> = Arc::from("node-1");
        let ruleset = model.world.ruleset(&node);
        let trace = &model.journey.as_ref().unwrap().trace;
        let tree = rule_tree(&node, &ruleset, Some(trace), "");
        let (hook, branches) = &tree.hooks[0];
        assert_eq!(*hook, "PREROUTING");
        let mut found = Vec::new();
        branches.iter().for_each(|branch| lit(branch, &mut found));
        let path = found.join(" | ");
        for part in
            ["→ KUBE-SERVICES", "--dport 30080 → KUBE-EXT-", "→ KUBE-SVC-", "→ KUBE-SEP-", "→ DNAT"]
        {
            assert!(path.contains(part), "{part} in {path}");
        }
        let marks = found.iter().filter(|text| text.contains("MARK --set-xmark")).count();
        assert_eq!(
            marks, 1,
            "KUBE-MARK-MASQ is lit where it was entered and not elsewhere: {path}"
        );
        let dark = rule_tree(&node, &ruleset, None, "");
        assert!(dark.hooks.iter().flat_map(|(_, all)| all).all(|branch| !branch.is_lit));
        assert_eq!(dark.count, tree.count);
    }
}
