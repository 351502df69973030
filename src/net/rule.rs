//! Rules: what a packet must be like, and what is then done with it.

pub use super::action::{Action, Randomly, Reject, Translation, Translator, Verdict};

use super::packet::{Endpoint, Packet, Protocol, State};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// One end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Source.
    Source,
    /// Destination.
    Destination,
}

/// What of a packet a set is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Source address.
    Source,
    /// Destination address.
    Destination,
    /// Destination port (ipset's port sets hold one protocol each).
    Port,
    /// Protocol and destination port.
    ProtocolPort,
    /// Destination address, protocol and destination port.
    DestinationPort,
    /// Destination address, protocol, destination port and source address.
    DestinationPortSource,
    /// Source and destination address, protocol and destination port.
    Hairpin,
}

/// Several states of connections at once; that an address is translated counts as a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct States(u8);

impl States {
    /// None.
    pub const NONE: States = States(0);
    /// The first packet of a connection.
    pub const NEW: States = States(1 << 1);
    /// A packet of a connection that has been seen, or of one that it announced.
    pub const KNOWN: States = States(1 << 2 | 1 << 3);
    /// Fits no connection.
    pub const INVALID: States = States(1);
    /// The destination is translated.
    pub const DNAT: States = States(1 << 6);
    /// All by their names in iptables, in the order in which it shows them.
    const NAMES: [&'static str; 7] =
        ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"];

    /// What is in one or the other.
    #[must_use]
    pub const fn or(self, other: States) -> States {
        States(self.0 | other.0)
    }

    /// Whether both have something in common.
    pub const fn meets(self, other: States) -> bool {
        self.0 & other.0 != 0
    }

    /// The state of a name in iptables; `None` for any other word.
    pub fn parse(name: &str) -> Option<Self> {
        let place = States::NAMES.iter().position(|own| *own == name)?;
        Some(States(1u8.checked_shl(u32::try_from(place).ok()?)?))
    }

    /// What a packet's connection is in.
    pub const fn of(packet: &Packet) -> Self {
        let state = match packet.state {
            State::Invalid => 1,
            State::New => 1 << 1,
            State::Related => 1 << 2,
            State::Established => 1 << 3,
            State::Untracked => 1 << 4,
        };
        States(state | (packet.snat as u8) << 5 | (packet.dnat as u8) << 6)
    }

    /// The names in iptables.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let numbered = States::NAMES.iter().zip(0u32..);
        numbered.filter(move |(_, bit)| self.0 >> bit & 1 == 1).map(|(name, _)| *name)
    }
}

/// Ports from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl Ports {
    /// One port.
    pub const fn one(port: u16) -> Self {
        Ports { first: port, last: port }
    }

    /// Whether a port is among them.
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

/// Which port of a packet `multiport` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortOf {
    /// The source's.
    Source,
    /// The destination's.
    Destination,
    /// Either.
    Either,
}

/// What `recent` does with its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recent {
    /// Notes the address; always matches.
    Set,
    /// Matches if it is noted.
    Check,
    /// The same, and notes it anew.
    Update,
    /// Matches if it is noted, and strikes it out.
    Remove,
}

