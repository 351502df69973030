//! A cloud's load balancer: which nodes it knows, which of them it finds healthy, and the one that it
//! chooses.

use super::front::BalancerReason;
use super::hop::{Cause, Failure, Manner, Place, Reason, Spread};
use super::path::{Arrival, Entrance, Tracer};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::net::Packet;
use crate::net::conntrack::Connection;
use crate::net::packet::Endpoint;
use crate::net::walk::Draw;
use crate::proxy::input::{Service, ServicePort};
use crate::store::ObjectKey;
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

/// Nodes with this label get nothing from load balancers, unless it says `false`.
const EXCLUDE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// Nodes that an autoscaler is about to remove have this taint.
const TO_BE_DELETED: &str = "ToBeDeletedByClusterAutoscaler";
/// How long it takes until a node that falls silent is found unhealthy: three checks, ten seconds
/// apart, as clouds do by default.
const UNHEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Whether a cloud's controller gives a node to load balancers. Whether it is Ready does not matter.
///
/// Models staging/src/k8s.io/cloud-provider/controllers/service/controller.go
/// stableNodeSetPredicates.
pub fn is_target(node: &Object) -> bool {
    // What Go's strconv.ParseBool takes for no.
    let no = ["0", "f", "F", "false", "FALSE", "False"];
    let is_included = node.meta.labels.get(EXCLUDE_LABEL).is_none_or(|value| no.contains(&value));
    is_included && !is_leaving(node)
}

/// Whether a node is about to go.
pub(super) fn is_leaving(node: &Object) -> bool {
    let mut taints = node.spec().items_at(&["taints"]).iter();
    node.meta.is_terminating() || taints.any(|it| it.str_at(&["key"]) == Some(TO_BE_DELETED))
}

impl Tracer<'_> {
    /// The load balancer chooses a node.
    pub(super) fn balance(
        &mut self,
        key: &ObjectKey,
        service: &Service,
        packet: Packet,
    ) -> Result<Arrival, Failure> {
        let to = packet.destination;
        let place = Place::LoadBalancer(to.ip);
        let is_it = |port: &&ServicePort| (port.port, port.protocol) == (to.port, packet.protocol);
        let Some(port) = service.ports.iter().find(is_it) else {
            self.hop(place, Reason::Enters, Some((packet, packet)));
            let cause = self.wrong_port(key, &packet);
            return self.fail(cause, Manner::TimedOut);
        };
        let nodes = self.healthy_nodes(key, service.external_local);
        let among = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        let drawn = self.rng.below(among);
        let Some(node) = usize::try_from(drawn).ok().and_then(|drawn| nodes.get(drawn)).cloned()
        else {
            self.hop(place, Reason::Enters, Some((packet, packet)));
            return self.fail(Cause::NoHealthyNode(key.clone()), Manner::TimedOut);
        };
        let is_proxy = service.load_balancer_proxies.contains(&to.ip);
        let spread = match service.external_local {
            true => Spread::NodesWithEndpoints {
                health_check_port: service.health_check_node_port.unwrap_or(0),
            },
            false => Spread::HealthyNodes,
        };
        let reason = BalancerReason::Balances {
            service: key.clone(),
            node: node.clone(),
            draw: Draw { among, drawn },
            spread,
            node_port: if is_proxy { port.node_port } else { 0 },
        };
        let mut onward = packet;
        if is_proxy {
            onward = self.proxied(packet, &node, port.node_port);
        }
        self.balancer_hop(place, reason, (packet, onward));
        self.send(&node, onward, Entrance::Network)
    }

    /// A load balancer that is a proxy opens a connection of its own to a node port.
    fn proxied(&mut self, packet: Packet, node: &Arc<str>, node_port: u16) -> Packet {
        let own = packet.destination.ip;
        let source = Endpoint { ip: own, port: self.ephemeral_port() };
        let ip = self.cluster.nodes.get(node).map_or(own, |machine| IpAddr::from(machine.ip));
        let destination = Endpoint { ip, port: node_port };
        let onward = Packet::new(packet.protocol, source, destination);
        let now = self.cluster.now;
        self.network.balancer(own).add(Connection::new(&packet, &onward, now), now);
        onward
    }

    /// The nodes that a load balancer sends to: those that it was given and that pass its health
    /// check.
    ///
    /// Simplified: what a check says of a node that is up is known at once; one that falls silent is
    /// given up after half a minute.
    fn healthy_nodes(&self, key: &ObjectKey, local: bool) -> Vec<Arc<str>> {
        let with_endpoints = |name: &Arc<str>| {
            let is_here =
                |it: &crate::proxy::input::Endpoint| it.ready && it.node.as_ref() == Some(name);
            self.network.endpoints_of(key).any(|(_, all)| all.iter().any(is_here))
        };
        let nodes = self.cluster.store.list(Kind::Node).filter(|node| {
            let name = &node.meta.name;
            let is_up = self.cluster.machine(name).is_some();
            let silent = self.cluster.store.silent_since(name);
            let not_yet = silent.is_some_and(|at| self.cluster.now.since(at) < UNHEALTHY_AFTER);
            is_target(node) && (is_up || not_yet) && (!local || with_endpoints(name))
        });
        nodes.map(|node| node.meta.name.clone()).collect()
    }
}
