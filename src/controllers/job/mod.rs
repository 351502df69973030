//! Jobs: pods that run to their end, as often as asked for.
//!
//! Models pkg/controller/job and pkg/controller/ttlafterfinished.
//!
//! Simplified: `podFailurePolicy`, `successPolicy` and `backoffLimitPerIndex` are stored, not
//! acted on.
//!
//! Reading order: `mod.rs` (one look at a Job), `cron.rs`, `schedule.rs`.

pub(super) mod cron;
mod schedule;

use super::conditions::Conditions;
use super::pod_control::{
    controller_key, creation_events, deletion_event, is_active, is_ready, phase, pod_of_template,
    spec_int,
};
use crate::api::pod::{ContainerState, Phase, RestartPolicy};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, PodSpec, PodTemplate, Value};
use crate::base::{SimTime, order};
use crate::store::{Change, Controller, Key, Outcome, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

const NAME: &str = "job-controller";
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// How long changes of pods are collected before a Job is looked at.
const BATCH_PERIOD: Duration = Duration::from_secs(1);
const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
const MOST_BACK_OFF: Duration = Duration::from_secs(600);

/// The controller of Jobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jobs;

/// The controller of the pods of Jobs: it looks a second after they changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobPods;

impl Controller for Jobs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::Job => vec![Key { kind: Kind::Job, object: change.key.clone() }],
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        sync(store, key, now)
    }

    fn report(&self, store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
        report(store, key, outcomes, now)
    }
}

impl Controller for JobPods {
    fn name(&self) -> &'static str {
        NAME
    }

    fn delay(&self) -> Duration {
        BATCH_PERIOD
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        if change.kind != Kind::Pod {
            return Vec::new();
        }
        let pods = [&change.old, &change.new].into_iter().flatten();
        let mut keys: Vec<Key> = pods.filter_map(|pod| controller_key(pod, Kind::Job)).collect();
        keys.dedup();
        keys
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        sync(store, key, now)
    }

    fn report(&self, store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
        report(store, key, outcomes, now)
    }
}

fn report(store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
    let Some(job) = store.get(key.kind, &key.object) else { return Plan::default() };
    let created: Vec<Outcome> = outcomes.iter().filter(|o| o.created).cloned().collect();
    Plan::of(creation_events(job, &created, NAME, now))
}

/// Whether a Job has ended, well or not.
pub(super) fn is_finished(job: &Object) -> bool {
    let conditions = Conditions::of(job.status());
    conditions.is_true("Complete") || conditions.is_true("Failed")
}

fn sync(store: &Store, key: &Key, now: SimTime) -> Plan {
    let Some(job) = store.get(key.kind, &key.object) else { return Plan::default() };
    if is_finished(job) {
        return expire(job, now);
    }
    if job.meta.is_terminating() {
        return Plan::default();
    }
    Sync::new(store, job, now).run()
}

/// Models ttlafterfinished_controller.go.
fn expire(job: &Arc<Object>, now: SimTime) -> Plan {
    let Some(seconds) = job.spec().int_at(&["ttlSecondsAfterFinished"]) else {
        return Plan::default();
    };
    let conditions = Conditions::of(job.status());
    let condition = conditions.get("Complete").or_else(|| conditions.get("Failed"));
    let ended = condition.and_then(|c| c.str_at(&["lastTransitionTime"]));
    let Some(ended) = ended.and_then(SimTime::parse_rfc3339) else { return Plan::default() };
    let due = ended + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    if due > now {
        return Plan { writes: Vec::new(), requeue_after: Some(due.since(now)) };
    }
    Plan::of(vec![Write::delete(job)])
}

/// One look at a Job that has not ended.
struct Sync<'a> {
    job: &'a Arc<Object>,
    now: SimTime,
    pods: Vec<Arc<Object>>,
    status: Value,
    conditions: Conditions,
    writes: Vec<Write>,
}

impl<'a> Sync<'a> {
    fn new(store: &'a Store, job: &'a Arc<Object>, now: SimTime) -> Self {
        let owned = store.owned_by(job.meta.uid).filter(|object| object.kind == Kind::Pod);
        Sync {
            job,
            now,
            pods: owned.cloned().collect(),
            status: job.status().clone(),
            conditions: Conditions::of(job.status()),
            writes: Vec::new(),
        }
    }

    fn number(&self, key: &str) -> i64 {
        self.status.int_at(&[key]).unwrap_or_default()
    }

    fn is_indexed(&self) -> bool {
        self.job.spec().str_at(&["completionMode"]) == Some("Indexed")
    }

    fn is_suspended(&self) -> bool {
        self.job.spec().bool_at(&["suspend"]).unwrap_or_default()
    }

