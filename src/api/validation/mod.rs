//! What the API server refuses, in its words.
//!
//! Invariants: an object gets all its errors at once, in the order in which the API server finds
//! them; what the server does not check, nothing here checks. Trees are those of decoded manifests
//! with their defaults. Nothing here looks at other objects: that is admission's work.
//!
//! Reading order: `path.rs`, `names.rs`, `object_meta.rs`, `pod/`, then one subject a file.

mod addresses;
mod batch;
mod claims;
mod cron;
mod endpoints;
mod go_structs;
mod ingress;
mod job_policies;
mod names;
mod network_policy;
mod object_meta;
mod path;
mod pod;
mod selectors;
mod service;
mod service_addresses;
mod volume_sources;
mod workloads;

#[cfg(test)]
mod tests;

use super::{FieldError, Kind, Value};

/// What is wrong with a new object; nothing if it may be stored.
///
/// Models the `Validate` of pkg/registry/*/*/strategy.go.
pub fn validate_create(kind: Kind, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match kind {
        Kind::Pod => pod::create(object, &mut errors),
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

/// The fields of a kind, without its metadata.
fn own_fields(kind: Kind, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    match kind {
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::ReplicationController => workloads::workload(kind, object, old, errors),
        Kind::Job => batch::job(object, old, errors),
        Kind::CronJob => batch::cron_job(object, old, errors),
        Kind::Service => service::service(object, old, errors),
        Kind::Endpoints => endpoints::endpoints(object, old, errors),
        Kind::EndpointSlice => endpoints::endpoint_slice(object, old, errors),
        Kind::Ingress => ingress::ingress(object, old, errors),
        Kind::IngressClass => ingress::ingress_class(object, old, errors),
        Kind::NetworkPolicy => network_policy::network_policy(object, errors),
        _ => {}
    }
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
