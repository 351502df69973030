//! PersistentVolumes, their claims and their classes.
//!
//! Models pkg/apis/core/validation/validation.go and pkg/apis/storage/validation/validation.go.

use super::object_meta::label_name;
use super::path::{Errors, Fields as _, IMMUTABLE, Path, Report as _, immutable, same};
use super::pod::environment::quantity;
use super::pod::line_diff;
use super::pod::resources::positive_amount;
use super::selectors::node_selector;
use super::volume_sources::{driver_name, source};
use super::{claims, go_structs, names};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{FieldError, Value};

/// The sources that a PersistentVolume can have, in the order in which they are looked at.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// Models ValidatePersistentVolume and ValidatePersistentVolumeUpdate.
pub(super) fn volume(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    if spec.list("accessModes").is_empty() {
        errors.required(path.child("accessModes"), "");
    }
    claims::access_modes(spec.list("accessModes"), &path.child("accessModes"), errors);
    capacity(spec, &path.child("capacity"), errors);
    let policy = spec.text("persistentVolumeReclaimPolicy");
    let policy_path = path.child("persistentVolumeReclaimPolicy");
    let policies = ["Delete", "Recycle", "Retain"];
    if !policy.is_empty() && !policies.contains(&policy) {
        errors.not_supported(policy_path, policy, &policies);
    }
    if let Some(affinity) = spec.sub("nodeAffinity") {
        let path = path.child("nodeAffinity");
        match affinity.sub("required") {
            Some(required) => node_selector(required, &path.child("required"), errors),
            None => {
                let detail = "must specify required node constraints";
                errors.required(path.child("required"), detail);
            }
        }
    }
    sources(spec, &path, errors);
    if spec.str_at(&["hostPath", "path"]) == Some("/") && policy == "Recycle" {
        errors.forbidden(policy_path, "may not be 'recycle' for a hostPath mount of '/'");
    }
    let class = spec.text("storageClassName");
    if !class.is_empty() {
        errors.each_invalid(&path.child("storageClassName"), class, names::dns_subdomain(class));
    }
    volume_mode(spec, &path, errors);
    attributes_class(spec, &path, errors);
    if let Some(old) = old {
        volume_stays(spec, old.sub("spec").unwrap_or(&null), &path, errors);
    }
}

/// A class of attributes is for volumes of CSI drivers.
fn attributes_class(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let Some(class) = spec.sub("volumeAttributesClassName").and_then(Value::as_str) else {
        return;
    };
    let class_path = path.child("volumeAttributesClassName");
    if class.is_empty() {
        errors.required(class_path, "an empty string is disallowed");
    } else {
        errors.each_invalid(&class_path, class, names::dns_subdomain(class));
    }
    if spec.sub("csi").is_none() {
        let detail = "has to be specified when using volumeAttributesClassName";
        errors.required(path.child("csi"), detail);
    }
}

fn volume_mode(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let modes = ["Block", "Filesystem"];
    if let Some(mode) = spec.sub("volumeMode").and_then(Value::as_str)
        && !modes.contains(&mode)
    {
        errors.not_supported(path.child("volumeMode"), mode, &modes);
    }
}

fn capacity(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let count = spec.map("capacity").count();
    if count == 0 {
        errors.required(path, "");
    }
    let capacity = spec.sub("capacity");
    if count > 1 || capacity.is_none_or(|capacity| capacity.sub("storage").is_none()) {
        let shown = capacity.cloned().unwrap_or_default();
        errors.not_supported(path, shown, &["storage"]);
    }
    for (name, value) in spec.map("capacity") {
        let path = path.key(name);
        let amount = quantity(Some(value)).unwrap_or_default();
        if amount.value() < 0 {
            errors.invalid(path, amount.value(), "must be a valid resource quantity");
        }
        positive_amount(Some(value), &path, errors);
    }
}

