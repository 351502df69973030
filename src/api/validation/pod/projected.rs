//! Volumes that show several sources in one directory.

use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::volume_paths::{key_to_path, mode, not_reserved};
use super::volumes::downward_file;
use crate::api::Value;

/// Models validateProjectedVolumeSource and validateProjectionSources.
///
/// Simplified: trust bundles and pod certificates are not looked at.
pub(super) fn projected(volume: &Value, path: &Path<'_>, errors: &mut Errors) {
    mode(volume, "defaultMode", path, errors);
    let mut paths: Vec<&str> = Vec::new();
    let list = path.child("sources");
    for (index, source) in volume.list("sources").iter().enumerate() {
        let source_path = list.index(index);
        let mut found = 0;
        for kind in ["secret", "configMap"] {
            let Some(value) = source.sub(kind) else { continue };
            found += 1;
            let here = source_path.child(kind);
            let name = value.text("name");
            if name.is_empty() {
                errors.required(here.child("name"), "");
            }
            let items = here.child("items");
            for (index, item) in value.list("items").iter().enumerate() {
                key_to_path(item, &items.index(index), errors);
                occupy(item.text("path"), name, &mut paths, path, errors);
            }
        }
        if let Some(value) = source.sub("downwardAPI") {
            found += 1;
            for item in value.list("items") {
                downward_file(item, &source_path.child("downwardAPI"), errors);
                let target = item.text("path");
                occupy(target, target, &mut paths, path, errors);
            }
        }
        if let Some(token) = source.sub("serviceAccountToken") {
            found += 1;
            service_account_token(token, &source_path.child("serviceAccountToken"), path, errors);
        }
        for kind in ["clusterTrustBundle", "podCertificate"] {
            found += usize::from(source.sub(kind).is_some());
        }
        if found > 1 {
            let detail = "may not specify more than 1 volume type per source";
            errors.forbidden(source_path, detail);
        }
    }
}

/// Two files cannot have one path; `shown` is the value that the message shows.
fn occupy<'a>(
    target: &'a str,
    shown: &str,
    paths: &mut Vec<&'a str>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    if target.is_empty() {
        return;
    }
    if paths.contains(&target) {
        errors.invalid(path, shown, "conflicting duplicate paths");
    } else {
        paths.push(target);
    }
}

fn service_account_token(
    token: &Value,
    path: &Path<'_>,
    volume_path: &Path<'_>,
    errors: &mut Errors,
) {
    let seconds = token.int("expirationSeconds").unwrap_or_default();
    if seconds < 600 {
        let detail = "may not specify a duration less than 10 minutes";
        errors.invalid(path.child("expirationSeconds"), seconds, detail);
    }
    if seconds > 1 << 32 {
        let detail = "may not specify a duration larger than 2^32 seconds";
        errors.invalid(path.child("expirationSeconds"), seconds, detail);
    }
    let target = token.text("path");
    if target.is_empty() {
        errors.required(volume_path.child("path"), "");
    } else {
        not_reserved(target, &volume_path.child("path"), errors);
    }
}
