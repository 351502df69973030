//! What the API server refuses, in its words.
//!
//! Invariants: an object gets all its errors at once, in the order in which the API server finds
//! them; what the server does not check, nothing here checks. Trees are those of decoded manifests
//! with their defaults. Nothing here looks at other objects: that is admission's work.
//!
//! Reading order: `path.rs`, `names.rs`, `object_meta.rs`, `pod/`, then one subject a file.

mod addresses;
mod admission;
mod autoscaling;
mod batch;
pub mod cel;
mod cel_values;
mod claims;
mod config;
mod cron;
pub mod custom;
pub mod custom_fields;
mod custom_formats;
mod definition;
mod definition_schema;
mod endpoints;
mod events;
mod go_structs;
mod ingress;
mod job_policies;
pub mod names;
mod network_policy;
mod node;
mod object_meta;
mod path;
mod pod;
mod policy;
mod quota;
mod rbac;
mod selectors;
mod service;
mod service_addresses;
mod storage;
mod volume_sources;
mod warnings;
mod webhook_client;
mod workloads;

#[cfg(test)]
mod tests;

pub(crate) use quota::OF_PODS as QUOTA_OF_PODS;
pub use warnings::warnings;

use super::{FieldError, Kind, Value};

/// What is wrong with a new object; nothing if it may be stored.
///
/// Models the `Validate` of pkg/registry/*/*/strategy.go.
pub fn validate_create(kind: Kind, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match kind {
        Kind::Pod => pod::create(object, &mut errors),
        // Their own validation leaves out the metadata, which all kinds are asked for in the end.
        Kind::PodDisruptionBudget | Kind::Event => {
            own_fields(kind, object, None, &mut errors);
            if errors.is_empty() {
                object_meta::create(kind, object, &mut errors);
            }
        }
        kind => {
            object_meta::create(kind, object, &mut errors);
            own_fields(kind, object, None, &mut errors);
        }
    }
    without_repetitions(errors)
}

/// What is wrong with a change of an object.
///
/// Models the `ValidateUpdate` of pkg/registry/*/*/strategy.go.
#[inline(never)]
pub fn validate_update(kind: Kind, new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match kind {
        Kind::Pod => pod::update(new, old, &mut errors),
        kind => {
            object_meta::update(kind, new, old, &mut errors);
            own_fields(kind, new, Some(old), &mut errors);
        }
    }
    without_repetitions(errors)
}

/// What is wrong with a pod that is given other ephemeral containers.
pub fn validate_ephemeral_containers(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    pod::ephemeral_update(new, old, &mut errors);
    without_repetitions(errors)
}

/// The fields of a kind, without its metadata.
fn own_fields(kind: Kind, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    match kind {
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::ReplicationController => workloads::workload(kind, object, old, errors),
        Kind::Job => batch::job(object, old, errors),
        Kind::Service => service::service(object, old, errors),
        Kind::Ingress => ingress::ingress(object, old, errors),
        Kind::IngressClass => ingress::ingress_class(object, old, errors),
        Kind::ConfigMap => config::config_map(object, old, errors),
        Kind::Secret => config::secret(object, old, errors),
        Kind::StorageClass => storage::storage_class(object, old, errors),
        Kind::Role | Kind::ClusterRole => rbac::role(kind, object, errors),
        Kind::RoleBinding | Kind::ClusterRoleBinding => rbac::binding(kind, object, old, errors),
        Kind::Namespace if old.is_none() => node::namespace(object, errors),
        // A pod is checked with its metadata, which some of its rules look at.
        Kind::Pod => {}
        Kind::CronJob
        | Kind::ControllerRevision
        | Kind::Endpoints
        | Kind::EndpointSlice
        | Kind::Event
        | Kind::Lease
        | Kind::Node
        | Kind::PriorityClass
        | Kind::NetworkPolicy
        | Kind::ResourceQuota
        | Kind::LimitRange
        | Kind::PersistentVolume
        | Kind::PersistentVolumeClaim
        | Kind::HorizontalPodAutoscaler
        | Kind::PodDisruptionBudget
        | Kind::PodTemplate
        | Kind::CustomResourceDefinition => seldom(kind, object, old, errors),
        Kind::Other(_) if kind.resource().group == "admissionregistration.k8s.io" => {
            admission::admission(kind, object, errors);
        }
        // Simplified: other kinds that are only stored are not checked; custom objects are held
        // against the schemas of their definitions (`custom.rs`).
        Kind::Other(_) => {}
        Kind::Namespace | Kind::ServiceAccount => {}
    }
}

/// The fields of kinds of which nobody makes any in the page's first cluster. It stands alone, and
/// not within the function above, so that the page can fetch it after its first view
/// (scripts/annex.txt).
#[inline(never)]
fn seldom(kind: Kind, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    match kind {
        Kind::CronJob => batch::cron_job(object, old, errors),
        Kind::ControllerRevision => policy::controller_revision(object, old, errors),
        Kind::Endpoints => endpoints::endpoints(object, old, errors),
        Kind::EndpointSlice => endpoints::endpoint_slice(object, old, errors),
        Kind::Event => events::event(object, old, errors),
        Kind::Lease => policy::lease(object, errors),
        Kind::Node => node::node(object, old, errors),
        Kind::PriorityClass => policy::priority_class(object, old, errors),
        Kind::NetworkPolicy => network_policy::network_policy(object, errors),
        Kind::ResourceQuota => quota::resource_quota(object, old, errors),
        Kind::LimitRange => quota::limit_range(object, errors),
        Kind::PersistentVolume => storage::volume(object, old, errors),
        Kind::PersistentVolumeClaim => storage::claim(object, old, errors),
        Kind::HorizontalPodAutoscaler => autoscaling::autoscaler(object, old, errors),
        Kind::PodDisruptionBudget => policy::disruption_budget(object, errors),
        Kind::PodTemplate => policy::pod_template(object, errors),
        Kind::CustomResourceDefinition => definition::definition(object, old, errors),
        _ => {}
    }
}

/// What is wrong with the cluster addresses of a Service, which the server looks at before it gives
/// any out.
///
/// Models pkg/apis/core/validation/validation.go ValidateServiceClusterIPsRelatedFields.
pub fn service_address_errors(spec: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    service_addresses::addresses(spec, &path::Path::root("spec"), &mut errors);
    errors
}

/// Where checks overlap, the API server says a thing once.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go ToAggregate.
fn without_repetitions(errors: Vec<FieldError>) -> Vec<FieldError> {
    let mut kept: Vec<FieldError> = Vec::with_capacity(errors.len());
    for error in errors {
        let again = |other: &FieldError| {
            other.field == error.field
                && other.error_type == error.error_type
                && other.detail == error.detail
                && other.bad_value == error.bad_value
        };
        if !kept.iter().any(again) {
            kept.push(error);
        }
    }
    kept
}
