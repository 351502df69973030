//! What the API server adds to an object, and what it refuses beside broken fields.
//!
//! Each file is one plugin or one allocator. Their order is that of a real cluster, so a refusal
//! here reads as it does there: first those that change an object (before a generated name is
//! known), then allocation, then validation, then those that only look at what is about to be
//! stored, webhooks among them, quotas last.
//!
//! Models pkg/kubeapiserver/options/plugins.go and
//! staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go Create and Update.
//!
mod ingress_class;
mod limit_range;
mod pod;
mod pod_security;
mod policy;
mod priority;
mod quota;
mod quota_usage;
mod runtime_class;
mod service;
mod storage;
mod webhook;

use super::custom;
use super::server::{Context, internal_error, invalid};
use super::storage::Store;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Body, Kind, Object, validation};
use serde_json::json;

pub(super) use pod::AdmittedSpecs;
pub use pod::awaits_account;
pub(super) use policy::{Request, review as ask_policies};
pub(super) use priority::SYSTEM_CLASSES;
pub(super) use quota::{charge, check as check_quota};
pub use quota_usage::{in_scope as quota_in_scope, usage as quota_usage};
pub use service::{NODE_PORTS, SERVICE_CIDR};
pub use webhook::{Denial, Operation, Webhook};

/// Completes an object, new or changed, as far as that needs no name.
///
/// # Errors
/// `Forbidden` by a plugin.
pub(super) fn mutate(
    store: &mut Store,
    object: &mut Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    match (object.kind, old) {
        (Kind::Pod, None) => pod::complete_new(store, object)?,
        (Kind::Pod, Some(old)) => pod::complete_changed(object, old),
        (Kind::PersistentVolumeClaim, None) => storage::default_class(store, object),
        (Kind::Ingress, None) => ingress_class::default_class(store, object),
        (Kind::Node, None) => taint_new_node(object),
        _ => {}
    }
    Ok(())
}

/// A node is kept free until it is known to be ready.
///
/// Models plugin/pkg/admission/nodetaint/admission.go.
fn taint_new_node(object: &mut Object) {
    const NOT_READY: &str = "node.kubernetes.io/not-ready";
    let mut taints = object.spec().items_at(&["taints"]).to_vec();
    let is_there = taints.iter().any(|taint| {
        taint.str_at(&["key"]) == Some(NOT_READY) && taint.str_at(&["effect"]) == Some("NoSchedule")
    });
    if !is_there {
        taints.push(json!({"key": NOT_READY, "effect": "NoSchedule"}));
        let mut spec = object.spec().clone();
        spec.put(&["taints"], taints);
        object.set_spec(spec);
    }
}

/// Gives an object what only the server can give: addresses, ports, the fields of its schema.
///
/// # Errors
/// `Invalid` where there is nothing to give.
pub(super) fn begin(
    store: &mut Store,
    context: &Context,
    object: &mut Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    match object.kind {
        Kind::Service => {
            service::allocate(store, object, old)?;
            if let Some(old) = old {
                service::drop_what_the_type_has_not(object, old);
            }
            service::as_read(object);
            Ok(())
        }
        Kind::CustomResourceDefinition => {
            custom::note_storage(object, old);
            Ok(())
        }
        kind if kind.is_custom() => {
            let causes = custom::complete(store, object, old.is_none(), context)?;
            if causes.is_empty() {
                return Ok(());
            }
            Err(invalid(object.kind, &object.meta.name, causes))
        }
        _ => Ok(()),
    }
}

/// Refuses an object with broken fields, and says what it warns of.
///
/// # Errors
/// `Invalid` with all its causes.
pub(super) fn validate_fields(
    store: &mut Store,
    context: &Context,
    object: &Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    let mut value = object.to_value();
    if !context.manager.version().is_empty() {
        value.put(&["apiVersion"], context.manager.version());
    }
    let old_value = old.map(Object::to_value);
    let causes = match &old_value {
        None => validation::validate_create(object.kind, &value),
        Some(old) => validation::validate_update(object.kind, &value, old),
    };
    if !causes.is_empty() {
        return Err(invalid(object.kind, &object.meta.name, causes));
    }
    for warning in validation::warnings(object.kind, &value, old_value.as_ref()) {
        store.warn(warning);
    }
    Ok(())
}

/// The plugins that look at an object as it is about to be stored; quotas come after them.
///
/// # Errors
/// `Forbidden` by a plugin, `Invalid` for the labels of a namespace.
pub(super) fn validate(
    store: &mut Store,
    context: &Context,
    object: &Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    limit_range::check(store, object, old)?;
    pod_security::validate(store, context, object, old)?;
    match (object.kind, old) {
        (Kind::PriorityClass, old) => priority::check_class(store, object, old)?,
        (Kind::PersistentVolumeClaim, Some(old)) => storage::check_growth(store, object, old)?,
        (Kind::Pod, None) => runtime_class::check(store, object)?,
        _ => {}
    }
    policy::review(store, context, Request { new: Some(object), old })?;
    let operation = if old.is_none() { Operation::Create } else { Operation::Update };
    webhook::review(store, context, object, operation)
}

/// Copies the zone and region of a node to the labels of a pod that is bound to it.
///
/// Models plugin/pkg/admission/podtopologylabels/admission.go.
pub(super) fn copy_topology_labels(store: &mut Store, pod: &mut Object, node: &str) {
    const LABELS: [&str; 2] = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];
    let Some(node) = store.find(Kind::Node, "", node) else { return };
    let wanted: Vec<(&str, String)> = LABELS
        .iter()
        .filter_map(|name| Some((*name, node.meta.labels.get(name)?.to_owned())))
        .filter(|(name, value)| pod.meta.labels.get(name) != Some(value))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let shared = store.shared_labels(&pod.meta.labels, &wanted);
    pod.meta.labels = shared;
}

/// Several faults in one sentence, each once.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/errors/errors.go Aggregate.
fn aggregate(faults: &[String]) -> String {
    let mut once: Vec<&str> = Vec::new();
    for fault in faults {
        if !once.contains(&fault.as_str()) {
            once.push(fault);
        }
    }
    match once.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// The tree of a kind that must be one.
fn content(object: &Object) -> Result<&serde_json::Value, ApiError> {
    match &object.body {
        Body::Tree { .. } => Ok(object.content()),
        _ => Err(internal_error(format!("{} is no tree", object.kind))),
    }
}

/// A text of an object's specification; empty if there is none.
fn spec_text<'a>(object: &'a Object, key: &str) -> &'a str {
    object.spec().str_at(&[key]).unwrap_or_default()
}
