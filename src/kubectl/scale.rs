//! The `scale` subresource, as kubectl reads and writes it.
//!
//! Models staging/src/k8s.io/api/autoscaling/v1 Scale and pkg/registry/apps/deployment/storage.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use crate::api::tree::Tree as _;
use crate::api::{ApiError, Object, Reason, Value};
use crate::store::ObjectKey;
use crate::store::patch::{Patch, PatchType, patch_locally};
use serde_json::json;

/// The scale of an object.
///
/// # Errors
/// `NotFound` for kinds without.
pub(crate) fn of(object: &Object) -> Result<Value, Failure> {
    crate::world::scale_of(object).ok_or_else(|| {
        let why = "the server could not find the requested resource";
        ApiError::new(Reason::NotFound, why).into()
    })
}

/// Patches the scale of an object.
pub(crate) fn patch(call: &mut Call<'_>, object: &Object, patch: &Patch) -> Outcome {
    let before = of(object)?;
    let mut scale = before.clone();
    // A scale has no lists: a strategic patch of it is a merge patch.
    let how = if patch.how == PatchType::Strategic { PatchType::Merge } else { patch.how };
    patch_locally(object.kind, &mut scale, &Patch { how, ..patch.clone() }).map_err(|_| {
        let why = "the server rejected our request due to an error in our request";
        ApiError::new(Reason::Invalid, why)
    })?;
    let replicas = scale.int_at(&["spec", "replicas"]).unwrap_or(0);
    if call.dry_run()? != DryRun::Client {
        let body = json!({"spec": {"replicas": replicas}});
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
