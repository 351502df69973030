//! Recording events: repeats raise a count, many alike become one, too many are left out.
//!
//! Models staging/src/k8s.io/client-go/tools/record/events_cache.go; the events of the scheduler
//! are `event_series.rs`.

use super::event_series::Series;
use super::server::Context;
use super::storage::{ObjectKey, Store};
use crate::api::event::COMBINED;
use crate::api::{Body, Event, Kind, Object, ObjectMeta};
use crate::base::names::fnv64a;
use crate::base::{Map, SimTime, Texts, order};
use core::cmp::Reverse;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

/// From the tenth on, events that differ in their message alone are combined.
const MOST_SIMILAR: usize = 9;
/// How long after the last one similar events count as similar.
const SIMILAR_FOR: Duration = Duration::from_secs(600);
/// So many events of one source about one object may come at once …
const BURST: u32 = 25;
/// … and then one each so long.
const REFILL: Duration = Duration::from_secs(300);
/// More objects than this are not watched for floods.
const MOST_BUCKETS: usize = 4096;

/// What those who record events remember beside the events.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorders {
    /// For sources that have said much about an object: how much more they may say.
    buckets: Map<u64, Bucket>,
    /// How often something happened again while nothing could be said about it, by a hash of what.
    unsaid: Map<u64, u32>,
    /// The scheduler's events that were repeated.
    pub(super) series: Map<ObjectKey, Series>,
    /// What events say: thousands say the same.
    texts: Texts,
}

/// Models staging/src/k8s.io/client-go/util/flowcontrol tokenBucketPassiveRateLimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    tokens: u32,
    /// Up to when it has been refilled.
    filled: SimTime,
}

impl Bucket {
    fn refill(&mut self, now: SimTime) {
        let tokens = now.since(self.filled).as_secs() / REFILL.as_secs();
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        self.filled = self.filled + REFILL.saturating_mul(tokens);
        self.tokens = self.tokens.saturating_add(tokens).min(BURST);
    }
}

impl Store {
    /// Records an event, or counts it if it is a repeat. Events of cluster-wide objects lie in
    /// `default`.
    pub fn record(&mut self, context: &Context, mut event: Event) {
        let namespace = match &*event.involved.namespace {
            "" => Arc::from("default"),
            _ => event.involved.namespace.clone(),
        };
        let Some(place) = self.find(Kind::Namespace, "", &namespace) else { return };
        let is_ending = place.meta.is_terminating();
        if event.from_events_api {
            self.record_in_series(context, namespace, is_ending, event);
            return;
        }
        let about: Vec<Arc<Object>> =
            self.events_about(&namespace, &event.involved.name).cloned().collect();
        let kin: Vec<&Arc<Object>> =
            about.iter().filter(|old| old.event().is_some_and(|old| old.is_kin(&event))).collect();
        let similar: Vec<&Arc<Object>> = kin
            .iter()
            .filter(|old| old.event().is_some_and(|old| old.reason == event.reason))
            .copied()
            .collect();
        if is_one_too_many(&similar, &event) {
            event.message = format!("{COMBINED}{}", event.message).into();
        }
        let repeat = similar.iter().find(|object| {
            object.event().is_some_and(|old| {
                old.involved.field_path == event.involved.field_path && old.message == event.message
                    || old.is_combined() && event.is_combined()
            })
        });
        if !self.may_speak(&kin, &event) {
            *self.recorders.unsaid.entry(hash_of(&event)).or_default() += 1;
            return;
        }
        if !self.recorders.unsaid.is_empty() {
            event.count += self.recorders.unsaid.remove(&hash_of(&event)).unwrap_or_default();
        }
        match repeat {
            Some(repeat) => self.count_event(context, repeat, event),
            None if is_ending => {}
            None => {
                let stamp = stamp(&about, &event);
                self.create_event(context, namespace, stamp, event);
            }
        }
    }

    /// Raises the count of an event.
    pub(super) fn count_event(&mut self, context: &Context, repeat: &Object, event: Event) {
        let mut new = repeat.clone();
        if let Body::Event(old) = &mut new.body {
            old.count += event.count;
            old.last_timestamp = event.last_timestamp;
            old.message = event.message;
            old.written = None;
        }
        self.put(new, &context.cause);
    }

