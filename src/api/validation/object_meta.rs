//! Names, labels, annotations, owners and finalizers of every object.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go.

use super::definition;
use super::names::{self, Messages};
use super::path::{Errors, Fields as _, Path, Report as _, immutable};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};
use crate::base::order;
use serde_json::json;

/// The bytes that all annotations may have together.
const ANNOTATIONS_SIZE_LIMIT_BYTES: usize = 256 * 1024;

/// A rule for names.
pub(super) type NameRule = fn(&str) -> Messages;

/// The rule for names of a kind.
pub(super) const fn name_rule(kind: Kind) -> NameRule {
    match kind {
        Kind::Namespace | Kind::Service | Kind::StatefulSet => names::dns_label,
        Kind::Role
        | Kind::ClusterRole
        | Kind::RoleBinding
        | Kind::ClusterRoleBinding
        | Kind::PodDisruptionBudget
        | Kind::Event => names::path_segment,
        _ => names::dns_subdomain,
    }
}

/// The metadata of a new object.
///
/// Models ValidateObjectMetaAccessor.
pub(super) fn create(kind: Kind, object: &Value, errors: &mut Errors) {
    let path = Path::root("metadata");
    let null = Value::Null;
    let meta = object.sub("metadata").unwrap_or(&null);
    let rule = name_rule(kind);
    let generate_name = meta.text("generateName");
    if !generate_name.is_empty() && kind != Kind::ReplicationController {
        let masked = mask_trailing_dash(generate_name);
        errors.each_invalid(&path.child("generateName"), generate_name, rule(&masked));
    }
    let name = meta.text("name");
    if name.is_empty() {
        errors.required(path.child("name"), "name or generateName is required");
    } else {
        errors.each_invalid(&path.child("name"), name, rule(name));
        if kind == Kind::CustomResourceDefinition {
            errors.each_invalid(&path.child("name"), name, definition::name(object));
        }
    }
    namespace(kind, meta.text("namespace"), &path, errors);
    common(meta, &path, errors);
    finalizers(meta, &path, errors);
    if checks_kube_finalizers(kind) {
        kube_finalizers(meta, &path, errors);
    }
}

fn namespace(kind: Kind, namespace: &str, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("namespace");
    if !kind.namespaced() {
        if !namespace.is_empty() {
            errors.forbidden(path, "not allowed on this type");
        }
    } else if namespace.is_empty() {
        errors.required(path, "");
    } else {
        errors.each_invalid(&path, namespace, names::dns_label(namespace));
    }
}

/// What a name will look like once something is appended to it.
fn mask_trailing_dash(name: &str) -> String {
    match name.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            let kept: String = rest.chars().take(rest.chars().count() - 1).collect();
            format!("{kept}a")
        }
        _ => name.to_owned(),
    }
}

/// Labels, annotations and owners.
fn common(meta: &Value, path: &Path<'_>, errors: &mut Errors) {
    errors.not_negative(&path.child("generation"), meta.int("generation"));
    labels(meta.sub("labels"), &path.child("labels"), errors);
    annotations(meta.sub("annotations"), &path.child("annotations"), errors);
    owner_references(meta, &path.child("ownerReferences"), errors);
}

/// Models staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go ValidateLabels.
pub(super) fn labels(labels: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        label_name(key, path, errors);
        let value = value.as_str().unwrap_or_default();
        errors.each_invalid(path, value, names::label_value(value));
    }
}

/// Models ValidateLabelName.
pub(super) fn label_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    errors.each_invalid(path, name, names::qualified_name(name));
}

pub(super) fn annotations(annotations: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    let mut bytes = 0;
    for (key, value) in annotations.and_then(Value::as_object).into_iter().flatten() {
        let messages = names::qualified_name(&key.to_lowercase());
        errors.each_invalid(path, key, messages);
        bytes += key.len() + value.as_str().map_or(0, str::len);
    }
    if bytes > ANNOTATIONS_SIZE_LIMIT_BYTES {
        errors.push(crate::api::FieldError::too_long(path, ANNOTATIONS_SIZE_LIMIT_BYTES));
    }
}

/// Models ValidateOwnerReferences.
fn owner_references(meta: &Value, path: &Path<'_>, errors: &mut Errors) {
    let mut first_controller = None;
    for owner in meta.list("ownerReferences") {
        let api_version = owner.text("apiVersion");
        let version = api_version.rsplit('/').next().unwrap_or_default();
        if version.is_empty() {
            errors.invalid(path.child("apiVersion"), api_version, "version must not be empty");
        }
        for field in ["kind", "name", "uid"] {
            if owner.text(field).is_empty() {
                errors.invalid(path.child(field), "", "must not be empty");
            }
        }
        if api_version == "v1" && owner.text("kind") == "Event" {
            let detail = "/v1, Kind=Event is disallowed from being an owner";
            errors.invalid(path, owner.clone(), detail);
        }
        if owner.flag("controller") {
            let this = format!("{}/{}", owner.text("kind"), owner.text("name"));
            match &first_controller {
                None => first_controller = Some(this),
                Some(first) => {
                    let all = json!(meta.list("ownerReferences"));
                    let detail = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in \
                         references for {first} and {this}"
                    );
                    errors.invalid(path, all, detail);
                }
            }
        }
    }
}

