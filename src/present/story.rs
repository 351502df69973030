//! A trace as a story: numbered hops, each with its place, the rule's own text, what it changed in
//! the packet, and a sentence that says why.

use super::sentence::{self, Told};
use crate::api::Kind;
use crate::net::Packet;
use crate::session::ObjectId;
use crate::store::ObjectKey;
use crate::text::{Lang, Text};
use crate::trace::request::Source;
use crate::trace::{Hop, Outcome, PacketTrace, Place, Server};

/// A trace to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// What was asked, `http://172.18.0.3:30080/`.
    pub url: String,
    /// Whether somebody answered.
    pub is_answered: bool,
    /// How it ended, in a sentence.
    pub verdict: String,
    /// What it takes to understand a failure; empty after success.
    pub cause: String,
    /// The hops.
    pub hops: Vec<StoryHop>,
}

/// One hop to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct StoryHop {
    /// Where, in a few words: `node-2 · PREROUTING`.
    pub title: String,
    /// The packet's destination there, `10.244.1.4:80`.
    pub address: String,
    /// The rule's text; empty where no rule is.
    pub rule: String,
    /// What changed in the packet: what, before, after.
    pub changes: Vec<(&'static str, String, String)>,
    /// Why the packet went on as it did.
    pub sentence: String,
    /// Where that is on the map.
    pub spot: Spot,
    /// The object at that place, if it is one.
    pub object: Option<ObjectId>,
    /// Whether the answer is on its way back.
    pub is_reply: bool,
    /// Whether the packet ends here without an answer.
    pub is_end: bool,
}

/// A place on the map that a packet can be at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// The client outside.
    Client,
    /// The load balancer of this address.
    Balancer(String),
    /// At a node's door.
    Door(ObjectId),
    /// In a node's netfilter.
    Filter(ObjectId),
    /// In a Pod.
    Pod(ObjectId),
    /// Somewhere that the map does not show.
    Elsewhere,
}

/// Tells a trace in a language.
pub fn story(trace: &PacketTrace, lang: Lang) -> Story {
    let last = trace.hops.len().saturating_sub(1);
    let failed_at = match &trace.outcome {
        Outcome::Failed(failure) => usize::try_from(failure.at).ok().map(|at| at.min(last)),
        Outcome::Answered { .. } => None,
    };
    let hops = trace.hops.iter().enumerate();
    let (verdict, cause) = ending(trace, lang);
    Story {
        url: url(trace),
        is_answered: failed_at.is_none(),
        verdict,
        cause,
        hops: hops.map(|(at, hop)| tell(hop, failed_at == Some(at), lang)).collect(),
    }
}

fn url(trace: &PacketTrace) -> String {
    let request = &trace.request;
    let scheme = if request.tls { "https" } else { "http" };
    let (host, port, path) = (&request.host, request.port, &request.path);
    match (request.tls, port) {
        (false, 80) | (true, 443) => format!("{scheme}://{host}{path}"),
        _ => format!("{scheme}://{host}:{port}{path}"),
    }
}

/// How a trace ended: the verdict, and the cause of a failure.
fn ending(trace: &PacketTrace, lang: Lang) -> (String, String) {
    match &trace.outcome {
        Outcome::Answered { server, status, sees, because, .. } => {
            let who = match server {
                Server::Pod { pod, .. } => pod.name.to_string(),
                Server::Node(name) => name.to_string(),
                Server::Internet => lang.t(Text::Outside).to_owned(),
            };
            let verdict = lang.fill(Text::Arrived, &[("pod", &who), ("status", status)]);
            if let Some(because) = because {
                return (verdict, sentence::cause(because, lang));
            }
            (verdict, lang.fill(Text::ArrivedSees, &[("pod", &who), ("ip", sees)]))
        }
        Outcome::Failed(failure) => {
            let verdict = lang.t(sentence::manner(failure.manner)).to_owned();
            (verdict, sentence::cause(&failure.cause, lang))
        }
    }
}

fn tell(hop: &Hop, is_end: bool, lang: Lang) -> StoryHop {
    let after = hop.packet.map(|(_, after)| after);
    let to = after.map(|packet| packet.destination.ip.to_string()).unwrap_or_default();
    let (spot, object) = spot(&hop.place, to);
    StoryHop {
        title: title(hop, lang),
        address: after.map(|packet| packet.destination.to_string()).unwrap_or_default(),
        rule: match &hop.place {
            Place::Rule(_, rule) => rule.text(),
            _ => String::new(),
        },
        changes: hop.packet.map(changes).unwrap_or_default(),
        sentence: Told { hop, lang }.sentence(),
        spot,
        object,
        is_reply: hop.is_reply,
        is_end,
    }
}

fn node_id(name: &str) -> ObjectId {
    ObjectId::new(Kind::Node, "", name)
}

fn pod_id(key: &ObjectKey) -> ObjectId {
    ObjectId { kind: Kind::Pod, namespace: key.namespace.clone(), name: key.name.clone() }
}

/// Where a hop is on the map, and the object there.
fn spot(place: &Place, to: String) -> (Spot, Option<ObjectId>) {
    let at_pod = |id: ObjectId| (Spot::Pod(id.clone()), Some(id));
    match place {
        Place::Client(Source::Internet { .. }) => (Spot::Client, None),
        Place::Client(Source::Node(name)) | Place::Node(name) => {
            (Spot::Door(node_id(name)), Some(node_id(name)))
        }
        Place::Client(Source::Pod { namespace, name }) => {
            at_pod(ObjectId::new(Kind::Pod, namespace, name))
        }
        Place::Rule(name, _) | Place::VirtualServer(name, _) | Place::Device(name, _) => {
            (Spot::Filter(node_id(name)), Some(node_id(name)))
        }
        Place::Pod(key) => at_pod(pod_id(key)),
        Place::LoadBalancer(ip) => (Spot::Balancer(ip.to_string()), None),
        // The router is where the map has the balancer of the address that is looked for.
        Place::Router => (Spot::Balancer(to), None),
        Place::Dns(_) | Place::Internet => (Spot::Elsewhere, None),
    }
}

/// Where a hop is, in words.
fn title(hop: &Hop, lang: Lang) -> String {
    match &hop.place {
        Place::Client(Source::Internet { .. }) => lang.t(Text::Client).to_owned(),
        Place::Client(Source::Node(name)) | Place::Node(name) => name.to_string(),
        Place::Client(Source::Pod { name, .. }) => name.to_string(),
        Place::Dns(ip) => format!("DNS {ip}"),
        Place::LoadBalancer(ip) => format!("{} {ip}", lang.t(Text::LoadBalancer)),
        Place::Rule(name, rule) => format!("{name} · {}", rule.chain),
        Place::VirtualServer(name, address) => format!("{name} · IPVS {address}"),
        Place::Device(name, device) => {
            lang.fill(Text::PlaceDevice, &[("node", name), ("device", &device.name())])
        }
        Place::Pod(key) => key.name.to_string(),
        Place::Internet => lang.t(Text::Outside).to_owned(),
        Place::Router => lang.t(Text::PlaceRouter).to_owned(),
    }
}

/// What a hop changed in the packet.
fn changes((before, after): (Packet, Packet)) -> Vec<(&'static str, String, String)> {
    let mut changes = Vec::new();
    if before.source != after.source {
        changes.push(("src", before.source.to_string(), after.source.to_string()));
    }
    if before.destination != after.destination {
        changes.push(("dst", before.destination.to_string(), after.destination.to_string()));
    }
    if before.mark != after.mark {
        changes.push(("mark", format!("0x{:x}", before.mark), format!("0x{:x}", after.mark)));
    }
    changes
}
