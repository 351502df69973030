//! Patches that kubectl makes of two or three versions of an object.
//!
//! Carrying them out is the API server's work: [`crate::store::patch`].

mod diff;
mod json_merge;

use crate::api::{Kind, Value};
use crate::store::patch::PatchType;
use crate::store::patch::meta::Meta;
use crate::store::patch::strategic::{Into, strategic};
use diff::Diff;

/// What `kubectl apply` sends: what the new object says differently from the live one, and
/// without what the last applied one said and the new one does not say any more.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go
/// CreateThreeWayMergePatch and staging/src/k8s.io/kubectl/pkg/cmd/apply/patcher.go patchSimple.
///
/// # Errors
/// Lists that cannot be merged, in upstream's words.
pub(crate) fn three_way(
    kind: Kind,
    last: &Value,
    new: &Value,
    live: &Value,
) -> Result<(PatchType, Value), String> {
    let Some(meta) = Meta::of(kind) else {
        return Ok((PatchType::Merge, json_merge::three_way(last, new, live)));
    };
    let delta = Diff::changes().maps(live, new, &meta)?;
    let mut patch = Diff::deletions().maps(last, new, &meta)?;
    strategic(&meta, &mut patch, &mut delta.clone(), Into::Patch)?;
    Ok((PatchType::Strategic, patch))
}

/// What changes one object into another: `kubectl edit`, `set`, `rollout`.
///
/// Models strategicpatch.CreateTwoWayMergePatch; for kinds without types,
/// jsonpatch.CreateMergePatch.
///
/// # Errors
/// As [`three_way`].
pub(crate) fn two_way(kind: Kind, old: &Value, new: &Value) -> Result<(PatchType, Value), String> {
    match Meta::of(kind) {
        Some(meta) => Ok((PatchType::Strategic, Diff::all().maps(old, new, &meta)?)),
        None => Ok((PatchType::Merge, json_merge::difference(old, new))),
    }
}

/// Whether a patch changes nothing.
pub(crate) fn is_empty(patch: &Value) -> bool {
    patch.as_object().is_some_and(serde_json::Map::is_empty)
}
