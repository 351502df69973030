//! The volumes of a pod.

use super::super::claims;
use super::super::names;
use super::super::object_meta;
use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::super::volume_sources::{driver_name, source};
use super::containers::one_of;
use super::environment::{field_selector, quantity, resource_selector};
use super::volume_paths::{key_to_path, mode, not_reserved};
use super::{Spec, projected};
use crate::api::Value;

/// The volumes that are fine themselves, by name.
pub(super) struct Volumes<'a>(Vec<(&'a str, &'a Value)>);

impl Volumes<'_> {
    fn find(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(one, _)| *one == name).map(|(_, volume)| *volume)
    }

    /// Whether there is a volume of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Whether a volume can be a block device.
    pub(super) fn is_claim(&self, name: &str) -> bool {
        let is_set = |volume: &Value, key| volume.sub(key).is_some();
        self.find(name).is_some_and(|volume| {
            is_set(volume, "persistentVolumeClaim") || is_set(volume, "ephemeral")
        })
    }
}

/// Sources in the order in which they are looked at, with the name that a second one is told.
const SOURCES: [(&str, &str); 31] = [
    ("emptyDir", "emptyDir"),
    ("hostPath", "hostPath"),
    ("gitRepo", "gitRepo"),
    ("gcePersistentDisk", "gcePersistentDisk"),
    ("awsElasticBlockStore", "awsElasticBlockStore"),
    ("secret", "secret"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
    ("glusterfs", "glusterfs"),
    ("flocker", "flocker"),
    ("persistentVolumeClaim", "persistentVolumeClaim"),
    ("rbd", "rbd"),
    ("cinder", "cinder"),
    ("cephfs", "cephFS"),
    ("quobyte", "quobyte"),
    // The missing letter is the API server's own.
    ("downwardAPI", "downwarAPI"),
    ("fc", "fc"),
    ("flexVolume", "flexVolume"),
    ("configMap", "configMap"),
    ("azureFile", "azureFile"),
    ("vsphereVolume", "vsphereVolume"),
    ("photonPersistentDisk", "photonPersistentDisk"),
    ("portworxVolume", "portworxVolume"),
    ("azureDisk", "azureDisk"),
    ("storageos", "storageos"),
    ("projected", "projected"),
    ("scaleIO", "scaleIO"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
    ("local", "local"),
];

/// Models ValidateVolumes.
pub(super) fn volumes<'a>(spec: &Spec<'a>, path: &Path<'_>, errors: &mut Errors) -> Volumes<'a> {
    let list = spec.tree.list("volumes");
    let mut good: Vec<(&str, &Value)> = Vec::with_capacity(list.len());
    for (index, volume) in list.iter().enumerate() {
        let path = path.index(index);
        let before = errors.len();
        let name = volume.text("name");
        volume_source(volume, spec, &path, errors);
        if name.is_empty() {
            errors.required(path.child("name"), "");
        } else {
            errors.each_invalid(&path.child("name"), name, names::dns_label(name));
        }
        if good.iter().any(|(one, _)| *one == name) {
            errors.duplicate(path.child("name"), name);
        }
        if errors.len() == before {
            good.push((name, volume));
        }
        claim_of_another_volume(volume, spec, &path, errors);
    }
    Volumes(good)
}

fn claim_of_another_volume(volume: &Value, spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let Some(claim) = volume.sub("persistentVolumeClaim") else { return };
    let claim = claim.text("claimName");
    let is_made = |volume: &Value| {
        volume.sub("ephemeral").is_some()
            && format!("{}-{}", spec.pod_name, volume.text("name")) == claim
    };
    if !spec.pod_name.is_empty() && spec.tree.list("volumes").iter().any(is_made) {
        let detail = "must not reference a PVC that gets created for an ephemeral volume";
        let path = path.child("persistentVolumeClaim");
        errors.invalid(path.child("claimName"), claim, detail);
    }
}

/// Models validateVolumeSource.
fn volume_source(volume: &Value, spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let mut found = false;
    for (key, shown) in SOURCES {
        let Some(value) = volume.sub(key) else { continue };
        if found {
            errors.forbidden(path.child(shown), "may not specify more than 1 volume type");
            continue;
        }
        found = true;
        let shown = if key == "gcePersistentDisk" { "persistentDisk" } else { key };
        one_source(key, value, volume, spec, &path.child(shown), path, errors);
    }
    if !found {
        errors.required(path, "must specify a volume type");
    }
}

fn one_source(
    kind: &str,
    value: &Value,
    volume: &Value,
    spec: &Spec<'_>,
    path: &Path<'_>,
    volume_path: &Path<'_>,
    errors: &mut Errors,
) {
    match kind {
        "emptyDir" => {
            if quantity(value.sub("sizeLimit")).is_some_and(|limit| limit.is_negative()) {
                let detail = "SizeLimit field must be a valid resource quantity";
                errors.forbidden(path.child("sizeLimit"), detail);
            }
        }
        "secret" => files(value, "secretName", path, errors),
        "configMap" => files(value, "name", path, errors),
        "downwardAPI" => {
            mode(value, "defaultMode", path, errors);
            for item in value.list("items") {
                downward_file(item, path, errors);
            }
        }
        "projected" => projected::projected(value, path, errors),
        "csi" => {
            driver_name(value.text("driver"), &path.child("driver"), errors);
            if let Some(secret) = value.sub("nodePublishSecretRef") {
                let name = secret.text("name");
                if name.is_empty() {
                    errors.required(path.child("nodePublishSecretRef").child("name"), "");
                } else {
                    errors.each_invalid(&path.child("name"), name, names::dns_subdomain(name));
                }
            }
        }
        "ephemeral" => ephemeral(value, volume.text("name"), spec, path, volume_path, errors),
        "image" => {
            if spec.is_pod && value.text("reference").is_empty() {
                errors.required(path.child("reference"), "");
            }
            one_of(value, "pullPolicy", &["Always", "IfNotPresent", "Never"], path, errors);
        }
        kind => source(kind, value, path, errors),
    }
}

/// Models validateSecretVolumeSource and validateConfigMapVolumeSource.
fn files(value: &Value, name: &str, path: &Path<'_>, errors: &mut Errors) {
    if value.text(name).is_empty() {
        errors.required(path.child(name), "");
    }
    mode(value, "defaultMode", path, errors);
    let list = path.child("items");
    for (index, item) in value.list("items").iter().enumerate() {
        key_to_path(item, &list.index(index), errors);
    }
}

/// Models validateDownwardAPIVolumeFile.
pub(super) fn downward_file(item: &Value, path: &Path<'_>, errors: &mut Errors) {
    const FIELDS: [&str; 5] = [
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
    ];
    if item.text("path").is_empty() {
        errors.required(path.child("path"), "");
    }
    not_reserved(item.text("path"), &path.child("path"), errors);
    match (item.sub("fieldRef"), item.sub("resourceFieldRef")) {
        (Some(field), resource) => {
            field_selector(field, &FIELDS, &path.child("fieldRef"), errors);
            if resource.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.invalid(path, "resource", detail);
            }
        }
        (None, Some(resource)) => {
            resource_selector(resource, true, &path.child("resourceFieldRef"), errors);
        }
        (None, None) => {
            errors.required(path, "one of fieldRef and resourceFieldRef is required");
        }
    }
    mode(item, "mode", path, errors);
}

/// Models validateEphemeralVolumeSource.
fn ephemeral(
    value: &Value,
    name: &str,
    spec: &Spec<'_>,
    path: &Path<'_>,
    volume_path: &Path<'_>,
    errors: &mut Errors,
) {
    let path = path.child("volumeClaimTemplate");
    let Some(template) = value.sub("volumeClaimTemplate") else {
        errors.required(path, "");
        return;
    };
    if let Some(meta) = template.sub("metadata") {
        let path = path.child("metadata");
        object_meta::template(meta, &path, errors);
    }
    let empty = Value::Null;
    claims::spec(template.sub("spec").unwrap_or(&empty), &path.child("spec"), errors);
    if !spec.pod_name.is_empty() && !name.is_empty() {
        let claim = format!("{}-{name}", spec.pod_name);
        for message in names::dns_subdomain(&claim) {
            let detail = format!("PVC name \"{claim}\": {message}");
            errors.invalid(volume_path.child("name"), name, detail);
        }
    }
}
