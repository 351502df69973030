//! `kubectl rollout history` and `rollout undo`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/polymorphichelpers/history.go and rollback.go.

use super::apply::LAST_APPLIED;
use super::rollout::{REVISION, check_revision, found};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, StringMap, Value};
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::{describe, tabwriter};
use crate::store::ObjectKey;
use crate::store::patch::{FieldValidation, Patch, PatchType, patch_locally};
use serde_json::json;
use std::collections::BTreeMap;

const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
const TEMPLATE_HASH: &str = "pod-template-hash";

/// Annotations that a Deployment keeps when it goes back.
const KEPT: [&str; 6] = [
    LAST_APPLIED,
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// The ReplicaSets or ControllerRevisions of an object by their number.
fn revisions(
    call: &Call<'_>,
    object: &Object,
    what: &str,
) -> Result<BTreeMap<i64, Value>, Failure> {
    let kind = object.kind;
    let group_kind = match kind.resource().group {
        "" => kind.name().to_owned(),
        group => format!("{}.{group}", kind.name()),
    };
    match kind {
        Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet => {}
        Kind::Job | Kind::Pod | Kind::ReplicaSet | Kind::ReplicationController | Kind::CronJob => {
            let viewer = if what == "history" { "history viewer" } else { what };
            return plain(format!("no {viewer} has been implemented for \"{group_kind}\""));
        }
        _ => {
            let (group, name) = (kind.resource().group, kind.name());
            return plain(format!(
                "error retrieving {what} for \"{group_kind}\", no visitor method exists for {{{group} {name}}}"
            ));
        }
    }
    let mut all = BTreeMap::new();
    for owned in call.world.store().owned_by(object.meta.uid) {
        let value = shown(owned);
        let number = match (kind, owned.kind) {
            (Kind::Deployment, Kind::ReplicaSet) => {
                owned.meta.annotations.get(REVISION).and_then(|text| text.parse().ok())
            }
            (Kind::DaemonSet | Kind::StatefulSet, Kind::ControllerRevision) => {
                value.int_at(&["revision"])
            }
            _ => None,
        };
        all.extend(number.map(|number| (number, value)));
    }
    Ok(all)
}

fn cause(revision: &Value) -> Option<&str> {
    revision.str_at(&["metadata", "annotations", CHANGE_CAUSE]).filter(|text| !text.is_empty())
}

/// The template of a revision.
fn template_of(revision: &Value) -> Value {
    let path: &[&str] = match revision.str_at(&["kind"]) {
        Some("ReplicaSet") => &["spec", "template"],
        _ => &["data", "spec", "template"],
    };
    let mut template = revision.at(path).cloned().unwrap_or(Value::Null);
    template.remove(&["$patch"]);
    template
}

/// `kubectl rollout history`.
pub(crate) fn history(call: &mut Call<'_>) -> Outcome {
    let wanted = call.flags.int("revision")?.unwrap_or(0);
    if call.args.is_empty() && !call.flags.given("filename") {
        return plain("required resource not specified");
    }
    check_revision(wanted)?;
    let (objects, mut failures) = found(call)?;
    for object in objects {
        let all = match revisions(call, &object, "history") {
            Ok(all) => all,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let chosen = match (wanted, all.get(&wanted)) {
            (0, _) => all.values().collect(),
            (_, Some(revision)) => vec![revision],
            (_, None) => {
                failures.push(Failure::Plain("unable to find the specified revision".to_owned()));
                continue;
            }
        };
        if call.flags.given("output") {
            for revision in chosen {
                let one = as_object(&object, revision);
                call.done_plainly(object.kind, &one, "")?;
            }
            continue;
        }
        let head = format!("{}/{}", object.kind.singular_group(), object.meta.name);
        match chosen.as_slice() {
            [revision] if wanted > 0 => {
                let text = described(call, revision);
                call.say(format!("{head} with revision #{wanted}"));
                call.say(text);
            }
            [] => call.say(format!("{head} \nNo rollout history found.")),
            _ => {
                let mut table = String::from("REVISION\tCHANGE-CAUSE\n");
                for (number, revision) in &all {
                    let cause = cause(revision).unwrap_or("<none>");
                    table.push_str(&format!("{number}\t{cause}\n"));
                }
                call.say(format!("{head} \n{}", tabwriter::align(&table, 0, 2)));
            }
        }
    }
    Failure::of(failures)
}

/// What `-o` shows of a revision: the ReplicaSet, or the object as it was then.
fn as_object(object: &Object, revision: &Value) -> Value {
    if object.kind == Kind::Deployment {
        return revision.clone();
    }
    let mut value = shown(object);
    if let Some(patch) = revision.get("data") {
        let _ = patch_locally(object.kind, &mut value, &restoring(patch.clone()));
    }
    value
}

fn restoring(body: Value) -> Patch {
    let (how, fields) = (PatchType::Strategic, FieldValidation::Warn);
    Patch { how, body, fields, of_status: false }
}

/// A revision's template with the cause of its change.
fn described(call: &Call<'_>, revision: &Value) -> String {
    let mut template = template_of(revision);
    if let (Some(cause), Some("ReplicaSet")) = (cause(revision), revision.str_at(&["kind"])) {
        template.put(&["metadata", "annotations", CHANGE_CAUSE], cause);
    }
    describe::template_text(&template, call.world.now())
}

/// `kubectl rollout undo`.
pub(crate) fn undo(call: &mut Call<'_>) -> Outcome {
    let wanted = call.flags.int("to-revision")?.unwrap_or(0);
    call.dry_run()?;
    let (objects, mut failures) = found(call)?;
    for object in objects {
        if object.meta.annotations.get(LAST_APPLIED).is_some() {
            call.warn(format!(
                "Warning: resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.",
                object.kind.plural(), object.meta.name
            ));
        }
        match undo_one(call, &object, wanted) {
            Ok(what) => call.done(object.kind, &shown(&object), &what)?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of(failures)
}

fn undo_one(call: &mut Call<'_>, object: &Object, wanted: i64) -> Result<String, Failure> {
    let all = revisions(call, object, "rollbacker")?;
    let revision = match wanted {
        0 => all.values().rev().nth(1).cloned().ok_or_else(|| match object.kind {
            Kind::Deployment => {
                let name = &object.meta.name;
                Failure::Plain(format!("no rollout history found for deployment \"{name}\""))
            }
            _ => Failure::Plain("no last revision to roll back to".to_owned()),
        })?,
        wanted => all.get(&wanted).cloned().ok_or_else(|| {
            Failure::Plain(format!("unable to find specified revision {wanted} in history"))
        })?,
    };
    if call.dry_run()? == DryRun::Client {
        let template = template_of(&revision);
        let text = describe::template_text(&template, call.world.now());
        return Ok(match object.kind {
            Kind::Deployment => text,
            _ => format!("will roll back to {text}"),
        });
    }
    let value = shown(object);
    if object.kind == Kind::Deployment && value.bool_at(&["spec", "paused"]) == Some(true) {
        return plain(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        );
    }
    let mut template = template_of(&revision);
    template.remove(&["metadata", "labels", TEMPLATE_HASH]);
    if value.at(&["spec", "template"]) == Some(&template) {
        return Ok(format!(
            "skipped rollback (current template already matches revision {wanted})"
        ));
    }
    let patch = match object.kind {
        Kind::Deployment => {
            let body = json!([
                {"op": "replace", "path": "/spec/template", "value": template},
                {"op": "replace", "path": "/metadata/annotations",
                    "value": annotations_after(object, &revision)},
            ]);
            let (how, fields) = (PatchType::Json, FieldValidation::Warn);
            Patch { how, body, fields, of_status: false }
        }
        _ => restoring(revision.get("data").cloned().unwrap_or(Value::Null)),
    };
    call.patch(object.kind, &ObjectKey::of(object), &patch).map_err(|failure| {
        Failure::Plain(format!("failed restoring revision {wanted}: {}", failure.sentence()))
    })?;
    Ok("rolled back".to_owned())
}

/// A Deployment that goes back has the annotations of the ReplicaSet, but for its own bookkeeping.
fn annotations_after(object: &Object, revision: &Value) -> Value {
    let of_set = StringMap::from_value(revision.at(&["metadata", "annotations"]));
    let own = object.meta.annotations.iter().filter(|(key, _)| KEPT.contains(key));
    let theirs = of_set.iter().filter(|(key, _)| !KEPT.contains(key));
    own.chain(theirs).map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}
