//! What a machine remembers of the packets that passed it: connections, so that replies find their
//! way back, and who went where, for session affinity.

use super::packet::{Endpoint, Packet, Protocol, State};
use crate::base::SimTime;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

/// How many connections a machine keeps; the oldest are forgotten first.
const KEPT: usize = 256;

/// A connection as one machine sees it: as it came in, and as it went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Protocol.
    pub protocol: Protocol,
    /// Source and destination as the first packet had them when it came.
    pub original: (Endpoint, Endpoint),
    /// Source and destination as it had them when it left.
    pub translated: (Endpoint, Endpoint),
}

impl Connection {
    /// What came in as `before` and went on as `after`.
    pub const fn new(before: &Packet, after: &Packet) -> Self {
        Connection {
            protocol: before.protocol,
            original: (before.source, before.destination),
            translated: (after.source, after.destination),
        }
    }

    /// Whether any address was translated.
    pub fn is_translated(&self) -> bool {
        self.original != self.translated
    }
}

/// What a machine remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Connections, the latest last.
    connections: VecDeque<Connection>,
    /// When a source was last noted in a list (`recent`, a dynamic set, IPVS persistence).
    seen: BTreeMap<(Arc<str>, IpAddr), SimTime>,
    /// Where IPVS sends a client that keeps its server, by virtual server.
    kept_servers: BTreeMap<(Protocol, Endpoint, IpAddr), (Endpoint, SimTime)>,
    /// How many connections each virtual server has had.
    turns: BTreeMap<(Protocol, Endpoint), u32>,
}

impl Memory {
    /// Remembers a connection.
    pub fn track(&mut self, connection: Connection) {
        if self.connections.len() >= KEPT {
            self.connections.pop_front();
        }
        self.connections.push_back(connection);
    }

    /// The connections, the latest last.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter()
    }

    /// Turns the addresses of a reply back into those that its receiver knows. Says whether it
    /// belongs to a connection.
    pub fn untranslate(&self, packet: &mut Packet) -> bool {
        let (source, destination) = (packet.source, packet.destination);
        let is_reply = |connection: &&Connection| {
            connection.protocol == packet.protocol && connection.translated == (destination, source)
        };
        let Some(connection) = self.connections.iter().rev().find(is_reply) else { return false };
        (packet.destination, packet.source) = connection.original;
        packet.state = State::Established;
        true
    }

    /// Notes a source in a list.
    pub fn remember(&mut self, list: &Arc<str>, source: IpAddr, now: SimTime) {
        self.seen.insert((list.clone(), source), now);
    }

    /// Whether a source was noted in a list within the last `seconds`.
    pub fn has_seen(&self, list: &Arc<str>, source: IpAddr, seconds: u32, now: SimTime) -> bool {
        let window = Duration::from_secs(u64::from(seconds));
        self.seen.get(&(list.clone(), source)).is_some_and(|seen| *seen + window > now)
    }

    /// The server among `servers` that is next in turn, or that the client keeps to.
    pub fn next_server(
        &mut self,
        virtual_server: (Protocol, Endpoint),
        client: IpAddr,
        servers: &[Endpoint],
        persistence_seconds: Option<u32>,
        now: SimTime,
    ) -> Option<Endpoint> {
        let key = (virtual_server.0, virtual_server.1, client);
        if let (Some(seconds), Some((server, since))) =
            (persistence_seconds, self.kept_servers.get(&key))
        {
            let window = Duration::from_secs(u64::from(seconds));
            if *since + window > now && servers.contains(server) {
                return Some(*server);
            }
        }
        let turn = self.turns.entry(virtual_server).or_default();
        let place = (*turn as usize).checked_rem(servers.len())?;
        *turn = turn.wrapping_add(1);
        let server = *servers.get(place)?;
        if persistence_seconds.is_some() {
            self.kept_servers.insert(key, (server, now));
        }
        Some(server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        let (ip, port) = text.rsplit_once(':').unwrap();
        Endpoint { ip: ip.parse().unwrap(), port: port.parse().unwrap() }
    }

    #[test]
    fn a_reply_comes_from_the_address_that_was_asked() {
        let (client, service) = (endpoint("10.244.1.2:40000"), endpoint("10.96.0.5:80"));
        let (node, server) = (endpoint("172.18.0.3:50000"), endpoint("10.244.2.2:8080"));
        let asked = Packet::new(Protocol::Tcp, client, service);
        let sent = Packet::new(Protocol::Tcp, node, server);
        let mut memory = Memory::default();
        memory.track(Connection::new(&asked, &sent));
        let mut reply = Packet::new(Protocol::Tcp, server, node);
        assert!(memory.untranslate(&mut reply));
        assert_eq!((reply.source, reply.destination), (service, client));
        let mut stranger = Packet::new(Protocol::Udp, server, node);
        assert!(!memory.untranslate(&mut stranger));
    }

    #[test]
    fn a_client_is_remembered_for_as_long_as_affinity_lasts() {
        let (mut memory, list) = (Memory::default(), Arc::from("KUBE-SEP-A"));
        let client = "10.244.1.2".parse().unwrap();
        let begin = SimTime::default();
        memory.remember(&list, client, begin);
        assert!(memory.has_seen(&list, client, 60, begin + Duration::from_secs(59)));
        assert!(!memory.has_seen(&list, client, 60, begin + Duration::from_secs(60)));
    }

    #[test]
    fn servers_take_turns_and_a_client_that_sticks_keeps_its_own() {
        let mut memory = Memory::default();
        let servers = [endpoint("10.0.0.1:80"), endpoint("10.0.0.2:80")];
        let service = (Protocol::Tcp, endpoint("10.96.0.5:80"));
        let client = "10.244.1.2".parse().unwrap();
        let mut ask = |sticky, now| {
            memory.next_server(service, client, &servers, sticky, now).map(|server| server.ip)
        };
        let begin = SimTime::default();
        assert_ne!(ask(None, begin), ask(None, begin));
        let kept = ask(Some(60), begin);
        assert_eq!(ask(Some(60), begin), kept);
        assert_ne!(ask(Some(60), begin + Duration::from_secs(61)), kept);
    }
}
