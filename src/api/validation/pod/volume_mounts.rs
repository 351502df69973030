//! Where containers see volumes.

use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::volume_paths::descending;
use super::volumes::Volumes;
use crate::api::{FieldError, Value};

/// Models ValidateVolumeMounts.
pub(super) fn mounts(
    container: &Value,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let devices = container.list("volumeDevices");
    let mut seen: Vec<&str> = Vec::new();
    for (index, mount) in container.list("volumeMounts").iter().enumerate() {
        let item = path.index(index);
        let (name, target) = (mount.text("name"), mount.text("mountPath"));
        if name.is_empty() {
            errors.required(item.child("name"), "");
        }
        if !volumes.has(name) {
            errors.not_found(item.child("name"), name);
        }
        if target.is_empty() {
            errors.required(item.child("mountPath"), "");
        }
        if seen.contains(&target) {
            errors.invalid(item.child("mountPath"), target, "must be unique");
        }
        seen.push(target);
        if devices.iter().any(|device| device.text("name") == name) {
            let detail = "must not already exist in volumeDevices";
            errors.invalid(item.child("name"), name, detail);
        }
        if devices.iter().any(|device| device.text("devicePath") == target) {
            let detail = "must not already exist as a path in volumeDevices";
            errors.invalid(item.child("mountPath"), target, detail);
        }
        let (sub_path, expression) = (mount.text("subPath"), mount.text("subPathExpr"));
        descending(sub_path, &path.child("subPath"), errors);
        if !expression.is_empty() && !sub_path.is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(item.child("subPathExpr"), expression, detail);
        }
        descending(expression, &path.child("subPathExpr"), errors);
        propagation(mount, container, path, errors);
    }
}

/// Models validateMountPropagation and validateMountRecursiveReadOnly.
fn propagation(mount: &Value, container: &Value, path: &Path<'_>, errors: &mut Errors) {
    let propagation = mount.sub("mountPropagation").and_then(Value::as_str);
    if let Some(propagation) = propagation {
        let path = path.child("mountPropagation");
        let supported = ["Bidirectional", "HostToContainer", "None"];
        if !supported.contains(&propagation) {
            errors.not_supported(path, propagation, &supported);
        }
        let privileged =
            container.sub("securityContext").is_some_and(|context| context.flag("privileged"));
        if propagation == "Bidirectional" && !privileged {
            let detail =
                "Bidirectional mount propagation is available only to privileged containers";
            errors.forbidden(path, detail);
        }
    }
    let path = path.child("recursiveReadOnly");
    match mount.sub("recursiveReadOnly").and_then(Value::as_str) {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !mount.flag("readOnly") {
                errors.forbidden(path, "may only be specified when readOnly is true");
            }
            if propagation.is_some_and(|propagation| propagation != "None") {
                let detail = "may only be specified when mountPropagation is None or not specified";
                errors.forbidden(path, detail);
            }
        }
        Some(other) => {
            errors.not_supported(path, other, &["Disabled", "Enabled", "IfPossible"]);
        }
    }
}

/// Models ValidateVolumeDevices.
pub(super) fn devices(
    container: &Value,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let mounts = container.list("volumeMounts");
    let (mut names, mut paths): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (index, device) in container.list("volumeDevices").iter().enumerate() {
        let path = path.index(index);
        let (name, target) = (device.text("name"), device.text("devicePath"));
        let mut check = |wrong: bool, field: &str, error: fn(String, &str) -> FieldError| {
            if wrong {
                let value = if field == "name" { name } else { target };
                errors.push(error(path.child(field).into(), value));
            }
        };
        check(name.is_empty(), "name", |path, _| FieldError::required(path, ""));
        check(names.contains(&name), "name", |path, name| {
            FieldError::invalid(path, name, "must be unique")
        });
        check(volumes.has(name) && !volumes.is_claim(name), "name", |path, name| {
            let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral \
                          for block mode";
            FieldError::invalid(path, name, detail)
        });
        check(!volumes.has(name), "name", |path, name| FieldError::not_found(path, name));
        check(target.is_empty(), "devicePath", |path, _| FieldError::required(path, ""));
        check(paths.contains(&target), "devicePath", |path, target| {
            FieldError::invalid(path, target, "must be unique")
        });
        let has_backsteps = target.split('/').any(|part| part == "..");
        check(has_backsteps, "devicePath", |path, target| {
            FieldError::invalid(path, target, "can not contain backsteps ('..')")
        });
        if !has_backsteps {
            paths.push(target);
        }
        check(mounts.iter().any(|mount| mount.text("name") == name), "name", |path, name| {
            FieldError::invalid(path, name, "must not already exist in volumeMounts")
        });
        let is_mount_path = mounts.iter().any(|mount| mount.text("mountPath") == target);
        check(is_mount_path, "devicePath", |path, target| {
            FieldError::invalid(path, target, "must not already exist as a path in volumeMounts")
        });
        if !name.is_empty() {
            names.push(name);
        }
    }
}
