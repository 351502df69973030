//! The chapters of a story: what happened at each place, in a sentence or two.

use super::story::{self, StoryHop};
use crate::telling::draw::{self, Lots};
use crate::telling::{self, Change, Told};
use crate::text::{Lang, Text};
use crate::trace::stages::{Scene, Stage};
use crate::trace::{Hop, PacketTrace, Place, Reason};
use core::ops::Range;

/// A chapter to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Chapter {
    /// What it is about, a word for styles.
    pub scene: &'static str,
    /// Where, in a few words.
    pub title: String,
    /// What happened.
    pub sentence: String,
    /// What is different in the packet when it leaves.
    pub changes: Vec<Change>,
    /// What was left to chance.
    pub lots: Vec<Lots>,
    /// Its hops.
    pub hops: Range<usize>,
    /// The hop that stands for it.
    pub key: usize,
    /// Its hops by where in the kernel they are: `PREROUTING`, `conntrack`.
    pub parts: Vec<(&'static str, Range<usize>)>,
    /// How many of its hops are rules.
    pub rules: usize,
    /// Whether the answer is on its way back.
    pub is_reply: bool,
    /// Whether the packet ends in it.
    pub is_end: bool,
    /// Why.
    pub cause: String,
}

/// Tells the chapters of a trace.
pub(super) fn chapters(
    trace: &PacketTrace,
    stages: &[Stage],
    told: &[StoryHop],
    lang: Lang,
) -> Vec<Chapter> {
    let mut chapters = Vec::with_capacity(stages.len());
    for (at, stage) in stages.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| stages.get(at));
        let hops = trace.hops.get(stage.hops.clone()).unwrap_or_default();
        let own = told.get(stage.hops.clone()).unwrap_or_default();
        let teller = Teller { trace, stage, before, hops, told: own, lang };
        let end = own.iter().find(|hop| hop.is_end);
        let first = hops.iter().find_map(|hop| hop.packet).map(|(before, _)| before);
        let last = hops.iter().rev().filter(|hop| hop.changes()).find_map(|hop| hop.packet);
        let span = first.zip(last).filter(|(first, (_, last))| first.is_reply == last.is_reply);
        // What a proxy sends on is another packet, and not the one that came changed.
        let span = span.filter(|_| !matches!(stage.scene, Scene::Pod));
        chapters.push(Chapter {
            scene: scene_name(&stage.scene),
            title: teller.title(),
            sentence: teller.sentence(),
            changes: span
                .map(|(first, (_, last))| telling::changes((first, last)))
                .unwrap_or_default(),
            lots: draw::lots(hops),
            hops: stage.hops.clone(),
            key: stage.key,
            parts: parts(stage, hops),
            rules: hops.iter().filter(|hop| matches!(hop.place, Place::Rule(..))).count(),
            is_reply: hops.iter().any(|hop| hop.is_reply),
            is_end: end.is_some(),
            cause: end.map(|hop| hop.cause.clone()).unwrap_or_default(),
        });
    }
    chapters
}

const fn scene_name(scene: &Scene) -> &'static str {
    match scene {
        Scene::Client => "client",
        Scene::Dns => "dns",
        Scene::Balancer => "balancer",
        Scene::Door(_) => "door",
        Scene::Rules(_) => "rules",
        Scene::Pod => "pod",
        Scene::Process(_) => "process",
        Scene::Back(_) => "back",
        Scene::Outside => "outside",
    }
}

/// The hops of a stage by where in the kernel they are.
fn parts(stage: &Stage, hops: &[Hop]) -> Vec<(&'static str, Range<usize>)> {
    let mut parts: Vec<(&'static str, Range<usize>)> = Vec::new();
    for (at, hop) in stage.hops.clone().zip(hops) {
        let label = match (&hop.place, &hop.reason) {
            (Place::Rule(_, rule), _) => rule.hook.chain(),
            (Place::VirtualServer(..), _) => "IPVS",
            (_, Reason::Routes(_)) => "ROUTING",
            (_, Reason::Tracks | Reason::Remembers | Reason::Untranslates) => "CONNTRACK",
            (_, Reason::Allowed { .. } | Reason::Denied { .. }) => "NETWORKPOLICY",
            _ => "",
        };
        match parts.last_mut() {
            Some((last, range)) if *last == label => range.end = at + 1,
            _ => parts.push((label, at..at + 1)),
        }
    }
    parts
}

/// A stage that is told in a language.
struct Teller<'a> {
    trace: &'a PacketTrace,
    stage: &'a Stage,
    before: Option<&'a Stage>,
    hops: &'a [Hop],
    told: &'a [StoryHop],
    lang: Lang,
}

