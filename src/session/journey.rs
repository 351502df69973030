//! A trace on its way over the map: where the packet is, and how it goes on.

use super::compare::Change;
use super::object_id::ObjectId;
use crate::trace::PacketTrace;
use crate::trace::stages::Stage;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long the packet is on its way to a hop, and rests there, in microseconds of ours.
const HOP_MICROS: u32 = 750_000;
/// The same in slow motion.
const SLOW_HOP_MICROS: u32 = 2_400_000;

/// How traces are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Whether slowly.
    pub is_slow: bool,
    /// Whether from the beginning again after the end.
    pub loops: bool,
    /// Whether list and map keep the packet in sight.
    pub follows: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { is_slow: false, loops: false, follows: true }
    }
}

/// A trace on its way over the map.
///
/// It goes from stage to stage, and in a stage that is open from rule to rule.
#[derive(Clone, Debug)]
pub struct Journey {
    /// The trace.
    pub trace: Arc<PacketTrace>,
    /// Its stages.
    pub stages: Arc<[Stage]>,
    /// The hop that the packet is at or comes to, from 0.
    pub hop: usize,
    /// How long it has been on the way to that hop, in microseconds of ours.
    pub micros: u32,
    /// Whether it goes on by itself.
    pub playing: bool,
    /// How it goes on.
    pub pace: Pace,
    /// The stages whose rules are open, from 0.
    pub opened: Arc<BTreeSet<usize>>,
    /// The command that would mend what stopped the request, if one is obvious.
    pub remedy: Option<Arc<str>>,
    /// The Service whose address or port was asked.
    pub asked: Option<ObjectId>,
    /// What else could be set, to compare.
    pub changes: Arc<[Change]>,
}

impl Journey {
    /// A journey that begins.
    pub(super) fn new(trace: Arc<PacketTrace>, pace: Pace) -> Self {
        let stages = trace.stages().into();
        Journey {
            trace,
            stages,
            hop: 0,
            micros: 0,
            playing: true,
            pace,
            opened: Arc::default(),
            remedy: None,
            asked: None,
            changes: Arc::default(),
        }
    }

    /// How far the packet is on its way to its hop, in thousandths.
    pub fn progress(&self) -> u32 {
        (u64::from(self.micros.min(self.hop_micros())) * 1000 / u64::from(self.hop_micros()))
            .try_into()
            .unwrap_or(1000)
    }

    const fn hop_micros(&self) -> u32 {
        if self.pace.is_slow { SLOW_HOP_MICROS } else { HOP_MICROS }
    }

    fn last(&self) -> usize {
        self.trace.hops.len().saturating_sub(1)
    }

    /// The stage that the packet is in, from 0.
    pub fn stage(&self) -> usize {
        let found = self.stages.iter().position(|stage| stage.hops.contains(&self.hop));
        found.unwrap_or_default()
    }

    /// Where a stage is entered: at its key hop, or where it is open at its first.
    fn entry(&self, stage: usize) -> Option<usize> {
        let it = self.stages.get(stage)?;
        Some(if self.opened.contains(&stage) { it.hops.start } else { it.arrives })
    }

    /// The hop that comes after this one by itself, and whether the packet moves to it.
    fn next(&self) -> Option<(usize, bool)> {
        let stage = self.stage();
        let it = self.stages.get(stage)?;
        if self.opened.contains(&stage) && self.hop + 1 < it.hops.end {
            return Some((self.hop + 1, true));
        }
        if !self.opened.contains(&stage) && self.hop < it.key {
            return Some((it.key, false));
        }
        Some((self.entry(stage + 1)?, true))
    }

    /// Lets the packet go on for a moment.
    pub(super) fn advance(&mut self, micros: u32) {
        if !self.playing {
            return;
        }
        self.micros = self.micros.saturating_add(micros);
        // The packet moves in the first half of a hop's time and rests in the second.
        let move_time = self.hop_micros();
        match self.next() {
            Some((hop, false)) if self.micros >= move_time => {
                (self.hop, self.micros) = (hop, move_time);
            }
            Some((hop, true)) if self.micros >= move_time.saturating_mul(2) => {
                (self.hop, self.micros) = (hop, 0);
            }
            None if self.micros >= move_time.saturating_mul(2) && self.pace.loops => {
                (self.hop, self.micros) = (0, 0);
            }
            None if self.micros >= move_time.saturating_mul(2) => self.playing = false,
            _ => {}
        }
    }

