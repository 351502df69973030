//! NetworkPolicies on a packet's way.

use super::hop::{Cause, Direction, Failure, Manner, Place, Reason};
use super::path::Tracer;
use super::policy;
use crate::api::{Kind, Object};
use crate::net::Packet;
use crate::store::ObjectKey;
use std::sync::Arc;

impl Tracer<'_> {
    /// Whether there are policies to ask.
    pub(super) fn has_policies(&self) -> bool {
        self.cluster.store.count(Kind::NetworkPolicy) > 0
    }

    /// Whether a pod may send a packet.
    pub(super) fn check_egress(
        &mut self,
        pod: &Arc<Object>,
        packet: &Packet,
    ) -> Result<(), Failure> {
        if !self.has_policies() {
            return Ok(());
        }
        let peer = self.pod_of(packet.destination.ip);
        let connection = policy::Connection {
            pod,
            peer_ip: packet.destination.ip,
            peer: peer.as_deref(),
            server: peer.as_deref(),
            protocol: packet.protocol,
            port: packet.destination.port,
        };
        self.enforce(Direction::Egress, &connection, packet)
    }

    /// Whether a packet may come to the pod that it goes to. Its node always may: probes come from
    /// there.
    pub(super) fn check_ingress(
        &mut self,
        node: &Arc<str>,
        packet: &Packet,
    ) -> Result<(), Failure> {
        if !self.has_policies() || self.network.node_at(packet.source.ip) == Some(node) {
            return Ok(());
        }
        let Some(pod) = self.pod_of(packet.destination.ip) else { return Ok(()) };
        let peer = self.pod_of(packet.source.ip);
        let connection = policy::Connection {
            pod: &pod,
            peer_ip: packet.source.ip,
            peer: peer.as_deref(),
            server: Some(&pod),
            protocol: packet.protocol,
            port: packet.destination.port,
        };
        self.enforce(Direction::Ingress, &connection, packet)
    }

    fn enforce(
        &mut self,
        direction: Direction,
        connection: &policy::Connection<'_>,
        packet: &Packet,
    ) -> Result<(), Failure> {
        let pod = ObjectKey::of(connection.pod);
        let place = Place::Pod(pod.clone());
        let packets = Some((*packet, *packet));
        match policy::check(&self.cluster, direction, connection) {
            policy::Verdict::Unselected => Ok(()),
            policy::Verdict::Allowed(policy) => {
                self.hop(place, Reason::Allowed { direction, policy }, packets);
                Ok(())
            }
            policy::Verdict::Denied(policies) => {
                let reason = Reason::Denied { direction, policies: policies.clone() };
                self.hop(place, reason, packets);
                self.fail(Cause::Policy { direction, pod, policies }, Manner::TimedOut)
            }
        }
    }
}
