//! `kubectl patch`.

use crate::api::error::go_quote;
use crate::api::tree::Tree as _;
use crate::api::{ApiError, Kind, Object, Reason, Value};
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::{manifests, resources, scale};
use crate::store::ObjectKey;
use crate::store::patch::{Patch, PatchType, patch_locally};

/// Changes fields of an object.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/patch/patch.go.
pub(crate) fn patch(call: &mut Call<'_>) -> Outcome {
    let how = patch_type(call)?;
    let text = patch_text(call)?;
    let found = match call.flags.on("local") {
        true => return patch_files(call, how, &text),
        false => resources::find_named(call)?,
    };
    let mut failures = found.failures;
    if found.objects.is_empty() && failures.is_empty() {
        return plain("no objects passed to patch");
    }
    for object in found.objects {
        if let Err(failure) = patch_one(call, &object, how, &text) {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

fn patch_type(call: &Call<'_>) -> Result<PatchType, Failure> {
    let (text, file) = (call.flags.text("patch"), call.flags.text("patch-file"));
    if !text.is_empty() && !file.is_empty() {
        return plain("cannot specify --patch and --patch-file together");
    }
    if text.is_empty() && file.is_empty() {
        return plain("must specify --patch or --patch-file containing the contents of the patch");
    }
    if call.flags.on("local") && !call.args.is_empty() {
        return plain("cannot specify --local and server resources");
    }
    let how = call.flags.text("type");
    match how.to_lowercase().as_str() {
        "json" => Ok(PatchType::Json),
        "merge" => Ok(PatchType::Merge),
        "strategic" => Ok(PatchType::Strategic),
        _ => plain(format!("--type must be one of [json merge strategic], not {}", go_quote(how))),
    }
}

/// The patch as JSON; what begins like JSON is sent as it stands.
fn patch_text(call: &Call<'_>) -> Result<String, Failure> {
    let text = match call.flags.get("patch-file") {
        Some(path) => call.read(path).map_err(|_| {
            Failure::Plain(format!(
                "unable to read patch file: open {path}: no such file or directory"
            ))
        })?,
        None => call.flags.text("patch").to_owned(),
    };
    if text.trim_start().starts_with('{') {
        return Ok(text);
    }
    let parsed = crate::manifest::parse(&text);
    match parsed.problems.first() {
        Some(problem) => plain(format!("unable to parse {}: {}", go_quote(&text), problem.message)),
        None => {
            let value = parsed.documents.into_iter().next();
            Ok(value.map_or(Value::Null, |document| document.value).to_string())
        }
    }
}

fn patch_one(call: &mut Call<'_>, object: &Object, how: PatchType, text: &str) -> Outcome {
    let (kind, before) = (object.kind, shown(object));
    let mut patch = Patch::parse(how, text)?;
    let subresource = call.flags.text("subresource").to_owned();
    patch.of_status = subresource == "status";
    if subresource == "scale" {
        return scale::patch(call, object, &patch);
    }
    if !matches!(subresource.as_str(), "" | "status" | "resize" | "ephemeralcontainers") {
        let why = "the server could not find the requested resource";
        return Err(ApiError::new(Reason::NotFound, why).into());
    }
    if call.dry_run()? == DryRun::Client {
        return patch_here(call, kind, before, &patch);
    }
    if subresource == "ephemeralcontainers" && kind == Kind::Pod {
        let mut value = before.clone();
        patch_locally(kind, &mut value, &patch).map_err(Failure::Plain)?;
        let wanted = value.items_at(&["spec", "ephemeralContainers"]).to_vec();
        let key = ObjectKey::of(object);
        let after = shown(&*call.write(|world| world.update_ephemeral_containers(&key, &wanted))?);
        let what = if after == before { "patched (no change)" } else { "patched" };
        return call.done_plainly(kind, &after, what);
    }
    let patched =
        call.patch(kind, &ObjectKey::of(object), &patch).map_err(|failure| match failure {
            Failure::Api(error) if error.reason == Reason::UnsupportedMediaType => {
                let (media, version) = (how.media_type(), kind.api_version());
                let name = kind.name();
                Failure::Plain(format!(
                    "{media} is not supported by {version}, Kind={name}: {}",
                    error.message
                ))
            }
            other => other,
        })?;
    let after = shown(&patched);
    let what = if after == before { "patched (no change)" } else { "patched" };
    super::record_after(call, &patched)?;
    call.done_plainly(kind, &after, what)
}

/// Patches an object without the server.
fn patch_here(call: &mut Call<'_>, kind: Kind, before: Value, patch: &Patch) -> Outcome {
    let mut value = before.clone();
    patch_locally(kind, &mut value, patch).map_err(Failure::Plain)?;
    let what = if value == before { "patched (no change)" } else { "patched" };
    call.done_plainly(kind, &value, what)
}

fn patch_files(call: &mut Call<'_>, how: PatchType, text: &str) -> Outcome {
    if !call.flags.given("filename") {
        return plain(resources::LOCAL);
    }
    let (manifests, mut failures) = manifests::read_all(call)?;
    for manifest in manifests {
        let patch = Patch::parse(how, text)?;
        if let Err(failure) = patch_here(call, manifest.kind, manifest.value, &patch) {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}
