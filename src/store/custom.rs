//! Kinds that CustomResourceDefinitions bring.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver.
//!
//! Simplified: a definition is established at once, and versions are not converted: an object is
//! stored and shown in the storage version.

use super::storage::{ObjectKey, Store};
use crate::api::kind::CustomResource;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::validation::{custom, custom_fields};
use crate::api::{ApiError, FieldError, Kind, Object, Reason, Value};
use crate::base::SimTime;
use crate::manifest;
use serde_json::json;
use std::sync::Arc;

/// The finalizer that keeps a definition until its objects are gone.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// The kind that a definition brings.
pub fn kind_of(definition: &Object) -> Option<Kind> {
    let spec = definition.spec();
    let text = |path: &[&str]| spec.str_at(path).unwrap_or_default().to_owned();
    let versions = spec.items_at(&["versions"]);
    let storage = versions.iter().find(|version| version.bool_at(&["storage"]) == Some(true));
    let names = |key| {
        let all = spec.items_at(&["names", key]).iter().filter_map(Value::as_str);
        all.map(str::to_owned).collect()
    };
    Kind::custom(CustomResource {
        name: text(&["names", "kind"]),
        group: text(&["group"]),
        version: storage?.str_at(&["name"])?.to_owned(),
        plural: text(&["names", "plural"]),
        singular: match text(&["names", "singular"]) {
            singular if singular.is_empty() => text(&["names", "kind"]).to_lowercase(),
            singular => singular,
        },
        short_names: names("shortNames"),
        categories: names("categories"),
        namespaced: spec.str_at(&["scope"]) != Some("Cluster"),
    })
}

impl Store {
    /// The definition of a custom kind; `None` for built-in kinds.
    pub fn definition_of(&self, kind: Kind) -> Option<&Arc<Object>> {
        let name = kind.is_custom().then(|| kind.group_resource())?;
        self.find(Kind::CustomResourceDefinition, "", &name)
    }

    /// Whether the API has this kind: custom ones need their definition.
    pub fn serves(&self, kind: Kind) -> bool {
        !kind.is_custom() || self.definition_of(kind).is_some()
    }

    /// The kind that a person means by a word, one that the API has if there is any.
    pub fn kind_of_word(&self, word: &str) -> Option<Kind> {
        let served = Kind::meant_by(word).find(|kind| self.serves(*kind));
        served.or_else(|| Kind::of_word(word))
    }
}

impl Store {
    /// The schema of a custom kind; `None` for kinds without.
    pub fn schema_of(&self, kind: Kind) -> Option<&Value> {
        let version = kind.resource().version;
        let versions = self.definition_of(kind)?.spec().items_at(&["versions"]);
        let version = versions.iter().find(|one| one.str_at(&["name"]) == Some(version))?;
        version.at(&["schema", "openAPIV3Schema"])
    }

    /// An object without the fields that the API does not know of its kind, and their paths.
    ///
    /// # Errors
    /// `BadRequest` for what cannot be decoded.
    pub fn without_unknown(
        &self,
        kind: Kind,
        value: &Value,
    ) -> Result<(Value, Vec<String>), ApiError> {
        if kind.is_custom() {
            let mut value = value.clone();
            let unknown = self.prune(kind, &mut value);
            return Ok((value, unknown));
        }
        let decoded = manifest::decode_leniently(kind, value);
        let decoded = decoded.map_err(|why| manifest::cannot_be_handled(kind, &why))?;
        Ok((decoded.value, decoded.unknown))
    }

    /// The fields of a custom object that its schema does not know, which are taken away.
    pub(super) fn prune(&self, kind: Kind, value: &mut Value) -> Vec<String> {
        let Some(schema) = self.schema_of(kind) else { return Vec::new() };
        let unknown = custom_fields::unknown_fields(schema, value);
        if !unknown.is_empty() {
            custom_fields::prune(schema, value);
        }
        unknown
    }
}

