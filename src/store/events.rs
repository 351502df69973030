//! Recording events: repeats raise a count, many alike become one.
//!
//! Models staging/src/k8s.io/client-go/tools/record/events_cache.go.

use super::server::Context;
use super::storage::{ObjectKey, Store};
use crate::api::{Body, Event, Kind, Object, ObjectMeta};
use core::time::Duration;
use std::sync::Arc;

/// After so many events that differ in their message alone, the rest are combined.
const MOST_SIMILAR: usize = 10;
/// How long similar events count as similar.
const SIMILAR_FOR: Duration = Duration::from_secs(600);
/// What the message of combined events begins with.
const COMBINED: &str = "(combined from similar events): ";

impl Store {
    /// Records an event, or counts it if it is a repeat. Events of cluster-wide objects lie in
    /// `default`.
    pub fn record(&mut self, context: &Context, mut event: Event) {
        let namespace = match &*event.involved.namespace {
            "" => Arc::from("default"),
            _ => event.involved.namespace.clone(),
        };
        let Some(place) = self.find(Kind::Namespace, "", &namespace) else { return };
        let terminating = place.meta.is_terminating();
        let similar = self.similar_events(&namespace, &event);
        if similar.len() >= MOST_SIMILAR && similar.iter().all(|o| !same_message(o, &event)) {
            event.message = format!("{COMBINED}{}", event.message).into();
        }
        let repeat = similar.iter().find(|object| {
            object.event().is_some_and(|old| {
                old.message == event.message
                    || old.message.starts_with(COMBINED) && event.message.starts_with(COMBINED)
            })
        });
        if let Some(repeat) = repeat {
            let mut new = (**repeat).clone();
            if let Body::Event(old) = &mut new.body {
                old.count += event.count;
                old.last_timestamp = event.last_timestamp;
                old.message = event.message;
            }
            self.put(new, &context.cause);
            return;
        }
        if terminating {
            return;
        }
        let stamp = self.event_stamp(&namespace, &event);
        let meta = ObjectMeta {
            name: stamp,
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
        let start = ObjectKey::new(namespace, &prefix);
        let namespace = start.namespace.clone();
        self.range_from(Kind::Event, start)
            .take_while(move |o| o.meta.namespace == namespace && o.meta.name.starts_with(&prefix))
    }

    fn similar_events(&self, namespace: &str, event: &Event) -> Vec<Arc<Object>> {
        let similar = |object: &&Arc<Object>| {
            object.event().is_some_and(|old| {
                old.involved == event.involved
                    && old.reason == event.reason
                    && old.warning == event.warning
                    && old.component == event.component
                    && old.host == event.host
                    && event.last_timestamp.since(old.last_timestamp) < SIMILAR_FOR
            })
        };
        self.events_about(namespace, &event.involved.name).filter(similar).cloned().collect()
    }

    /// `web.18eaa7b6cb7814ca`: the object's name and the time in nanoseconds.
    fn event_stamp(&self, namespace: &str, event: &Event) -> Arc<str> {
        let mut nanos = event.last_timestamp.as_micros().saturating_mul(1000);
        loop {
            let name = format!("{}.{nanos:x}", event.involved.name);
            if self.find(Kind::Event, namespace, &name).is_none() {
                return Arc::from(name);
            }
            nanos += 1;
        }
    }
}

fn same_message(object: &Object, event: &Event) -> bool {
    object.event().is_some_and(|old| old.message == event.message)
}
