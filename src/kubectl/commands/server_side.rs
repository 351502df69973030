//! `kubectl apply --server-side`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/apply/apply.go.

use super::apply::LAST_APPLIED;
use crate::api::tree::TreeMut as _;
use crate::api::{ApiError, FieldError, ManagedFieldsEntry, Object, Reason, Value};
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::manifests::Manifest;
use crate::store::ObjectKey;
use crate::world::World;
use serde_json::json;
use std::sync::Arc;

const ADVICE: &str = "Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// The flags that do not go together, in upstream's order.
///
/// Models apply.go Validate.
pub(super) fn check_flags(call: &Call<'_>) -> Outcome {
    let on = |flag| call.flags.on(flag);
    let server_side = on("server-side");
    let (selects, dry_run) = (!call.flags.text("selector").is_empty(), call.dry_run()?);
    let rules = [
        (on("force-conflicts") && !server_side, "--force-conflicts only works with --server-side"),
        (
            dry_run == DryRun::Client && server_side,
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ),
        (server_side && on("force"), "--force cannot be used with --server-side"),
        (dry_run == DryRun::Server && on("force"), "--dry-run=server cannot be used with --force"),
        (on("all") && selects, "cannot set --all and --selector at the same time"),
        (on("prune") && on("force"), "--force cannot be used with --prune"),
        (
            on("prune") && !on("all") && !selects,
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
        ),
        (
            on("prune") && server_side,
            "--prune is in alpha and doesn't currently work on objects created by server-side apply",
        ),
        (
            call.flags.given("subresource") && !server_side,
            "--subresource can only be specified for --server-side",
        ),
    ];
    rules.into_iter().find(|(broken, _)| *broken).map_or(Ok(()), |(_, why)| plain(why))
}

/// Applies one object.
pub(super) fn apply_one(
    call: &mut Call<'_>,
    manifest: &Manifest,
    new: &Value,
) -> Result<Value, Failure> {
    let manager = call.field_manager();
    if manager.is_empty()
        || call.flags.given("field-manager") && call.flags.text("field-manager").is_empty()
    {
        let cause = FieldError::required("fieldManager", "is required for apply patch");
        return Err(ApiError::invalid("PatchOptions", "", vec![cause]).into());
    }
    let force = call.flags.on("force-conflicts");
    let key = ObjectKey::new(&manifest.namespace, &manifest.name);
    let stored = call.write(|world| {
        let made = world.apply(manifest.kind, &key, new, force)?;
        if manager != "kubectl" {
            return Ok(made);
        }
        Ok(migrate(world, &key, &made, new, force).unwrap_or(made))
    });
    match stored {
        Ok(stored) => {
            super::apply::warn_if_deleting(call, &stored);
            let mut value = shown(&stored);
            if call.world.store().get(manifest.kind, &key).is_none() {
                // What a dry run would make has no revision.
                value.remove(&["metadata", "resourceVersion"]);
            }
            Ok(value)
        }
        Err(Failure::Api(error)) if error.reason == Reason::Conflict => {
            plain(format!("{}\n{ADVICE}", error.message))
        }
        Err(other) => Err(other),
    }
}

/// Makes fields that were applied from the client's side this manager's own, and keeps the note of
/// what was applied with a manager of its own.
///
/// Models apply.go saveLastApplyAnnotationIfNecessary and migrateToSSAIfNecessary.
fn migrate(
    world: &mut World,
    key: &ObjectKey,
    made: &Arc<Object>,
    new: &Value,
    force: bool,
) -> Result<Arc<Object>, ApiError> {
    let Some(note) = made.meta.annotations.get(LAST_APPLIED) else { return Ok(made.clone()) };
    let has_note = |entry: &&ManagedFieldsEntry| {
        let path = ["f:metadata", "f:annotations", &format!("f:{LAST_APPLIED}")];
        entry.fields.at(&path).is_some()
    };
    let mut now = made.clone();
    let entries = |object: &Object| object.meta.managed_fields.recorded().unwrap_or(&[]).to_vec();
    if !entries(&now).iter().filter(has_note).any(|entry| entry.applies) {
        let mut just_note = json!({
            "apiVersion": made.kind.api_version(), "kind": made.kind.name(),
            "metadata": {"name": &*key.name},
        });
        just_note.put(&["metadata", "annotations", LAST_APPLIED], note);
        world.speak_as("kubectl-last-applied", "");
        now = world.apply(made.kind, key, &just_note, false)?;
    }
    world.speak_as("kubectl", "");
    let all = entries(&now);
    let writers = all.iter().filter(has_note).filter(|entry| !entry.applies);
    let writers: Vec<Arc<str>> = writers.map(|entry| entry.manager.clone()).collect();
    if writers.is_empty() {
        return Ok(now);
    }
    world.take_over(&now, &writers, "kubectl")?;
    world.apply(made.kind, key, new, force)
}
