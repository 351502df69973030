//! What HAProxy does with a connection: it takes the next server of its file, and tries it.

use super::{ADDRESS, Config, Pool, Server};
use crate::api::Kind;
use crate::api::tree::Tree as _;
use crate::net::conntrack::Phase;
use crate::net::dice::{Dice, Path};
use crate::net::packet::Endpoint;
use crate::net::{Packet, Protocol};
use crate::trace::answer::Answered;
use crate::trace::front::BalancerReason;
use crate::trace::hop::{BalancerCause, Cause, Failure, Manner, Place, Reason, Server as Who};
use crate::trace::path::{Arrival, Entrance, Tracer};
use crate::trace::request::{Headers, Request, Source};
use crate::trace::{Cluster, Network};
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

const PAGE_503: &str = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n";
/// How long it waits before it tries a server again that has refused.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether a server is up, as far as its checks know.
///
/// Simplified: what a check finds of a port it knows at once; a machine that falls silent, or is
/// there again, after as many checks as it takes.
pub(in crate::trace) fn is_up(cluster: &Cluster<'_>, network: &Network, server: &Server) -> bool {
    let Some(check) = server.check else { return true };
    let machine = network.node_at(server.to.ip).and_then(|name| cluster.nodes.get(name));
    let since = machine.map(|machine| cluster.now.since(machine.since));
    let recent =
        |count: u32| since.is_some_and(|since| since < check.interval.saturating_mul(count));
    match machine {
        Some(machine) if !machine.up => recent(check.fall),
        Some(_) if recent(check.rise) => false,
        _ => takes(cluster, network, server.to),
    }
}

/// Whether somebody takes a connection there, tried without leaving a trace.
fn takes(cluster: &Cluster<'_>, network: &Network, to: Endpoint) -> bool {
    let (mut network, mut path) = (network.clone(), Path::default());
    let mut tracer = Tracer::new(cluster, &mut network, Dice::Followed(&mut path));
    let client = Source::Internet { ip: IpAddr::from(ADDRESS) };
    let request = Request::connect(client, &to.ip.to_string(), to.port, Protocol::Tcp);
    tracer.try_server(&request, to).is_ok()
}

impl Network {
    /// The servers of a file that are up as far as it knows.
    pub fn servers_up(&self, cluster: &Cluster<'_>, pool: &Pool) -> Vec<bool> {
        pool.servers.iter().map(|server| is_up(cluster, self, server)).collect()
    }
}

/// The nodes for other than the control plane that no line leads to.
pub fn unlisted(cluster: &Cluster<'_>, network: &Network, config: &Config) -> Vec<Arc<str>> {
    let listed = |name: &Arc<str>| {
        let servers = config.pools.iter().flat_map(|pool| &pool.servers);
        servers.into_iter().any(|server| network.node_at(server.to.ip) == Some(name))
    };
    let nodes = cluster.store.list(Kind::Node).filter(|node| {
        node.meta.labels.get("node-role.kubernetes.io/control-plane").is_none()
            && !node.spec().items_at(&["taints"]).iter().any(|taint| {
                taint.str_at(&["key"]) == Some("node-role.kubernetes.io/control-plane")
            })
    });
    nodes.map(|node| node.meta.name.clone()).filter(|name| !listed(name)).collect()
}

