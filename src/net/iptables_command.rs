//! The command line of `iptables`, as far as this model knows rules.

use super::Protocol;
use super::edit::{Change, Edit};
use super::packet::{Endpoint, State};
use super::rule::{Action, End, Match, Rule, Verdict};
use crate::base::order;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A change of the rules.
    Edit(Edit),
    /// `-L [CHAIN]`.
    List {
        /// The table's name.
        table: &'static str,
        /// One chain, or all.
        chain: Option<Arc<str>>,
        /// `-n`: addresses stay numbers.
        numeric: bool,
        /// `--line-numbers`.
        line_numbers: bool,
        /// `-v`: with counters.
        verbose: bool,
    },
    /// `-S [CHAIN]`.
    Show {
        /// The table's name.
        table: &'static str,
        /// One chain, or all.
        chain: Option<Arc<str>>,
    },
}

/// iptables' tables.
pub const TABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// What the verb was, before its rule is known.
enum Verb {
    Append(String),
    Insert(String, u32),
    Delete(String, Option<u32>),
    Flush(Option<String>),
    New(String),
    Remove(String),
    List(Option<String>),
    Show(Option<String>),
}

type Words<'a> = core::iter::Peekable<core::slice::Iter<'a, String>>;

/// Reads a command line without its first word.
///
/// # Errors
/// iptables' sentence, or ours for what the model has no rule for.
pub fn parse(words: &[String]) -> Result<Command, String> {
    let mut table = "filter";
    let (mut verb, mut rule) = (None, Rule::default());
    let (mut numeric, mut line_numbers, mut verbose) = (false, false, false);
    let mut protocol = None;
    let mut not = false;
    let mut words: Words<'_> = words.iter().peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-t" | "--table" => {
                let name = value(&mut words, word)?;
                let found = TABLES.into_iter().find(|own| *own == name);
                table = found.ok_or_else(|| {
                    format!("iptables v1.8.9 (nf_tables): table '{name}' does not exist\nPerhaps iptables or your kernel needs to be upgraded.")
                })?;
            }
            "-n" | "--numeric" => numeric = true,
            "--line-numbers" => line_numbers = true,
            "-v" | "--verbose" => verbose = true,
            "-w" | "--wait" | "-x" => {}
            letters if is_list_flags(letters) => {
                (numeric, verbose) =
                    (numeric || letters.contains('n'), verbose || letters.contains('v'));
                let chain = words.next_if(|next| !next.starts_with('-')).cloned();
                verb = Some(Verb::List(chain));
            }
            "!" => {
                not = true;
                continue;
            }
            other => match verb_of(other, &mut words)? {
                Some(found) => verb = Some(found),
                None => part(other, &mut words, not, &mut protocol, &mut rule)?,
            },
        }
        not = false;
    }
    let verb = verb.ok_or_else(|| usage("no command specified"))?;
    let chain = |name: String| -> Arc<str> { Arc::from(name) };
    let change = match verb {
        Verb::List(name) => {
            let chain = name.map(chain);
            return Ok(Command::List { table, chain, numeric, line_numbers, verbose });
        }
        Verb::Show(name) => return Ok(Command::Show { table, chain: name.map(chain) }),
        Verb::Append(name) => Change::Append(chain(name), rule),
        Verb::Insert(name, place) => Change::Insert(chain(name), place, rule),
        Verb::Delete(name, Some(place)) => Change::DeleteAt(chain(name), place),
        Verb::Delete(name, None) => Change::Delete(chain(name), rule),
        Verb::Flush(name) => Change::Flush(name.map(chain)),
        Verb::New(name) => Change::NewChain(chain(name)),
        Verb::Remove(name) => Change::RemoveChain(chain(name)),
    };
    Ok(Command::Edit(Edit { table, change }))
}

/// `-L`, `-nL`, `-Ln`, `-vnL` …
fn is_list_flags(word: &str) -> bool {
    word == "--list"
        || word.strip_prefix('-').is_some_and(|letters| {
            letters.contains('L') && letters.chars().all(|letter| "Lnvx".contains(letter))
        })
}

fn usage(why: &str) -> String {
    format!(
        "iptables v1.8.9 (nf_tables): {why}\nTry `iptables -h' or 'iptables --help' for more information."
    )
}

fn value(words: &mut Words<'_>, flag: &str) -> Result<String, String> {
    words.next().cloned().ok_or_else(|| usage(&format!("option \"{flag}\" requires an argument")))
}

