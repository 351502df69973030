//! Following a request through the cluster: name, load balancer, rules, pod, and back.
//!
//! [`Network::send`] is the way in: it carries one request through the rules that kube-proxy's
//! model wrote, and gives back every hop with its reason as data. Sentences are made in `telling`.
//!
//! Invariants: a trace always ends; each hop says where and why; nothing is decided here that the
//! rules decide. The store is only read.
//!
//! Reading order: `request`, `hop`, `front`, `cause`, `cluster`, `kernel`, `network`, `addresses`,
//! `configured`, `path`, `node`, `tunnel`, `refusal`, `enforce`, `policy`,
//! `blame`, `dns`, `names`, `client`, `balancer`, `metallb`, `answer`, `health`, `nginx`,
//! `upstream`, `ingress`, `gateway`, `haproxy`, then what is made of traces: `stages`, `chances`,
//! `beside`, and the views `text` and `json`.

mod addresses;
mod answer;
pub mod balancer;
pub mod beside;
mod blame;
mod cause;
pub mod chances;
mod client;
mod cluster;
mod configured;
pub mod dns;
mod enforce;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod flows;
mod front;
pub mod gateway;
pub mod haproxy;
mod health;
pub mod hop;
mod ingress;
mod json;
mod json_of_proxy;
mod kernel;
pub mod metallb;
pub mod names;
mod network;
pub mod nginx;
mod node;
mod path;
pub mod policy;
#[cfg(test)]
mod property;
mod refusal;
pub mod request;
pub mod stages;
#[cfg(test)]
mod tests;
mod text;
mod text_of_proxy;
mod tunnel;
mod upstream;

pub use crate::container::server;
pub use blame::why_no_endpoints;
pub use cluster::Cluster;
pub use front::{BalancerReason, ProxyReason};
pub use hop::{Cause, Failure, Hop, Manner, Outcome, PacketTrace, Place, Reason, Server};
pub use kernel::Kernel;
pub use network::Network;
pub use request::{CLIENT_ADDRESS, Headers, Request, Source};

use crate::base::Rng;
use crate::net::conntrack::Phase;
use crate::net::dice::Dice;
use crate::net::packet::Endpoint;
use path::{Arrival, Tracer};
use std::net::IpAddr;

/// The time to live that packets begin with on Linux.
const FIRST_TTL: u8 = 64;

impl Network {
    /// Follows a request.
    pub fn send(&mut self, cluster: &Cluster<'_>, request: &Request, rng: &mut Rng) -> PacketTrace {
        self.send_by(cluster, request, Dice::Drawn(rng))
    }

    /// Follows a request with this chance.
    fn send_by(&mut self, cluster: &Cluster<'_>, request: &Request, rng: Dice<'_>) -> PacketTrace {
        self.refresh(cluster);
        let mut tracer = Tracer::new(cluster, self, rng);
        let outcome = match tracer.request(request) {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed(failure),
        };
        let Tracer { hops, examined, waited, forwards, .. } = tracer;
        let ttl = FIRST_TTL.saturating_sub(forwards);
        PacketTrace { request: request.clone(), hops, examined, waited, ttl, outcome }
    }
}

impl Tracer<'_> {
    fn request(&mut self, request: &Request) -> Result<Outcome, Failure> {
        let (destination, arrival) = self.connect(request)?;
        self.ask(request, destination, &arrival)
    }

    /// Opens a connection: finds the address, and who takes the packets that go there.
    fn connect(&mut self, request: &Request) -> Result<(Endpoint, Arrival), Failure> {
        let origin = match &request.from {
            Source::Internet { .. } => None,
            from => Some(self.origin(from)?),
        };
        let ip = match request.host.parse() {
            Ok(ip) => ip,
            Err(_) => self.resolve(request)?,
        };
        let destination = Endpoint { ip, port: request.port };
        let arrival = self.open_from(origin, request, destination)?;
        Ok((destination, arrival))
    }

    /// Asks over an open connection, and carries the answer back.
    fn ask(
        &mut self,
        request: &Request,
        destination: Endpoint,
        arrival: &Arrival,
    ) -> Result<Outcome, Failure> {
        self.proxies = 0;
        let answered = self.answer(request, arrival)?;
        let reply_from = self.reply(arrival)?;
        self.conclude(arrival, Phase::Closed);
        if reply_from != destination {
            return self.fail(Cause::StrangeReply(reply_from), Manner::TimedOut);
        }
        let place = Place::Client(request.from.clone());
        self.hops.push(Hop { place, reason: Reason::Receives, packet: None, is_reply: true });
        let answer::Answered { server, status, body, headers, because } = answered;
        let sees = self.seen_source().unwrap_or(arrival.packet.source.ip);
        Ok(Outcome::Answered { server, status, body, headers, because, sees, reply_from })
    }

    /// The source that the process saw which answered: behind an ingress controller, of the
    /// controller's own connection.
    fn seen_source(&self) -> Option<IpAddr> {
        self.hops.iter().rev().find_map(|hop| match hop.reason {
            Reason::Answers { sees } => Some(sees),
            Reason::Echoes => hop.packet.map(|(packet, _)| packet.source.ip),
            _ => None,
        })
    }
}
