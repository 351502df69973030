//! ResourceQuotas and LimitRanges.
//!
//! Models pkg/apis/core/validation/validation.go ValidateResourceQuotaSpec and ValidateLimitRange.

use super::names;
use super::path::{Errors, Fields as _, IMMUTABLE, Path, Report as _};
use super::pod::environment::quantity;
use super::pod::resources::{
    container_resource_name, may_overcommit, quota_resource_name, resource_name, whole_amount,
};
use crate::api::Value;
use crate::base::Quantity;
use serde_json::json;
use std::collections::BTreeSet;

const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

/// A new or changed quota.
pub(super) fn resource_quota(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let list = path.child("hard");
    for (name, value) in spec.map("hard") {
        let path = list.key(name);
        quota_resource_name(name, &path, errors);
        whole_amount(name, Some(value), &path, errors);
    }
    scopes(spec, &path.child("scopes"), errors);
    if let Some(selector) = spec.sub("scopeSelector") {
        scope_selector(spec, selector, &path.child("scopeSelector"), errors);
    }
    if let Some(old) = old {
        let set = |spec: &Value| -> BTreeSet<String> {
            spec.list("scopes").iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect()
        };
        let old = old.sub("spec").unwrap_or(&null);
        if set(spec) != set(old) {
            errors.invalid(path.child("scopes"), json!(spec.list("scopes")), IMMUTABLE);
        }
    }
}

/// What quotas count of pods, huge pages aside.
pub(crate) const OF_PODS: [&str; 10] = [
    "pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];

/// Whether a scope makes sense for a resource that is counted.
///
/// Models pkg/apis/core/helper/helpers.go IsResourceQuotaScopeValidForResource.
fn fits(scope: &str, resource: &str) -> bool {
    match scope {
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => {
            ["persistentvolumeclaims", "requests.storage"].contains(&resource)
        }
        scope if SCOPES.contains(&scope) => OF_PODS.contains(&resource),
        _ => true,
    }
}

/// Whether a resource is one that quotas know.
fn is_standard(name: &str) -> bool {
    let mut errors = Errors::new();
    quota_resource_name(name, &Path::root("hard"), &mut errors);
    errors.is_empty() && !name.contains('/')
}

fn conflict(scopes: &[&str]) -> usize {
    let pairs = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];
    pairs.iter().filter(|pair| pair.iter().all(|scope| scopes.contains(scope))).count()
}

/// Models validateResourceQuotaScopes.
fn scopes(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let all = json!(spec.list("scopes"));
    let scopes: Vec<&str> = spec.list("scopes").iter().filter_map(Value::as_str).collect();
    for scope in &scopes {
        if !SCOPES.contains(scope) {
            errors.invalid(path, all.clone(), "unsupported scope");
        }
        for (resource, _) in spec.map("hard") {
            if is_standard(resource) && !fits(scope, resource) {
                errors.invalid(path, all.clone(), "unsupported scope applied to resource");
            }
        }
    }
    for _ in 0..conflict(&scopes) {
        errors.invalid(path, all.clone(), "conflicting scopes");
    }
}

/// Models validateScopedResourceSelectorRequirement.
fn scope_selector(spec: &Value, selector: &Value, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("matchExpressions");
    let mut names = Vec::new();
    for requirement in selector.list("matchExpressions") {
        let (scope, operator) = (requirement.text("scopeName"), requirement.text("operator"));
        names.push(scope);
        if !SCOPES.contains(&scope) {
            errors.invalid(path.child("scopeName"), scope, "unsupported scope");
        }
        for (resource, _) in spec.map("hard") {
            if is_standard(resource) && !fits(scope, resource) {
                let detail = "unsupported scope applied to resource";
                errors.invalid(path, selector.clone(), detail);
            }
        }
        let has_values = ["PriorityClass", "VolumeAttributesClass"].contains(&scope);
        if SCOPES.contains(&scope) && !has_values && operator != "Exists" {
            let detail = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                          ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                          ResourceQuotaScopeNotBestEffort or \
                          ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.invalid(path.child("operator"), operator, detail);
        }
        let values = requirement.list("values");
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let detail = "must be at least one value when `operator` is 'In' or 'NotIn' for \
                              scope selector";
                errors.required(path.child("values"), detail);
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for \
                              scope selector";
                errors.invalid(path.child("values"), json!(values), detail);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => {
                let detail = "not a valid selector operator";
                errors.invalid(path.child("operator"), operator, detail);
            }
        }
    }
    for _ in 0..conflict(&names) {
        errors.invalid(path, json!(spec.list("scopes")), "conflicting scopes");
    }
}

