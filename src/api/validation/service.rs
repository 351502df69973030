//! Services.
//!
//! Models pkg/apis/core/validation/validation.go ValidateServiceCreate and ValidateServiceUpdate.

use super::addresses::legacy_range;
use super::endpoints::endpoint_address;
use super::path::{Errors, Fields as _, Path, Report as _};
use super::{names, object_meta, pod, service_addresses};
use crate::api::{FieldError, Value};

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// Whether a Service has no address of its own.
pub(super) fn is_headless(spec: &Value) -> bool {
    matches!(spec.list("clusterIPs"), [only] if only == "None")
}

/// A new Service, or with `old` a changed one.
pub(super) fn service(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let old_spec = old.map(|old| old.sub("spec").unwrap_or(&null));
    if let Some(old_spec) = old_spec {
        service_addresses::stay(spec, old_spec, &path, errors);
        load_balancer_class(spec, Some(old_spec), &path, errors);
        let field = "healthCheckNodePort";
        let both = needs_health_check(spec) && needs_health_check(old_spec);
        if both && spec.int(field) != old_spec.int(field) {
            errors.forbidden(path.child(field), "field is immutable");
        }
    }
    topology_annotations(object, errors);
    shape(spec, &path, errors);
    ports(spec, &path.child("ports"), errors);
    object_meta::labels(spec.sub("selector"), &path.child("selector"), errors);
    session_affinity(spec, &path, errors);
    service_addresses::addresses(spec, &path, errors);
    let list = path.child("externalIPs");
    for (index, address) in spec.list("externalIPs").iter().enumerate() {
        let address = address.as_str().unwrap_or_default();
        endpoint_address(address, &list.index(index), errors);
    }
    pod::one_of(spec, "type", &TYPES, &path, errors);
    repeated_ports(spec, &path.child("ports"), errors);
    source_ranges(object, spec, &path, errors);
    let is_balanced = spec.text("type") == "LoadBalancer";
    if spec.sub("allocateLoadBalancerNodePorts").is_some() && !is_balanced {
        let detail = "may only be used when `type` is 'LoadBalancer'";
        errors.forbidden(path.child("allocateLoadBalancerNodePorts"), detail);
    }
    load_balancer_class(spec, None, &path, errors);
    traffic_policies(spec, &path, errors);
}

fn topology_annotations(object: &Value, errors: &mut Errors) {
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    const MODE: &str = "service.kubernetes.io/topology-mode";
    let annotations = object.sub("metadata").and_then(|meta| meta.sub("annotations"));
    let value = |key| annotations.and_then(|all| all.sub(key)).and_then(Value::as_str);
    if let (Some(hints), Some(mode)) = (value(HINTS), value(MODE))
        && hints != mode
    {
        let path = Path::root("metadata");
        let path = path.child("annotations");
        let detail = format!("must match annotations[{HINTS}] when both are specified");
        errors.invalid(path.key(MODE), mode, detail);
    }
}

/// What each type of Service must have and may not have.
fn shape(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let kind = spec.text("type");
    let headless = is_headless(spec);
    if spec.list("ports").is_empty() && !headless && kind != "ExternalName" {
        errors.required(path.child("ports"), "");
    }
    match kind {
        "LoadBalancer" | "NodePort" if headless => {
            let detail = format!("may not be set to 'None' for {kind} services");
            errors.invalid(path.child("clusterIPs").index(0), "None", detail);
        }
        "ExternalName" => {
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                let is_set = spec
                    .sub(field)
                    .is_some_and(|value| !value.as_array().is_some_and(Vec::is_empty));
                if is_set {
                    let detail = "may not be set for ExternalName services";
                    errors.forbidden(path.child(field), detail);
                }
            }
            let name = spec.text("externalName");
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                errors.required(path.child("externalName"), "");
            } else {
                let wrong = names::dns_subdomain(name);
                errors.each_invalid(&path.child("externalName"), name, wrong);
            }
        }
        _ => {}
    }
}

