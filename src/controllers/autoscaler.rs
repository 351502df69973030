//! HorizontalPodAutoscalers, in a cluster that has no metrics server: the bounds are kept, and
//! what cannot be measured is said.
//!
//! Models pkg/controller/podautoscaler/horizontal.go.
//!
//! Simplified: there are no metrics.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "horizontal-pod-autoscaler";
/// How often each autoscaler is looked at.
const PERIOD: Duration = Duration::from_secs(15);

const GOT_SCALE: (&str, &str) =
    ("SucceededGetScale", "the HPA controller was able to get the target's current scale");

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
    let mut status = scaler.status().clone();
    let target = scaler.spec().get("scaleTargetRef");
    let text = |key: &str| target.and_then(|target| target.str_at(&[key])).unwrap_or_default();
    let workload = Kind::of_word(text("kind"))
        .and_then(|kind| store.find(kind, &scaler.meta.namespace, text("name")));
    let Some(workload) = workload else {
        let plural = Kind::of_word(text("kind")).map_or_else(String::new, |k| k.group_resource());
        let message = format!("{plural} \"{}\" not found", text("name"));
        let why =
            format!("the HPA controller was unable to get the target's current scale: {message}");
        set(&mut status, "AbleToScale", "False", ("FailedGetScale", &why), now);
        let status = with_status(scaler, status);
        return [event(true, "FailedGetScale", message)].into_iter().chain(status).collect();
    };
    set(&mut status, "AbleToScale", "True", GOT_SCALE, now);
    let current = workload.spec().int_at(&["replicas"]).unwrap_or(1);
    let least = scaler.spec().int_at(&["minReplicas"]).unwrap_or(1);
    let most = scaler.spec().int_at(&["maxReplicas"]).unwrap_or(1);
    status.put(&["currentReplicas"], current);
    status.put(&["currentMetrics"], Value::Null);
    let mut writes = Vec::new();
    let bound = match current {
        0 => {
            let words = "scaling is disabled since the replica count of the target is zero";
            set(&mut status, "ScalingActive", "False", ("ScalingDisabled", words), now);
            status.put(&["desiredReplicas"], 0);
            None
        }
        _ if current > most => Some((most, "Current number of replicas above Spec.MaxReplicas")),
        _ if current < least => Some((least, "Current number of replicas below Spec.MinReplicas")),
        _ => {
            let metrics = scaler.spec().items_at(&["metrics"]);
            let missing = metrics.iter().map(|metric| missing(metric, &scaler.meta.namespace));
            let missing: Vec<Missing> = missing.collect();
            // What was wanted last stays wanted; of each metric nothing is known.
            status.put(&["currentMetrics"], vec![json!({"type": ""}); metrics.len()]);
            if let Some(first) = missing.first() {
                let cause =
                    format!("the HPA was unable to compute the replica count: {}", first.cause);
                set(&mut status, "ScalingActive", "False", (&first.reason, &cause), now);
                let all = format!(
                    "invalid metrics ({count} invalid out of {count}), first error is: {}",
                    first.error,
                    count = missing.len(),
                );
                let each = missing.iter().map(|one| event(true, &one.reason, one.cause.clone()));
                writes.extend(each);
                writes.push(event(true, "FailedComputeMetricsReplicas", all));
            }
            None
        }
    };
    if let Some((wanted, reason)) = bound {
        let mut new = (**workload).clone();
        let mut spec = workload.spec().clone();
        spec.put(&["replicas"], wanted);
        new.set_spec(spec);
        writes.push(Write::Update(Box::new(new)));
        let message = format!("New size: {wanted}; reason: {reason}");
        writes.push(event(false, "SuccessfulRescale", message));
        let words = format!("the HPA controller was able to update the target scale to {wanted}");
        set(&mut status, "AbleToScale", "True", ("SucceededRescale", &words), now);
        status.put(&["desiredReplicas"], wanted);
        status.put(&["lastScaleTime"], now.rfc3339());
    }
    writes.extend(with_status(scaler, status));
    writes
}

