//! A trace as a story: chapters, and in them numbered hops, each with its place, the rule's own
//! text, what it changed in the packet, and a sentence that says why.

use super::chapter::{self, Chapter};
use super::packet_card::{PacketCard, Reading};
use crate::api::Kind;
use crate::net::Packet;
use crate::session::{ObjectId, aim};
use crate::store::ObjectKey;
use crate::telling::{Change, Told, changes, ending, is_idle, is_in_pod};
use crate::text::{Lang, Text};
use crate::trace::request::Source;
use crate::trace::{Hop, Outcome, PacketTrace, Place, ProxyReason, Reason};

/// A trace to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// What was asked, `http://172.18.0.3:30080/`.
    pub url: String,
    /// Whether somebody answered.
    pub is_answered: bool,
    /// How it ended, in a sentence.
    pub verdict: String,
    /// What it takes to understand a failure, or whom the server saw.
    pub cause: String,
    /// The source that who answered saw; empty if nobody did.
    pub sees: String,
    /// The Service whose address or port was asked, if one's was.
    pub asked: Option<ObjectId>,
    /// How many rules nodes looked at.
    pub examined: u32,
    /// The chapters.
    pub chapters: Vec<Chapter>,
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
    /// What changed in the packet.
    pub changes: Vec<Change>,
    /// Why the packet went on as it did.
    pub sentence: String,
    /// Where that is on the map.
    pub spot: Spot,
    /// The object at that place, if it is one.
    pub object: Option<ObjectId>,
    /// The Ingress by whose rule the packet goes on, if it does by one.
    pub ingress: Option<ObjectId>,
    /// Whether the answer is on its way back.
    pub is_reply: bool,
    /// Whether the packet ends here without an answer.
    pub is_end: bool,
    /// Why it ends here.
    pub cause: String,
    /// Whether it leads to a chain in which nothing matched.
    pub is_idle: bool,
    /// The chapter it is in, from 0.
    pub chapter: usize,
    /// The packet there.
    pub card: Option<PacketCard>,
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
    /// Behind it, where its Pods are joined to the node.
    Bridge(ObjectId),
    /// In a Pod.
    Pod(ObjectId),
    /// Somewhere that the map does not show.
    Elsewhere,
}

/// What happens at a hop, in short.
#[derive(Clone, Debug, PartialEq)]
pub struct Caption {
    /// Where.
    pub title: String,
    /// What happens.
    pub sentence: String,
    /// Whether the answer is on its way back.
    pub is_reply: bool,
    /// Whether the packet ends here.
    pub is_end: bool,
}

impl Story {
    /// What happens where the packet is: in a chapter whose rules are open at that very hop, else in
    /// the chapter as a whole.
    pub fn caption(&self, hop: usize, is_open: bool) -> Caption {
        let one = self.hops.get(hop);
        let chapter = one.and_then(|one| self.chapters.get(one.chapter));
        let (title, sentence) = match (one, chapter) {
            (Some(one), Some(_)) if is_open => (&one.title, &one.sentence),
            (_, Some(chapter)) => (&chapter.title, &chapter.sentence),
            _ => (&self.url, &self.verdict),
        };
        let end = one.filter(|one| one.is_end).map(|one| one.cause.clone());
        Caption {
            title: title.clone(),
            is_reply: one.is_some_and(|one| one.is_reply),
            is_end: end.is_some(),
            sentence: end.unwrap_or_else(|| sentence.clone()),
        }
    }

    /// The record on the map whose rule acts at a hop: the Ingress, or the Service that was asked
    /// while netfilter or a load balancer decides.
    pub fn acting(&self, hop: usize) -> Option<&ObjectId> {
        let one = self.hops.get(hop)?;
        let decides = !one.is_reply && matches!(one.spot, Spot::Filter(_) | Spot::Balancer(_));
        one.ingress.as_ref().or(self.asked.as_ref().filter(|_| decides))
    }
}