/// Models ValidateLimitRange.
pub(super) fn limit_range(object: &Value, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let list = path.child("limits");
    let items = spec.list("limits");
    for (index, item) in items.iter().enumerate() {
        let path = list.index(index);
        let kind = item.text("type");
        limit_type(kind, &path.child("type"), errors);
        if items.iter().take(index).any(|other| other.text("type") == kind) {
            errors.duplicate(path.child("type"), kind);
        }
        limit_item(item, kind, &path, errors);
    }
}

/// Models validateLimitRangeTypeName.
fn limit_type(kind: &str, path: &Path<'_>, errors: &mut Errors) {
    const TYPES: [&str; 3] = ["Pod", "Container", "PersistentVolumeClaim"];
    let wrong = names::qualified_name(kind);
    if !wrong.is_empty() {
        errors.each_invalid(path, kind, wrong);
    } else if !kind.contains('/') && !TYPES.contains(&kind) {
        errors.invalid(path, kind, "must be a standard limit type or fully qualified");
    }
}

fn limit_item(item: &Value, kind: &str, path: &Path<'_>, errors: &mut Errors) {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let is_pod = kind == "Pod";
    for field in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        let path = path.child(field);
        if field == "maxLimitRequestRatio" && kind == "PersistentVolumeClaim" {
            claim_limits(item, &path, errors);
        }
        if is_pod && field.starts_with("default") {
            if item.map(field).next().is_some() {
                errors.forbidden(path, "may not be specified when `type` is 'Pod'");
            }
            continue;
        }
        for (name, _) in item.map(field) {
            let path = path.key(name);
            if ["Pod", "Container"].contains(&kind) {
                container_resource_name(name, &path, errors);
            } else {
                resource_name(name, &path, errors);
            }
            names.insert(name);
        }
    }
    for name in names {
        consistent(item, is_pod, name, path, errors);
    }
}

fn claim_limits(item: &Value, path: &Path<'_>, errors: &mut Errors) {
    let has = |field: &str| item.sub(field).is_some_and(|map| map.sub("storage").is_some());
    if !has("min") && !has("max") {
        let detail = "either minimum or maximum storage value is required, but neither was \
                      provided";
        let text = String::from(path).replace("maxLimitRequestRatio", "limits");
        errors.required(text, detail);
    }
}

/// The bounds of one resource must not cross.
fn consistent(item: &Value, is_pod: bool, name: &str, path: &Path<'_>, errors: &mut Errors) {
    let amount = |field: &str| {
        let ignored = is_pod && field.starts_with("default");
        item.sub(field).filter(|_| !ignored).and_then(|map| quantity(map.sub(name)))
    };
    let (least, most) = (amount("min"), amount("max"));
    let (limit, request) = (amount("default"), amount("defaultRequest"));
    let mut above = |a: Option<Quantity>, b: Option<Quantity>, field, shown, words: [&str; 2]| {
        let (Some(a), Some(b)) = (a, b) else { return };
        if a > b {
            let detail = format!("{} value {a} is greater than {} value {b}", words[0], words[1]);
            let shown: Quantity = if shown { a } else { b };
            errors.invalid(path.child(field).key(name), shown.to_string(), detail);
        }
    };
    above(least, most, "min", true, ["min", "max"]);
    above(least, request, "defaultRequest", false, ["min", "default request"]);
    above(request, most, "defaultRequest", true, ["default request", "max"]);
    above(request, limit, "defaultRequest", true, ["default request", "default limit"]);
    above(least, limit, "default", true, ["min", "default"]);
    above(limit, most, "default", false, ["default", "max"]);
    let ratio_path = path.child("maxLimitRequestRatio");
    let ratio = amount("maxLimitRequestRatio");
    if let Some(ratio) = ratio.filter(|ratio| *ratio < Quantity::from_units(1)) {
        let detail = format!("ratio {ratio} is less than 1");
        errors.invalid(ratio_path.key(name), ratio.to_string(), detail);
    }
    if let (Some(ratio), Some(least), Some(most)) = (ratio, least, most) {
        let (low, high) = (least.milli_value(), most.milli_value());
        // The API server's own comparison in floats, which its message shows.
        let bound = high as f64 / low as f64;
        if ratio.milli_value() as f64 / 1000.0 > bound {
            let detail = format!("ratio {ratio} is greater than max/min = {bound:.6}");
            errors.invalid(ratio_path.key(name), ratio.to_string(), detail);
        }
    }
    if let (Some(limit), Some(request)) = (limit, request)
        && !may_overcommit(name)
        && limit != request
    {
        let detail =
            format!("default value {limit} must equal to defaultRequest value {request} in {name}");
        errors.invalid(path.child("defaultRequest").key(name), request.to_string(), detail);
    }
}
