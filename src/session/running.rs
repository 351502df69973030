//! What a command at work is.

use crate::console::{Job, Wake};
use crate::world::World;

/// A command that goes on.
#[derive(Debug)]
pub struct Running {
    /// The entry of the terminal that it writes to.
    pub(super) entry: u32,
    /// Where it stands.
    pub(super) place: Place,
    /// What it is called in a list.
    pub(super) name: String,
    pub(super) job: Job,
    /// The revision of the store when it was looked at last.
    pub(super) seen: u64,
}

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It has the prompt, until it is done.
    Front,
    /// It was begun by a button, beside what is typed.
    Beside,
    /// It was sent to the background by `&`, under this number.
    Background(u32),
}

impl Running {
    /// The number of the entry that it writes to.
    pub const fn entry(&self) -> u32 {
        self.entry
    }

    /// Whether it has the prompt.
    pub fn is_front(&self) -> bool {
        self.place == Place::Front
    }

    /// Whether nothing but a person ends it.
    pub fn is_endless(&self) -> bool {
        self.job.is_endless()
    }

    /// What stands before the line that it waits for, if it waits for one.
    pub fn prompt(&self, world: &World) -> Option<String> {
        match self.job.wake(world) {
            Some(Wake::Line(prompt)) => Some(prompt),
            _ => None,
        }
    }

    /// Whether it waits for a text to be edited.
    pub fn is_editing(&self, world: &World) -> bool {
        matches!(self.job.wake(world), Some(Wake::Text { .. }))
    }

    /// Whether it has something to do.
    pub(super) fn is_due(&self, world: &World, at_tick: bool) -> bool {
        let has_changed = world.store().revision() != self.seen;
        match self.job.wake(world) {
            None => true,
            Some(Wake::At(at)) => world.now() >= at && (at_tick || !self.job.is_tired()),
            Some(Wake::Change(limit)) => has_changed || world.now() >= limit,
            Some(Wake::Always | Wake::Passing { .. }) => has_changed || at_tick,
            Some(Wake::Line(_)) => has_changed,
            Some(Wake::Text { .. }) => false,
        }
    }
}