    fn run(mut self) -> Plan {
        if self.status.get("startTime").is_none() && !self.is_suspended() {
            self.status.put(&["startTime"], self.now.rfc3339());
        }
        self.count_ended();
        let active: Vec<Arc<Object>> =
            self.pods.iter().filter(|pod| is_active(pod)).cloned().collect();
        let target = self.conditions.get("FailureTarget").map(|condition| {
            let text = |key| condition.str_at(&[key]).unwrap_or_default().to_owned();
            (text("reason"), text("message"))
        });
        let failure = target.or_else(|| self.failure());
        let mut requeue = None;
        let mut remaining = active.len();
        let mut created = 0;
        if let Some((reason, message)) = &failure {
            let why = (reason.as_str(), message.as_str());
            self.set_condition("FailureTarget", why);
            self.delete_all(&active);
            remaining = 0;
        } else if self.is_complete(active.len()) {
            let why = ("CompletionsReached", "Reached expected number of succeeded pods");
            self.set_condition("SuccessCriteriaMet", why);
            self.delete_all(&active);
            remaining = 0;
        } else if self.is_suspended() {
            self.suspend(&active);
            remaining = 0;
        } else {
            self.resume();
            (created, requeue) = self.scale(&active);
            remaining = (remaining + created).saturating_sub(self.deleted_now());
        }
        let ending =
            self.pods.iter().filter(|p| p.meta.is_terminating() && !phase(p).is_terminal());
        let ending = ending.count() + self.deleted_now();
        self.finish(failure, ending);
        let ready = match self.deleted_now() {
            0 => active.iter().filter(|pod| is_ready(pod)).count(),
            _ => 0,
        };
        self.note("active", remaining);
        self.status.put(&["ready"], json!(ready));
        self.status.put(&["terminating"], json!(ending));
        let _ = created;
        requeue = requeue.into_iter().chain(self.deadline_left()).min();
        self.into_plan(requeue)
    }

    fn deleted_now(&self) -> usize {
        self.writes.iter().filter(|write| matches!(write, Write::Delete { .. })).count()
    }

    fn note(&mut self, key: &str, count: usize) {
        match count {
            0 => drop(self.status.remove(&[key])),
            _ => self.status.put(&[key], json!(count)),
        }
    }

    /// Counts the pods that have ended, each once: the finalizer says whether it was counted.
    ///
    /// Models job_controller.go trackJobStatusAndRemoveFinalizers.
    fn count_ended(&mut self) {
        let (mut succeeded, mut failed) = (self.number("succeeded"), self.number("failed"));
        let mut indexes = parse_indexes(self.status.str_at(&["completedIndexes"]).unwrap_or(""));
        for pod in self.pods.clone() {
            let tracked = pod.meta.finalizers.iter().any(|finalizer| &**finalizer == TRACKING);
            let ended = match phase(&pod) {
                Phase::Succeeded => true,
                Phase::Failed => false,
                _ => continue,
            };
            if !tracked {
                continue;
            }
            match ended {
                true if self.is_indexed() => {
                    if let Some(index) = index_of(&pod)
                        && indexes.insert(index)
                    {
                        succeeded += 1;
                    }
                }
                true => succeeded += 1,
                false => failed += 1,
            }
            let mut new = (*pod).clone();
            let others = new.meta.finalizers.iter().filter(|finalizer| &***finalizer != TRACKING);
            new.meta.finalizers = others.cloned().collect();
            self.writes.push(Write::Update(Box::new(new)));
        }
        for (key, count) in [("succeeded", succeeded), ("failed", failed)] {
            if count != 0 {
                self.status.put(&[key], count);
            }
        }
        if self.is_indexed() && !indexes.is_empty() {
            self.status.put(&["completedIndexes"], format_indexes(&indexes));
        }
        self.status.put(&["uncountedTerminatedPods"], json!({}));
    }

    /// Why the Job has failed, if it has.
    fn failure(&self) -> Option<(String, String)> {
        let limit = spec_int(self.job, &["backoffLimit"], 6);
        let restarts = || {
            let statuses = self.pods.iter().filter_map(|pod| pod.pod());
            let statuses = statuses.flat_map(|pod| &pod.status.containers);
            statuses.map(|status| i64::from(status.restart_count)).sum::<i64>()
        };
        let on_failure = self
            .job
            .pod_template()
            .is_some_and(|template| template.spec.restart_policy == RestartPolicy::OnFailure);
        let past_restarts = on_failure && restarts() > 0 && restarts() >= limit.max(1);
        if self.number("failed") > limit || past_restarts {
            return Some((
                "BackoffLimitExceeded".to_owned(),
                "Job has reached the specified backoff limit".to_owned(),
            ));
        }
        let passed = self.deadline().is_some_and(|deadline| deadline <= self.now);
        (passed && !self.is_suspended()).then(|| {
            (
                "DeadlineExceeded".to_owned(),
                "Job was active longer than specified deadline".to_owned(),
            )
        })
    }

