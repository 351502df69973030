//! What is due, and when: data ordered by time, then by the order it was asked for.

use crate::api::Uid;
use crate::base::names::fnv64a;
use crate::base::{Map, SimTime};
use crate::store::{Key, ObjectKey};
use std::sync::Arc;

/// Something that happens at a moment of virtual time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A controller looks at a key. The number is its place among all controllers.
    Reconcile {
        /// Place in `controllers::all()`, or after them in `addons::all()`.
        controller: u16,
        /// What it looks at.
        key: Key,
    },
    /// The scheduler takes the next pod.
    Schedule,
    /// A node's kubelet looks at a pod.
    Pod {
        /// The pod's identity; it comes first, since it alone tells two pods apart.
        uid: Uid,
        /// The node.
        node: Arc<str>,
        /// The pod's name.
        key: ObjectKey,
    },
    /// A node's kubelet renews its lease.
    Heartbeat {
        /// The node.
        node: Arc<str>,
    },
    /// kube-proxy writes its rules anew.
    ProxySync,
    /// It is looked whether series of events have ended.
    EventSeries,
}

impl Due {
    /// A number that nearly always tells it from others. Where things are looked up it stands before
    /// them: numbers are compared quicker than names.
    fn hash(&self) -> u64 {
        match self {
            Due::Reconcile { controller, key } => {
                fnv64a(u64::from(*controller), key.object.name.as_bytes())
            }
            Due::Pod { uid, .. } => fnv64a(0, &uid.0.to_le_bytes()),
            Due::Heartbeat { node } => fnv64a(0, node.as_bytes()),
            Due::Schedule | Due::ProxySync | Due::EventSeries => 0,
        }
    }
}

/// Something that is due, with its hash; both maps share it.
type Hashed = (u64, Arc<Due>);

/// The queue. Each thing is in it once: asking again for an earlier time moves it forward.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    by_time: Map<(SimTime, u64), Hashed>,
    places: Map<Hashed, (SimTime, u64)>,
    sequence: u64,
}

impl Queue {
    /// Asks for something at a time; an earlier wish for the same stays.
    pub(super) fn push(&mut self, at: SimTime, due: Due) {
        let due = (due.hash(), Arc::new(due));
        if let Some(place) = self.places.get(&due).copied() {
            if place.0 <= at {
                return;
            }
            self.by_time.remove(&place);
        }
        self.sequence += 1;
        let place = (at, self.sequence);
        self.places.insert(due.clone(), place);
        self.by_time.insert(place, due);
    }

    /// Takes the first thing that is due by `limit`.
    pub(super) fn pop(&mut self, limit: SimTime) -> Option<(SimTime, Due)> {
        let place = *self.by_time.get_min().map(|(place, _)| place)?;
        if place.0 > limit {
            return None;
        }
        let due = self.by_time.remove(&place)?;
        self.places.remove(&due);
        Some((place.0, Arc::unwrap_or_clone(due.1)))
    }

    /// When the first thing is due.
    pub(super) fn next_due(&self) -> Option<SimTime> {
        self.by_time.get_min().map(|((at, _), _)| *at)
    }

    /// How many things are due.
    pub(super) fn len(&self) -> usize {
        self.by_time.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn a_thing_is_due_once_at_the_earliest_time_asked_for() {
        let start = SimTime::WORLD_START;
        let later = |seconds| start + Duration::from_secs(seconds);
        let heartbeat = Due::Heartbeat { node: Arc::from("node-1") };
        let mut queue = Queue::default();
        queue.push(later(5), Due::Schedule);
        queue.push(later(3), heartbeat.clone());
        queue.push(later(2), Due::Schedule);
        queue.push(later(9), Due::Schedule);
        assert_eq!(queue.pop(later(10)), Some((later(2), Due::Schedule)));
        assert_eq!(queue.pop(later(2)), None);
        assert_eq!(queue.pop(later(10)), Some((later(3), heartbeat)));
        assert_eq!((queue.pop(later(10)), queue.len()), (None, 0));
    }
}
