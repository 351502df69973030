//! Making and removing the pods of a Job.
//!
//! Models job_controller.go manageJob.

use super::super::pod_control::{
    deletion_event, in_deletion_order, is_active, phase, pod_of_template, spec_int,
};
use super::back_off::{finished_at, left};
use super::indexes::{INDEX, index_of};
use super::{BATCH_PERIOD, NAME, Sync, TRACKING, is_tracked, untrack};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Object, PodSpec, PodTemplate, Value};
use crate::base::order;
use crate::store::Write;
use core::time::Duration;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often the pods of an index failed before this one, and how often that did not count.
const INDEX_FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
/// One look makes or removes no more pods than this.
const MOST_AT_ONCE: usize = 500;
/// Names are cut so that a suffix of five characters fits into 63.
const LONGEST_PREFIX: usize = 58;

/// What is to be done about a Job's pods.
pub(super) enum Need {
    Nothing,
    /// These go, without being counted if they lose their finalizer first.
    Remove {
        pods: Vec<Arc<Object>>,
        untracked: bool,
    },
    /// So many are missing.
    Create(usize),
    /// Pods for these indexes are missing.
    CreateIndexes(Vec<i64>),
    /// Pods are missing, but not before so long.
    Wait(Duration),
}

impl Sync<'_> {
    /// Its pods that have not ended and are not on their way out.
    pub(super) fn active(&self) -> Vec<Arc<Object>> {
        self.pods.iter().filter(|pod| is_active(pod)).cloned().collect()
    }

    /// Its pods that are on their way out.
    pub(super) fn ending(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.pods.iter().filter(|pod| pod.meta.is_terminating() && !phase(pod).is_terminal())
    }

    /// Writes what the pods need.
    pub(super) fn manage(&mut self) {
        match self.need() {
            Need::Nothing => {}
            Need::Wait(left) => self.wait = Some(left.max(BATCH_PERIOD)),
            Need::Remove { pods, untracked } => {
                for pod in pods {
                    if untracked && is_tracked(&pod) {
                        self.writes.push(untrack(&pod));
                    }
                    self.writes.push(Write::delete(&pod));
                    self.writes.push(deletion_event(self.job, &pod, NAME, self.now));
                }
            }
            Need::Create(count) => {
                let pod = self.job.pod_template().map(|t| tracked(pod_of_template(self.job, t)));
                self.writes.extend(pod.map(|pod| Write::CreateBatch(vec![pod; count])));
            }
            Need::CreateIndexes(indexes) => {
                let Some(template) = self.job.pod_template() else { return };
                let last = self.last_failures();
                let pods = indexes.iter().map(|index| self.indexed_pod(template, *index, &last));
                let pods = pods.collect();
                self.writes.push(Write::CreateBatch(pods));
            }
        }
    }

    pub(super) fn need_of_pods(&self) -> Need {
        let active = self.active();
        let count = i64::try_from(active.len()).unwrap_or(i64::MAX);
        if self.is_suspended() {
            return Need::Remove { pods: active, untracked: true };
        }
        let parallelism = spec_int(self.job, &["parallelism"], 1);
        let wanted = match self.completions() {
            Some(completions) => parallelism.min(completions - self.succeeded).max(0),
            None if self.succeeded > 0 => count,
            None => parallelism,
        };
        let excess = usize::try_from(count - wanted).unwrap_or_default();
        let doomed = self.doomed(active, excess);
        if !doomed.is_empty() {
            return Need::Remove { pods: doomed, untracked: true };
        }
        let ending = if self.only_replaces_failed() { self.ending().count() } else { 0 };
        let ending = i64::try_from(ending).unwrap_or(i64::MAX);
        let missing = usize::try_from(wanted - count - ending).unwrap_or_default();
        match missing.min(MOST_AT_ONCE) {
            0 => Need::Nothing,
            missing => self.creation(missing),
        }
    }

    /// Which active pods are too many: those whose index another has, those without one, then those
    /// that matter least.
    ///
    /// Models activePodsForRemoval.
    fn doomed(&self, active: Vec<Arc<Object>>, excess: usize) -> Vec<Arc<Object>> {
        let mut doomed = Vec::new();
        let mut rest = active;
        if self.is_indexed() {
            // The pod of an index that matters most stays.
            let order = in_deletion_order(rest, &[], self.now);
            let mut kept: BTreeMap<i64, Arc<Object>> = BTreeMap::new();
            for pod in order {
                match self.valid_index(&pod) {
                    None => doomed.push(pod),
                    Some(index) => doomed.extend(kept.insert(index, pod)),
                }
            }
            rest = kept.into_values().collect();
        }
        let more = excess.saturating_sub(doomed.len());
        if more > 0 {
            doomed.extend(in_deletion_order(rest, &[], self.now).into_iter().take(more));
        }
        doomed.truncate(MOST_AT_ONCE);
        doomed
    }

    fn creation(&self, missing: usize) -> Need {
        let per_index = self.limit_per_index().is_some();
        if let Some(left) = self.back_off.left(self.now).filter(|_| !per_index) {
            return Need::Wait(left);
        }
        if !self.is_indexed() {
            return Need::Create(missing);
        }
        let pending = self.pending_indexes(missing);
        if !per_index {
            return Need::CreateIndexes(pending);
        }
        self.ready_indexes(pending)
    }

    /// The first indexes without a pod that have neither succeeded nor failed.
    ///
    /// Models firstPendingIndexes.
    fn pending_indexes(&self, count: usize) -> Vec<i64> {
        let mut taken: Vec<i64> = self.active().iter().filter_map(|pod| index_of(pod)).collect();
        if self.only_replaces_failed() {
            taken.extend(self.ending().filter_map(|pod| index_of(pod)));
        }
        let has_failed =
            |index| self.failed_indexes.as_ref().is_some_and(|failed| failed.has(index));
        (0..self.completions().unwrap_or_default())
            .filter(|index| !self.done.has(*index) && !has_failed(*index) && !taken.contains(index))
            .take(count)
            .collect()
    }

    /// The indexes whose own back-off is over, or how long the shortest lasts.
    ///
    /// Models getPodCreationInfoForIndependentIndexes.
    fn ready_indexes(&self, pending: Vec<i64>) -> Need {
        let last = self.last_failures();
        let wait = |index: &i64| {
            let pod = last.get(index)?;
            let failures = u32::try_from(all_failures_of_index(pod) + 1).unwrap_or(u32::MAX);
            left(failures, finished_at(pod), self.now)
        };
        let (ready, waiting): (Vec<i64>, Vec<i64>) =
            pending.into_iter().partition(|index| wait(index).is_none());
        match waiting.iter().filter_map(wait).min() {
            Some(shortest) if ready.is_empty() => Need::Wait(shortest),
            _ if ready.is_empty() => Need::Nothing,
            _ => Need::CreateIndexes(ready),
        }
    }

    /// The failed pods that wait for their successors, which take over the count of failures: the
    /// last of each index that is not over.
    ///
    /// Models getPodsWithDelayedDeletionPerIndex.
    pub(super) fn last_failures(&self) -> BTreeMap<i64, Arc<Object>> {
        let mut last: BTreeMap<i64, Arc<Object>> = BTreeMap::new();
        let Some(failed) = self.failed_indexes.as_ref() else { return last };
        let active: Vec<i64> = self.active().iter().filter_map(|pod| index_of(pod)).collect();
        for pod in self.uncounted().filter(|pod| self.has_failed(pod)) {
            let Some(index) = index_of(pod) else { continue };
            if self.done.has(index) || failed.has(index) || active.contains(&index) {
                continue;
            }
            let is_later = last.get(&index).is_none_or(|other| {
                all_failures_of_index(other) <= all_failures_of_index(pod)
                    && finished_at(other) <= finished_at(pod)
            });
            if is_later {
                last.insert(index, pod.clone());
            }
        }
        last
    }

    /// Models indexed_job_utils.go and job_controller.go addCompletionIndexEnvVariables.
    fn indexed_pod(
        &self,
        template: &PodTemplate,
        index: i64,
        last: &BTreeMap<i64, Arc<Object>>,
    ) -> Object {
        let mut tree = template.spec.tree.clone();
        tree.put(&["hostname"], format!("{}-{index}", self.job.meta.name));
        for list in ["initContainers", "containers"] {
            let containers = tree.get_mut(list).and_then(Value::as_array_mut);
            containers.into_iter().flatten().for_each(add_index_variable);
        }
        let spec = Arc::new(PodSpec::from_value(tree));
        let mut pod = pod_of_template(self.job, &PodTemplate { spec, ..template.clone() });
        let suffix = format!("-{index}-");
        let room = LONGEST_PREFIX.saturating_sub(suffix.len());
        let name = self.job.meta.name.get(..room).unwrap_or(&self.job.meta.name);
        pod.meta.generate_name = format!("{name}{suffix}").into();
        pod.meta.labels.set(INDEX, &index.to_string());
        pod.meta.annotations.set(INDEX, &index.to_string());
        if self.limit_per_index().is_some() {
            let (failures, ignored) = match last.get(&index) {
                None => (0, 0),
                Some(before) => {
                    let counts = i64::from(self.failure_counts(before));
                    let ignored = number(before, IGNORED_FAILURES) + 1 - counts;
                    (failures_of_index(before) + counts, ignored)
                }
            };
            pod.meta.annotations.set(INDEX_FAILURES, &failures.to_string());
            if ignored > 0 {
                pod.meta.annotations.set(IGNORED_FAILURES, &ignored.to_string());
            }
        }
        tracked(pod)
    }

    /// Its pods in the order of their indexes, if it has indexes.
    pub(super) fn sort_pods(&mut self) {
        if self.is_indexed() {
            order::sort_by_key(&mut self.pods, |pod| index_of(pod));
        }
    }
}

