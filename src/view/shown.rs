//! The view models on the page, worked out again only when what they show has changed.

use crate::present::chronicle::{self, EventLine};
use crate::present::{ClusterScene, Details, details, survey};
use crate::session::{Model, Panel};
use std::rc::Rc;

/// What the page shows now.
pub(super) struct Shown {
    /// The map.
    pub(super) scene: Rc<ClusterScene>,
    /// The events, if they are in front.
    pub(super) events: Rc<Vec<EventLine>>,
    /// How many events there are.
    pub(super) event_count: usize,
    /// The object in the inspector.
    pub(super) details: Option<Rc<Details>>,
    /// Seconds of virtual time since the cluster was set up.
    pub(super) seconds: u64,
    /// The state of the cluster that all this shows: revision of the store, and nodes switched on.
    stamp: (u64, usize),
}

impl Shown {
    /// What the page shows when it opens.
    pub(super) fn of(model: &Model) -> Self {
        let mut shown = Shown {
            scene: Rc::default(),
            events: Rc::default(),
            event_count: 0,
            details: None,
            seconds: 0,
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
            keep(&mut self.scene, survey(world));
            self.event_count = chronicle::count(world, model.origin);
        }
        let wants_events = model.side == Panel::Events;
        if wants_events && (has_changed || is_later || self.events.is_empty()) {
            keep(&mut self.events, chronicle::events(world, model.origin));
        }
        let shown = self.details.as_ref().map(|details| &details.id);
        if has_changed || is_later || shown != model.selected.as_ref() {
            let new = model.selected.as_ref().and_then(|id| details::details(world, id));
            if self.details.as_deref() != new.as_ref() {
                self.details = new.map(Rc::new);
            }
        }
        has_changed || is_later
    }
}

/// Replaces a view model unless the new one is equal, so that nothing is drawn for nothing.
fn keep<T: PartialEq>(old: &mut Rc<T>, new: T) {
    if **old != new {
        *old = Rc::new(new);
    }
}
