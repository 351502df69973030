//! What a kustomization changes in the objects of its folder.
//!
//! Models kustomize api/internal/target/kusttarget_configplugin.go, whose order it keeps, and
//! api/internal/konfig/builtinpluginconsts.

use super::{Resource, names};
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, plain};
use crate::kubectl::manifests;
use crate::store::patch::{FieldValidation, Patch, PatchType, patch_locally};

/// Kinds whose names stay.
const UNNAMED: [&str; 3] = ["CustomResourceDefinition", "APIService", "Namespace"];

/// Changes the objects, one way after the other.
pub(super) fn run(
    call: &Call<'_>,
    folder: &str,
    spec: &Value,
    all: &mut [Resource],
) -> Result<(), Failure> {
    let text = |key| spec.str_at(&[key]).filter(|text| !text.is_empty());
    for key in ["patchesStrategicMerge", "patches", "patchesJson6902"] {
        for entry in spec.items_at(&[key]) {
            patch(call, folder, entry, all)?;
        }
    }
    if let Some(namespace) = text("namespace") {
        all.iter_mut().for_each(|one| put_namespace(one, namespace));
    }
    let (before, after) = (text("namePrefix"), text("nameSuffix"));
    if before.is_some() || after.is_some() {
        names::rename(all, |one| {
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            let stays = UNNAMED.contains(&one.kind());
            (!stays).then(|| format!("{before}{}{after}", one.name()))
        });
    }
    for one in all.iter_mut() {
        change(one, spec);
    }
    super::replace::run(call, folder, spec, all)
}

fn change(one: &mut Resource, spec: &Value) {
    put_labels(one, spec.get("commonLabels"), true, true);
    for labels in spec.items_at(&["labels"]) {
        let selectors = labels.bool_at(&["includeSelectors"]).unwrap_or_default();
        let templates = labels.bool_at(&["includeTemplates"]).unwrap_or_default();
        put_labels(one, labels.get("pairs"), selectors, selectors || templates);
    }
    if let Some(notes) = spec.get("commonAnnotations") {
        put_all(&mut one.value, &["metadata", "annotations"], notes);
        for path in templates_of(one.kind()) {
            let path: Vec<&str> = path.iter().copied().chain(["annotations"]).collect();
            put_all(&mut one.value, &path, notes);
        }
    }
    let scales = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];
    for entry in spec.items_at(&["replicas"]) {
        let name = entry.str_at(&["name"]).unwrap_or_default();
        if scales.contains(&one.kind()) && one.is_called(name) {
            one.value.put(&["spec", "replicas"], entry.get("count").cloned().unwrap_or_default());
        }
    }
    for image in spec.items_at(&["images"]) {
        put_image(&mut one.value, image);
    }
}

fn put_namespace(one: &mut Resource, namespace: &str) {
    match one.known_kind() {
        _ if one.kind() == "Namespace" => one.value.put(&["metadata", "name"], namespace),
        Some(kind) if !kind.namespaced() => {}
        _ => one.value.put(&["metadata", "namespace"], namespace),
    }
    if let Some(subjects) = one.value.get_mut("subjects").and_then(Value::as_array_mut) {
        let accounts =
            subjects.iter_mut().filter(|it| it.str_at(&["kind"]) == Some("ServiceAccount"));
        accounts.for_each(|account| account.put(&["namespace"], namespace));
    }
}

fn put_all(value: &mut Value, path: &[&str], pairs: &Value) {
    for (key, text) in pairs.as_object().into_iter().flatten() {
        let path: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
        value.put(&path, text.clone());
    }
}

/// Where a kind has the metadata of what it makes.
fn templates_of(kind: &str) -> &'static [&'static [&'static str]] {
    match kind {
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicationController"
        | "Job" => &[&["spec", "template", "metadata"]],
        "CronJob" => &[
            &["spec", "jobTemplate", "metadata"],
            &["spec", "jobTemplate", "spec", "template", "metadata"],
        ],
        _ => &[],
    }
}

fn put_labels(one: &mut Resource, labels: Option<&Value>, selectors: bool, templates: bool) {
    let Some(labels) = labels else { return };
    put_all(&mut one.value, &["metadata", "labels"], labels);
    let kind = one.kind().to_owned();
    if templates {
        for path in templates_of(&kind) {
            let path: Vec<&str> = path.iter().copied().chain(["labels"]).collect();
            put_all(&mut one.value, &path, labels);
        }
    }
    if selectors {
        match kind.as_str() {
            "Service" | "ReplicationController" => {
                put_all(&mut one.value, &["spec", "selector"], labels);
            }
            "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => {
                put_all(&mut one.value, &["spec", "selector", "matchLabels"], labels);
            }
            "Job" | "PodDisruptionBudget" => {
                let path = ["spec", "selector", "matchLabels"];
                if one.value.at(&path).is_some() {
                    put_all(&mut one.value, &path, labels);
                }
            }
            "NetworkPolicy" => {
                let path = ["spec", "podSelector", "matchLabels"];
                if one.value.at(&path).is_some() {
                    put_all(&mut one.value, &path, labels);
                }
            }
            _ => {}
        }
    }
}

