//! The target of a rule as a command line has it.

use super::command::{Refusal, unknown, usage};
use super::list::log_level;
use super::options::{integer, mark};
use super::save::{LOG_FLAGS, LOG_WARNING};
use crate::net::Protocol;
use crate::net::rule::{Action, Ports, Randomly, Reject, Translation, Translator, Verdict};
use std::net::IpAddr;
use std::sync::Arc;

/// The options of targets: the target, the option, and whether a value follows.
const OPTIONS: [(&str, &str, bool); 24] = [
    ("REJECT", "--reject-with", true),
    ("LOG", "--log-prefix", true),
    ("LOG", "--log-level", true),
    ("LOG", "--log-tcp-sequence", false),
    ("LOG", "--log-tcp-options", false),
    ("LOG", "--log-ip-options", false),
    ("LOG", "--log-uid", false),
    ("MARK", "--set-xmark", true),
    ("MARK", "--set-mark", true),
    ("MARK", "--or-mark", true),
    ("MARK", "--and-mark", true),
    ("MARK", "--xor-mark", true),
    ("CT", "--notrack", false),
    ("DNAT", "--to-destination", true),
    ("DNAT", "--random", false),
    ("DNAT", "--persistent", false),
    ("SNAT", "--to-source", true),
    ("SNAT", "--random", false),
    ("SNAT", "--random-fully", false),
    ("SNAT", "--persistent", false),
    ("MASQUERADE", "--to-ports", true),
    ("MASQUERADE", "--random", false),
    ("MASQUERADE", "--random-fully", false),
    ("REDIRECT", "--to-ports", true),
];

/// Targets that iptables has and this model has not.
const OTHER_TARGETS: [&str; 24] = [
    "AUDIT",
    "CHECKSUM",
    "CLASSIFY",
    "CLUSTERIP",
    "CONNMARK",
    "CONNSECMARK",
    "DSCP",
    "ECN",
    "HMARK",
    "IDLETIMER",
    "LED",
    "NETMAP",
    "NFLOG",
    "NFQUEUE",
    "QUEUE",
    "RATEEST",
    "SECMARK",
    "SET",
    "SYNPROXY",
    "TCPMSS",
    "TEE",
    "TOS",
    "TPROXY",
    "TRACE",
];

/// A target with its options.
#[derive(Clone, Debug)]
pub(super) struct Target {
    name: String,
    is_goto: bool,
    given: Vec<(&'static str, String)>,
}

impl Target {
    /// `-j NAME`, `-g CHAIN`.
    pub(super) const fn new(name: String, is_goto: bool) -> Self {
        Target { name, is_goto, given: Vec::new() }
    }

    /// Takes an option with its value; `None` if the target has no such option.
    pub(super) fn take<'a>(
        &mut self,
        word: &str,
        mut next: impl FnMut() -> Option<&'a String>,
    ) -> Result<Option<()>, Refusal> {
        let own = OPTIONS.iter().filter(|(target, ..)| *target == self.name);
        let own: Vec<_> = own.filter(|(_, flag, _)| flag.starts_with(word)).collect();
        let exact = own.iter().find(|(_, flag, _)| *flag == word);
        let Some((_, flag, has_value)) = exact.or_else(|| own.first()).filter(|_| word.len() > 3)
        else {
            return Ok(None);
        };
        let value = match has_value {
            true => {
                let missing = || usage(&format!("option \"{word}\" requires an argument"));
                next().cloned().ok_or_else(missing)?
            }
            false => String::new(),
        };
        self.given.push((flag, value));
        Ok(Some(()))
    }

    fn value(&self, flag: &str) -> Option<&str> {
        self.given.iter().find(|(own, _)| *own == flag).map(|(_, value)| value.as_str())
    }

    /// What the rule does then.
    pub(super) fn action(&self, protocol: Option<Protocol>) -> Result<Action, Refusal> {
        let verdict = match self.name.as_str() {
            chain if self.is_goto => Verdict::Goto(Arc::from(chain)),
            "ACCEPT" => Verdict::Accept,
            "DROP" => Verdict::Drop,
            "RETURN" => Verdict::Return,
            "REJECT" => Verdict::Reject(self.reject()?),
            "LOG" => return self.log(),
            "MARK" => return self.mark(),
            "NOTRACK" => return Ok(Action::NoTrack { by_ct: false }),
            "CT" if self.value("--notrack").is_some() => {
                return Ok(Action::NoTrack { by_ct: true });
            }
            "CT" => return Err(unknown("-j CT")),
            "DNAT" => return self.translation(Translator::Dnat, protocol),
            "SNAT" => return self.translation(Translator::Snat, protocol),
            "MASQUERADE" => return self.translation(Translator::Masquerade, protocol),
            "REDIRECT" => return self.translation(Translator::Redirect, protocol),
            other if OTHER_TARGETS.contains(&other) => return Err(unknown(&format!("-j {other}"))),
            chain => Verdict::Jump(Arc::from(chain)),
        };
        Ok(Action::Verdict(verdict))
    }

