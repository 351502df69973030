//! Changes of rules, as a person makes them by hand and as kube-proxy makes them.

use super::command::{Refusal, usage};
use super::rule_text;
use crate::net::rule::{Action, Match, Recent, Reject, Rule, Translator, Verdict};
use crate::net::table::{Chain, Hook, Ruleset, Table};
use crate::net::{Family, Protocol};
use std::sync::Arc;

/// A change of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The table's family.
    pub family: Family,
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
    /// `-R CHAIN PLACE RULE`.
    Replace(Arc<str>, u32, Rule),
    /// `-D CHAIN RULE`.
    Delete(Arc<str>, Rule),
    /// `-D CHAIN PLACE`.
    DeleteAt(Arc<str>, u32),
    /// `-F [CHAIN]`.
    Flush(Option<Arc<str>>),
    /// `-N CHAIN`.
    NewChain(Arc<str>),
    /// `-X [CHAIN]`.
    RemoveChain(Option<Arc<str>>),
    /// `-E OLD NEW`.
    Rename(Arc<str>, Arc<str>),
    /// `-P CHAIN POLICY`.
    Policy(Arc<str>, Arc<str>),
}

/// What iptables says when it is no mistake of the command line: exit code 1.
fn refused(why: &str) -> Refusal {
    Refusal { exit: 1, text: format!("iptables: {why}\n") }
}

fn no_chain() -> Refusal {
    refused("No chain/target/match by that name.")
}

fn no_rule() -> Refusal {
    refused("Bad rule (does a matching rule exist in that chain?).")
}

/// What the kernel refuses: exit code 4.
fn by_kernel(what: &str, why: &str, whose: &str) -> Refusal {
    let text = format!("iptables v1.8.9 (nf_tables):  {what} failed ({why}): {whose}\n");
    Refusal { exit: 4, text }
}

/// What `nat` says of rules that filter.
fn no_filtering() -> Refusal {
    usage(
        "\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n",
    )
}

