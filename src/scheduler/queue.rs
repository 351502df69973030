//! Pods that wait for a node: ready to be tried, backing off, or waiting for something to change.
//!
//! Models pkg/scheduler/backend/queue/scheduling_queue.go.

use crate::base::{Map, Set, SimTime};
use crate::store::ObjectKey;
use core::cmp::Reverse;
use core::time::Duration;

const MOST_BACK_OFF: Duration = Duration::from_secs(10);
/// Ends of back-offs within the same window are the same.
const WINDOW_MICROS: u64 = 1_000_000;
/// However little happens, a pod is tried again after it has waited this long …
const FLUSH_AFTER: Duration = Duration::from_secs(300);
/// … which is looked at so often.
const FLUSH_PERIOD: Duration = Duration::from_secs(30);

/// Where a pod stands among those that may be tried: the most important first, then the one that
/// has waited longest.
type Rank = (Reverse<i32>, SimTime, ObjectKey);

/// All pods without a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    active: Set<Rank>,
    /// By the end of the back-off. They are tried as soon as no other pod is active (the feature
    /// SchedulerPopFromBackoffQ): backing off only lets others go first.
    backing_off: Set<(SimTime, Rank)>,
    /// By the plugins that said no.
    parked: Map<u32, Set<ObjectKey>>,
    parked_since: Set<(SimTime, ObjectKey)>,
    pods: Map<ObjectKey, Waiting>,
}

/// One pod that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    priority: i32,
    /// Since it came, or since it was last tried.
    since: SimTime,
    attempts: u32,
    /// Bits of the plugins that said no.
    refused_by: u32,
}

impl Waiting {
    fn rank(&self, key: &ObjectKey) -> Rank {
        (Reverse(self.priority), self.since, key.clone())
    }

    /// When its back-off ends: 1, 2, 4 … seconds after its last try, at most 10.
    fn back_off_ends(&self) -> SimTime {
        let doublings = self.attempts.saturating_sub(1).min(10);
        let wait = Duration::from_secs(1 << doublings).min(MOST_BACK_OFF);
        window(self.since + wait)
    }
}

fn window(time: SimTime) -> SimTime {
    SimTime::from_micros(time.as_micros() / WINDOW_MICROS * WINDOW_MICROS)
}

impl Queue {
    /// A pod needs a node.
    pub(super) fn add(&mut self, key: ObjectKey, priority: i32, now: SimTime) {
        let waiting = Waiting { priority, since: now, attempts: 0, refused_by: 0 };
        self.active.insert(waiting.rank(&key));
        self.pods.insert(key, waiting);
    }

    /// A pod needs a node no longer.
    pub(super) fn remove(&mut self, key: &ObjectKey) {
        let Some(waiting) = self.pods.remove(key) else { return };
        self.unpark(key, &waiting);
        let rank = waiting.rank(key);
        self.active.remove(&rank);
        self.backing_off.remove(&(waiting.back_off_ends(), rank));
    }

    /// The pod that was taken last has found a node.
    pub(super) fn placed(&mut self, key: &ObjectKey) {
        self.pods.remove(key);
    }

    /// Whether a pod waits.
    pub(super) fn contains(&self, key: &ObjectKey) -> bool {
        self.pods.contains_key(key)
    }

    /// The next pod to try; it stays in the queue until [`Queue::placed`],
    /// [`Queue::park`] or [`Queue::remove`].
    pub(super) fn pop(&mut self, now: SimTime) -> Option<ObjectKey> {
        self.flush(now);
        while let Some((end, rank)) = self.backing_off.get_min().cloned() {
            if end >= window(now) {
                break;
            }
            self.backing_off.remove(&(end, rank.clone()));
            self.active.insert(rank);
        }
        if let Some(first) = self.active.get_min().cloned() {
            self.active.remove(&first);
            return Some(first.2);
        }
        let first = self.backing_off.get_min().cloned()?;
        self.backing_off.remove(&first);
        Some(first.1.2)
    }

