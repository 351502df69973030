//! Pods, typed and compact: a cluster may hold 150,000 of them.
//!
//! Pods of one template share one [`PodSpec`]; what differs from pod to pod (node, token volume)
//! lies beside it and is woven in when somebody reads the pod as a tree.
//!
//! Reading order: `spec.rs`, `status.rs`, `amounts.rs`.

pub mod amounts;
mod spec;
mod status;

pub use spec::{
    Container, ContainerPort, Effect, HostPort, PodSpec, Resources, RestartPolicy, Taint,
    Toleration, VolumeSource, quantity_of,
};
pub use status::{
    ConditionType, ContainerState, ContainerStatus, Phase, PodCondition, PodStatus, Qos, Why,
    image_id,
};

use super::tree::TreeMut as _;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where the token of a service account is mounted.
pub const TOKEN_MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What is particular to a pod beside its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// The specification, shared by the pods of a template. Its tree has neither `nodeName` nor
    /// the token volume when these stand in the two fields below.
    pub spec: Arc<PodSpec>,
    /// The node it is bound to.
    pub node_name: Option<Arc<str>>,
    /// The suffix of the `kube-api-access-…` volume that the ServiceAccount admission added.
    pub token_volume: Option<[u8; 5]>,
    /// What the kubelet reports.
    pub status: PodStatus,
}

impl Pod {
    /// A pod of this specification that nobody has looked at yet.
    ///
    /// `spec.nodeName`, if there is one, moves beside the shared specification.
    pub fn new(spec: Arc<PodSpec>) -> Self {
        let node_name = spec.tree.get("nodeName").and_then(Value::as_str).map(Arc::from);
        let spec = match node_name {
            Some(_) => {
                let mut tree = spec.tree.clone();
                tree.remove(&["nodeName"]);
                Arc::new(PodSpec::from_value(tree))
            }
            None => spec,
        };
        Pod { spec, node_name, token_volume: None, status: PodStatus::default() }
    }

    /// The whole specification as the API shows it.
    pub fn spec_value(&self) -> Value {
        let mut tree = self.spec.tree.clone();
        if let Some(node) = &self.node_name {
            tree.put(&["nodeName"], &**node);
        }
        if let Some(suffix) = self.token_volume {
            add_token_volume(&mut tree, &token_volume_name(suffix));
        }
        tree
    }
}

/// `kube-api-access-xxxxx`.
pub fn token_volume_name(suffix: [u8; 5]) -> String {
    let suffix: String = suffix.iter().map(|byte| char::from(*byte)).collect();
    format!("kube-api-access-{suffix}")
}

/// Adds the projected volume with the token, the CA and the namespace, and mounts it in every
/// container that mounts nothing there yet.
///
/// Models plugin/pkg/admission/serviceaccount/admission.go mountServiceAccountToken.
fn add_token_volume(spec: &mut Value, name: &str) {
    let mount = json!({"mountPath": TOKEN_MOUNT_PATH, "name": name, "readOnly": true});
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            if let Some(mounts) = list_entry(container, "volumeMounts")
                && !mounts.iter().any(|m| m.get("mountPath") == mount.get("mountPath"))
            {
                mounts.push(mount.clone());
            }
        }
    }
    let volume = json!({
        "name": name,
        "projected": {
            "defaultMode": 420,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {
                    "name": "kube-root-ca.crt",
                    "items": [{"key": "ca.crt", "path": "ca.crt"}]
                }},
                {"downwardAPI": {"items": [{
                    "path": "namespace",
                    "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
                }]}}
            ]
        }
    });
    if let Some(volumes) = list_entry(spec, "volumes") {
        volumes.push(volume);
    }
}

fn list_entry<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Vec<Value>> {
    let entry = value.entry(&[key]);
    if !entry.is_array() {
        *entry = Value::Array(Vec::new());
    }
    entry.as_array_mut()
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree as _;
    use super::*;

    #[test]
    fn node_and_token_volume_are_woven_into_the_shared_specification() {
        let spec = json!({"containers": [{"name": "c", "image": "nginx"}], "nodeName": "node-1"});
        let mut pod = Pod::new(Arc::new(PodSpec::from_value(spec)));
        pod.token_volume = Some(*b"abcde");
        let value = pod.spec_value();
        assert_eq!(pod.spec.tree.get("nodeName"), None);
        assert_eq!(value.str_at(&["nodeName"]), Some("node-1"));
        assert_eq!(value["volumes"][0]["name"], "kube-api-access-abcde");
        assert_eq!(value["containers"][0]["volumeMounts"][0]["mountPath"], TOKEN_MOUNT_PATH);
    }
}
