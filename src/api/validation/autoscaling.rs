//! HorizontalPodAutoscalers.
//!
//! Models pkg/apis/autoscaling/validation/validation.go.

use super::names;
use super::path::{Errors, Fields as _, NOT_NEGATIVE, Path, Report as _};
use super::pod::environment::quantity;
use super::pod::resources::container_resource_name;
use crate::api::Value;
use crate::base::{Quantity, order};

const METRIC_TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

/// A new or changed autoscaler.
pub(super) fn autoscaler(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let least = spec.int("minReplicas");
    let most = spec.int("maxReplicas").unwrap_or_default();
    if let Some(least) = least.filter(|least| *least < 1) {
        errors.invalid(path.child("minReplicas"), least, "must be greater than or equal to 1");
    }
    let most_path = path.child("maxReplicas");
    match most {
        0 => errors.required(most_path, "must be set and greater than 0"),
        i64::MIN..0 => errors.invalid(most_path, most, "must be greater than or equal to 1"),
        _ => {}
    }
    if least.is_some_and(|least| most < least) {
        errors.invalid(most_path, most, "must be greater than or equal to `minReplicas`");
    }
    let target = spec.sub("scaleTargetRef").unwrap_or(&null);
    let old_target = old.and_then(|old| old.sub("spec")).and_then(|old| old.sub("scaleTargetRef"));
    let rule = if old_target.is_some_and(|old| same_type(old, target)) {
        GroupRule::Unchecked
    } else if target.text("kind") == "ReplicationController" {
        GroupRule::Optional
    } else {
        GroupRule::Needed
    };
    reference(target, rule, &path.child("scaleTargetRef"), errors);
    metrics(spec, least, &path.child("metrics"), errors);
    if let Some(behavior) = spec.sub("behavior") {
        let path = path.child("behavior");
        for direction in ["scaleUp", "scaleDown"] {
            if let Some(rules) = behavior.sub(direction) {
                scaling_rules(rules, &path.child(direction), errors);
            }
        }
    }
}

/// Whether a reference must name the group of its API.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GroupRule {
    Needed,
    Optional,
    /// What was stored so is left alone.
    Unchecked,
}

fn same_type(old: &Value, new: &Value) -> bool {
    ["apiVersion", "kind"].iter().all(|field| old.text(field) == new.text(field))
}

/// Models ValidateCrossVersionObjectReference and ValidateAPIVersion.
fn reference(reference: &Value, rule: GroupRule, path: &Path<'_>, errors: &mut Errors) {
    for field in ["kind", "name"] {
        let value = reference.text(field);
        if value.is_empty() {
            errors.required(path.child(field), "");
        } else {
            errors.each_invalid(&path.child(field), value, names::path_segment(value));
        }
    }
    let version = reference.text("apiVersion");
    let slashes = version.matches('/').count();
    if rule == GroupRule::Unchecked {
        return;
    }
    if slashes > 1 {
        let detail = format!("unexpected GroupVersion string: {version}");
        errors.invalid(path.child("apiVersion"), version, detail);
    } else if rule == GroupRule::Needed && (slashes == 0 || version.starts_with('/')) {
        let detail = "apiVersion must specify API group";
        errors.invalid(path.child("apiVersion"), version, detail);
    }
}

/// Models validateMetrics.
fn metrics(spec: &Value, least: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    let metrics = spec.list("metrics");
    for (index, metric) in metrics.iter().enumerate() {
        metric_spec(metric, &path.index(index), errors);
    }
    let from_outside = |metric: &Value| ["Object", "External"].contains(&metric.text("type"));
    if least == Some(0) && !metrics.iter().any(from_outside) {
        let detail = "must specify at least one Object or External metric to support scaling to \
                      zero replicas";
        errors.forbidden(path, detail);
    }
}

/// Models validateMetricSpec.
fn metric_spec(metric: &Value, path: &Path<'_>, errors: &mut Errors) {
    const SOURCES: [(&str, &str); 5] = [
        ("object", "Object"),
        ("external", "External"),
        ("pods", "Pods"),
        ("resource", "Resource"),
        ("containerResource", "ContainerResource"),
    ];
    let kind = metric.text("type");
    if kind.is_empty() {
        errors.required(path.child("type"), "must specify a metric source type");
    }
    let is_known = METRIC_TYPES.contains(&kind);
    if !is_known {
        errors.not_supported(path.child("type"), kind, &METRIC_TYPES);
    }
    let present: Vec<&str> =
        SOURCES.iter().map(|(field, _)| *field).filter(|one| metric.sub(one).is_some()).collect();
    if let Some((field, source)) =
        present.first().and_then(|field| Some((*field, metric.sub(field)?)))
    {
        self::source(field, source, &path.child(field), errors);
    }
    let expected = SOURCES.iter().find(|(_, name)| *name == kind).map(|(field, _)| *field);
    match expected {
        Some(field) if metric.sub(field).is_none() => {
            let detail = "must populate information for the given metric source";
            errors.required(path.child(field), detail);
        }
        Some(_) => {}
        None => errors.not_supported(path.child("type"), kind, &METRIC_TYPES),
    }
    if present.len() != 1 {
        let mut others: Vec<&str> =
            present.into_iter().filter(|field| Some(*field) != expected).collect();
        order::sort(&mut others);
        for field in others {
            errors.forbidden(path.child(field), "must populate the given metric source only");
        }
    }
}