/// What the server knows of a definition before anybody has looked at it.
#[inline(never)]
pub(super) fn note_storage(definition: &mut Object, old: Option<&Object>) {
    let mut stored = match old {
        None => Vec::new(),
        Some(old) => old.status().items_at(&["storedVersions"]).to_vec(),
    };
    let versions = definition.spec().items_at(&["versions"]).iter();
    let mut storage = versions.filter(|version| version.bool_at(&["storage"]) == Some(true));
    if let Some(name) = storage.next().and_then(|version| version.get("name"))
        && !stored.contains(name)
    {
        stored.push(name.clone());
    }
    let mut status = match old {
        None => json!({}),
        Some(old) => old.status().clone(),
    };
    status.put(&["storedVersions"], stored);
    definition.set_status(status);
}

/// What a definition says once its names are accepted.
pub(super) fn establish(definition: &mut Object, now: SimTime) {
    let names = definition.spec().get("names").cloned().unwrap_or_default();
    let mut status = definition.status().clone();
    status.put(&["acceptedNames"], names);
    let conditions = [
        condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
        condition(
            "Established",
            "InitialNamesAccepted",
            "the initial names have been accepted",
            now,
        ),
    ];
    status.put(&["conditions"], conditions.to_vec());
    definition.set_status(status);
}

/// What a definition says once it is to go: first its objects go.
///
/// Models pkg/registry/customresourcedefinition/etcd.go Delete.
pub(super) fn end(definition: &mut Object, now: SimTime) {
    super::strategy::add_finalizer(definition, CLEANUP);
    let mut status = definition.status().clone();
    let mut conditions = status.items_at(&["conditions"]).to_vec();
    if !conditions.iter().any(|one| one.str_at(&["type"]) == Some("Terminating")) {
        let why = "CustomResourceDefinition marked for deletion; CustomResource deletion will \
                   begin soon";
        conditions.push(condition("Terminating", "InstanceDeletionPending", why, now));
        status.put(&["conditions"], conditions);
        definition.set_status(status);
    }
}

fn condition(name: &str, reason: &str, message: &str, now: SimTime) -> Value {
    json!({
        "type": name, "status": "True", "reason": reason, "message": message,
        "lastTransitionTime": now.rfc3339(),
    })
}

/// Holds a custom object against its schema and fills in the defaults. What a person wrote may have
/// no field that the schema does not know; what others write loses it.
///
/// # Errors
/// `NotFound` where no definition brings the kind, `Forbidden` for a new object of a definition that
/// is to go, `BadRequest` for fields that the schema does not know.
#[inline(never)]
pub(super) fn complete(
    store: &Store,
    object: &mut Object,
    is_new: bool,
    person: bool,
) -> Result<Vec<FieldError>, ApiError> {
    let kind = object.kind;
    let Some(definition) = store.definition_of(kind) else {
        let why = "the server could not find the requested resource";
        return Err(ApiError::new(Reason::NotFound, why));
    };
    if is_new && definition.meta.is_terminating() {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(ApiError::forbidden(&kind.group_resource(), &object.meta.name, why));
    }
    let Some(schema) = store.schema_of(kind) else { return Ok(Vec::new()) };
    let mut value = object.to_value();
    let unknown = store.prune(kind, &mut value);
    if person && !unknown.is_empty() {
        return Err(manifest::cannot_be_handled(kind, &manifest::strict_error(&unknown)));
    }
    custom_fields::apply_defaults(schema, &mut value);
    let old = store.get(kind, &ObjectKey::of(object)).filter(|_| !is_new).map(|old| old.to_value());
    let errors = match person {
        true => custom::validate(schema, &value, old.as_ref()),
        false => Vec::new(),
    };
    value.remove(&["metadata"]);
    let mut new = Object::from_value(kind, value);
    new.meta = object.meta.clone();
    *object = new;
    Ok(errors)
}
