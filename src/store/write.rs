//! What the parts of the cluster ask the store for: writes as data, each with its cause.

use super::storage::{Change, ObjectKey, Store};
use crate::api::{ApiError, Event, Kind, Object, ObjectReference, Uid};
use crate::base::{Seconds, SimTime};
use core::time::Duration;
use std::sync::Arc;

/// An object's kind and key: what a controller's work queue holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Kind.
    pub kind: Kind,
    /// Namespace and name.
    pub object: ObjectKey,
}

impl Key {
    /// The key of an object.
    pub fn of(object: &Object) -> Self {
        Key { kind: object.kind, object: ObjectKey::of(object) }
    }
}

/// Who wrote, and on behalf of which object: the answer to "why is this here?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The writer, `deployment-controller`, `kubelet/node-1`, `kubectl`.
    pub writer: Arc<str>,
    /// The object it was working on.
    pub working_on: Option<Key>,
}

/// What becomes of the objects that a deleted object owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They go after it.
    #[default]
    Background,
    /// It waits for them.
    Foreground,
    /// They stay, without owner.
    Orphan,
}

/// How to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Only if this is still its UID.
    pub uid: Option<Uid>,
    /// Grace period; the object's own (30 seconds for most pods) if absent, at once if zero.
    pub grace_period_seconds: Option<Seconds>,
    /// What becomes of what it owns.
    pub propagation: Propagation,
}

/// One change that a part of the cluster asks for. Only the world carries it out.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Create an object. An empty name with `generate_name` gets one; UID, times, revision and
    /// what admission adds are the server's.
    Create(Box<Object>),
    /// Create several objects in slow-start batches (1, 2, 4 …): after a batch with a failure the
    /// rest is skipped.
    ///
    /// Models pkg/controller/replicaset/replica_set.go slowStartBatch.
    CreateBatch(Vec<Object>),
    /// Create several objects in this order; after one that fails the rest is skipped.
    CreateInTurn(Vec<Object>),
    /// Replace metadata and desired state; `status` stays as stored. With a resource version, only
    /// if it is still current. Nothing is written if nothing differs.
    Update(Box<Object>),
    /// Replace `status` alone; the rest stays as stored. Nothing is written if it is equal.
    UpdateStatus(Box<Object>),
    /// Bind a pod to a node: the pod's `binding` subresource.
    Bind {
        /// The pod.
        pod: ObjectKey,
        /// The node's name.
        node: Arc<str>,
    },
    /// Ask for an object to be deleted.
    Delete {
        /// Which.
        key: Key,
        /// How.
        options: DeleteOptions,
    },
    /// Say that something happened. Repeats of the same raise the count of the first.
    Event(Box<Event>),
    /// Keep a note about a key for the next time, or forget it.
    Note {
        /// The control loop's name.
        writer: &'static str,
        /// What it is about.
        key: Key,
        /// The note.
        note: Option<Note>,
    },
}

/// What a control loop knows of a key beside the objects: in a real cluster it is in the process'
/// memory, here it is data, so that a world can be copied, hashed and replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Since when.
    pub since: SimTime,
    /// Until when.
    pub until: SimTime,
    /// How often.
    pub count: u32,
    /// For which object, where a name may come again.
    pub uid: Uid,
}

impl Write {
    /// Deletes an object in the background with its own grace period.
    pub fn delete(object: &Object) -> Self {
        let options = DeleteOptions { uid: Some(object.meta.uid), ..DeleteOptions::default() };
        Write::Delete { key: Key::of(object), options }
    }

    /// An event about an object. `message` is the sentence a person reads with `kubectl describe`.
    pub fn event(
        about: ObjectReference,
        warning: bool,
        reason: &str,
        message: impl Into<Arc<str>>,
        component: &str,
        now: SimTime,
    ) -> Self {
        Write::Event(Box::new(Event {
            involved: about,
            warning,
            reason: Arc::from(reason),
            message: message.into(),
            component: Arc::from(component),
            host: Arc::from(""),
            first_timestamp: now,
            last_timestamp: now,
            count: 1,
            from_events_api: false,
            written: None,
        }))
    }
}

/// What became of a write: the object as stored, or the server's no. A batch has one for each
/// object that was tried.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The number of the write in the plan, from 0.
    pub write: usize,
    /// What was written; its name is empty if that was to be generated.
    pub key: Key,
    /// Whether it was a creation.
    pub created: bool,
    /// The result.
    pub result: Result<Arc<Object>, ApiError>,
}

/// What a reconciler wants done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Changes, carried out in this order. One that fails does not stop the next.
    pub writes: Vec<Write>,
    /// When to look again even if nothing changes.
    pub requeue_after: Option<Duration>,
}

impl Plan {
    /// A plan with these writes.
    pub const fn of(writes: Vec<Write>) -> Self {
        Plan { writes, requeue_after: None }
    }
}

/// A control loop: it sees the store and says what should change, and nothing else. It keeps no
/// state of its own but in [`Note`]s, so a world can be copied, hashed and replayed.
pub trait Controller: Sync {
    /// The name that its events carry as `source.component`, `deployment-controller`.
    fn name(&self) -> &'static str;

    /// The keys to look at because of a change. Called for every change in the store, so the
    /// first thing to look at is `change.kind`.
    fn wants(&self, store: &Store, change: &Change) -> Vec<Key>;

    /// The keys to look at because a machine has fallen silent or speaks again; see
    /// [`Store::silent_since`]. None for who learns of that from the API server.
    fn hears(&self, _store: &Store, _node: &str) -> Vec<Key> {
        Vec::new()
    }

    /// How long it waits before it looks at what this change made it want; changes meanwhile are seen
    /// with it.
    fn delay(&self, _store: &Store, _change: &Change) -> Duration {
        Duration::ZERO
    }

    /// How long after a write that failed it tries again: the first time, and at most. Each failure
    /// in a row doubles it.
    ///
    /// Models staging/src/k8s.io/client-go/util/workqueue/default_rate_limiters.go
    /// DefaultTypedControllerRateLimiter (without its bucket for all keys together).
    fn retries(&self) -> (Duration, Duration) {
        (Duration::from_millis(5), Duration::from_secs(1000))
    }

    /// What should change for `key`, which may be gone by now.
    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan;

    /// What to write after the writes of [`reconcile`](Self::reconcile) were carried out: usually
    /// the status, and what failed.
    fn report(&self, _store: &Store, _key: &Key, _outcomes: &[Outcome], _now: SimTime) -> Plan {
        Plan::default()
    }
}