/// Models ValidateFinalizers.
fn finalizers(meta: &Value, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("finalizers");
    let names = || meta.list("finalizers").iter().filter_map(Value::as_str);
    for name in names() {
        errors.each_invalid(&path, name, names::qualified_name(name));
    }
    let (orphan, foreground) = ("orphan", "foregroundDeletion");
    if names().any(|name| name == orphan) && names().any(|name| name == foreground) {
        let detail = format!("finalizer {orphan} and {foreground} cannot be both set");
        errors.invalid(path, json!(meta.list("finalizers")), detail);
    }
}

/// Whether a kind's own validation looks at finalizers once more.
const fn checks_kube_finalizers(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::StorageClass
            | Kind::Role
            | Kind::ClusterRole
            | Kind::RoleBinding
            | Kind::ClusterRoleBinding
            | Kind::CustomResourceDefinition
    )
}

/// A finalizer without a domain must be one of Kubernetes' own.
///
/// Models pkg/apis/core/validation/validation.go validateKubeFinalizerName.
fn kube_finalizers(meta: &Value, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("finalizers");
    for (index, name) in meta.list("finalizers").iter().enumerate() {
        let name = name.as_str().unwrap_or_default();
        let standard = ["kubernetes", "orphan", "foregroundDeletion"].contains(&name);
        if !name.contains('/') && !standard {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(path.index(index), name, detail);
        }
    }
}

/// What of an object's metadata may not change.
///
/// Models ValidateObjectMetaAccessorUpdate.
pub(super) fn update(kind: Kind, new: &Value, old: &Value, errors: &mut Errors) {
    let path = Path::root("metadata");
    let null = Value::Null;
    let new_meta = new.sub("metadata").unwrap_or(&null);
    let old_meta = old.sub("metadata").unwrap_or(&null);
    if old_meta.sub("deletionTimestamp").is_some() {
        let old_finalizers = old_meta.list("finalizers");
        let mut added: Vec<&str> = new_meta
            .list("finalizers")
            .iter()
            .filter(|name| !old_finalizers.contains(name))
            .filter_map(Value::as_str)
            .collect();
        order::sort(&mut added);
        added.dedup();
        if !added.is_empty() {
            let quoted: Vec<String> = added.iter().map(|name| format!("\"{name}\"")).collect();
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new \
                 finalizers []string{{{}}}",
                quoted.join(", ")
            );
            errors.forbidden(path.child("finalizers"), detail);
        }
    }
    let has_version = |meta: &Value| !meta.text("resourceVersion").is_empty();
    if has_version(old_meta) && !has_version(new_meta) {
        errors.invalid(path.child("resourceVersion"), "", "must be specified for an update");
    }
    if new_meta.int("generation").unwrap_or_default()
        < old_meta.int("generation").unwrap_or_default()
    {
        let generation = new_meta.int("generation").unwrap_or_default();
        errors.invalid(path.child("generation"), generation, "must not be decremented");
    }
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        immutable(new_meta.sub(field), old_meta.sub(field), &path.child(field), errors);
    }
    labels(new_meta.sub("labels"), &path.child("labels"), errors);
    annotations(new_meta.sub("annotations"), &path.child("annotations"), errors);
    owner_references(new_meta, &path.child("ownerReferences"), errors);
    if checks_kube_finalizers(kind) {
        kube_finalizers(new_meta, &path, errors);
    }
}

/// The metadata of a template: labels and annotations, nothing else.
///
/// Models pkg/apis/core/validation/validation.go ValidateTemplateObjectMeta.
pub(super) fn template(meta: &Value, path: &Path<'_>, errors: &mut Errors) {
    annotations(meta.sub("annotations"), &path.child("annotations"), errors);
    labels(meta.sub("labels"), &path.child("labels"), errors);
    for field in ["name", "generateName", "namespace", "ownerReferences", "finalizers"] {
        if meta.sub(field).is_some() {
            errors.forbidden(path.child(field), "cannot be set");
        }
    }
}

/// The labels that an object must have exactly so.
///
/// Models pkg/apis/core/validation/validation.go ValidateHasLabel.
pub(super) fn has_label(
    labels: Option<&Value>,
    path: &Path<'_>,
    key: &str,
    expected: &str,
    errors: &mut Errors,
) {
    let detail = format!("must be '{expected}'");
    match labels.and_then(|labels| labels.str_at(&[key])) {
        None => errors.required(path.key(key), &detail),
        Some(value) if value != expected => {
            errors.invalid(path.key(key), labels.cloned().unwrap_or_default(), detail);
        }
        Some(_) => {}
    }
}
