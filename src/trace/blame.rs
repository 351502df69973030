//! Why a packet came to nothing, with the data to say what to look at.

use super::cluster::Cluster;
use super::hop::{Cause, NearMiss, WhyNoEndpoints};
use super::path::Tracer;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector};
use crate::net::{Family, Packet, Protocol};
use crate::proxy::input::ServicePort;
use crate::store::ObjectKey;
use std::sync::Arc;

impl Tracer<'_> {
    /// Why a packet that leaves the cluster can reach nobody, if so.
    pub(super) fn lost(&self, packet: &Packet) -> Option<Cause> {
        let to = packet.destination;
        if let Some((service, _)) = self.network.service_at(to) {
            let service = service.clone();
            if packet.protocol == Protocol::Icmp {
                return Some(Cause::NoEcho(service));
            }
            return Some(self.wrong_port(&service, packet));
        }
        let input = self.network.input();
        let mut inside = input.service_cidrs.iter().chain(&input.cluster_cidrs);
        inside.any(|net| net.contains(&to.ip)).then_some(Cause::NoSuchAddress(to.ip))
    }

    /// Why a rule of kube-proxy's threw a packet away.
    pub(super) fn dropped(&self, node: &Arc<str>, packet: &Packet, chain: &str) -> Cause {
        let Some((service, _)) = self.network.service_at(packet.destination) else {
            return Cause::NoSuchAddress(packet.destination.ip);
        };
        let service = service.clone();
        let is_firewall = ["KUBE-PROXY-FIREWALL", "KUBE-SOURCE-RANGES-FIREWALL", "firewall-"]
            .iter()
            .any(|name| chain.starts_with(name));
        match is_firewall {
            true => Cause::SourceRange { service },
            false => self.no_local_endpoints(service, node, packet),
        }
    }

    fn no_local_endpoints(&self, service: ObjectKey, node: &Arc<str>, packet: &Packet) -> Cause {
        let known = self.network.service(&service);
        let is_internal = known.is_some_and(|it| it.cluster_ips.contains(&packet.destination.ip));
        Cause::NoLocalEndpoints { service, node: node.clone(), is_internal }
    }

    /// Why a rule of kube-proxy's refused a packet.
    pub(super) fn rejected(&self, packet: &Packet) -> Cause {
        match self.network.service_at(packet.destination) {
            Some((service, _)) if packet.protocol == Protocol::Icmp => {
                Cause::NoEcho(service.clone())
            }
            Some((service, _)) if !self.offers(service, packet) => self.wrong_port(service, packet),
            Some((service, _)) => why_no_endpoints(&self.cluster, service),
            None => Cause::NoSuchAddress(packet.destination.ip),
        }
    }

    /// Whether a Service has the port that a packet goes to, for its protocol.
    fn offers(&self, service: &ObjectKey, packet: &Packet) -> bool {
        let to = packet.destination;
        let is_node = self.network.node_at(to.ip).is_some() || to.ip.is_loopback();
        let mut ports = self.network.service(service).into_iter().flat_map(|it| &it.ports);
        ports.any(|port| {
            let number = if is_node { port.node_port } else { port.port };
            (number, port.protocol) == (to.port, packet.protocol)
        })
    }

    /// A Service is asked for a port that it does not have, or not for this protocol.
    pub(super) fn wrong_port(&self, service: &ObjectKey, packet: &Packet) -> Cause {
        let (port, protocol) = (packet.destination.port, packet.protocol);
        let ports = self.network.service(service).map(|it| it.ports.as_slice()).unwrap_or_default();
        let service = service.clone();
        let same = |it: &&ServicePort| it.port == port;
        match ports.iter().find(same).map(|it| it.protocol).filter(|own| *own != protocol) {
            Some(offered) => Cause::WrongProtocol { service, port, protocol, offered },
            None => {
                let offered = ports.iter().map(|it| it.port).collect();
                Cause::WrongPort { service, port, offered }
            }
        }
    }

    /// Why a virtual server has no servers.
    pub(super) fn without_server(&self, node: &Arc<str>, packet: &Packet) -> Cause {
        let Some((service, _)) = self.network.service_at(packet.destination) else {
            return Cause::NoSuchAddress(packet.destination.ip);
        };
        let ready = self.network.endpoints_of(service).any(|((name, family), endpoints)| {
            (name.3, *family) == (packet.protocol, Family::of(packet.destination.ip))
                && endpoints.iter().any(|endpoint| endpoint.ready)
        });
        match ready {
            true => self.no_local_endpoints(service.clone(), node, packet),
            false => why_no_endpoints(&self.cluster, service),
        }
    }
}

/// Why a Service has no endpoints: what it selects, what it nearly selects.
pub fn why_no_endpoints(cluster: &Cluster<'_>, service: &ObjectKey) -> Cause {
    let mut why = WhyNoEndpoints::default();
    if let Some(object) = cluster.store.get(Kind::Service, service) {
        let selector = object.spec().get("selector");
        let pairs = selector.and_then(|it| it.as_object()).into_iter().flatten();
        let pairs: Vec<(&str, &str)> =
            pairs.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect();
        why.selector = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if !pairs.is_empty() {
            near_misses(cluster, service, &pairs, &mut why);
            why.unknown_target_port = unknown_target_port(cluster, object);
        }
    }
    Cause::NoEndpoints { service: service.clone(), why: Box::new(why) }
}

/// How many pods are named at most.
const NAMED: usize = 5;

fn near_misses(
    cluster: &Cluster<'_>,
    service: &ObjectKey,
    pairs: &[(&str, &str)],
    why: &mut WhyNoEndpoints,
) {
    for pod in cluster.store.list_in(Kind::Pod, &service.namespace) {
        let labels = &pod.meta.labels;
        let wrong: Vec<_> =
            pairs.iter().filter(|(key, value)| labels.get(key) != Some(value)).collect();
        match wrong.as_slice() {
            [] if why.not_ready.len() < NAMED => why.not_ready.push(pod.meta.name.clone()),
            // One label off is near, unless it is the only one and quite another key.
            [(key, value)] if why.nearly.len() < NAMED => {
                let has = labels.get(key);
                if pairs.len() > 1 || has.is_some_and(|has| alike(has, value)) {
                    why.nearly.push(NearMiss {
                        pod: pod.meta.name.clone(),
                        key: Arc::from(*key),
                        wanted: Arc::from(*value),
                        has: has.map(Arc::from),
                    });
                }
            }
            _ => {}
        }
    }
}

/// Whether two label values look like the same with a slip: case, or a few letters.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let tail = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b).count();
    a == b || a.contains(&b) || b.contains(&a) || common + tail + 1 >= a.len().max(b.len())
}

fn unknown_target_port(cluster: &Cluster<'_>, service: &Object) -> Option<Arc<str>> {
    let selector = Selector::from_map(service.spec().get("selector"));
    let ports = service.spec().items_at(&["ports"]);
    let name = ports.iter().find_map(|port| port.str_at(&["targetPort"]))?;
    let has_port = |pod: &Arc<Object>| {
        let containers = pod.pod().map(|pod| &pod.spec.containers);
        let mut ports = containers.into_iter().flatten().flat_map(|container| &container.ports);
        ports.any(|port| port.name == name)
    };
    let mut pods = cluster.store.pods_matching(&service.meta.namespace, &selector).peekable();
    pods.peek()?;
    (!pods.any(has_port)).then(|| Arc::from(name))
}
