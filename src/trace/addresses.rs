//! Who has which address: nodes, pods, Services.

use super::cluster::Cluster;
use super::network::Network;
use crate::api::{Kind, Object};
use crate::net::packet::Endpoint;
use crate::proxy::Input;
use crate::store::ObjectKey;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Who has which address, as far as nodes and Services go.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    nodes: BTreeMap<IpAddr, Arc<str>>,
    nodes_by_pod_network: BTreeMap<u32, Arc<str>>,
    services: BTreeMap<IpAddr, Vec<ObjectKey>>,
    services_by_node_port: BTreeMap<u16, ObjectKey>,
}

impl Addresses {
    /// Those of the cluster's machines, and of the Services that kube-proxy sees.
    pub(super) fn of(cluster: &Cluster<'_>, input: &Input) -> Self {
        let mut addresses = Addresses::default();
        for (name, machine) in cluster.nodes.iter() {
            addresses.nodes.insert(IpAddr::from(machine.ip), name.clone());
            let network = network_of(machine.pod_network);
            addresses.nodes_by_pod_network.insert(network, name.clone());
        }
        for service in &input.services {
            let key =
                ObjectKey { namespace: service.namespace.clone(), name: service.name.clone() };
            let ips = service.cluster_ips.iter().chain(&service.external_ips);
            let ips = ips.chain(&service.load_balancer_vips);
            for ip in ips.chain(&service.load_balancer_proxies) {
                addresses.services.entry(*ip).or_default().push(key.clone());
            }
            for port in service.ports.iter().filter(|port| port.node_port != 0) {
                addresses.services_by_node_port.insert(port.node_port, key.clone());
            }
        }
        addresses
    }
}

impl Network {
    /// The node that has this address.
    pub fn node_at(&self, ip: IpAddr) -> Option<&Arc<str>> {
        self.addresses.nodes.get(&ip)
    }

    /// The node whose pods have addresses like this one.
    pub fn node_of_pods_at(&self, ip: IpAddr) -> Option<&Arc<str>> {
        match ip {
            IpAddr::V4(ip) => self.addresses.nodes_by_pod_network.get(&network_of(ip)),
            IpAddr::V6(_) => None,
        }
    }

    /// The pod that has an address.
    pub fn pod_at(&mut self, cluster: &Cluster<'_>, ip: IpAddr) -> Option<Arc<Object>> {
        let IpAddr::V4(ip) = ip else { return None };
        let revision = cluster.store.revision();
        let known = self.pods_by_ip.get(&ip);
        if let Some((_, pod)) = known.filter(|(at, _)| *at == revision) {
            return Some(pod.clone());
        }
        let still = known
            .and_then(|(_, pod)| cluster.store.get(Kind::Pod, &ObjectKey::of(pod)))
            .filter(|pod| has_ip(pod, ip));
        let found = match still {
            Some(pod) => pod,
            None => {
                let node = self.node_of_pods_at(IpAddr::V4(ip))?;
                cluster.store.pods_on(node).find(|pod| has_ip(pod, ip))?
            }
        };
        self.pods_by_ip.insert(ip, (revision, found.clone()));
        Some(found.clone())
    }

    /// Whether some Service has an address.
    pub(super) fn is_service_ip(&self, ip: IpAddr) -> bool {
        self.addresses.services.contains_key(&ip)
    }

    /// The Service that has an address; of several with the same external IP, one with the port.
    pub fn service_at(&self, address: Endpoint) -> Option<(&ObjectKey, Option<u16>)> {
        if let Some(keys) = self.addresses.services.get(&address.ip) {
            let offers = |key: &&ObjectKey| {
                self.ports(key).is_some_and(|ports| ports.contains(&address.port))
            };
            if let Some(key) = keys.iter().find(offers) {
                return Some((key, Some(address.port)));
            }
            return keys.first().map(|key| (key, None));
        }
        let key = self.addresses.services_by_node_port.get(&address.port)?;
        let is_node = self.addresses.nodes.contains_key(&address.ip) || address.ip.is_loopback();
        is_node.then_some((key, Some(address.port)))
    }
}

/// Whether a pod has an address of its own, and this one.
fn has_ip(object: &Object, ip: Ipv4Addr) -> bool {
    object.pod().is_some_and(|pod| {
        pod.status.pod_ip == Some(ip) && !pod.spec.host_network && !pod.status.phase.is_terminal()
    })
}

/// The first 24 bits of an address.
const fn network_of(ip: Ipv4Addr) -> u32 {
    ip.to_bits() >> 8
}
