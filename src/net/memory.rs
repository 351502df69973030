//! What a machine remembers of the packets that passed it: connections, who went where for session
//! affinity, whose turn it is, and its log.

use super::conntrack::Conntrack;
use super::packet::{Endpoint, Protocol};
use crate::base::{Map, SimTime};
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

/// How many times `recent` keeps of an address (`ip_pkt_list_tot`).
const STAMPS: usize = 20;
/// How many lines of its log a machine keeps.
const LINES: usize = 200;

/// A virtual server of IPVS and a client of its.
type Client = (Protocol, Endpoint, IpAddr);

/// What a machine remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Connections.
    pub conntrack: Conntrack,
    /// When an address was noted in a list (`recent`, a dynamic set), the last time last.
    seen: Map<(Arc<str>, IpAddr), Arc<[SimTime]>>,
    /// Where IPVS sends a client that keeps its server.
    kept_servers: Map<Client, (Endpoint, SimTime)>,
    /// How many connections each virtual server has had.
    turns: Map<(Protocol, Endpoint), u32>,
    /// How many packets have come by a rule that takes turns.
    passed_by: Map<u32, u32>,
    /// What is left in the bucket of a rule with a limit, in microseconds, and since when.
    buckets: Map<u32, (u64, SimTime)>,
    /// The kernel's log.
    log: Arc<[(SimTime, Arc<str>)]>,
}

impl Memory {
    /// Notes an address in a list.
    pub fn remember(&mut self, list: &Arc<str>, ip: IpAddr, now: SimTime) {
        let key = (list.clone(), ip);
        let stamps = match self.seen.get(&key) {
            // Where the last time matters alone, one is kept.
            Some(old) => {
                let from = (old.len() + 1).saturating_sub(STAMPS);
                let kept = old.get(from..).unwrap_or_default();
                kept.iter().copied().chain([now]).collect()
            }
            None => Arc::from([now]),
        };
        self.seen.insert(key, stamps);
    }

    /// Strikes an address out of a list.
    pub fn forget(&mut self, list: &Arc<str>, ip: IpAddr) {
        self.seen.remove(&(list.clone(), ip));
    }

    /// Whether an address was noted in a list at least `hits` times within the last `seconds`; 0
    /// seconds are for ever.
    pub fn has_seen(
        &self,
        list: &Arc<str>,
        ip: IpAddr,
        (seconds, hits): (u32, u32),
        now: SimTime,
    ) -> bool {
        let window = Duration::from_secs(u64::from(seconds));
        let Some(stamps) = self.seen.get(&(list.clone(), ip)) else { return false };
        let within = stamps.iter().filter(|stamp| seconds == 0 || **stamp + window > now);
        within.count() >= usize::try_from(hits.max(1)).unwrap_or(usize::MAX)
    }

    /// The addresses that were noted in a list within the last `seconds`, with the last time.
    pub fn seen_in(&self, list: &str, seconds: u32, now: SimTime) -> Vec<(IpAddr, SimTime)> {
        let window = Duration::from_secs(u64::from(seconds));
        let own = self.seen.iter().filter(|((name, _), _)| **name == *list);
        let last = own.filter_map(|((_, ip), stamps)| Some((*ip, *stamps.last()?)));
        last.filter(|(_, stamp)| *stamp + window > now).collect()
    }

    /// The server that a client of a virtual server keeps to.
    pub fn kept_server(
        &self,
        client: Client,
        servers: &[Endpoint],
        seconds: u32,
        now: SimTime,
    ) -> Option<Endpoint> {
        let window = Duration::from_secs(u64::from(seconds));
        let (server, since) = self.kept_servers.get(&client)?;
        (*since + window > now && servers.contains(server)).then_some(*server)
    }

    /// From now on a client keeps to a server.
    pub fn keep_server(&mut self, client: Client, server: Endpoint, now: SimTime) {
        self.kept_servers.insert(client, (server, now));
    }

