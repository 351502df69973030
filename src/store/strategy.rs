//! What each kind's registry does to an object beside checking it: status and finalizers of new
//! ones, generations, fields that are not in use.
//!
//! Models the strategies of pkg/registry: PrepareForCreate and PrepareForUpdate.

use super::admission::SYSTEM_CLASSES;
use crate::api::pod::ConditionType;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Body, Kind, Object, Pod, StringMap, Value};
use crate::base::SimTime;
use serde_json::json;
use std::sync::Arc;

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";
/// Where a claim says what its volume begins with: the old place and the new one.
const SOURCES: [&str; 2] = ["dataSource", "dataSourceRef"];
const MAX_UNAVAILABLE: [&str; 3] = ["updateStrategy", "rollingUpdate", "maxUnavailable"];

/// Whether objects of a kind begin with `metadata.generation` 1.
fn counts_generations(kind: Kind) -> bool {
    match kind {
        Kind::Pod
        | Kind::PodTemplate
        | Kind::ReplicationController
        | Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::CronJob
        | Kind::EndpointSlice
        | Kind::Ingress
        | Kind::IngressClass
        | Kind::NetworkPolicy
        | Kind::PodDisruptionBudget
        | Kind::PriorityClass
        | Kind::CustomResourceDefinition => true,
        Kind::Other(_) if kind.is_custom() => true,
        Kind::Other(_) => matches!(
            kind.resource().group,
            "admissionregistration.k8s.io" | "flowcontrol.apiserver.k8s.io"
        ),
        _ => false,
    }
}

/// A pod that the scheduler must not look at yet says so.
///
/// Models pkg/registry/core/pod/strategy.go applySchedulingGatedCondition.
fn note_gates(pod: &mut Pod, now: SimTime) {
    if pod.spec.tree.items_at(&["schedulingGates"]).is_empty() {
        return;
    }
    let message = "Scheduling is blocked due to non-empty scheduling gates";
    let why = Some(("SchedulingGated", message));
    pod.status.set_condition(ConditionType::PodScheduled, false, why, now);
}

/// What the registries' `PrepareForCreate` clear or set.
pub(super) fn prepare_for_create(object: &mut Object, now: SimTime) {
    if counts_generations(object.kind) {
        object.meta.generation = 1;
    }
    match object.kind {
        Kind::Namespace => {
            let mut spec = object.spec().clone();
            let mut finalizers = spec.items_at(&["finalizers"]).to_vec();
            if !finalizers.iter().any(|name| name == "kubernetes") {
                finalizers.push("kubernetes".into());
            }
            spec.put(&["finalizers"], finalizers);
            object.set_spec(spec);
            object.set_status(json!({"phase": "Active"}));
            let name = object.meta.name.clone();
            object.meta.labels.set("kubernetes.io/metadata.name", &name);
        }
        Kind::Pod => {
            if let Some(pod) = object.pod_mut() {
                pod.status = crate::api::PodStatus::default();
                note_gates(pod, now);
            }
        }
        Kind::Other(_) if object.kind.name() == "APIService" => object.set_status(json!({})),
        Kind::Other(_) if object.kind.name() == "CertificateSigningRequest" => {
            let mut spec = object.spec().clone();
            spec.put(&["username"], "kubernetes-admin");
            spec.put(&["groups"], json!(["kubeadm:cluster-admins", "system:authenticated"]));
            object.set_spec(spec);
        }
        Kind::Service => object.set_status(json!({"loadBalancer": {}})),
        Kind::Ingress => object.set_status(json!({"loadBalancer": {}})),
        Kind::PersistentVolume => {
            let since = now.rfc3339();
            object.set_status(json!({"phase": "Pending", "lastPhaseTransitionTime": since}));
            add_finalizer(object, "kubernetes.io/pv-protection");
        }
        Kind::PersistentVolumeClaim => {
            object.set_status(json!({"phase": "Pending"}));
            add_finalizer(object, "kubernetes.io/pvc-protection");
            agree_on_source(object, false);
        }
        Kind::ReplicaSet | Kind::ReplicationController => {
            object.set_status(json!({"replicas": 0}));
        }
        Kind::DaemonSet => {
            object.meta.annotations.set(TEMPLATE_GENERATION, "1");
            object.set_status(json!({
                "currentNumberScheduled": 0, "desiredNumberScheduled": 0,
                "numberMisscheduled": 0, "numberReady": 0,
            }));
        }
        Kind::StatefulSet => {
            drop_max_unavailable(object);
            object.set_status(json!({"replicas": 0, "availableReplicas": 0}));
        }
        Kind::HorizontalPodAutoscaler => object.set_status(json!({
            "currentMetrics": null, "desiredReplicas": 0,
        })),
        Kind::PodDisruptionBudget => object.set_status(json!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
        })),
        Kind::Job => {
            object.set_status(json!({}));
            select_own_pods(object);
        }
        Kind::Deployment | Kind::CronJob | Kind::ResourceQuota => {
            object.set_status(json!({}));
        }
        _ => {}
    }
}

/// What the registries' `PrepareForUpdate` take over or count. `person` is whether a person asks:
/// what controllers note in annotations they note with the status.
pub(super) fn prepare_for_update(object: &mut Object, old: &Object, person: bool) {
    count_templates(object, old);
    if old.spec().at(&MAX_UNAVAILABLE).is_none() {
        drop_max_unavailable(object);
    }
    if object.kind == Kind::PersistentVolumeClaim {
        let had_one = SOURCES.iter().any(|field| old.spec().at(&[field]).is_some());
        agree_on_source(object, had_one);
    }
    if object.kind == Kind::Namespace && person {
        object.set_content(old.content().clone());
    }
    if counts_changes(object.kind) && desired_state_differs(object, old, person) {
        object.meta.generation += 1;
    }
}

