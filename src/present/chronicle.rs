//! Events as lines, newest first; the same of several objects in one.

use crate::api::{Kind, Object};
use crate::base::time::human_duration;
use crate::base::{Map, SimTime, order};
use crate::session::ObjectId;
use crate::session::model::EventFilter;
use crate::store::{ObjectKey, Store};
use crate::world::World;
use std::sync::Arc;

/// The most events shown at once.
const MOST: usize = 150;
/// The most events that are read for them.
const MOST_READ: usize = 2_000;

/// One event, or the same of several objects.
#[derive(Clone, Debug, PartialEq)]
pub struct EventLine {
    /// Its own name, unique in its namespace.
    pub key: String,
    /// How long ago it happened last, as kubectl says it.
    pub age: String,
    /// When it happened last.
    pub at: SimTime,
    /// The same as the page's clock showed it, `02:14`.
    pub clock: String,
    /// In one word.
    pub reason: String,
    /// The object it is about; the first of several.
    pub about: ObjectId,
    /// The other objects that it is about.
    pub others: Vec<ObjectId>,
    /// In a sentence.
    pub message: String,
    /// Whether it is a warning.
    pub is_warning: bool,
    /// How often it happened.
    pub count: u32,
}

/// The events of a cluster since `origin` that a filter lets through, newest first.
#[inline(never)]
pub fn events(
    world: &World,
    origin: SimTime,
    filter: EventFilter,
    selected: Option<&ObjectId>,
) -> Vec<EventLine> {
    let about = selected.filter(|_| filter == EventFilter::Selected);
    let mut lines = read(world.store(), world.now(), (origin, filter), about);
    lines.retain(|line| line.at >= origin);
    together(lines)
}

/// Puts lines that say the same of several objects of a kind into one, in the place of the newest.
fn together(lines: Vec<EventLine>) -> Vec<EventLine> {
    let mut all: Vec<EventLine> = Vec::new();
    for line in lines {
        let same = |one: &&mut EventLine| {
            one.about.kind == line.about.kind
                && one.reason == line.reason
                && one.message == line.message
        };
        let has_room = all.len() < MOST;
        match all.iter_mut().find(same) {
            Some(first) => {
                first.count = first.count.saturating_add(line.count);
                if first.about != line.about && !first.others.contains(&line.about) {
                    first.others.push(line.about);
                }
            }
            None if has_room => all.push(line),
            None => {}
        }
    }
    all
}

/// Counts the events of a cluster again and again; what has not changed is not counted anew.
#[derive(Debug, Default)]
pub struct Counter {
    seen: Map<ObjectKey, Arc<Object>>,
    origin: SimTime,
    count: usize,
}

impl Counter {
    /// How many events there have been since `origin`.
    pub fn count(&mut self, world: &World, origin: SimTime) -> usize {
        if self.origin != origin {
            *self = Counter { origin, ..Counter::default() };
        }
        let store = world.store();
        let counts = |object: Option<Arc<Object>>| {
            usize::from(object.is_some_and(|object| moment(&object) >= origin))
        };
        for (old, new) in store.differences(Kind::Event, &self.seen) {
            self.count = (self.count + counts(new)).saturating_sub(counts(old));
        }
        self.seen = store.table(Kind::Event);
        self.count
    }
}

/// When an event happened last.
fn moment(object: &Object) -> SimTime {
    object.event().map(|event| event.last_timestamp).unwrap_or_default()
}

/// The newest of many events, [`MOST_READ`] of them and some more, in their order.
fn newest<'a>(events: impl Iterator<Item = &'a Arc<Object>>) -> Vec<&'a Arc<Object>> {
    let place = |event: &Arc<Object>| (moment(event), event.meta.resource_version);
    let mut kept: Vec<&Arc<Object>> = Vec::new();
    let mut since = (SimTime::default(), 0);
    for event in events {
        if place(event) > since {
            kept.push(event);
        }
        if kept.len() >= 2 * MOST_READ {
            let mut places: Vec<(SimTime, u64)> = kept.iter().map(|event| place(event)).collect();
            order::sort(&mut places);
            since = places.get(MOST_READ).copied().unwrap_or_default();
            kept.retain(|event| place(event) > since);
        }
    }
    kept
}

