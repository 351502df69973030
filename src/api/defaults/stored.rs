//! Kinds that are stored and on which nothing acts: admission, drivers.

use super::{child, items};
use crate::api::tree::TreeMut as _;
use crate::api::{Kind, Value};
use serde_json::json;

/// Models pkg/apis/admissionregistration/v1/defaults.go, pkg/apis/storage/v1/defaults.go,
/// staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/defaults.go.
pub(super) fn apply(kind: Kind, object: &mut Value) {
    match kind.name() {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            for webhook in items(object, "webhooks") {
                webhook.put_default(&["failurePolicy"], "Fail");
                webhook.put_default(&["timeoutSeconds"], 10);
                matched(webhook, &["rules"]);
                if kind.name() == "MutatingWebhookConfiguration" {
                    webhook.put_default(&["reinvocationPolicy"], "Never");
                }
                if let Some(service) =
                    child(webhook, "clientConfig").and_then(|config| child(config, "service"))
                {
                    service.put_default(&["port"], 443);
                }
            }
        }
        "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy" => {
            object.put_default(&["spec", "failurePolicy"], "Fail");
            if let Some(found) = child(object, "spec").and_then(|it| child(it, "matchConstraints"))
            {
                matched(found, &["resourceRules", "excludeResourceRules"]);
            }
        }
        "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding" => {
            if let Some(found) = child(object, "spec").and_then(|it| child(it, "matchResources")) {
                matched(found, &["resourceRules", "excludeResourceRules"]);
            }
        }
        "CSIDriver" => {
            let spec = object.entry(&["spec"]);
            for (key, value) in [
                ("attachRequired", json!(true)),
                ("fsGroupPolicy", json!("ReadWriteOnceWithFSType")),
                ("podInfoOnMount", json!(false)),
                ("requiresRepublish", json!(false)),
                ("seLinuxMount", json!(false)),
                ("storageCapacity", json!(false)),
                ("volumeLifecycleModes", json!(["Persistent"])),
            ] {
                spec.put_default(&[key], value);
            }
        }
        "APIService" => {
            if let Some(service) = child(object, "spec").and_then(|it| child(it, "service")) {
                service.put_default(&["port"], 443);
            }
        }
        "VolumeAttachment" => object.put_default(&["status", "attached"], false),
        _ => {}
    }
}

/// What is said of the requests that a webhook or a policy is asked about.
fn matched(constraints: &mut Value, rules: &[&str]) {
    constraints.put_default(&["matchPolicy"], "Equivalent");
    constraints.put_default(&["namespaceSelector"], json!({}));
    constraints.put_default(&["objectSelector"], json!({}));
    for key in rules {
        for rule in items(constraints, key) {
            rule.put_default(&["scope"], "*");
        }
    }
}
