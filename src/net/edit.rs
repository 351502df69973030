//! Rules that a person changes by hand, kept beside those that kube-proxy writes.

use super::Family;
use super::iptables_text::rule_text;
use super::rule::{Action, Rule, Verdict};
use super::table::{Chain, Ruleset, Table};
use core::fmt;
use std::sync::Arc;

/// A change of one table of IPv4.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The table's name.
    pub table: &'static str,
    /// What is changed.
    pub change: Change,
}

/// What is changed; places are counted from 1, as iptables counts them.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// `-I CHAIN [PLACE] RULE`.
    Insert(Arc<str>, u32, Rule),
    /// `-A CHAIN RULE`.
    Append(Arc<str>, Rule),
    /// `-D CHAIN RULE`.
    Delete(Arc<str>, Rule),
    /// `-D CHAIN PLACE`.
    DeleteAt(Arc<str>, u32),
    /// `-F [CHAIN]`.
    Flush(Option<Arc<str>>),
    /// `-N CHAIN`.
    NewChain(Arc<str>),
    /// `-X CHAIN`.
    RemoveChain(Arc<str>),
}

/// Why a change cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No chain, or no target, of that name.
    NoChain,
    /// No such rule.
    NoRule,
    /// The place is beyond the chain's end.
    NoPlace,
    /// There is such a chain already.
    Exists,
    /// The chain has rules, or rules lead to it.
    InUse,
}

impl fmt::Display for Refused {
    /// iptables' own words.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Refused::NoChain => "iptables: No chain/target/match by that name.",
            Refused::NoRule => "iptables: Bad rule (does a matching rule exist in that chain?).",
            Refused::NoPlace => "iptables: Index of insertion too big.",
            Refused::Exists => "iptables: Chain already exists.",
            Refused::InUse => "iptables: Directory not empty.",
        })
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "-t {} ", self.table)?;
        let text = |rule| rule_text(rule, Family::V4);
        match &self.change {
            Change::Insert(chain, place, rule) => {
                write!(formatter, "-I {chain} {place}{}", text(rule))
            }
            Change::Append(chain, rule) => write!(formatter, "-A {chain}{}", text(rule)),
            Change::Delete(chain, rule) => write!(formatter, "-D {chain}{}", text(rule)),
            Change::DeleteAt(chain, place) => write!(formatter, "-D {chain} {place}"),
            Change::Flush(chain) => write!(formatter, "-F {}", chain.as_deref().unwrap_or("")),
            Change::NewChain(chain) => write!(formatter, "-N {chain}"),
            Change::RemoveChain(chain) => write!(formatter, "-X {chain}"),
        }
    }
}

impl Edit {
    /// Whether kube-proxy undoes it with its next change: it writes its own chains anew, and the
    /// jumps to them.
    pub fn is_undone_by_proxy(&self) -> bool {
        match &self.change {
            Change::Insert(chain, ..)
            | Change::Append(chain, _)
            | Change::DeleteAt(chain, _)
            | Change::NewChain(chain)
            | Change::RemoveChain(chain) => chain.starts_with("KUBE-"),
            Change::Delete(chain, rule) => {
                let to = target(rule).filter(|to| to.starts_with("KUBE-"));
                chain.starts_with("KUBE-") || to.is_some()
            }
            Change::Flush(chain) => chain.as_ref().is_none_or(|chain| chain.starts_with("KUBE-")),
        }
    }

    /// The same change without a place where it can be said by its rule: places shift when others
    /// change rules.
    #[must_use]
    pub fn by_rule(self, ruleset: &Ruleset) -> Self {
        let Change::DeleteAt(chain, place) = &self.change else { return self };
        let mut tables = ruleset.tables.iter();
        let table = tables.find(|it| it.family == Family::V4 && it.name == self.table);
        let rules = table.and_then(|table| table.chain(chain)).map(|chain| &chain.rules);
        let place = usize::try_from(*place).ok().and_then(|place| place.checked_sub(1));
        let rule = place.and_then(|place| rules?.get(place)).cloned();
        match rule {
            Some(rule) => Edit { change: Change::Delete(chain.clone(), rule), ..self },
            None => self,
        }
    }

    /// Whether it empties all chains of its table, so that what was done to their rules before no
    /// longer matters.
    pub fn outdates(&self, earlier: &Edit) -> bool {
        let is_rule = !matches!(earlier.change, Change::NewChain(_) | Change::RemoveChain(_));
        self.change == Change::Flush(None) && self.table == earlier.table && is_rule
    }

