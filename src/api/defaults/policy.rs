//! Configuration, limits, policies and rights.

use super::{child, copy_missing, ensure_object, fill, is_unset, items};
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use data_encoding::BASE64;
use serde_json::json;

const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// Models SetDefaults_Secret and Convert_v1_Secret_To_core_Secret: `stringData` goes into `data`.
pub(super) fn secret(object: &mut Value) {
    if let Some(Value::Object(texts)) = object.remove(&["stringData"]) {
        for (key, text) in texts {
            let text = text.as_str().unwrap_or_default();
            object.put(&["data", &key], BASE64.encode(text.as_bytes()));
        }
    }
    fill(object, "type", "Opaque");
}

/// Models SetDefaults_Namespace.
pub(super) fn namespace(object: &mut Value) {
    let name = object.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    if !name.is_empty() {
        object.put(&["metadata", "labels", "kubernetes.io/metadata.name"], name);
    }
}

/// The fields of a NodeSystemInfo.
const NODE_INFO: [&str; 10] = [
    "architecture",
    "bootID",
    "containerRuntimeVersion",
    "kernelVersion",
    "kubeProxyVersion",
    "kubeletVersion",
    "machineID",
    "operatingSystem",
    "osImage",
    "systemUUID",
];

/// Models SetDefaults_NodeStatus and Convert_v1_NodeSpec_To_core_NodeSpec: where they differ, the
/// old `podCIDR` counts.
pub(super) fn node(object: &mut Value) {
    let first = object.items_at(&["spec", "podCIDRs"]).first().cloned();
    match (object.str_at(&["spec", "podCIDR"]).filter(|range| !range.is_empty()), first) {
        (Some(range), first) if first.as_ref().and_then(Value::as_str) != Some(range) => {
            let range = range.to_owned();
            object.put(&["spec", "podCIDRs"], json!([range]));
        }
        (None, Some(first)) => object.put(&["spec", "podCIDR"], first),
        _ => {}
    }
    // What Go writes of a node that nobody has reported yet.
    object.put_default(&["status", "daemonEndpoints", "kubeletEndpoint", "Port"], 0);
    for field in NODE_INFO {
        object.put_default(&["status", "nodeInfo", field], "");
    }
    if let Some(capacity) = object.at(&["status", "capacity"]).filter(|value| value.is_object()) {
        let capacity = capacity.clone();
        object.put_default(&["status", "allocatable"], capacity);
    }
}

/// A role without rules has null for them: Go writes what is no list so.
pub(super) fn role(object: &mut Value) {
    if object.items_at(&["rules"]).is_empty() {
        object.put(&["rules"], Value::Null);
    }
}

/// Models SetDefaults_LimitRangeItem.
#[inline(never)]
pub(super) fn limit_range(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    for item in items(spec, "limits") {
        if item.str_at(&["type"]) != Some("Container") {
            continue;
        }
        let list = |item: &Value, key: &str| item.fields_at(&[key]).cloned();
        let most = list(item, "max");
        copy_missing(most.as_ref(), item.entry(&["default"]));
        let limit = list(item, "default");
        copy_missing(limit.as_ref(), item.entry(&["defaultRequest"]));
        let least = list(item, "min");
        copy_missing(least.as_ref(), item.entry(&["defaultRequest"]));
        for key in ["default", "defaultRequest"] {
            if item.at(&[key]).is_some_and(Value::is_null) {
                item.remove(&[key]);
            }
        }
    }
}

/// Models pkg/apis/networking/v1/defaults.go SetDefaults_NetworkPolicy and …Port.
#[inline(never)]
pub(super) fn network_policy(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    ensure_object(spec, "podSelector");
    if spec.items_at(&["policyTypes"]).is_empty() {
        let types = match spec.items_at(&["egress"]) {
            [] => json!(["Ingress"]),
            _ => json!(["Ingress", "Egress"]),
        };
        spec.put(&["policyTypes"], types);
    }
    for direction in ["ingress", "egress"] {
        for rule in items(spec, direction) {
            for port in items(rule, "ports") {
                port.put_default(&["protocol"], "TCP");
            }
        }
    }
}

/// Models SetDefaults_IngressClass.
pub(super) fn ingress_class(object: &mut Value) {
    if let Some(parameters) = child(object, "spec").and_then(|spec| child(spec, "parameters")) {
        parameters.put_default(&["scope"], "Cluster");
    }
}

/// Models pkg/apis/autoscaling/v2/defaults.go.
#[inline(never)]
pub(super) fn horizontal_pod_autoscaler(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    spec.put_default(&["minReplicas"], 1);
    if spec.items_at(&["metrics"]).is_empty() {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        spec.put(&["metrics"], json!([metric]));
    }
    let Some(behavior) = child(spec, "behavior") else { return };
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    behavior.put_default(&["scaleUp", "stabilizationWindowSeconds"], 0);
    behavior.put_default(&["scaleUp", "policies"], json!([pods, percent.clone()]));
    behavior.put_default(&["scaleDown", "policies"], json!([percent]));
    for direction in ["scaleUp", "scaleDown"] {
        behavior.put_default(&[direction, "selectPolicy"], "Max");
    }
}

/// Models pkg/apis/rbac/v1/defaults.go.
pub(super) fn role_binding(object: &mut Value) {
    fill(ensure_object(object, "roleRef"), "apiGroup", RBAC_GROUP);
    for subject in items(object, "subjects") {
        let is_person = matches!(subject.str_at(&["kind"]), Some("User" | "Group"));
        if is_person && is_unset(subject.at(&["apiGroup"])) {
            subject.put(&["apiGroup"], RBAC_GROUP);
        }
    }
}
/// Models staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go.
#[inline(never)]
pub(super) fn custom_resource_definition(object: &mut Value) {
    let kind = object.str_at(&["spec", "names", "kind"]).unwrap_or_default().to_owned();
    if !kind.is_empty() {
        object.put_default(&["spec", "names", "singular"], kind.to_lowercase());
        object.put_default(&["spec", "names", "listKind"], format!("{kind}List"));
    }
    object.put_default(&["spec", "conversion"], json!({"strategy": "None"}));
}
