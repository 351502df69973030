//! Jobs: pods that run to their end, as often as asked for.
//!
//! Models pkg/controller/job and pkg/controller/ttlafterfinished.
//!
//! Invariant: a pod has the tracking finalizer until its Job has counted it, so none is counted
//! twice and none is lost; what is not counted (any more) loses the finalizer all the same.
//!
//! Reading order: `mod.rs` (one look at a Job), `pods.rs` (making and removing pods),
//! `tracking.rs` (counting them, ending the Job), `policy.rs`, `indexes.rs`, `back_off.rs`,
//! `leftovers.rs` (pods and Jobs that nobody needs), `cron.rs`, `schedule.rs`.

mod back_off;
pub(super) mod cron;
mod indexes;
pub(super) mod leftovers;
mod pods;
mod policy;
mod schedule;
mod tracking;

use super::conditions::Conditions;
use super::pod_control::{claim_pods, controller_key, creation_events, phase, selector_of};
use crate::api::pod::{Phase, RestartPolicy};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Uid, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Outcome, Plan, Store, Write};
use back_off::{BackOff, is_failed};
use core::time::Duration;
use indexes::{Indexes, index_of};
use pods::Need;
use policy::Action;
use std::sync::Arc;

const NAME: &str = "job-controller";
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// How long changes of pods are collected before a Job is looked at.
const BATCH_PERIOD: Duration = Duration::from_secs(1);
/// After an error: the first wait and the longest.
const RETRIES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The controller of Jobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jobs;

impl Controller for Jobs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn retries(&self) -> (Duration, Duration) {
        RETRIES
    }

    /// Models job_controller.go updateJob: what happens to pods and to the status can wait.
    fn delay(&self, _store: &Store, change: &Change) -> Duration {
        if respecified(change) { Duration::ZERO } else { BATCH_PERIOD }
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::Job => vec![Key { kind: Kind::Job, object: change.key.clone() }],
            Kind::Pod => {
                let pods = [&change.old, &change.new].into_iter().flatten();
                let mut keys: Vec<Key> =
                    pods.filter_map(|pod| controller_key(pod, Kind::Job)).collect();
                keys.dedup();
                keys
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        reconcile(store, key, now)
    }

    fn report(&self, store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
        report(store, key, outcomes, now)
    }
}

/// Whether a Job came, went, or is to be another.
fn respecified(change: &Change) -> bool {
    let generation = |job: &Option<Arc<Object>>| job.as_ref().map(|job| job.meta.generation);
    change.kind == Kind::Job && generation(&change.old) != generation(&change.new)
}

/// Whether a Job has ended, well or not.
pub(super) fn is_finished(job: &Object) -> bool {
    let conditions = Conditions::of(job.status());
    conditions.is_true("Complete") || conditions.is_true("Failed")
}

/// Whether the finalizer says that a pod has not been counted.
fn is_tracked(pod: &Object) -> bool {
    pod.meta.finalizers.iter().any(|finalizer| &**finalizer == TRACKING)
}

/// Takes the finalizer from a pod.
fn untrack(pod: &Object) -> Write {
    let mut new = pod.clone();
    let others = new.meta.finalizers.iter().filter(|finalizer| &***finalizer != TRACKING);
    new.meta.finalizers = others.cloned().collect();
    Write::Update(Box::new(new))
}

/// The Job of a key, if this controller still has to do with it.
fn open_job<'a>(store: &'a Store, key: &Key) -> Option<&'a Arc<Object>> {
    let job = store.get(key.kind, &key.object).filter(|job| !is_finished(job))?;
    let manager = job.spec().str_at(&["managedBy"]);
    manager.is_none_or(|name| name == "kubernetes.io/job-controller").then_some(job)
}

/// The first half of a look: what becomes of pods. Models job_controller.go syncJob.
fn reconcile(store: &Store, key: &Key, now: SimTime) -> Plan {
    let Some(job) = open_job(store, key) else {
        let known = store.note(NAME, key).is_some();
        let forget = Write::Note { writer: NAME, key: key.clone(), note: None };
        return Plan::of(known.then_some(forget).into_iter().collect());
    };
    let mut sync = Sync::new(store, job, &[], now);
    sync.manage();
    let requeue_after = sync.deadline_left().into_iter().chain(sync.wait).min();
    Plan { writes: sync.writes, requeue_after }
}