/// Why a metric has no value in a cluster without metrics.
struct Missing {
    /// The reason of the event and of the condition.
    reason: String,
    /// What the event says.
    cause: String,
    /// What the sum of all says of it.
    error: String,
}

/// Models horizontal.go computeReplicasForMetric and the words of replica_calculator.go and of
/// staging/src/k8s.io/metrics for a cluster that has none of the three metrics APIs.
fn missing(metric: &Value, namespace: &str) -> Missing {
    let kind = metric.str_at(&["type"]).unwrap_or_default();
    let at = |path: &[&str]| metric.str_at(path).unwrap_or_default();
    const NO_CUSTOM: &str = "unable to fetch metrics from custom metrics API: no custom metrics \
         API (custom.metrics.k8s.io) registered";
    let resource = |field: &str| {
        let name = at(&[field, "name"]);
        let target = metric.get(field).and_then(|field| field.get("target"));
        let average = target.is_some_and(|target| target.get("averageValue").is_some());
        format!(
            "failed to get {name} {}: unable to get metrics for resource {name}: unable to fetch \
             metrics from resource metrics API: the server could not find the requested resource \
             (get pods.metrics.k8s.io)",
            if average { "usage" } else { "utilization" },
        )
    };
    let (cause, error) = match kind {
        "ContainerResource" => {
            let cause = resource("containerResource");
            let of = at(&["containerResource", "container"]);
            let error = format!("failed to get {of} container metric value: {cause}");
            (cause, error)
        }
        "Pods" => {
            let name = at(&["pods", "metric", "name"]);
            let cause = format!("unable to get metric {name}: {NO_CUSTOM}");
            let error = format!("failed to get pods metric value: {cause}");
            (cause, error)
        }
        "Object" => {
            let name = at(&["object", "metric", "name"]);
            let of = |field: &str| at(&["object", "describedObject", field]);
            // The words and the names stand in the wrong places upstream.
            let cause = format!(
                "unable to get metric {name}: {} on {namespace} {}/{NO_CUSTOM}",
                of("kind"),
                of("name"),
            );
            let error = format!("failed to get object metric value: {cause}");
            (cause, error)
        }
        "External" => {
            let name = at(&["external", "metric", "name"]);
            let cause = format!(
                "unable to get external metric {namespace}/{name}/nil: unable to fetch metrics \
                 from external metrics API: the server could not find the requested resource (get \
                 {name}.external.metrics.k8s.io)"
            );
            let error = format!(
                "failed to get {name} external metric value: failed to get {name} external \
                 metric: {cause}"
            );
            (cause, error)
        }
        _ => {
            let cause = resource("resource");
            let of = at(&["resource", "name"]);
            let error = format!("failed to get {of} resource metric value: {cause}");
            (cause, error)
        }
    };
    Missing { reason: format!("FailedGet{kind}Metric"), cause, error }
}

/// Sets a condition where it stands; its transition time moves only with its status.
///
/// Models horizontal.go setConditionInList.
fn set(
    status: &mut Value,
    condition_type: &str,
    state: &str,
    (reason, message): (&str, &str),
    now: SimTime,
) {
    let mut conditions = status.items_at(&["conditions"]).to_vec();
    let same = |one: &&mut Value| one.str_at(&["type"]) == Some(condition_type);
    let old = conditions.iter_mut().find(same);
    let since = old
        .as_ref()
        .filter(|old| old.str_at(&["status"]) == Some(state))
        .and_then(|old| old.str_at(&["lastTransitionTime"]))
        .map_or_else(|| now.rfc3339(), str::to_owned);
    let new = json!({
        "type": condition_type, "status": state, "reason": reason, "message": message,
        "lastTransitionTime": since,
    });
    match old {
        Some(old) => *old = new,
        None => conditions.push(new),
    }
    status.put(&["conditions"], conditions);
}

fn with_status(scaler: &Arc<Object>, status: Value) -> Option<Write> {
    if status == *scaler.status() {
        return None;
    }
    let mut new = (**scaler).clone();
    new.set_status(status);
    Some(Write::UpdateStatus(Box::new(new)))
}
