//! The view models on the page, worked out again only when what they show has changed.

use super::editor::Page;
use super::shared::Shared;
use super::trace::Travel;
use crate::present::chronicle::{self, EventLine};
use crate::present::difference::{self, Difference};
use crate::present::{ClusterScene, Details, Story, details, story, survey};
use crate::session::apply::CHECKED_WHILE_WRITTEN;
use crate::session::request::{aimed, targets};
use crate::session::{Compare, EventFilter, Fault, Model, ObjectId, Panel, Stored, Target};
use crate::text::Lang;
use crate::trace::PacketTrace;
use std::rc::Rc;
use std::sync::Arc;

/// What a difference was worked out from: which, the text, what was stored, and the revision.
type Compared = (Compare, Rc<str>, Rc<[Stored]>, u64);

/// What the page shows now.
pub(super) struct Shown {
    /// The map.
    pub(super) scene: Shared<ClusterScene>,
    /// The events, if they are in front.
    pub(super) events: Shared<Vec<EventLine>>,
    /// Which of them.
    filter: (EventFilter, Option<ObjectId>),
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
    /// The difference that is shown instead of the text, and what it was worked out from.
    differences: Option<Shared<Vec<Difference>>>,
    compared: Option<Compared>,
    /// How many fields the API server added when the manifests were applied last.
    added: usize,
    stored: Rc<[Stored]>,
    /// What is wrong with the manifests: which list it is tells whether it has changed.
    faults: Rc<[Fault]>,
    /// What the terminal and the editor showed.
    printed: (u64, bool, bool, bool),
    /// The state of the cluster that all this shows: revision of the store, and nodes switched on.
    stamp: (u64, usize),
}

impl Shown {
    /// What the page shows when it opens.
    pub(super) fn of(model: &Model) -> Self {
        let mut shown = Shown {
            scene: Shared::default(),
            events: Shared::default(),
            filter: (EventFilter::All, None),
            event_count: 0,
            details: None,
            targets: Shared::default(),
            aimed: 0,
            story: None,
            travel: None,
            told: None,
            seconds: 0,
            differences: None,
            compared: None,
            added: 0,
            stored: Rc::default(),
            faults: Rc::default(),
            printed: (0, false, false, false),
            stamp: (0, 0),
        };
        shown.refresh(model);
        shown
    }

    /// Brings everything up to date; says whether anything had to change.
    pub(super) fn refresh(&mut self, model: &Model) -> bool {
        let world = &model.world;
        let up = world.nodes().values().filter(|node| node.up).count();
        let stamp = (world.store().revision(), up);
        let seconds = world.now().since(model.origin).as_secs();
        let has_changed = stamp != self.stamp;
        let is_later = seconds != self.seconds;
        (self.stamp, self.seconds) = (stamp, seconds);
        if has_changed {
            self.scene.keep(survey(world));
            self.targets.keep(targets(world.store()));
            self.event_count = chronicle::count(world, model.origin);
        }
        let wants_events = model.side == Panel::Events;
        let filter = (model.events, model.selected.clone());
        let is_other = self.filter != filter;
        if wants_events && (has_changed || is_later || is_other || self.events.is_empty()) {
            self.filter = filter;
            let selected = model.selected.as_ref();
            self.events.keep(chronicle::events(world, model.origin, model.events, selected));
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
        self.compare(model, stamp.0);
        let printed =
            (model.terminal.stamp, model.is_busy(), model.left.is_some(), model.editing.is_some());
        let is_printed = self.printed != printed;
        self.printed = printed;
        has_changed || is_later || has_moved || is_checked || is_printed
    }

    /// Brings the differences up to date.
    fn compare(&mut self, model: &Model, revision: u64) {
        if !Rc::ptr_eq(&self.stored, &model.stored) {
            self.stored = model.stored.clone();
            let all = difference::added(&model.stored);
            self.added = all.iter().map(Difference::added).sum();
        }
        let compared = model.compare.map(|which| {
            // What was added does not change with the cluster.
            let revision = if which == Compare::Change { revision } else { 0 };
            (which, model.source.clone(), model.stored.clone(), revision)
        });
        if self.compared != compared {
            self.differences = compared.as_ref().map(|(which, ..)| {
                Shared::new(match which {
                    Compare::Added => difference::added(&model.stored),
                    Compare::Change => difference::change(model),
                })
            });
            self.compared = compared;
        }
    }

    /// What the editor shows.
    pub(super) fn page(&self, model: &Model) -> Page {
        let editing = model.editing.as_ref();
        Page {
            key: editing.map_or_else(|| model.sample.name().into(), |editing| editing.name.clone()),
            text: editing.map_or_else(|| model.source.clone(), |editing| editing.text.clone()),
            is_editing: editing.is_some(),
            faults: if editing.is_some() { Rc::default() } else { model.faults.clone() },
            applied: model.applied,
            go_to: model.go_to,
            added: self.added,
            compare: model.compare.zip(self.differences.clone()),
            is_kept: model.is_kept,
            is_large: model.source.len() > CHECKED_WHILE_WRITTEN,
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