fn verb_of(word: &str, words: &mut Words<'_>) -> Result<Option<Verb>, String> {
    let optional = |words: &mut Words<'_>| words.next_if(|next| !next.starts_with('-')).cloned();
    let place = |words: &mut Words<'_>| {
        let number = words.next_if(|next| next.parse::<u32>().is_ok_and(|place| place > 0));
        number.and_then(|number| number.parse().ok())
    };
    Ok(Some(match word {
        "-A" | "--append" => Verb::Append(value(words, word)?),
        "-I" | "--insert" => {
            let chain = value(words, word)?;
            Verb::Insert(chain, place(words).unwrap_or(1))
        }
        "-D" | "--delete" => {
            let chain = value(words, word)?;
            Verb::Delete(chain, place(words))
        }
        "-F" | "--flush" => Verb::Flush(optional(words)),
        "-N" | "--new-chain" => Verb::New(value(words, word)?),
        "-X" | "--delete-chain" => Verb::Remove(value(words, word)?),
        "-S" | "--list-rules" => Verb::Show(optional(words)),
        _ => return Ok(None),
    }))
}

/// One part of a rule.
// Simplified: conditions on interfaces, source ports, rates and flags are refused, since the model
// has none of them; so is a policy other than ACCEPT.
fn part(
    word: &str,
    words: &mut Words<'_>,
    not: bool,
    protocol: &mut Option<Protocol>,
    rule: &mut Rule,
) -> Result<(), String> {
    match word {
        "-s" | "--source" | "--src" | "-d" | "--destination" | "--dst" => {
            let end = if word.contains('s') && !word.contains("dst") && !word.contains("des") {
                End::Source
            } else {
                End::Destination
            };
            let text = value(words, word)?;
            let net =
                network(&text).ok_or_else(|| usage(&format!("host/network `{text}' not found")))?;
            rule.matches.push(Match::Net { end, nets: Arc::from([net]), not });
        }
        "-p" | "--protocol" => {
            let name = value(words, word)?;
            if name != "all" {
                let found = Protocol::parse(&name)
                    .ok_or_else(|| usage(&format!("unknown protocol \"{name}\" specified")))?;
                *protocol = Some(found);
                rule.matches.push(Match::Protocol(found));
            }
        }
        "--dport" | "--destination-port" => {
            let text = value(words, word)?;
            let port = text.parse();
            let port =
                port.map_err(|_| usage(&format!("invalid port/service `{text}' specified")))?;
            let found = protocol.ok_or_else(|| usage("unknown option \"--dport\""))?;
            rule.matches.push(Match::DestinationPort(found, port));
        }
        "--ctstate" | "--state" => {
            rule.matches.push(states(&value(words, word)?, not)?);
        }
        "--dst-type" | "--src-type" => {
            let end = if word == "--dst-type" { End::Destination } else { End::Source };
            match value(words, word)?.as_str() {
                "LOCAL" => rule.matches.push(Match::Local(end)),
                other => return Err(unknown(&format!("{word} {other}"))),
            }
        }
        "--comment" => rule.matches.push(Match::Comment(Arc::from(value(words, word)?))),
        "--mark" => {
            let mark = number(&value(words, word)?)?;
            rule.matches.push(Match::Mark { mark, not });
        }
        // The modules of the conditions above; those say all.
        "-m" | "--match" => match value(words, word)?.as_str() {
            "tcp" | "udp" | "sctp" | "conntrack" | "state" | "addrtype" | "comment" | "mark" => {}
            other => return Err(unknown(&format!("-m {other}"))),
        },
        "-j" | "--jump" => {
            let target = value(words, word)?;
            rule.actions.push(action(&target, words)?);
        }
        "-g" | "--goto" => {
            let chain = Arc::from(value(words, word)?);
            rule.actions.push(Action::Verdict(Verdict::Goto(chain)));
        }
        other if other.starts_with('-') => return Err(unknown(other)),
        other => {
            return Err(format!(
                "Bad argument `{other}'\nTry `iptables -h' or 'iptables --help' for more information."
            ));
        }
    }
    Ok(())
}

fn unknown(what: &str) -> String {
    format!("iptables: {what}: this model's rules do not know it")
}