    fn reject(&self) -> Result<Reject, Refusal> {
        let Some(text) = self.value("--reject-with") else { return Ok(Reject::default()) };
        // Old names, and beginnings of names, are understood too.
        let short = |reject: &Reject| {
            let name = reject.name().trim_start_matches("icmp-");
            let cut = name.replace("unreachable", "unreach").replace("prohibited", "prohib");
            match reject {
                Reject::TcpReset => "tcp-rst".to_owned(),
                _ => cut.replace("unreachable", "unreach"),
            }
        };
        let mut all = Reject::ALL.iter();
        let found = all.find(|reject| {
            !text.is_empty() && (reject.name().starts_with(text) || short(reject) == text)
        });
        found.copied().ok_or_else(|| usage(&format!("unknown reject type \"{text}\"")))
    }

    fn log(&self) -> Result<Action, Refusal> {
        let level = match self.value("--log-level") {
            Some(text) => {
                log_level(text).ok_or_else(|| usage(&format!("log level \"{text}\" unknown\n")))?
            }
            None => LOG_WARNING,
        };
        let has = |name: &str| self.value(&format!("--log-{name}")).is_some();
        let flags = LOG_FLAGS.iter().filter(|(_, name)| has(name)).map(|(bit, _)| bit).sum();
        let prefix = Arc::from(self.value("--log-prefix").unwrap_or_default());
        Ok(Action::Log { prefix, level, flags })
    }

    fn mark(&self) -> Result<Action, Refusal> {
        let Some((flag, text)) = self.given.first() else {
            return Err(usage(
                "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required",
            ));
        };
        let bad = || {
            let why = format!("MARK: bad integer value for option \"{flag}\", or out of range.\n");
            usage(&why)
        };
        let one = || integer(text).ok_or_else(bad);
        let (value, mask) = match *flag {
            "--or-mark" => (one()?, one()?),
            "--and-mark" => (0, !one()?),
            "--xor-mark" => (one()?, 0),
            "--set-mark" => {
                let (value, mask) = mark(text).ok_or_else(bad)?;
                (value, mask | value)
            }
            _ => mark(text).ok_or_else(bad)?,
        };
        Ok(Action::Mark { value, mask })
    }

    fn translation(&self, by: Translator, protocol: Option<Protocol>) -> Result<Action, Refusal> {
        let mut it = Translation::new(by);
        it.randomly = match () {
            () if self.value("--random-fully").is_some() => Randomly::Fully,
            () if self.value("--random").is_some() => Randomly::Hashed,
            () => Randomly::No,
        };
        it.is_persistent = self.value("--persistent").is_some();
        let flag = match by {
            Translator::Dnat => "--to-destination",
            Translator::Snat => "--to-source",
            Translator::Masquerade | Translator::Redirect => "--to-ports",
        };
        let given = self.value(flag);
        let addressed = matches!(by, Translator::Dnat | Translator::Snat);
        if addressed && given.is_none() {
            let why = format!("{}: option \"{flag}\" must be specified\n", self.name);
            return Err(usage(&why));
        }
        let text = given.unwrap_or_default();
        let (addresses, ports) = match text.split_once(':').filter(|_| addressed) {
            Some((addresses, ports)) => (addresses, Some(ports)),
            None if addressed => (text, None),
            None => ("", given),
        };
        if let Some(ports) = ports {
            it.ports = Some(port_range(ports, addressed)?);
            if !protocol.is_some_and(Protocol::has_ports) {
                return Err(usage("Need TCP, UDP, SCTP or DCCP with port specification"));
            }
        }
        if !addresses.is_empty() {
            let (first, last) = addresses.split_once('-').unwrap_or((addresses, ""));
            it.first = Some(address(first)?);
            it.last = if last.is_empty() { None } else { Some(address(last)?) };
        }
        // What kube-proxy writes too is kept as kube-proxy's model has it.
        match (by, it.first, it.last, it.ports, it.randomly, it.is_persistent) {
            (Translator::Dnat, Some(ip), None, Some(ports), Randomly::No, false)
                if ports.first == ports.last =>
            {
                Ok(Action::Dnat(crate::net::packet::Endpoint { ip, port: ports.first }))
            }
            _ => Ok(Action::Translate(Arc::new(it))),
        }
    }
}

fn address(text: &str) -> Result<IpAddr, Refusal> {
    text.parse().map_err(|_| usage(&format!("Bad IP address \"{text}\"")))
}

/// `80`, `80-90`.
fn port_range(text: &str, addressed: bool) -> Result<Ports, Refusal> {
    let one = |text: &str| {
        let bad = || match addressed {
            true => usage(&format!("Port `{text}' not valid")),
            false => usage("Invalid port:port syntax - use dash"),
        };
        text.parse::<u16>().map_err(|_| bad())
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (one(first)?, one(last)?);
    Ok(Ports { first, last })
}