    /// Stores an event of its own under a name; nothing new comes into a namespace that is ending.
    pub(super) fn create_event(
        &mut self,
        context: &Context,
        namespace: Arc<str>,
        name: Arc<str>,
        mut event: Event,
    ) {
        let Event { involved, reason, message, component, host, .. } = &mut event;
        let field_path = involved.field_path.iter_mut();
        for text in [reason, message, component, host].into_iter().chain(field_path) {
            self.recorders.texts.share(text);
        }
        let meta = ObjectMeta {
            name,
            namespace,
            uid: crate::api::Uid(self.rng().uuid()),
            creation_timestamp: context.now,
            ..ObjectMeta::default()
        };
        self.put(Object { kind: Kind::Event, meta, body: Body::Event(event) }, &context.cause);
    }

    /// The events about an object, oldest first. They lie in its namespace, `default` for objects
    /// without one.
    pub fn events_about<'a>(
        &'a self,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        let prefix = format!("{name}.");
        let all = self.range_from(Kind::Event, namespace, &prefix);
        let namespace = namespace.to_owned();
        all.take_while(move |o| o.meta.name.starts_with(&prefix) && *o.meta.namespace == *namespace)
    }

    /// Whether a source may say something about an object again so soon. `kin` is what it has said.
    ///
    /// Models EventSourceObjectSpamFilter.Filter. As long as all that was said is fewer than a burst
    /// nothing needs to be remembered.
    fn may_speak(&mut self, kin: &[&Arc<Object>], event: &Event) -> bool {
        let by_events = bucket_by_events(kin, event);
        if by_events.is_none() && self.recorders.buckets.is_empty() {
            return true;
        }
        let source = source_hash(0, event);
        let known = self.recorders.buckets.get(&source).copied();
        let Some(mut bucket) = known.or(by_events) else {
            return true;
        };
        bucket.refill(event.last_timestamp);
        let may = bucket.tokens > 0;
        bucket.tokens = bucket.tokens.saturating_sub(1);
        let buckets = &mut self.recorders.buckets;
        if buckets.len() >= MOST_BUCKETS
            && let Some(oldest) = buckets.get_min().map(|(source, _)| *source)
        {
            buckets.remove(&oldest);
        }
        buckets.insert(source, bucket);
        may
    }
}

/// Whether there are so many similar events that this one is combined with others.
///
/// Models EventAggregator.EventAggregate. Which message upstream forgets when the set is full
/// is left to chance; here it is the new one.
fn is_one_too_many(similar: &[&Arc<Object>], event: &Event) -> bool {
    if similar.len() < MOST_SIMILAR {
        return false;
    }
    let own = similar.iter().filter_map(|object| object.event());
    let mut own: Vec<&Event> = own.collect();
    order::sort_by_key(&mut own, |old| Reverse(old.last_timestamp));
    let mut then = event.last_timestamp;
    let fresh = own.into_iter().take_while(|old| {
        let is_near = then.since(old.last_timestamp) <= SIMILAR_FOR;
        then = old.last_timestamp;
        is_near
    });
    let messages: BTreeSet<&str> =
        fresh.filter(|old| !old.is_combined()).map(|old| &*old.message).collect();
    messages.len() >= MOST_SIMILAR && !messages.contains(&&*event.message)
}

/// What the events of a source about an object say of how much was said; `None` if it is little.
fn bucket_by_events(kin: &[&Arc<Object>], event: &Event) -> Option<Bucket> {
    let said = || kin.iter().filter_map(|object| object.event());
    let count = said().fold(0u32, |count, old| count.saturating_add(old.count));
    if count < BURST {
        return None;
    }
    let first = said().map(|old| old.first_timestamp).min()?;
    let mut bucket = Bucket { tokens: 0, filled: first };
    bucket.refill(event.last_timestamp);
    bucket.tokens = (bucket.tokens + BURST).saturating_sub(count).min(BURST);
    Some(bucket)
}

