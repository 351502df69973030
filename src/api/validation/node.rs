//! Nodes and Namespaces.
//!
//! Models pkg/apis/core/validation/validation.go ValidateNode, ValidateNodeUpdate and
//! ValidateNamespace.

use super::addresses::{legacy_range, sloppy_range};
use super::object_meta::label_name;
use super::path::{Errors, Fields as _, Path, Report as _};
use super::pod::resources::whole_amount;
use super::{go_structs, names, pod};
use crate::api::{FieldError, Value};
use serde_json::json;

/// A new Node, or with `old` a changed one.
pub(super) fn node(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    // The API server looks for a node's taints beside its labels.
    let meta_path = Path::root("metadata");
    taints(spec.list("taints"), &meta_path.child("taints"), errors);
    let status = object.sub("status").unwrap_or(&null);
    let status_path = Path::root("status");
    for list in ["capacity", "allocatable"] {
        let path = status_path.child(list);
        for (name, value) in status.map(list) {
            whole_amount(name, Some(value), &path.child(name), errors);
        }
    }
    let path = Path::root("spec");
    pod_ranges(spec, &path.child("podCIDRs"), errors);
    let Some(old) = old else { return };
    let old = old.sub("spec").unwrap_or(&null);
    let ranges = old.list("podCIDRs");
    if !ranges.is_empty() && ranges != spec.list("podCIDRs") {
        let detail = "node updates may not change podCIDR except from \"\" to valid";
        errors.forbidden(path.child("podCIDRs"), detail);
    }
    let id = old.text("providerID");
    if !id.is_empty() && id != spec.text("providerID") {
        let detail = "node updates may not change providerID except from \"\" to valid";
        errors.forbidden(path.child("providerID"), detail);
    }
    if spec.text("externalID") != old.text("externalID") {
        errors.forbidden(path.child("externalID"), "may not be updated");
    }
}

/// The addresses that a node gives to its pods.
fn pod_ranges(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let ranges = spec.list("podCIDRs");
    for (index, range) in ranges.iter().enumerate() {
        legacy_range(range.as_str().unwrap_or_default(), &path.index(index), errors);
    }
    let is_v6 = |range: &Value| {
        let range = range.as_str().and_then(sloppy_range);
        range.is_some_and(|range| range.addr().is_ipv6())
    };
    let one_each = match ranges {
        [] | [_] => true,
        [one, other] => is_v6(one) != is_v6(other),
        _ => false,
    };
    if !one_each {
        let detail = "may specify no more than one CIDR for each IP family";
        errors.invalid(path, json!(ranges), detail);
    }
}

/// Models validateNodeTaints.
fn taints(taints: &[Value], path: &Path<'_>, errors: &mut Errors) {
    for (index, taint) in taints.iter().enumerate() {
        let path = path.index(index);
        label_name(taint.text("key"), &path.child("key"), errors);
        let value = taint.text("value");
        let wrong = names::label_value(value);
        if !wrong.is_empty() {
            errors.invalid(path.child("value"), value, wrong.join(";"));
        }
        let effect = taint.text("effect");
        if effect.is_empty() {
            errors.required(path.child("effect"), "");
        } else {
            pod::taint_effect(effect, &path.child("effect"), errors);
        }
        let key = |taint: &Value| (taint.text("key").to_owned(), taint.text("effect").to_owned());
        if taints.iter().take(index).any(|other| key(other) == key(taint)) {
            let detail = "taints must be unique by key and effect pair";
            let shown = go_structs::compact("Taint", taint);
            let error = FieldError::duplicate(path, taint.clone()).with_detail(detail);
            errors.push(error.showing(shown));
        }
    }
}

/// A new Namespace.
pub(super) fn namespace(object: &Value, errors: &mut Errors) {
    let Some(spec) = object.sub("spec") else { return };
    let path = Path::root("spec");
    let path = path.child("finalizers");
    for name in spec.list("finalizers") {
        let name = name.as_str().unwrap_or_default();
        errors.each_invalid(&path, name, names::qualified_name(name));
        let standard = ["kubernetes", "orphan", "foregroundDeletion"].contains(&name);
        if !name.contains('/') && !standard {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(path, name, detail);
        }
    }
}
