//! The command line of `iptables`.

use super::edit::{Change, Edit};
use super::options::Modules;
use super::target::Target;
use crate::net::rule::{End, Match, Rule};
use crate::net::{Family, Protocol};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Changes of the rules, one after the other.
    Edits(Vec<Edit>),
    /// `-C CHAIN RULE`: whether there is such a rule.
    Check(Edit),
    /// `-L [CHAIN [PLACE]]`.
    List {
        /// The table's name.
        table: &'static str,
        /// One chain, and perhaps one rule of it, or all.
        chain: Option<(Arc<str>, Option<u32>)>,
        /// How.
        style: super::list::Style,
    },
    /// `-S [CHAIN [PLACE]]`.
    Show {
        /// The table's name.
        table: &'static str,
        /// One chain, and perhaps one rule of it, or all.
        chain: Option<(Arc<str>, Option<u32>)>,
        /// With counters.
        verbose: bool,
    },
    /// `-Z [CHAIN [PLACE]]`: counts from zero again.
    Zero {
        /// The table's name.
        table: &'static str,
        /// One chain, and perhaps one rule of it, or all.
        chain: Option<(Arc<str>, Option<u32>)>,
    },
    /// `--version`.
    Version,
}

/// What iptables says instead, and its exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Exit code.
    pub exit: i32,
    /// What it prints, with newlines.
    pub text: String,
}

/// A sentence of iptables' about a command line.
pub(super) fn usage(why: &str) -> Refusal {
    let text = format!(
        "iptables v1.8.9 (nf_tables): {why}\nTry `iptables -h' or 'iptables --help' for more information.\n"
    );
    Refusal { exit: 2, text }
}

/// What iptables would take and this model does not.
pub(super) fn unknown(what: &str) -> Refusal {
    Refusal { exit: 2, text: format!("iptables: {what}: this model's rules do not know it\n") }
}

/// What the verb was, before its rule is known.
#[derive(Clone, Debug)]
enum Verb {
    Append(String),
    Insert(String, u32),
    Replace(String, u32),
    Delete(String, Option<u32>),
    Check(String),
    Flush(Option<String>),
    Zero(Option<(String, Option<u32>)>),
    New(String),
    Remove(Option<String>),
    Rename(String, String),
    Policy(String, String),
    List(Option<(String, Option<u32>)>),
    Show(Option<(String, Option<u32>)>),
    Version,
}

type Words<'a> = core::iter::Peekable<core::slice::Iter<'a, String>>;

/// What was read of a command line so far.
#[derive(Clone, Debug)]
struct Reader {
    family: Family,
    table: &'static str,
    /// The verb, and how it was written.
    verb: Option<(Verb, String)>,
    sources: Option<(Vec<IpNet>, bool)>,
    destinations: Option<(Vec<IpNet>, bool)>,
    devices: Vec<Match>,
    protocol: Option<(Protocol, bool)>,
    modules: Modules,
    target: Option<Target>,
    style: super::list::Style,
}

/// Reads a command line without its first word.
///
/// # Errors
/// iptables' sentence, or ours for what the model has no rule for.
pub fn parse(words: &[String], family: Family) -> Result<Command, Refusal> {
    let mut reader = Reader {
        family,
        table: "filter",
        verb: None,
        sources: None,
        destinations: None,
        devices: Vec::new(),
        protocol: None,
        modules: Modules::default(),
        target: None,
        style: super::list::Style::default(),
    };
    let mut not = false;
    let mut words: Words<'_> = words.iter().peekable();
    while let Some(word) = words.next() {
        if word == "!" {
            not = true;
            continue;
        }
        reader.word(word, not, &mut words)?;
        not = false;
    }
    reader.finish()
}

/// The next word, unless it is an option.
fn optional<'a>(words: &mut Words<'a>) -> Option<&'a String> {
    words.next_if(|next| !next.starts_with('-') && *next != "!")
}

fn value(words: &mut Words<'_>, flag: &str) -> Result<String, Refusal> {
    words.next().cloned().ok_or_else(|| usage(&format!("option \"{flag}\" requires an argument")))
}