/// The name of a new event: `web.18eaa7b6cb7814ca`, the object's name and the time in nanoseconds, or
/// the next moment that is free among the events `about` the object.
pub(super) fn stamp(about: &[Arc<Object>], event: &Event) -> Arc<str> {
    let mut nanos = event.last_timestamp.as_micros().saturating_mul(1000);
    loop {
        let name = format!("{}.{nanos:x}", event.involved.name);
        if about.iter().all(|other| *other.meta.name != *name) {
            return Arc::from(name);
        }
        nanos += 1;
    }
}

/// A hash of all that makes an event a repeat of another.
fn hash_of(event: &Event) -> u64 {
    let path = event.involved.field_path.as_deref().unwrap_or_default();
    let message = if event.is_combined() { COMBINED } else { &*event.message };
    [path, &*event.reason, message].iter().fold(source_hash(1, event), with_text)
}

/// A hash of who says something about whom, and how bad it is.
fn source_hash(seed: u64, event: &Event) -> u64 {
    let hash = fnv64a(seed, &event.involved.uid.0.to_le_bytes());
    let hash = fnv64a(hash, &[u8::from(event.warning)]);
    [&*event.involved.name, &*event.component, &*event.host].iter().fold(hash, with_text)
}

/// A hash of one text more; texts end with a byte that is in none.
fn with_text(hash: u64, text: &&str) -> u64 {
    fnv64a(fnv64a(hash, text.as_bytes()), &[u8::MAX])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::store::{Cause, Manager, Write};
    use serde_json::json;

    fn at(seconds: u64) -> SimTime {
        SimTime::WORLD_START + Duration::from_secs(seconds)
    }

    fn store() -> Store {
        let mut store = Store::new(Rng::new(1));
        let namespace = json!({"metadata": {"name": "n"}});
        store.restore(Object::from_value(Kind::Namespace, namespace));
        store
    }

    /// Records an event about the object `x` and says its counts by message.
    fn record(store: &mut Store, seconds: u64, message: &str) {
        let x = Object::from_value(Kind::Job, json!({"metadata": {"name": "x", "namespace": "n"}}));
        let write = Write::event(x.reference(), false, "Why", message, "me", at(seconds));
        let cause = Cause { writer: "me".into(), working_on: None };
        if let Write::Event(event) = write {
            let context = Context {
                now: at(seconds),
                cause,
                validate: false,
                webhooks: &[],
                manager: Manager::Component,
            };
            store.record(&context, *event);
        }
    }

    fn counts(store: &Store) -> Vec<(String, u32)> {
        let events = store.events_about("n", "x").filter_map(|object| object.event());
        events.map(|event| (event.message.to_string(), event.count)).collect()
    }

    #[test]
    fn the_tenth_event_that_differs_only_in_its_message_is_combined_with_those_that_follow() {
        let mut store = store();
        for number in 0..12 {
            record(&mut store, number, &number.to_string());
        }
        record(&mut store, 12, "3");
        let counts = counts(&store);
        assert_eq!(counts.len(), 10);
        assert_eq!(counts[9], ("(combined from similar events): 11".to_owned(), 3));
        assert_eq!(counts[3], ("3".to_owned(), 2));
    }

    #[test]
    fn a_repeat_counts_however_late_and_ten_quiet_minutes_end_the_combining() {
        let mut store = store();
        for number in 0..10 {
            record(&mut store, number, &number.to_string());
        }
        record(&mut store, 700, "new");
        record(&mut store, 5000, "0");
        let counts = counts(&store);
        assert_eq!(counts[0], ("0".to_owned(), 2));
        assert_eq!(counts[10], ("new".to_owned(), 1));
    }

    #[test]
    fn after_a_burst_of_25_only_one_event_each_five_minutes_is_told_but_all_are_counted() {
        let mut store = store();
        for second in 0..30 {
            record(&mut store, second, "again");
        }
        assert_eq!(counts(&store), [("again".to_owned(), 25)]);
        record(&mut store, 299, "again");
        assert_eq!(counts(&store), [("again".to_owned(), 25)]);
        record(&mut store, 300, "again");
        assert_eq!(counts(&store), [("again".to_owned(), 32)]);
        record(&mut store, 310, "again");
        assert_eq!(counts(&store), [("again".to_owned(), 32)]);
    }
}
