//! Where the data of a volume comes from: the sources that pods and PersistentVolumes share.

use super::names;
use super::path::{Errors, Fields as _, Path, Report as _};
use super::pod::volume_paths::no_backsteps;
use crate::api::{FieldError, Value};

/// Sources and the fields they cannot do without.
///
/// Simplified: of the sources that Kubernetes has handed over to drivers, no more than this is
/// checked.
const REQUIRED_FIELDS: [(&str, &[&str]); 20] = [
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("nfs", &["server", "path"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("glusterfs", &["endpoints", "path"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("rbd", &["monitors", "image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &["monitors"]),
    ("quobyte", &["registry", "volume"]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("storageos", &["volumeName"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("local", &["path"]),
];

const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// Checks one source; `path` leads to it.
///
/// Models pkg/apis/core/validation/validation.go, the validate…VolumeSource functions.
pub(super) fn source(kind: &str, source: &Value, path: &Path<'_>, errors: &mut Errors) {
    if kind == "hostPath" {
        host_path(source, path, errors);
        return;
    }
    let table = REQUIRED_FIELDS.iter().find(|(name, _)| *name == kind);
    for field in table.map_or(&[] as &[&str], |(_, fields)| fields) {
        if source.text(field).is_empty() && source.list(field).is_empty() {
            errors.required(path.child(field), "");
        }
    }
    match kind {
        "nfs" => {
            let target = source.text("path");
            if !target.starts_with('/') {
                errors.invalid(path.child("path"), target, "must be an absolute path");
            }
        }
        "local" => no_backsteps(source.text("path"), &path.child("path"), errors),
        "gcePersistentDisk" | "awsElasticBlockStore" => {
            if let Some(partition) = source.int("partition").filter(|p| !(0..=255).contains(p)) {
                let detail = names::not_between(1, 255);
                errors.invalid(path.child("partition"), partition, detail);
            }
        }
        "iscsi" => {
            if let Some(lun) = source.int("lun").filter(|lun| !(0..=255).contains(lun)) {
                errors.invalid(path.child("lun"), lun, names::not_between(0, 255));
            }
        }
        _ => {}
    }
}

/// Models validateHostPathVolumeSource.
fn host_path(source: &Value, path: &Path<'_>, errors: &mut Errors) {
    let target = source.text("path");
    if target.is_empty() {
        errors.required(path.child("path"), "");
        return;
    }
    no_backsteps(target, &path.child("path"), errors);
    let kind = source.text("type");
    if !HOST_PATH_TYPES.contains(&kind) {
        errors.not_supported(path.child("type"), kind, &HOST_PATH_TYPES);
    }
}

/// Models ValidateCSIDriverName.
pub(super) fn driver_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    if name.is_empty() {
        errors.required(path, "");
        return;
    }
    if name.len() > 63 {
        errors.push(FieldError::too_long(path, 63));
    }
    errors.each_invalid(path, name, names::dns_subdomain(&name.to_lowercase()));
}
