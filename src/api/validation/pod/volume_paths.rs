//! Paths of files inside of volumes.

use super::super::path::{Errors, Fields as _, Path, Report as _};
use crate::api::Value;

/// Models validatePathNoBacksteps.
pub(in super::super) fn no_backsteps(target: &str, path: &Path<'_>, errors: &mut Errors) {
    if target.split('/').any(|part| part == "..") {
        errors.invalid(path, target, "must not contain '..'");
    }
}

/// Models validateLocalDescendingPath.
pub(in super::super) fn descending(target: &str, path: &Path<'_>, errors: &mut Errors) {
    if target.starts_with('/') {
        errors.invalid(path, target, "must be a relative path");
    }
    no_backsteps(target, path, errors);
}

/// Models ValidateLocalNonReservedPath.
pub(in super::super) fn not_reserved(target: &str, path: &Path<'_>, errors: &mut Errors) {
    descending(target, path, errors);
    if target.starts_with("..") && !target.starts_with("../") {
        errors.invalid(path, target, "must not start with '..'");
    }
}

/// What Linux allows of a file's mode without its type.
pub(in super::super) fn mode(owner: &Value, field: &str, path: &Path<'_>, errors: &mut Errors) {
    if let Some(mode) = owner.int(field).filter(|mode| !(0..=0o777).contains(mode)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.invalid(path.child(field), mode, detail);
    }
}

/// Models validateKeyToPath.
pub(super) fn key_to_path(item: &Value, path: &Path<'_>, errors: &mut Errors) {
    for field in ["key", "path"] {
        if item.text(field).is_empty() {
            errors.required(path.child(field), "");
        }
    }
    not_reserved(item.text("path"), &path.child("path"), errors);
    mode(item, "mode", path, errors);
}
