//! Services and what they lead to.

use super::{ensure_object, fill, is_unset, items};
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use serde_json::json;

/// Three hours, in seconds: how long a client stays with its pod.
const CLIENT_IP_TIMEOUT_SECONDS: i64 = 10_800;

/// Models SetDefaults_Service. Addresses, node ports and IP families are the store's work.
pub(super) fn service(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    fill(spec, "sessionAffinity", "None");
    match spec.str_at(&["sessionAffinity"]) {
        Some("None") => {
            spec.remove(&["sessionAffinityConfig"]);
        }
        Some("ClientIP") => {
            let path = ["sessionAffinityConfig", "clientIP", "timeoutSeconds"];
            spec.put_default(&path, CLIENT_IP_TIMEOUT_SECONDS);
        }
        _ => {}
    }
    fill(spec, "type", "ClusterIP");
    for port in items(spec, "ports") {
        fill(port, "protocol", "TCP");
        let number = port.at(&["port"]).cloned().unwrap_or_else(|| json!(0));
        fill(port, "targetPort", number);
    }
    let service_type = spec.str_at(&["type"]).unwrap_or_default().to_owned();
    let external = spec.items_at(&["externalIPs"]).iter().any(Value::is_string);
    let behind_address = matches!(service_type.as_str(), "ClusterIP" | "NodePort" | "LoadBalancer");
    if matches!(service_type.as_str(), "NodePort" | "LoadBalancer")
        || (service_type == "ClusterIP" && external)
    {
        fill(spec, "externalTrafficPolicy", "Cluster");
    }
    if behind_address {
        spec.put_default(&["internalTrafficPolicy"], "Cluster");
    }
    if service_type == "LoadBalancer" {
        spec.put_default(&["allocateLoadBalancerNodePorts"], true);
        let status = object.as_object_mut().and_then(|object| object.get_mut("status"));
        let balancer = status.and_then(|status| super::child(status, "loadBalancer"));
        for ingress in balancer.into_iter().flat_map(|balancer| items(balancer, "ingress")) {
            if !is_unset(ingress.at(&["ip"])) {
                ingress.put_default(&["ipMode"], "VIP");
            }
        }
    }
}

/// Models SetDefaults_Endpoints.
pub(super) fn endpoints(object: &mut Value) {
    for subset in items(object, "subsets") {
        for port in items(subset, "ports") {
            fill(port, "protocol", "TCP");
        }
    }
}

/// Models pkg/apis/discovery/v1/defaults.go.
pub(super) fn endpoint_slice(object: &mut Value) {
    for endpoint in items(object, "endpoints") {
        ensure_object(endpoint, "conditions");
    }
    for port in items(object, "ports") {
        port.put_default(&["name"], "");
        port.put_default(&["protocol"], "TCP");
    }
}
