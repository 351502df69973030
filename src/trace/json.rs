//! A trace as JSON.

use super::dns::{RecordType, Response};
use super::hop::{
    Cause, Direction, Hop, NearMiss, Outcome, PacketTrace, Place, Reason, Route, Server,
    WhyNoEndpoints,
};
use super::json_of_proxy;
use crate::api::Value;
use crate::net::Packet;
use crate::net::conntrack::Tuple;
use crate::net::packet::State;
use crate::net::walk::Draw;
use crate::store::ObjectKey;
use serde_json::json;

impl PacketTrace {
    /// The trace as JSON; each hop names its place, its reason and the packet.
    pub fn to_value(&self) -> Value {
        let hops: Vec<Value> = self.hops.iter().map(Hop::to_value).collect();
        json!({
            "request": {
                "from": self.request.from.to_value(),
                "host": *self.request.host,
                "port": self.request.port,
                "protocol": self.request.protocol.api_name(),
                "path": *self.request.path,
            },
            "hops": hops,
            "examined": self.examined,
            "waitedSeconds": self.waited.as_secs(),
            "ttl": self.ttl,
            "outcome": self.outcome.to_value(),
        })
    }
}

impl Hop {
    /// The hop as JSON.
    pub fn to_value(&self) -> Value {
        let mut value = json!({
            "place": place(&self.place),
            "reason": reason(self),
            "reply": self.is_reply,
        });
        if let Some((before, after)) = &self.packet
            && let Some(fields) = value.as_object_mut()
        {
            fields.insert("before".into(), packet(before));
            fields.insert("after".into(), packet(after));
        }
        value
    }
}

pub(super) fn key(key: &ObjectKey) -> Value {
    json!({"namespace": *key.namespace, "name": *key.name})
}

fn keys(all: &[ObjectKey]) -> Value {
    all.iter().map(key).collect()
}

fn packet(packet: &Packet) -> Value {
    let state = match packet.state {
        State::New => "new",
        State::Established => "established",
        State::Related => "related",
        State::Invalid => "invalid",
        State::Untracked => "untracked",
    };
    let [source, destination] = packet.ends();
    let mut value = json!({
        "protocol": packet.protocol.name(),
        "source": source,
        "destination": destination,
        "mark": packet.mark,
        "state": state,
    });
    if let (Some(word), Some(fields)) = (packet.refusal_name(), value.as_object_mut()) {
        fields.insert("refusal".into(), word.into());
    }
    value
}

fn tuple(tuple: &Tuple) -> Value {
    json!({
        "protocol": tuple.protocol.name(),
        "source": tuple.source.to_string(),
        "destination": tuple.destination.to_string(),
    })
}

pub(super) fn draw(draw: &Draw) -> Value {
    json!({"among": draw.among, "drawn": draw.drawn})
}

fn place(place: &Place) -> Value {
    match place {
        Place::Client(source) => json!({"kind": "client", "source": source.to_value()}),
        Place::Dns(ip) => json!({"kind": "dns", "ip": ip.to_string()}),
        Place::LoadBalancer(ip) => json!({"kind": "loadBalancer", "ip": ip.to_string()}),
        Place::Node(name) => json!({"kind": "node", "node": **name}),
        Place::Rule(node, rule) => json!({
            "kind": "rule",
            "node": **node,
            "hook": rule.hook.name(),
            "table": rule.table,
            "chain": *rule.chain,
            "index": rule.index,
            "text": rule.text(),
        }),
        Place::VirtualServer(node, address) => {
            json!({"kind": "virtualServer", "node": **node, "address": address.to_string()})
        }
        Place::Device(node, device) => {
            json!({"kind": "device", "node": **node, "device": device.name()})
        }
        Place::Pod(pod) => json!({"kind": "pod", "pod": key(pod)}),
        Place::Internet => json!({"kind": "internet"}),
        Place::Router => json!({"kind": "router"}),
    }
}

const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