fn counts_changes(kind: Kind) -> bool {
    kind != Kind::PriorityClass && (counts_generations(kind) || kind.name() == "CSIDriver")
}

fn desired_state_differs(new: &Object, old: &Object, person: bool) -> bool {
    let also = match new.kind {
        Kind::Deployment => person && new.meta.annotations != old.meta.annotations,
        Kind::EndpointSlice => new.meta.labels != old.meta.labels,
        _ => false,
    };
    also || match (&new.body, &old.body) {
        (Body::Pod(a), Body::Pod(b)) => {
            !Arc::ptr_eq(&a.spec, &b.spec) && a.spec_value() != b.spec_value()
        }
        _ => new.content() != old.content(),
    }
}

/// The feature MaxUnavailableStatefulSet is off by default.
///
/// Models pkg/registry/apps/statefulset/strategy.go dropStatefulSetDisabledFields.
fn drop_max_unavailable(object: &mut Object) {
    if object.kind == Kind::StatefulSet && object.spec().at(&MAX_UNAVAILABLE).is_some() {
        let mut spec = object.spec().clone();
        spec.remove(&MAX_UNAVAILABLE);
        object.set_spec(spec);
    }
}

/// The two places where a claim says what its volume begins with say the same. The old one knows
/// nothing but claims and snapshots, unless the claim had a source before.
///
/// Models pkg/api/persistentvolumeclaim/util.go EnforceDataSourceBackwardsCompatibility and
/// NormalizeDataSources.
fn agree_on_source(object: &mut Object, had_one: bool) {
    let source = |field: &str| object.spec().at(&[field]).filter(|it| it.is_object()).cloned();
    let text = |source: &Value, key: &str| source.str_at(&[key]).unwrap_or_default().to_owned();
    let (old_place, new_place) = (source(SOURCES[0]), source(SOURCES[1]));
    let mut spec = object.spec().clone();
    match (old_place, new_place) {
        (Some(source), None) => {
            let known = match &*text(&source, "kind") {
                "PersistentVolumeClaim" => text(&source, "apiGroup").is_empty(),
                "VolumeSnapshot" => text(&source, "apiGroup") == "snapshot.storage.k8s.io",
                _ => false,
            };
            match known || had_one {
                true => spec.put(&["dataSourceRef"], source),
                false => drop(spec.remove(&["dataSource"])),
            }
        }
        (None, Some(source)) if text(&source, "namespace").is_empty() => {
            spec.put(&["dataSource"], source);
        }
        _ => return,
    }
    object.set_spec(spec);
}

/// The priority classes that the cluster needs stay.
///
/// Models pkg/registry/scheduling/priorityclass/storage/storage.go Delete.
pub(super) fn check_delete(object: &Object) -> Result<(), ApiError> {
    let is_system = SYSTEM_CLASSES.iter().any(|(name, _)| **name == *object.meta.name);
    if object.kind == Kind::PriorityClass && is_system {
        let why = "this is a system priority class and cannot be deleted";
        let resource = object.kind.group_resource();
        return Err(ApiError::forbidden(&resource, &object.meta.name, why));
    }
    Ok(())
}

/// A DaemonSet counts its templates, as it did before there were revisions.
///
/// Models pkg/registry/apps/daemonset/strategy.go PrepareForUpdate.
fn count_templates(object: &mut Object, old: &Object) {
    if object.kind != Kind::DaemonSet {
        return;
    }
    let number = old.meta.annotations.get(TEMPLATE_GENERATION).and_then(|text| text.parse().ok());
    let mut number: i64 = number.unwrap_or(1);
    if object.spec().get("template") != old.spec().get("template") {
        number += 1;
    }
    object.meta.annotations.set(TEMPLATE_GENERATION, &number.to_string());
}

/// Adds a finalizer that is not there yet.
pub(super) fn add_finalizer(object: &mut Object, wanted: &str) {
    if object.meta.finalizers.iter().all(|finalizer| &**finalizer != wanted) {
        let all = object.meta.finalizers.iter().cloned();
        object.meta.finalizers = all.chain([Arc::from(wanted)]).collect();
    }
}

/// A Job selects its pods by its own UID, unless a person has taken that over. A Job that has no
/// labels of its own has those of its template, as these are then.
///
/// Models pkg/registry/batch/job/strategy.go generateSelector and pkg/apis/batch/v1/defaults.go
/// SetDefaults_Job, which makes both the same map and runs again whenever the Job is read.
fn select_own_pods(object: &mut Object) {
    let mut spec = object.spec().clone();
    if !spec.bool_at(&["manualSelector"]).unwrap_or_default() {
        let (uid, name) = (object.meta.uid.to_string(), object.meta.name.to_string());
        for prefix in ["batch.kubernetes.io/", ""] {
            for (label, value) in [("controller-uid", &uid), ("job-name", &name)] {
                let label = format!("{prefix}{label}");
                spec.put_default(&["template", "metadata", "labels", &label], value.as_str());
            }
        }
        spec.put_default(&["selector", "matchLabels", "batch.kubernetes.io/controller-uid"], uid);
    }
    if object.meta.labels.is_empty() {
        object.meta.labels = StringMap::from_value(spec.at(&["template", "metadata", "labels"]));
    }
    object.set_spec(spec);
}
