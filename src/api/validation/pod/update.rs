//! What of a pod may change.

use super::super::go_structs;
use super::super::names;
use super::super::object_meta;
use super::super::path::{Errors, Fields as _, Path, Report as _, same};
use super::affinity::only_added_tolerations;
use super::{annotations, line_diff, metadata_and_spec};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{FieldError, Kind, Value};
use serde_json::json;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,\
                         `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                         existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to \
                         be set to 1 if it was previously negative)";

/// Models pkg/apis/core/validation/validation.go ValidatePodUpdate.
pub(in super::super) fn update(new: &Value, old: &Value, errors: &mut Errors) {
    let null = Value::Null;
    object_meta::update(Kind::Pod, new, old, errors);
    object_meta::create(Kind::Pod, new, errors);
    metadata_and_spec(new, errors);
    let meta = |pod: &'_ Value| pod.sub("metadata").cloned().unwrap_or_default();
    let meta_path = Path::root("metadata");
    annotations::update(&meta(new), &meta(old), &meta_path.child("annotations"), errors);
    let (spec, old_spec) = (new.sub("spec").unwrap_or(&null), old.sub("spec").unwrap_or(&null));
    let path = Path::root("spec");
    for list in ["containers", "initContainers"] {
        if !container_images(spec, old_spec, list, &path, errors) {
            return;
        }
    }
    if !deadline(spec, old_spec, &path.child("activeDeadlineSeconds"), errors) {
        return;
    }
    let lists = (spec.list("tolerations"), old_spec.list("tolerations"));
    only_added_tolerations(lists.0, lists.1, &path.child("tolerations"), errors);
    only_removed_gates(spec, old_spec, &path.child("schedulingGates"), errors);
    if same(Some(spec), Some(old_spec)) {
        return;
    }
    let mut rest = spec.clone();
    keep_updatable(&mut rest, old_spec);
    if !old_spec.list("schedulingGates").is_empty() {
        narrower_placement(spec, old_spec, &path, errors);
        keep_placement(&mut rest, old_spec);
    }
    if !same(Some(&rest), Some(old_spec)) {
        let before = go_structs::pretty("PodSpec", old_spec);
        let after = go_structs::pretty("PodSpec", &rest);
        let difference = line_diff::unified(&before, &after);
        let detail =
            format!("pod updates may not change fields other than {UPDATABLE}\n{difference}");
        errors.forbidden(path, detail);
    }
}

/// Models ValidateContainerUpdates; says whether to go on.
fn container_images(
    spec: &Value,
    old: &Value,
    list: &str,
    path: &Path<'_>,
    errors: &mut Errors,
) -> bool {
    let path = path.child(list);
    let containers = spec.list(list);
    if containers.len() != old.list(list).len() {
        errors.forbidden(path, "pod updates may not add or remove containers");
        return false;
    }
    for (index, container) in containers.iter().enumerate() {
        let image = container.text("image");
        let path = path.index(index);
        if image.is_empty() {
            errors.required(path.child("image"), "");
        }
        if image.trim() != image {
            let detail = "must not have leading or trailing whitespace";
            errors.invalid(path.child("image"), image, detail);
        }
    }
    true
}

/// A deadline may come or shrink, not go or grow. Says whether to go on.
fn deadline(spec: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) -> bool {
    let field = "activeDeadlineSeconds";
    match (spec.int(field), old.int(field)) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            errors.invalid(path, new, names::not_between(0, i64::from(i32::MAX)));
            false
        }
        (Some(new), Some(old)) if old < new => {
            errors.invalid(path, new, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            let detail = "must not update from a positive integer to nil value";
            errors.invalid(path, Value::Null, detail);
            true
        }
        _ => true,
    }
}

/// Models validateOnlyDeletedSchedulingGates.
fn only_removed_gates(spec: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) {
    let is_old =
        |name: &str| old.list("schedulingGates").iter().any(|gate| gate.text("name") == name);
    for (index, gate) in spec.list("schedulingGates").iter().enumerate() {
        let name = gate.text("name");
        if !is_old(name) {
            let detail =
                format!("only deletion is allowed, but found new scheduling gate '{name}'");
            errors.forbidden(path.index(index).child("name"), detail);
        }
    }
}

/// Puts the old values where new ones are fine.
fn keep_updatable(spec: &mut Value, old: &Value) {
    for list in ["containers", "initContainers"] {
        let images: Vec<Option<Value>> =
            old.list(list).iter().map(|container| container.sub("image").cloned()).collect();
        let containers = spec.as_object_mut().and_then(|spec| spec.get_mut(list));
        let containers = containers.and_then(Value::as_array_mut).into_iter().flatten();
        for (container, image) in containers.zip(images) {
            container.put(&["image"], image.unwrap_or_default());
        }
    }
    for field in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        restore(spec, old, field);
    }
    let field = "terminationGracePeriodSeconds";
    if old.int(field).is_some_and(|seconds| seconds < 0) && spec.int(field) == Some(1) {
        restore(spec, old, field);
    }
}

/// A pod that waits at a gate may be told more closely where to run.
///
/// Models validateNodeSelectorMutation and validateNodeAffinityMutation.
fn narrower_placement(spec: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) {
    let new_labels = spec.sub("nodeSelector").cloned().unwrap_or_default();
    if old.map("nodeSelector").any(|(key, value)| new_labels.sub(key) != Some(value)) {
        let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        errors.invalid(path.child("nodeSelector"), new_labels, detail);
    }
    let terms_at = ["affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms"];
    let (old_terms, new_terms) = (old.items_at(&terms_at), spec.items_at(&terms_at));
    let list = path.child("affinity");
    let list = list.child("nodeAffinity");
    let list = list.child(REQUIRED);
    let list = list.child("nodeSelectorTerms");
    if old_terms.is_empty() {
        return;
    }
    if old_terms.len() != new_terms.len() {
        let shown: Vec<String> = new_terms.iter().map(selector_term).collect();
        let detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        let shown =
            if shown.is_empty() { "null".to_owned() } else { format!("[{}]", shown.join(",")) };
        errors.push(FieldError::invalid(list, json!(new_terms), detail).showing(shown));
        return;
    }
    for (index, (new, old)) in new_terms.iter().zip(old_terms).enumerate() {
        if !only_adds(new, old) {
            let detail = "only additions are allowed (no mutations or deletions)";
            let error = FieldError::invalid(list.index(index), new.clone(), detail);
            errors.push(error.showing(selector_term(new)));
        }
    }
}

fn selector_term(term: &Value) -> String {
    go_structs::compact("NodeSelectorTerm", term)
}

/// Models validateNodeSelectorTermHasOnlyAdditions.
fn only_adds(new: &Value, old: &Value) -> bool {
    let fields = ["matchExpressions", "matchFields"];
    let is_empty = |term: &Value| fields.iter().all(|field| term.list(field).is_empty());
    if is_empty(old) {
        return is_empty(new);
    }
    fields.iter().all(|field| {
        let (new, old) = (new.list(field), old.list(field));
        new.len() >= old.len() && new.iter().zip(old).all(|(a, b)| same(Some(a), Some(b)))
    })
}

/// Puts the old placement back, which was looked at on its own.
fn keep_placement(spec: &mut Value, old: &Value) {
    restore(spec, old, "nodeSelector");
    let affinity = old.sub("affinity").and_then(|affinity| affinity.sub("nodeAffinity")).cloned();
    match (affinity, spec.sub("affinity").is_some()) {
        (Some(affinity), _) => spec.put(&["affinity", "nodeAffinity"], affinity),
        (None, true) => {
            spec.remove(&["affinity", "nodeAffinity"]);
        }
        (None, false) => {}
    }
}

fn restore(spec: &mut Value, old: &Value, field: &str) {
    match old.sub(field) {
        Some(value) => spec.put(&[field], value.clone()),
        None => {
            spec.remove(&[field]);
        }
    }
}
