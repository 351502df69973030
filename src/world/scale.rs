//! The `scale` subresource.
//!
//! Models staging/src/k8s.io/api/autoscaling/v1 Scale and pkg/registry/apps/deployment/storage.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Reason, Selector, Value};
use crate::store::Store;
use crate::store::patch::{FieldValidation, Patch, PatchType, patch_locally};
use serde_json::json;

/// Where the objects of a kind say how many they are to be, how many they are, and of which pods.
#[derive(Clone, Debug)]
pub struct Scale {
    wanted: Vec<String>,
    actual: Vec<String>,
    selector: Vec<String>,
}

impl Scale {
    /// The scale of a kind; `None` if it cannot be scaled.
    pub fn of(store: &Store, kind: Kind) -> Option<Self> {
        let path = |text: &str| text.split('.').skip(1).map(str::to_owned).collect();
        let built_in = matches!(
            kind,
            Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController
        );
        if built_in {
            let [wanted, actual] = [".spec.replicas", ".status.replicas"].map(path);
            return Some(Scale { wanted, actual, selector: Vec::new() });
        }
        let scale = store.version_of(kind, "")?.at(&["subresources", "scale"])?;
        let path = |key: &str| path(scale.str_at(&[key]).unwrap_or_default());
        Some(Scale {
            wanted: path("specReplicasPath"),
            actual: path("statusReplicasPath"),
            selector: path("labelSelectorPath"),
        })
    }

    /// The number that an object says it is to have.
    pub fn wanted(&self, object: &Value) -> Option<i64> {
        at(object, &self.wanted)?.as_i64()
    }

    /// The number that an object says it has.
    pub fn actual(&self, object: &Value) -> i64 {
        at(object, &self.actual).and_then(Value::as_i64).unwrap_or(0)
    }

    /// Says in an object how many it is to have.
    pub fn set(&self, object: &mut Value, replicas: i64) {
        object.put(&self.wanted.iter().map(String::as_str).collect::<Vec<_>>(), replicas);
    }
}

fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    value.at(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The scale of an object.
///
/// Models pkg/registry/apps/deployment/storage ScaleREST.Get and, for custom kinds,
/// staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go
/// scaleFromCustomResource.
///
/// # Errors
/// `NotFound` for kinds without; `InternalError` for a custom object that does not say how many.
pub fn scale_of(store: &Store, object: &Object) -> Result<Value, ApiError> {
    let how = Scale::of(store, object.kind).ok_or_else(ApiError::no_such_resource)?;
    let value = object.to_value();
    let wanted = how.wanted(&value);
    if wanted.is_none() && object.kind.is_custom() {
        let path = how.wanted.join(".");
        let why =
            format!("Internal error occurred: the spec replicas field \".{path}\" does not exist");
        return Err(ApiError::new(Reason::InternalError, why));
    }
    let selector = match object.kind {
        Kind::ReplicationController => Some(Selector::from_map(value.at(&["spec", "selector"]))),
        kind if kind.is_custom() => None,
        _ => Selector::from_label_selector(value.at(&["spec", "selector"])),
    };
    let selector = selector.map(|selector| selector.to_string());
    let selector = selector.or_else(|| at(&value, &how.selector)?.as_str().map(str::to_owned));
    let mut scale = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {}, "spec": {},
        "status": {"replicas": how.actual(&value)},
    });
    for key in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(field) = value.at(&["metadata", key]) {
            scale.put(&["metadata", key], field.clone());
        }
    }
    if let Some(selector) = selector {
        scale.put(&["status", "selector"], selector);
    }
    if let Some(wanted) = wanted.filter(|wanted| *wanted != 0) {
        scale.put(&["spec", "replicas"], wanted);
    }
    Ok(scale)
}

/// A patch of an object that gives it the number of its changed scale.
///
/// # Errors
/// `NotFound` for kinds without a scale.
pub fn scaled_to(store: &Store, object: &Object, scale: &Value) -> Result<Patch, ApiError> {
    let how = Scale::of(store, object.kind).ok_or_else(ApiError::no_such_resource)?;
    let mut body = json!({});
    how.set(&mut body, scale.int_at(&["spec", "replicas"]).unwrap_or(0));
    let fields = FieldValidation::Warn;
    Ok(Patch { how: PatchType::Merge, body, fields, of_status: false })
}

/// A scale with a patch.
///
/// # Errors
/// `Invalid` if it cannot be patched so.
pub fn patched_scale(scale: &Value, patch: &Patch) -> Result<Value, ApiError> {
    let mut scale = scale.clone();
    // A scale has no lists: a strategic patch of it is a merge patch.
    let how = if patch.how == PatchType::Strategic { PatchType::Merge } else { patch.how };
    patch_locally(Kind::Deployment, &mut scale, &Patch { how, ..patch.clone() }).map_err(|_| {
        let why = "the server rejected our request due to an error in our request";
        ApiError::new(Reason::Invalid, why)
    })?;
    Ok(scale)
}
