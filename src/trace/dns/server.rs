//! What name servers say: CoreDNS by its plugins, and the one of the internet.

use super::corefile::{Block, Cache, Corefile, Hosts, zone_of};
use super::message::{Code, Data, Question, Record, RecordType, Response, unreverse};
use super::zone::{Memo, Zones};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::kubelet::dns::NODE_DNS;
use crate::trace::{Cluster, gateway, ingress};
use std::net::IpAddr;
use std::sync::Arc;

/// How often CoreDNS asks itself for another name.
const MAX_DEPTH: u32 = 8;
/// How long names of the internet may be remembered, in seconds.
const INTERNET_TTL: u32 = 300;

/// A name server.
#[derive(Clone, Debug)]
pub(crate) enum NameServer {
    /// CoreDNS with this configuration.
    CoreDns(Arc<Corefile>),
    /// One that knows the internet.
    Public,
}

impl NameServer {
    /// What it answers. `turn` draws which of several addresses comes first; `memo` is of this
    /// server at this moment.
    pub(crate) fn ask(
        &self,
        cluster: &Cluster<'_>,
        question: &Question,
        memo: &Memo,
        turn: &mut dyn FnMut(u32) -> u32,
    ) -> Response {
        match self {
            NameServer::Public => public(cluster, question),
            NameServer::CoreDns(corefile) => {
                let mut response = core_dns(cluster, corefile, (question, memo), 0);
                if corefile.block_for(question).is_some_and(|block| block.loadbalance) {
                    turned(&mut response.answers, turn);
                }
                response
            }
        }
    }
}

/// Turns the addresses so that a drawn one comes first.
///
/// Models plugin/loadbalance/loadbalance.go roundRobin.
// Simplified: the others keep their order behind it; CoreDNS shuffles them all.
fn turned(answers: &mut [Record], turn: &mut dyn FnMut(u32) -> u32) {
    let is_address = |record: &Record| matches!(record.data, Data::Address(_));
    let first = answers.iter().position(is_address).unwrap_or(answers.len());
    let addresses = answers.get_mut(first..).unwrap_or_default();
    if addresses.len() > 1 && addresses.iter().all(is_address) {
        let drawn = turn(u32::try_from(addresses.len()).unwrap_or(u32::MAX));
        let drawn = usize::try_from(drawn).unwrap_or(0).min(addresses.len() - 1);
        addresses.rotate_left(drawn);
    }
}

fn core_dns(
    cluster: &Cluster<'_>,
    corefile: &Corefile,
    (question, memo): (&Question, &Memo),
    depth: u32,
) -> Response {
    let Some(block) = corefile.block_for(question).filter(|_| depth < MAX_DEPTH) else {
        return Response::of(Code::Refused);
    };
    let other = block.rewrites.iter().find_map(|rewrite| rewrite.apply(&question.name));
    let asked =
        other.map_or_else(|| question.clone(), |name| Question::new(&name, question.record));
    let upstream = |question: &Question| core_dns(cluster, corefile, (question, memo), depth + 1);
    let mut response = by_plugins(cluster, block, (&asked, memo), &upstream);
    if let Some(cache) = block.cache.as_ref().filter(|cache| cache.serves(&asked.name)) {
        shorten(&mut response, cache);
    }
    for record in response.answers.iter_mut().filter(|record| record.name == asked.name) {
        record.name = question.name.clone();
    }
    response
}

/// No time to live is longer than the cache keeps it, and all of an answer are the same.
///
/// Models plugin/cache/cache.go ResponseWriter.WriteMsg.
// Simplified: nothing is kept, so that every answer is as old as when it came.
fn shorten(response: &mut Response, cache: &Cache) {
    let is_denial = response.code == Code::NoSuchName || response.answers.is_empty();
    let most = if is_denial { cache.most_of_denials } else { cache.most };
    let Response { answers, authority, additional, .. } = response;
    let all = || answers.iter().chain(authority.iter()).chain(additional.iter());
    let least = all().map(|record| record.ttl).min().unwrap_or(most).min(most);
    for record in answers.iter_mut().chain(authority).chain(additional) {
        record.ttl = least;
    }
}