/// The second half: what the Job says of itself, now that it is known which pods could be made.
fn report(store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
    let Some(job) = open_job(store, key) else { return Plan::default() };
    let created: Vec<Outcome> = outcomes.iter().filter(|o| o.created).cloned().collect();
    let mut writes = creation_events(job, &created, NAME, now);
    let mut sync = Sync::new(store, job, outcomes, now);
    sync.track(store, outcomes);
    writes.append(&mut sync.writes);
    Plan::of(writes)
}

/// How a Job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    succeeded: bool,
    reason: &'static str,
    message: String,
    /// Whether its interim condition (`FailureTarget`, `SuccessCriteriaMet`) is there already.
    is_noted: bool,
}

/// One look at a Job that has not ended.
struct Sync<'a> {
    job: &'a Arc<Object>,
    now: SimTime,
    /// Its pods, as they were before this look changed any.
    pods: Vec<Arc<Object>>,
    status: Value,
    conditions: Vec<Value>,
    succeeded: i64,
    /// The indexes that have succeeded, and, with `backoffLimitPerIndex`, those that have failed.
    done: Indexes,
    failed_indexes: Option<Indexes>,
    back_off: BackOff,
    verdict: Option<Verdict>,
    /// When to look again.
    wait: Option<Duration>,
    writes: Vec<Write>,
}

impl<'a> Sync<'a> {
    /// `outcomes` are those of the writes that this look has made so far.
    fn new(store: &'a Store, job: &'a Arc<Object>, outcomes: &[Outcome], now: SimTime) -> Self {
        let (pods, writes) = claimed(store, job, outcomes);
        let mut sync = Sync {
            job,
            now,
            pods,
            status: job.status().clone(),
            conditions: job.status().items_at(&["conditions"]).to_vec(),
            succeeded: 0,
            done: Indexes::default(),
            failed_indexes: None,
            back_off: BackOff::of(store, job),
            verdict: None,
            wait: None,
            writes,
        };
        if sync.status.get("startTime").is_none() && !sync.is_suspended() {
            sync.status.put(&["startTime"], now.rfc3339());
        }
        sync.evaluate();
        sync
    }

    fn number(&self, key: &str) -> i64 {
        self.status.int_at(&[key]).unwrap_or_default()
    }

    fn completions(&self) -> Option<i64> {
        self.job.spec().int_at(&["completions"])
    }

    fn is_indexed(&self) -> bool {
        self.job.spec().str_at(&["completionMode"]) == Some("Indexed")
    }

    fn is_suspended(&self) -> bool {
        self.job.spec().bool_at(&["suspend"]).unwrap_or_default()
    }

    /// How often the pods of one index may fail, if each index is counted for itself.
    fn limit_per_index(&self) -> Option<i64> {
        self.job.spec().int_at(&["backoffLimitPerIndex"])
    }

    /// Whether a pod on its way out is no failure and holds back the next one.
    ///
    /// Models onlyReplaceFailedPods.
    fn only_replaces_failed(&self) -> bool {
        let spec = self.job.spec();
        let has_policy = spec.get("podFailurePolicy").is_some_and(|policy| !policy.is_null());
        has_policy || spec.str_at(&["podReplacementPolicy"]) == Some("Failed")
    }

    fn has_failed(&self, pod: &Object) -> bool {
        is_failed(pod, self.only_replaces_failed())
    }

    /// Whether the failure of a pod counts. Models matchPodFailurePolicy.
    fn failure_counts(&self, pod: &Object) -> bool {
        policy::failure_action(self.job, pod) != Some(Action::Ignore)
    }

    /// The index of a pod, if the Job has such an index.
    fn valid_index(&self, pod: &Object) -> Option<i64> {
        index_of(pod).filter(|index| *index < self.completions().unwrap_or_default())
    }

    /// The pods that nobody has counted yet and that belong to this Job as it is now.
    fn uncounted(&self) -> impl Iterator<Item = &Arc<Object>> {
        let valid = |pod: &Object| !self.is_indexed() || self.valid_index(pod).is_some();
        self.pods.iter().filter(move |pod| is_tracked(pod) && valid(pod))
    }