impl Reader {
    fn word(&mut self, word: &str, not: bool, words: &mut Words<'_>) -> Result<(), Refusal> {
        match word {
            "-t" | "--table" => self.table = table(&value(words, word)?)?,
            "-n" | "--numeric" => self.style.numeric = true,
            "-v" | "--verbose" => self.style.verbose = true,
            "-x" | "--exact" => self.style.exact = true,
            "--line-numbers" | "--line" => self.style.line_numbers = true,
            "-w" | "--wait" => drop(words.next_if(|next| next.parse::<u32>().is_ok())),
            "-4" | "--ipv4" | "-6" | "--ipv6" | "-W" => {}
            "-c" | "--set-counters" => {
                value(words, word)?;
                value(words, word)?;
            }
            _ => match self.verb_of(word, words)? {
                Some(verb) => {
                    if let Some((_, first)) = &self.verb {
                        return Err(usage(&format!("Cannot use {word} with {first}")));
                    }
                    self.verb = Some((verb, word.to_owned()));
                }
                None => self.part(word, not, words)?,
            },
        }
        Ok(())
    }

    fn verb_of(&mut self, word: &str, words: &mut Words<'_>) -> Result<Option<Verb>, Refusal> {
        let chain_and_place = |words: &mut Words<'_>| {
            let chain = optional(words).cloned()?;
            let place = words.next_if(|next| next.parse::<u32>().is_ok_and(|place| place > 0));
            Some((chain, place.and_then(|place| place.parse().ok())))
        };
        Ok(Some(match word {
            "-A" | "--append" => Verb::Append(value(words, word)?),
            "-I" | "--insert" => {
                let chain = value(words, word)?;
                let place = optional(words);
                Verb::Insert(chain, place.map_or(Ok(1), |place| rule_number(place))?)
            }
            "-R" | "--replace" => {
                let chain = value(words, word)?;
                let missing = || usage("-R requires a rule number");
                let place = optional(words).ok_or_else(missing)?;
                Verb::Replace(chain, rule_number(place)?)
            }
            "-D" | "--delete" => {
                let chain = value(words, word)?;
                let place = optional(words);
                Verb::Delete(chain, place.map(|place| rule_number(place)).transpose()?)
            }
            "-C" | "--check" => Verb::Check(value(words, word)?),
            "-F" | "--flush" => Verb::Flush(optional(words).cloned()),
            "-Z" | "--zero" => Verb::Zero(chain_and_place(words)),
            "-N" | "--new-chain" => Verb::New(new_name(value(words, word)?)?),
            "-X" | "--delete-chain" => Verb::Remove(optional(words).cloned()),
            "-E" | "--rename-chain" => {
                let missing = || usage("-E requires old-chain-name and new-chain-name");
                let old = value(words, word)?;
                Verb::Rename(old, new_name(optional(words).cloned().ok_or_else(missing)?)?)
            }
            "-P" | "--policy" => {
                let missing = || usage("-P requires a chain and a policy");
                let chain = value(words, word)?;
                Verb::Policy(chain, optional(words).cloned().ok_or_else(missing)?)
            }
            "-V" | "--version" => Verb::Version,
            letters => match list_flags(letters) {
                Some(letters) => {
                    self.style.numeric |= letters.contains('n');
                    self.style.verbose |= letters.contains('v');
                    self.style.exact |= letters.contains('x');
                    match letters.contains('S') {
                        true => Verb::Show(chain_and_place(words)),
                        false => Verb::List(chain_and_place(words)),
                    }
                }
                None => return Ok(None),
            },
        }))
    }

    /// One part of a rule.
    fn part(&mut self, word: &str, not: bool, words: &mut Words<'_>) -> Result<(), Refusal> {
        let twice = |is: bool| match is {
            true => Err(usage(&format!("multiple {word} flags not allowed"))),
            false => Ok(()),
        };
        match word {
            "-s" | "--source" | "--src" => {
                twice(self.sources.is_some())?;
                self.sources = Some((networks(&value(words, word)?, self.family)?, not));
            }
            "-d" | "--destination" | "--dst" => {
                twice(self.destinations.is_some())?;
                self.destinations = Some((networks(&value(words, word)?, self.family)?, not));
            }
            "-p" | "--protocol" | "--proto" => {
                let name = value(words, word)?;
                self.protocol = protocol(&name)?.map(|protocol| (protocol, not));
            }
            "-i" | "--in-interface" | "-o" | "--out-interface" => {
                let incoming = matches!(word, "-i" | "--in-interface");
                let name = device(value(words, word)?)?;
                self.devices.push(Match::Interface { incoming, name, not });
            }
            "-m" | "--match" => self.modules.load(&value(words, word)?)?,
            "-j" | "--jump" | "-g" | "--goto" => {
                twice(self.target.is_some())?;
                let is_goto = matches!(word, "-g" | "--goto");
                self.target = Some(Target::new(value(words, word)?, is_goto));
            }
            "-f" | "--fragment" => return Err(unknown(word)),
            other if other.starts_with("--") => {
                let protocol = self.protocol.map(|(protocol, _)| protocol);
                let of_match = self.modules.take(other, not, protocol, || words.next())?;
                let of_target = match (of_match, &mut self.target) {
                    (None, Some(target)) => target.take(other, || words.next())?,
                    (found, _) => found,
                };
                if of_target.is_none() {
                    return Err(usage(&format!("unknown option \"{other}\"")));
                }
            }
            other if other.starts_with('-') => {
                return Err(usage(&format!("unknown option \"{other}\"")));
            }
            other => {
                let text = format!(
                    "Bad argument `{other}'\nTry `iptables -h' or 'iptables --help' for more information.\n"
                );
                return Err(Refusal { exit: 2, text });
            }
        }
        Ok(())
    }

    /// The rules that the line stands for: one for each pair of addresses.
    fn rules(&self) -> Result<Vec<Rule>, Refusal> {
        let protocol = self.protocol.map(|(protocol, _)| protocol);
        let mut rest = self.devices.clone();
        rest.extend(self.protocol.map(|(protocol, not)| Match::Protocol(protocol, not)));
        rest.extend(self.modules.matches(protocol)?);
        let action = self.target.as_ref().map(|target| target.action(protocol)).transpose()?;
        let ends = |given: &Option<(Vec<IpNet>, bool)>, end: End| -> Vec<Option<Match>> {
            let Some((nets, not)) = given else { return vec![None] };
            let any = |net: &IpNet| net.prefix_len() == 0 && !not;
            let one = |net: &IpNet| Match::Net { end, nets: Arc::from([*net]), not: *not };
            nets.iter().map(|net| (!any(net)).then(|| one(net))).collect()
        };
        let mut rules = Vec::new();
        for source in ends(&self.sources, End::Source) {
            for destination in ends(&self.destinations, End::Destination) {
                let both = source.clone().into_iter().chain(destination);
                let matches = both.chain(rest.iter().cloned()).collect();
                let actions = action.clone().into_iter().collect();
                rules.push(Rule { matches, actions, comment: None });
            }
        }
        Ok(rules)
    }

    fn finish(self) -> Result<Command, Refusal> {
        let (verb, _) = self.verb.clone().ok_or_else(|| usage("no command specified"))?;
        let name = |name: String| -> Arc<str> { Arc::from(name) };
        let place = |it: Option<(String, Option<u32>)>| it.map(|(chain, at)| (name(chain), at));
        let (table, family) = (self.table, self.family);
        let edit = |change| Edit { family, table, change };
        let one = |change| Ok(Command::Edits(vec![edit(change)]));
        let each = |make: &dyn Fn(Rule) -> Change| {
            let rules = self.rules()?.into_iter();
            Ok(Command::Edits(rules.map(|rule| edit(make(rule))).collect()))
        };
        match verb {
            Verb::List(chain) => {
                Ok(Command::List { table, chain: place(chain), style: self.style })
            }
            Verb::Show(chain) => {
                Ok(Command::Show { table, chain: place(chain), verbose: self.style.verbose })
            }
            Verb::Zero(chain) => Ok(Command::Zero { table, chain: place(chain) }),
            Verb::Version => Ok(Command::Version),
            Verb::Append(chain) => {
                let chain = name(chain);
                each(&|rule| Change::Append(chain.clone(), rule))
            }
            Verb::Insert(chain, at) => {
                let chain = name(chain);
                each(&|rule| Change::Insert(chain.clone(), at, rule))
            }
            Verb::Replace(chain, at) => {
                let chain = name(chain);
                each(&|rule| Change::Replace(chain.clone(), at, rule))
            }
            Verb::Delete(chain, Some(at)) => one(Change::DeleteAt(name(chain), at)),
            Verb::Delete(chain, None) => {
                let chain = name(chain);
                each(&|rule| Change::Delete(chain.clone(), rule))
            }
            Verb::Check(chain) => {
                let rule = self.rules()?.into_iter().next().unwrap_or_default();
                Ok(Command::Check(edit(Change::Delete(name(chain), rule))))
            }
            Verb::Flush(chain) => one(Change::Flush(chain.map(name))),
            Verb::New(chain) => one(Change::NewChain(name(chain))),
            Verb::Remove(chain) => one(Change::RemoveChain(chain.map(name))),
            Verb::Rename(old, new) => one(Change::Rename(name(old), name(new))),
            Verb::Policy(chain, policy) => one(Change::Policy(name(chain), name(policy))),
        }
    }
}

