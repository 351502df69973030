//! Pods and pod templates.

use super::{child, ensure_object, fill, image, items, pod_resources, volumes};
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::base::Quantity;
use serde_json::json;

/// Models SetDefaults_Pod: what only pods get, not the templates of pods.
pub(super) fn pod(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    pod_spec(spec);
    // Models pkg/apis/core/v1/conversion.go Convert_v1_Pod_To_core_Pod.
    if spec.int_at(&["terminationGracePeriodSeconds"]).is_some_and(|seconds| seconds < 0) {
        spec.put(&["terminationGracePeriodSeconds"], 1);
    }
    for list in ["initContainers", "containers"] {
        for container in items(spec, list) {
            if let Some(limits) = container.fields_at(&["resources", "limits"]).cloned() {
                super::copy_missing(Some(&limits), container.entry(&["resources", "requests"]));
            }
        }
    }
    pod_resources::pod_level(spec);
    spec.put_default(&["enableServiceLinks"], true);
    if spec.bool_at(&["hostNetwork"]) == Some(true) {
        for list in ["initContainers", "containers"] {
            for container in items(spec, list) {
                for port in items(container, "ports") {
                    let number = port.int_at(&["containerPort"]).unwrap_or_default();
                    fill(port, "hostPort", number);
                }
            }
        }
    }
}

/// A pod template, with the empty metadata that the server always writes.
pub(super) fn template(template: &mut Value) {
    ensure_object(template, "metadata");
    pod_spec(ensure_object(template, "spec"));
}

/// Models SetDefaults_PodSpec and the conversions of pkg/apis/core/v1/conversion.go.
pub(super) fn pod_spec(spec: &mut Value) {
    fill(spec, "dnsPolicy", "ClusterFirst");
    fill(spec, "restartPolicy", "Always");
    fill(spec, "schedulerName", "default-scheduler");
    spec.put_default(&["terminationGracePeriodSeconds"], 30);
    ensure_object(spec, "securityContext");
    service_account(spec);
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        items(spec, list).for_each(container);
    }
    items(spec, "volumes").for_each(volumes::volume);
    for list in ["limits", "requests"] {
        round_resources(spec, &["resources", list]);
    }
    round_resources(spec, &["overhead"]);
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are shown, the new one wins.
fn service_account(spec: &mut Value) {
    let old = spec.str_at(&["serviceAccount"]).unwrap_or_default().to_owned();
    let new = spec.str_at(&["serviceAccountName"]).unwrap_or_default().to_owned();
    let name = if new.is_empty() { old } else { new };
    if !name.is_empty() {
        spec.put(&["serviceAccount"], name.clone());
        spec.put(&["serviceAccountName"], name);
    }
}

/// Models SetDefaults_Container.
fn container(container: &mut Value) {
    let policy = image::pull_policy(container.str_at(&["image"]).unwrap_or_default());
    fill(container, "imagePullPolicy", policy);
    fill(container, "terminationMessagePath", "/dev/termination-log");
    fill(container, "terminationMessagePolicy", "File");
    ensure_object(container, "resources");
    for list in ["limits", "requests"] {
        round_resources(container, &["resources", list]);
    }
    for port in items(container, "ports") {
        fill(port, "protocol", "TCP");
    }
    for variable in items(container, "env") {
        if let Some(source) = child(variable, "valueFrom") {
            if let Some(field) = child(source, "fieldRef") {
                fill(field, "apiVersion", "v1");
            }
            resource_divisor(source);
            if let Some(file) = child(source, "fileKeyRef") {
                file.put_default(&["optional"], false);
            }
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(check) = child(container, name) {
            probe(check);
        }
    }
    if let Some(lifecycle) = child(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(get) = child(lifecycle, hook).and_then(|hook| child(hook, "httpGet")) {
                http_get(get);
            }
        }
    }
}

/// A divisor that is not given is shown as zero, since a quantity has no empty text.
pub(super) fn resource_divisor(source: &mut Value) {
    if let Some(reference) = child(source, "resourceFieldRef") {
        fill(reference, "divisor", "0");
    }
}

/// Models SetDefaults_Probe.
fn probe(probe: &mut Value) {
    fill(probe, "timeoutSeconds", 1);
    fill(probe, "periodSeconds", 10);
    fill(probe, "successThreshold", 1);
    fill(probe, "failureThreshold", 3);
    if let Some(get) = child(probe, "httpGet") {
        http_get(get);
    }
    if let Some(grpc) = child(probe, "grpc") {
        grpc.put_default(&["service"], "");
    }
}

fn http_get(get: &mut Value) {
    fill(get, "path", "/");
    fill(get, "scheme", "HTTP");
}

/// Rounds amounts finer than a thousandth up.
///
/// Models SetDefaults_ResourceList.
pub(super) fn round_resources(object: &mut Value, path: &[&str]) {
    if object.at(path).is_none_or(Value::is_null) {
        return;
    }
    for amount in object.entry(path).as_object_mut().into_iter().flat_map(|list| list.values_mut())
    {
        if amount.as_str().is_some_and(|text| text.ends_with(['n', 'u']))
            && let Some(quantity) = amount.as_str().and_then(|text| Quantity::parse(text).ok())
        {
            *amount = json!(Quantity::from_millis(quantity.milli_value()).to_string());
        }
    }
}
