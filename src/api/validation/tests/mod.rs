//! Refusals in the API server's words: one table a subject.

use super::{validate_create, validate_update};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{FieldError, Kind, Value, defaults};
use expect_test::Expect;

mod recorded;
mod tables;

/// Reads a manifest and gives it its defaults, and what the store adds.
fn read(yaml: &str) -> (Kind, Value) {
    let mut object: Value = serde_yaml::from_str(yaml).expect("YAML");
    let word = |key| object.str_at(&[key]).expect("apiVersion and kind").to_owned();
    let kind = Kind::of_manifest(&word("apiVersion"), &word("kind")).expect("a served kind");
    if kind.namespaced() {
        object.put_default(&["metadata", "namespace"], "default");
    }
    defaults::apply(kind, &mut object);
    if kind == Kind::Job && object.bool_at(&["spec", "manualSelector"]) != Some(true) {
        let uid = "00000000-0000-4000-8000-000000000001";
        let name = object.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
        object.put(&["metadata", "uid"], uid);
        let key = "batch.kubernetes.io/controller-uid";
        object.put_default(&["spec", "selector", "matchLabels", key], uid);
        for prefix in ["", "batch.kubernetes.io/"] {
            let labels = ["spec", "template", "metadata", "labels"];
            let entry = object.entry(&labels);
            entry.put(&[&format!("{prefix}controller-uid")], uid);
            entry.put(&[&format!("{prefix}job-name")], name.as_str());
        }
    }
    (kind, object)
}

/// What kubectl prints about an object that was refused.
fn told(kind: Kind, object: &Value, errors: Vec<FieldError>) -> String {
    if errors.is_empty() {
        return String::new();
    }
    let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
    let lines: Vec<String> = errors.iter().map(FieldError::to_string).collect();
    let start = format!("The {kind} \"{name}\" is invalid:");
    match lines.as_slice() {
        [one] => format!("{start} {one}\n"),
        many => format!(
            "{start} \n{}\n",
            many.iter().map(|l| format!("* {l}")).collect::<Vec<_>>().join("\n")
        ),
    }
}

/// Checks what is said to a new object.
fn check(yaml: &str, expected: Expect) {
    let (kind, object) = read(yaml);
    expected.assert_eq(&told(kind, &object, validate_create(kind, &object)));
}

/// Checks what is said to a change.
fn check_update(old: &str, new: &str, expected: Expect) {
    let (_, old) = read(old);
    let (kind, new) = read(new);
    expected.assert_eq(&told(kind, &new, validate_update(kind, &new, &old)));
}
