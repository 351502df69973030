//! nft, which only lists.

use super::Node;
use crate::console::{Output, failed, said};
use crate::net::iptables::TABLES;
use crate::net::nft_text;
use crate::net::table::{Ruleset, Table};
use core::fmt::Write as _;

impl Node<'_> {
    /// `nft [-a] list ruleset|tables|table|chains|sets|maps|chain|set|map …`.
    pub(super) fn nft(&mut self, words: &[&str]) -> Output {
        let rest: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !matches!(*word, "-a" | "-n" | "-nn" | "-s"))
            .collect();
        match rest.as_slice() {
            ["list", rest @ ..] => {
                let ruleset = self.world.ruleset(self.name);
                list(&ruleset, rest)
            }
            ["-v" | "--version"] => said("nftables v1.0.6 (Lester Gooch #5)\n".to_owned()),
            [other, ..] => failed(1, format!("nft: {other}: this model's nft only lists\n")),
            [] => failed(1, "nft: usage: nft list …\n".to_owned()),
        }
    }
}

/// Whether nft can show a table's rules in its own words.
// Simplified: the tables that iptables keeps in the kernel are named, but not shown in nft's words.
fn is_own(table: &Table) -> bool {
    !TABLES.contains(&table.name)
}

fn list(ruleset: &Ruleset, words: &[&str]) -> Output {
    let only = |table: &Table| Ruleset {
        dialect: ruleset.dialect,
        tables: vec![table.clone()],
        ipvs: Default::default(),
    };
    let find = |family: &str, name: &str| {
        ruleset
            .tables
            .iter()
            .find(|it| is_own(it) && it.family.nft_name() == family && it.name == name)
    };
    let found = match words {
        ["ruleset"] => {
            let tables = ruleset.tables.iter().filter(|table| is_own(table));
            Some(tables.map(|table| nft_text::print(&only(table))).collect())
        }
        ["tables"] => Some(ruleset.tables.iter().fold(String::new(), |mut text, table| {
            let _ = writeln!(text, "table {} {}", table.family.nft_name(), table.name);
            text
        })),
        ["table", family, name] => find(family, name).map(|table| nft_text::print(&only(table))),
        ["table", name] => find("ip", name).map(|table| nft_text::print(&only(table))),
        [kind @ ("chain" | "map" | "set"), family, name, part] => {
            find(family, name).and_then(|table| {
                let mut small = Table::new(table.family, table.name);
                match *kind {
                    "chain" => small.add_chain(table.chain(part)?.clone()),
                    _ => small.add_set(table.set(part)?.clone()),
                }
                Some(nft_text::print(&only(&small)))
            })
        }
        _ => {
            return failed(
                1,
                "nft: usage: nft list ruleset | tables | table|chain|map|set …\n".to_owned(),
            );
        }
    };
    match found {
        Some(text) => said(text),
        None => {
            // nft shows the command again, and points at what is not there.
            let line = format!("list {}", words.join(" "));
            let last = words.last().copied().unwrap_or_default();
            let gap = line.len().saturating_sub(last.len());
            let pointer = format!("{}{}", " ".repeat(gap), "^".repeat(last.len()));
            failed(1, format!("Error: No such file or directory\n{line}\n{pointer}\n"))
        }
    }
}
