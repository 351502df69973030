//! CoreDNS: names of Services and pods, and how a pod's resolver asks for them.

use super::network::Cluster;
use crate::api::Kind;
use crate::api::tree::Tree as _;
use crate::base::order;
use crate::net::{Family, Protocol};
use crate::store::ObjectKey;
use std::net::IpAddr;
use std::sync::Arc;

/// The cluster's domain.
pub const DOMAIN: &str = "cluster.local";
/// A name with fewer dots is first looked for in the search list.
const NDOTS: usize = 5;
/// The most CNAMEs that are followed.
const MAX_ALIASES: usize = 8;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Ports and names of a service.
    Srv,
}

impl Record {
    /// The name, `A`.
    pub const fn name(self) -> &'static str {
        match self {
            Record::A => "A",
            Record::Aaaa => "AAAA",
            Record::Srv => "SRV",
        }
    }
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The full name, without the last dot.
    pub name: Arc<str>,
    /// The record.
    pub record: Record,
}

/// What a DNS server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is no such name (NXDOMAIN).
    NoSuchName,
    /// There is the name, but no such record (NOERROR, no data).
    NoData,
    /// Addresses.
    Addresses(Vec<IpAddr>),
    /// Another name stands for it.
    Alias(Arc<str>),
    /// Port, priority and weight are 1; name of the target.
    Services(Vec<(u16, Arc<str>)>),
}

/// The names that a pod's resolver asks for in turn (`/etc/resolv.conf` with `ndots:5`), each made
/// when it is asked for.
pub fn search<'a>(host: &'a str, namespace: &'a str) -> impl Iterator<Item = Arc<str>> + 'a {
    const ITSELF: u8 = 3;
    let itself = host.trim_end_matches('.');
    let order: &[u8] = match host.strip_suffix('.') {
        Some(_) => &[ITSELF],
        None if host.matches('.').count() >= NDOTS => &[ITSELF, 0, 1, 2],
        None => &[0, 1, 2, ITSELF],
    };
    order.iter().map(move |which| {
        Arc::from(match which {
            0 => [host, ".", namespace, ".svc.", DOMAIN].concat(),
            1 => [host, ".svc.", DOMAIN].concat(),
            2 => [host, ".", DOMAIN].concat(),
            _ => itself.to_owned(),
        })
    })
}

/// The same, all at once.
pub fn candidates(host: &str, namespace: &str) -> Vec<Arc<str>> {
    search(host, namespace).collect()
}

/// The names of a resolver outside of pods: the host itself.
pub fn outside(host: &str) -> Vec<Arc<str>> {
    vec![Arc::from(host.trim_end_matches('.'))]
}

/// Top-level domains of more than two letters that courses use.
const TOP_LEVEL: [&str; 10] =
    ["com", "org", "net", "edu", "gov", "info", "app", "dev", "cloud", "tech"];

/// The address that stands for a host of the internet.
///
/// Simplified: hosts outside of the cluster have an address of the documentation network that
/// follows from their name; nothing is asked of the real DNS.
pub fn internet_address(name: &str) -> Option<IpAddr> {
    let (_, last) = name.rsplit_once('.')?;
    let is_known = last.len() == 2 || TOP_LEVEL.contains(&last);
    if !is_known || !last.chars().all(|letter| letter.is_ascii_lowercase()) {
        return None;
    }
    let sum = name.bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(byte));
    Some(IpAddr::from([198, 18, (sum >> 8) as u8, sum as u8]))
}

/// What CoreDNS answers.
///
/// Simplified: the answer to SRV has weight and priority 1; times to live are not modelled.
pub fn query(cluster: &Cluster<'_>, question: &Question) -> Answer {
    let name = question.name.trim_end_matches('.');
    let Some(inside) = name.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix('.')) else {
        return match (internet_address(name), question.record) {
            (Some(ip), Record::A) => Answer::Addresses(vec![ip]),
            (Some(_), _) => Answer::NoData,
            (None, _) => Answer::NoSuchName,
        };
    };
    let labels: Vec<&str> = inside.split('.').collect();
    match labels.as_slice() {
        [service, namespace, "svc"] => service_answer(cluster, namespace, service, question.record),
        [port, protocol, service, namespace, "svc"] if port.starts_with('_') => {
            srv_answer(cluster, namespace, service, port, protocol)
        }
        [host, service, namespace, "svc"] => endpoint_answer(cluster, namespace, service, host),
        [ip, _namespace, "pod"] => match ip.replace('-', ".").parse::<IpAddr>() {
            Ok(ip) => Answer::Addresses(vec![ip]),
            Err(_) => Answer::NoSuchName,
        },
        _ => Answer::NoSuchName,
    }
}

const fn family(record: Record) -> Family {
    match record {
        Record::Aaaa => Family::V6,
        Record::A | Record::Srv => Family::V4,
    }
}

