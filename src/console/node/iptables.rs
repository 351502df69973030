//! iptables, iptables-save, iptables-restore.

use super::Node;
use crate::console::{Output, failed, said};
use crate::net::iptables::command::{self, Command, Refusal};
use crate::net::iptables::edit::Edit;
use crate::net::iptables::save::{self, Moment};
use crate::net::iptables::{TABLES, list, restore};
use crate::net::table::Table;
use crate::net::{Family, Ruleset};
use std::sync::Arc;

fn refused(refusal: Refusal, family: Family) -> Output {
    let text = match family {
        Family::V4 => refusal.text,
        Family::V6 => refusal.text.replace("iptables", "ip6tables"),
    };
    failed(refusal.exit, text)
}

impl Node<'_> {
    fn ruleset(&mut self) -> Arc<Ruleset> {
        self.world.ruleset(self.name)
    }

    pub(super) fn iptables(&mut self, family: Family, words: &[String]) -> Output {
        let command = match command::parse(words, family) {
            Ok(command) => command,
            Err(refusal) => return refused(refusal, family),
        };
        let done = match command {
            Command::Edits(edits) => self.world.edit_rules(self.name, &edits),
            Command::Check(edit) => edit.check(&self.ruleset()),
            Command::Version => {
                let program = if family == Family::V4 { "iptables" } else { "ip6tables" };
                return said(format!("{program} v1.8.9 (nf_tables)\n"));
            }
            Command::Zero { table, chain } => {
                let chain = chain.as_ref().map(|(name, place)| (&**name, *place));
                let ruleset = self.ruleset();
                let check = |chain| Edit::check_place(&ruleset, family, table, chain);
                let checked = chain.map_or(Ok(()), check);
                if checked.is_ok() {
                    self.world.kernel(self.name).zero(table, chain);
                }
                checked
            }
            shown => return self.show(&shown, family),
        };
        match done {
            Ok(()) => Output::default(),
            Err(refusal) => refused(refusal, family),
        }
    }

    fn show(&mut self, command: &Command, family: Family) -> Output {
        let (ruleset, now) = (self.ruleset(), self.world.now());
        let counts = self.world.kernel(self.name).counts();
        let moment = Moment { now, counts, with_counters: false };
        let find = |name: &str| {
            let mut tables = ruleset.tables.iter();
            let own = tables.find(|table| (table.family, table.name) == (family, name)).cloned();
            own.or_else(|| Table::built_in(family, name))
        };
        let of = |chain: &Option<(Arc<str>, Option<u32>)>| {
            chain.as_ref().map(|(name, place)| (name.to_string(), *place))
        };
        let text = match command {
            Command::List { table, chain, style } => {
                let chain = of(chain);
                let only = chain.as_ref().map(|(name, place)| (name.as_str(), *place));
                find(table).and_then(|table| list::print(&table, only, *style, moment))
            }
            Command::Show { table, chain, verbose } => {
                let chain = of(chain);
                let only = chain.as_ref().map(|(name, place)| (name.as_str(), *place));
                find(table).and_then(|table| list::print_rules(&table, only, *verbose, moment))
            }
            _ => None,
        };
        match text {
            Some(text) => said(text),
            None => failed(1, "iptables: No chain/target/match by that name.\n".to_owned()),
        }
    }

    /// `iptables-save [-c] [-t TABLE]`.
    pub(super) fn iptables_save(&mut self, family: Family, words: &[&str]) -> Output {
        let at = words.iter().position(|word| matches!(*word, "-t" | "--table"));
        let only = at.and_then(|at| words.get(at + 1)).copied();
        let with_counters = words.iter().any(|word| matches!(*word, "-c" | "--counters"));
        let (ruleset, now) = (self.ruleset(), self.world.now());
        let counts = self.world.kernel(self.name).counts();
        let moment = Moment { now, counts, with_counters };
        let mut out = String::new();
        for table in &ruleset.tables {
            let is_shown = table.family == family && TABLES.contains(&table.name);
            if is_shown && only.is_none_or(|only| only == table.name) {
                save::print_table(table, moment, &mut out);
            }
        }
        said(out)
    }

    /// `iptables-restore [-n] [--test] [FILE]`.
    pub(super) fn iptables_restore(&mut self, family: Family, words: &[&str]) -> Output {
        let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
        let file = words.iter().find(|word| !word.starts_with('-'));
        let text = match file {
            Some(path) => match self.files.get(*path) {
                Some(text) => text.clone(),
                None => {
                    let why = format!("Can't open {path}: No such file or directory\n");
                    return failed(1, why);
                }
            },
            None => self.stdin.unwrap_or_default().to_owned(),
        };
        let noflush = has(&["-n", "--noflush"]);
        match restore::restore(&self.ruleset(), &text, family, noflush) {
            Err(refusal) => refused(refusal, family),
            Ok(ruleset) => {
                if !has(&["-t", "--test"]) {
                    self.world.set_ruleset(self.name, ruleset);
                }
                Output::default()
            }
        }
    }
}
