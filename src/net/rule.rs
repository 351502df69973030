//! Rules: what a packet must be like, and what is then done with it.

use super::packet::{Endpoint, Protocol, State};
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
    /// The protocol (`-p tcp`, `meta l4proto tcp`).
    Protocol(Protocol),
    /// iptables' extension for a protocol with nothing asked of it (`-m tcp`).
    Extension(Protocol),
    /// The destination port (`-m tcp --dport 80`).
    DestinationPort(Protocol, u16),
    /// The connection's state is one of these, or `not`; `dnat` counts as a state in iptables.
    State {
        /// States.
        states: &'static [State],
        /// Whether a translated destination counts too.
        dnat: bool,
        /// Whether it must be none of them.
        not: bool,
    },
    /// The destination was translated (`ct status dnat`).
    Translated,
    /// The bits of `mark` are all set, or `not`.
    Mark {
        /// The bits.
        mark: u32,
        /// Whether they must not be.
        not: bool,
    },
    /// The address at one end is one of this machine's own.
    Local(End),
    /// Comes neither from this machine nor over one of its bridges.
    FromOutside,
    /// Belongs to a connection to a virtual server (`-m ipvs`).
    VirtualServer {
        /// The server's address.
        address: Endpoint,
        /// The server's protocol.
        protocol: Protocol,
    },
    /// Counts the packet; always matches.
    Account(&'static str),
    /// Matches by chance: `probability` of 2^31.
    Chance {
        /// Of how many rules this is the first, as kube-proxy writes it: one in `among`.
        among: u32,
        /// Times 2^31, as the kernel holds it.
        probability: u32,
    },
    /// The source was seen here less than so many seconds ago (`-m recent --rcheck`).
    SeenRecently {
        /// The list's name.
        list: Arc<str>,
        /// Seconds.
        seconds: u32,
    },
    /// Notes the source in a list (`-m recent --set`); always matches.
    Remember {
        /// The list's name.
        list: Arc<str>,
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

    /// It is the first packet of its connection.
    pub const fn is_new() -> Self {
        Match::State { states: &[State::New], dnat: false, not: false }
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
        Match::Chance { among, probability: u32::try_from(probability).unwrap_or(u32::MAX) }
    }
}

/// Where a packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Through a chain, and back here if that chain does not decide.
    Jump(Arc<str>),
    /// Through a chain, and back to where this chain was jumped to from.
    Goto(Arc<str>),
    /// Let pass.
    Accept,
    /// Thrown away in silence.
    Drop,
    /// Refused: the sender is told that the port is unreachable.
    Reject,
    /// Back to where this chain was jumped to from.
    Return,
}

/// What a rule does with a packet that matches.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Decides where it goes on.
    Verdict(Verdict),
    /// Sets bits of the mark.
    SetMark(u32),
    /// Flips bits of the mark.
    FlipMark(u32),
    /// Translates the destination.
    Dnat(Endpoint),
    /// Translates the destination to one of these, each as likely as the others.
    DnatRandom(Arc<[Endpoint]>),
    /// Translates the source to the address of this machine on the way out.
    Masquerade,
    /// Goes where a map says for what `key` takes of the packet, if it says anything.
    Lookup {
        /// What is looked up.
        key: Key,
        /// The map's name.
        map: Arc<str>,
    },
    /// Goes to one of these chains, each as likely as the others.
    GotoRandom(Arc<[Arc<str>]>),
    /// Notes the source in a set with a timeout.
    Remember(Arc<str>),
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
}
