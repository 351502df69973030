//! What makes pods: Deployments, StatefulSets, Jobs and their kin.

use super::{ensure_object, fill, pod, volumes};
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use serde_json::json;

/// Models SetDefaults_ReplicationController: selector and labels come from the template.
#[inline(never)]
pub(super) fn replication_controller(object: &mut Value) {
    let labels = object.at(&["spec", "template", "metadata", "labels"]).cloned();
    if let Some(labels) = labels.filter(|labels| !labels.is_null()) {
        let is_empty = |map: Option<&Value>| {
            map.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty)
        };
        if is_empty(object.at(&["spec", "selector"])) {
            object.put(&["spec", "selector"], labels.clone());
        }
        if is_empty(object.at(&["metadata", "labels"])) {
            object.put(&["metadata", "labels"], labels);
        }
    }
    let spec = ensure_object(object, "spec");
    spec.put_default(&["replicas"], 1);
    if spec.at(&["template"]).is_some_and(Value::is_object) {
        pod::template(spec.entry(&["template"]));
    }
}

/// Models SetDefaults_Deployment.
pub(super) fn deployment(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    spec.put_default(&["replicas"], 1);
    let strategy = ensure_object(spec, "strategy");
    fill(strategy, "type", "RollingUpdate");
    if strategy.str_at(&["type"]) == Some("RollingUpdate") {
        strategy.put_default(&["rollingUpdate", "maxUnavailable"], "25%");
        strategy.put_default(&["rollingUpdate", "maxSurge"], "25%");
    }
    spec.put_default(&["revisionHistoryLimit"], 10);
    spec.put_default(&["progressDeadlineSeconds"], 600);
    pod::template(ensure_object(spec, "template"));
}

/// Models SetDefaults_ReplicaSet.
pub(super) fn replica_set(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    spec.put_default(&["replicas"], 1);
    pod::template(ensure_object(spec, "template"));
}

/// Models SetDefaults_DaemonSet.
pub(super) fn daemon_set(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    let strategy = ensure_object(spec, "updateStrategy");
    fill(strategy, "type", "RollingUpdate");
    if strategy.str_at(&["type"]) == Some("RollingUpdate") {
        strategy.put_default(&["rollingUpdate", "maxUnavailable"], 1);
        strategy.put_default(&["rollingUpdate", "maxSurge"], 0);
    }
    spec.put_default(&["revisionHistoryLimit"], 10);
    pod::template(ensure_object(spec, "template"));
}

/// Models SetDefaults_StatefulSet and, for the claim templates, pkg/apis/apps/v1/conversion.go.
#[inline(never)]
pub(super) fn stateful_set(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    fill(spec, "podManagementPolicy", "OrderedReady");
    let strategy = ensure_object(spec, "updateStrategy");
    if super::is_unset(strategy.at(&["type"])) {
        strategy.put(&["type"], "RollingUpdate");
        ensure_object(strategy, "rollingUpdate");
    }
    let rolling = strategy.at(&["rollingUpdate"]).is_some_and(Value::is_object);
    if rolling && strategy.str_at(&["type"]) == Some("RollingUpdate") {
        strategy.put_default(&["rollingUpdate", "partition"], 0);
    }
    let retention = ensure_object(spec, "persistentVolumeClaimRetentionPolicy");
    fill(retention, "whenDeleted", "Retain");
    fill(retention, "whenScaled", "Retain");
    spec.put_default(&["replicas"], 1);
    spec.put_default(&["revisionHistoryLimit"], 10);
    pod::template(ensure_object(spec, "template"));
    for claim in super::items(spec, "volumeClaimTemplates") {
        fill(claim, "apiVersion", "v1");
        fill(claim, "kind", "PersistentVolumeClaim");
        ensure_object(claim, "metadata");
        volumes::claim_spec(ensure_object(claim, "spec"));
        claim.put_default(&["status", "phase"], "Pending");
    }
}

/// Models SetDefaults_Job. The selector and the labels are the store's work: they hold the UID.
pub(super) fn job(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    let has = |spec: &Value, key: &str| spec.at(&[key]).is_some_and(|value| !value.is_null());
    if !has(spec, "completions") && !has(spec, "parallelism") {
        spec.put(&["completions"], 1);
    }
    spec.put_default(&["parallelism"], 1);
    let per_index = has(spec, "backoffLimitPerIndex");
    spec.put_default(&["backoffLimit"], if per_index { i32::MAX } else { 6 });
    spec.put_default(&["completionMode"], "NonIndexed");
    spec.put_default(&["suspend"], false);
    let policy = if has(spec, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    spec.put_default(&["podReplacementPolicy"], policy);
    spec.put_default(&["manualSelector"], false);
    job_template(spec);
}

/// What a Job's specification gets wherever it stands.
fn job_template(spec: &mut Value) {
    pod::template(ensure_object(spec, "template"));
    let policy = spec.as_object_mut().and_then(|fields| fields.get_mut("podFailurePolicy"));
    for rule in policy.into_iter().flat_map(|policy| super::items(policy, "rules")) {
        for pattern in super::items(rule, "onPodConditions") {
            fill(pattern, "status", "True");
        }
    }
}

/// Models SetDefaults_CronJob. Its Jobs get the defaults of Jobs when they are created.
#[inline(never)]
pub(super) fn cron_job(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    fill(spec, "concurrencyPolicy", "Allow");
    spec.put_default(&["suspend"], false);
    spec.put_default(&["successfulJobsHistoryLimit"], 3);
    spec.put_default(&["failedJobsHistoryLimit"], 1);
    let template = ensure_object(spec, "jobTemplate");
    template.put_default(&["metadata"], json!({}));
    job_template(ensure_object(template, "spec"));
}
