//! Every port of every Service as one node sees it.

use super::input::{Endpoint, Input, Node, Service, ServicePort};
use super::topology::{Categorized, categorize};
use crate::net::packet::Endpoint as Address;
use crate::net::{Family, Protocol};
use data_encoding::BASE32;
use ipnet::IpNet;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;

/// One port of a Service, for one node and one family of addresses.
#[derive(Clone, Debug)]
pub struct Port<'a> {
    /// The Service.
    pub service: &'a Service,
    /// The port.
    pub port: &'a ServicePort,
    /// `namespace/name:port`, or `namespace/name` if the port has no name.
    pub title: String,
    /// Address for use within the cluster.
    pub cluster_ip: IpAddr,
    /// `externalIPs` of the family.
    pub external_ips: Vec<IpAddr>,
    /// The load balancer's addresses of the family.
    pub vips: Vec<IpAddr>,
    /// Who may come through the load balancer; anybody if empty.
    pub source_ranges: Vec<IpNet>,
    /// Its endpoints, sorted out for the node.
    pub endpoints: Categorized,
    /// All its endpoints.
    pub all: &'a [Endpoint],
}

/// The ports of all Services for a node and a family, by namespace, name and port.
pub fn ports<'a>(input: &'a Input, node: &Node, family: Family) -> Vec<Port<'a>> {
    let mut ports = Vec::new();
    for service in &input.services {
        let Some(cluster_ip) = service.cluster_ip(family) else { continue };
        for port in &service.ports {
            ports.push(one(input, node, family, service, port, cluster_ip));
        }
    }
    ports
}

fn one<'a>(
    input: &'a Input,
    node: &Node,
    family: Family,
    service: &'a Service,
    port: &'a ServicePort,
    cluster_ip: IpAddr,
) -> Port<'a> {
    let of_family = |ips: &[IpAddr]| -> Vec<IpAddr> {
        ips.iter().copied().filter(|ip| Family::of(*ip) == family).collect()
    };
    let in_family = |net: &&IpNet| Family::of(net.addr()) == family;
    let mut source_ranges: Vec<IpNet> =
        service.source_ranges.iter().filter(in_family).copied().collect();
    if source_ranges.iter().any(|net| net.prefix_len() == 0) {
        source_ranges.clear();
    }
    let name = match &*port.name {
        "" => String::new(),
        name => format!(":{name}"),
    };
    let mut result = Port {
        service,
        port,
        title: format!("{}/{}{name}", service.namespace, service.name),
        cluster_ip,
        external_ips: of_family(&service.external_ips),
        vips: of_family(&service.load_balancer_vips),
        source_ranges,
        endpoints: Categorized::default(),
        all: input.endpoints_of(service, port, family),
    };
    result.endpoints = categorize(result.all, node, result.uses_cluster(), result.uses_local());
    result
}

/// What becomes of traffic that has no endpoint to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nowhere {
    /// There is one.
    Somewhere,
    /// None anywhere: refused.
    Reject,
    /// None on this node, and the policy is Local: thrown away.
    Drop,
}

impl Port<'_> {
    /// Protocol.
    pub const fn protocol(&self) -> Protocol {
        self.port.protocol
    }

    /// Whether it can be reached from outside of the cluster.
    pub const fn externally_accessible(&self) -> bool {
        self.port.node_port != 0 || !self.vips.is_empty() || !self.external_ips.is_empty()
    }

    /// Models pkg/proxy/serviceport.go UsesClusterEndpoints.
    pub const fn uses_cluster(&self) -> bool {
        !self.service.internal_local || self.externally_accessible()
    }

    /// Models pkg/proxy/serviceport.go UsesLocalEndpoints.
    pub const fn uses_local(&self) -> bool {
        self.service.internal_local || (self.service.external_local && self.externally_accessible())
    }

    /// What becomes of traffic to the cluster IP.
    pub const fn internal(&self) -> Nowhere {
        self.nowhere(self.service.internal_local)
    }

    /// What becomes of traffic to the other addresses.
    pub const fn external(&self) -> Nowhere {
        self.nowhere(self.service.external_local)
    }

    const fn nowhere(&self, local: bool) -> Nowhere {
        if !self.endpoints.any {
            Nowhere::Reject
        } else if local && self.endpoints.local.is_empty() {
            Nowhere::Drop
        } else {
            Nowhere::Somewhere
        }
    }

    /// The external addresses with the port, those of the load balancer last.
    pub fn addresses(&self, ips: &[IpAddr]) -> Vec<Address> {
        ips.iter().map(|ip| Address { ip: *ip, port: self.port.port }).collect()
    }
}

/// The first `length` letters of the SHA-256 of a text in base 32.
pub fn short_hash(text: &str, length: usize) -> String {
    let mut hash = BASE32.encode(&Sha256::digest(text.as_bytes()));
    hash.truncate(length);
    hash
}
