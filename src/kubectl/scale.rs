//! `kubectl patch --subresource=scale`.

use super::call::{Call, DryRun};
use super::failure::Outcome;
use crate::api::Object;
use crate::store::ObjectKey;
use crate::store::patch::Patch;
use crate::world::{patched_scale, scale_of, scaled_to};

/// Patches the scale of an object.
pub(crate) fn patch(call: &mut Call<'_>, object: &Object, patch: &Patch) -> Outcome {
    let before = scale_of(call.world.store(), object)?;
    let scale = patched_scale(&before, patch)?;
    if call.dry_run()? != DryRun::Client {
        let change = scaled_to(call.world.store(), object, &scale)?;
        call.patch(object.kind, &ObjectKey::of(object), &Patch { fields: patch.fields, ..change })?;
    }
    let what = if scale == before { "patched (no change)" } else { "patched" };
    match call.flags.text("output") {
        "" => call.say(format!("scale.autoscaling/{} {what}", object.meta.name)),
        "name" => call.say(format!("scale.autoscaling/{}", object.meta.name)),
        _ => return call.done_plainly(object.kind, &scale, what),
    }
    Ok(())
}