impl Tracer<'_> {
    /// What the machine does with a connection.
    pub(in crate::trace) fn by_hand(
        &mut self,
        request: &Request,
        arrival: &Arrival,
        config: &Config,
    ) -> Result<Answered, Failure> {
        let (packet, port) = (arrival.packet, arrival.packet.destination.port);
        let place = Place::LoadBalancer(packet.destination.ip);
        let Some(pool) = config.pool(port) else {
            let cause = BalancerCause::NoFrontend { offered: config.ports(), port };
            return self.refuses(place, arrival, Cause::Balancer(cause));
        };
        let up = self.network.servers_up(&self.cluster, pool);
        let alive = pool.servers.iter().zip(&up).filter(|(_, up)| **up).map(|(server, _)| server);
        let (backups, usual): (Vec<&Server>, Vec<&Server>) = alive.partition(|it| it.is_backup);
        let rotation = if usual.is_empty() { backups } else { usual };
        let count = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
        let down = count(up.iter().filter(|up| !**up).count());
        let Some(first) = self.next_server(pool, &rotation) else {
            self.hop(place, Reason::Enters, Some((packet, packet)));
            return self
                .gives_up(pool, BalancerCause::AllDown { count: count(pool.servers.len()) });
        };
        let unlisted = count(unlisted(&self.cluster, self.network, config).len());
        let mut server = first;
        loop {
            let reason = BalancerReason::HandBalances {
                server: server.name.clone(),
                to: server.to,
                among: count(rotation.len()),
                down,
                unlisted,
            };
            self.balancer_hop(place.clone(), reason, (packet, packet));
            let to = match server.to.port {
                0 => Endpoint { port, ..server.to },
                _ => server.to,
            };
            let failure = match self.try_server(&forwarded(pool, request, &packet), to) {
                Ok(answered) => return Ok(answered),
                Err(failure) => failure,
            };
            let is_refused = failure.manner == Manner::Refused;
            let each = if is_refused { PAUSE } else { pool.connect };
            let others = rotation.iter().find(|it| it.name != first.name);
            let again = others.filter(|_| pool.redispatches && server.name == first.name);
            // With another server to go to, the last try is its own.
            let tries = match (again, is_refused) {
                (None, false) => pool.retries + 1,
                _ => pool.retries,
            };
            let waited = each.saturating_mul(tries);
            self.waited += waited;
            let Some(next) = again else {
                let cause = BalancerCause::ByHand {
                    server: server.name.clone(),
                    to,
                    cause: Box::new(failure.cause),
                };
                return self.gives_up(pool, cause);
            };
            let seconds = u32::try_from(waited.as_secs()).unwrap_or(u32::MAX);
            let (name, manner) = (server.name.clone(), failure.manner);
            let reason = BalancerReason::HandFails { server: name, to, manner, seconds };
            let reason = Reason::Balancer(Box::new(reason));
            self.hop(place.clone(), reason, None);
            server = next;
        }
    }

    /// The server whose turn it is.
    ///
    /// Simplified: one of a higher weight has its turns one after the other.
    fn next_server<'a>(&mut self, pool: &Pool, rotation: &[&'a Server]) -> Option<&'a Server> {
        let total: u32 = rotation.iter().map(|it| it.weight).fold(0, u32::saturating_add);
        if total == 0 {
            return None;
        }
        let turns = self.network.hand_turn(&pool.name);
        let mut place = self.rng.turn(total, || turns.checked_rem(total).unwrap_or_default());
        self.network.next_hand_turn(&pool.name);
        rotation.iter().copied().find(|server| match place.checked_sub(server.weight) {
            Some(left) => {
                place = left;
                false
            }
            None => true,
        })
    }

    /// With HTTP it answers that nobody is there; otherwise it hangs up.
    fn gives_up(&self, pool: &Pool, cause: BalancerCause) -> Result<Answered, Failure> {
        let cause = Cause::Balancer(cause);
        if !pool.is_http {
            return self.fail(cause, Manner::Closed);
        }
        let answered = Answered::new(Who::Internet, 503, Arc::from(PAGE_503));
        let headers =
            Headers::from_iter([("Content-Type", "text/html"), ("Cache-Control", "no-cache")]);
        Ok(Answered { headers, because: Some(Box::new(cause)), ..answered })
    }

    /// Asks a server over a connection of its own, and brings the answer back.
    fn try_server(&mut self, request: &Request, to: Endpoint) -> Result<Answered, Failure> {
        let source = Endpoint { ip: IpAddr::from(ADDRESS), port: self.ephemeral_port() };
        let packet = Packet::new(request.protocol, source, to);
        let place = Place::LoadBalancer(source.ip);
        self.hop(place, Reason::Sends, Some((packet, packet)));
        let Some(node) = self.network.node_at(to.ip).cloned() else {
            return self.fail(Cause::NoSuchAddress(to.ip), Manner::TimedOut);
        };
        let arrival = self.send(&node, packet, Entrance::Network)?;
        let answered = self.answer(request, &arrival)?;
        self.reply(&arrival)?;
        self.conclude(&arrival, Phase::Closed);
        Ok(answered)
    }
}

/// The request as it is handed on.
fn forwarded(pool: &Pool, request: &Request, packet: &Packet) -> Request {
    if !pool.is_http || !pool.forwards_for {
        return request.clone();
    }
    let client = packet.source.ip.to_string();
    Request { headers: request.headers.and("X-Forwarded-For", &client), ..request.clone() }
}
