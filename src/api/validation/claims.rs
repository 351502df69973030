//! What a PersistentVolumeClaim asks for.

use super::names;
use super::path::{Errors, Fields as _, Path, Report as _};
use super::pod::resources::{positive_amount, whole_amount};
use super::selectors::label_selector;
use crate::api::Value;

/// The ways in which a volume can be mounted.
pub(super) const ACCESS_MODES: [&str; 4] =
    ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// Models pkg/apis/core/validation/validation.go ValidatePersistentVolumeClaimSpec.
pub(super) fn spec(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let modes = spec.list("accessModes");
    if modes.is_empty() {
        errors.required(path.child("accessModes"), "at least 1 access mode is required");
    }
    label_selector(spec.sub("selector"), &path.child("selector"), errors);
    access_modes(modes, &path.child("accessModes"), errors);
    let storage = spec.sub("resources").and_then(|resources| resources.sub("requests"));
    let storage = storage.and_then(|requests| requests.sub("storage"));
    let storage_path = path.child("resources");
    let storage_path = storage_path.key("storage");
    match storage {
        None => errors.required(storage_path, ""),
        Some(_) => {
            let before = errors.len();
            positive_amount(storage, &storage_path, errors);
            if errors.len() == before {
                whole_amount("storage", storage, &storage_path, errors);
            }
        }
    }
    let class = spec.text("storageClassName");
    if !class.is_empty() {
        errors.each_invalid(&path.child("storageClassName"), class, names::dns_subdomain(class));
    }
    if let Some(mode) = spec.sub("volumeMode").and_then(Value::as_str)
        && !["Block", "Filesystem"].contains(&mode)
    {
        errors.not_supported(path.child("volumeMode"), mode, &["Block", "Filesystem"]);
    }
    for field in ["dataSource", "dataSourceRef"] {
        if let Some(source) = spec.sub(field) {
            data_source(source, &path.child(field), errors);
        }
    }
    let class = spec.text("volumeAttributesClassName");
    if !class.is_empty() {
        let path = path.child("volumeAttributesClassName");
        errors.each_invalid(&path, class, names::dns_subdomain(class));
    }
}

/// The modes must exist, and ReadWriteOncePod stands alone.
pub(super) fn access_modes(modes: &[Value], path: &Path<'_>, errors: &mut Errors) {
    let (mut one_pod, mut other) = (false, false);
    for mode in modes.iter().filter_map(Value::as_str) {
        if !ACCESS_MODES.contains(&mode) {
            errors.not_supported(path, mode, &ACCESS_MODES);
        } else if mode == "ReadWriteOncePod" {
            one_pod = true;
        } else {
            other = true;
        }
    }
    if one_pod && other {
        errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
    }
}

/// Models validateDataSource and validateDataSourceRef.
fn data_source(source: &Value, path: &Path<'_>, errors: &mut Errors) {
    for field in ["name", "kind"] {
        if source.text(field).is_empty() {
            errors.required(path.child(field), "");
        }
    }
    let (group, kind) = (source.text("apiGroup"), source.text("kind"));
    if group.is_empty() {
        if kind != "PersistentVolumeClaim" {
            let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            errors.invalid(path, kind, detail);
        }
    } else {
        errors.each_invalid(&path.child("apiGroup"), group, names::dns_subdomain(group));
    }
    let namespace = source.text("namespace");
    if !namespace.is_empty() {
        errors.each_invalid(&path.child("namespace"), namespace, names::dns_label(namespace));
    }
}