/// A condition of a rule. In iptables the order of a rule's conditions is the one in which the
/// rule was written; it is kept, since it is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// The address at one end is within a network, or `not`.
    Net {
        /// Which end.
        end: End,
        /// The networks, more than one only in nftables.
        nets: Arc<[IpNet]>,
        /// Whether it must be outside of them.
        not: bool,
    },
    /// The address at one end is between two, or `not` (`-m iprange`).
    Range {
        /// Which end.
        end: End,
        /// The first.
        first: IpAddr,
        /// The last.
        last: IpAddr,
        /// Whether it must be outside of them.
        not: bool,
    },
    /// The protocol (`-p tcp`, `meta l4proto tcp`), or `not`.
    Protocol(Protocol, bool),
    /// iptables' extension for a protocol with nothing asked of it (`-m tcp`).
    Extension(Protocol),
    /// The port at one end (`-m tcp --dport 80`), or `not`.
    Port {
        /// The protocol.
        protocol: Protocol,
        /// Which end.
        end: End,
        /// The ports.
        ports: Ports,
        /// Whether it must be none of them.
        not: bool,
    },
    /// A port is one of several (`-m multiport`), or `not`.
    AnyPort {
        /// Whose.
        of: PortOf,
        /// The ports.
        ports: Arc<[Ports]>,
        /// Whether it must be none of them.
        not: bool,
    },
    /// Of the flags in `mask` just those in `set` are there (`--tcp-flags`), or `not`.
    Flags {
        /// The flags that are looked at.
        mask: u8,
        /// Those that must be set.
        set: u8,
        /// Whether it must not be so.
        not: bool,
    },
    /// The type of an ICMP message, 255 for any, and perhaps its code, or `not`.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: Option<u8>,
        /// Whether it must be another.
        not: bool,
    },
    /// The device by which it came in, or by which it leaves, or `not`.
    Interface {
        /// Whether the one it came in by is meant.
        incoming: bool,
        /// The device's name; a `+` at its end stands for anything.
        name: Arc<str>,
        /// Whether it must be another.
        not: bool,
    },
    /// The connection's state is one of these, or `not`.
    State {
        /// States.
        states: States,
        /// Whether it must be none of them.
        not: bool,
        /// Whether it is asked for by `-m state` instead of `-m conntrack`.
        by_state: bool,
    },
    /// The bits of `mask` are those of `mark`, or `not`.
    Mark {
        /// The bits as they must be.
        mark: u32,
        /// Which are looked at.
        mask: u32,
        /// Whether they must not be so.
        not: bool,
    },
    /// The address at one end is one of this machine's own, or `not`.
    Local(End, bool),
    /// Did not come over one of this machine's bridges (`-m physdev ! --physdev-is-in`).
    NotBridged,
    /// Belongs to a connection to a virtual server (`-m ipvs`).
    VirtualServer {
        /// The server's address.
        address: Endpoint,
        /// The server's protocol.
        protocol: Protocol,
    },
    /// Counts the packet; always matches.
    Account(&'static str),
    /// Matches by chance (`-m statistic --mode random`), or `not`.
    Chance {
        /// How many of `among` lots win.
        wins: u32,
        /// How many lots there are: kube-proxy writes one in as many as there are rules left.
        among: u32,
        /// Times 2^31, as the kernel holds it.
        probability: u32,
        /// Whether the lots must lose.
        not: bool,
    },
    /// Matches one packet of `every` that come by (`-m statistic --mode nth`), or `not`.
    Turn {
        /// Of how many.
        every: u32,
        /// Which one, from 0.
        packet: u32,
        /// Whether all the others match.
        not: bool,
    },
    /// Matches at most so often (`-m limit`).
    Limit {
        /// How often.
        count: u32,
        /// In how many seconds: of a second, a minute, an hour or a day.
        seconds: u32,
        /// How many more at once after a pause.
        burst: u32,
    },
    /// Looks an address up in a list of those seen lately (`-m recent`), or `not`.
    Recent {
        /// The list's name.
        list: Arc<str>,
        /// What is done with it.
        what: Recent,
        /// Within how many seconds it must have been seen; 0 for ever.
        seconds: u32,
        /// How often it must have been seen then; 0 for once.
        hits: u32,
        /// Whether older entries are thrown away.
        reap: bool,
        /// Which end's address.
        end: End,
        /// Whether it must not be so.
        not: bool,
    },
    /// A set holds what `key` takes of the packet.
    InSet {
        /// The set's name.
        set: Arc<str>,
        /// What is looked for.
        key: Key,
    },
    /// A remark where iptables has it among the conditions; always matches.
    Comment(Arc<str>),
}

impl Match {
    /// The address at `end` is within `net`.
    pub fn net(end: End, net: IpNet) -> Self {
        Match::Net { end, nets: Arc::from([net]), not: false }
    }

    /// The address at `end` is outside of `net`.
    pub fn not_net(end: End, net: IpNet) -> Self {
        Match::Net { end, nets: Arc::from([net]), not: true }
    }

    /// The packet goes to this address.
    pub fn to(ip: IpAddr) -> Self {
        Match::net(End::Destination, IpNet::from(ip))
    }