    /// Counts what has ended since, and says how the Job ends, if it does: what was decided before
    /// first, then failures, then the success policy.
    fn evaluate(&mut self) {
        let has_ended = |pod: &&Arc<Object>| phase(pod) == Phase::Succeeded;
        let succeeded: Vec<_> = self.uncounted().filter(has_ended).cloned().collect();
        let failed: Vec<_> = self.uncounted().filter(|pod| self.has_failed(pod)).cloned().collect();
        self.back_off = self.back_off.with(&succeeded, &failed);
        let count = |pods: &[Arc<Object>]| i64::try_from(pods.len()).unwrap_or(i64::MAX);
        self.succeeded = self.number("succeeded") + count(&succeeded);
        let counted: Vec<_> = failed.into_iter().filter(|pod| self.failure_counts(pod)).collect();
        let failures = self.number("failed") + count(&counted);
        self.verdict = self
            .decided()
            .or_else(|| self.failure_by_policy())
            .or_else(|| self.failure_by_limit(failures));
        if self.is_indexed() {
            self.evaluate_indexes(&succeeded);
        }
    }

    fn evaluate_indexes(&mut self, succeeded: &[Arc<Object>]) {
        let completions = self.completions().unwrap_or_default();
        let known = |key| self.status.str_at(&[key]).unwrap_or_default();
        self.done = Indexes::parse(known("completedIndexes"), completions);
        succeeded.iter().filter_map(|pod| index_of(pod)).for_each(|index| self.done.insert(index));
        self.succeeded = self.done.count();
        if let Some(limit) = self.limit_per_index() {
            let mut failed = Indexes::parse(known("failedIndexes"), completions);
            let now_failed = self.uncounted().filter(|pod| self.fails_index(pod, limit));
            now_failed.filter_map(|pod| index_of(pod)).for_each(|index| failed.insert(index));
            self.verdict = self.verdict.take().or_else(|| self.failure_by_index(&failed));
            self.failed_indexes = Some(failed);
        }
        if self.verdict.is_none() {
            let message = policy::success(self.job, completions, &self.done);
            self.verdict = message.map(|message| Verdict {
                succeeded: true,
                reason: "SuccessPolicy",
                message,
                is_noted: false,
            });
        }
    }

    /// Whether the end of this pod is the end of its index. Models isIndexFailed.
    fn fails_index(&self, pod: &Object, limit: i64) -> bool {
        if !self.has_failed(pod) {
            return false;
        }
        match policy::failure_action(self.job, pod) {
            Some(Action::FailIndex) => true,
            Some(Action::Ignore) => false,
            _ => pods::failures_of_index(pod) >= limit,
        }
    }

    /// What an earlier look has decided.
    fn decided(&self) -> Option<Verdict> {
        let noted = |name: &str| {
            let is_it = |condition: &&Value| {
                condition.str_at(&["type"]) == Some(name)
                    && condition.str_at(&["status"]) == Some("True")
            };
            self.conditions.iter().find(is_it)
        };
        let met = noted("SuccessCriteriaMet");
        let condition = met.or_else(|| noted("FailureTarget"))?;
        let reason = condition.str_at(&["reason"]).unwrap_or_default();
        let reason = REASONS.into_iter().find(|known| *known == reason).unwrap_or_default();
        let message = condition.str_at(&["message"]).unwrap_or_default().to_owned();
        Some(Verdict { succeeded: met.is_some(), reason, message, is_noted: true })
    }

    /// Models getFailJobMessage.
    fn failure_by_policy(&self) -> Option<Verdict> {
        let mut failed = self.pods.iter().filter(|pod| self.has_failed(pod));
        failed.find_map(|pod| match policy::failure_action(self.job, pod)? {
            Action::FailJob(message) => Some(failure("PodFailurePolicy", message)),
            _ => None,
        })
    }

