//! Following a request through the cluster: name, load balancer, rules, pod, and back.
//!
//! [`Network::send`] is the way in: it carries one request through the rules that kube-proxy's
//! model wrote, and gives back every hop with its reason as data. Sentences are made elsewhere.
//!
//! Invariants: a trace always ends; each hop says where and why; nothing is decided here that the
//! rules decide. The store is only read.
//!
//! Reading order: `request`, `hop`, `network`, `path`, `node`, `enforce`, `policy`, `blame`, `dns`,
//! `client`, `answer`, `ingress`, then what is made of traces: `chances`, `beside`, and the views
//! `text` and `json`.

mod answer;
pub mod beside;
mod blame;
pub mod chances;
mod client;
pub mod dns;
mod enforce;
#[cfg(test)]
mod fixture;
pub mod hop;
mod ingress;
mod json;
pub mod network;
mod node;
mod path;
pub mod policy;
#[cfg(test)]
mod property;
pub mod request;
#[cfg(test)]
mod tests;
mod text;

pub use crate::container::server;
pub use hop::{Cause, Failure, Hop, Manner, Outcome, PacketTrace, Place, Reason, Server};
pub use network::{Cluster, Network};
pub use request::{CLIENT_ADDRESS, Request, Source};

use crate::base::Rng;
use crate::net::conntrack::Phase;
use crate::net::dice::Dice;
use path::Tracer;

/// The time to live that packets begin with on Linux.
const FIRST_TTL: u8 = 64;

/// As many hops as most traces have, so that their list need not grow.
const USUAL_HOPS: usize = 32;

impl Network {
    /// Follows a request.
    pub fn send(&mut self, cluster: &Cluster<'_>, request: &Request, rng: &mut Rng) -> PacketTrace {
        self.send_by(cluster, request, Dice::Drawn(rng))
    }

    /// Follows a request with this chance.
    fn send_by(&mut self, cluster: &Cluster<'_>, request: &Request, rng: Dice<'_>) -> PacketTrace {
        self.refresh(cluster);
        let mut tracer = Tracer {
            cluster: *cluster,
            network: self,
            rng,
            hops: Vec::with_capacity(USUAL_HOPS),
            examined: 0,
            forwarded_for: None,
            tracked: Vec::new(),
            is_replying: false,
            forwards: 0,
        };
        let outcome = match tracer.request(request) {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed(failure),
        };
        let Tracer { hops, examined, forwards, .. } = tracer;
        let ttl = FIRST_TTL.saturating_sub(forwards);
        PacketTrace { request: request.clone(), hops, examined, ttl, outcome }
    }
}

impl Tracer<'_> {
    fn request(&mut self, request: &Request) -> Result<Outcome, Failure> {
        if !matches!(request.from, Source::Internet { .. }) {
            self.origin(&request.from)?;
        }
        let destination =
            crate::net::packet::Endpoint { ip: self.resolve(request)?, port: request.port };
        let arrival = self.open(request, destination)?;
        let answered = self.answer(request, &arrival)?;
        let reply_from = self.reply(&arrival)?;
        self.conclude(&arrival, Phase::Closed);
        if reply_from != destination {
            return self.fail(Cause::StrangeReply(reply_from), Manner::TimedOut);
        }
        let place = Place::Client(request.from.clone());
        self.hops.push(Hop { place, reason: Reason::Receives, packet: None, is_reply: true });
        let answer::Answered { server, status, body } = answered;
        let sees = arrival.packet.source.ip;
        Ok(Outcome::Answered { server, status, body, sees, reply_from })
    }
}