fn add_index_variable(container: &mut Value) {
    const NAME: &str = "JOB_COMPLETION_INDEX";
    let mut variables = container.items_at(&["env"]).to_vec();
    if variables.iter().any(|variable| variable.str_at(&["name"]) == Some(NAME)) {
        return;
    }
    variables.push(json!({"name": NAME, "valueFrom": {"fieldRef": {
        "apiVersion": "v1", "fieldPath": format!("metadata.labels['{INDEX}']"),
    }}}));
    container.put(&["env"], variables);
}

/// A pod that is to be counted.
pub(super) fn tracked(mut pod: Object) -> Object {
    if !is_tracked(&pod) {
        let finalizers = pod.meta.finalizers.iter().cloned();
        pod.meta.finalizers = finalizers.chain([Arc::from(TRACKING)]).collect();
    }
    pod
}

fn number(pod: &Object, annotation: &str) -> i64 {
    let text = pod.meta.annotations.get(annotation);
    text.and_then(|text| text.parse::<i32>().ok()).map_or(0, |number| i64::from(number.max(0)))
}

/// How often pods of this pod's index failed before it. Models getIndexFailureCount.
pub(super) fn failures_of_index(pod: &Object) -> i64 {
    number(pod, INDEX_FAILURES)
}

/// The same with those that did not count. Models getIndexAbsoluteFailureCount.
fn all_failures_of_index(pod: &Object) -> i64 {
    number(pod, INDEX_FAILURES) + number(pod, IGNORED_FAILURES)
}