    /// Whose turn it is among so many servers of a virtual server.
    pub fn next_turn(&mut self, virtual_server: (Protocol, Endpoint), among: u32) -> u32 {
        let turn = self.turns.entry(virtual_server).or_default();
        let place = turn.checked_rem(among).unwrap_or(0);
        *turn = turn.wrapping_add(1);
        place
    }

    /// How many packets have come by a rule, from 0 to `every - 1`, this one not counted.
    pub fn come_by(&mut self, rule: u32, every: u32) -> u32 {
        let count = self.passed_by.entry(rule).or_default();
        let place = *count;
        *count = (place + 1).checked_rem(every).unwrap_or(0);
        place
    }

    /// Whether a rule that matches `count` times in `seconds`, and `burst` times at once, matches
    /// now.
    ///
    /// Models net/netfilter/xt_limit.c.
    pub fn within_limit(
        &mut self,
        rule: u32,
        (count, seconds, burst): (u32, u32, u32),
        now: SimTime,
    ) -> bool {
        let cost = u64::from(seconds) * 1_000_000 / u64::from(count.max(1));
        let most = cost.saturating_mul(u64::from(burst));
        let (credit, since) = self.buckets.get(&rule).copied().unwrap_or((most, now));
        let gained = u64::try_from(now.since(since).as_micros()).unwrap_or(u64::MAX);
        let credit = credit.saturating_add(gained).min(most);
        let left = credit.checked_sub(cost);
        self.buckets.insert(rule, (left.unwrap_or(credit), now));
        left.is_some()
    }

    /// Writes a line to the kernel's log.
    pub fn write(&mut self, line: String, now: SimTime) {
        let from = (self.log.len() + 1).saturating_sub(LINES);
        let kept = self.log.get(from..).unwrap_or_default();
        self.log = kept.iter().cloned().chain([(now, Arc::from(line))]).collect();
    }

    /// The kernel's log, the latest line last.
    pub fn log(&self) -> &[(SimTime, Arc<str>)] {
        &self.log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        let (ip, port) = text.rsplit_once(':').unwrap();
        Endpoint { ip: ip.parse().unwrap(), port: port.parse().unwrap() }
    }

    fn later(seconds: u64) -> SimTime {
        SimTime::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn a_client_is_remembered_for_as_long_as_affinity_lasts() {
        let (mut memory, list) = (Memory::default(), Arc::from("KUBE-SEP-A"));
        let client = "10.244.1.2".parse().unwrap();
        memory.remember(&list, client, later(0));
        assert!(memory.has_seen(&list, client, (60, 0), later(59)));
        assert!(!memory.has_seen(&list, client, (60, 0), later(60)));
        memory.remember(&list, client, later(60));
        assert!(memory.has_seen(&list, client, (120, 2), later(61)));
        assert!(!memory.has_seen(&list, client, (120, 3), later(61)));
    }

    #[test]
    fn servers_take_turns_and_a_client_that_sticks_keeps_its_own() {
        let mut memory = Memory::default();
        let service = (Protocol::Tcp, endpoint("10.96.0.5:80"));
        let turns: Vec<u32> = (0..4).map(|_| memory.next_turn(service, 3)).collect();
        assert_eq!(turns, [0, 1, 2, 0]);
        let client = (service.0, service.1, "10.244.1.2".parse().unwrap());
        let servers = [endpoint("10.0.0.1:80"), endpoint("10.0.0.2:80")];
        memory.keep_server(client, servers[1], later(0));
        assert_eq!(memory.kept_server(client, &servers, 60, later(59)), Some(servers[1]));
        assert_eq!(memory.kept_server(client, &servers, 60, later(60)), None);
        assert_eq!(memory.kept_server(client, &servers[..1], 60, later(1)), None);
    }

    #[test]
    fn a_limit_lets_a_burst_through_and_then_so_many_a_minute() {
        let mut memory = Memory::default();
        let mut at = |seconds| memory.within_limit(1, (6, 60, 2), later(seconds));
        let found = [0, 0, 0, 5, 10, 11, 20].map(&mut at);
        assert_eq!(found, [true, true, false, false, true, false, true]);
    }
}
