//! The node as the kubelet registers it, and its heartbeat.
//!
//! Models pkg/kubelet/kubelet_node_status.go and …/nodestatus/setters.go.

use crate::api::pod::PodSpec;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Event, Kind, Object, Value};
use crate::base::{SimTime, names};
use crate::store::Write;
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

/// Between two renewals of a node's lease.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(10);
/// Seconds for which a lease is good.
const LEASE_SECONDS: i64 = 40;

/// The conditions of a healthy node: type, reason, message; all but `Ready` are `False`.
const HEALTHY: [(&str, &str, &str); 4] = [
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "KubeletReady", "kubelet is posting ready status"),
];

/// Why a node without a network plugin is not Ready.
///
/// Models pkg/kubelet/runtime.go networkErrors.
pub const NO_NETWORK: &str = "container runtime network not ready: NetworkReady=false \
     reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";
/// Where a network plugin leaves its configuration on a node.
const PLUGINS: &str = "/etc/cni/";

/// Whether a pod brings a network plugin to its node: it mounts the directory of their
/// configurations.
pub fn brings_network(spec: &PodSpec) -> bool {
    let volumes = spec.tree.items_at(&["volumes"]).iter();
    let mut paths = volumes.filter_map(|volume| volume.str_at(&["hostPath", "path"]));
    paths.any(|path| path.starts_with(PLUGINS))
}

/// Completes a node that a person or the cluster's configuration describes: labels, addresses,
/// capacity, conditions, versions. What is given stays.
pub fn registration(mut node: Value, ip: &str, network_ready: bool, now: SimTime) -> Object {
    let name = node.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    let labels = [
        ("beta.kubernetes.io/arch", "amd64"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/hostname", name.as_str()),
        ("kubernetes.io/os", "linux"),
    ];
    for (key, value) in labels {
        node.put_default(&["metadata", "labels", key], value);
    }
    let annotations = [
        ("node.alpha.kubernetes.io/ttl", "0"),
        ("volumes.kubernetes.io/controller-managed-attach-detach", "true"),
    ];
    for (key, value) in annotations {
        node.put_default(&["metadata", "annotations", key], value);
    }
    let capacity = json!({
        "cpu": "4", "ephemeral-storage": "102625208Ki", "hugepages-1Gi": "0",
        "hugepages-2Mi": "0", "memory": "8Gi", "pods": "110",
    });
    for (resource, amount) in capacity.as_object().into_iter().flatten() {
        node.put_default(&["status", "capacity", resource], amount.clone());
    }
    let capacity = node.at(&["status", "capacity"]).cloned().unwrap_or_default();
    for (resource, amount) in capacity.as_object().into_iter().flatten() {
        node.put_default(&["status", "allocatable", resource], amount.clone());
    }
    node.put_default(
        &["status", "addresses"],
        json!([{"address": ip, "type": "InternalIP"}, {"address": name, "type": "Hostname"}]),
    );
    node.put_default(&["status", "conditions"], conditions(&Value::Null, network_ready, now));
    if !network_ready {
        // Models plugin/pkg/admission/nodetaint: a node begins without pods.
        let taint = json!([{"effect": "NoSchedule", "key": "node.kubernetes.io/not-ready"}]);
        node.put_default(&["spec", "taints"], taint);
    }
    node.put_default(&["status", "daemonEndpoints", "kubeletEndpoint", "Port"], 10250);
    let digits = |salt: u64| {
        format!(
            "{:016x}{:016x}",
            names::fnv64a(salt, name.as_bytes()),
            names::fnv64a(salt + 7, name.as_bytes())
        )
    };
    node.put_default(
        &["status", "nodeInfo"],
        json!({
            "architecture": "amd64",
            "bootID": digits(3),
            "containerRuntimeVersion": "containerd://2.2.0",
            "kernelVersion": "6.1.0",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.36.2",
            "machineID": digits(1),
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
            "systemUUID": digits(1),
        }),
    );
    Object::from_value(Kind::Node, node)
}

/// The conditions that a working kubelet posts; a transition time moves only with the status.
pub fn conditions(old: &Value, network_ready: bool, now: SimTime) -> Value {
    let posted = HEALTHY.map(|(condition, reason, message)| {
        let (status, reason, message) = match condition {
            "Ready" if network_ready => ("True", reason, message),
            "Ready" => ("False", "KubeletNotReady", NO_NETWORK),
            _ => ("False", reason, message),
        };
        let before = old.as_array().into_iter().flatten().find(|c| {
            c.str_at(&["type"]) == Some(condition) && c.str_at(&["status"]) == Some(status)
        });
        let since = before.and_then(|c| c.str_at(&["lastTransitionTime"])).map(str::to_owned);
        json!({
            "lastHeartbeatTime": now.rfc3339(),
            "lastTransitionTime": since.unwrap_or_else(|| now.rfc3339()),
            "message": message,
            "reason": reason,
            "status": status,
            "type": condition,
        })
    });
    Value::Array(posted.to_vec())
}

/// The lease of a node that is renewed now.
pub fn lease(node: &Object, now: SimTime) -> Object {
    Object::from_value(
        Kind::Lease,
        json!({
            "metadata": {
                "name": *node.meta.name,
                "namespace": "kube-node-lease",
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "Node", "name": *node.meta.name,
                    "uid": node.meta.uid.to_string(),
                }],
            },
            "spec": {
                "holderIdentity": *node.meta.name,
                "leaseDurationSeconds": LEASE_SECONDS,
                "renewTime": now.rfc3339_micros(),
            },
        }),
    )
}

/// What the kubelet says of its node. Its node events name the node itself as host.
pub fn event(node: &Object, reason: &str, message: String, now: SimTime) -> Write {
    let host: Arc<str> = node.meta.name.clone();
    Write::Event(Box::new(Event {
        involved: node.reference(),
        warning: false,
        reason: reason.into(),
        message: message.into(),
        component: "kubelet".into(),
        host,
        first_timestamp: now,
        last_timestamp: now,
        count: 1,
        from_events_api: false,
        written: None,
    }))
}

/// The events of a kubelet that starts; that the node is Ready is one of them if it is.
pub fn start_events(node: &Object, is_ready: bool, now: SimTime) -> Vec<Write> {
    let status = |reason: &str| {
        event(node, reason, format!("Node {} status is now: {reason}", node.meta.name), now)
    };
    let mut events = vec![
        event(node, "Starting", "Starting kubelet.".to_owned(), now),
        status("NodeHasSufficientMemory"),
        status("NodeHasNoDiskPressure"),
        status("NodeHasSufficientPID"),
        event(
            node,
            "NodeAllocatableEnforced",
            "Updated Node Allocatable limit across pods".to_owned(),
            now,
        ),
    ];
    events.extend(is_ready.then(|| status("NodeReady")));
    events
}
