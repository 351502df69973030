//! `kubectl edit`.

use super::apply::LAST_APPLIED;
use crate::api::tree::Tree as _;
use crate::api::{Object, Reason, Value, go_syntax};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::manifests::{self, to_yaml};
use crate::kubectl::output::unknown_format;
use crate::kubectl::patch::two_way;
use crate::kubectl::resources;
use crate::kubectl::task::{Input, Task, Wake};
use crate::store::ObjectKey;
use crate::store::patch::{FieldValidation, Patch};
use serde_json::json;
use std::sync::Arc;

/// What stands above every text that is edited.
const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

const LAST_APPLIED_HEADER: &str =
    "# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
";

/// Opens objects in an editor and stores what becomes of them.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/editor/editoptions.go Run.
pub(crate) fn edit(call: &mut Call<'_>) -> Outcome {
    let format = call.flags.text("output");
    if !matches!(format, "" | "json" | "yaml" | "kyaml") {
        return Err(unknown_format(format, &["json", "kyaml", "yaml"]));
    }
    let found = resources::find(call)?;
    Failure::of(found.failures)?;
    if found.objects.is_empty() {
        return plain("edit cancelled, no objects found");
    }
    open(call, found.objects, false)
}

/// Opens what was applied last of objects in an editor.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/apply/apply_edit_last_applied.go.
pub(crate) fn edit_last_applied(call: &mut Call<'_>) -> Outcome {
    let mut found = resources::find(call)?;
    Failure::of(found.failures)?;
    found.objects.retain(|object| last_applied(object).is_some());
    if found.objects.is_empty() {
        return plain("unable to find the last-applied-configuration annotation");
    }
    open(call, found.objects, true)
}

fn last_applied(object: &Object) -> Option<Value> {
    serde_json::from_str(object.meta.annotations.get(LAST_APPLIED)?).ok()
}

fn open(call: &mut Call<'_>, objects: Vec<Arc<Object>>, of_last_applied: bool) -> Outcome {
    let value = |object: &Arc<Object>| match of_last_applied {
        true => last_applied(object).unwrap_or_default(),
        false => shown(object),
    };
    let values: Vec<Value> = objects.iter().map(value).collect();
    let name = match objects.as_slice() {
        [one] => format!("{}/{}", one.kind.singular_group(), one.meta.name),
        _ => "List".to_owned(),
    };
    let body = match values.as_slice() {
        [one] => to_yaml(one),
        many => to_yaml(&json!({
            "apiVersion": "v1", "items": many, "kind": "List", "metadata": {},
        })),
    };
    Edit { name, objects, of_last_applied, body, reasons: String::new() }.open(call)
}

/// Objects in an editor.
#[derive(Debug)]
pub(crate) struct Edit {
    name: String,
    objects: Vec<Arc<Object>>,
    /// Whether it is not they that are edited, but what was applied last of them.
    of_last_applied: bool,
    /// The text without comments, as it was opened.
    body: String,
    /// Why it was opened again, as comments.
    reasons: String,
}

impl Edit {
    fn open(self, call: &mut Call<'_>) -> Outcome {
        let header = if self.of_last_applied { LAST_APPLIED_HEADER } else { HEADER };
        let text = format!("{header}{}{}", self.reasons, self.body);
        call.wait_for(Wake::Text { name: self.name.clone(), text }, Task::Edit(self))
    }

    pub(crate) fn go_on(mut self, call: &mut Call<'_>, input: Input) -> Outcome {
        let saved = match input {
            Input::Time => return self.open(call),
            // Who leaves the editor without saving has changed nothing.
            Input::Text(saved) => saved.map_or_else(|| self.body.clone(), |it| stripped(&it)),
            Input::Interrupt => return Err(Failure::Silent(130)),
            Input::Line(_) | Input::End => {
                return plain(
                    "unable to launch the editor: this console has none; use kubectl patch, kubectl set or kubectl apply",
                );
            }
        };
        if saved == self.body {
            if self.reasons.is_empty() {
                call.warn("Edit cancelled, no changes made.");
                return Ok(());
            }
            keep(call, &saved);
            return plain("Edit cancelled, no valid changes were saved.");
        }
        if saved.trim().is_empty() {
            call.warn("Edit cancelled, saved file was empty.");
            return Ok(());
        }
        self.reasons.clear();
        match manifests::documents(&saved, "edited-file") {
            (_, Some(failure)) => {
                let why = failure.sentence();
                self.reasons = format!("# The edited file had a syntax error: {why}\n#\n");
            }
            (documents, None) => {
                let mut edited = Vec::new();
                for document in documents {
                    match document.get("items").and_then(Value::as_array) {
                        Some(items) => edited.extend(items.iter().cloned()),
                        None => edited.push(document),
                    }
                }
                for value in &edited {
                    if let Err(failure) = self.store(call, value) {
                        keep(call, &saved);
                        return Err(failure);
                    }
                }
                if self.reasons.is_empty() {
                    return Ok(());
                }
            }
        }
        self.body = saved;
        self.open(call)
    }

