//! `iptables-restore`: many changes in one text.

use super::command::{Command, Refusal, parse, table};
use super::edit::{Change, Edit};
use crate::net::table::Ruleset;
use crate::net::{Family, Table};
use std::sync::Arc;

/// What a text may hold: nothing for ever.
const MOST_LINES: usize = 100_000;

/// Makes a ruleset what a text says; with `noflush`, what is not in the text stays.
///
/// # Errors
/// iptables-restore's sentence.
pub fn restore(
    ruleset: &Ruleset,
    text: &str,
    family: Family,
    noflush: bool,
) -> Result<Ruleset, Refusal> {
    let mut result = ruleset.clone();
    let mut current = None;
    let mut last = 0;
    for (line, number) in text.lines().zip(1..MOST_LINES) {
        last = number;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = |refusal: Refusal| at_line(refusal, number);
        match (current, line.strip_prefix('*')) {
            (None, Some(name)) => {
                let why = format!("iptables-restore: line {number} table name '{name}' invalid");
                let name = table(name).map_err(|_| at(super::command::usage(&why)))?;
                current = Some(name);
                if !noflush {
                    flush(&mut result, name, family);
                }
            }
            (Some(_), None) if line == "COMMIT" => current = None,
            (Some(name), None) => {
                let edits = match line.strip_prefix(':') {
                    Some(chain) => declare(&result, chain, name, family),
                    None => changes(line, name, family).map_err(at)?,
                };
                for edit in edits {
                    edit.apply(&mut result).map_err(at)?;
                }
            }
            _ => {
                let text = format!("iptables-restore: line {number} failed\n");
                return Err(Refusal { exit: 1, text });
            }
        }
    }
    match current {
        Some(_) => {
            let text = format!("iptables-restore: COMMIT expected at line {}\n", last + 1);
            Err(Refusal { exit: 1, text })
        }
        None => Ok(result),
    }
}

/// The same sentence, as iptables-restore says it of a line.
fn at_line(refusal: Refusal, number: usize) -> Refusal {
    let Refusal { exit, text } = refusal;
    let text = match exit {
        1 => text.replacen("iptables: ", &format!("iptables-restore: line {number} failed: "), 1),
        4 => text.replacen(
            "iptables v1.8.9 (nf_tables):  ",
            &format!("iptables-restore v1.8.9 (nf_tables): \nline {number}: "),
            1,
        ),
        _ => {
            let place = format!(
                "Error occurred at line: {number}\nTry `iptables-restore -h' or 'iptables-restore --help'"
            );
            let text = text.replacen("iptables v1", "iptables-restore v1", 1);
            text.replacen("Try `iptables -h' or 'iptables --help'", &place, 1)
        }
    };
    Refusal { exit, text }
}

fn flush(ruleset: &mut Ruleset, name: &'static str, family: Family) {
    let own = ruleset.tables.iter_mut().find(|it| (it.family, it.name) == (family, name));
    if let (Some(own), Some(empty)) = (own, Table::built_in(family, name)) {
        *own = empty;
    }
}

/// `:INPUT ACCEPT [0:0]`, `:MINE - [0:0]`: the chain is there and, if it is no built-in one, empty.
fn declare(ruleset: &Ruleset, line: &str, table: &'static str, family: Family) -> Vec<Edit> {
    let mut words = line.split(' ');
    let (chain, policy) = (words.next().unwrap_or_default(), words.next().unwrap_or("-"));
    let chain: Arc<str> = Arc::from(chain);
    let own = ruleset.tables.iter().find(|it| (it.family, it.name) == (family, table));
    let is_there = own.is_some_and(|table| table.chain(&chain).is_some());
    let change = match (policy, is_there) {
        ("-", true) => Change::Flush(Some(chain)),
        ("-", false) => Change::NewChain(chain),
        (policy, _) => Change::Policy(chain, Arc::from(policy)),
    };
    vec![Edit { family, table, change }]
}

fn changes(line: &str, table: &'static str, family: Family) -> Result<Vec<Edit>, Refusal> {
    // `[5:300] -A …` has counters.
    let line = match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((_, rest)) => rest,
        None => line,
    };
    let mut words = vec!["-t".to_owned(), table.to_owned()];
    words.extend(shlex::split(line).unwrap_or_default());
    match parse(&words, family)? {
        Command::Edits(edits) => Ok(edits),
        _ => Err(super::command::usage(&format!("invalid line `{line}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SimTime;
    use crate::net::iptables::save::{Moment, print};
    use crate::net::table::Dialect;

    fn none() -> Ruleset {
        Ruleset { dialect: Dialect::Iptables, tables: Vec::new(), ipvs: Default::default() }
    }

    #[test]
    fn what_was_saved_is_restored() {
        let text = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n\
            :MINE - [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -m comment --comment \"a b\" -j MINE\n\
            -A MINE -j RETURN\nCOMMIT\n";
        let restored = restore(&none(), text, Family::V4, false).unwrap();
        let again = print(&restored, Family::V4, Moment::at(SimTime::default()));
        let lines: Vec<&str> = again.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.join("\n") + "\n", text);
    }

    #[test]
    fn a_line_that_cannot_be_is_named() {
        // What iptables-restore 1.8.9 says.
        let cases = [
            ("*filter\n-A INPUT -j DROP\n", "iptables-restore: COMMIT expected at line 3\n"),
            ("-A INPUT -j DROP\n", "iptables-restore: line 1 failed\n"),
            (
                "*filter\n-A NOPE -j DROP\nCOMMIT\n",
                "iptables-restore: line 2 failed: No chain/target/match by that name.\n",
            ),
            (
                "*filter\n-A INPUT -j REDIRECT\nCOMMIT\n",
                "iptables-restore v1.8.9 (nf_tables): \nline 2: RULE_APPEND failed (Invalid argument): rule in chain INPUT\n",
            ),
            (
                "*filter\n-A INPUT -p tcp --dport foo -j DROP\nCOMMIT\n",
                "iptables-restore v1.8.9 (nf_tables): invalid port/service `foo' specified\nError occurred at line: 2\nTry `iptables-restore -h' or 'iptables-restore --help' for more information.\n",
            ),
        ];
        for (text, expected) in cases {
            let refusal = restore(&none(), text, Family::V4, false).unwrap_err();
            assert_eq!(refusal.text, expected);
        }
    }
}