    /// The packet goes to this port.
    pub const fn to_port(protocol: Protocol, port: u16) -> Self {
        Match::Port { protocol, end: End::Destination, ports: Ports::one(port), not: false }
    }

    /// The packet is of this protocol.
    pub const fn protocol(protocol: Protocol) -> Self {
        Match::Protocol(protocol, false)
    }

    /// The connection is in one of these states.
    pub const fn states(states: States) -> Self {
        Match::State { states, not: false, by_state: false }
    }

    /// It is the first packet of its connection.
    pub const fn is_new() -> Self {
        Match::states(States::NEW)
    }

    /// The bits of `mark` are set, or `not`.
    pub const fn marked(mark: u32, not: bool) -> Self {
        Match::Mark { mark, mask: mark, not }
    }

    /// The address at `end` is this machine's own.
    pub const fn local(end: End) -> Self {
        Match::Local(end, false)
    }

    /// Looks for the source in a list, as kube-proxy does for affinity.
    pub const fn seen(list: Arc<str>, seconds: u32) -> Self {
        let (what, end) = (Recent::Check, End::Source);
        Match::Recent { list, what, seconds, hits: 0, reap: true, end, not: false }
    }

    /// Notes the source in a list.
    pub const fn remember(list: Arc<str>) -> Self {
        let (what, end) = (Recent::Set, End::Source);
        Match::Recent { list, what, seconds: 0, hits: 0, reap: false, end, not: false }
    }

    /// One of `among` rules, each as likely as the others.
    ///
    /// Models pkg/proxy/iptables/proxier.go computeProbability, and what the kernel keeps of its
    /// ten decimals.
    pub fn one_in(among: u32) -> Self {
        const DECIMALS: u128 = 10_000_000_000;
        let divisor = u128::from(among.max(1));
        let decimal = (DECIMALS + divisor / 2) / divisor;
        let probability = ((decimal << 31) + DECIMALS / 2) / DECIMALS;
        let probability = u32::try_from(probability).unwrap_or(u32::MAX);
        Match::Chance { wins: 1, among, probability, not: false }
    }
}

/// A rule: if a packet fulfils all conditions, the actions are done in turn.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Rule {
    /// Conditions.
    pub matches: Vec<Match>,
    /// Actions.
    pub actions: Vec<Action>,
    /// A remark at the end of the rule (nftables).
    pub comment: Option<Arc<str>>,
}

impl Rule {
    /// A rule with one action.
    pub fn new(matches: Vec<Match>, action: Action) -> Self {
        Rule { matches, actions: vec![action], comment: None }
    }

    /// A rule that jumps to a chain.
    pub fn jump(matches: Vec<Match>, chain: &Arc<str>) -> Self {
        Rule::new(matches, Action::Verdict(Verdict::Jump(chain.clone())))
    }

    /// A rule that goes to a chain.
    pub fn goto(matches: Vec<Match>, chain: &Arc<str>) -> Self {
        Rule::new(matches, Action::Verdict(Verdict::Goto(chain.clone())))
    }

    /// A rule with a verdict.
    pub fn verdict(matches: Vec<Match>, verdict: Verdict) -> Self {
        Rule::new(matches, Action::Verdict(verdict))
    }

    /// The same rule with a remark at its end.
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.comment = Some(Arc::from(comment));
        self
    }

    /// The chain that it leads to, if any.
    pub fn target(&self) -> Option<&Arc<str>> {
        self.actions.iter().find_map(|action| match action {
            Action::Verdict(verdict) => verdict.chain(),
            _ => None,
        })
    }

    /// Leads to `new` where it led to `old`.
    pub fn rename_target(&mut self, old: &str, new: &Arc<str>) {
        for action in &mut self.actions {
            if let Action::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain)) = action
                && **chain == *old
            {
                *chain = new.clone();
            }
        }
    }

    /// The protocol that it asks for, if it asks for one.
    pub fn protocol(&self) -> Option<Protocol> {
        self.matches.iter().find_map(|condition| match condition {
            Match::Protocol(protocol, false) => Some(*protocol),
            _ => None,
        })
    }
}
