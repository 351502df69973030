//! The managers of what nobody recorded: of the objects that control loops make, and of statuses.

use super::compare::compare;
use super::managed_part;
use super::place::Place;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{FieldSet, Kind, ManagedFieldsEntry, Object, Value};
use crate::base::SimTime;
use serde_json::{Map, json};
use std::sync::Arc;

/// All managers of an object, as the API shows them.
///
/// Simplified: when a control loop last took a field is not kept; an object shows its creation, a
/// status its latest condition.
pub fn shown(object: &Object) -> Value {
    let recorded = object.meta.managed_fields.recorded();
    let mut entries = recorded.map_or_else(|| of_object(object), <[ManagedFieldsEntry]>::to_vec);
    if let Some(mut status) = of_status(object) {
        if let Some(at) = entries.iter().position(|entry| entry.is_of(&status)) {
            let written = entries.remove(at);
            status.fields = status.fields.union(&written.fields);
            status.time = status.time.max(written.time);
        }
        entries.push(status);
    }
    let managed = crate::api::ManagedFields::of(entries);
    let version = object.kind.api_version();
    managed.recorded().unwrap_or_default().iter().map(|entry| entry.to_value(&version)).collect()
}

/// Who made an object, and has all its fields.
pub(super) fn of_object(object: &Object) -> Vec<ManagedFieldsEntry> {
    let manager = match object.kind {
        Kind::Node | Kind::Lease => "kubelet",
        _ if object.meta.creation_timestamp <= SimTime::WORLD_START
            && object.meta.owner_references.is_empty() =>
        {
            "kubeadm"
        }
        _ => "kube-controller-manager",
    };
    let mut value = managed_part(object);
    if object.kind == Kind::Pod {
        without_admission(&mut value);
    }
    let entry = entry(manager, "", object.meta.creation_timestamp, object.kind, &value);
    entry.into_iter().collect()
}

/// Takes out of a pod what admission put there, which has no manager.
fn without_admission(value: &mut Value) {
    for key in [
        "serviceAccount",
        "serviceAccountName",
        "nodeName",
        "tolerations",
        "priority",
        "preemptionPolicy",
    ] {
        value.remove(&["spec", key]);
    }
    for key in ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"] {
        value.remove(&["metadata", "labels", key]);
    }
    let is_token = |item: &Value| {
        let name = item.str_at(&["name"]).unwrap_or_default();
        name.starts_with("kube-api-access-")
    };
    let spec = value.entry(&["spec"]);
    drop_items(spec, "volumes", is_token);
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            drop_items(container, "volumeMounts", is_token);
        }
    }
}

fn drop_items(value: &mut Value, key: &str, unwanted: impl Fn(&Value) -> bool) {
    let Some(items) = value.get_mut(key).and_then(Value::as_array_mut) else { return };
    items.retain(|item| !unwanted(item));
    if items.is_empty() {
        value.remove(&[key]);
    }
}

/// Who writes the status of an object, if it says anything.
fn of_status(object: &Object) -> Option<ManagedFieldsEntry> {
    let manager = match object.kind {
        Kind::Pod | Kind::Node => "kubelet",
        Kind::Ingress => "nginx-ingress-controller",
        Kind::Namespace => return None,
        _ => "kube-controller-manager",
    };
    let whole = object.to_value();
    let status = whole.get("status").filter(|status| !status.is_null())?;
    let conditions = status.items_at(&["conditions"]);
    let times = conditions.iter().flat_map(|condition| {
        ["lastUpdateTime", "lastTransitionTime"].map(|key| condition.str_at(&[key]))
    });
    let latest = times.flatten().filter_map(SimTime::parse_rfc3339).max();
    let time = latest.unwrap_or(object.meta.creation_timestamp);
    let mut found = entry(manager, "status", time, object.kind, &json!({"status": status}))?;
    if object.kind == Kind::Pod {
        // The scheduler's binding and the pod's creation wrote these.
        let scheduled = "k:{\"type\":\"PodScheduled\"}";
        found.fields.cut(&["f:status", "f:qosClass"]);
        found.fields.cut(&["f:status", "f:conditions", scheduled]);
        if status.str_at(&["phase"]) == Some("Pending") {
            found.fields.cut(&["f:status", "f:phase"]);
        }
        if let Some(set) = found.fields.below.get_mut("f:status")
            && let Some(set) = set.below.get_mut("f:conditions")
        {
            set.member = false;
            let seen = FieldSet::of_path(&[scheduled, "f:observedGeneration"]);
            *set = core::mem::take(set).union(&seen);
        }
    }
    Some(found)
}

fn entry(
    manager: &str,
    subresource: &'static str,
    time: SimTime,
    kind: Kind,
    value: &Value,
) -> Option<ManagedFieldsEntry> {
    let changes = compare(Place::Root(kind, None), &Value::Object(Map::new()), value);
    let fields = changes.added.union(&changes.modified);
    let (manager, time) = (Arc::from(manager), Some(time));
    let entry = ManagedFieldsEntry { manager, applies: false, subresource, time, fields };
    (!entry.fields.is_empty()).then_some(entry)
}
