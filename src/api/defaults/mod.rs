//! What the API server fills in before it looks at an object any closer.
//!
//! Invariants: [`apply`] only adds; what a person wrote stays. Applying it twice changes nothing.
//! Absent and null are the same thing, and where Kubernetes cannot tell an empty text or a zero
//! from an absent one, neither does the model. Structures that the server always writes, such as
//! the empty `metadata: {}` of a pod template, are filled in here as well.
//!
//! What needs more than the object itself (addresses, UIDs, other objects) is the store's work.
//!
//! Reading order: `pod.rs`, `volumes.rs`, `workloads.rs`, `service.rs`, `policy.rs`, `stored.rs`,
//! `image.rs`.

mod image;
mod pod;
mod pod_resources;
mod policy;
mod service;
mod stored;
#[cfg(test)]
mod tests;
mod volumes;
mod workloads;

pub(super) use pod_resources::of_containers;

use super::tree::TreeMut as _;
use super::{Kind, Value};
use serde_json::{Map, json};

/// Fills in the defaults of an object of this kind.
///
/// Models pkg/apis/*/v1/defaults.go and the defaults that zz_generated.defaults.go declares.
pub fn apply(kind: Kind, object: &mut Value) {
    match kind {
        Kind::Pod => pod::pod(object),
        Kind::PodTemplate => pod::template(object.entry(&["template"])),
        Kind::ReplicationController => workloads::replication_controller(object),
        Kind::Deployment => workloads::deployment(object),
        Kind::ReplicaSet => workloads::replica_set(object),
        Kind::StatefulSet => workloads::stateful_set(object),
        Kind::DaemonSet => workloads::daemon_set(object),
        Kind::Job => workloads::job(object),
        Kind::CronJob => workloads::cron_job(object),
        Kind::Service => service::service(object),
        Kind::Endpoints => service::endpoints(object),
        Kind::EndpointSlice => service::endpoint_slice(object),
        Kind::Secret => policy::secret(object),
        Kind::Namespace => policy::namespace(object),
        Kind::Node => policy::node(object),
        Kind::PersistentVolume => volumes::persistent_volume(object),
        Kind::PersistentVolumeClaim => volumes::claim_spec(object.entry(&["spec"])),
        Kind::LimitRange => policy::limit_range(object),
        Kind::NetworkPolicy => policy::network_policy(object),
        Kind::IngressClass => policy::ingress_class(object),
        Kind::HorizontalPodAutoscaler => policy::horizontal_pod_autoscaler(object),
        Kind::PriorityClass => {
            object.put_default(&["preemptionPolicy"], "PreemptLowerPriority");
        }
        Kind::StorageClass => {
            object.put_default(&["reclaimPolicy"], "Delete");
            object.put_default(&["volumeBindingMode"], "Immediate");
        }
        Kind::RoleBinding | Kind::ClusterRoleBinding => policy::role_binding(object),
        Kind::CustomResourceDefinition => policy::custom_resource_definition(object),
        Kind::ConfigMap
        | Kind::ServiceAccount
        | Kind::Event
        | Kind::ResourceQuota
        | Kind::ControllerRevision
        | Kind::Ingress
        | Kind::PodDisruptionBudget
        | Kind::Lease => {}
        Kind::Role | Kind::ClusterRole => policy::role(object),
        Kind::Other(_) if kind.is_custom() => {}
        Kind::Other(_) => stored::apply(kind, object),
    }
}

/// Whether a value is what Go writes for "not set": nothing, an empty text, zero.
fn is_unset(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(number)) => number.as_i64() == Some(0),
        Some(_) => false,
    }
}

/// Sets a field whose zero value means "not set".
fn fill(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(fields) = object.as_object_mut()
        && is_unset(fields.get(key))
    {
        fields.insert(key.to_owned(), value.into());
    }
}

/// Makes sure that there is an object under `key`.
fn ensure_object<'a>(object: &'a mut Value, key: &str) -> &'a mut Value {
    let entry = object.entry(&[key]);
    if entry.is_null() {
        *entry = json!({});
    }
    entry
}

/// The object under `key`, if there is one.
fn child<'a>(object: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    object.as_object_mut()?.get_mut(key).filter(|value| value.is_object())
}

/// The items of the list under `key`.
fn items<'a>(object: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> + use<'a> {
    let list = object.as_object_mut().and_then(|fields| fields.get_mut(key));
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

/// Copies into `to` what it has not got from `from`.
fn copy_missing(from: Option<&Map<String, Value>>, to: &mut Value) {
    for (key, value) in from.into_iter().flatten() {
        to.put_default(&[key], value.clone());
    }
}
