//! Going back in time: the cluster as it was, looked at, and gone on from.
//!
//! A copy of a world costs next to nothing, so one is kept every now and then. Who looks back sees
//! the cluster stand still as it was; whatever a person then does to it goes on from there, and
//! what came after is left behind (and can be had back for a while, as after a reset).
//!
//! Simplified: DESIGN's timeline replays the log of commands up to any moment; here only the moments
//! that were kept can be gone back to.

use super::model::{LARGE, Model};
use super::msg::Msg;
use super::tracer::TraceMsg;
use crate::base::SimTime;
use crate::text::Text;
use crate::world::World;
use core::time::Duration;

/// How many moments are kept at most; then every other one is let go.
const MOST: usize = 60;
/// The same of a large cluster, whose old objects take room.
const MOST_OF_LARGE: usize = 8;
/// How long after one moment the next is kept at the earliest, to begin with.
const FIRST_STEP: Duration = Duration::from_secs(1);

/// What a person does on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimelineMsg {
    /// Opens it or closes it.
    Toggle,
    /// Looks at the moment of this number, from 0; the present comes after the last.
    Look(usize),
    /// Goes on from the moment that is looked at.
    GoOn,
}

/// A moment that was kept.
#[derive(Clone, Debug)]
struct Moment {
    world: World,
    /// How much had been written by then.
    writes: u64,
}

/// The moments that were kept.
#[derive(Debug)]
pub struct Timeline {
    /// Whether it is shown.
    pub is_open: bool,
    moments: Vec<Moment>,
    step: Duration,
    /// The moment that is looked at, and the present meanwhile.
    back: Option<(usize, Box<World>)>,
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline { is_open: false, moments: Vec::new(), step: FIRST_STEP, back: None }
    }
}

impl Timeline {
    /// Whether a moment of the past is looked at.
    pub const fn is_back(&self) -> bool {
        self.back.is_some()
    }

    /// The moment that is looked at, and how many there are; at the last, the present is.
    pub fn place(&self) -> (usize, usize) {
        let count = self.moments.len();
        (self.back.as_ref().map_or(count, |(place, _)| *place), count)
    }

    /// Lets every other moment go, the newest not.
    fn thin(&mut self) {
        let last = self.moments.len().saturating_sub(1);
        let mut place = 0;
        self.moments.retain(|_| {
            place += 1;
            (place - 1) % 2 == 0 || place - 1 == last
        });
        self.step = self.step.saturating_mul(2);
    }
}

/// Keeps this moment, if something has happened since the last that was kept.
pub(super) fn note(model: &mut Model) {
    let (world, timeline) = (&model.world, &mut model.timeline);
    let writes = world.activity().writes();
    let is_due = timeline.moments.last().is_none_or(|last| {
        last.writes != writes && world.now().since(last.world.now()) >= timeline.step
    });
    if is_due {
        timeline.moments.push(Moment { world: world.clone(), writes });
        let most = if world.nodes().len() > LARGE { MOST_OF_LARGE } else { MOST };
        if timeline.moments.len() > most {
            timeline.thin();
        }
    }
}

/// Does what a person asks of the timeline.
#[inline(never)]
pub(super) fn act(model: &mut Model, msg: TimelineMsg) {
    match msg {
        TimelineMsg::Toggle => {
            model.timeline.is_open ^= true;
            if !model.timeline.is_open {
                look(model, usize::MAX);
            }
        }
        TimelineMsg::Look(place) => look(model, place),
        TimelineMsg::GoOn => go_on(model),
    }
}

/// Looks at a moment, or at the present.
fn look(model: &mut Model, place: usize) {
    let past = model.timeline.moments.get(place).map(|moment| moment.world.clone());
    let present = model.timeline.back.take().map(|(_, present)| present);
    match past {
        Some(past) => {
            let shown = core::mem::replace(&mut model.world, past);
            let present = present.unwrap_or_else(|| Box::new(shown));
            model.timeline.back = Some((place, present));
        }
        None => {
            if let Some(present) = present {
                model.world = *present;
            }
        }
    }
    // A request that was sent later has not been sent yet.
    model.journey = None;
    model.burst = None;
}