/// Asks the plugins in the order of CoreDNS' plugin.cfg.
fn by_plugins(
    cluster: &Cluster<'_>,
    block: &Block,
    (question, memo): (&Question, &Memo),
    upstream: &dyn Fn(&Question) -> Response,
) -> Response {
    if let Some(hosts) = &block.hosts
        && let Some(response) = by_hosts(hosts, question)
    {
        return response;
    }
    if let Some(plugin) = &block.kubernetes
        && let Some(response) = (Zones { cluster, plugin, upstream, memo }).answer(question)
    {
        return response;
    }
    let zones = |zone: &Arc<str>| zone_of(std::slice::from_ref(zone), &question.name).is_some();
    match block.forwards.iter().find(|forward| zones(&forward.zone)).map(|forward| forward.to) {
        Some(to) if to.is_none_or(is_reachable) => public(cluster, question),
        // The other server does not answer, or there is no next plugin.
        Some(_) | None => Response::of(Code::ServerFailure),
    }
}

/// Whether a name server can be there that CoreDNS forwards to.
// Simplified: those of private networks never answer, all others know the same internet.
fn is_reachable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_private() || IpAddr::V4(ip) == NODE_DNS,
        IpAddr::V6(_) => false,
    }
}

/// Models plugin/hosts/hosts.go ServeDNS.
fn by_hosts(hosts: &Hosts, question: &Question) -> Option<Response> {
    let name = &question.name;
    let record = |data| Record { name: name.clone(), ttl: hosts.ttl, data };
    let found = |answers: Vec<Record>| {
        Some(Response { authoritative: true, answers, ..Response::default() })
    };
    if question.record == RecordType::Ptr {
        let ip = unreverse(name)?;
        let names = hosts.entries.iter().filter(|(own, _)| *own == ip);
        let names: Vec<Record> = names.map(|(_, name)| record(Data::Ptr(name.clone()))).collect();
        return if names.is_empty() { None } else { found(names) };
    }
    zone_of(&hosts.zones, name)?;
    let own = hosts.entries.iter().filter(|(_, own)| own == name);
    let all: Vec<Record> = own.map(|(ip, _)| record(Data::Address(*ip))).collect();
    match all.is_empty() {
        true if hosts.fall.through(name) => None,
        true => Some(Response::of(Code::ServerFailure)),
        false => {
            let fits = |it: &Record| it.data.record() == question.record;
            found(all.into_iter().filter(fits).collect())
        }
    }
}

/// Top-level domains that courses use.
const TOP_LEVEL: &str = "com org net edu gov info app dev cloud tech io ai eu us uk es de fr it nl pt \
     mx ar cl co br pe uy ve cat in jp cn ch at be se no dk fi pl ie ca au nz me tv xyz online site";

/// The address that stands for a host of the internet.
///
/// Simplified: hosts outside of the cluster have an address of the documentation network that
/// follows from their name; nothing is asked of the real DNS.
fn internet_address(name: &str) -> Option<IpAddr> {
    let (_, last) = name.rsplit_once('.')?;
    let is_host = |label: &str| {
        !label.is_empty() && label.chars().all(|it| it.is_ascii_alphanumeric() || it == '-')
    };
    if !TOP_LEVEL.split_whitespace().any(|own| own == last) || !name.split('.').all(is_host) {
        return None;
    }
    let sum = name.bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(byte));
    Some(IpAddr::from([198, 18, (sum >> 8) as u8, sum as u8]))
}

/// What the internet's name servers say of a name, the hosts of Ingresses and routes included: as if their
/// owners had told them.
fn public_address(cluster: &Cluster<'_>, name: &str) -> Option<IpAddr> {
    let named = |it: &&Arc<Object>| ingress::names_host(it, name);
    let mut ingresses = cluster.store.list(Kind::Ingress).filter(named).peekable();
    let service = cluster.store.find(Kind::Service, ingress::NAMESPACE, ingress::SERVICE);
    // Who waits for the controller's address has told the internet nothing yet.
    if ingresses.peek().is_none() || service.is_none() {
        return match gateway::public_host(cluster.store, name) {
            Some((_, ip)) => ip,
            None => internet_address(name),
        };
    }
    let address = |it: &Arc<Object>| {
        let all = it.status().items_at(&["loadBalancer", "ingress"]);
        all.iter().find_map(|one| one.str_at(&["ip"])?.parse().ok())
    };
    ingresses.find_map(address).or_else(|| service.and_then(address))
}

// Simplified: negative answers of the internet name nobody as responsible.
fn public(cluster: &Cluster<'_>, question: &Question) -> Response {
    let answers = match public_address(cluster, &question.name) {
        None => return Response { recursion: true, ..Response::of(Code::NoSuchName) },
        Some(_) if !matches!(question.record, RecordType::A | RecordType::Any) => Vec::new(),
        Some(ip) => {
            vec![Record { name: question.name.clone(), ttl: INTERNET_TTL, data: Data::Address(ip) }]
        }
    };
    Response { recursion: true, answers, ..Response::default() }
}