fn reason(hop: &Hop) -> Value {
    let plain = |kind: &str| json!({"kind": kind});
    match &hop.reason {
        Reason::Sends => plain("sends"),
        Reason::Enters => plain("enters"),
        Reason::Tracks => plain("tracks"),
        Reason::Remembers => plain("remembers"),
        Reason::Decapsulates => plain("decapsulates"),
        Reason::LeavesCluster => plain("leavesCluster"),
        Reason::Delivers => plain("delivers"),
        Reason::Untranslates => plain("untranslates"),
        Reason::Returns => plain("returns"),
        Reason::Receives => plain("receives"),
        Reason::Echoes => plain("echoes"),
        Reason::Refuses => plain("refuses"),
        Reason::IsRefused => plain("isRefused"),
        Reason::Vanishes => plain("vanishes"),
        Reason::Resolves { name, asked } => {
            let asked: Vec<Value> = asked.iter().map(asked_value).collect();
            json!({"kind": "resolves", "name": **name, "asked": asked})
        }
        Reason::Rule { matched, examined, draw: lot, found } => json!({
            "kind": "rule",
            "matched": matched,
            "examined": examined,
            "draw": lot.as_ref().map(draw),
            "found": found.as_ref().and_then(|found| found.chain()).map(|chain| chain.to_string()),
        }),
        Reason::Schedules { server, among } => {
            json!({"kind": "schedules", "server": server.to_string(), "among": among})
        }
        Reason::Routes(route) => routes(route),
        Reason::Encapsulates { vni, overhead, mtu } => {
            json!({"kind": "encapsulates", "vni": vni, "overhead": overhead, "mtu": mtu})
        }
        Reason::Allowed { direction: way, policy } => {
            json!({"kind": "allowed", "direction": direction(*way), "policy": key(policy)})
        }
        Reason::Denied { direction: way, policies } => {
            json!({"kind": "denied", "direction": direction(*way), "policies": keys(policies)})
        }
        Reason::Answers { sees } => json!({"kind": "answers", "sees": sees.to_string()}),
        Reason::Rejects { about } => json!({"kind": "rejects", "about": tuple(about)}),
        Reason::UntranslatesError { inside } => {
            let (before, after) = &**inside;
            json!({"kind": "untranslatesError", "before": tuple(before), "after": tuple(after)})
        }
        Reason::Balancer(reason) => json_of_proxy::balancer(reason),
        Reason::Proxy(reason) => json_of_proxy::proxy(reason),
    }
}

fn routes(route: &Route) -> Value {
    match route {
        Route::Local => json!({"kind": "routes", "to": "local"}),
        Route::Pod => json!({"kind": "routes", "to": "pod"}),
        Route::Neighbour(node) => json!({"kind": "routes", "to": "neighbour", "node": **node}),
        Route::Node(node) => json!({"kind": "routes", "to": "node", "node": **node}),
        Route::Tunnel(node) => json!({"kind": "routes", "to": "tunnel", "node": **node}),
        Route::Default => json!({"kind": "routes", "to": "default"}),
    }
}

fn asked_value((record, response): &(RecordType, Response)) -> Value {
    let records: Vec<Value> = response
        .answers
        .iter()
        .map(|it| {
            let (record, data) = (it.data.record().name(), it.data.to_string());
            json!({"name": *it.name, "ttl": it.ttl, "type": record, "data": data})
        })
        .collect();
    json!({"record": record.name(), "code": response.code.name(), "answers": records})
}

impl Outcome {
    /// The outcome as JSON.
    pub fn to_value(&self) -> Value {
        match self {
            Outcome::Answered { server, status, body, headers, because, sees, reply_from } => {
                json!({
                    "kind": "answered",
                    "server": match server {
                        Server::Pod { pod, container } => {
                            json!({"kind": "pod", "pod": key(pod), "container": **container})
                        }
                        Server::Node(node) => json!({"kind": "node", "node": **node}),
                        Server::Internet => json!({"kind": "internet"}),
                    },
                    "status": status,
                    "body": **body,
                    "headers": headers
                        .iter()
                        .map(|(name, value)| json!({"name": name, "value": value}))
                        .collect::<Value>(),
                    "because": because.as_ref().map(|cause| cause.to_value()),
                    "sees": sees.to_string(),
                    "replyFrom": reply_from.to_string(),
                })
            }
            Outcome::Failed(failure) => json!({
                "kind": "failed",
                "cause": failure.cause.to_value(),
                "manner": failure.manner.word(),
                "at": failure.at,
            }),
        }
    }
}

