//! What lets a packet through a NetworkPolicy: a rule for this asker and this port, and no more.

use super::{Mender, patch};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::store::ObjectKey;
use crate::trace::Reason;
use crate::trace::hop::Direction;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

impl Mender<'_> {
    /// Adds a rule for the packet that was denied to a policy.
    pub(super) fn allow(&self, direction: Direction, policy: &ObjectKey) -> Option<String> {
        let packet = self.packet_at(|hop| matches!(hop.reason, Reason::Denied { .. }))?;
        let (field, whom, peer) = match direction {
            Direction::Ingress => ("ingress", "from", packet.source.ip),
            Direction::Egress => ("egress", "to", packet.destination.ip),
        };
        let port = match packet.protocol.has_ports() {
            true => json!({
                "protocol": packet.protocol.api_name(), "port": packet.destination.port,
            }),
            // A policy knows no ICMP: only a rule for all ports lets it pass.
            false => return None,
        };
        let rule = json!({whom: [self.peer(policy, peer)], "ports": [port]});
        let object = self.store.get(Kind::NetworkPolicy, policy)?;
        let (path, value) = match object.spec().at(&[field]) {
            Some(Value::Array(_)) => (format!("/spec/{field}/-"), rule),
            _ => (format!("/spec/{field}"), json!([rule])),
        };
        patch("networkpolicy", policy, &json!([{"op": "add", "path": path, "value": value}]))
    }

    /// Who has an address, as policies name it: pods by their labels, others by their address.
    fn peer(&self, policy: &ObjectKey, ip: IpAddr) -> Value {
        let has_it = |object: &&Arc<Object>| {
            let pod = object.pod().filter(|pod| !pod.spec.host_network);
            pod.is_some_and(|pod| pod.status.pod_ip.map(IpAddr::from) == Some(ip))
        };
        let Some(pod) = self.store.list(Kind::Pod).find(has_it) else {
            return json!({"ipBlock": {"cidr": format!("{ip}/32")}});
        };
        // Labels that controllers add are other ones tomorrow.
        let own = pod
            .meta
            .labels
            .iter()
            .filter(|(key, _)| !key.contains(['/']) && !key.ends_with("-hash"));
        let labels: serde_json::Map<String, Value> =
            own.map(|(key, value)| (key.to_string(), value.to_string().into())).collect();
        let mut peer = json!({"podSelector": {"matchLabels": labels}});
        if pod.meta.namespace != policy.namespace
            && let Some(fields) = peer.as_object_mut()
        {
            let name = json!({"kubernetes.io/metadata.name": *pod.meta.namespace});
            fields.insert("namespaceSelector".into(), json!({"matchLabels": name}));
        }
        peer
    }
}