/// Goes on from the moment that is looked at; what came after can be had back for a while.
pub(super) fn go_on(model: &mut Model) {
    let Some((place, present)) = model.timeline.back.take() else { return };
    let moments = model.timeline.moments.get(..=place).unwrap_or_default().to_vec();
    let (step, is_open) = (model.timeline.step, model.timeline.is_open);
    let past = core::mem::replace(&mut model.world, *present);
    let time = since_origin(model, past.now());
    let console = crate::console::Console { is_live: true, ..model.console.twin() };
    model.begin_with(past, model.sample, model.seed, console, Text::TimelineWentOn);
    model.timeline = Timeline { is_open, moments, step, back: None };
    model.is_touched = true;
    model.terminal.break_off(&time);
}

fn since_origin(model: &Model, now: SimTime) -> String {
    let seconds = now.since(model.origin).as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// Whether a person does something to the cluster, or lets its time run.
pub(super) const fn is_deed(msg: &Msg) -> bool {
    matches!(
        msg,
        Msg::Apply
            | Msg::Fix(_)
            | Msg::Run(_)
            | Msg::Send
            | Msg::Burst
            | Msg::Roll
            | Msg::Enter
            | Msg::Paste { .. }
            | Msg::TogglePlaying
            | Msg::Trace(
                TraceMsg::Try | TraceMsg::Save(_) | TraceMsg::Change | TraceMsg::Compare(_)
            )
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Opening, update};
    use super::*;
    use crate::api::Kind;

    fn pods(model: &Model) -> usize {
        model.world.store().list_in(Kind::Pod, "default").count()
    }

    fn tick(model: &mut Model, seconds: u32) {
        for _ in 0..seconds * 4 {
            update(model, Msg::Tick(250_000));
        }
    }

    /// A page whose cluster had three Pods and then five.
    fn model() -> (Model, usize) {
        let mut model = Model::new(Opening::default());
        tick(&mut model, 20);
        let before = model.timeline.place().1 - 1;
        update(&mut model, Msg::Run("kubectl scale deployment web --replicas=5".into()));
        tick(&mut model, 20);
        (model, before)
    }

    #[test]
    fn who_looks_back_sees_the_cluster_as_it_was_and_nothing_moves() {
        let (mut model, before) = model();
        let now = model.world.now();
        assert_eq!(pods(&model), 5);
        update(&mut model, Msg::Timeline(TimelineMsg::Look(before)));
        assert_eq!(pods(&model), 3);
        let past = model.world.now();
        assert!(past < now);
        tick(&mut model, 5);
        assert_eq!(model.world.now(), past);
        update(&mut model, Msg::Timeline(TimelineMsg::Look(usize::MAX)));
        assert_eq!((pods(&model), model.world.now()), (5, now));
    }

    #[test]
    fn what_is_done_in_the_past_goes_on_from_there_and_what_came_after_can_be_had_back() {
        let (mut model, before) = model();
        update(&mut model, Msg::Timeline(TimelineMsg::Look(before)));
        update(&mut model, Msg::Run("kubectl scale deployment web --replicas=1".into()));
        assert!(!model.timeline.is_back());
        tick(&mut model, 20);
        assert_eq!(pods(&model), 1);
        let (place, count) = model.timeline.place();
        assert!(place == count && count > before, "{count}");
        // The offer stands for a quarter of a minute of the person's time.
        assert!(model.left.is_none());
        update(&mut model, Msg::Timeline(TimelineMsg::Look(before)));
        update(&mut model, Msg::Timeline(TimelineMsg::GoOn));
        assert_eq!(pods(&model), 3);
        update(&mut model, Msg::Undo);
        assert_eq!(pods(&model), 1);
    }

    #[test]
    fn a_long_time_is_kept_in_few_moments_from_its_beginning_on() {
        let (mut model, _) = model();
        let first = model.timeline.moments[0].world.now();
        for replicas in 0..100 {
            update(
                &mut model,
                Msg::Run(format!("kubectl scale deployment web --replicas={}", 1 + replicas % 3)),
            );
            tick(&mut model, 2);
        }
        let timeline = &model.timeline;
        assert!((MOST / 2..=MOST).contains(&timeline.moments.len()));
        assert_eq!(timeline.moments[0].world.now(), first);
        let times = timeline.moments.iter().map(|one| one.world.now());
        assert!(times.clone().zip(times.skip(1)).all(|(a, b)| a < b));
    }
}