impl Edit {
    fn table<'a>(&self, ruleset: &'a Ruleset) -> Option<&'a Table> {
        let mut tables = ruleset.tables.iter();
        tables.find(|table| table.family == self.family && table.name == self.table)
    }

    /// Whether there is such a rule, for `-C`.
    ///
    /// # Errors
    /// iptables' sentence if there is not.
    pub fn check(&self, ruleset: &Ruleset) -> Result<(), Refusal> {
        let Change::Delete(chain, rule) = &self.change else { return Ok(()) };
        let chain = self.table(ruleset).and_then(|table| table.chain(chain));
        let text = rule_text(rule, self.family);
        let mut rules = chain.into_iter().flat_map(|chain| &chain.rules);
        match rules.any(|own| rule_text(own, self.family) == text) {
            true => Ok(()),
            false => Err(no_rule()),
        }
    }

    /// Whether there is a chain, and a rule of it, for `-Z`.
    ///
    /// # Errors
    /// iptables' sentence if there is not.
    pub fn check_place(
        ruleset: &Ruleset,
        family: Family,
        table: &str,
        (chain, place): (&str, Option<u32>),
    ) -> Result<(), Refusal> {
        let mut tables = ruleset.tables.iter();
        let table = tables.find(|it| it.family == family && it.name == table);
        let chain = table.and_then(|table| table.chain(chain)).ok_or_else(no_chain)?;
        let last = u32::try_from(chain.rules.len()).unwrap_or(u32::MAX);
        if place.is_some_and(|place| place > last) { Err(no_rule()) } else { Ok(()) }
    }

    /// Makes the change. The ruleset's numbers are to be given anew then.
    ///
    /// # Errors
    /// iptables' sentence, if it cannot be made.
    pub fn apply(&self, ruleset: &mut Ruleset) -> Result<(), Refusal> {
        let is_ours = |table: &Table| table.family == self.family && table.name == self.table;
        if !ruleset.tables.iter().any(is_ours) {
            let made = Table::built_in(self.family, self.table).ok_or_else(no_chain)?;
            let rank = |table: &Table| super::TABLES.iter().position(|own| *own == table.name);
            let place = ruleset
                .tables
                .iter()
                .position(|other| other.family == self.family && rank(other) > rank(&made));
            ruleset.tables.insert(place.unwrap_or(ruleset.tables.len()), made);
        }
        let found = ruleset.tables.iter_mut().find(|table| is_ours(table));
        let table = found.ok_or_else(no_chain)?;
        match &self.change {
            Change::Insert(chain, place, rule) => {
                let mut rules = self.admit(table, chain, rule, "RULE_INSERT")?;
                let place = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
                if place > rules.len() {
                    return Err(refused("Index of insertion too big."));
                }
                rules.insert(place, rule.clone());
                table.set_rules(chain, rules);
            }
            Change::Append(chain, rule) => {
                let mut rules = self.admit(table, chain, rule, "RULE_APPEND")?;
                rules.push(rule.clone());
                table.set_rules(chain, rules);
            }
            Change::Replace(chain, place, rule) => {
                let mut rules = self.admit(table, chain, rule, "RULE_REPLACE")?;
                let place = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
                let too_big = || refused("Index of replacement too big.");
                *rules.get_mut(place).ok_or_else(too_big)? = rule.clone();
                table.set_rules(chain, rules);
            }
            Change::Delete(chain, rule) => {
                let mut rules = rules_of(table, chain)?;
                check_target(table, rule)?;
                let text = rule_text(rule, self.family);
                let same = |own: &Rule| rule_text(own, self.family) == text;
                rules.remove(rules.iter().position(same).ok_or_else(no_rule)?);
                table.set_rules(chain, rules);
            }
            Change::DeleteAt(chain, place) => {
                let mut rules = rules_of(table, chain)?;
                let place = usize::try_from(*place).ok().and_then(|place| place.checked_sub(1));
                let too_big = || refused("Index of deletion too big.");
                let place = place.filter(|place| *place < rules.len()).ok_or_else(too_big)?;
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
            _ => self.change_chains(table)?,
        }
        Ok(())
    }

    fn change_chains(&self, table: &mut Table) -> Result<(), Refusal> {
        match &self.change {
            Change::NewChain(chain) => {
                if table.chain(chain).is_some() {
                    return Err(refused("Chain already exists."));
                }
                table.ensure_chain(chain);
            }
            Change::RemoveChain(Some(chain)) => remove_chain(table, chain)?,
            Change::RemoveChain(None) => {
                let own = table.chains.iter().filter(|chain| chain.base.is_none());
                let names: Vec<Arc<str>> = own.map(|chain| chain.name.clone()).collect();
                let mut changed = table.clone();
                for name in names {
                    remove_chain(&mut changed, &name)?;
                }
                *table = changed;
            }
            Change::Rename(old, new) => {
                if table.chain(new).is_some() {
                    return Err(refused("File exists."));
                }
                if table.chain(old).is_none_or(|chain| chain.base.is_some()) {
                    return Err(no_chain());
                }
                table.rename_chain(old, new);
            }
            Change::Policy(chain, policy) => {
                if !matches!(&**policy, "ACCEPT" | "DROP") {
                    return Err(refused("Bad policy name. Run `dmesg' for more information."));
                }
                let drops = &**policy == "DROP";
                if drops && table.name == "nat" {
                    return Err(no_filtering());
                }
                if !table.set_policy(chain, drops) {
                    return Err(refused("Bad built-in chain name."));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a rule may stand in a chain, and the chain's rules if so.
    fn admit(
        &self,
        table: &Table,
        chain: &str,
        rule: &Rule,
        verb: &str,
    ) -> Result<Vec<Rule>, Refusal> {
        check_target(table, rule)?;
        if table.name == "nat" && rule.actions == [Action::Verdict(Verdict::Drop)] {
            return Err(no_filtering());
        }
        let found = table.chain(chain).ok_or_else(no_chain)?;
        check_devices(found, rule)?;
        if !is_possible(table, found, rule) {
            return Err(by_kernel(verb, "Invalid argument", &format!("rule in chain {chain}")));
        }
        Ok(found.rules.clone())
    }
}

fn rules_of(table: &Table, chain: &str) -> Result<Vec<Rule>, Refusal> {
    table.chain(chain).map(|chain| chain.rules.clone()).ok_or_else(no_chain)
}

/// A rule may lead to a chain that is there, and not to one that packets enter from the kernel.
fn check_target(table: &Table, rule: &Rule) -> Result<(), Refusal> {
    let Some(to) = rule.target() else { return Ok(()) };
    match table.chain(to) {
        Some(Chain { base: None, .. }) => Ok(()),
        Some(_) => Err(no_chain()),
        None => Err(usage(&format!("Chain '{to}' does not exist"))),
    }
}

/// What leaves has not come in, and the other way round.
fn check_devices(chain: &Chain, rule: &Rule) -> Result<(), Refusal> {
    let Some(base) = &chain.base else { return Ok(()) };
    for condition in &rule.matches {
        let Match::Interface { incoming, .. } = condition else { continue };
        let (flag, wrong) = match incoming {
            true => ("-i", [Hook::Output, Hook::Postrouting]),
            false => ("-o", [Hook::Input, Hook::Prerouting]),
        };
        if wrong.contains(&base.hook) {
            return Err(usage(&format!("Can't use {flag} with {}\n", chain.name)));
        }
    }
    Ok(())
}

/// Whether the kernel takes what a rule does in a table and at a hook.
fn is_possible(table: &Table, chain: &Chain, rule: &Rule) -> bool {
    let hook = chain.base.as_ref().map(|base| base.hook);
    let at = |hooks: &[Hook]| hook.is_none_or(|hook| hooks.contains(&hook));
    rule.actions.iter().all(|action| match action {
        Action::Dnat(_) => table.name == "nat" && at(&[Hook::Prerouting, Hook::Output]),
        Action::Translate(it) => {
            table.name == "nat"
                && match it.by {
                    Translator::Dnat | Translator::Redirect => {
                        at(&[Hook::Prerouting, Hook::Output])
                    }
                    Translator::Snat => at(&[Hook::Postrouting, Hook::Input]),
                    Translator::Masquerade => at(&[Hook::Postrouting]),
                }
        }
        Action::Verdict(Verdict::Reject(with)) => {
            at(&[Hook::Input, Hook::Forward, Hook::Output])
                && table.name != "nat"
                && (*with != Reject::TcpReset || rule.protocol() == Some(Protocol::Tcp))
        }
        Action::NoTrack { .. } => table.name == "raw",
        _ => true,
    }) && rule.matches.iter().all(|condition| match condition {
        Match::Recent { what: Recent::Set | Recent::Remove, seconds, hits, .. } => {
            (*seconds, *hits) == (0, 0)
        }
        Match::Recent { seconds, reap, .. } => !reap || *seconds > 0,
        _ => true,
    })
}

fn remove_chain(table: &mut Table, name: &Arc<str>) -> Result<(), Refusal> {
    let found = table.chain(name).ok_or_else(no_chain)?;
    let used = table
        .chains
        .iter()
        .flat_map(|other| &other.rules)
        .any(|rule| rule.target().is_some_and(|target| target == name));
    if found.base.is_some() && found.rules.is_empty() {
        // The kernel's chain goes, and comes back with the next rule.
        return Ok(());
    }
    if used || !found.rules.is_empty() {
        let whose = format!("chain {name}");
        return Err(by_kernel("CHAIN_DEL", "Device or resource busy", &whose));
    }
    table.remove_chain(name);
    Ok(())
}

/// Whether a chain is one that kube-proxy writes, or Flannel.
fn is_of_software(chain: &str) -> bool {
    chain.starts_with("KUBE-") || super::super::flannel::is_of_flannel(chain)
}

/// What a node's tables are when kube-proxy has written its own anew beside what people have put
/// there: its chains are as it wants them, its jumps are there, all else stays.
///
/// Models pkg/proxy/iptables/proxier.go syncProxyRules: `iptables-restore --noflush`, EnsureRule,
/// and CleanupLeftovers after a change of the mode.
#[must_use]
pub fn rewritten(live: &Ruleset, fresh: &Ruleset) -> Ruleset {
    let mut result =
        Ruleset { dialect: fresh.dialect, tables: Vec::new(), ipvs: fresh.ipvs.clone() };
    for own in &live.tables {
        if !super::TABLES.contains(&own.name) {
            continue;
        }
        let same = |it: &&Table| (it.family, it.name) == (own.family, own.name);
        let wanted = fresh.tables.iter().find(same);
        result.tables.push(merged(own, wanted));
    }
    for table in &fresh.tables {
        let same = |it: &Table| (it.family, it.name) == (table.family, table.name);
        if !result.tables.iter().any(same) {
            result.tables.push(table.clone());
        }
    }
    result
}

fn merged(own: &Table, wanted: Option<&Table>) -> Table {
    let mut result = Table::new(own.family, own.name);
    let chains = |table: Option<&Table>| {
        table.map(|table| table.chains.as_slice()).unwrap_or_default().to_vec()
    };
    for chain in own.chains.iter() {
        if is_of_software(&chain.name) && wanted.is_none_or(|it| it.chain(&chain.name).is_none()) {
            continue;
        }
        result.add_chain(chain.emptied());
    }
    for chain in chains(wanted) {
        result.add_chain(chain.emptied());
    }
    let names: Vec<Arc<str>> = result.chains.iter().map(|chain| chain.name.clone()).collect();
    for name in names {
        let of = |table: Option<&Table>| {
            let chain = table.and_then(|table| table.chain(&name));
            chain.map(|chain| chain.rules.clone()).unwrap_or_default()
        };
        let (kept, fresh) = (of(Some(own)), of(wanted));
        if is_of_software(&name) {
            result.set_rules(&name, fresh);
            continue;
        }
        // Jumps to chains that are gone go with them; those that are missing come to the front.
        let leads_nowhere =
            |rule: &Rule| rule.target().is_some_and(|to| result.chain(to).is_none());
        let mut rules: Vec<Rule> =
            fresh.iter().filter(|rule| !kept.contains(rule)).cloned().collect();
        rules.extend(kept.into_iter().filter(|rule| !leads_nowhere(rule)));
        result.set_rules(&name, rules);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::table::Dialect;

    fn drop_all() -> Rule {
        Rule::verdict(Vec::new(), Verdict::Drop)
    }

    fn empty() -> Ruleset {
        Ruleset { dialect: Dialect::Iptables, tables: Vec::new(), ipvs: Default::default() }
    }

    #[test]
    fn rules_go_in_and_out_and_what_is_not_there_is_refused() {
        let mut ruleset = empty();
        let chain: Arc<str> = Arc::from("FORWARD");
        let mut make = |change| {
            let edit = Edit { family: Family::V4, table: "filter", change };
            edit.apply(&mut ruleset).map_err(|refusal| refusal.exit)
        };
        assert_eq!(make(Change::Insert(chain.clone(), 1, drop_all())), Ok(()));
        assert_eq!(make(Change::Insert(chain.clone(), 3, drop_all())), Err(1));
        assert_eq!(make(Change::Delete(chain.clone(), drop_all())), Ok(()));
        assert_eq!(make(Change::Delete(chain.clone(), drop_all())), Err(1));
        let own: Arc<str> = Arc::from("MINE");
        assert_eq!(make(Change::Append(own.clone(), drop_all())), Err(1));
        assert_eq!(make(Change::NewChain(own.clone())), Ok(()));
        let jump = Rule::jump(Vec::new(), &own);
        assert_eq!(make(Change::Append(chain.clone(), jump)), Ok(()));
        assert_eq!(make(Change::RemoveChain(Some(own.clone()))), Err(4));
        assert_eq!(make(Change::DeleteAt(chain, 1)), Ok(()));
        assert_eq!(make(Change::RemoveChain(Some(own))), Ok(()));
    }

    #[test]
    fn kube_proxy_leaves_what_is_not_its_own_and_puts_its_jumps_in_front() {
        let services: Arc<str> = Arc::from("KUBE-SERVICES");
        let mut fresh = empty();
        let mut table = Table::built_in(Family::V4, "filter").unwrap();
        table.append(&services, Rule::verdict(Vec::new(), Verdict::Return));
        table.append(&Arc::from("FORWARD"), Rule::jump(Vec::new(), &services));
        fresh.tables.push(table);
        let mut live = empty();
        let mut table = Table::built_in(Family::V4, "filter").unwrap();
        table.append(&services, drop_all());
        table.append(&Arc::from("KUBE-SVC-OLD"), drop_all());
        table.append(&Arc::from("FORWARD"), drop_all());
        table.set_policy("FORWARD", true);
        live.tables.push(table);
        let merged = rewritten(&live, &fresh);
        let text = crate::net::iptables::list::print_rules(
            &merged.tables[0],
            None,
            false,
            crate::net::iptables::save::Moment::at(Default::default()),
        );
        expect_test::expect![[r"
            -P INPUT ACCEPT
            -P FORWARD DROP
            -P OUTPUT ACCEPT
            -N KUBE-SERVICES
            -A FORWARD -j KUBE-SERVICES
            -A FORWARD -j DROP
            -A KUBE-SERVICES -j RETURN
        "]]
        .assert_eq(&text.unwrap());
    }
}