/// Models validateServicePort.
fn ports(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let ports = spec.list("ports");
    let mut seen: Vec<&str> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        let name = port.text("name");
        if !name.is_empty() {
            errors.each_invalid(&path.child("name"), name, names::dns_label(name));
            if seen.contains(&name) {
                errors.duplicate(path.child("name"), name);
            } else {
                seen.push(name);
            }
        } else if ports.len() > 1 {
            errors.required(path.child("name"), "");
        }
        let number = port.int("port").unwrap_or_default();
        for message in names::port_number(number) {
            errors.invalid(path.child("port"), number, message);
        }
        pod::one_of(port, "protocol", &["SCTP", "TCP", "UDP"], &path, errors);
        pod::port_number_or_name(port.sub("targetPort"), &path.child("targetPort"), errors);
        if let Some(protocol) = port.sub("appProtocol").and_then(Value::as_str) {
            let wrong = names::qualified_name(protocol);
            errors.each_invalid(&path.child("appProtocol"), protocol, wrong);
        }
    }
}

/// Ports of the node only where the type has them, and no port twice.
fn repeated_ports(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let ports = spec.list("ports");
    let node_port = |port: &Value| port.int("nodePort").filter(|number| *number != 0);
    if spec.text("type") == "ClusterIP" {
        for (index, port) in ports.iter().enumerate() {
            if node_port(port).is_some() {
                let detail = "may not be used when `type` is 'ClusterIP'";
                errors.forbidden(path.index(index).child("nodePort"), detail);
            }
        }
    }
    let before = |index: usize, port: &Value, number: fn(&Value) -> Option<i64>| {
        let earlier = ports.iter().take(index);
        let key = |port: &Value| (number(port), port.text("protocol").to_owned());
        earlier.into_iter().any(|other| key(other) == key(port))
    };
    let node_port = |port: &Value| port.int("nodePort").filter(|number| *number != 0);
    for (index, port) in ports.iter().enumerate() {
        if let Some(number) = node_port(port)
            && before(index, port, node_port)
        {
            errors.duplicate(path.index(index).child("nodePort"), number);
        }
    }
    for (index, port) in ports.iter().enumerate() {
        if before(index, port, |port| port.int("port")) {
            // The API server shows a port of its own, with nothing but these two fields set.
            let (protocol, number) = (port.text("protocol"), port.int("port").unwrap_or_default());
            let text = format!(
                "{{\"Name\":\"\",\"Protocol\":\"{protocol}\",\"AppProtocol\":null,\
                 \"Port\":{number},\"TargetPort\":0,\"NodePort\":0}}"
            );
            let error = FieldError::duplicate(path.index(index), port.clone());
            errors.push(error.showing(text));
        }
    }
}

/// Who asks again gets the same pod, for a while.
fn session_affinity(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_SECONDS: i64 = 86_400;
    pod::one_of(spec, "sessionAffinity", &["ClientIP", "None"], path, errors);
    let config = spec.sub("sessionAffinityConfig");
    let path = path.child("sessionAffinityConfig");
    match spec.text("sessionAffinity") {
        "ClientIP" => {
            let detail = "when session affinity type is ClientIP";
            let client_path = path.child("clientIP");
            let seconds_path = client_path.child("timeoutSeconds");
            let client = config.and_then(|config| config.sub("clientIP"));
            let seconds = client.and_then(|client| client.int("timeoutSeconds"));
            match (config, client, seconds) {
                (None, _, _) => errors.required(path, detail),
                (_, None, _) => errors.required(client_path, detail),
                (_, _, None) => errors.required(seconds_path, detail),
                (_, _, Some(seconds)) if !(1..=MOST_SECONDS).contains(&seconds) => {
                    let detail = format!("must be greater than 0 and less than {MOST_SECONDS}");
                    errors.invalid(seconds_path, seconds, detail);
                }
                _ => {}
            }
        }
        "None" if config.is_some() => {
            errors.forbidden(path, "must not be set when session affinity is None");
        }
        _ => {}
    }
}