impl Teller<'_> {
    fn first(&self) -> Option<&Hop> {
        self.hops.first()
    }

    fn title(&self) -> String {
        let named = |text: Text, node: &str| self.lang.fill(text, &[("node", &node)]);
        match &self.stage.scene {
            Scene::Door(node) => match self.before.map(|before| &before.scene) {
                Some(Scene::Pod | Scene::Process(_)) => named(Text::ChapterVeth, node),
                Some(Scene::Client) if self.comes_from_pod() => named(Text::ChapterVeth, node),
                Some(Scene::Rules(_)) => named(Text::ChapterWire, node),
                _ => named(Text::ChapterDoor, node),
            },
            Scene::Rules(node) => named(Text::ChapterRules, node),
            Scene::Back(node) => named(Text::ChapterBack, node),
            Scene::Pod => {
                let pod = self.hops.iter().find(|hop| matches!(hop.place, Place::Pod(_)));
                pod.or(self.first()).map(|hop| story::title(hop, self.lang)).unwrap_or_default()
            }
            Scene::Dns => "DNS".to_owned(),
            _ => self.first().map(|hop| story::title(hop, self.lang)).unwrap_or_default(),
        }
    }

    fn comes_from_pod(&self) -> bool {
        let before = self.before.and_then(|before| self.trace.hops.get(before.hops.clone()));
        before.and_then(<[Hop]>::last).is_some_and(telling::is_in_pod)
    }

    fn sentence(&self) -> String {
        let end = self.told.iter().find(|hop| hop.is_end);
        match &self.stage.scene {
            Scene::Rules(_) => self.kernel(),
            Scene::Client => self.client(),
            Scene::Door(_) if matches!(self.before.map(|it| &it.scene), Some(Scene::Rules(_))) => {
                self.lang.t(Text::ChapterWireText).to_owned()
            }
            Scene::Pod => self.pod(),
            _ => {
                let last = self.told.iter().rev().find(|hop| !hop.sentence.is_empty());
                // What a node does of its own accord matters more than the rules after it.
                let is_made = |(hop, _): &(&Hop, _)| matches!(hop.reason, Reason::Rejects { .. });
                let made = self.hops.iter().zip(self.told).find(is_made).map(|(_, told)| told);
                made.or(end).or(last).map(|hop| hop.sentence.clone()).unwrap_or_default()
            }
        }
    }

    fn client(&self) -> String {
        let Some(hop) = self.first() else { return String::new() };
        match (&hop.reason, hop.packet) {
            (Reason::Sends, Some((packet, _))) => {
                let (from, to) = (packet.source, packet.destination);
                self.lang.fill(Text::ChapterSends, &[("from", &from), ("to", &to)])
            }
            _ => self.told.first().map(|hop| hop.sentence.clone()).unwrap_or_default(),
        }
    }

    /// What happened in a Pod: its process answers, or it is an ingress controller, which asks on.
    fn pod(&self) -> String {
        let counts = |hop: &Hop| !matches!(hop.reason, Reason::Delivers | Reason::Sends);
        let told = self.hops.iter().zip(self.told).filter(|(hop, _)| counts(hop));
        let told: Vec<&str> = told.map(|(_, hop)| hop.sentence.as_str()).collect();
        told.join(" ")
    }

    /// What a node's kernel did: what it changed, and where it sends the packet.
    fn kernel(&self) -> String {
        if let Some(end) = self.told.iter().find(|hop| hop.is_end) {
            return end.sentence.clone();
        }
        let mut told = Vec::new();
        let changed = |turns: fn(&Hop) -> bool| self.hops.iter().rev().find(|hop| turns(hop));
        if let Some((_, after)) = changed(Hop::turns_destination).and_then(|hop| hop.packet) {
            told.push(self.lang.fill(Text::ChapterDnat, &[("to", &after.destination)]));
        }
        if let Some((_, after)) = changed(Hop::turns_source).and_then(|hop| hop.packet) {
            told.push(self.lang.fill(Text::ChapterSnat, &[("to", &after.source.ip)]));
        }
        if told.is_empty() {
            told.push(self.lang.t(Text::ChapterNothing).to_owned());
        }
        let route = self.hops.iter().rev().find(|hop| matches!(hop.reason, Reason::Routes(_)));
        told.extend(route.map(|hop| {
            Told { hop, is_from_pod: false, is_idle: false, lang: self.lang }.sentence()
        }));
        told.join(" ")
    }
}
