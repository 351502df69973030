//! CronJobs: Jobs at set times.
//!
//! Models pkg/controller/cronjob/cronjob_controllerv2.go.
//!
//! Simplified: `timeZone` is stored, and times are UTC.

use super::super::conditions::Conditions;
use super::super::pod_control::{controller_key, controller_reference, spec_int};
use super::is_finished;
use super::schedule::Schedule;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::{SimTime, order};
use crate::store::{Change, Controller, Key, Outcome, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "cronjob-controller";

/// The controller of CronJobs.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct CronJobs;

impl Controller for CronJobs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::CronJob => vec![Key { kind: Kind::CronJob, object: change.key.clone() }],
            Kind::Job => {
                let jobs = [&change.old, &change.new].into_iter().flatten();
                let mut keys: Vec<Key> =
                    jobs.filter_map(|job| controller_key(job, Kind::CronJob)).collect();
                keys.dedup();
                keys
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(cron) = store.get(key.kind, &key.object) else { return Plan::default() };
        if cron.meta.is_terminating() {
            return Plan::default();
        }
        let owned = store.owned_by(cron.meta.uid).filter(|object| object.kind == Kind::Job);
        let jobs: Vec<Arc<Object>> = owned.cloned().collect();
        let mut sync = Sync { cron, jobs, now, status: cron.status().clone(), writes: Vec::new() };
        sync.note_finished();
        sync.clean_up();
        let requeue_after = sync.start_due();
        if sync.status != *cron.status() {
            let mut new = (**cron).clone();
            new.set_status(sync.status);
            sync.writes.push(Write::UpdateStatus(Box::new(new)));
        }
        Plan { writes: sync.writes, requeue_after }
    }

    fn report(&self, store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
        let Some(cron) = store.get(key.kind, &key.object) else { return Plan::default() };
        let (mut writes, mut status) = (Vec::new(), cron.status().clone());
        for outcome in outcomes.iter().filter(|outcome| outcome.created) {
            let (warning, reason, message) = match &outcome.result {
                Ok(job) => {
                    let mut active = status.items_at(&["active"]).to_vec();
                    active.push(json!({
                        "apiVersion": "batch/v1", "kind": "Job", "name": *job.meta.name,
                        "namespace": *job.meta.namespace, "uid": job.meta.uid.to_string(),
                        "resourceVersion": job.meta.resource_version.to_string(),
                    }));
                    status.put(&["active"], active);
                    (false, "SuccessfulCreate", format!("Created job {}", job.meta.name))
                }
                Err(error) => {
                    (true, "FailedCreate", format!("Error creating job: {}", error.message))
                }
            };
            writes.push(Write::event(cron.reference(), warning, reason, message, NAME, now));
        }
        if status != *cron.status() {
            let mut new = (**cron).clone();
            new.set_status(status);
            writes.push(Write::UpdateStatus(Box::new(new)));
        }
        Plan::of(writes)
    }
}

struct Sync<'a> {
    cron: &'a Arc<Object>,
    jobs: Vec<Arc<Object>>,
    now: SimTime,
    status: Value,
    writes: Vec<Write>,
}

