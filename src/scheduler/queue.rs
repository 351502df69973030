//! Pods that wait for a node: ready to be tried, backing off, or waiting for something to change.
//!
//! Models pkg/scheduler/backend/queue/scheduling_queue.go.

use crate::base::{Map, Set, SimTime};
use crate::store::ObjectKey;
use core::cmp::Reverse;
use core::time::Duration;

const MOST_BACK_OFF: Duration = Duration::from_secs(10);
/// However little happens, a pod is tried again after this long.
const FLUSH_AFTER: Duration = Duration::from_secs(300);

/// Pods by priority, then by the time they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    active: Set<(Reverse<i32>, SimTime, ObjectKey)>,
    pods: Map<ObjectKey, Waiting>,
    backing_off: Set<(SimTime, ObjectKey)>,
    parked: Set<ObjectKey>,
}

/// One pod that waits.
#[derive(Clone, Debug)]
struct Waiting {
    priority: i32,
    since: SimTime,
    attempts: u32,
    /// Bits of the plugins that said no.
    refused_by: u32,
    last_attempt: SimTime,
}

impl Queue {
    /// A pod needs a node. One that waits already starts anew only if it is parked.
    pub(super) fn add(&mut self, key: ObjectKey, priority: i32, now: SimTime) {
        let waiting = self.pods.entry(key.clone()).or_insert(Waiting {
            priority,
            since: now,
            attempts: 0,
            refused_by: 0,
            last_attempt: now,
        });
        if waiting.attempts == 0 {
            self.active.insert((Reverse(priority), waiting.since, key));
        }
    }

    /// A pod needs a node no longer.
    pub(super) fn remove(&mut self, key: &ObjectKey) {
        let Some(waiting) = self.pods.remove(key) else { return };
        self.active.remove(&(Reverse(waiting.priority), waiting.since, key.clone()));
        let until = waiting.last_attempt + back_off(waiting.attempts);
        self.backing_off.remove(&(until, key.clone()));
        self.parked.remove(key);
    }

    /// Whether a pod waits.
    pub(super) fn contains(&self, key: &ObjectKey) -> bool {
        self.pods.contains_key(key)
    }

    /// The next pod to try; it stays in the queue until [`Queue::remove`] or [`Queue::park`].
    pub(super) fn pop(&mut self, now: SimTime) -> Option<ObjectKey> {
        self.wake(now);
        let first = self.active.get_min()?.clone();
        self.active.remove(&first);
        Some(first.2)
    }

    /// A pod found no node; it waits for a change that one of these plugins cares for.
    pub(super) fn park(&mut self, key: &ObjectKey, refused_by: u32, now: SimTime) {
        let Some(waiting) = self.pods.get_mut(key) else { return };
        waiting.attempts += 1;
        waiting.refused_by = refused_by;
        waiting.last_attempt = now;
        self.parked.insert(key.clone());
    }

    /// Something changed that plugins of these bits care for: their pods are tried again once
    /// their back-off is over.
    pub(super) fn changed(&mut self, bits: u32) {
        let woken: Vec<ObjectKey> = self
            .parked
            .iter()
            .filter(|key| self.pods.get(*key).is_some_and(|w| w.refused_by & bits != 0))
            .cloned()
            .collect();
        for key in woken {
            self.wake_one(key);
        }
    }

    /// A pod that waits was changed itself.
    pub(super) fn wake_one(&mut self, key: ObjectKey) {
        if self.parked.remove(&key).is_none() {
            return;
        }
        if let Some(waiting) = self.pods.get(&key) {
            self.backing_off.insert((waiting.last_attempt + back_off(waiting.attempts), key));
        }
    }

    fn wake(&mut self, now: SimTime) {
        while let Some((until, key)) = self.backing_off.get_min().cloned() {
            if until > now {
                break;
            }
            self.backing_off.remove(&(until, key.clone()));
            if let Some(waiting) = self.pods.get(&key) {
                self.active.insert((Reverse(waiting.priority), waiting.since, key));
            }
        }
        let flushed = |key: &&ObjectKey| {
            self.pods.get(*key).is_some_and(|w| now.since(w.last_attempt) >= FLUSH_AFTER)
        };
        let flushed: Vec<ObjectKey> = self.parked.iter().filter(flushed).cloned().collect();
        for key in flushed {
            self.parked.remove(&key);
            if let Some(waiting) = self.pods.get(&key) {
                self.active.insert((Reverse(waiting.priority), waiting.since, key));
            }
        }
    }

    /// When there is something to do next.
    pub(super) fn next_due(&self, now: SimTime) -> Option<SimTime> {
        if !self.active.is_empty() {
            return Some(now);
        }
        let backing_off = self.backing_off.get_min().map(|(until, _)| *until);
        let flush = self.parked.iter().filter_map(|key| self.pods.get(key));
        let flush = flush.map(|waiting| waiting.last_attempt + FLUSH_AFTER).min();
        backing_off.into_iter().chain(flush).min()
    }
}

/// 1, 2, 4 … seconds, at most 10.
fn back_off(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(10);
    Duration::from_secs(1 << doublings).min(MOST_BACK_OFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::WORLD_START + Duration::from_secs(seconds)
    }

    #[test]
    fn the_most_important_pod_is_first_then_the_one_that_waits_longest() {
        let mut queue = Queue::default();
        queue.add(ObjectKey::new("a", "late"), 0, at(2));
        queue.add(ObjectKey::new("a", "early"), 0, at(1));
        queue.add(ObjectKey::new("a", "important"), 9, at(3));
        let order: Vec<_> = core::iter::from_fn(|| queue.pop(at(4))).collect();
        let names: Vec<&str> = order.iter().map(|key| &*key.name).collect();
        assert_eq!(names, ["important", "early", "late"]);
    }

    #[test]
    fn a_pod_without_a_node_is_tried_again_when_what_refused_it_changes_but_not_too_soon() {
        let mut queue = Queue::default();
        let key = ObjectKey::new("a", "b");
        queue.add(key.clone(), 0, at(0));
        assert_eq!(queue.pop(at(0)), Some(key.clone()));
        queue.park(&key, 0b10, at(0));
        queue.changed(0b01);
        assert_eq!((queue.pop(at(100)), queue.next_due(at(100))), (None, Some(at(300))));
        queue.changed(0b10);
        assert_eq!((queue.pop(at(0)), queue.next_due(at(0))), (None, Some(at(1))));
        assert_eq!(queue.pop(at(1)), Some(key));
    }
}
