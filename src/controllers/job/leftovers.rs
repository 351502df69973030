//! What nobody needs any more: the finalizers of pods whose Job is over or gone, and Jobs that have
//! outlived their time.
//!
//! Models job_controller.go syncOrphanPod and pkg/controller/ttlafterfinished.

use super::super::conditions::Conditions;
use super::super::pod_control::controller_key;
use super::{NAME, RETRIES, is_finished, is_tracked, untrack};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, DeleteOptions, Key, Plan, Propagation, Store, Write};
use core::time::Duration;

/// The controller that takes the finalizer from pods that no Job will count.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct JobOrphans;

impl Controller for JobOrphans {
    fn name(&self) -> &'static str {
        NAME
    }

    fn retries(&self) -> (Duration, Duration) {
        RETRIES
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        match (change.kind, &change.old, &change.new) {
            (Kind::Pod, _, Some(pod)) if is_tracked(pod) && is_orphan(store, pod) => {
                vec![Key::of(pod)]
            }
            (Kind::Job, Some(job), None) => tracked_pods(store, job),
            (Kind::Job, _, Some(job)) if is_finished(job) => tracked_pods(store, job),
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, _now: SimTime) -> Plan {
        let Some(pod) = store.get(key.kind, &key.object) else { return Plan::default() };
        match is_tracked(pod) && is_orphan(store, pod) {
            true => Plan::of(vec![untrack(pod)]),
            false => Plan::default(),
        }
    }
}

fn tracked_pods(store: &Store, job: &Object) -> Vec<Key> {
    let owned = store.owned_by(job.meta.uid).filter(|object| object.kind == Kind::Pod);
    owned.filter(|pod| is_tracked(pod)).map(|pod| Key::of(pod)).collect()
}

/// Whether no Job counts this pod. Models handleSingleOrphanPod.
fn is_orphan(store: &Store, pod: &Object) -> bool {
    let Some(owner) = pod.meta.controller() else { return true };
    let Some(key) = controller_key(pod, Kind::Job) else { return false };
    let job = store.get(key.kind, &key.object).filter(|job| job.meta.uid == owner.uid);
    job.is_none_or(|job| is_finished(job))
}

/// The controller that deletes Jobs some time after they have ended.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct JobExpiry;

impl Controller for JobExpiry {
    fn name(&self) -> &'static str {
        "ttl-after-finished-controller"
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        let job = change.new.as_ref().filter(|job| job.kind == Kind::Job);
        job.filter(|job| expires_at(job).is_some()).map(|job| Key::of(job)).into_iter().collect()
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(job) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(end) = expires_at(job) else { return Plan::default() };
        if end > now {
            return Plan { writes: Vec::new(), requeue_after: Some(end.since(now)) };
        }
        let options = DeleteOptions {
            uid: Some(job.meta.uid),
            propagation: Propagation::Foreground,
            ..DeleteOptions::default()
        };
        Plan::of(vec![Write::Delete { key: key.clone(), options }])
    }
}

/// When a Job that has ended is to go.
fn expires_at(job: &Object) -> Option<SimTime> {
    let seconds = job.spec().int_at(&["ttlSecondsAfterFinished"])?;
    if job.meta.is_terminating() {
        return None;
    }
    let conditions = Conditions::of(job.status());
    let ended = |name: &str| conditions.get(name).filter(|_| conditions.is_true(name));
    let condition = ended("Complete").or_else(|| ended("Failed"))?;
    let end = SimTime::parse_rfc3339(condition.str_at(&["lastTransitionTime"])?)?;
    Some(end + Duration::from_secs(u64::try_from(seconds).ok()?))
}
