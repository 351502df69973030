//! HorizontalPodAutoscalers, in a cluster that has no metrics server: the bounds are kept, and
//! what cannot be measured is said.
//!
//! Models pkg/controller/podautoscaler/horizontal.go.
//!
//! Simplified: there are no metrics.

use super::conditions::Conditions;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use core::time::Duration;
use std::sync::Arc;

const NAME: &str = "horizontal-pod-autoscaler";
/// How often each autoscaler is looked at.
const PERIOD: Duration = Duration::from_secs(15);

/// The controller of HorizontalPodAutoscalers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Autoscalers;

impl Controller for Autoscalers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn delay(&self, _store: &Store, _change: &Change) -> Duration {
        PERIOD
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        let is_new = change.kind == Kind::HorizontalPodAutoscaler && change.old.is_none();
        if is_new {
            return vec![Key { kind: change.kind, object: change.key.clone() }];
        }
        Vec::new()
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(scaler) = store.get(key.kind, &key.object) else { return Plan::default() };
        Plan { writes: look(store, scaler, now), requeue_after: Some(PERIOD) }
    }
}

fn look(store: &Store, scaler: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let event = |warning, reason: &str, message: String| {
        Write::event(scaler.reference(), warning, reason, message, NAME, now)
    };
    let mut conditions = Conditions::of(scaler.status());
    let target = scaler.spec().get("scaleTargetRef");
    let text = |key: &str| target.and_then(|target| target.str_at(&[key])).unwrap_or_default();
    let workload = Kind::of_word(text("kind"))
        .and_then(|kind| store.find(kind, &scaler.meta.namespace, text("name")));
    let Some(workload) = workload else {
        let plural = Kind::of_word(text("kind")).map_or_else(String::new, |k| k.group_resource());
        let message = format!("{plural} \"{}\" not found", text("name"));
        let why =
            format!("the HPA controller was unable to get the target's current scale: {message}");
        conditions.set("AbleToScale", "False", ("FailedGetScale", &why), now);
        let status = with_conditions(scaler, conditions, None);
        return [event(true, "FailedGetScale", message)].into_iter().chain(status).collect();
    };
    let current = workload.spec().int_at(&["replicas"]).unwrap_or(1);
    let least = scaler.spec().int_at(&["minReplicas"]).unwrap_or(1);
    let most = scaler.spec().int_at(&["maxReplicas"]).unwrap_or(1);
    let why =
        ("SucceededGetScale", "the HPA controller was able to get the target's current scale");
    let (wanted, reason) = match current {
        0 => (0, ""),
        _ if current > most => (most, "Current number of replicas above Spec.MaxReplicas"),
        _ if current < least => (least, "Current number of replicas below Spec.MinReplicas"),
        _ => (current, ""),
    };
    let mut writes = Vec::new();
    if wanted != current {
        let mut new = (**workload).clone();
        let mut spec = workload.spec().clone();
        spec.put(&["replicas"], wanted);
        new.set_spec(spec);
        writes.push(Write::Update(Box::new(new)));
        let message = format!("New size: {wanted}; reason: {reason}");
        writes.push(event(false, "SuccessfulRescale", message));
        let words = format!("the HPA controller was able to update the target scale to {wanted}");
        conditions.set("AbleToScale", "True", ("SucceededRescale", &words), now);
    } else if current == 0 {
        let words = "scaling is disabled since the replica count of the target is zero";
        conditions.set("AbleToScale", "True", why, now);
        conditions.set("ScalingActive", "False", ("ScalingDisabled", words), now);
    } else {
        let resource = scaler
            .spec()
            .items_at(&["metrics"])
            .iter()
            .find_map(|metric| metric.str_at(&["resource", "name"]))
            .unwrap_or("cpu");
        let cause = format!(
            "failed to get {resource} utilization: unable to get metrics for resource {resource}: \
             unable to fetch metrics from resource metrics API: the server could not find the \
             requested resource (get pods.metrics.k8s.io)"
        );
        let first = format!(
            "invalid metrics (1 invalid out of 1), first error is: failed to get {resource} \
             resource metric value: {cause}"
        );
        let inactive = format!("the HPA was unable to compute the replica count: {cause}");
        conditions.set("AbleToScale", "True", why, now);
        conditions.set("ScalingActive", "False", ("FailedGetResourceMetric", &inactive), now);
        writes.push(event(true, "FailedGetResourceMetric", cause));
        writes.push(event(true, "FailedComputeMetricsReplicas", first));
    }
    let replicas = workload.status().int_at(&["replicas"]).unwrap_or(current);
    writes.extend(with_conditions(scaler, conditions, Some((replicas, wanted))));
    writes
}

fn with_conditions(
    scaler: &Arc<Object>,
    conditions: Conditions,
    replicas: Option<(i64, i64)>,
) -> Option<Write> {
    let mut status = scaler.status().clone();
    if let Some(mut conditions) = conditions.into_value() {
        for condition in conditions.as_array_mut().into_iter().flatten() {
            condition.remove(&["lastUpdateTime"]);
        }
        status.put(&["conditions"], conditions);
    }
    if let Some((current, wanted)) = replicas {
        status.put(&["currentReplicas"], current);
        status.put(&["desiredReplicas"], wanted);
    }
    if status == *scaler.status() {
        return None;
    }
    let mut new = (**scaler).clone();
    new.set_status(status);
    Some(Write::UpdateStatus(Box::new(new)))
}