    fn deadline(&self) -> Option<SimTime> {
        let seconds = self.job.spec().int_at(&["activeDeadlineSeconds"])?;
        let start = SimTime::parse_rfc3339(self.status.str_at(&["startTime"])?)?;
        Some(start + Duration::from_secs(u64::try_from(seconds).ok()?))
    }

    fn deadline_left(&self) -> Option<Duration> {
        let deadline = self.deadline().filter(|_| !self.is_suspended())?;
        (deadline > self.now).then(|| deadline.since(self.now))
    }

    fn is_complete(&self, active: usize) -> bool {
        match self.job.spec().int_at(&["completions"]) {
            Some(completions) => self.number("succeeded") >= completions,
            None => self.number("succeeded") > 0 && active == 0,
        }
    }

    fn set_condition(&mut self, name: &str, why: (&str, &str)) {
        if self.conditions.get(name).is_none() {
            self.conditions.set(name, "True", why, self.now);
        }
    }

    fn delete_all(&mut self, pods: &[Arc<Object>]) {
        for pod in pods {
            self.writes.push(Write::delete(pod));
            self.writes.push(deletion_event(self.job, pod, NAME, self.now));
        }
    }

    fn suspend(&mut self, active: &[Arc<Object>]) {
        self.delete_all(active);
        if !self.conditions.is_true("Suspended") {
            self.conditions.set("Suspended", "True", ("JobSuspended", "Job suspended"), self.now);
            self.event(false, "Suspended", "Job suspended");
        }
        self.status.remove(&["startTime"]);
    }

    fn resume(&mut self) {
        if self.conditions.is_true("Suspended") {
            self.conditions.set("Suspended", "False", ("JobResumed", "Job resumed"), self.now);
            self.status.put(&["startTime"], self.now.rfc3339());
            self.event(false, "Resumed", "Job resumed");
        }
    }

    fn event(&mut self, warning: bool, reason: &str, message: &str) {
        let about = self.job.reference();
        self.writes.push(Write::event(about, warning, reason, message, NAME, self.now));
    }

    /// Creates or deletes pods; says how many it creates, and when to look again.
    ///
    /// Models job_controller.go manageJob.
    fn scale(&mut self, active: &[Arc<Object>]) -> (usize, Option<Duration>) {
        let parallelism = spec_int(self.job, &["parallelism"], 1);
        let completions = self.job.spec().int_at(&["completions"]);
        let succeeded = self.number("succeeded");
        let count = i64::try_from(active.len()).unwrap_or(i64::MAX);
        let wanted = match completions {
            Some(completions) => parallelism.min(completions - succeeded),
            None if succeeded > 0 => count,
            None => parallelism,
        };
        let ending =
            self.pods.iter().filter(|p| p.meta.is_terminating() && !phase(p).is_terminal());
        let ending = i64::try_from(ending.count()).unwrap_or_default();
        if count > wanted {
            let excess = usize::try_from(count - wanted).unwrap_or_default();
            let doomed: Vec<_> = active.iter().take(excess).cloned().collect();
            self.delete_all(&doomed);
            return (0, None);
        }
        // A pod on its way out still counts until it has ended.
        let missing = usize::try_from(wanted - count - ending).unwrap_or_default();
        if missing == 0 {
            return (0, None);
        }
        if let Some(left) = self.back_off_left() {
            return (0, Some(left));
        }
        let Some(template) = self.job.pod_template() else { return (0, None) };
        let pods: Vec<Object> = match self.is_indexed() {
            true => self
                .free_indexes(active, completions.unwrap_or(parallelism))
                .take(missing)
                .map(|index| self.indexed_pod(template, index))
                .collect(),
            false => vec![tracked(pod_of_template(self.job, template)); missing],
        };
        let created = pods.len();
        if created > 0 {
            self.writes.push(Write::CreateBatch(pods));
        }
        (created, None)
    }