    /// Goes to a hop and stays there.
    pub(super) fn go_to(&mut self, hop: usize) {
        self.hop = hop.min(self.last());
        self.micros = self.hop_micros();
        self.playing = false;
    }

    /// One step on or back: a rule in an open stage, else a stage.
    pub(super) fn step(&mut self, is_back: bool) {
        let stage = self.stage();
        let Some(it) = self.stages.get(stage) else { return };
        let is_inside = |hop: &usize| self.opened.contains(&stage) && it.hops.contains(hop);
        let other = if is_back { stage.checked_sub(1) } else { Some(stage + 1) };
        let hop = if is_back { self.hop.checked_sub(1) } else { Some(self.hop + 1) };
        let entered = || {
            let (place, next) = other.and_then(|at| Some((at, self.stages.get(at)?)))?;
            Some(match (self.opened.contains(&place), is_back) {
                (true, true) => next.hops.end.saturating_sub(1),
                (true, false) => next.hops.start,
                (false, _) => next.key,
            })
        };
        let hop = hop.filter(is_inside).or_else(entered);
        self.go_to(hop.unwrap_or(self.hop));
    }

    /// Opens the rules of a stage, or closes them.
    pub(super) fn open(&mut self, stage: usize) {
        let opened = Arc::make_mut(&mut self.opened);
        if !opened.remove(&stage) {
            opened.insert(stage);
        }
    }

    /// Starts or stops; from the end it starts again.
    pub(super) fn toggle(&mut self) {
        self.playing = !self.playing;
        if self.playing && self.next().is_none() {
            (self.hop, self.micros) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Model, Msg, Opening, update};

    fn journey() -> super::Journey {
        let mut model = Model::new(Opening::default());
        update(&mut model, Msg::TogglePlaying);
        model.world.run_for(core::time::Duration::from_secs(20));
        update(&mut model, Msg::Send);
        model.journey.unwrap()
    }

    #[test]
    fn a_request_is_told_in_seconds_and_not_in_minutes() {
        let mut journey = journey();
        let (mut micros, mut visited) = (0u32, vec![journey.stage()]);
        while journey.playing {
            journey.advance(16_000);
            micros += 16_000;
            if visited.last() != Some(&journey.stage()) {
                visited.push(journey.stage());
            }
        }
        assert_eq!(visited, (0..journey.stages.len()).collect::<Vec<_>>(), "each stage once");
        assert!((8_000_000..18_000_000).contains(&micros), "{micros}");
        assert!(journey.trace.hops.len() > 20, "while there are many rules");
    }

    #[test]
    fn steps_go_by_stages_and_where_one_is_open_by_rules() {
        let mut journey = journey();
        journey.go_to(0);
        journey.step(false);
        journey.step(false);
        let rules = journey.stage();
        assert_eq!((rules, journey.hop), (2, journey.stages[2].key));
        journey.open(rules);
        journey.go_to(journey.stages[rules].hops.start);
        let first = journey.hop;
        journey.step(false);
        assert_eq!(journey.hop, first + 1);
        journey.step(true);
        journey.step(true);
        assert_eq!(journey.stage(), rules - 1, "back out of it at its beginning");
        journey.step(false);
        assert_eq!(journey.hop, first);
    }

    #[test]
    fn a_loop_begins_again() {
        let mut journey = journey();
        journey.pace.loops = true;
        for _ in 0..2_000 {
            journey.advance(16_000);
        }
        assert!(journey.playing);
        journey.pace.loops = false;
        for _ in 0..2_000 {
            journey.advance(16_000);
        }
        assert!(!journey.playing && journey.stage() == journey.stages.len() - 1);
    }
}
