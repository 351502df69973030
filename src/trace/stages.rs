//! A trace in stages: the few steps a person would tell it in, each one or more hops at one place.

use super::hop::{Hop, Outcome, PacketTrace, Place, Reason};
use core::ops::Range;
use std::sync::Arc;

/// What a stage is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scene {
    /// Who asks: the request sets out, or the answer is back.
    Client,
    /// Names are looked up.
    Dns,
    /// A load balancer, or the answer on its way back through it.
    Balancer,
    /// A node's door: the packet comes in.
    Door(Arc<str>),
    /// A node's kernel: rules, routing, connection tracking.
    Rules(Arc<str>),
    /// A pod, and the cable to it.
    Pod,
    /// A process of a node itself.
    Process(Arc<str>),
    /// The answer passes a node's kernel.
    Back(Arc<str>),
    /// Somewhere outside of the cluster.
    Outside,
}

/// A stage of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What it is about.
    pub scene: Scene,
    /// Its hops.
    pub hops: Range<usize>,
    /// The hop at which the packet comes to the stage's place.
    pub arrives: usize,
    /// The hop that matters most: where the packet ends or is changed.
    pub key: usize,
}

impl PacketTrace {
    /// The stages, in order. Every hop is in just one.
    pub fn stages(&self) -> Vec<Stage> {
        let mut stages: Vec<Stage> = Vec::new();
        for (at, hop) in self.hops.iter().enumerate() {
            let scene = scene(hop, self.hops.get(at + 1));
            // What a policy says is part of the stage in which it is asked.
            let is_aside = matches!(hop.reason, Reason::Allowed { .. } | Reason::Denied { .. });
            match stages.last_mut() {
                Some(last) if is_aside || last.scene == scene => last.hops.end = at + 1,
                _ => stages.push(Stage { scene, hops: at..at + 1, arrives: at, key: at }),
            }
        }
        let failed_at = match &self.outcome {
            Outcome::Failed(failure) => usize::try_from(failure.at).ok(),
            Outcome::Answered { .. } => None,
        };
        for stage in &mut stages {
            let all =
                || stage.hops.clone().zip(self.hops.get(stage.hops.clone()).unwrap_or_default());
            let arrives = all().find(|(_, hop)| is_there(&stage.scene, hop)).map(|(at, _)| at);
            let ends = failed_at.filter(|at| stage.hops.contains(at));
            let changes = all().rfind(|(_, hop)| hop.turns_destination());
            let changes = changes.or_else(|| all().rfind(|(_, hop)| hop.turns_source()));
            let answers = all().find(|(_, hop)| matches!(hop.reason, Reason::Answers { .. }));
            let key = ends.or_else(|| changes.or(answers).map(|(at, _)| at)).or(arrives);
            stage.arrives = arrives.unwrap_or(stage.hops.start);
            stage.key = key.unwrap_or(stage.hops.start).max(stage.arrives);
        }
        stages
    }
}

impl Hop {
    /// Whether it changes where the packet goes. What connection tracking notes is no change.
    pub fn turns_destination(&self) -> bool {
        self.changes() && self.packet.is_some_and(|(a, b)| a.destination != b.destination)
    }

    /// Whether it changes where the packet says it comes from.
    pub fn turns_source(&self) -> bool {
        self.changes() && self.packet.is_some_and(|(a, b)| a.source != b.source)
    }

    /// Whether what differs in its packet was changed there.
    pub const fn changes(&self) -> bool {
        !matches!(self.reason, Reason::Tracks)
    }
}

fn scene(hop: &Hop, next: Option<&Hop>) -> Scene {
    match &hop.place {
        Place::Client(_) => Scene::Client,
        Place::Dns(_) => Scene::Dns,
        Place::LoadBalancer(_) | Place::Router => Scene::Balancer,
        Place::Node(name) => match &hop.reason {
            Reason::Enters | Reason::Vanishes => Scene::Door(name.clone()),
            Reason::Answers { .. } | Reason::Echoes | Reason::Refuses => {
                Scene::Process(name.clone())
            }
            _ => kernel(name, hop.is_reply),
        },
        Place::Rule(name, _) | Place::VirtualServer(name, _) => kernel(name, hop.is_reply),
        Place::Device(name, _) => match next.map(|next| &next.place) {
            Some(Place::Rule(..)) => kernel(name, hop.is_reply),
            _ => Scene::Pod,
        },
        Place::Pod(_) => Scene::Pod,
        Place::Internet => Scene::Outside,
    }
}

fn kernel(name: &Arc<str>, is_reply: bool) -> Scene {
    if is_reply { Scene::Back(name.clone()) } else { Scene::Rules(name.clone()) }
}

/// Whether a hop is at the place that its stage is about, and not on the way there.
const fn is_there(scene: &Scene, hop: &Hop) -> bool {
    match scene {
        Scene::Pod => matches!(hop.place, Place::Pod(_)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;
    use crate::proxy::Mode;
    use serde_json::json;

    #[test]
    fn a_request_by_node_port_is_told_in_a_few_stages_that_hold_every_hop() {
        let mut shop = Fixture::new(Mode::Iptables);
        shop.pod("demo/web-2", 2, 2, json!({"app": "web"}));
        let ports = json!([{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30080}]);
        let spec = json!({"type": "NodePort", "clusterIP": "10.96.0.80", "ports": ports});
        shop.service("demo/web", spec, &[(2, 2)]);
        let trace = shop.get("8.8.8.8", "http://172.18.0.3:30080/");
        let stages = trace.stages();
        let mut next = 0;
        for stage in &stages {
            assert_eq!(stage.hops.start, next, "{stages:?}");
            assert!(stage.hops.contains(&stage.key) && stage.hops.contains(&stage.arrives));
            next = stage.hops.end;
        }
        assert_eq!(next, trace.hops.len());
        assert!((6..=10).contains(&stages.len()), "{stages:?}");
        let rules = stages.iter().find(|stage| matches!(stage.scene, Scene::Rules(_))).unwrap();
        assert!(trace.hops[rules.key].turns_destination(), "the stage's hop is the DNAT");
        assert_eq!(stages.last().unwrap().scene, Scene::Client);
    }
}