fn sources(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let mut found = false;
    for kind in SOURCES {
        let Some(value) = spec.sub(kind) else { continue };
        let shown = if kind == "gcePersistentDisk" { "persistentDisk" } else { kind };
        if found {
            errors.forbidden(path.child(kind), "may not specify more than 1 volume type");
            continue;
        }
        found = true;
        let here = path.child(shown);
        if kind == "csi" {
            driver_name(value.text("driver"), &here.child("driver"), errors);
            if value.text("volumeHandle").is_empty() {
                errors.required(here.child("volumeHandle"), "");
            }
        } else {
            source(kind, value, &here, errors);
        }
        if kind == "local" && spec.sub("nodeAffinity").is_none() {
            let detail = "Local volume requires node affinity";
            errors.required(path.child("nodeAffinity"), detail);
        }
    }
    if !found {
        errors.required(path, "must specify a volume type");
    }
}

/// Where a volume's data is stays as it is.
fn volume_stays(spec: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) {
    let differs = |kind: &&str| !same(spec.sub(kind), old.sub(kind));
    if SOURCES.iter().any(differs) {
        let before = go_structs::pretty("PersistentVolumeSource", old);
        let after = go_structs::pretty("PersistentVolumeSource", spec);
        let difference = line_diff::unified(&before, &after);
        let detail =
            format!("spec.persistentvolumesource is immutable after creation\n{difference}");
        errors.forbidden(path.child("persistentvolumesource"), detail);
    }
    let (mode, old_mode) = (spec.sub("volumeMode"), old.sub("volumeMode"));
    immutable(mode, old_mode, &Path::root("volumeMode"), errors);
    let class = "volumeAttributesClassName";
    if old.sub(class).is_some() && spec.sub(class).is_none() {
        errors.forbidden(path.child(class), "update from non-nil value to nil is forbidden");
    }
    if let Some(affinity) = old.sub("nodeAffinity")
        && !same(Some(affinity), spec.sub("nodeAffinity"))
    {
        let detail = format!("{IMMUTABLE}, except for updating from beta label to GA");
        let shown = spec.sub("nodeAffinity").map_or_else(
            || "null".to_owned(),
            |affinity| go_structs::compact("VolumeNodeAffinity", affinity),
        );
        let new = spec.sub("nodeAffinity").cloned().unwrap_or_default();
        let error = FieldError::invalid(Path::root("nodeAffinity"), new, detail);
        errors.push(error.showing(shown));
    }
}

/// Models ValidatePersistentVolumeClaim and ValidatePersistentVolumeClaimUpdate.
pub(super) fn claim(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    claims::spec(spec, &path, errors);
    if let Some(old) = old {
        claim_stays(object, spec, old, &path, errors);
    }
}

fn claim_stays(object: &Value, spec: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let status = old.sub("status").unwrap_or(&null);
    let old = old.sub("spec").unwrap_or(&null);
    let (mut new_rest, mut old_rest) = (spec.clone(), old.clone());
    if old.text("volumeName").is_empty() {
        old_rest.put(&["volumeName"], spec.sub("volumeName").cloned().unwrap_or_default());
    }
    if old.sub("storageClassName").is_none() {
        new_rest.remove(&["storageClassName"]);
    }
    let phase = object.str_at(&["status", "phase"]).or(status.str_at(&["phase"]));
    let storage = ["resources", "requests", "storage"];
    if phase == Some("Bound") {
        new_rest.put(&storage, old.at(&storage).cloned().unwrap_or_default());
        let class = "volumeAttributesClassName";
        new_rest.put(&[class], old.sub(class).cloned().unwrap_or_default());
    }
    if !same(Some(&new_rest), Some(&old_rest)) {
        let before = go_structs::pretty("PersistentVolumeClaimSpec", &old_rest);
        let after = go_structs::pretty("PersistentVolumeClaimSpec", &new_rest);
        let difference = line_diff::unified(&before, &after);
        let detail = format!(
            "spec is immutable after creation except resources.requests and \
             volumeAttributesClassName for bound claims\n{difference}"
        );
        errors.forbidden(path, detail);
    }
    let size = |value: &Value, path: &[&str]| quantity(value.at(path)).unwrap_or_default();
    let new_size = size(spec, &storage);
    if new_size < size(old, &storage) && new_size <= size(status, &["capacity", "storage"]) {
        let path = path.child("resources");
        let path = path.child("requests");
        errors.forbidden(path.child("storage"), "field can not be less than status.capacity");
    }
    let (mode, old_mode) = (spec.sub("volumeMode"), old.sub("volumeMode"));
    immutable(mode, old_mode, &Path::root("volumeMode"), errors);
    let class = "volumeAttributesClassName";
    if status.sub("currentVolumeAttributesClassName").is_some() && old.sub(class).is_some() {
        let to = match spec.sub(class).and_then(Value::as_str) {
            None => "nil",
            Some("") => "empty string",
            Some(_) => return,
        };
        let detail = format!(
            "update to {to} is forbidden when status.currentVolumeAttributesClassName is not nil"
        );
        errors.forbidden(path.child(class), detail);
    }
}