    /// A pod found no node; it waits for a change that one of these plugins cares for.
    pub(super) fn park(&mut self, key: &ObjectKey, refused_by: u32, now: SimTime) {
        let Some(waiting) = self.pods.get_mut(key) else { return };
        waiting.attempts = waiting.attempts.saturating_add(1);
        waiting.refused_by = refused_by;
        waiting.since = now;
        self.parked.entry(refused_by).or_default().insert(key.clone());
        self.parked_since.insert((now, key.clone()));
    }

    /// The pods that one of these plugins refused, each with all the plugins that did.
    pub(super) fn refused_by(&self, plugins: u32) -> impl Iterator<Item = (&ObjectKey, u32)> {
        let groups = self.parked.iter().filter(move |(by, _)| *by & plugins != 0);
        groups.flat_map(|(by, keys)| keys.iter().map(|key| (key, *by)))
    }

    /// A change could help a pod.
    pub(super) fn wake(&mut self, key: &ObjectKey, now: SimTime) {
        let Some(waiting) = self.pods.get(key).copied() else { return };
        if !self.unpark(key, &waiting) {
            return;
        }
        let (end, rank) = (waiting.back_off_ends(), waiting.rank(key));
        if end >= window(now) {
            self.backing_off.insert((end, rank));
        } else {
            self.active.insert(rank);
        }
    }

    fn unpark(&mut self, key: &ObjectKey, waiting: &Waiting) -> bool {
        let Some(group) = self.parked.get_mut(&waiting.refused_by) else { return false };
        let was_parked = group.remove(key).is_some();
        if group.is_empty() {
            self.parked.remove(&waiting.refused_by);
        }
        self.parked_since.remove(&(waiting.since, key.clone()));
        was_parked
    }

    fn flush(&mut self, now: SimTime) {
        while let Some((since, key)) = self.parked_since.get_min().cloned() {
            if flush_time(since) > now {
                break;
            }
            self.wake(&key, now);
        }
    }

    /// When there is something to do next.
    pub(super) fn next_due(&self, now: SimTime) -> Option<SimTime> {
        if !self.active.is_empty() || !self.backing_off.is_empty() {
            return Some(now);
        }
        self.parked_since.get_min().map(|(since, _)| flush_time(*since))
    }
}

/// When a pod that has waited since then is tried again without a reason.
fn flush_time(since: SimTime) -> SimTime {
    let waited = since + FLUSH_AFTER;
    let into_period = waited.since(SimTime::WORLD_START).as_micros() % FLUSH_PERIOD.as_micros();
    let into_period = u64::try_from(into_period).unwrap_or_default();
    waited + FLUSH_PERIOD - Duration::from_micros(into_period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::WORLD_START + Duration::from_secs(seconds)
    }

    fn wake_all(queue: &mut Queue, plugins: u32, now: SimTime) {
        let woken: Vec<ObjectKey> = queue.refused_by(plugins).map(|(key, _)| key.clone()).collect();
        woken.iter().for_each(|key| queue.wake(key, now));
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
    fn a_pod_without_a_node_is_tried_again_when_what_refused_it_changes_or_after_five_minutes() {
        let mut queue = Queue::default();
        let key = ObjectKey::new("a", "b");
        queue.add(key.clone(), 0, at(10));
        assert_eq!(queue.pop(at(10)), Some(key.clone()));
        queue.park(&key, 0b10, at(10));
        wake_all(&mut queue, 0b01, at(10));
        assert_eq!((queue.pop(at(329)), queue.next_due(at(329))), (None, Some(at(330))));
        assert_eq!(queue.pop(at(330)), Some(key.clone()));
        queue.park(&key, 0b110, at(330));
        wake_all(&mut queue, 0b10, at(331));
        assert_eq!((queue.next_due(at(331)), queue.pop(at(331))), (Some(at(331)), Some(key)));
    }

    #[test]
    fn a_pod_that_backs_off_waits_only_for_other_pods() {
        let mut queue = Queue::default();
        let (first, second) = (ObjectKey::new("a", "first"), ObjectKey::new("a", "second"));
        queue.add(first.clone(), 9, at(0));
        queue.pop(at(0));
        queue.park(&first, 1, at(0));
        wake_all(&mut queue, 1, at(0));
        queue.add(second.clone(), 0, at(0));
        assert_eq!((queue.pop(at(0)), queue.pop(at(0))), (Some(second), Some(first)));
    }
}
