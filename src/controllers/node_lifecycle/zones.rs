//! Zones of nodes: how many of their nodes are well, and how fast pods are sent away from those
//! that are not.
//!
//! Models node_lifecycle_controller.go handleDisruption, doNoExecuteTaintingPass, and
//! scheduler/rate_limited_queue.go.

use super::{EXCLUDED, NAME, all_nodes, taints};
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Key, Note, ObjectKey, Store, Write};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Between two looks at who is to be tainted, half of it: the looks at health and these are not in
/// step.
const SOON: Duration = Duration::from_millis(50);
/// Zones with more nodes than this are never left alone.
const LARGE: usize = 50;

/// The zones, by region and name.
#[derive(Clone, Debug, Default)]
pub(super) struct Zones(BTreeMap<Arc<str>, Zone>);

#[derive(Clone, Debug, Default)]
struct Zone {
    ready: usize,
    not_ready: usize,
    limiter: Limiter,
    /// Nodes that are not ready and have no `NoExecute` taint yet, with the state of Ready.
    queue: Vec<(Arc<Object>, &'static str)>,
}

/// What is remembered of a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limiter {
    state: State,
    rate: Rate,
    /// From when on the next node may be tainted.
    next: SimTime,
}

/// Models node_lifecycle_controller.go ZoneState.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Initial,
    Normal,
    PartialDisruption,
    FullDisruption,
}

/// How fast nodes are tainted, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rate {
    /// One each ten seconds: `--node-eviction-rate`.
    #[default]
    Normal,
    /// One each hundred seconds: `--secondary-node-eviction-rate`.
    Reduced,
    Never,
}

impl Rate {
    const fn interval(self) -> Option<Duration> {
        match self {
            Rate::Normal => Some(Duration::from_secs(10)),
            Rate::Reduced => Some(Duration::from_secs(100)),
            Rate::Never => None,
        }
    }
}

impl Zone {
    /// Models node_lifecycle_controller.go ComputeZoneState.
    const fn state(&self) -> State {
        let all = self.ready + self.not_ready;
        if self.ready == 0 && self.not_ready > 0 {
            State::FullDisruption
        } else if self.not_ready > 2 && self.not_ready * 100 >= all * 55 {
            State::PartialDisruption
        } else {
            State::Normal
        }
    }

    /// Models node_lifecycle_controller.go setLimiterInZone.
    const fn rate_in(&self, state: State) -> Rate {
        match state {
            State::PartialDisruption if self.ready + self.not_ready > LARGE => Rate::Reduced,
            State::PartialDisruption => Rate::Never,
            _ => Rate::Normal,
        }
    }
}

impl Limiter {
    /// Models scheduler/rate_limited_queue.go SwapLimiter: the new one is empty if the old one was.
    fn swap(&mut self, state: State, rate: Rate, now: SimTime) {
        self.state = state;
        if self.rate == rate {
            return;
        }
        let is_empty = self.rate == Rate::Never || self.next > now;
        let interval = rate.interval().filter(|_| is_empty).unwrap_or_default();
        (self.rate, self.next) = (rate, now + interval);
    }

    fn of(note: Note) -> Self {
        let state = match note.count / 4 {
            0 => State::Initial,
            1 => State::Normal,
            2 => State::PartialDisruption,
            _ => State::FullDisruption,
        };
        let rate = match note.count % 4 {
            0 => Rate::Normal,
            1 => Rate::Reduced,
            _ => Rate::Never,
        };
        Limiter { state, rate, next: note.until }
    }

    fn note(self) -> Note {
        let count = self.state as u32 * 4 + self.rate as u32;
        Note { since: self.next, until: self.next, count, ..Note::default() }
    }
}

/// The zone of a node: its region and its name.
///
/// Models staging/src/k8s.io/component-helpers/node/topology/helpers.go GetZoneKey.
fn zone_of(node: &Object) -> Arc<str> {
    let label = |name: &str| node.meta.labels.get(&format!("topology.kubernetes.io/{name}"));
    match (label("region"), label("zone")) {
        (None, None) => Arc::from(""),
        (region, zone) => {
            format!("{}:{}", region.unwrap_or_default(), zone.unwrap_or_default()).into()
        }
    }
}

fn key(zone: &Arc<str>) -> Key {
    Key { kind: Kind::Node, object: ObjectKey::new("zone", zone) }
}

impl Zones {
    /// Counts a node whose condition Ready has this status.
    pub(super) fn count(&mut self, node: &Arc<Object>, status: Option<&str>, store: &Store) {
        let name = zone_of(node);
        let known = || store.note(NAME, &key(&name)).map(Limiter::of).unwrap_or_default();
        let zone = self
            .0
            .entry(name.clone())
            .or_insert_with(|| Zone { limiter: known(), ..Zone::default() });
        if node.meta.labels.get(EXCLUDED).is_none() {
            match status {
                Some("True") => zone.ready += 1,
                _ => zone.not_ready += 1,
            }
        }
        let status = match status {
            Some("False") => "False",
            Some("Unknown") => "Unknown",
            _ => return,
        };
        if !taints::is_evicting(node) {
            zone.queue.push((node.clone(), status));
        }
    }

    /// Sets each zone's pace. When no node at all is ready, the fault is thought to be elsewhere:
    /// all taints are taken back, and nobody is sent away until a node is ready again.
    pub(super) fn handle_disruption(
        &mut self,
        store: &Store,
        now: SimTime,
        writes: &mut Vec<Write>,
    ) {
        let counted = || self.0.values().filter(|zone| zone.ready + zone.not_ready > 0);
        let all_are = counted().all(|zone| zone.state() == State::FullDisruption);
        let all_were = counted().all(|zone| zone.limiter.state == State::FullDisruption);
        if all_are && all_were {
            return;
        }
        if all_are {
            for node in store.list(Kind::Node) {
                writes.extend(taints::mark_reachable(node));
            }
        }
        if all_were {
            let note = Note { since: now, until: now, count: 1, ..Note::default() };
            writes.push(Write::Note { writer: NAME, key: all_nodes(), note: Some(note) });
        }
        for (name, zone) in &mut self.0 {
            let old = zone.limiter;
            let state = zone.state();
            if all_are {
                zone.limiter.swap(state, Rate::Never, now);
                zone.queue.clear();
            } else if all_were || state != old.state {
                zone.limiter.swap(state, zone.rate_in(state), now);
            }
            if zone.limiter != old {
                let note = Some(zone.limiter.note());
                writes.push(Write::Note { writer: NAME, key: key(name), note });
            }
        }
    }

    /// Taints the nodes whose turn it is, and says when it is somebody's turn again. Right after a
    /// look at the nodes' health it is nobody's.
    pub(super) fn evict(
        &mut self,
        is_look: bool,
        now: SimTime,
        writes: &mut Vec<Write>,
    ) -> Option<Duration> {
        let mut next: Option<SimTime> = None;
        for (name, zone) in &mut self.0 {
            let Some(interval) = zone.limiter.rate.interval() else { continue };
            let mut queue = zone.queue.iter();
            if !is_look && zone.limiter.next <= now {
                let Some((node, status)) = queue.next() else { continue };
                writes.extend(taints::add_no_execute(node, Some(status), now));
                zone.limiter.next = now + interval;
                let note = Some(zone.limiter.note());
                writes.push(Write::Note { writer: NAME, key: key(name), note });
            }
            if queue.next().is_some() {
                let time = zone.limiter.next.max(now + SOON);
                next = next.into_iter().chain([time]).min();
            }
        }
        next.map(|time| time.since(now))
    }
}
