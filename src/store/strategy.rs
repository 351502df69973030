//! What the server sets and clears in an object of a kind before anybody checks it.
//!
//! Models pkg/registry/*/*/strategy.go.

use super::server::add_finalizer;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, StringMap};
use serde_json::json;

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";
const MAX_UNAVAILABLE: [&str; 3] = ["updateStrategy", "rollingUpdate", "maxUnavailable"];

/// Whether the server counts changes of a kind's desired state in `metadata.generation`.
pub(super) const fn counts_generations(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::ConfigMap
            | Kind::Secret
            | Kind::ServiceAccount
            | Kind::Event
            | Kind::Namespace
            | Kind::Node
            | Kind::Service
            | Kind::Endpoints
            | Kind::PersistentVolume
            | Kind::PersistentVolumeClaim
            | Kind::ResourceQuota
            | Kind::LimitRange
            | Kind::ControllerRevision
            | Kind::HorizontalPodAutoscaler
            | Kind::StorageClass
            | Kind::Lease
            | Kind::Role
            | Kind::ClusterRole
            | Kind::RoleBinding
            | Kind::ClusterRoleBinding
            | Kind::PodTemplate
    )
}

/// What the registries' `PrepareForCreate` clear or set.
pub(super) fn prepare_for_create(object: &mut Object) {
    match object.kind {
        Kind::Namespace => {
            let mut spec = object.spec().clone();
            spec.put(&["finalizers"], json!(["kubernetes"]));
            object.set_spec(spec);
            object.set_status(json!({"phase": "Active"}));
            let name = object.meta.name.clone();
            object.meta.labels.set("kubernetes.io/metadata.name", &name);
        }
        Kind::Pod => {
            if let Some(pod) = object.pod_mut() {
                pod.status = crate::api::PodStatus::default();
            }
        }
        Kind::Service => object.set_status(json!({"loadBalancer": {}})),
        Kind::Ingress => object.set_status(json!({"loadBalancer": {}})),
        Kind::PersistentVolume | Kind::PersistentVolumeClaim => {
            object.set_status(json!({"phase": "Pending"}));
            let finalizer = match object.kind {
                Kind::PersistentVolume => "kubernetes.io/pv-protection",
                _ => "kubernetes.io/pvc-protection",
            };
            add_finalizer(object, finalizer);
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

/// What the registries' `PrepareForUpdate` clear or set, beside the status.
pub(super) fn prepare_for_update(object: &mut Object, old: &Object) {
    match object.kind {
        Kind::DaemonSet => count_templates(object, old),
        Kind::StatefulSet if old.spec().at(&MAX_UNAVAILABLE).is_none() => {
            drop_max_unavailable(object);
        }
        _ => {}
    }
}

/// The feature MaxUnavailableStatefulSet is off by default.
///
/// Models pkg/registry/apps/statefulset/strategy.go dropStatefulSetDisabledFields.
fn drop_max_unavailable(object: &mut Object) {
    if object.spec().at(&MAX_UNAVAILABLE).is_some() {
        let mut spec = object.spec().clone();
        spec.remove(&MAX_UNAVAILABLE);
        object.set_spec(spec);
    }
}

/// A DaemonSet counts its templates, as it did before there were revisions.
///
/// Models pkg/registry/apps/daemonset/strategy.go PrepareForUpdate.
fn count_templates(object: &mut Object, old: &Object) {
    let number = old.meta.annotations.get(TEMPLATE_GENERATION).and_then(|text| text.parse().ok());
    let mut number: i64 = number.unwrap_or(1);
    if object.spec().get("template") != old.spec().get("template") {
        number += 1;
    }
    object.meta.annotations.set(TEMPLATE_GENERATION, &number.to_string());
}

/// A Job selects its pods by its own UID, unless a person has taken that over. A Job that has no
/// labels of its own has those of its template, as these are then.
///
/// Models pkg/registry/batch/job/strategy.go generateSelector and pkg/apis/batch/v1/defaults.go
/// SetDefaults_Job, which makes both the same map and runs again whenever the Job is read.
fn select_own_pods(object: &mut Object) {
    let mut spec = object.spec().clone();
    if spec.bool_at(&["manualSelector"]).unwrap_or_default() {
        return;
    }
    let template = ["template", "metadata", "labels"];
    let own = object.meta.labels.clone();
    let shares = own.is_empty() || own == StringMap::from_value(spec.at(&template));
    let (uid, name) = (object.meta.uid.to_string(), object.meta.name.to_string());
    for prefix in ["batch.kubernetes.io/", ""] {
        for (label, value) in [("controller-uid", &uid), ("job-name", &name)] {
            let label = format!("{prefix}{label}");
            spec.put(&["template", "metadata", "labels", &label], value.as_str());
        }
    }
    spec.put(&["selector", "matchLabels", "batch.kubernetes.io/controller-uid"], uid);
    if shares {
        object.meta.labels = StringMap::from_value(spec.at(&template));
    }
    object.set_spec(spec);
}
