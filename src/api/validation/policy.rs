//! PodDisruptionBudgets, PriorityClasses and Leases.

use super::path::{Errors, Fields as _, Path, Report as _, immutable};
use super::selectors::label_selector;
use super::workloads::{at_most_100_percent, number_or_percent};
use super::{go_structs, pod};
use crate::api::{FieldError, Value};

/// Models pkg/apis/policy/validation/validation.go ValidatePodDisruptionBudgetSpec.
pub(super) fn disruption_budget(object: &Value, errors: &mut Errors) {
    const POLICIES: [&str; 2] = ["AlwaysAllow", "IfHealthyBudget"];
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let (least, most) = (spec.sub("minAvailable"), spec.sub("maxUnavailable"));
    if let (Some(least), Some(most)) = (least, most) {
        let selector =
            spec.sub("selector").map_or_else(|| "null".to_owned(), go_structs::label_selector);
        let policy = spec.sub("unhealthyPodEvictionPolicy").cloned().unwrap_or_default();
        let text = format!(
            "{{\"MinAvailable\":{least},\"Selector\":{selector},\"MaxUnavailable\":{most},\
             \"UnhealthyPodEvictionPolicy\":{policy}}}"
        );
        let detail = "minAvailable and maxUnavailable cannot be both set";
        errors.push(FieldError::invalid(path, spec.clone(), detail).showing(text));
    }
    for (field, value) in [("minAvailable", least), ("maxUnavailable", most)] {
        if value.is_some() {
            number_or_percent(value, &path.child(field), errors);
            at_most_100_percent(value, &path.child(field), errors);
        }
    }
    label_selector(spec.sub("selector"), &path.child("selector"), errors);
    if let Some(policy) = spec.sub("unhealthyPodEvictionPolicy").and_then(Value::as_str)
        && !POLICIES.contains(&policy)
    {
        errors.not_supported(path.child("unhealthyPodEvictionPolicy"), policy, &POLICIES);
    }
}

/// Models pkg/apis/scheduling/validation/validation.go ValidatePriorityClass and its update.
pub(super) fn priority_class(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    const HIGHEST: i64 = 1_000_000_000;
    let value = object.int("value").unwrap_or_default();
    let value_path = Path::root("value");
    if let Some(old) = old {
        if value != old.int("value").unwrap_or_default() {
            errors.forbidden(value_path, "may not be changed in an update.");
        }
        let field = "preemptionPolicy";
        immutable(object.sub(field), old.sub(field), &Path::root(field), errors);
        return;
    }
    let name = object.sub("metadata").map_or("", |meta| meta.text("name"));
    if name.starts_with("system-") {
        if let Some(problem) = system_class_problem(name, value, object) {
            let detail = format!(
                "priority class names with 'system-' prefix are reserved for system use only. \
                 error: {problem}"
            );
            errors.forbidden(Path::root("metadata").child("name"), detail);
        }
    } else if value > HIGHEST {
        let detail = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        errors.forbidden(value_path, detail);
    }
    if let Some(policy) = object.sub("preemptionPolicy").and_then(Value::as_str) {
        let supported = ["PreemptLowerPriority", "Never"];
        let path = Path::root("preemptionPolicy");
        if policy.is_empty() {
            errors.required(path, "");
        } else if !supported.contains(&policy) {
            errors.not_supported(path, policy, &supported);
        }
    }
}

/// Models pkg/apis/scheduling/v1/helpers.go IsKnownSystemPriorityClass.
fn system_class_problem(name: &str, value: i64, object: &Value) -> Option<String> {
    let expected = match name {
        "system-node-critical" => 2_000_001_000,
        "system-cluster-critical" => 2_000_000_000,
        _ => return Some(format!("{name} is not a known system priority class")),
    };
    if value != expected {
        return Some(format!("value of {name} PriorityClass must be {expected}"));
    }
    object
        .flag("globalDefault")
        .then(|| format!("globalDefault of {name} PriorityClass must be false"))
}

/// Models pkg/apis/coordination/validation/validation.go ValidateLeaseSpec.
pub(super) fn lease(object: &Value, errors: &mut Errors) {
    let Some(spec) = object.sub("spec") else { return };
    let path = Path::root("spec");
    if let Some(seconds) = spec.int("leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        errors.invalid(path.child("leaseDurationSeconds"), seconds, "must be greater than 0");
    }
    errors.not_negative(&path.child("leaseTransitions"), spec.int("leaseTransitions"));
}

/// Models pkg/apis/core/validation/validation.go ValidatePodTemplate.
pub(super) fn pod_template(object: &Value, errors: &mut Errors) {
    let null = Value::Null;
    pod::template(object.sub("template").unwrap_or(&null), &Path::root("template"), errors);
}

/// Models pkg/apis/apps/validation/validation.go ValidateControllerRevisionCreate and its update.
pub(super) fn controller_revision(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    errors.not_negative(&Path::root("revision"), object.int("revision"));
    let path = Path::root("data");
    match (object.sub("data"), old) {
        (data, Some(old)) => immutable(data, old.sub("data"), &path, errors),
        (None, None) => errors.required(path, "data is mandatory"),
        (Some(Value::Object(_)), None) => {}
        (Some(_), None) => errors.required(path, "data must be a valid JSON object"),
    }
}
