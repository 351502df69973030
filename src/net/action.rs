//! What a rule does with a packet that fulfils its conditions.

use super::packet::Endpoint;
use super::rule::{Key, Ports};
use std::net::IpAddr;
use std::sync::Arc;

/// What the sender of a refused packet is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reject {
    /// The network cannot be reached.
    NetUnreachable,
    /// The host cannot be reached.
    HostUnreachable,
    /// It does not know the protocol.
    ProtoUnreachable,
    /// Nobody listens on the port.
    #[default]
    PortUnreachable,
    /// The network is forbidden.
    NetProhibited,
    /// The host is forbidden.
    HostProhibited,
    /// Somebody forbids it.
    AdminProhibited,
    /// The connection is reset.
    TcpReset,
}

impl Reject {
    /// All of them.
    pub const ALL: [Reject; 8] = [
        Reject::NetUnreachable,
        Reject::HostUnreachable,
        Reject::ProtoUnreachable,
        Reject::PortUnreachable,
        Reject::NetProhibited,
        Reject::HostProhibited,
        Reject::AdminProhibited,
        Reject::TcpReset,
    ];

    /// The name in iptables.
    pub const fn name(self) -> &'static str {
        match self {
            Reject::NetUnreachable => "icmp-net-unreachable",
            Reject::HostUnreachable => "icmp-host-unreachable",
            Reject::ProtoUnreachable => "icmp-proto-unreachable",
            Reject::PortUnreachable => "icmp-port-unreachable",
            Reject::NetProhibited => "icmp-net-prohibited",
            Reject::HostProhibited => "icmp-host-prohibited",
            Reject::AdminProhibited => "icmp-admin-prohibited",
            Reject::TcpReset => "tcp-reset",
        }
    }

    /// The code of the ICMP message "destination unreachable"; 0 for a reset, which is none.
    ///
    /// Models net/ipv4/netfilter/ipt_REJECT.c reject_tg.
    pub const fn icmp_code(self) -> u8 {
        match self {
            Reject::NetUnreachable | Reject::TcpReset => 0,
            Reject::HostUnreachable => 1,
            Reject::ProtoUnreachable => 2,
            Reject::PortUnreachable => 3,
            Reject::NetProhibited => 9,
            Reject::HostProhibited => 10,
            Reject::AdminProhibited => 13,
        }
    }

    /// What a program is told whose connection could not be made.
    ///
    /// Models net/ipv4/icmp.c icmp_err_convert.
    pub const fn error_text(self) -> &'static str {
        match self {
            Reject::NetUnreachable | Reject::NetProhibited => "Network is unreachable",
            Reject::ProtoUnreachable => "Protocol not available",
            Reject::PortUnreachable | Reject::TcpReset => "Connection refused",
            Reject::HostUnreachable | Reject::HostProhibited | Reject::AdminProhibited => {
                "No route to host"
            }
        }
    }

    /// What ping prints of it.
    ///
    /// Models ping/ping_common.c of iputils pr_icmph.
    pub const fn ping_text(self) -> &'static str {
        match self {
            Reject::NetUnreachable => "Destination Net Unreachable",
            Reject::HostUnreachable => "Destination Host Unreachable",
            Reject::ProtoUnreachable => "Destination Protocol Unreachable",
            Reject::PortUnreachable | Reject::TcpReset => "Destination Port Unreachable",
            Reject::NetProhibited => "Destination Net Prohibited",
            Reject::HostProhibited => "Destination Host Prohibited",
            Reject::AdminProhibited => "Packet filtered",
        }
    }

    /// Whether whoever opens a connection learns that it was refused, and not that there is no way
    /// to the host.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Reject::PortUnreachable | Reject::ProtoUnreachable | Reject::TcpReset)
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
    /// Refused: the sender is told.
    Reject(Reject),
    /// Back to where this chain was jumped to from.
    Return,
}

impl Verdict {
    /// The chain it leads to, if any.
    pub const fn chain(&self) -> Option<&Arc<str>> {
        match self {
            Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain),
            _ => None,
        }
    }
}

/// Which target of iptables a translation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translator {
    /// The destination becomes another.
    Dnat,
    /// The source becomes another.
    Snat,
    /// The source becomes this machine's address on the way out.
    Masquerade,
    /// The destination becomes this machine.
    Redirect,
}

/// How the port of a translated packet is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Randomly {
    /// It stays if it can.
    #[default]
    No,
    /// By a hash.
    Hashed,
    /// By chance.
    Fully,
}

/// A translation of an address as a person writes it, with all that iptables offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Translation {
    /// Of what.
    pub by: Translator,
    /// The new address, or the first of several; none for the translator's own.
    pub first: Option<IpAddr>,
    /// The last of several.
    pub last: Option<IpAddr>,
    /// The new port, or those that it is one of.
    pub ports: Option<Ports>,
    /// How the port is chosen.
    pub randomly: Randomly,
    /// `--persistent`.
    pub is_persistent: bool,
}

impl Translation {
    /// A translation to nothing in particular.
    pub const fn new(by: Translator) -> Self {
        let (first, last, ports) = (None, None, None);
        Translation { by, first, last, ports, randomly: Randomly::No, is_persistent: false }
    }
}

/// What a rule does with a packet that matches.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Decides where it goes on.
    Verdict(Verdict),
    /// Clears the bits of `mask` in the mark and then flips those of `value`.
    Mark {
        /// What is flipped.
        value: u32,
        /// What is cleared before.
        mask: u32,
    },
    /// Translates the destination.
    Dnat(Endpoint),
    /// Translates the destination to one of these, each as likely as the others.
    DnatRandom(Arc<[Endpoint]>),
    /// Translates an address.
    Translate(Arc<Translation>),
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
    /// Writes a line to the kernel's log.
    Log {
        /// What the line begins with.
        prefix: Arc<str>,
        /// How urgent it is, from 0 to 7.
        level: u8,
        /// What more is written, as the kernel's bits.
        flags: u8,
    },
    /// Keeps the packet out of connection tracking.
    NoTrack {
        /// Whether it was written `-j CT --notrack`.
        by_ct: bool,
    },
}

impl Action {
    /// Sets bits of the mark.
    pub const fn set_mark(mark: u32) -> Self {
        Action::Mark { value: mark, mask: mark }
    }

    /// Flips bits of the mark.
    pub const fn flip_mark(mark: u32) -> Self {
        Action::Mark { value: mark, mask: 0 }
    }

    /// Masquerades; kube-proxy has the port chosen by chance.
    pub fn masquerade(randomly: Randomly) -> Self {
        Action::Translate(Arc::new(Translation {
            randomly,
            ..Translation::new(Translator::Masquerade)
        }))
    }
}