/// The events about one object, newest first.
pub fn events_about(world: &World, id: &ObjectId) -> Vec<EventLine> {
    read(world.store(), world.now(), (SimTime::default(), EventFilter::All), Some(id))
}

fn read(
    store: &Store,
    now: SimTime,
    (origin, filter): (SimTime, EventFilter),
    about: Option<&ObjectId>,
) -> Vec<EventLine> {
    let is_wanted = |object: &&Arc<Object>| {
        filter != EventFilter::Warnings || object.event().is_some_and(|event| event.warning)
    };
    let all = about.is_none().then(|| store.list(Kind::Event)).into_iter().flatten();
    let some = about.map(|id| store.events_about(&id.namespace, &id.name)).into_iter().flatten();
    let mut lines: Vec<EventLine> = newest(all.chain(some).filter(is_wanted))
        .into_iter()
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
                clock: clock(event.last_timestamp.since(origin).as_secs()),
                reason: event.reason.to_string(),
                about: about_it,
                others: Vec::new(),
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

/// Seconds as the page's clock shows them: `02:14`, and `1:02:14` after an hour.
pub fn clock(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match hours {
        0 => format!("{minutes:02}:{:02}", seconds % 60),
        _ => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Model, Msg, Opening, update};

    fn lines(model: &Model, filter: EventFilter) -> Vec<EventLine> {
        events(&model.world, model.origin, filter, model.selected.as_ref())
    }

    #[test]
    fn what_is_said_of_several_pods_is_said_once() {
        let mut model = Model::new(Opening::default());
        for _ in 0..60 {
            update(&mut model, Msg::Tick(250_000));
        }
        let all = lines(&model, EventFilter::All);
        let started: Vec<&EventLine> = all
            .iter()
            .filter(|line| line.reason == "Started" && line.about.kind == Kind::Pod)
            .collect();
        assert_eq!(started.len(), 1, "{started:?}");
        assert_eq!((started[0].others.len(), started[0].count), (2, 3));
        assert!(all.iter().all(|line| line.clock.starts_with("00:")), "{all:?}");
        assert!(lines(&model, EventFilter::Warnings).iter().all(|line| line.is_warning));
        let pod = started[0].about.clone();
        update(&mut model, Msg::Select(Some(pod.clone())));
        let own = lines(&model, EventFilter::Selected);
        assert!(own.len() >= 4 && own.iter().all(|line| line.about == pod), "{own:?}");
    }

    #[test]
    fn who_counts_again_gets_what_a_first_count_would() {
        let mut model = Model::new(Opening::default());
        let mut counter = Counter::default();
        for line in ["kubectl get pods", "kubectl delete pods -l app=web", "node stop node-1"] {
            update(&mut model, Msg::Run(line.into()));
            for _ in 0..60 {
                update(&mut model, Msg::Tick(250_000));
            }
            let again = counter.count(&model.world, model.origin);
            assert_eq!(again, Counter::default().count(&model.world, model.origin), "{line}");
            assert!(again > 0);
        }
        let later = model.world.now();
        assert_eq!(counter.count(&model.world, later + core::time::Duration::from_secs(1)), 0);
    }

    #[test]
    fn of_very_many_events_the_newest_are_read() {
        let mut model = Model::new(Opening { nodes: Some(20), ..Opening::default() });
        update(&mut model, Msg::Run("kubectl scale deployment web --replicas=1200".into()));
        for _ in 0..240 {
            update(&mut model, Msg::Tick(250_000));
        }
        let store = model.world.store();
        assert!(store.count(Kind::Event) > 2 * MOST_READ);
        let kept = newest(store.list(Kind::Event));
        assert!((MOST_READ / 2..2 * MOST_READ).contains(&kept.len()), "{}", kept.len());
        let oldest = kept.iter().map(|event| moment(event)).min().unwrap();
        let newer = store.list(Kind::Event).filter(|event| moment(event) > oldest).count();
        assert!(newer <= kept.len());
    }
}
