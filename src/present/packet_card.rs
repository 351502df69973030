//! A packet as a card: its header's fields, those that have changed, and what connection tracking
//! has noted of it.

use crate::base::SimTime;
use crate::net::Packet;
use crate::net::conntrack::{Connection, Phase};
use crate::trace::hop::Route;
use crate::trace::{Hop, Place, Reason};
use std::sync::Arc;

/// The hop limit with which Linux sends.
const FIRST_TTL: u8 = 64;

/// A packet to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketCard {
    /// Source, destination, protocol, mark, TTL.
    pub fields: Vec<Field>,
    /// The node whose connection tracking knows it; empty if none does.
    pub tracker: String,
    /// Its entry there as `conntrack -L` prints it.
    pub entry: String,
    /// Whether it is an answer.
    pub is_reply: bool,
}

/// A field of a packet's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, as rules call it.
    pub name: &'static str,
    /// What it was when the packet came to this stage, if that has changed.
    pub before: Option<String>,
    /// What it is.
    pub now: String,
}

/// What is remembered from hop to hop.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    ttl: u8,
    was_reply: bool,
    /// Where the answer was last.
    on: Option<Arc<str>>,
    /// What each node has noted, the newest last.
    noted: Vec<(Arc<str>, Connection)>,
}

impl Reading {
    /// Reads the next hop; gives the packet's hop limit after it.
    ///
    /// Simplified: routers between client and cluster take nothing off.
    pub(super) fn read(&mut self, hop: &Hop) -> u8 {
        let begins = matches!(hop.reason, Reason::Sends)
            || (hop.balancer_reason().is_some() && hop.turns_source())
            || (hop.is_reply && !self.was_reply);
        if begins {
            (self.ttl, self.on) = (FIRST_TTL, None);
        }
        self.was_reply = hop.is_reply;
        let node = node_of(&hop.place);
        let forwards = match &hop.reason {
            Reason::Routes(route) => *route != Route::Local,
            // Of an answer no routing is told: each node that it passes forwards it.
            Reason::Rejects { .. } => false,
            _ => hop.is_reply && node.is_some() && node != self.on.as_ref(),
        };
        if hop.is_reply {
            self.on = node.cloned().or_else(|| self.on.take());
        }
        self.ttl = self.ttl.saturating_sub(u8::from(forwards));
        if let (Reason::Tracks, Some(node), Some((before, after))) =
            (&hop.reason, node, &hop.packet)
        {
            let connection = Connection::new(before, after, SimTime::default());
            self.noted.push((node.clone(), connection));
        }
        self.ttl
    }

    /// The card of a packet that came to its stage as `first` with the hop limit `first_ttl`.
    pub(super) fn card(&self, hop: &Hop, first: (&Packet, u8)) -> Option<PacketCard> {
        let (_, now) = hop.packet.as_ref()?;
        // The hop at which an entry is noted tells of the whole connection, not of a change.
        let (before, first_ttl) = first;
        let field = |name, was: String, is: String| {
            let before = (was != is).then_some(was);
            Field { name, before, now: is }
        };
        let mark = |packet: &Packet| match packet.mark {
            0 => "0".to_owned(),
            mark => format!("{mark:#x}"),
        };
        let ([was_source, was_destination], [source, destination]) = (before.ends(), now.ends());
        let fields = vec![
            field("src", was_source, source),
            field("dst", was_destination, destination),
            field("proto", before.protocol.to_string(), now.protocol.to_string()),
            field("mark", mark(before), mark(now)),
            field("ttl", first_ttl.to_string(), self.ttl.to_string()),
        ];
        let node = node_of(&hop.place);
        let known = self.noted.iter().rev().find(|(on, _)| Some(on) == node);
        let entry = known.map(|(_, connection)| {
            let mut connection = *connection;
            if hop.is_reply && now.refusal.is_none() {
                connection.advance(Phase::Established, SimTime::default());
            }
            connection.line(false, SimTime::default()).trim_end().to_owned()
        });
        Some(PacketCard {
            fields,
            tracker: known.map(|(on, _)| on.to_string()).unwrap_or_default(),
            entry: entry.unwrap_or_default(),
            is_reply: hop.is_reply,
        })
    }
}

/// The node on which a hop is.
pub(super) const fn node_of(place: &Place) -> Option<&Arc<str>> {
    match place {
        Place::Node(name)
        | Place::Rule(name, _)
        | Place::VirtualServer(name, _)
        | Place::Device(name, _) => Some(name),
        _ => None,
    }
}
