//! Counting the pods of a Job that have ended, and ending the Job.
//!
//! Models job_controller.go trackJobStatusAndRemoveFinalizers.

use super::super::pod_control::{is_active, is_ready, phase};
use super::pods::Need;
use super::{NAME, Sync, Verdict, is_tracked, untrack};
use crate::api::pod::Phase;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Key, Outcome, Store, Write};
use serde_json::json;
use std::sync::Arc;

/// One look counts no more pods than this, so that the Job's status stays small.
const MOST_UNCOUNTED: usize = 500;

/// The pods that are counted in this look.
#[derive(Default)]
struct Counted {
    /// Those that lose their finalizer.
    free: Vec<Arc<Object>>,
    succeeded: Vec<String>,
    failed: Vec<String>,
    /// Whether more are left for the next look.
    is_full: bool,
}

impl Sync<'_> {
    /// Writes the status: first which pods are about to be counted, then, once they have lost their
    /// finalizers, the new counts and perhaps the end of the Job.
    pub(super) fn track(&mut self, store: &Store, outcomes: &[Outcome]) {
        let deleted = outcomes.iter().filter(|o| !o.created).filter_map(|o| o.result.as_ref().ok());
        let deleted = deleted.filter(|object| object.meta.is_terminating()).count();
        let ending = self.ending().count() + deleted;
        self.note_pods(store, ending);
        self.sort_pods();
        let counted = self.count();
        let ready_to_end = ending == 0 && !counted.is_full;
        let uncounted: Vec<(&str, &[String])> =
            [("failed", &*counted.failed), ("succeeded", &*counted.succeeded)]
                .into_iter()
                .filter(|(_, uids)| !uids.is_empty())
                .collect();
        self.status.put(&["uncountedTerminatedPods"], json!({}));
        for (key, uids) in uncounted {
            self.status.put(&["uncountedTerminatedPods", key], json!(uids));
        }
        self.note_indexes();
        self.note_interim();
        self.write_status();
        let note = self.back_off.note();
        let key = Key::of(self.job);
        if store.note(NAME, &key) != note {
            self.writes.push(Write::Note { writer: NAME, key, note });
        }
        self.writes.extend(counted.free.iter().map(|pod| untrack(pod)));
        self.status.put(&["uncountedTerminatedPods"], json!({}));
        self.add("failed", counted.failed.len());
        self.add("succeeded", counted.succeeded.len());
        match self.verdict.clone().filter(|_| ready_to_end) {
            Some(verdict) => self.end(&verdict),
            None => self.write_status(),
        }
    }

    /// What the status says of the pods that there are now.
    fn note_pods(&mut self, store: &Store, ending: usize) {
        let owned = store.owned_by(self.job.meta.uid).filter(|object| object.kind == Kind::Pod);
        let active: Vec<&Arc<Object>> = owned.filter(|pod| is_active(pod)).collect();
        let waits = self.verdict.is_none() && matches!(self.need(), Need::Wait(_));
        // While it waits with new pods upstream counts none of the old ones either.
        let count = if waits { 0 } else { active.len() };
        let ready = active.iter().filter(|pod| is_ready(pod)).count();
        if self.verdict.is_none() {
            self.evaluate_completions(count);
        }
        match count {
            0 => drop(self.status.remove(&["active"])),
            _ => self.status.put(&["active"], json!(count)),
        }
        self.status.put(&["ready"], json!(ready));
        self.status.put(&["terminating"], json!(ending));
    }

    /// Whether enough pods have succeeded; if not, whether the Job is suspended.
    fn evaluate_completions(&mut self, active: usize) {
        let enough = match self.completions() {
            Some(completions) => self.succeeded >= completions,
            None => self.succeeded > 0,
        };
        if enough && active == 0 {
            self.verdict = Some(Verdict {
                succeeded: true,
                reason: "CompletionsReached",
                message: "Reached expected number of succeeded pods".to_owned(),
                is_noted: false,
            });
        } else if !self.job.meta.is_terminating() {
            self.note_suspension();
        }
    }

    fn note_suspension(&mut self) {
        let (status, reason, message) = match self.is_suspended() {
            true => ("True", "JobSuspended", "Job suspended"),
            false => ("False", "JobResumed", "Job resumed"),
        };
        if !ensure(&mut self.conditions, "Suspended", status, (reason, message), self.now) {
            return;
        }
        if self.is_suspended() {
            self.event(false, "Suspended", message);
            self.status.remove(&["startTime"]);
        } else {
            self.event(false, "Resumed", message);
            self.status.put(&["startTime"], self.now.rfc3339());
        }
    }

    fn event(&mut self, warning: bool, reason: &str, message: &str) {
        let about = self.job.reference();
        self.writes.push(Write::event(about, warning, reason, message, NAME, self.now));
    }

    fn count(&self) -> Counted {
        let mut counted = Counted::default();
        let last = self.last_failures();
        let fails = self.verdict.as_ref().is_some_and(|verdict| !verdict.succeeded);
        for pod in self.pods.iter().filter(|pod| is_tracked(pod)) {
            let succeeded = phase(pod) == Phase::Succeeded;
            let failed = self.has_failed(pod);
            let index = self.valid_index(pod);
            let is_last = index
                .and_then(|index| last.get(&index))
                .is_some_and(|last| last.meta.uid == pod.meta.uid);
            // Models canRemoveFinalizer: the last failure of an index waits for its successor.
            let all_end = self.job.meta.is_terminating() || self.verdict.is_some();
            if !(all_end || succeeded || failed && !is_last) {
                continue;
            }
            counted.free.push(pod.clone());
            let uid = pod.meta.uid.to_string();
            let belongs = !self.is_indexed() || index.is_some();
            if succeeded {
                // Of indexes the indexes themselves are counted.
                counted.succeeded.extend((!self.is_indexed()).then_some(uid));
            } else if (failed || fails) && belongs && self.failure_counts(pod) {
                counted.failed.push(uid);
            }
            if counted.succeeded.len() + counted.failed.len() >= MOST_UNCOUNTED {
                counted.is_full = true;
                break;
            }
        }
        counted
    }

    fn note_indexes(&mut self) {
        if !self.is_indexed() {
            return;
        }
        for (key, text) in [
            ("completedIndexes", Some(&self.done)),
            ("failedIndexes", self.failed_indexes.as_ref()),
        ] {
            let text = text.map(ToString::to_string);
            match text.filter(|text| !text.is_empty() || key == "failedIndexes") {
                Some(text) => self.status.put(&[key], text),
                None => drop(self.status.remove(&[key])),
            }
        }
        match self.succeeded {
            0 => drop(self.status.remove(&["succeeded"])),
            count => self.status.put(&["succeeded"], count),
        }
    }

    fn note_interim(&mut self) {
        if let Some(verdict) = self.verdict.as_ref().filter(|verdict| !verdict.is_noted) {
            let name = if verdict.succeeded { "SuccessCriteriaMet" } else { "FailureTarget" };
            let why = (verdict.reason, &*verdict.message);
            self.conditions.push(condition(name, "True", why, self.now));
        }
    }

    fn add(&mut self, key: &str, count: usize) {
        if count > 0 {
            let sum = self.number(key) + i64::try_from(count).unwrap_or_default();
            self.status.put(&[key], sum);
        }
    }

    /// Models enactJobFinished, recordJobFinished.
    fn end(&mut self, verdict: &Verdict) {
        let name = if verdict.succeeded { "Complete" } else { "Failed" };
        let why = (verdict.reason, &*verdict.message);
        ensure(&mut self.conditions, name, "True", why, self.now);
        if !verdict.succeeded {
            self.write_status();
            self.event(true, verdict.reason, &verdict.message);
            return;
        }
        self.status.put(&["completionTime"], self.now.rfc3339());
        self.write_status();
        if self.completions().is_some_and(|completions| self.number("succeeded") > completions) {
            let message = "Too many succeeded pods running after completion count reached";
            self.event(true, "TooManySucceededPods", message);
        }
        self.event(false, "Completed", "Job completed");
    }

    fn write_status(&mut self) {
        if !self.conditions.is_empty() {
            self.status.put(&["conditions"], self.conditions.clone());
        }
        let mut new = (**self.job).clone();
        new.set_status(self.status.clone());
        self.writes.push(Write::UpdateStatus(Box::new(new)));
    }
}

fn condition(name: &str, status: &str, (reason, message): (&str, &str), now: SimTime) -> Value {
    json!({
        "type": name, "status": status, "reason": reason, "message": message,
        "lastProbeTime": now.rfc3339(), "lastTransitionTime": now.rfc3339(),
    })
}

/// Sets a condition where it stands; one that would begin as False is left out. Says whether that
/// changed anything.
///
/// Models job_controller.go ensureJobConditionStatus.
fn ensure(
    conditions: &mut Vec<Value>,
    name: &str,
    status: &str,
    why: (&str, &str),
    now: SimTime,
) -> bool {
    let text = |condition: &Value, key: &str| condition.str_at(&[key]).map(str::to_owned);
    let old = conditions.iter_mut().find(|c| text(c, "type").as_deref() == Some(name));
    let Some(old) = old else {
        if status != "False" {
            conditions.push(condition(name, status, why, now));
        }
        return status != "False";
    };
    let wanted = [("status", status), ("reason", why.0), ("message", why.1)];
    let same = wanted.iter().all(|(key, value)| text(old, key).as_deref() == Some(*value));
    if !same {
        *old = condition(name, status, why, now);
    }
    !same
}