/// Models ValidateStorageClass and ValidateStorageClassUpdate.
pub(super) fn storage_class(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let provisioner = object.text("provisioner");
    let path = Path::root("provisioner");
    if provisioner.is_empty() {
        errors.required(path, "");
    } else {
        let wrong = names::qualified_name(&provisioner.to_lowercase());
        errors.each_invalid(&path, &provisioner.to_lowercase(), wrong);
    }
    parameters(object, &Path::root("parameters"), errors);
    let policy = object.text("reclaimPolicy");
    if !policy.is_empty() && !["Delete", "Retain"].contains(&policy) {
        errors.not_supported(Path::root("reclaimPolicy"), policy, &["Delete", "Retain"]);
    }
    let modes = ["Immediate", "WaitForFirstConsumer"];
    let path = Path::root("volumeBindingMode");
    match object.sub("volumeBindingMode").and_then(Value::as_str) {
        None => errors.required(path, ""),
        Some(mode) if !modes.contains(&mode) => errors.not_supported(path, mode, &modes),
        Some(_) => {}
    }
    topologies(object, &Path::root("allowedTopologies"), errors);
    if let Some(old) = old {
        for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
            immutable(object.sub(field), old.sub(field), &Path::root(field), errors);
        }
    }
}

#[inline(never)]
fn parameters(object: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST: usize = 512;
    const MOST_BYTES: usize = 256 * 1024;
    if object.map("parameters").count() > MOST {
        errors.push(FieldError::too_long(path, MOST));
        return;
    }
    let mut bytes = 0;
    for (key, value) in object.map("parameters") {
        if key.is_empty() {
            errors.invalid(path, key, "field can not be empty.");
        }
        bytes += key.len() + value.as_str().map_or(0, str::len);
    }
    if bytes > MOST_BYTES {
        errors.push(FieldError::too_long(path, MOST_BYTES));
    }
}

/// Models validateAllowedTopologies.
#[inline(never)]
fn topologies(object: &Value, path: &Path<'_>, errors: &mut Errors) {
    for (index, term) in object.list("allowedTopologies").iter().enumerate() {
        let path = path.index(index);
        let list = path.child("matchLabelExpressions");
        let expressions = term.list("matchLabelExpressions");
        for (index, expression) in expressions.iter().enumerate() {
            let path = list.index(index);
            let values = expression.list("values");
            let values_path = path.child("values");
            if values.is_empty() {
                errors.required(values_path, "");
            }
            for (index, value) in values.iter().enumerate() {
                if values.iter().take(index).any(|other| other == value) {
                    errors.duplicate(values_path.index(index), value.clone());
                }
            }
            let key = expression.text("key");
            label_name(key, &path.child("key"), errors);
            if expressions.iter().take(index).any(|other| other.text("key") == key) {
                errors.duplicate(path.child("key"), key);
            }
        }
    }
}