/// iptables' tables by their names.
pub(super) fn table(name: &str) -> Result<&'static str, Refusal> {
    let found = super::TABLES.into_iter().find(|own| *own == name);
    found.ok_or_else(|| Refusal {
        exit: 3,
        text: format!(
            "iptables v1.8.9 (nf_tables): table '{name}' does not exist\nPerhaps iptables or your kernel needs to be upgraded.\n"
        ),
    })
}

/// The letters of `-L`, `-nL`, `-Ln`, `-vnL`, `-S`, `-vS` …
fn list_flags(word: &str) -> Option<&str> {
    match word {
        "--list" => return Some("L"),
        "--list-rules" => return Some("S"),
        _ => {}
    }
    let letters = word.strip_prefix('-')?;
    let all_known = letters.chars().all(|letter| "LSnvx".contains(letter));
    (letters.contains(['L', 'S']) && all_known).then_some(letters)
}

fn rule_number(text: &str) -> Result<u32, Refusal> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| usage(&format!("Invalid rule number `{text}'")))
}

/// The longest name of a chain.
const LONGEST_NAME: usize = 28;

fn new_name(name: String) -> Result<String, Refusal> {
    if name.starts_with(['-', '!']) {
        let first = name.chars().next().unwrap_or_default();
        return Err(usage(&format!("chain name not allowed to start with `{first}'")));
    }
    if name.len() > LONGEST_NAME {
        return Err(usage(&format!("chain name `{name}' too long (must be under 29 chars)")));
    }
    Ok(name)
}

