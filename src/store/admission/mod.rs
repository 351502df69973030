//! What the API server adds to an object, and what it refuses beside broken fields.
//!
//! Each file is one plugin or one allocator. Order matters: mutation, allocation, validation,
//! quota; so a refusal here reads as it does on a real cluster.
//!
//! Models pkg/kubeapiserver/options/plugins.go.

mod limit_range;
mod pod;
mod quota;
mod service;

use super::custom;
use super::server::{Context, internal_error, invalid};
use super::storage::Store;
use crate::api::tree::Tree as _;
use crate::api::{ApiError, Body, Kind, Object, validation};
use std::sync::Arc;

pub(super) use pod::AdmittedSpecs;
pub(super) use quota::charge as charge_quota;
pub use quota::usage as quota_usage;
pub use service::{NODE_PORTS, SERVICE_CIDR};

/// Completes a new object and checks it.
pub(super) fn admit_create(
    store: &mut Store,
    context: &Context,
    object: &mut Object,
) -> Result<(), ApiError> {
    let mut validated = !context.validate;
    if object.kind.is_custom() {
        custom_object(store, object)?;
    }
    match object.kind {
        Kind::CustomResourceDefinition => custom::establish(object, context.now),
        Kind::Pod => validated |= pod::admit(store, object)?,
        Kind::Service => service::allocate(store, object, None)?,
        Kind::PriorityClass | Kind::PersistentVolumeClaim => default_class(store, object),
        _ => {}
    }
    if !validated {
        let causes = validation::validate_create(object.kind, &object.to_value());
        if !causes.is_empty() {
            return Err(invalid(object.kind, &object.meta.name, causes));
        }
        if object.kind == Kind::Pod {
            pod::remember_valid(store, object);
        }
    }
    Ok(())
}

/// Completes a changed object with what its writer left out.
pub(super) fn admit_update(
    store: &mut Store,
    _context: &Context,
    object: &mut Object,
    old: &Object,
) -> Result<(), ApiError> {
    match object.kind {
        Kind::Service => service::allocate(store, object, Some(old)),
        kind if kind.is_custom() => custom_object(store, object),
        _ => Ok(()),
    }
}

fn custom_object(store: &Store, object: &mut Object) -> Result<(), ApiError> {
    let causes = custom::complete(store, object)?;
    if causes.is_empty() {
        return Ok(());
    }
    Err(invalid(object.kind, &object.meta.name, causes))
}

/// A claim without a class gets the default one.
///
/// Models plugin/pkg/admission/storage/storageclass/setdefault/admission.go.
fn default_class(store: &Store, object: &mut Object) {
    if object.kind != Kind::PersistentVolumeClaim || object.spec().get("storageClassName").is_some()
    {
        return;
    }
    let is_default = |class: &&Arc<Object>| {
        class.meta.annotations.get("storageclass.kubernetes.io/is-default-class") == Some("true")
    };
    if let Some(class) = store.list(Kind::StorageClass).find(is_default) {
        let mut spec = object.spec().clone();
        if let Some(fields) = spec.as_object_mut() {
            fields.insert("storageClassName".into(), (*class.meta.name).into());
        }
        object.set_spec(spec);
    }
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
