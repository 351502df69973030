//! Events as lines, newest first.

use crate::base::time::human_duration;
use crate::base::{SimTime, order};
use crate::session::ObjectId;
use crate::store::Store;
use crate::world::World;

/// The most events shown at once.
const MOST: usize = 150;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct EventLine {
    /// Its own name, unique in its namespace.
    pub key: String,
    /// How long ago it happened last, as kubectl says it.
    pub age: String,
    /// When it happened last.
    pub at: SimTime,
    /// In one word.
    pub reason: String,
    /// The object it is about.
    pub about: ObjectId,
    /// In a sentence.
    pub message: String,
    /// Whether it is a warning.
    pub is_warning: bool,
    /// How often it happened.
    pub count: u32,
}

/// The events of a cluster since `origin`, newest first.
pub fn events(world: &World, origin: SimTime) -> Vec<EventLine> {
    let mut lines = read(world.store(), world.now(), None);
    lines.retain(|line| line.at >= origin);
    lines.truncate(MOST);
    lines
}

/// How many events there have been since `origin`.
pub fn count(world: &World, origin: SimTime) -> usize {
    let events = world.store().list(crate::api::Kind::Event);
    events
        .filter(|object| object.event().is_some_and(|event| event.last_timestamp >= origin))
        .count()
}

/// The events about one object, newest first.
pub fn events_about(world: &World, id: &ObjectId) -> Vec<EventLine> {
    read(world.store(), world.now(), Some(id))
}

fn read(store: &Store, now: SimTime, about: Option<&ObjectId>) -> Vec<EventLine> {
    let all = about.is_none().then(|| store.list(crate::api::Kind::Event)).into_iter().flatten();
    let some = about.map(|id| store.events_about(&id.namespace, &id.name)).into_iter().flatten();
    let mut lines: Vec<EventLine> = all
        .chain(some)
        .filter_map(|object| {
            let event = object.event()?;
            let involved = &event.involved;
            let about_it = ObjectId {
                kind: involved.kind,
                namespace: involved.namespace.clone(),
                name: involved.name.clone(),
            };
            if about.is_some_and(|id| id.kind != about_it.kind || id.name != about_it.name) {
                return None;
            }
            Some(EventLine {
                key: format!("{}/{}", object.meta.namespace, object.meta.name),
                age: human_duration(now.since(event.last_timestamp)),
                at: event.last_timestamp,
                reason: event.reason.to_string(),
                about: about_it,
                message: event.message.to_string(),
                is_warning: event.warning,
                count: event.count,
            })
        })
        .collect();
    // Of the same moment, the one that was written last comes first.
    lines.reverse();
    order::sort_by_key(&mut lines, |line| core::cmp::Reverse(line.at));
    lines
}
