//! Traces told in a person's language: a sentence to each hop, why a request failed, what else chance
//! could have done; and all of it as one text or as JSON.
//!
//! The console prints it, and `present` makes the page's stories of it, so that both say the same.
//!
//! Reading order: `sentence` (hops and causes), `rule_sentence`, `sentence_of_proxy`, `draw`,
//! `printed`.

pub mod draw;
mod printed;
mod rule_sentence;
pub mod sentence;
mod sentence_of_proxy;

pub use draw::Lots;
pub use printed::{to_text, to_value};
pub use sentence::{Told, sentence_of_loss};

use crate::net::Packet;
use crate::text::{Lang, Text};
use crate::trace::{Hop, Outcome, PacketTrace, Place, Reason, Server, Source};

/// What was changed in a packet: what, before, after.
pub type Change = (&'static str, String, String);

/// Whether a hop is in a Pod, so that what comes next comes out of it.
pub const fn is_in_pod(hop: &Hop) -> bool {
    matches!(hop.place, Place::Pod(_) | Place::Client(Source::Pod { .. }))
}

/// Whether a hop leads to a chain in which nothing matched: then the next rule that was met is in
/// no chain of that name.
pub fn is_idle(hop: &Hop, next: Option<&Hop>) -> bool {
    let (Place::Rule(node, at), Reason::Rule { matched: true, found, .. }) =
        (&hop.place, &hop.reason)
    else {
        return false;
    };
    let leads_to = match found {
        Some(verdict) => verdict.chain(),
        None => at.rule().and_then(|rule| rule.target()),
    };
    let Some(leads_to) = leads_to else { return false };
    let goes_on = next.is_some_and(|next| match &next.place {
        Place::Rule(on, it) => on == node && it.hook == at.hook && it.chain == *leads_to,
        _ => false,
    });
    !goes_on
}

/// What a hop changed in the packet.
pub fn changes((before, after): (Packet, Packet)) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, (was, is)) in
        ["src", "dst"].into_iter().zip(before.ends().into_iter().zip(after.ends()))
    {
        if was != is {
            changes.push((name, was, is));
        }
    }
    if before.mark != after.mark {
        changes.push(("mark", format!("0x{:x}", before.mark), format!("0x{:x}", after.mark)));
    }
    changes
}

/// How a trace ended: the verdict, and the cause of a failure.
pub fn ending(trace: &PacketTrace, lang: Lang) -> (String, String) {
    match &trace.outcome {
        Outcome::Answered { server, status, sees, because, .. } => {
            let who = match server {
                Server::Pod { pod, .. } => pod.name.to_string(),
                Server::Node(name) => name.to_string(),
                Server::Internet => lang.t(Text::Outside).to_owned(),
            };
            let is_http = *status != 0 && !trace.request.method.is_empty();
            let verdict = match status {
                _ if !is_http => lang.fill(Text::ArrivedPlain, &[("pod", &who)]),
                status => lang.fill(Text::Arrived, &[("pod", &who), ("status", status)]),
            };
            if let Some(because) = because {
                return (verdict, sentence::cause(because, lang));
            }
            let by_proxy = trace.passes_proxy();
            let client =
                trace.hops.iter().find_map(|hop| hop.packet).map(|(packet, _)| packet.source.ip);
            match client.filter(|_| by_proxy) {
                Some(client) => {
                    let values: [(&str, &dyn core::fmt::Display); 3] =
                        [("pod", &who), ("ip", sees), ("client", &client)];
                    (verdict, lang.fill(Text::ArrivedSeesProxy, &values))
                }
                None => (verdict, lang.fill(Text::ArrivedSees, &[("pod", &who), ("ip", sees)])),
            }
        }
        Outcome::Failed(failure) => {
            let verdict = lang.t(sentence::manner(failure.manner)).to_owned();
            (verdict, sentence::cause(&failure.cause, lang))
        }
    }
}
