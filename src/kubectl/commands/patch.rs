//! `kubectl patch` and `kubectl edit`.

use super::store_change;
use crate::api::{ApiError, Reason};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::{manifests, patch as patches, resources};

/// Changes fields of an object.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/patch/patch.go.
pub(crate) fn patch(call: &mut Call<'_>) -> Outcome {
    let text = match call.flags.get("patch-file") {
        Some(path) => call.read(path)?,
        None => call.flags.text("patch").to_owned(),
    };
    if text.is_empty() {
        return plain("must specify --patch or --patch-file containing the contents of the patch");
    }
    let how = call.flags.text("type").to_lowercase();
    if !["json", "merge", "strategic"].contains(&how.as_str()) {
        return plain(format!(
            "--type must be one of [json merge strategic], not {}",
            crate::api::error::go_quote(&how)
        ));
    }
    let Some(change) = manifests::parse_value(&text) else {
        return plain(format!(
            "unable to parse {}: yaml: invalid",
            crate::api::error::go_quote(&text)
        ));
    };
    let found = resources::find(call)?;
    let mut failures = found.failures;
    if found.objects.is_empty() && failures.is_empty() {
        return plain("no objects passed to patch");
    }
    let of_status = call.flags.text("subresource") == "status";
    for object in found.objects {
        let before = shown(&object);
        let mut value = before.clone();
        let result = match how.as_str() {
            "json" => patches::json_patch(&mut value, &change).map_err(|_| {
                ApiError::new(
                    Reason::Invalid,
                    "the server rejected our request due to an error in our request",
                )
            }),
            "merge" => {
                patches::merge(&mut value, &change);
                Ok(())
            }
            _ => patches::strategic(object.kind, &mut value, &change)
                .map_err(|why| ApiError::new(Reason::BadRequest, why)),
        };
        if let Err(error) = result {
            failures.push(Failure::Api(error));
            continue;
        }
        if value == before {
            call.done(object.kind, &value, "patched (no change)")?;
            continue;
        }
        let namespace = object.meta.namespace.clone();
        let stored = if of_status {
            call.write(|world| world.update_status(object.kind, &value, &namespace))
                .map(|o| shown(&o))
        } else {
            store_change(call, object.kind, &value, &namespace)
        };
        match stored {
            Ok(stored) => {
                let what = if same(&stored, &before) { "patched (no change)" } else { "patched" };
                call.done(object.kind, &stored, what)?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of(failures)
}

fn same(a: &crate::api::Value, b: &crate::api::Value) -> bool {
    a.get("metadata").and_then(|m| m.get("resourceVersion"))
        == b.get("metadata").and_then(|m| m.get("resourceVersion"))
        && a == b
}

/// There is no editor in a console.
pub(crate) fn edit(_call: &mut Call<'_>) -> Outcome {
    plain(
        "unable to launch the editor: this console has none; use kubectl patch, kubectl set or kubectl apply",
    )
}
