//! Older versions that the API still serves, turned into the one that is stored.
//!
//! Models pkg/apis/autoscaling/v1/conversion.go, pkg/apis/events/v1/conversion.go.
//!
//! Simplified: of an autoscaler's other metrics, behavior and conditions, which the older version
//! keeps in annotations, it shows nothing.

use super::Value;
use super::tree::{Tree as _, TreeMut as _};
use serde_json::json;

/// Group and version, kind, and the version that is stored.
const SERVED_TOO: [(&str, &str, &str); 6] = [
    ("events.k8s.io/v1", "Event", "v1"),
    ("autoscaling/v1", "HorizontalPodAutoscaler", "autoscaling/v2"),
    ("gateway.networking.k8s.io/v1beta1", "GatewayClass", "gateway.networking.k8s.io/v1"),
    ("gateway.networking.k8s.io/v1beta1", "Gateway", "gateway.networking.k8s.io/v1"),
    ("gateway.networking.k8s.io/v1beta1", "HTTPRoute", "gateway.networking.k8s.io/v1"),
    ("gateway.networking.k8s.io/v1", "ReferenceGrant", "gateway.networking.k8s.io/v1beta1"),
];

/// The stored version of a kind that is served in this one too.
pub fn stored_version(api_version: &str, kind: &str) -> Option<&'static str> {
    let row = SERVED_TOO.iter().find(|(version, name, _)| *version == api_version && *name == kind);
    row.map(|(_, _, stored)| *stored)
}

/// The groups and versions of a kind beside the one that is stored.
pub fn versions_served_too(kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_kind = SERVED_TOO.iter().filter(move |(_, name, _)| *name == kind);
    of_kind.filter_map(|(version, _, _)| version.split_once('/'))
}

/// The groups and versions of built-in kinds beside those that are stored.
pub fn built_in_versions() -> impl Iterator<Item = &'static str> {
    let versions = SERVED_TOO.iter().map(|(version, _, _)| *version);
    versions.filter(|version| !version.starts_with("gateway."))
}

/// What the newer API of events calls the fields of an Event, and their names in `v1`.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

/// Turns an object as a person wrote it into its stored version.
pub fn to_stored(value: &mut Value) {
    let text = |key| value.str_at(&[key]).unwrap_or_default();
    let Some(stored) = stored_version(text("apiVersion"), text("kind")) else { return };
    if text("kind") == "Event" {
        for (new, old) in EVENT_FIELDS {
            let Some(field) = value.at(&[new]).cloned() else { continue };
            value.remove(&[new]);
            value.put(&[old], field);
        }
    }
    value.put(&["apiVersion"], stored);
    if let Some(share) = value.at(&["spec", "targetCPUUtilizationPercentage"]).cloned() {
        value.remove(&["spec", "targetCPUUtilizationPercentage"]);
        let target = json!({"type": "Utilization", "averageUtilization": share});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        value.put(&["spec", "metrics"], json!([metric]));
    }
}

/// Turns an object into the version in which it was asked for.
#[inline(never)]
pub fn to_asked(value: &mut Value, api_version: &str) {
    match api_version {
        "events.k8s.io/v1" => {
            for (new, old) in EVENT_FIELDS {
                if let Some(field) = value.remove(&[old]) {
                    value.put(&[new], field);
                }
            }
            if let Some(fields) = value.as_object_mut() {
                fields.retain(|_, field| *field != "");
            }
        }
        "autoscaling/v1" => {
            for (part, list, share, held) in [
                ("spec", "metrics", "targetCPUUtilizationPercentage", "target"),
                ("status", "currentMetrics", "currentCPUUtilizationPercentage", "current"),
            ] {
                let metrics = value.items_at(&[part, list]);
                let cpu = metrics.iter().find_map(|metric| {
                    let of_cpu = metric.str_at(&["resource", "name"]) == Some("cpu");
                    metric.at(&["resource", held, "averageUtilization"]).filter(|_| of_cpu)
                });
                if let Some(cpu) = cpu.cloned() {
                    value.put(&[part, share], cpu);
                }
                for key in [list, "behavior", "conditions"] {
                    value.remove(&[part, key]);
                }
            }
        }
        _ => {}
    }
    value.put(&["apiVersion"], api_version);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_autoscaler_becomes_a_new_one() {
        let mut value = json!({
            "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
            "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50},
        });
        to_stored(&mut value);
        let target = &value["spec"]["metrics"][0]["resource"]["target"];
        assert_eq!(value["apiVersion"], "autoscaling/v2");
        assert_eq!(*target, json!({"type": "Utilization", "averageUtilization": 50}));
        let mut event = json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "n", "regarding": {"name": "a"},
        });
        to_stored(&mut event);
        let old = json!({"apiVersion": "v1", "kind": "Event", "message": "n", "involvedObject": {"name": "a"}});
        assert_eq!(event, old);
        to_asked(&mut event, "events.k8s.io/v1");
        assert_eq!(event["regarding"]["name"], "a");
        to_asked(&mut value, "autoscaling/v1");
        let spec = json!({"maxReplicas": 3, "targetCPUUtilizationPercentage": 50});
        assert_eq!((&value["spec"], &value["apiVersion"]), (&spec, &json!("autoscaling/v1")));
        let before = json!({"apiVersion": "v1", "kind": "Pod", "spec": {}});
        let mut pod = before.clone();
        to_stored(&mut pod);
        assert_eq!(pod, before);
    }
}
