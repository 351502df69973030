//! The `scale` subresource, as kubectl reads and writes it.
//!
//! Models staging/src/k8s.io/api/autoscaling/v1 Scale and pkg/registry/apps/deployment/storage.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Reason, Value};
use crate::store::patch::{Patch, PatchType, patch_locally};
use crate::store::{ObjectKey, Store};
use serde_json::json;

/// Where the objects of a kind say how many they are to be, how many they are, and of which pods.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    wanted: Vec<String>,
    actual: Vec<String>,
    selector: Vec<String>,
}

impl Scale {
    /// The scale of a kind; `None` if it cannot be scaled.
    pub(crate) fn of(store: &Store, kind: Kind) -> Option<Self> {
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
    pub(crate) fn wanted(&self, object: &Value) -> Option<i64> {
        at(object, &self.wanted)?.as_i64()
    }

    /// The number that an object says it has.
    pub(crate) fn actual(&self, object: &Value) -> i64 {
        at(object, &self.actual).and_then(Value::as_i64).unwrap_or(0)
    }

    /// Says in an object how many it is to have.
    pub(crate) fn set(&self, object: &mut Value, replicas: i64) {
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
pub(crate) fn of(store: &Store, object: &Object) -> Result<Value, Failure> {
    let Some(how) = Scale::of(store, object.kind) else {
        return Err(ApiError::no_such_resource().into());
    };
    if !object.kind.is_custom() {
        return crate::world::scale_of(object).ok_or_else(|| ApiError::no_such_resource().into());
    }
    let value = object.to_value();
    let Some(wanted) = how.wanted(&value) else {
        let path = how.wanted.join(".");
        let why =
            format!("Internal error occurred: the spec replicas field \".{path}\" does not exist");
        return Err(ApiError::new(Reason::InternalError, why).into());
    };
    let mut scale = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {}, "spec": {},
        "status": {"replicas": how.actual(&value)},
    });
    for key in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(field) = value.at(&["metadata", key]) {
            scale.put(&["metadata", key], field.clone());
        }
    }
    if let Some(selector) = at(&value, &how.selector).and_then(Value::as_str) {
        scale.put(&["status", "selector"], selector);
    }
    if wanted != 0 {
        scale.put(&["spec", "replicas"], wanted);
    }
    Ok(scale)
}

/// Patches the scale of an object.
pub(crate) fn patch(call: &mut Call<'_>, object: &Object, patch: &Patch) -> Outcome {
    let before = of(call.world.store(), object)?;
    let mut scale = before.clone();
    // A scale has no lists: a strategic patch of it is a merge patch.
    let how = if patch.how == PatchType::Strategic { PatchType::Merge } else { patch.how };
    patch_locally(object.kind, &mut scale, &Patch { how, ..patch.clone() }).map_err(|_| {
        let why = "the server rejected our request due to an error in our request";
        ApiError::new(Reason::Invalid, why)
    })?;
    let replicas = scale.int_at(&["spec", "replicas"]).unwrap_or(0);
    if call.dry_run()? != DryRun::Client {
        let mut body = json!({});
        if let Some(how) = Scale::of(call.world.store(), object.kind) {
            how.set(&mut body, replicas);
        }
        let change = Patch { how: PatchType::Merge, body, of_status: false, ..patch.clone() };
        call.patch(object.kind, &ObjectKey::of(object), &change)?;
    }
    let what = if scale == before { "patched (no change)" } else { "patched" };
    match call.flags.text("output") {
        "" => call.say(format!("scale.autoscaling/{} {what}", object.meta.name)),
        "name" => call.say(format!("scale.autoscaling/{}", object.meta.name)),
        _ => return call.done_plainly(object.kind, &scale, what),
    }
    Ok(())
}