/// Tells a trace in a language.
#[inline(never)]
pub fn story(trace: &PacketTrace, lang: Lang) -> Story {
    let last = trace.hops.len().saturating_sub(1);
    let failed_at = match &trace.outcome {
        Outcome::Failed(failure) => usize::try_from(failure.at).ok().map(|at| at.min(last)),
        Outcome::Answered { .. } => None,
    };
    let (verdict, cause) = ending(trace, lang);
    let stages = trace.stages();
    let mut hops = Vec::with_capacity(trace.hops.len());
    let mut reading = Reading::default();
    for (chapter, stage) in stages.iter().enumerate() {
        let mut first: Option<(Packet, u8)> = None;
        for (at, hop) in
            stage.hops.clone().zip(trace.hops.get(stage.hops.clone()).unwrap_or_default())
        {
            let before = trace.hops.get(at.wrapping_sub(1));
            let mut one = tell(hop, before, trace.hops.get(at + 1), lang);
            let ttl = reading.read(hop);
            if let Some((packet, _)) = hop.packet {
                // A connection of a proxy's own, and an answer, begin anew.
                let begins = first.is_none_or(|(known, _)| known.is_reply != packet.is_reply);
                if begins || matches!(hop.reason, Reason::Sends) {
                    first = Some((packet, ttl));
                }
            }
            one.card = first.as_ref().and_then(|(packet, ttl)| reading.card(hop, (packet, *ttl)));
            one.chapter = chapter;
            one.is_end = failed_at == Some(at);
            if one.is_end {
                one.cause.clone_from(&cause);
            }
            hops.push(one);
        }
    }
    Story {
        url: aim::address(&trace.request),
        sees: sees(trace),
        is_answered: failed_at.is_none() && matches!(trace.outcome, Outcome::Answered { .. }),
        chapters: chapter::chapters(trace, &stages, &hops, lang),
        verdict,
        cause,
        asked: None,
        examined: trace.examined,
        hops,
    }
}

fn sees(trace: &PacketTrace) -> String {
    match &trace.outcome {
        Outcome::Answered { sees, .. } => sees.to_string(),
        Outcome::Failed(_) => String::new(),
    }
}

/// Tells a hop, between the one before and the one after.
fn tell(hop: &Hop, before: Option<&Hop>, next: Option<&Hop>, lang: Lang) -> StoryHop {
    let is_from_pod = matches!(hop.reason, Reason::Enters) && before.is_some_and(is_in_pod);
    let (spot, object) = spot(hop, is_from_pod);
    let after = hop.packet.map(|(_, after)| after);
    let is_idle = is_idle(hop, next);
    StoryHop {
        title: title(hop, lang),
        address: after.map(|packet| packet.destination.to_string()).unwrap_or_default(),
        rule: match &hop.place {
            Place::Rule(_, rule) => rule.text(),
            _ => String::new(),
        },
        changes: hop.packet.filter(|_| hop.changes()).map(changes).unwrap_or_default(),
        sentence: Told { hop, is_from_pod, is_idle, lang }.sentence(),
        spot,
        object,
        ingress: by_ingress(hop),
        is_reply: hop.is_reply,
        is_end: false,
        cause: String::new(),
        is_idle,
        chapter: 0,
        card: None,
    }
}

fn node_id(name: &str) -> ObjectId {
    ObjectId::new(Kind::Node, "", name)
}

fn pod_id(key: &ObjectKey) -> ObjectId {
    ObjectId { kind: Kind::Pod, namespace: key.namespace.clone(), name: key.name.clone() }
}

/// The Ingress whose rule a controller goes by.
fn by_ingress(hop: &Hop) -> Option<ObjectId> {
    let ProxyReason::IngressRule { ingress: Some(key), .. } = hop.proxy_reason()? else {
        return None;
    };
    Some(ObjectId { kind: Kind::Ingress, namespace: key.namespace.clone(), name: key.name.clone() })
}

/// Where a hop is on the map, and the object there.
fn spot(hop: &Hop, is_from_pod: bool) -> (Spot, Option<ObjectId>) {
    let at_pod = |id: ObjectId| (Spot::Pod(id.clone()), Some(id));
    match &hop.place {
        Place::Client(Source::Internet { .. }) => (Spot::Client, None),
        Place::Node(name)
            if matches!(hop.reason, Reason::Enters | Reason::Vanishes) && !is_from_pod =>
        {
            (Spot::Door(node_id(name)), Some(node_id(name)))
        }
        Place::Client(Source::Pod { namespace, name }) => {
            at_pod(ObjectId::new(Kind::Pod, namespace, name))
        }
        Place::Client(Source::Node(name))
        | Place::Node(name)
        | Place::Rule(name, _)
        | Place::VirtualServer(name, _) => (Spot::Filter(node_id(name)), Some(node_id(name))),
        Place::Device(name, _) => (Spot::Bridge(node_id(name)), Some(node_id(name))),
        Place::Pod(key) => at_pod(pod_id(key)),
        Place::LoadBalancer(ip) => (Spot::Balancer(ip.to_string()), None),
        // The router is where the map has the balancer of the address that is looked for.
        Place::Router => {
            let to = hop.packet.map(|(_, after)| after.destination.ip.to_string());
            (Spot::Balancer(to.unwrap_or_default()), None)
        }
        Place::Dns(_) | Place::Internet => (Spot::Elsewhere, None),
    }
}

/// Where a hop is, in words.
pub(super) fn title(hop: &Hop, lang: Lang) -> String {
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
