//! `kubectl apply view-last-applied` and `set-last-applied`.

use super::apply::{LAST_APPLIED, prepared};
use crate::api::Value;
use crate::api::tree::TreeMut as _;
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::go_text::{compact_json, json_with_indent};
use crate::kubectl::manifests::{self, to_yaml};
use crate::kubectl::resources;
use crate::store::ObjectKey;
use crate::store::patch::{FieldValidation, Patch, PatchType};
use serde_json::json;

/// Prints what was applied last; of an object that was not, nothing.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/apply/apply_view_last_applied.go.
pub(crate) fn view(call: &mut Call<'_>) -> Outcome {
    let found = resources::find(call)?;
    Failure::of(found.failures)?;
    let mode = call.flags.get("output").unwrap_or("yaml").to_owned();
    for object in &found.objects {
        let Some(text) = object.meta.annotations.get(LAST_APPLIED) else { continue };
        let Ok(value) = serde_json::from_str::<Value>(text) else { continue };
        let text = match mode.as_str() {
            "json" => json_with_indent(&value, "  ") + "\n",
            "yaml" => to_yaml(&value),
            _ => {
                return call.usage(&format!(
                    "Unexpected -o output mode: {mode}, the flag 'output' must be one of yaml|json"
                ));
            }
        };
        call.out.push_str(&text);
    }
    Ok(())
}

/// The patch that notes what was applied.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/editor/editoptions.go GetApplyPatch.
pub(super) fn note(value: &Value) -> (String, Patch) {
    let mut value = value.clone();
    value.remove(&["metadata", "annotations", LAST_APPLIED]);
    let text = compact_json(&value) + "\n";
    let mut body = json!({});
    body.put(&["metadata", "annotations", LAST_APPLIED], text.clone());
    let fields = FieldValidation::Warn;
    (text, Patch { how: PatchType::Merge, body, fields, of_status: false })
}

/// Writes what files say into the annotation of live objects.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/apply/apply_set_last_applied.go.
pub(crate) fn set(call: &mut Call<'_>) -> Outcome {
    if call.flags.list("filename").is_empty() {
        return plain(resources::MISSING);
    }
    let (all, failures) = manifests::read_all(call)?;
    Failure::of(failures)?;
    let mut changes = Vec::new();
    for manifest in all {
        let (text, patch) = note(&prepared(&manifest));
        let object = call.object(manifest.kind, &manifest.namespace, &manifest.name)?;
        match object.meta.annotations.get(LAST_APPLIED) {
            None if !call.flags.on("create-annotation") => {
                return plain(format!(
                    "no last-applied-configuration annotation found on resource: {}, to create the annotation, run the command with --create-annotation",
                    manifest.name
                ));
            }
            Some(old) if old == text => {
                call.say(format!("set-last-applied {}: no changes required.", manifest.name));
            }
            _ => changes.push((object, patch)),
        }
    }
    for (object, patch) in changes {
        let stored = match call.dry_run()? {
            DryRun::Client => object.clone(),
            _ => call.patch(object.kind, &ObjectKey::of(&object), &patch)?,
        };
        call.done(object.kind, &shown(&stored), "configured")?;
    }
    Ok(())
}
