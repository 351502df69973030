//! `kubectl label` and `kubectl annotate`.

use super::send_change;
use crate::api::Object;
use crate::api::error::go_quote;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::validation::names::label_value;
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

/// What is changed: keys with their new values, keys that go.
#[derive(Default)]
struct Changes {
    new: Vec<(String, String)>,
    gone: Vec<String>,
}

/// Reads `key=value` and `key-`.
///
/// Models label.go parseLabels, annotate.go validateAnnotations.
fn read(args: Vec<String>, words: &Words) -> Result<(Vec<String>, Changes), Failure> {
    let (mut names, mut changes) = (Vec::new(), Changes::default());
    let is_label = words.one == "label";
    for arg in args {
        let has_begun = !changes.new.is_empty() || !changes.gone.is_empty();
        match arg.split_once('=').filter(|(key, _)| !key.is_empty()) {
            Some((_, value)) if is_label && value.contains('=') => {
                return plain(format!("invalid label spec: {arg}"));
            }
            Some((key, value)) => {
                let wrong = if is_label { label_value(value) } else { Vec::new() };
                if !wrong.is_empty() {
                    let (arg, why) = (go_quote(&arg), wrong.join(";"));
                    return plain(format!("invalid label value: {arg}: {why}"));
                }
                changes.new.push((key.to_owned(), value.to_owned()));
            }
            None => match arg.strip_suffix('-') {
                Some(key) if !names.is_empty() => changes.gone.push(key.to_owned()),
                _ if has_begun => {
                    let one = words.one;
                    return plain(format!(
                        "all resources must be specified before {one} changes: {arg}"
                    ));
                }
                _ => names.push(arg),
            },
        }
    }
    let both: Vec<&str> = changes.gone.iter().map(String::as_str).collect();
    let both: Vec<&str> =
        both.into_iter().filter(|gone| changes.new.iter().any(|(key, _)| key == gone)).collect();
    match (both.is_empty(), is_label) {
        (true, _) => Ok((names, changes)),
        (false, true) => plain("can not both modify and remove a label in the same command"),
        (false, false) => plain(format!(
            "can not both modify and remove the following annotation(s) in the same command: {}",
            both.join(", ")
        )),
    }
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/label/label.go and annotate/annotate.go.
fn change(call: &mut Call<'_>, words: &Words) -> Outcome {
    let (names, changes) = read(core::mem::take(&mut call.args), words)?;
    let list = call.flags.on("list");
    if call.flags.on("local") && !call.flags.given("filename") {
        return plain(
            "can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set",
        );
    }
    if list && call.flags.given("output") {
        return plain("--list and --output may not be specified together");
    }
    for flag in ["selector", "field-selector"] {
        if call.flags.on("all") && !call.flags.text(flag).is_empty() {
            return plain(format!("cannot set --all and --{flag} at the same time"));
        }
    }
    let from_files = !call.flags.list("filename").is_empty();
    if names.is_empty() && !from_files {
        return plain(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        );
    }
    if changes.new.is_empty() && changes.gone.is_empty() && !list {
        return plain(format!("at least one {} update is required", words.one));
    }
    call.args = names;
    let by_kind = call.args.len() == 1 && call.args.iter().all(|arg| !arg.contains('/'));
    let narrowed =
        ["selector", "field-selector"].iter().any(|flag| !call.flags.text(flag).is_empty());
    if by_kind && !narrowed && !call.flags.on("all") && !from_files {
        return plain("resource(s) were provided, but no name was specified");
    }
    let found = resources::find_named(call)?;
    let one = found.single;
    if !one && call.flags.given("resource-version") {
        return plain("--resource-version may only be used with a single resource");
    }
    let mut failures = found.failures;
    for object in found.objects {
        let result = match list {
            true => show(call, &object, words, one),
            false => change_one(call, &object, words, &changes),
        };
        if let Err(failure) = result {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

fn show(call: &mut Call<'_>, object: &Object, words: &Words, one: bool) -> Outcome {
    let map = if words.field == "labels" { &object.meta.labels } else { &object.meta.annotations };
    let indent = if one { "" } else { " " };
    if !one {
        let (kind, group) = (object.kind.name(), object.kind.resource().group);
        call.say(format!("Listing {} for {kind}.{group}/{}:", words.field, object.meta.name));
    }
    for (key, value) in map.iter() {
        call.say(format!("{indent}{key}={value}"));
    }
    Ok(())
}

fn change_one(
    call: &mut Call<'_>,
    object: &Object,
    words: &Words,
    Changes { new, gone }: &Changes,
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
    let (mut added, mut removed) = (false, false);
    for (key, text) in new {
        added |= value.str_at(&["metadata", words.field, key]) != Some(text);
        value.put(&["metadata", words.field, key], text.clone());
    }
    for key in gone {
        match value.remove(&["metadata", words.field, key]) {
            Some(_) => removed = true,
            None if words.one == "label" => call.say(format!("label \"{key}\" not found.")),
            None => {}
        }
    }
    if value.fields_at(&["metadata", words.field]).is_some_and(serde_json::Map::is_empty) {
        value.remove(&["metadata", words.field]);
    }
    call.record(&mut value);
    let changed = value != before;
    if let Some(version) = call.flags.get("resource-version") {
        value.put(&["metadata", "resourceVersion"], version);
    }
    let stored = if changed { send_change(call, object, &value)? } else { value };
    let what = match (words.one, added, removed) {
        ("label", false, false) => "not labeled",
        ("label", true, true) => "modified",
        ("label", false, true) => words.undone,
        _ => words.done,
    };
    call.done(object.kind, &stored, what)
}