fn action(target: &str, words: &mut Words<'_>) -> Result<Action, String> {
    let verdict = match target {
        "ACCEPT" => Verdict::Accept,
        "DROP" => Verdict::Drop,
        "RETURN" => Verdict::Return,
        "REJECT" => {
            if words.next_if(|next| *next == "--reject-with").is_some() {
                words.next();
            }
            Verdict::Reject
        }
        "MASQUERADE" => {
            words.next_if(|next| *next == "--random-fully");
            return Ok(Action::Masquerade);
        }
        "DNAT" => {
            let to = words.next_if(|next| *next == "--to-destination").and_then(|_| words.next());
            let to = to.and_then(|to| endpoint(to));
            return to
                .map(Action::Dnat)
                .ok_or_else(|| unknown("DNAT without --to-destination ADDRESS:PORT"));
        }
        "MARK" => {
            let flag = words.next().map(String::as_str);
            let mark = number(&words.next().cloned().unwrap_or_default())?;
            return match flag {
                Some("--set-mark" | "--set-xmark" | "--or-mark") => Ok(Action::SetMark(mark)),
                Some("--xor-mark") => Ok(Action::FlipMark(mark)),
                _ => Err(usage(
                    "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required",
                )),
            };
        }
        "LOG" | "SNAT" | "REDIRECT" | "TPROXY" => return Err(unknown(&format!("-j {target}"))),
        chain => Verdict::Jump(Arc::from(chain)),
    };
    Ok(Action::Verdict(verdict))
}

fn network(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().ok();
    net.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).map(|net| net.trunc())
}

fn endpoint(text: &str) -> Option<Endpoint> {
    let (ip, port) = text.rsplit_once(':')?;
    Some(Endpoint { ip: ip.parse().ok()?, port: port.parse().ok()? })
}

fn number(text: &str) -> Result<u32, String> {
    let text = text.split('/').next().unwrap_or_default();
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| usage(&format!("bad mark value \"{text}\"")))
}

fn states(text: &str, not: bool) -> Result<Match, String> {
    let mut all: Vec<&str> = text.split(',').collect();
    let dnat = all.contains(&"DNAT");
    all.retain(|state| *state != "DNAT");
    order::sort(&mut all);
    let states: &'static [State] = match all.as_slice() {
        [] if dnat => &[],
        ["NEW"] => &[State::New],
        ["INVALID"] => &[State::Invalid],
        ["ESTABLISHED"] => &[State::Established],
        ["RELATED"] => &[State::Related],
        ["ESTABLISHED", "RELATED"] => &[State::Related, State::Established],
        ["ESTABLISHED", "NEW"] => &[State::New, State::Established],
        ["ESTABLISHED", "NEW", "RELATED"] => &[State::New, State::Related, State::Established],
        _ => return Err(usage(&format!("Bad ctstate \"{text}\""))),
    };
    Ok(Match::State { states, dnat, not })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Family;
    use crate::net::iptables_text::rule_text;

    fn read(line: &str) -> String {
        let words = shlex::split(line).unwrap();
        match parse(&words) {
            Ok(Command::Edit(edit)) => edit.to_string(),
            Ok(other) => format!("{other:?}"),
            Err(why) => why.lines().next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn rules_are_read_and_written_back_as_iptables_save_writes_them() {
        let cases = [
            (
                "-A FORWARD -p tcp --dport 80 -j DROP",
                "-t filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP",
            ),
            (
                "-I INPUT 2 -s 10.0.0.0/8 -j REJECT",
                "-t filter -I INPUT 2 -s 10.0.0.0/8 -j REJECT --reject-with icmp-port-unreachable",
            ),
            (
                "-t nat -A PREROUTING ! -d 10.1.1.1 -p tcp --dport 8080 -j DNAT --to-destination 10.244.1.2:80",
                "-t nat -A PREROUTING ! -d 10.1.1.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.1.2:80",
            ),
            ("-D FORWARD 3", "-t filter -D FORWARD 3"),
            ("-A FORWARD -i eth0 -j DROP", "iptables: -i: this model's rules do not know it"),
            ("-t web -L", "iptables v1.8.9 (nf_tables): table 'web' does not exist"),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line), expected, "{line}");
        }
        assert!(read("-t nat -nL KUBE-SERVICES").contains("numeric: true"));
        let rule = Rule::verdict(Vec::new(), Verdict::Drop);
        assert_eq!(rule_text(&rule, Family::V4), " -j DROP");
    }
}
