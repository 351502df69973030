//! The view models on the page, worked out again only when what they show has changed.

use super::shared::Shared;
use super::trace::Travel;
use crate::base::SimTime;
use crate::present::chronicle::{self, EventLine};
use crate::present::pace::Pace;
use crate::present::{
    ClusterScene, Details, Relation, Story, details, look_closer, relation, story, survey,
};
use crate::session::request::{aimed, targets};
use crate::session::{Fault, Model, ObjectId, Panel, Sample, Target};
use crate::text::Lang;
use crate::trace::PacketTrace;
use crate::world::Activity;
use std::rc::Rc;
use std::sync::Arc;

/// What tells one state of the cluster from another: the sample it began with, how much has been
/// written, heartbeats aside, which nodes have a network (the sum of their places), how kube-proxy
/// works, and the nodes that are looked at.
#[derive(Clone, Debug, Default, PartialEq)]
struct Stamp {
    sample: Sample,
    activity: Activity,
    connected: usize,
    proxy_mode: &'static str,
    in_sight: Rc<[Arc<str>]>,
}

/// What the page shows now.
pub(super) struct Shown {
    /// The map, and how often it is surveyed.
    pub(super) scene: Shared<ClusterScene>,
    pace: Pace,
    /// The moment, for what counts down on the map; it stands still while nothing does.
    pub(super) now: SimTime,
    /// Who is at work in the control plane.
    pub(super) activity: Activity,
    /// What belongs to the object in the inspector.
    pub(super) relation: Option<Shared<Relation>>,
    /// The events, if they are in front.
    pub(super) events: Shared<Vec<EventLine>>,
    /// How many events there are.
    pub(super) event_count: usize,
    /// The object in the inspector.
    pub(super) details: Option<Shared<Details>>,
    /// Where requests can go, and which of it is aimed at.
    pub(super) targets: Shared<Vec<Target>>,
    pub(super) aimed: usize,
    /// The request that is followed, and where it is.
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    /// The trace and the language that the story was told from.
    told: Option<(Arc<PacketTrace>, Lang)>,
    /// Seconds of virtual time since the cluster was set up.
    pub(super) seconds: u64,
    /// What is wrong with the manifests: which list it is tells whether it has changed.
    faults: Rc<[Fault]>,
    /// The state of the cluster that all this shows.
    stamp: Stamp,
    /// The state and the chosen object that the relation was found for.
    related: (Activity, Option<ObjectId>),
}

impl Shown {
    /// What the page shows when it opens.
    pub(super) fn of(model: &Model) -> Self {
        let mut shown = Shown {
            scene: Shared::default(),
            pace: Pace::default(),
            now: SimTime::default(),
            activity: Activity::default(),
            relation: None,
            events: Shared::default(),
            event_count: 0,
            details: None,
            targets: Shared::default(),
            aimed: 0,
            story: None,
            travel: None,
            told: None,
            seconds: 0,
            faults: Rc::default(),
            stamp: Stamp::default(),
            related: (Activity::default(), None),
        };
        shown.refresh(model);
        shown
    }

    /// Brings everything up to date; says whether anything had to change.
    pub(super) fn refresh(&mut self, model: &Model) -> bool {
        let world = &model.world;
        let stamp = Stamp {
            activity: world.activity(),
            sample: model.sample,
            connected: (1..)
                .zip(world.nodes().values())
                .filter(|(_, node)| node.up)
                .map(|it| it.0)
                .sum(),
            proxy_mode: world.proxy_mode().name(),
            in_sight: model.in_sight.clone(),
        };
        let seconds = world.now().since(model.origin).as_secs();
        let began = js_sys::Date::now();
        let is_due = self.pace.is_due(began);
        let (mut before, is_closer) = (stamp.clone(), stamp.in_sight != self.stamp.in_sight);
        before.in_sight = self.stamp.in_sight.clone();
        let has_changed = before != self.stamp && is_due;
        if is_closer && !has_changed {
            self.stamp.in_sight = stamp.in_sight.clone();
            self.scene.keep(look_closer(world, &self.scene, &model.in_sight));
        }
        let is_later = seconds != self.seconds;
        self.seconds = seconds;
        if has_changed {
            self.stamp = stamp;
            self.scene.keep(survey(world, &model.in_sight));
            self.targets.keep(targets(world.store()));
            self.event_count = chronicle::count(world, model.origin);
            self.pace.done(began, js_sys::Date::now());
        }
        self.activity = world.activity();
        if self.scene.counts_down && is_later {
            self.now = world.now();
        }
        self.relate(model);
        let wants_events = model.side == Panel::Events;
        if wants_events && (has_changed || is_later || self.events.is_empty()) {
            self.events.keep(chronicle::events(world, model.origin));
        }
        let shown = self.details.as_ref().map(|details| &details.id);
        if has_changed || is_later || shown != model.selected.as_ref() {
            let new = model.selected.as_ref().and_then(|id| details::details(world, id));
            if self.details.as_deref() != new.as_ref() {
                self.details = new.map(Shared::new);
            }
        }
        let aim = aimed(&self.targets, model.aim.as_ref());
        self.aimed = self.targets.iter().position(|one| Some(one) == aim).unwrap_or_default();
        let has_moved = self.tell(model);
        let is_checked = !Rc::ptr_eq(&self.faults, &model.faults);
        self.faults = model.faults.clone();
        has_changed || is_closer || is_later || has_moved || is_checked
    }

    /// Finds what belongs to the chosen object.
    fn relate(&mut self, model: &Model) {
        let store = model.world.store();
        let related = (self.stamp.activity, model.selected.clone());
        if related != self.related {
            let id = model.selected.as_ref();
            let new = id.and_then(|id| relation::relation(store, id));
            if self.relation.as_deref() != new.as_ref() {
                self.relation = new.map(Shared::new);
            }
            self.related = related;
        }
    }

    /// Brings the story of the request up to date; says whether the packet has moved.
    fn tell(&mut self, model: &Model) -> bool {
        let travel = model.journey.as_ref().map(|journey| Travel {
            hop: journey.hop,
            progress: journey.progress(),
            playing: journey.playing,
            is_slow: journey.is_slow,
        });
        let told = model.journey.as_ref().map(|journey| (journey.trace.clone(), model.lang));
        let is_told = match (&told, &self.told) {
            (Some((new, lang)), Some((old, in_lang))) => Arc::ptr_eq(new, old) && lang == in_lang,
            (None, None) => true,
            _ => false,
        };
        if !is_told {
            self.story = told.as_ref().map(|(trace, lang)| Shared::new(story::story(trace, *lang)));
            self.told = told;
        }
        let has_moved = self.travel != travel;
        self.travel = travel;
        has_moved || !is_told
    }
}
