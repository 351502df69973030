//! Autoscalers.
//!
//! Models describe.go describeHorizontalPodAutoscalerV2.

use super::text::{Text, plain};
use super::workloads::Subject;
use crate::api::Value;
use crate::api::tree::Tree as _;

/// What stands before the colon, and the target. There are no metrics, so what is measured is never
/// known.
fn metric(metric: &Value) -> (String, String) {
    let at = |path: &[&str]| metric.str_at(path).unwrap_or_default();
    let source = match at(&["type"]) {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        _ => "external",
    };
    let target = metric.at(&[source, "target"]).cloned().unwrap_or_default();
    let average = target.get("averageValue").map(|value| plain(Some(value)));
    let share = || match target.int_at(&["averageUtilization"]) {
        Some(share) => format!("{share}%"),
        None => "<auto>".to_owned(),
    };
    let name = at(&[source, "metric", "name"]);
    match source {
        "resource" | "containerResource" => {
            let container = match source {
                "resource" => String::new(),
                _ => format!(" of container \"{}\"", at(&[source, "container"])),
            };
            let what = format!("resource {}{container} on pods", at(&[source, "name"]));
            match average {
                Some(average) => (what, average),
                None => (what + "  (as a percentage of request)", share()),
            }
        }
        "pods" => (format!("\"{name}\" on pods"), average.unwrap_or_default()),
        _ => {
            let on = match source {
                "object" => {
                    let of = |key| at(&["object", "describedObject", key]);
                    format!(" on {}/{}", of("kind"), of("name"))
                }
                _ => String::new(),
            };
            let (how, value) = match average {
                Some(average) => ("target average value", average),
                None => ("target value", plain(target.get("value"))),
            };
            (format!("\"{name}\"{on} ({how})"), value)
        }
    }
}

pub(super) fn describe(text: &mut Text, it: &Subject<'_>) {
    let value = it.value;
    text.head(value);
    text.labels(value);
    text.annotations("Annotations", value.at(&["metadata", "annotations"]));
    let created = text.time(value.str_at(&["metadata", "creationTimestamp"]));
    text.field(0, "CreationTimestamp", created);
    let target = |key| value.str_at(&["spec", "scaleTargetRef", key]).unwrap_or_default();
    text.field(0, "Reference", format!("{}/{}", target("kind"), target("name")));
    text.field(0, "Metrics", "( current / target )");
    for (what, target) in value.items_at(&["spec", "metrics"]).iter().map(metric) {
        text.field(1, &what, format!("<unknown> / {target}"));
    }
    let number = |path: &[&str]| value.int_at(path);
    let least = number(&["spec", "minReplicas"]).map_or("<unset>".to_owned(), |n| n.to_string());
    text.field(0, "Min replicas", least);
    text.field(0, "Max replicas", number(&["spec", "maxReplicas"]).unwrap_or_default());
    if let Some(behavior) = value.at(&["spec", "behavior"]) {
        text.line(0, "Behavior:");
        direction(text, "Scale Up", behavior.get("scaleUp"));
        direction(text, "Scale Down", behavior.get("scaleDown"));
    }
    let replicas = |key| number(&["status", key]).unwrap_or_default();
    text.field(
        0,
        &format!("{} pods", target("kind")),
        format!(
            "{} current / {} desired",
            replicas("currentReplicas"),
            replicas("desiredReplicas")
        ),
    );
    let conditions = value.items_at(&["status", "conditions"]);
    if !conditions.is_empty() {
        text.line(0, "Conditions:");
        text.line(1, "Type\tStatus\tReason\tMessage");
        text.line(1, "----\t------\t------\t-------");
    }
    for condition in conditions {
        let at = |key| condition.str_at(&[key]).unwrap_or_default();
        let (kind, status) = (at("type"), at("status"));
        text.line(1, format!("{kind}\t{status}\t{}\t{}", at("reason"), at("message")));
    }
    text.events(it.events);
}

/// Models describe.go printDirectionBehavior.
fn direction(text: &mut Text, title: &str, rules: Option<&Value>) {
    let Some(rules) = rules else { return };
    text.line(1, format!("{title}:"));
    if let Some(window) = rules.int_at(&["stabilizationWindowSeconds"]) {
        text.line(2, format!("Stabilization Window: {window} seconds"));
    }
    let policies = rules.items_at(&["policies"]);
    if policies.is_empty() {
        return;
    }
    let select = rules.str_at(&["selectPolicy"]).unwrap_or("Max");
    text.line(2, format!("Select Policy: {select}"));
    text.line(2, "Policies:");
    for policy in policies {
        let kind = policy.str_at(&["type"]).unwrap_or_default();
        let number = |key| policy.int_at(&[key]).unwrap_or_default();
        let (value, period) = (number("value"), number("periodSeconds"));
        text.line(3, format!("- Type: {kind}\tValue: {value}\tPeriod: {period} seconds"));
    }
}