    /// Stores one object as it was edited. What is invalid is noted, to be edited again.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/util/editor/editoptions.go visitToPatch.
    fn store(&mut self, call: &mut Call<'_>, edited: &Value) -> Outcome {
        if self.of_last_applied {
            return self.store_note(call, edited);
        }
        let uid = edited.at(&["metadata", "uid"]);
        let original = self.objects.iter().map(|object| (object.kind, shown(object)));
        let found = original.into_iter().find(|(_, value)| value.at(&["metadata", "uid"]) == uid);
        let Some((kind, original)) = found else { return plain(not_original(edited)) };
        if *edited == original {
            return call.done(kind, edited, "skipped");
        }
        let text = |value: &Value, path: &[&str]| value.str_at(path).map(str::to_owned);
        for path in [&["apiVersion"] as &[&str], &["kind"], &["metadata", "name"]] {
            if text(edited, path) != text(&original, path) {
                return plain("At least one of apiVersion, kind and name was changed");
            }
        }
        let name = text(edited, &["metadata", "name"]).unwrap_or_default();
        let namespace = text(&original, &["metadata", "namespace"]).unwrap_or_default();
        let resource = kind.group_resource();
        let mut new = edited.clone();
        call.record(&mut new);
        let (how, body) = two_way(kind, &original, &new).map_err(Failure::Plain)?;
        let patch = Patch { how, body, fields: FieldValidation::Strict, of_status: false };
        let result = call.patch(kind, &ObjectKey::new(&namespace, &name), &patch);
        let result = result.map(|patched| shown(&patched));
        let error = match result {
            Ok(stored) => return call.done(kind, &stored, "edited"),
            Err(Failure::Api(error)) => error,
            Err(other) => return Err(other),
        };
        match error.reason {
            Reason::Invalid => {
                self.reasons.push_str(&format!("# {resource} \"{name}\" was not valid:\n"));
                for cause in &error.causes {
                    let why = format!("{}: {}", cause.field, cause.body()).replace('\n', "\n# ");
                    self.reasons.push_str(&format!("# * {why}\n"));
                }
                self.reasons.push_str("#\n");
                call.warn(format!("error: {resource} \"{name}\" is invalid"));
                Ok(())
            }
            Reason::NotFound => {
                call.warn(format!("error: {resource} \"{name}\" could not be found on the server"));
                Err(Failure::Silent(1))
            }
            _ => {
                call.warn(format!(
                    "error: {resource} \"{name}\" could not be patched: {}",
                    error.message
                ));
                let path = file_name(call);
                call.warn(format!(
                    "You can run `kubectl replace -f {path}` to try this update again."
                ));
                Err(Failure::Silent(1))
            }
        }
    }
}

impl Edit {
    /// Stores what is to be taken for applied.
    ///
    /// Models editoptions.go visitToApplyEditPatch.
    fn store_note(&self, call: &mut Call<'_>, edited: &Value) -> Outcome {
        let name = edited.str_at(&["metadata", "name"]);
        let found = self.objects.iter().find(|object| Some(&*object.meta.name) == name);
        let Some(object) = found else { return plain(not_original(edited)) };
        let (_, patch) = super::last_applied::note(edited);
        let stored = call.patch(object.kind, &ObjectKey::of(object), &patch)?;
        call.done(object.kind, &shown(&stored), "edited")
    }
}

fn not_original(edited: &Value) -> String {
    let object = go_syntax(edited);
    format!("no original object found for &unstructured.Unstructured{{Object:{object}}}")
}

/// The text without its comments.
fn stripped(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

fn file_name(call: &Call<'_>) -> String {
    format!("/tmp/kubectl-edit-{}.yaml", call.world.now().as_secs())
}

/// Keeps what could not be stored.
fn keep(call: &mut Call<'_>, text: &str) {
    let path = file_name(call);
    call.warn(format!("A copy of your changes has been stored to \"{path}\""));
    call.session.write(&path, text.to_owned());
}