fn source_ranges(object: &Value, spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let is_balanced = spec.text("type") == "LoadBalancer";
    let detail = "may only be used when `type` is 'LoadBalancer'";
    let ranges = spec.list("loadBalancerSourceRanges");
    if !ranges.is_empty() {
        // The API server writes this field's name with a capital.
        let path = path.child("LoadBalancerSourceRanges");
        if !is_balanced {
            errors.forbidden(path, detail);
        }
        for (index, range) in ranges.iter().enumerate() {
            let range = range.as_str().unwrap_or_default().trim();
            legacy_range(range, &path.index(index), errors);
        }
        return;
    }
    let annotations = object.sub("metadata").and_then(|meta| meta.sub("annotations"));
    let Some(text) = annotations.and_then(|all| all.sub(SOURCE_RANGES)) else { return };
    let path = Path::root("metadata");
    let path = path.child("annotations");
    let path = path.key(SOURCE_RANGES);
    if !is_balanced {
        errors.forbidden(path, detail);
    }
    let text = text.as_str().unwrap_or_default().trim();
    for range in text.split(',').filter(|_| !text.is_empty()) {
        legacy_range(range.trim(), &path, errors);
    }
}

/// Models validateLoadBalancerClassField.
fn load_balancer_class(spec: &Value, old: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    let is_balanced = |spec: &Value| spec.text("type") == "LoadBalancer";
    let path = path.child("loadBalancerClass");
    let class = spec.sub("loadBalancerClass");
    if let Some(old) = old
        && is_balanced(spec)
        && is_balanced(old)
        && class != old.sub("loadBalancerClass")
    {
        errors.invalid(path, class.cloned().unwrap_or_default(), "may not change once set");
    }
    let Some(class) = class.and_then(Value::as_str) else { return };
    if is_balanced(spec) {
        errors.each_invalid(&path, class, names::qualified_name(class));
    } else {
        errors.forbidden(path, "may only be used when `type` is 'LoadBalancer'");
    }
}

fn needs_health_check(spec: &Value) -> bool {
    spec.text("type") == "LoadBalancer" && spec.text("externalTrafficPolicy") == "Local"
}

/// Models validateServiceExternalTrafficPolicy, validateServiceInternalTrafficFieldsValue and
/// validateServiceTrafficDistribution.
fn traffic_policies(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    const POLICIES: [&str; 2] = ["Cluster", "Local"];
    const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    let kind = spec.text("type");
    let from_outside = ["LoadBalancer", "NodePort"].contains(&kind)
        || (kind == "ClusterIP" && !spec.list("externalIPs").is_empty());
    let policy = spec.text("externalTrafficPolicy");
    if from_outside {
        pod::one_of(spec, "externalTrafficPolicy", &POLICIES, path, errors);
    } else if !policy.is_empty() {
        let detail = "may only be set for externally-accessible services";
        errors.invalid(path.child("externalTrafficPolicy"), policy, detail);
    }
    let port = spec.int("healthCheckNodePort").unwrap_or_default();
    let port_path = path.child("healthCheckNodePort");
    match (needs_health_check(spec), port) {
        (false, 0) => {}
        (false, port) => {
            let detail = "may only be set when `type` is 'LoadBalancer' and \
                          `externalTrafficPolicy` is 'Local'";
            errors.invalid(port_path, port, detail);
        }
        (true, 0) => errors.required(port_path, ""),
        (true, port) => {
            for message in names::port_number(port) {
                errors.invalid(port_path, port, message);
            }
        }
    }
    let internal_path = path.child("internalTrafficPolicy");
    match spec.sub("internalTrafficPolicy").and_then(Value::as_str) {
        None if ["ClusterIP", "NodePort", "LoadBalancer"].contains(&kind) => {
            errors.required(internal_path, "");
        }
        Some(policy) if !POLICIES.contains(&policy) => {
            errors.not_supported(internal_path, policy, &POLICIES);
        }
        _ => {}
    }
    if let Some(distribution) = spec.sub("trafficDistribution").and_then(Value::as_str)
        && !DISTRIBUTIONS.contains(&distribution)
    {
        errors.not_supported(path.child("trafficDistribution"), distribution, &DISTRIBUTIONS);
    }
}