/// Models api/filters/imagetag: in every list of containers.
fn put_image(value: &mut Value, change: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| put_image(item, change)),
        Value::Object(fields) => {
            for (key, inner) in fields.iter_mut() {
                if ["containers", "initContainers", "ephemeralContainers"].contains(&key.as_str()) {
                    for container in inner.as_array_mut().into_iter().flatten() {
                        let image = container.str_at(&["image"]).unwrap_or_default();
                        if let Some(new) = new_image(image, change) {
                            container.put(&["image"], new);
                        }
                    }
                }
                put_image(inner, change);
            }
        }
        _ => {}
    }
}

/// The image with its new name, tag or digest; `None` if another one is meant.
fn new_image(image: &str, change: &Value) -> Option<String> {
    let text = |key| change.str_at(&[key]).filter(|text| !text.is_empty());
    let end = image.rfind('/').map_or(0, |slash| slash + 1);
    let mark = image.get(end..)?.find([':', '@']).map_or(image.len(), |place| place + end);
    let (name, rest) = image.split_at_checked(mark)?;
    if text("name") != Some(name) {
        return None;
    }
    let rest = match (text("digest"), text("newTag")) {
        (Some(digest), _) => format!("@{digest}"),
        (None, Some(tag)) => format!(":{tag}"),
        (None, None) => rest.to_owned(),
    };
    Some(format!("{}{rest}", text("newName").unwrap_or(name)))
}

/// One entry of `patches` and its kin: a text or the path of a file, for a target or for the object
/// that it names.
fn patch(
    call: &Call<'_>,
    folder: &str,
    entry: &Value,
    all: &mut [Resource],
) -> Result<(), Failure> {
    let at = |key| entry.str_at(&[key]);
    let (inline, path) = match entry {
        // An old strategic patch is either.
        Value::String(text) if text.contains('\n') => (Some(text.as_str()), None),
        Value::String(path) => (None, Some(path.as_str())),
        _ => (at("patch"), at("path")),
    };
    let text = match (inline, path) {
        (Some(text), _) => text.to_owned(),
        (None, Some(path)) => {
            let full = call.session.resolve(&format!("{folder}/{path}"));
            call.read(&full).map_err(|_| {
                Failure::Plain(format!(
                    "failed to get the patch file from path({path}): evalsymlink failure on '{full}' : lstat {full}: no such file or directory"
                ))
            })?
        }
        (None, None) => return plain("must specify one of patch and path in patches"),
    };
    let (documents, broken) = manifests::documents(&text, path.unwrap_or("patch"));
    broken.map_or(Ok(()), Err)?;
    for body in documents {
        let (target, how) = match body.is_array() {
            true => (entry.get("target"), PatchType::Json),
            false => (entry.get("target"), PatchType::Strategic),
        };
        let said = |path: &[&str]| body.str_at(path).unwrap_or_default().to_owned();
        let (kind, name) = match target {
            Some(target) => (target.str_at(&["kind"]), target.str_at(&["name"])),
            None => (None, None),
        };
        let (own_kind, own_name) = (said(&["kind"]), said(&["metadata", "name"]));
        let is_meant = |one: &Resource| match target {
            Some(_) => {
                kind.is_none_or(|kind| one.kind() == kind)
                    && name.is_none_or(|name| one.is_called(name))
            }
            None => one.kind() == own_kind && one.is_called(&own_name),
        };
        let mut found = false;
        for one in all.iter_mut().filter(|one| is_meant(one)) {
            found = true;
            apply(one, how, &body)?;
        }
        if !found && target.is_none() {
            return plain(format!(
                "no resource matches strategic merge patch \"{own_kind}.{}/{own_name}.[noNs]\": no matches for Id; failed to find unique target for patch",
                said(&["apiVersion"])
            ));
        }
    }
    Ok(())
}

fn apply(one: &mut Resource, how: PatchType, body: &Value) -> Result<(), Failure> {
    let name = one.name().to_owned();
    let known = one.known_kind();
    let how = match known {
        Some(kind) if !kind.is_custom() => how,
        _ if how == PatchType::Strategic => PatchType::Merge,
        _ => how,
    };
    let kind = known.unwrap_or(crate::api::Kind::ConfigMap);
    let patch =
        Patch { how, body: body.clone(), fields: FieldValidation::Ignore, of_status: false };
    patch_locally(kind, &mut one.value, &patch).map_err(Failure::Plain)?;
    if how != PatchType::Json {
        one.value.put(&["metadata", "name"], name);
    }
    Ok(())
}