    /// After a failure the next pod waits, twice as long each time.
    ///
    /// Models backoff_utils.go.
    fn back_off_left(&self) -> Option<Duration> {
        let mut ends: Vec<(SimTime, bool)> = self
            .pods
            .iter()
            .filter_map(|pod| Some((ended_at(pod)?, phase(pod) == Phase::Succeeded)))
            .collect();
        order::sort(&mut ends);
        let failures = ends.iter().rev().take_while(|(_, succeeded)| !succeeded).count();
        let (last, _) = ends.last().filter(|_| failures > 0)?;
        let doublings = u32::try_from(failures - 1).unwrap_or(u32::MAX).min(10);
        let wait = (FIRST_BACK_OFF * (1 << doublings)).min(MOST_BACK_OFF);
        let due = *last + wait;
        (due > self.now).then(|| due.since(self.now))
    }

    fn free_indexes(
        &self,
        active: &[Arc<Object>],
        completions: i64,
    ) -> impl Iterator<Item = i64> + use<> {
        let mut taken = parse_indexes(self.status.str_at(&["completedIndexes"]).unwrap_or(""));
        taken.extend(active.iter().filter_map(|pod| index_of(pod)));
        (0..completions).filter(move |index| !taken.contains(index))
    }

    /// Models indexed_job_utils.go and job_controller.go addCompletionIndexEnvVariables.
    fn indexed_pod(&self, template: &PodTemplate, index: i64) -> Object {
        let mut tree = template.spec.tree.clone();
        tree.put(&["hostname"], format!("{}-{index}", self.job.meta.name));
        let variable = json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {
            "apiVersion": "v1", "fieldPath": format!("metadata.labels['{INDEX}']"),
        }}});
        for list in ["initContainers", "containers"] {
            let containers = tree.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                let mut variables = container.items_at(&["env"]).to_vec();
                variables.push(variable.clone());
                container.put(&["env"], variables);
            }
        }
        let spec = Arc::new(PodSpec::from_value(tree));
        let mut pod = pod_of_template(self.job, &PodTemplate { spec, ..template.clone() });
        pod.meta.generate_name = format!("{}-{index}-", self.job.meta.name).into();
        pod.meta.labels.set(INDEX, &index.to_string());
        pod.meta.annotations.set(INDEX, &index.to_string());
        tracked(pod)
    }

    fn finish(&mut self, failure: Option<(String, String)>, ending: usize) {
        if ending > 0 {
            return;
        }
        if let Some((reason, message)) = failure {
            self.conditions.set("Failed", "True", (&reason, &message), self.now);
            self.event(true, &reason, &message);
        } else if self.conditions.is_true("SuccessCriteriaMet") {
            let why = ("CompletionsReached", "Reached expected number of succeeded pods");
            self.conditions.set("Complete", "True", why, self.now);
            self.status.put(&["completionTime"], self.now.rfc3339());
            self.event(false, "Completed", "Job completed");
        }
    }

    fn into_plan(mut self, requeue: Option<Duration>) -> Plan {
        if let Some(conditions) = self.conditions.into_value() {
            let mut conditions = conditions;
            for condition in conditions.as_array_mut().into_iter().flatten() {
                if let Some(time) = condition.remove(&["lastUpdateTime"]) {
                    condition.put(&["lastProbeTime"], time);
                }
            }
            self.status.put(&["conditions"], conditions);
        }
        if self.status != *self.job.status() {
            let mut new = (**self.job).clone();
            new.set_status(self.status);
            self.writes.push(Write::UpdateStatus(Box::new(new)));
        }
        Plan { writes: self.writes, requeue_after: requeue }
    }
}

fn tracked(mut pod: Object) -> Object {
    pod.meta.finalizers =
        pod.meta.finalizers.iter().cloned().chain([Arc::from(TRACKING)]).collect();
    pod
}

fn index_of(pod: &Object) -> Option<i64> {
    pod.meta.annotations.get(INDEX)?.parse().ok()
}

fn ended_at(pod: &Object) -> Option<SimTime> {
    let facts = pod.pod().filter(|pod| pod.status.phase.is_terminal())?;
    let ends = facts.status.containers.iter().filter_map(|status| match status.state {
        ContainerState::Terminated { finished_at, .. } => Some(finished_at),
        _ => None,
    });
    Some(ends.max().unwrap_or(pod.meta.creation_timestamp))
}

/// `0-2,5` as numbers.
fn parse_indexes(text: &str) -> BTreeSet<i64> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts
        .flat_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.parse::<i64>().unwrap_or(-1);
            number(first)..=number(last)
        })
        .filter(|index| *index >= 0)
        .collect()
}

/// Numbers as `0-2,5`.
fn format_indexes(indexes: &BTreeSet<i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => ranges.push((*index, *index)),
        }
    }
    let text = |(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completed_indexes_are_written_as_ranges() {
        for text in ["", "0", "0,1", "0-2", "0-2,5", "1,3,5-9"] {
            assert_eq!(format_indexes(&parse_indexes(text)), text);
        }
    }
}