    fn failure_by_limit(&self, failures: i64) -> Option<Verdict> {
        let limit = self.job.spec().int_at(&["backoffLimit"]).unwrap_or(6);
        if failures > limit || self.is_past_restarts(limit) {
            let message = "Job has reached the specified backoff limit";
            return Some(failure("BackoffLimitExceeded", message.to_owned()));
        }
        let passed = self.deadline().is_some_and(|deadline| deadline <= self.now);
        passed.then(|| {
            let message = "Job was active longer than specified deadline";
            failure("DeadlineExceeded", message.to_owned())
        })
    }

    /// Models pastBackoffLimitOnFailure.
    fn is_past_restarts(&self, limit: i64) -> bool {
        let template = self.job.pod_template();
        if template.is_none_or(|t| t.spec.restart_policy != RestartPolicy::OnFailure) {
            return false;
        }
        let alive = self.pods.iter().filter(|pod| !phase(pod).is_terminal());
        let statuses = alive.filter_map(|pod| pod.pod()).map(|pod| &pod.status);
        let statuses =
            statuses.flat_map(|status| status.init_containers.iter().chain(&status.containers));
        let restarts: i64 = statuses.map(|status| i64::from(status.restart_count)).sum();
        restarts >= limit.max(1)
    }

    fn failure_by_index(&self, failed: &Indexes) -> Option<Verdict> {
        let most = self.job.spec().int_at(&["maxFailedIndexes"]);
        if most.is_some_and(|most| failed.count() > most) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(failure("MaxFailedIndexesExceeded", message.to_owned()));
        }
        let all = failed.count() + self.done.count() >= self.completions().unwrap_or_default();
        (!failed.is_empty() && all)
            .then(|| failure("FailedIndexes", "Job has failed indexes".to_owned()))
    }

    fn deadline(&self) -> Option<SimTime> {
        let seconds = self.job.spec().int_at(&["activeDeadlineSeconds"])?;
        let start = SimTime::parse_rfc3339(self.status.str_at(&["startTime"])?)?;
        let deadline = start + Duration::from_secs(u64::try_from(seconds).ok()?);
        (!self.is_suspended()).then_some(deadline)
    }

    fn deadline_left(&self) -> Option<Duration> {
        self.deadline().filter(|deadline| *deadline > self.now).map(|d| d.since(self.now))
    }

    /// What is to be done about pods in this look; nothing for a Job that is going.
    fn need(&self) -> Need {
        match &self.verdict {
            Some(_) => Need::Remove { pods: self.active(), untracked: false },
            None if self.job.meta.is_terminating() => Need::Nothing,
            None => self.need_of_pods(),
        }
    }
}

/// The reasons that end a Job.
const REASONS: [&str; 7] = [
    "CompletionsReached",
    "SuccessPolicy",
    "PodFailurePolicy",
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "MaxFailedIndexesExceeded",
    "FailedIndexes",
];

fn failure(reason: &'static str, message: String) -> Verdict {
    Verdict { succeeded: false, reason, message, is_noted: false }
}

/// The pods of a Job as they were before the writes of `outcomes`: without those that these made,
/// and alive if these deleted them. Those that it adopts get the finalizer.
///
/// Models job_controller.go getPodsForJob.
fn claimed(store: &Store, job: &Object, outcomes: &[Outcome]) -> (Vec<Arc<Object>>, Vec<Write>) {
    let Some(selector) = selector_of(job) else { return (Vec::new(), Vec::new()) };
    let (pods, mut writes) = claim_pods(store, job, &selector);
    for write in &mut writes {
        if let Write::Update(pod) = write
            && pod.meta.controller().is_some_and(|owner| owner.uid == job.meta.uid)
        {
            **pod = pods::tracked((**pod).clone());
        }
    }
    let written = |uid: Uid| {
        let mut objects =
            outcomes.iter().filter_map(|o| Some((o.created, o.result.as_ref().ok()?)));
        objects.find(|(_, object)| object.meta.uid == uid).map(|(created, _)| created)
    };
    let before = pods.into_iter().filter_map(|pod| match written(pod.meta.uid) {
        None => Some(pod),
        Some(true) => None,
        Some(false) => {
            let mut alive = (*pod).clone();
            alive.meta.deletion = None;
            Some(Arc::new(alive))
        }
    });
    (before.collect(), writes)
}