fn no_endpoints(service: &ObjectKey, why: &WhyNoEndpoints) -> Value {
    let not_ready = why.not_ready.iter().map(|name| Value::from(&**name));
    let nearly = why.nearly.iter().map(|NearMiss { pod, key, wanted, has }| {
        json!({"pod": **pod, "key": **key, "wanted": **wanted, "has": has.as_deref()})
    });
    json!({
        "kind": "noEndpoints",
        "service": key(service),
        "selector": why.selector,
        "notReady": not_ready.collect::<Value>(),
        "nearly": nearly.collect::<Value>(),
        "unknownTargetPort": why.unknown_target_port.as_deref(),
    })
}

impl Cause {
    /// The cause as JSON: its kind and its data.
    pub fn to_value(&self) -> Value {
        let of = |kind: &str, service: &ObjectKey| json!({"kind": kind, "service": key(service)});
        match self {
            Cause::NoClient(source) => json!({"kind": "noClient", "source": source.to_value()}),
            Cause::NoSuchName(name) => json!({"kind": "noSuchName", "name": **name}),
            Cause::NoAddress(service) => of("noAddress", service),
            Cause::UnknownService { service, server } => json!({
                "kind": "unknownService", "service": key(service), "server": server.to_string(),
            }),
            Cause::NoNameServer { server, why, .. } => json!({
                "kind": "noNameServer", "server": server.to_string(), "why": why.to_value(),
            }),
            Cause::NameServerFails { server, code } => json!({
                "kind": "nameServerFails", "server": server.to_string(), "code": code.name(),
            }),
            Cause::NodeDown(node) => json!({"kind": "nodeDown", "node": **node}),
            Cause::NoEndpoints { service, why } => no_endpoints(service, why),
            Cause::NoLocalEndpoints { service, node, is_internal } => json!({
                "kind": "noLocalEndpoints",
                "service": key(service),
                "node": **node,
                "internal": is_internal,
            }),
            Cause::NodePortOnLoopback { service, node, port } => json!({
                "kind": "nodePortOnLoopback", "service": key(service), "node": **node, "port": port,
            }),
            Cause::WrongPort { service, port, offered } => json!({
                "kind": "wrongPort",
                "service": key(service),
                "port": port,
                "offered": offered,
            }),
            Cause::WrongProtocol { service, port, offered, .. } => json!({
                "kind": "wrongProtocol", "service": key(service), "port": port,
                "offered": offered.api_name(),
            }),
            Cause::NothingListens { pod, port } => {
                json!({"kind": "nothingListens", "pod": key(pod), "port": port})
            }
            Cause::NotANodePort { node, port } => {
                json!({"kind": "notANodePort", "node": **node, "port": port})
            }
            Cause::Policy { direction: way, pod, policies } => json!({
                "kind": "policy",
                "direction": direction(*way),
                "pod": key(pod),
                "policies": keys(policies),
            }),
            Cause::SourceRange { service } => of("sourceRange", service),
            Cause::PendingExternalIp(service) => of("pendingExternalIp", service),
            Cause::NoHealthyNode(service) => of("noHealthyNode", service),
            Cause::NoSuchAddress(ip) => json!({"kind": "noSuchAddress", "ip": ip.to_string()}),
            Cause::StrangeReply(from) => {
                json!({"kind": "strangeReply", "from": from.to_string()})
            }
            Cause::RuleByHand { node, chain } => {
                json!({"kind": "ruleByHand", "node": **node, "chain": **chain})
            }
            Cause::RefusalLost { refused, lost } => json!({
                "kind": "refusalLost", "refused": refused.to_value(), "lost": lost.to_value(),
            }),
            Cause::NoEcho(service) => of("noEcho", service),
            Cause::NoForwarding(node) => json!({"kind": "noForwarding", "node": **node}),
            Cause::Loop => json!({"kind": "loop"}),
            Cause::Balancer(cause) => json_of_proxy::balancer_cause(cause),
            Cause::Proxy(cause) => json_of_proxy::proxy_cause(cause),
        }
    }
}
