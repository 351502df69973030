//! The scheduler's events: repeats of the same about the same version of an object are a series,
//! which is written when it begins, now and then, and when it ends.
//!
//! Models staging/src/k8s.io/client-go/tools/events/event_broadcaster.go.

use super::events::stamp;
use super::server::Context;
use super::storage::{ObjectKey, Store};
use crate::api::{Body, Event, Object};
use crate::base::SimTime;
use core::time::Duration;
use std::sync::Arc;

/// How often it is looked whether series have ended, and after how long a quiet one has.
pub const FINISH_TIME: Duration = Duration::from_secs(360);
/// How often the counts of series that go on are written.
const REFRESH_TIME: Duration = Duration::from_secs(1800);

/// An event that was repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Series {
    count: u32,
    last: SimTime,
}

impl Store {
    /// Records an event of the events API. The message does not matter: what is about the same
    /// version of an object, for the same reason, is the same. Nothing new comes into a namespace that
    /// is ending.
    pub(super) fn record_in_series(
        &mut self,
        context: &Context,
        namespace: Arc<str>,
        is_ending: bool,
        mut event: Event,
    ) {
        let about: Vec<Arc<Object>> =
            self.events_about(&namespace, &event.involved.name).cloned().collect();
        let Some(repeat) = self.remembered(&about, &event, context.now) else {
            if !is_ending {
                let stamp = stamp(&about, &event);
                self.create_event(context, namespace, stamp, event);
            }
            return;
        };
        let key = ObjectKey::of(repeat);
        let series = self.recorders.series.get_mut(&key);
        if let Some(series) = series {
            *series = Series { count: series.count.saturating_add(1), last: context.now };
            return;
        }
        self.recorders.series.insert(key, Series { count: 2, last: context.now });
        if let Some(old) = repeat.event() {
            event.message = old.message.clone();
        }
        self.count_event(context, repeat, event);
    }

    /// The event that another repeats, unless it is forgotten: a single one is at the first look
    /// after [`FINISH_TIME`].
    fn remembered<'a>(
        &self,
        about: &'a [Arc<Object>],
        event: &Event,
        now: SimTime,
    ) -> Option<&'a Arc<Object>> {
        let past = now.since(SimTime::WORLD_START).as_secs() % FINISH_TIME.as_secs();
        let last_look = now - Duration::from_secs(past);
        let is_it = |object: &&Arc<Object>| {
            object.event().is_some_and(|old| {
                let goes_on = self.has_series(&ObjectKey::of(object))
                    || old.count == 1 && old.first_timestamp + FINISH_TIME >= last_look;
                old.from_events_api
                    && old.involved == event.involved
                    && old.reason == event.reason
                    && old.warning == event.warning
                    && goes_on
            })
        };
        about.iter().find(is_it)
    }

    fn has_series(&self, key: &ObjectKey) -> bool {
        self.recorders.series.contains_key(key)
    }

    /// Writes the counts of series that have ended, and, each half hour, of those that go on. To be
    /// called each [`FINISH_TIME`].
    pub fn finish_series(&mut self, context: &Context) {
        let since_start = context.now.since(SimTime::WORLD_START).as_secs();
        let refresh = since_start.is_multiple_of(REFRESH_TIME.as_secs());
        for (key, series) in self.recorders.series.clone() {
            let has_ended = series.last + FINISH_TIME < context.now;
            if has_ended {
                self.recorders.series.remove(&key);
            }
            let object = self.get(crate::api::Kind::Event, &key).cloned();
            if let Some(object) = object.filter(|_| has_ended || refresh) {
                let mut new = (*object).clone();
                if let Body::Event(event) = &mut new.body {
                    event.count = series.count;
                    event.last_timestamp = series.last;
                }
                if new != *object {
                    self.put(new, &context.cause);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::base::Rng;
    use crate::store::{Cause, Manager};
    use serde_json::json;

    fn context(seconds: u64) -> Context {
        let now = SimTime::WORLD_START + Duration::from_secs(seconds);
        let cause = Cause { writer: "default-scheduler".into(), working_on: None };
        Context { now, cause, validate: false, webhooks: &[], manager: Manager::Component }
    }

    fn store() -> Store {
        let mut store = Store::new(Rng::new(1));
        let namespace = json!({"metadata": {"name": "n"}});
        store.restore(Object::from_value(Kind::Namespace, namespace));
        store
    }

    fn fail(store: &mut Store, seconds: u64, resource_version: u64, message: &str) {
        let meta = json!({"name": "p", "namespace": "n"});
        let mut pod = Object::from_value(Kind::Pod, json!({"metadata": meta, "spec": {}}));
        pod.meta.resource_version = resource_version;
        let context = context(seconds);
        let event = Event {
            involved: pod.reference(),
            warning: true,
            reason: "FailedScheduling".into(),
            message: message.into(),
            component: "default-scheduler".into(),
            host: "default-scheduler-cp-1".into(),
            first_timestamp: context.now,
            last_timestamp: context.now,
            count: 1,
            from_events_api: true,
            written: None,
        };
        store.record(&context, event);
    }

    fn shown(store: &Store) -> Vec<String> {
        let events = store.events_about("n", "p").filter_map(|object| object.event());
        events.map(|event| format!("{} x{}", event.message, event.count)).collect()
    }

    /// As pod `big` of the recorded scheduling session: another version of the pod is another
    /// event, another message is not, and the API hears of the second occurrence only.
    #[test]
    fn events_about_one_version_of_an_object_are_a_series_whatever_they_say() {
        let mut store = store();
        fail(&mut store, 0, 3, "a");
        fail(&mut store, 1, 4, "a");
        fail(&mut store, 2, 4, "b");
        fail(&mut store, 3, 4, "c");
        fail(&mut store, 4, 9, "c");
        assert_eq!(shown(&store), ["a x1", "a x2", "c x1"]);
    }

    #[test]
    fn a_series_that_has_ended_says_how_often_and_what_comes_then_is_new() {
        let mut store = store();
        for second in 0..5 {
            fail(&mut store, second, 3, "a");
        }
        store.finish_series(&context(360));
        assert_eq!(shown(&store), ["a x2"]);
        store.finish_series(&context(720));
        assert_eq!(shown(&store), ["a x5"]);
        fail(&mut store, 730, 3, "a");
        assert_eq!(shown(&store), ["a x5", "a x1"]);
        fail(&mut store, 1439, 3, "a");
        assert_eq!(shown(&store), ["a x5", "a x2"]);
        // A single one is forgotten at the second look.
        fail(&mut store, 1450, 7, "b");
        fail(&mut store, 2170, 7, "b");
        assert_eq!(shown(&store), ["a x5", "a x2", "b x1", "b x1"]);
    }

    #[test]
    fn a_series_that_goes_on_is_written_each_half_hour() {
        let mut store = store();
        for minute in 0..30 {
            fail(&mut store, minute * 60, 3, "a");
        }
        store.finish_series(&context(1440));
        assert_eq!(shown(&store), ["a x2"]);
        store.finish_series(&context(1800));
        assert_eq!(shown(&store), ["a x30"]);
    }
}
