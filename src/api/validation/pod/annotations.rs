//! Annotations that mean something to a pod.

use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::volume_paths::descending;
use crate::api::Value;

const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Models ValidatePodSpecificAnnotations.
pub(super) fn of_pod(meta: &Value, spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let Some(annotations) = meta.sub("annotations") else { return };
    if annotations.sub(MIRROR).is_some() && spec.text("nodeName").is_empty() {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        errors.invalid(path.key(MIRROR), annotations.text(MIRROR), detail);
    }
    if annotations.sub(DELETION_COST).is_some() {
        let cost = annotations.text(DELETION_COST);
        // A plus sign or a zero in front is no number to the API server.
        let is_plain = cost == "0" || !cost.starts_with(['+', '0']);
        if !is_plain || cost.parse::<i32>().is_err() {
            errors.invalid(path.key(DELETION_COST), cost, "must be a 32bit integer");
        }
    }
    if annotations.sub(SECCOMP_POD).is_some() {
        seccomp(annotations.text(SECCOMP_POD), &path.child(SECCOMP_POD), errors);
    }
    for (key, profile) in meta.map("annotations") {
        if key.starts_with(SECCOMP_CONTAINER) {
            seccomp(profile.as_str().unwrap_or_default(), &path.child(key), errors);
        }
    }
    for (key, profile) in meta.map("annotations") {
        if let Some(container) = key.strip_prefix(APP_ARMOR) {
            let profile = profile.as_str().unwrap_or_default();
            app_armor(container, profile, spec, &path.key(key), errors);
        }
    }
}

/// Models ValidateSeccompProfile.
fn seccomp(profile: &str, path: &Path<'_>, errors: &mut Errors) {
    match profile.strip_prefix("localhost/") {
        Some(local) => descending(local, path, errors),
        None if ["runtime/default", "docker/default", "unconfined"].contains(&profile) => {}
        None => errors.invalid(path, profile, "must be a valid seccomp profile"),
    }
}

/// Models ValidateAppArmorPodAnnotations.
fn app_armor(container: &str, profile: &str, spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let mut containers = lists.iter().flat_map(|list| spec.list(list));
    if !containers.any(|one| one.text("name") == container) {
        errors.invalid(path, container, "container not found");
    }
    let is_known = ["", "runtime/default", "unconfined"].contains(&profile);
    if !is_known && !profile.starts_with("localhost/") {
        let detail = format!("invalid AppArmor profile name: \"{profile}\"");
        errors.invalid(path, profile, detail);
    }
}

/// Models ValidatePodSpecificAnnotationUpdates, without the checks of [`of_pod`].
pub(super) fn update(new: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) {
    let value = |meta: &Value, key: &str| {
        let annotations = meta.sub("annotations");
        annotations.and_then(|annotations| annotations.sub(key)).cloned()
    };
    for (key, old_value) in old.map("annotations") {
        if value(new, key).as_ref() == Some(old_value) {
            continue;
        }
        if key.starts_with(APP_ARMOR) {
            errors.forbidden(path.key(key), "may not remove or update AppArmor annotations");
        }
        if key == MIRROR {
            errors.forbidden(path.key(key), "may not remove or update mirror pod annotation");
        }
    }
    for (key, _) in new.map("annotations") {
        if value(old, key).is_some() {
            continue;
        }
        if key.starts_with(APP_ARMOR) {
            errors.forbidden(path.key(key), "may not add AppArmor annotations");
        }
        if key == MIRROR {
            errors.forbidden(path.key(key), "may not add mirror pod annotation");
        }
    }
}
