//! What of a pod may change.

use super::super::go_structs;
use super::super::names;
use super::super::object_meta;
use super::super::path::{Errors, Fields as _, Path, Report as _, same};
use super::affinity::only_added_tolerations;
use super::{annotations, line_diff, metadata_and_spec};
use crate::api::tree::TreeMut as _;
use crate::api::{Kind, Value};

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

/// A pod that waits at a gate may still be told where to run.
///
/// Simplified: any change of the node selector and the node affinity passes, not only a narrowing
/// (validateNodeSelectorMutation, validateNodeAffinityMutation).
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