fn service_answer(cluster: &Cluster<'_>, namespace: &str, name: &str, record: Record) -> Answer {
    let Some(service) = cluster.store.find(Kind::Service, namespace, name) else {
        return Answer::NoSuchName;
    };
    let spec = service.spec();
    if spec.str_at(&["type"]) == Some("ExternalName") {
        let target = spec.str_at(&["externalName"]).unwrap_or_default();
        return Answer::Alias(Arc::from(target.trim_end_matches('.')));
    }
    if record == Record::Srv {
        return srv_answer(cluster, namespace, name, "", "");
    }
    let of_family = |ip: &IpAddr| Family::of(*ip) == family(record);
    let addresses: Vec<IpAddr> = match spec.str_at(&["clusterIP"]) {
        None | Some("") => return Answer::NoData,
        Some("None") => {
            let endpoints = headless(cluster, namespace, name);
            endpoints.into_iter().map(|(ip, _)| ip).filter(of_family).collect()
        }
        Some(ip) => {
            let all = spec.items_at(&["clusterIPs"]).iter().filter_map(|ip| ip.as_str());
            let mut all: Vec<IpAddr> = all.filter_map(|ip| ip.parse().ok()).collect();
            if all.is_empty() {
                all.extend(ip.parse::<IpAddr>().ok());
            }
            all.into_iter().filter(of_family).collect()
        }
    };
    match (addresses.is_empty(), spec.str_at(&["clusterIP"])) {
        (false, _) => Answer::Addresses(addresses),
        // CoreDNS knows a headless Service only by its endpoints.
        (true, Some("None")) => Answer::NoSuchName,
        (true, _) => Answer::NoData,
    }
}

/// The ready endpoints of a headless Service: address and host name.
fn headless(cluster: &Cluster<'_>, namespace: &str, service: &str) -> Vec<(IpAddr, Arc<str>)> {
    let mut found = Vec::new();
    for slice in cluster.store.list_in(Kind::EndpointSlice, namespace) {
        if slice.meta.labels.get("kubernetes.io/service-name") != Some(service) {
            continue;
        }
        for endpoint in slice.content().items_at(&["endpoints"]) {
            if endpoint.bool_at(&["conditions", "ready"]) == Some(false) {
                continue;
            }
            let Some(address) = endpoint.items_at(&["addresses"]).first().and_then(|a| a.as_str())
            else {
                continue;
            };
            let Ok(ip) = address.parse::<IpAddr>() else { continue };
            let dashed = address.replace(['.', ':'], "-");
            found.push((ip, Arc::from(endpoint.str_at(&["hostname"]).unwrap_or(&dashed))));
        }
    }
    order::sort(&mut found);
    found.dedup();
    found
}

/// `web-0.db.shop.svc.cluster.local`: one endpoint.
fn endpoint_answer(cluster: &Cluster<'_>, namespace: &str, service: &str, host: &str) -> Answer {
    let endpoints = headless(cluster, namespace, service);
    let own = endpoints.into_iter().filter(|(_, name)| &**name == host).map(|(ip, _)| ip);
    let own: Vec<IpAddr> = own.collect();
    if own.is_empty() { Answer::NoSuchName } else { Answer::Addresses(own) }
}

fn srv_answer(
    cluster: &Cluster<'_>,
    namespace: &str,
    service: &str,
    port: &str,
    protocol: &str,
) -> Answer {
    let key = ObjectKey::new(namespace, service);
    let Some(object) = cluster.store.get(Kind::Service, &key) else { return Answer::NoSuchName };
    let (wanted, protocol) = (port.trim_start_matches('_'), protocol.trim_start_matches('_'));
    let suffix = format!("{service}.{namespace}.svc.{DOMAIN}");
    let is_headless = object.spec().str_at(&["clusterIP"]) == Some("None");
    let mut found = Vec::new();
    for port in object.spec().items_at(&["ports"]) {
        let name = port.str_at(&["name"]).unwrap_or_default();
        let own = port.str_at(&["protocol"]).unwrap_or("TCP");
        let fits = (wanted.is_empty() || wanted == name)
            && (protocol.is_empty() || Protocol::parse(protocol) == Protocol::parse(own));
        let number = port.int_at(&["port"]).and_then(|port| u16::try_from(port).ok());
        let Some(number) = number.filter(|_| fits) else { continue };
        if is_headless {
            let endpoints = headless(cluster, namespace, service);
            let targets = endpoints.iter().map(|(_, host)| Arc::from(format!("{host}.{suffix}")));
            found.extend(targets.map(|target| (number, target)));
        } else {
            found.push((number, Arc::from(suffix.as_str())));
        }
    }
    if found.is_empty() { Answer::NoSuchName } else { Answer::Services(found) }
}

/// What came of looking for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The queries with their answers, in turn.
    pub asked: Vec<(Question, Answer)>,
    /// The addresses; empty if there are none.
    pub addresses: Vec<IpAddr>,
    /// The name that had them.
    pub name: Option<Arc<str>>,
}

/// Asks for one name after the other until one has addresses, following other names.
pub fn look_up(cluster: &Cluster<'_>, names: impl IntoIterator<Item = Arc<str>>) -> Lookup {
    let mut result = Lookup { asked: Vec::new(), addresses: Vec::new(), name: None };
    for name in names {
        let mut next = Some(name);
        for _ in 0..MAX_ALIASES {
            let Some(name) = next.take() else { break };
            let question = Question { name: name.clone(), record: Record::A };
            let answer = query(cluster, &question);
            result.asked.push((question, answer.clone()));
            match answer {
                Answer::Addresses(addresses) => {
                    result.addresses = addresses;
                    result.name = Some(name);
                    return result;
                }
                Answer::Alias(other) => next = Some(other),
                Answer::NoSuchName | Answer::NoData | Answer::Services(_) => {}
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_searched_for_and_a_long_one_asked_first() {
        let names = |host| candidates(host, "shop").join(" ");
        assert_eq!(
            names("web"),
            "web.shop.svc.cluster.local web.svc.cluster.local web.cluster.local web"
        );
        assert!(names("web.shop.svc.cluster.local").starts_with("web.shop.svc.cluster.local.shop"));
        assert!(names("a.b.c.d.e.f").starts_with("a.b.c.d.e.f "));
        assert_eq!(names("web.shop."), "web.shop");
    }
}
