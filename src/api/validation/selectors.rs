//! Selectors of labels, nodes and topologies.

use super::names;
use super::object_meta::{label_name, labels};
use super::path::{Errors, Fields as _, Path, Report as _};
use crate::api::Value;

/// Models staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
/// ValidateLabelSelector.
pub(super) fn label_selector(selector: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    let Some(selector) = selector else { return };
    labels(selector.sub("matchLabels"), &path.child("matchLabels"), errors);
    let list = path.child("matchExpressions");
    for (index, requirement) in selector.list("matchExpressions").iter().enumerate() {
        label_requirement(requirement, &list.index(index), errors);
    }
}

fn label_requirement(requirement: &Value, path: &Path<'_>, errors: &mut Errors) {
    operator_and_values(requirement, path, errors);
    label_name(requirement.text("key"), &path.child("key"), errors);
    label_values(requirement, path, errors);
}

fn label_values(requirement: &Value, path: &Path<'_>, errors: &mut Errors) {
    let list = path.child("values");
    for (index, value) in requirement.list("values").iter().enumerate() {
        let value = value.as_str().unwrap_or_default();
        errors.each_invalid(&list.index(index), value, names::label_value(value));
    }
}

fn operator_and_values(requirement: &Value, path: &Path<'_>, errors: &mut Errors) {
    let values = requirement.list("values");
    match requirement.text("operator") {
        "In" | "NotIn" if values.is_empty() => {
            let detail = "must be specified when `operator` is 'In' or 'NotIn'";
            errors.required(path.child("values"), detail);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.forbidden(path.child("values"), detail);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        operator => {
            errors.invalid(path.child("operator"), operator, "not a valid selector operator");
        }
    }
}

/// Models pkg/apis/core/validation/validation.go ValidateNodeSelector.
pub(super) fn node_selector(selector: &Value, path: &Path<'_>, errors: &mut Errors) {
    let list = path.child("nodeSelectorTerms");
    let terms = selector.list("nodeSelectorTerms");
    if terms.is_empty() {
        errors.required(list, "must have at least one node selector term");
    }
    for (index, term) in terms.iter().enumerate() {
        node_selector_term(term, true, &list.index(index), errors);
    }
}

/// Models ValidateNodeSelectorTerm; values are labels' values only where `strict`.
pub(super) fn node_selector_term(term: &Value, strict: bool, path: &Path<'_>, errors: &mut Errors) {
    let list = path.child("matchExpressions");
    for (index, requirement) in term.list("matchExpressions").iter().enumerate() {
        let path = list.index(index);
        match requirement.text("operator") {
            "Gt" | "Lt" => {
                if requirement.list("values").len() != 1 {
                    let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                    errors.required(path.child("values"), detail);
                }
            }
            _ => operator_and_values(requirement, &path, errors),
        }
        label_name(requirement.text("key"), &path.child("key"), errors);
        if strict {
            label_values(requirement, &path, errors);
        }
    }
    let list = path.child("matchFields");
    for (index, requirement) in term.list("matchFields").iter().enumerate() {
        node_field(requirement, &list.index(index), errors);
    }
}

/// Models ValidateNodeFieldSelectorRequirement.
fn node_field(requirement: &Value, path: &Path<'_>, errors: &mut Errors) {
    let values = requirement.list("values");
    match requirement.text("operator") {
        "In" | "NotIn" => {
            if values.len() != 1 {
                let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node \
                              field selector";
                errors.required(path.child("values"), detail);
            }
        }
        operator => {
            errors.invalid(path.child("operator"), operator, "not a valid selector operator");
        }
    }
    let key = requirement.text("key");
    if key != "metadata.name" {
        errors.invalid(path.child("key"), key, "not a valid field selector key");
        return;
    }
    let list = path.child("values");
    for (index, value) in values.iter().enumerate() {
        let value = value.as_str().unwrap_or_default();
        errors.each_invalid(&list.index(index), value, names::dns_subdomain(value));
    }
}
