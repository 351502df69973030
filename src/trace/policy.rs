//! NetworkPolicies: which connections a pod may have.
//!
//! Simplified: enforced as plugins that implement policies do; the pod's own node may always reach
//! it, replies always pass, and the addresses looked at are those after the Service's translation.

use super::cluster::Cluster;
use super::hop::Direction;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, Value};
use crate::net::Protocol;
use crate::store::ObjectKey;
use ipnet::IpNet;
use std::net::IpAddr;

/// What the policies of a pod say of a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// No policy selects the pod in this direction.
    Unselected,
    /// A rule of this policy lets it pass.
    Allowed(ObjectKey),
    /// These policies select the pod, and none has a rule for it.
    Denied(Vec<ObjectKey>),
}

/// A connection as a policy looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// The pod whose policies are asked.
    pub pod: &'a Object,
    /// The address at the other end.
    pub peer_ip: IpAddr,
    /// The pod at the other end, if it is one.
    pub peer: Option<&'a Object>,
    /// The pod that is connected to, whose port names count.
    pub server: Option<&'a Object>,
    /// Protocol.
    pub protocol: Protocol,
    /// Destination port.
    pub port: u16,
}

/// Asks the policies of a pod.
pub fn check(cluster: &Cluster<'_>, direction: Direction, connection: &Connection<'_>) -> Verdict {
    let mut selecting = Vec::new();
    for policy in cluster.store.list_in(Kind::NetworkPolicy, &connection.pod.meta.namespace) {
        if !selects(policy, direction, connection.pod) {
            continue;
        }
        let (rules, peers) = match direction {
            Direction::Ingress => ("ingress", "from"),
            Direction::Egress => ("egress", "to"),
        };
        let allows = |rule: &Value| {
            let namespace = &policy.meta.namespace;
            ports_allow(rule.items_at(&["ports"]), connection)
                && peers_allow(cluster, rule.items_at(&[peers]), namespace, connection)
        };
        if policy.spec().items_at(&[rules]).iter().any(allows) {
            return Verdict::Allowed(ObjectKey::of(policy));
        }
        selecting.push(ObjectKey::of(policy));
    }
    if selecting.is_empty() { Verdict::Unselected } else { Verdict::Denied(selecting) }
}

fn selects(policy: &Object, direction: Direction, pod: &Object) -> bool {
    let spec = policy.spec();
    let types: Vec<&str> =
        spec.items_at(&["policyTypes"]).iter().filter_map(|it| it.as_str()).collect();
    let in_direction = match direction {
        Direction::Ingress => types.is_empty() || types.contains(&"Ingress"),
        Direction::Egress if types.is_empty() => !spec.items_at(&["egress"]).is_empty(),
        Direction::Egress => types.contains(&"Egress"),
    };
    in_direction && label_selector(spec.get("podSelector")).matches(&pod.meta.labels)
}

/// An absent or empty selector selects everything.
fn label_selector(value: Option<&Value>) -> Selector {
    let empty = Value::Object(serde_json::Map::new());
    Selector::from_label_selector(Some(value.unwrap_or(&empty)))
        .unwrap_or_else(|| Selector::from_map(None))
}

fn ports_allow(ports: &[Value], connection: &Connection<'_>) -> bool {
    let allows = |port: &Value| {
        let protocol = port.str_at(&["protocol"]).unwrap_or("TCP");
        if Protocol::parse(protocol) != Some(connection.protocol) {
            return false;
        }
        let own = i64::from(connection.port);
        match port.at(&["port"]) {
            None | Some(Value::Null) => true,
            Some(Value::String(name)) => has_named_port(connection, name),
            Some(number) => {
                let first = number.as_i64().unwrap_or(-1);
                (first..=port.int_at(&["endPort"]).unwrap_or(first)).contains(&own)
            }
        }
    };
    ports.is_empty() || ports.iter().any(allows)
}

fn has_named_port(connection: &Connection<'_>, name: &str) -> bool {
    let containers = connection.server.and_then(Object::pod).map(|pod| &pod.spec.containers);
    let mut ports = containers.into_iter().flatten().flat_map(|container| &container.ports);
    ports.any(|port| port.name == name && port.container_port == connection.port)
}

fn peers_allow(
    cluster: &Cluster<'_>,
    peers: &[Value],
    namespace: &str,
    connection: &Connection<'_>,
) -> bool {
    let allows = |peer: &Value| {
        if let Some(block) = peer.at(&["ipBlock"]) {
            return block_allows(block, connection.peer_ip);
        }
        let Some(other) = connection.peer else { return false };
        let in_namespace = match peer.at(&["namespaceSelector"]) {
            None => *other.meta.namespace == *namespace,
            selector => cluster
                .store
                .find(Kind::Namespace, "", &other.meta.namespace)
                .is_some_and(|it| label_selector(selector).matches(&it.meta.labels)),
        };
        in_namespace && label_selector(peer.at(&["podSelector"])).matches(&other.meta.labels)
    };
    peers.is_empty() || peers.iter().any(allows)
}

fn block_allows(block: &Value, ip: IpAddr) -> bool {
    let within = |text: &str| text.parse::<IpNet>().is_ok_and(|net: IpNet| net.contains(&ip));
    let excepted = |except: &Value| except.as_str().is_some_and(within);
    block.str_at(&["cidr"]).is_some_and(within) && !block.items_at(&["except"]).iter().any(excepted)
}
