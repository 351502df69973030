//! What a real iptables says and shows (tests/conformance/netfilter/iptables.txt), and what ours does.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::expect_used, reason = "a test stops where it cannot go on")]

use diorama::base::SimTime;
use diorama::net::iptables::command::{self, Command, Refusal};
use diorama::net::iptables::edit::Edit;
use diorama::net::iptables::list::{self, Style};
use diorama::net::iptables::save::Moment;
use diorama::net::table::{Dialect, Ruleset};
use diorama::net::{Family, Table};
use std::fmt::Write as _;

const RECORDED: &str = include_str!("conformance/netfilter/iptables.txt");
const TABLES: [&str; 4] = ["filter", "nat", "mangle", "raw"];

/// What a command prints.
fn run(ruleset: &mut Ruleset, line: &str) -> Result<String, Refusal> {
    let words = shlex::split(line).expect("words");
    let moment = Moment::at(SimTime::WORLD_START);
    let find = |ruleset: &Ruleset, name: &str| {
        ruleset.tables.iter().find(|table| table.name == name).cloned().expect("a table")
    };
    match command::parse(&words, Family::V4)? {
        Command::Edits(edits) => {
            let mut changed = ruleset.clone();
            for edit in edits {
                edit.apply(&mut changed)?;
            }
            *ruleset = changed;
            Ok(String::new())
        }
        Command::Check(edit) => edit.check(ruleset).map(|()| String::new()),
        Command::List { table, chain, style } => {
            let only = chain.as_ref().map(|(name, place)| (&**name, *place));
            Ok(list::print(&find(ruleset, table), only, style, moment).expect("a chain"))
        }
        Command::Show { table, chain, verbose } => {
            let only = chain.as_ref().map(|(name, place)| (&**name, *place));
            Ok(list::print_rules(&find(ruleset, table), only, verbose, moment).expect("a chain"))
        }
        Command::Zero { table, chain } => {
            let chain = chain.as_ref().map(|(name, place)| (&**name, *place));
            let check = |chain| Edit::check_place(ruleset, Family::V4, table, chain);
            chain.map_or(Ok(()), check).map(|()| String::new())
        }
        Command::Version => Ok(String::new()),
    }
}

/// The tables as every recorded command found them.
fn begin() -> Ruleset {
    let tables = TABLES.map(|name| Table::built_in(Family::V4, name).expect("a table"));
    let mut ruleset =
        Ruleset { dialect: Dialect::Iptables, tables: tables.into(), ipvs: Default::default() };
    for line in ["-N A", "-t nat -N A", "-N B", "-A FORWARD -j B"] {
        run(&mut ruleset, line).expect("a chain");
    }
    ruleset
}

/// The tables as the recording shows them.
fn shown(ruleset: &Ruleset) -> String {
    let moment = Moment::at(SimTime::WORLD_START);
    let mut out = String::new();
    let list = |table: &Table, style| list::print(table, None, style, moment).expect("a table");
    for table in &ruleset.tables {
        let rules = list::print_rules(table, None, false, moment).expect("a table");
        let is_shown = |line: &&str| {
            let usual = line.starts_with("-P") && line.ends_with("ACCEPT");
            !usual && !line.starts_with("-N") && *line != "-A FORWARD -j B"
        };
        rules.lines().filter(is_shown).for_each(|line| out += &format!("{line}\n"));
        let numeric = Style { numeric: true, verbose: true, ..Style::default() };
        for text in [list(table, numeric), list(table, Style::default())] {
            let heads = ["Chain", " pkts", "target", "B  "];
            for line in text.lines().filter(|line| !heads.iter().any(|head| line.starts_with(head)))
            {
                if !line.is_empty() && !line.contains("0 B          0    --") {
                    let _ = writeln!(out, "{line}|");
                }
            }
        }
    }
    out
}

/// What ours says of a command, and how the tables are then.
fn ours(line: &str) -> String {
    let mut ruleset = begin();
    let said = match run(&mut ruleset, line) {
        Ok(text) => text,
        Err(refusal) => format!("{}[exit {}]\n", refusal.text, refusal.exit),
    };
    said + &shown(&ruleset)
}

#[test]
fn every_command_says_and_does_what_it_does_in_reality() {
    let mut differing = Vec::new();
    let (_, cases) = RECORDED.split_once("$ iptables ").expect("cases");
    for case in cases.split("\n$ iptables ") {
        let (line, expected) = case.split_once('\n').unwrap_or((case, ""));
        let (found, expected) = (ours(line), expected.trim_end());
        if found.trim_end() != expected {
            differing.push(format!("$ iptables {line}\n{found}--- real:\n{expected}\n"));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}
