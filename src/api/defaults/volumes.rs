//! Volumes of pods, PersistentVolumes and claims.

use super::{child, ensure_object, fill, image, items, pod};
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use serde_json::json;

/// `0644`, the mode of files that a volume makes.
const FILE_MODE: i64 = 0o644;

/// A pod's volume; one without a source is an emptyDir.
///
/// Models SetDefaults_Volume and what it stands above.
pub(super) fn volume(volume: &mut Value) {
    let has_source = volume
        .as_object()
        .is_some_and(|fields| fields.iter().any(|(key, value)| key != "name" && !value.is_null()));
    if !has_source {
        volume.put(&["emptyDir"], json!({}));
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = child(volume, name) {
            source.put_default(&["defaultMode"], FILE_MODE);
        }
    }
    if let Some(source) = child(volume, "downwardAPI") {
        items(source, "items").for_each(downward_item);
    }
    if let Some(projected) = child(volume, "projected") {
        for source in items(projected, "sources") {
            if let Some(downward) = child(source, "downwardAPI") {
                items(downward, "items").for_each(downward_item);
            }
            if let Some(token) = child(source, "serviceAccountToken") {
                token.put_default(&["expirationSeconds"], 3600);
            }
        }
    }
    if let Some(source) = child(volume, "image") {
        let policy = image::pull_policy(source.str_at(&["reference"]).unwrap_or_default());
        fill(source, "pullPolicy", policy);
    }
    if let Some(claim) = child(volume, "ephemeral").and_then(|e| child(e, "volumeClaimTemplate")) {
        ensure_object(claim, "metadata");
        claim_spec(ensure_object(claim, "spec"));
    }
    shared_sources(volume);
}

fn downward_item(item: &mut Value) {
    if let Some(field) = child(item, "fieldRef") {
        fill(field, "apiVersion", "v1");
    }
    pod::resource_divisor(item);
}

/// Sources that both pods and PersistentVolumes have.
fn shared_sources(object: &mut Value) {
    if let Some(source) = child(object, "hostPath") {
        source.put_default(&["type"], "");
    }
    if let Some(source) = child(object, "iscsi") {
        fill(source, "iscsiInterface", "default");
    }
    if let Some(source) = child(object, "rbd") {
        fill(source, "pool", "rbd");
        fill(source, "user", "admin");
        fill(source, "keyring", "/etc/ceph/keyring");
    }
    if let Some(source) = child(object, "azureDisk") {
        source.put_default(&["cachingMode"], "ReadWrite");
        source.put_default(&["kind"], "Shared");
        source.put_default(&["fsType"], "ext4");
        source.put_default(&["readOnly"], false);
    }
    if let Some(source) = child(object, "scaleIO") {
        fill(source, "storageMode", "ThinProvisioned");
        fill(source, "fsType", "xfs");
    }
}

/// Models SetDefaults_PersistentVolume.
#[inline(never)]
pub(super) fn persistent_volume(object: &mut Value) {
    let spec = ensure_object(object, "spec");
    fill(spec, "persistentVolumeReclaimPolicy", "Retain");
    spec.put_default(&["volumeMode"], "Filesystem");
    shared_sources(spec);
    pod::round_resources(spec, &["capacity"]);
}

/// Models SetDefaults_PersistentVolumeClaimSpec.
#[inline(never)]
pub(super) fn claim_spec(spec: &mut Value) {
    ensure_object(spec, "resources");
    spec.put_default(&["volumeMode"], "Filesystem");
    for list in ["limits", "requests"] {
        pod::round_resources(spec, &["resources", list]);
    }
}
