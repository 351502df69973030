//! The status of a Deployment: counts, and whether the update gets on.
//!
//! Models pkg/controller/deployment/progress.go and sync.go calculateStatus.

use super::super::conditions::Conditions;
use super::rollout::{Rollout, count, size};
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::base::SimTime;
use crate::store::Plan;
use core::time::Duration;
use serde_json::json;

impl Rollout<'_> {
    /// Models sync.go checkPausedConditions.
    pub(super) fn note_pause(&mut self) {
        let reason = self.conditions.reason("Progressing");
        if !self.has_deadline() || reason == Some("ProgressDeadlineExceeded") {
            return;
        }
        let paused = self.deployment.spec().bool_at(&["paused"]).unwrap_or_default();
        let noted = reason == Some("DeploymentPaused");
        let why = match (paused, noted) {
            (true, false) => ("DeploymentPaused", "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return,
        };
        self.conditions.set("Progressing", "Unknown", why, self.now);
    }

    fn counts(&self) -> Value {
        let sum = |key: &str| self.sets.iter().map(|set| count(set, key)).sum::<i64>();
        let available = sum("availableReplicas");
        let total: i64 = self.sets.iter().map(size).sum();
        let updated = self.new_set().map_or(0, |set| count(set, "replicas"));
        let mut status = json!({"observedGeneration": self.deployment.meta.generation});
        let counts = [
            ("replicas", sum("replicas")),
            ("updatedReplicas", updated),
            ("readyReplicas", sum("readyReplicas")),
            ("availableReplicas", available),
            ("unavailableReplicas", (total - available).max(0)),
        ];
        for (key, number) in counts.into_iter().filter(|(_, number)| *number != 0) {
            status.put(&[key], number);
        }
        let known = self.sets.iter().any(|s| s.status().get("terminatingReplicas").is_some());
        if known {
            status.put(&["terminatingReplicas"], sum("terminatingReplicas"));
        }
        if let Some(collisions) = self.deployment.status().get("collisionCount") {
            status.put(&["collisionCount"], collisions.clone());
        }
        status
    }

    fn note_availability(&mut self, status: &Value) {
        let available = status.int_at(&["availableReplicas"]).unwrap_or_default();
        let (status, why) = match available >= self.replicas() - self.max_unavailable() {
            true => ("True", ("MinimumReplicasAvailable", "Deployment has minimum availability.")),
            false => (
                "False",
                ("MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
            ),
        };
        self.conditions.set("Available", status, why, self.now);
    }

    /// Ends a look that changed no template: counts and availability only.
    pub(super) fn finish_status(mut self) -> Plan {
        if self.new_set.is_none() {
            self.find_new_set(false);
        }
        let mut status = self.counts();
        self.note_availability(&status);
        if let Some(conditions) = self.conditions.clone().into_value() {
            status.put(&["conditions"], conditions);
        }
        self.into_plan(status, None)
    }

    /// Ends a step of an update: counts, availability and progress.
    ///
    /// Models progress.go syncRolloutStatus.
    pub(super) fn finish(mut self) -> Plan {
        let mut status = self.counts();
        self.note_availability(&status);
        let complete = self.is_complete(&status);
        let number = |status: &Value, key: &str| status.int_at(&[key]).unwrap_or_default();
        let all_updated = number(&status, "replicas") == number(&status, "updatedReplicas");
        let was_complete =
            all_updated && self.conditions.reason("Progressing") == Some("NewReplicaSetAvailable");
        if !self.has_deadline() {
            self.conditions.remove("Progressing");
        } else if !was_complete {
            self.note_progress(&status, complete);
        }
        self.note_failures();
        let requeue = self.deadline_left(complete);
        if let Some(conditions) = self.conditions.clone().into_value() {
            status.put(&["conditions"], conditions);
        }
        self.into_plan(status, requeue)
    }

    fn note_progress(&mut self, status: &Value, complete: bool) {
        let subject = match self.new_set() {
            Some(set) => format!("ReplicaSet \"{}\"", set.meta.name),
            None => format!("Deployment \"{}\"", self.deployment.meta.name),
        };
        if complete {
            let message = format!("{subject} has successfully progressed.");
            let why = ("NewReplicaSetAvailable", message.as_str());
            self.conditions.set("Progressing", "True", why, self.now);
        } else if self.has_progressed(status) {
            let message = format!("{subject} is progressing.");
            let why = ("ReplicaSetUpdated", message.as_str());
            self.conditions.force("Progressing", "True", why, self.now);
        } else if self.is_timed_out() {
            let message = format!("{subject} has timed out progressing.");
            let why = ("ProgressDeadlineExceeded", message.as_str());
            self.conditions.set("Progressing", "False", why, self.now);
        }
    }

    /// Models deployment_util.go DeploymentProgressing.
    fn has_progressed(&self, new: &Value) -> bool {
        let old = self.stored.status();
        let number = |status: &Value, key: &str| status.int_at(&[key]).unwrap_or_default();
        let old_pods = |s: &Value| number(s, "replicas") - number(s, "updatedReplicas");
        let grew = |key: &str| number(new, key) > number(old, key);
        grew("updatedReplicas")
            || old_pods(new) < old_pods(old)
            || grew("readyReplicas")
            || grew("availableReplicas")
    }

    fn deadline(&self) -> Option<SimTime> {
        let condition = self.conditions.get("Progressing")?;
        let reason = condition.str_at(&["reason"]);
        if matches!(reason, Some("NewReplicaSetAvailable" | "ProgressDeadlineExceeded")) {
            return None;
        }
        let from = SimTime::parse_rfc3339(condition.str_at(&["lastUpdateTime"])?)?;
        let seconds = self.deployment.spec().int_at(&["progressDeadlineSeconds"])?;
        Some(from + Duration::from_secs(u64::try_from(seconds).ok()?))
    }

    fn is_timed_out(&self) -> bool {
        self.conditions.reason("Progressing") == Some("ProgressDeadlineExceeded")
            || self.deadline().is_some_and(|deadline| deadline < self.now)
    }

    /// How long until the update counts as stuck. Models progress.go requeueStuckDeployment.
    fn deadline_left(&self, complete: bool) -> Option<Duration> {
        let deadline = self.deadline().filter(|_| self.has_deadline() && !complete)?;
        Some(deadline.since(self.now) + Duration::from_secs(1))
    }

    fn note_failures(&mut self) {
        let of =
            |set: &crate::api::Object| Conditions::of(set.status()).get("ReplicaFailure").cloned();
        let failure = self.new_set().and_then(of).or_else(|| self.old_sets().find_map(of));
        match failure {
            Some(failure) => {
                let text = |key: &str| failure.str_at(&[key]).unwrap_or_default();
                let (reason, message) = (text("reason"), text("message"));
                let status = text("status");
                self.conditions.set("ReplicaFailure", status, (reason, message), self.now);
            }
            None => self.conditions.remove("ReplicaFailure"),
        }
    }

    /// Models deployment_util.go DeploymentComplete.
    fn is_complete(&self, status: &Value) -> bool {
        let wanted = self.replicas();
        let number = |key: &str| status.int_at(&[key]).unwrap_or_default();
        number("updatedReplicas") == wanted
            && number("replicas") == wanted
            && number("availableReplicas") == wanted
            && number("observedGeneration") >= self.deployment.meta.generation
    }

    pub(super) fn clean_up_if_complete(&mut self) {
        if self.is_complete(self.stored.status()) {
            self.clean_up();
        }
    }
}
