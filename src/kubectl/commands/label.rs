//! `kubectl label` and `kubectl annotate`.

use super::send_change;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Object, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;

/// Labels or annotations.
struct Words {
    field: &'static str,
    one: &'static str,
    done: &'static str,
    undone: &'static str,
}

const LABELS: Words = Words { field: "labels", one: "label", done: "labeled", undone: "unlabeled" };
const ANNOTATIONS: Words =
    Words { field: "annotations", one: "annotation", done: "annotated", undone: "annotated" };

/// `kubectl label`.
pub(crate) fn label(call: &mut Call<'_>) -> Outcome {
    change(call, &LABELS)
}

/// `kubectl annotate`.
pub(crate) fn annotate(call: &mut Call<'_>) -> Outcome {
    change(call, &ANNOTATIONS)
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/label/label.go and annotate/annotate.go.
fn change(call: &mut Call<'_>, words: &Words) -> Outcome {
    let mut names = Vec::new();
    let (mut new, mut gone) = (Vec::new(), Vec::new());
    for arg in core::mem::take(&mut call.args) {
        match arg.split_once('=') {
            Some((key, value)) => new.push((key.to_owned(), value.to_owned())),
            None => match arg.strip_suffix('-') {
                Some(key) if !names.is_empty() => gone.push(key.to_owned()),
                _ => names.push(arg),
            },
        }
    }
    let from_files = !call.flags.list("filename").is_empty();
    if names.is_empty() && !from_files {
        return plain(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        );
    }
    let list = call.flags.on("list");
    if new.is_empty() && gone.is_empty() && !list {
        return plain(format!("at least one {} update is required", words.one));
    }
    if new.iter().any(|(key, _)| gone.contains(key)) {
        let article = if words.one == "label" { "a" } else { "an" };
        return plain(format!(
            "can not both modify and remove {article} {} in the same command",
            words.one
        ));
    }
    call.args = names;
    let by_kind = call.args.len() == 1 && call.args.iter().all(|arg| !arg.contains('/'));
    let narrowed =
        ["selector", "field-selector"].iter().any(|flag| !call.flags.text(flag).is_empty());
    if by_kind && !narrowed && !call.flags.on("all") && !from_files {
        return plain("resource(s) were provided, but no name was specified");
    }
    let found = resources::find_named(call)?;
    let mut failures = found.failures;
    if found.objects.is_empty() && failures.is_empty() {
        call.warn("No resources found");
    }
    for object in found.objects {
        let result = if list {
            show(call, &object, words)
        } else {
            change_one(call, &object, words, &new, &gone)
        };
        if let Err(failure) = result {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

fn show(call: &mut Call<'_>, object: &Object, words: &Words) -> Outcome {
    let map = if words.field == "labels" { &object.meta.labels } else { &object.meta.annotations };
    let lines: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value}")).collect();
    for line in lines {
        call.say(line);
    }
    Ok(())
}

fn change_one(
    call: &mut Call<'_>,
    object: &Object,
    words: &Words,
    new: &[(String, String)],
    gone: &[String],
) -> Outcome {
    let before = shown(object);
    let mut value = before.clone();
    if !call.flags.on("overwrite") {
        let clash: Vec<String> = new
            .iter()
            .filter_map(|(key, value)| {
                let old = before.str_at(&["metadata", words.field, key])?;
                (old != value).then(|| match words.one {
                    "label" => {
                        format!("'{key}' already has a value ({old}), and --overwrite is false")
                    }
                    _ => format!("'{key}' already has a value ({old})"),
                })
            })
            .collect();
        if !clash.is_empty() {
            return Err(match words.one {
                "label" => Failure::Plain(clash.join(", ")),
                _ => Failure::Plain(format!(
                    "--overwrite is false but found the following declared annotation(s): {}",
                    clash.join("; ")
                )),
            });
        }
    }
    for key in gone {
        if value.remove(&["metadata", words.field, key]).is_none() && words.one == "label" {
            call.say(format!("label \"{key}\" not found."));
        }
    }
    for (key, text) in new {
        value.put(&["metadata", words.field, key], text.clone());
    }
    if value.fields_at(&["metadata", words.field]).is_some_and(serde_json::Map::is_empty) {
        value.remove(&["metadata", words.field]);
    }
    let changed = value != before;
    let stored = if changed { store(call, object, &value)? } else { value };
    let what = match (words.one, changed) {
        ("label", false) => "not labeled",
        ("label", true) if new.is_empty() => words.undone,
        _ => words.done,
    };
    call.done(object.kind, &stored, what)
}

fn store(call: &mut Call<'_>, object: &Object, value: &Value) -> Result<Value, Failure> {
    send_change(call, object, value)
}