    /// Makes the change.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn apply(&self, ruleset: &mut Ruleset) -> Result<(), Refused> {
        let is_ours = |table: &Table| table.family == Family::V4 && table.name == self.table;
        if !ruleset.tables.iter().any(is_ours) {
            let made = Table::built_in(Family::V4, self.table).ok_or(Refused::NoChain)?;
            ruleset.tables.push(made);
        }
        let found = ruleset.tables.iter_mut().find(|table| is_ours(table));
        let table = found.ok_or(Refused::NoChain)?;
        match &self.change {
            Change::Insert(chain, place, rule) => {
                check_target(table, rule)?;
                let mut rules = rules_of(table, chain)?;
                let place = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
                if place > rules.len() {
                    return Err(Refused::NoPlace);
                }
                rules.insert(place, rule.clone());
                table.set_rules(chain, rules);
            }
            Change::Append(chain, rule) => {
                check_target(table, rule)?;
                let mut rules = rules_of(table, chain)?;
                rules.push(rule.clone());
                table.set_rules(chain, rules);
            }
            Change::Delete(chain, rule) => {
                let mut rules = rules_of(table, chain)?;
                let text = rule_text(rule, Family::V4);
                let same = |own: &Rule| rule_text(own, Family::V4) == text;
                let place = rules.iter().position(same).ok_or(Refused::NoRule)?;
                rules.remove(place);
                table.set_rules(chain, rules);
            }
            Change::DeleteAt(chain, place) => {
                let mut rules = rules_of(table, chain)?;
                let place = usize::try_from(*place).ok().and_then(|place| place.checked_sub(1));
                let place = place.filter(|place| *place < rules.len()).ok_or(Refused::NoRule)?;
                rules.remove(place);
                table.set_rules(chain, rules);
            }
            Change::Flush(Some(chain)) => {
                rules_of(table, chain)?;
                table.set_rules(chain, Vec::new());
            }
            Change::Flush(None) => {
                let names: Vec<Arc<str>> = table.chains.iter().map(|it| it.name.clone()).collect();
                names.iter().for_each(|name| table.set_rules(name, Vec::new()));
            }
            Change::NewChain(chain) => {
                if table.chain(chain).is_some() {
                    return Err(Refused::Exists);
                }
                table.ensure_chain(chain);
            }
            Change::RemoveChain(chain) => remove_chain(table, chain)?,
        }
        Ok(())
    }
}

fn rules_of(table: &Table, chain: &str) -> Result<Vec<Rule>, Refused> {
    table.chain(chain).map(|chain| chain.rules.clone()).ok_or(Refused::NoChain)
}

/// A rule may lead to a chain that is there, and not to one that packets enter from the kernel.
fn check_target(table: &Table, rule: &Rule) -> Result<(), Refused> {
    match target(rule).map(|to| table.chain(to)) {
        Some(Some(Chain { base: Some(_), .. }) | None) => Err(Refused::NoChain),
        Some(Some(_)) | None => Ok(()),
    }
}

/// The chain that a rule leads to, if any.
fn target(rule: &Rule) -> Option<&Arc<str>> {
    rule.actions.iter().find_map(|action| match action {
        Action::Verdict(verdict) => verdict.chain(),
        _ => None,
    })
}

fn remove_chain(table: &mut Table, chain: &Arc<str>) -> Result<(), Refused> {
    let found = table.chain(chain).ok_or(Refused::NoChain)?;
    let leads_here = |rule: &Rule| {
        rule.actions.iter().any(|action| match action {
            Action::Verdict(Verdict::Jump(to) | Verdict::Goto(to)) => to == chain,
            _ => false,
        })
    };
    let is_used = table.chains.iter().any(|other| other.rules.iter().any(leads_here));
    if is_used || found.base.is_some() || !found.rules.is_empty() {
        return Err(Refused::InUse);
    }
    table.remove_chain(chain);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::table::Dialect;

    fn drop_all() -> Rule {
        Rule::verdict(Vec::new(), Verdict::Drop)
    }

    #[test]
    fn rules_go_in_and_out_and_what_is_not_there_is_refused() {
        let mut ruleset =
            Ruleset { dialect: Dialect::Iptables, tables: Vec::new(), ipvs: Default::default() };
        let chain: Arc<str> = Arc::from("FORWARD");
        let mut make = |change| Edit { table: "filter", change }.apply(&mut ruleset);
        assert_eq!(make(Change::Insert(chain.clone(), 1, drop_all())), Ok(()));
        assert_eq!(make(Change::Insert(chain.clone(), 3, drop_all())), Err(Refused::NoPlace));
        assert_eq!(make(Change::Delete(chain.clone(), drop_all())), Ok(()));
        assert_eq!(make(Change::Delete(chain.clone(), drop_all())), Err(Refused::NoRule));
        let own: Arc<str> = Arc::from("MINE");
        assert_eq!(make(Change::Append(own.clone(), drop_all())), Err(Refused::NoChain));
        assert_eq!(make(Change::NewChain(own.clone())), Ok(()));
        let jump = Rule::jump(Vec::new(), &own);
        assert_eq!(make(Change::Append(chain.clone(), jump)), Ok(()));
        assert_eq!(make(Change::RemoveChain(own.clone())), Err(Refused::InUse));
        assert_eq!(make(Change::DeleteAt(chain, 1)), Ok(()));
        assert_eq!(make(Change::RemoveChain(own)), Ok(()));
    }
}