fn source(kind: &str, source: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let target = source.sub("target").unwrap_or(&null);
    let target_path = path.child("target");
    match kind {
        "resource" | "containerResource" => {
            resource_name(kind, source, path, errors);
            metric_target(target, &target_path, errors);
            let (raw, share) = (target.sub("averageValue"), target.sub("averageUtilization"));
            if raw.is_none() && share.is_none() {
                let detail = "must set either a target raw value or a target utilization";
                errors.required(target_path.child("averageUtilization"), detail);
            }
            if raw.is_some() && share.is_some() {
                let detail = "may not set both a target raw value and a target utilization";
                errors.forbidden(target_path.child("averageValue"), detail);
            }
        }
        _ => {
            if kind == "object" {
                let object = source.sub("describedObject").unwrap_or(&null);
                let path = path.child("describedObject");
                reference(object, GroupRule::Optional, &path, errors);
            }
            let metric = source.sub("metric").unwrap_or(&null);
            metric_identifier(metric, &path.child("metric"), errors);
            metric_target(target, &target_path, errors);
            amounts(kind, target, &target_path, errors);
        }
    }
}

/// Which of a target's values each source asks for.
fn amounts(kind: &str, target: &Value, path: &Path<'_>, errors: &mut Errors) {
    let (value, average) = (target.sub("value"), target.sub("averageValue"));
    let missing = match kind {
        "pods" if average.is_none() => Some("must specify a positive target averageValue"),
        "object" if value.is_none() && average.is_none() => {
            Some("must set either a target value or averageValue")
        }
        "external" if value.is_none() && average.is_none() => {
            Some("must set either a target value for metric or a per-pod target")
        }
        _ => None,
    };
    if let Some(detail) = missing {
        errors.required(path.child("averageValue"), detail);
    }
    if kind == "external" && value.is_some() && average.is_some() {
        let detail = "may not set both a target value for metric and a per-pod target";
        errors.forbidden(path.child("value"), detail);
    }
}

fn resource_name(kind: &str, source: &Value, path: &Path<'_>, errors: &mut Errors) {
    let name = source.text("name");
    let of_container = kind == "containerResource";
    if name.is_empty() {
        errors.required(path.child("name"), "must specify a resource name");
    } else if of_container {
        container_resource_name(name, &path.child("name"), errors);
    }
    if of_container {
        let container = source.text("container");
        if container.is_empty() {
            errors.required(path.child("container"), "must specify a container");
        } else {
            let wrong = names::dns_label(container);
            errors.each_invalid(&path.child("container"), container, wrong);
        }
    }
}

/// Models validateMetricIdentifier.
fn metric_identifier(metric: &Value, path: &Path<'_>, errors: &mut Errors) {
    let name = metric.text("name");
    if name.is_empty() {
        errors.required(path.child("name"), "must specify a metric name");
    } else {
        errors.each_invalid(&path.child("name"), name, names::path_segment(name));
    }
}

/// Models validateMetricTarget.
fn metric_target(target: &Value, path: &Path<'_>, errors: &mut Errors) {
    let kind = target.text("type");
    if kind.is_empty() {
        errors.required(path.child("type"), "must specify a metric target type");
    }
    if !["Utilization", "Value", "AverageValue"].contains(&kind) {
        let detail = "must be either Utilization, Value, or AverageValue";
        errors.invalid(path.child("type"), kind, detail);
    }
    for field in ["value", "averageValue"] {
        if let Some(amount) = quantity(target.sub(field)).filter(|a| *a <= Quantity::ZERO) {
            errors.invalid(path.child(field), amount.to_string(), "must be positive");
        }
    }
    if let Some(share) = target.int("averageUtilization").filter(|share| *share < 1) {
        errors.invalid(path.child("averageUtilization"), share, "must be greater than 0");
    }
}

/// Models validateScalingRules.
fn scaling_rules(rules: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_SECONDS: i64 = 3600;
    const SELECT: [&str; 3] = ["Disabled", "Max", "Min"];
    let window_path = path.child("stabilizationWindowSeconds");
    match rules.int("stabilizationWindowSeconds") {
        Some(seconds) if seconds < 0 => {
            errors.invalid(window_path, seconds, "must be greater than or equal to zero");
        }
        Some(seconds) if seconds > MOST_SECONDS => {
            let detail = format!("must be less than or equal to {MOST_SECONDS}");
            errors.invalid(window_path, seconds, detail);
        }
        _ => {}
    }
    if let Some(policy) = rules.sub("selectPolicy").and_then(Value::as_str)
        && !SELECT.contains(&policy)
    {
        errors.not_supported(path.child("selectPolicy"), policy, &SELECT);
    }
    let list = path.child("policies");
    let policies = rules.list("policies");
    if policies.is_empty() {
        errors.required(list, "must specify at least one Policy");
    }
    for (index, policy) in policies.iter().enumerate() {
        scaling_policy(policy, &list.index(index), errors);
    }
    if let Some(tolerance) = quantity(rules.sub("tolerance")).filter(|one| one.is_negative()) {
        errors.invalid(path.child("tolerance"), tolerance.to_string(), NOT_NEGATIVE);
    }
}

/// Models validateScalingPolicy.
fn scaling_policy(policy: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_SECONDS: i64 = 1800;
    let kind = policy.text("type");
    if !["Percent", "Pods"].contains(&kind) {
        errors.not_supported(path.child("type"), kind, &["Percent", "Pods"]);
    }
    for field in ["value", "periodSeconds"] {
        errors.positive(&path.child(field), Some(policy.int(field).unwrap_or_default()));
    }
    if let Some(seconds) = policy.int("periodSeconds").filter(|seconds| *seconds > MOST_SECONDS) {
        let detail = format!("must be less than or equal to {MOST_SECONDS}");
        errors.invalid(path.child("periodSeconds"), seconds, detail);
    }
}