fn device(name: String) -> Result<Arc<str>, Refusal> {
    if name.len() > 15 {
        let why = format!("interface name `{name}' must be shorter than IFNAMSIZ (15)");
        return Err(usage(&why));
    }
    Ok(Arc::from(name))
}

/// A protocol by name or number; `None` for any.
fn protocol(name: &str) -> Result<Option<Protocol>, Refusal> {
    const OTHERS: [&str; 8] = ["udplite", "dccp", "esp", "ah", "gre", "igmp", "ipip", "ipv6-icmp"];
    let all = Protocol::OF_SERVICES.into_iter().chain([Protocol::Icmp]);
    let number = name.parse::<u8>().ok();
    let mut all = all.filter(|it| it.name() == name || Some(it.number()) == number);
    match all.next() {
        Some(found) => Ok(Some(found)),
        None if name == "all" || number == Some(0) => Ok(None),
        None if OTHERS.contains(&name) || number.is_some() => Err(unknown(&format!("-p {name}"))),
        None => Err(usage(&format!("unknown protocol \"{name}\" specified"))),
    }
}

/// Networks, parted by commas.
fn networks(text: &str, family: Family) -> Result<Vec<IpNet>, Refusal> {
    let read = |part: &str| {
        let net = network(part).filter(|net| Family::of(net.addr()) == family);
        net.ok_or_else(|| usage(&format!("host/network `{part}' not found")))
    };
    text.split(',').map(read).collect()
}

/// `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.0.0.1`, `localhost`.
fn network(text: &str) -> Option<IpNet> {
    let (ip, length) = text.split_once('/').unwrap_or((text, ""));
    let ip: IpAddr = if ip == "localhost" { "127.0.0.1" } else { ip }.parse().ok()?;
    let net = match (length, length.parse::<IpAddr>()) {
        ("", _) => IpNet::from(ip),
        (_, Ok(mask)) => IpNet::with_netmask(ip, mask).ok()?,
        (length, Err(_)) => IpNet::new(ip, length.parse().ok()?).ok()?,
    };
    Some(net.trunc())
}