impl Sync<'_> {
    fn event(&mut self, warning: bool, reason: &str, message: String) {
        let about = self.cron.reference();
        self.writes.push(Write::event(about, warning, reason, message, NAME, self.now));
    }

    /// Takes finished Jobs from the list of active ones, and speaks of those that are in none.
    fn note_finished(&mut self) {
        let mut active = self.status.items_at(&["active"]).to_vec();
        for job in self.jobs.clone() {
            let uid = job.meta.uid.to_string();
            let index = active.iter().position(|a| a.str_at(&["uid"]) == Some(&uid));
            let index = match (index, is_finished(&job)) {
                (Some(index), true) => index,
                (None, false) => {
                    let what = "Saw a job that the controller did not create or forgot";
                    self.event(true, "UnexpectedJob", format!("{what}: {}", job.meta.name));
                    continue;
                }
                _ => continue,
            };
            active.remove(index);
            let complete = Conditions::of(job.status()).is_true("Complete");
            let condition = if complete { "Complete" } else { "Failed" };
            let message = format!("Saw completed job: {}, condition: {condition}", job.meta.name);
            self.event(false, "SawCompletedJob", message);
            if let Some(time) = job.status().get("completionTime").filter(|_| complete) {
                self.status.put(&["lastSuccessfulTime"], time.clone());
            }
        }
        let alive = |entry: &Value| {
            let uid = entry.str_at(&["uid"]);
            self.jobs.iter().any(|job| Some(&*job.meta.uid.to_string()) == uid)
        };
        active.retain(alive);
        match active.is_empty() {
            true => drop(self.status.remove(&["active"])),
            false => self.status.put(&["active"], active),
        }
    }

    /// Deletes the oldest finished Jobs beyond the two history limits.
    fn clean_up(&mut self) {
        for (condition, key, default) in
            [("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)]
        {
            let limit = usize::try_from(spec_int(self.cron, &[key], default)).unwrap_or_default();
            let mut finished: Vec<Arc<Object>> = self
                .jobs
                .iter()
                .filter(|job| Conditions::of(job.status()).is_true(condition))
                .filter(|job| !job.meta.is_terminating())
                .cloned()
                .collect();
            order::sort_by_key(&mut finished, |job| {
                (job.meta.creation_timestamp, job.meta.name.clone())
            });
            let excess = finished.len().saturating_sub(limit);
            for job in finished.into_iter().take(excess) {
                self.writes.push(Write::delete(&job));
                self.event(false, "SuccessfulDelete", format!("Deleted job {}", job.meta.name));
            }
        }
    }

    /// Starts the Job of the last time that has passed; says how long until the next.
    fn start_due(&mut self) -> Option<Duration> {
        let spec = self.cron.spec();
        if spec.bool_at(&["suspend"]).unwrap_or_default() {
            return None;
        }
        let schedule = Schedule::parse(spec.str_at(&["schedule"])?)?;
        let since = self.status.str_at(&["lastScheduleTime"]).and_then(SimTime::parse_rfc3339);
        let mut earliest = since.unwrap_or(self.cron.meta.creation_timestamp);
        let deadline = spec.int_at(&["startingDeadlineSeconds"]);
        if let Some(seconds) = deadline.and_then(|seconds| u64::try_from(seconds).ok()) {
            let passed = self.now.since(SimTime::default());
            let bound = passed.saturating_sub(Duration::from_secs(seconds));
            earliest = earliest.max(SimTime::default() + bound);
        }
        let mut due = None;
        let mut next = schedule.after(earliest)?;
        while next <= self.now {
            due = Some(next);
            next = schedule.after(next)?;
        }
        if let Some(time) = due {
            self.start(time);
        }
        Some(next.since(self.now) + Duration::from_millis(100))
    }

    fn start(&mut self, time: SimTime) {
        let active: Vec<Arc<Object>> =
            self.jobs.iter().filter(|job| !is_finished(job)).cloned().collect();
        match self.cron.spec().str_at(&["concurrencyPolicy"]) {
            Some("Forbid") if !active.is_empty() => {
                let message = "Not starting job because prior execution is running and concurrency policy \
                     is Forbid";
                self.event(false, "JobAlreadyActive", message.to_owned());
                return;
            }
            Some("Replace") => {
                for job in active {
                    self.writes.push(Write::delete(&job));
                    self.event(false, "SuccessfulDelete", format!("Deleted job {}", job.meta.name));
                }
            }
            _ => {}
        }
        let minutes = time.as_micros() / 60_000_000;
        let template = self.cron.spec().get("jobTemplate").cloned().unwrap_or_default();
        let mut job = json!({
            "metadata": template.get("metadata").cloned().unwrap_or(json!({})),
            "spec": template.get("spec").cloned().unwrap_or(json!({})),
        });
        let name = format!("{}-{minutes}", self.cron.meta.name);
        if self.jobs.iter().any(|job| *job.meta.name == *name) {
            return;
        }
        job.put(&["metadata", "name"], name);
        job.put(&["metadata", "namespace"], &*self.cron.meta.namespace);
        let stamp = "batch.kubernetes.io/cronjob-scheduled-timestamp";
        job.put(&["metadata", "annotations", stamp], time.rfc3339());
        crate::api::defaults::apply(Kind::Job, &mut job);
        let mut job = Object::from_value(Kind::Job, job);
        job.meta.owner_references = Arc::from([controller_reference(self.cron)]);
        self.writes.push(Write::Create(Box::new(job)));
        self.status.put(&["lastScheduleTime"], time.rfc3339());
    }
}
