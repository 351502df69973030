//! Kinds that CustomResourceDefinitions bring.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver.
//!
//! Simplified: a definition is established at once, and versions are not converted: an object is
//! stored and shown in the storage version.

use super::storage::Store;
use crate::api::kind::CustomResource;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::validation::custom;
use crate::api::{ApiError, FieldError, Kind, Object, Reason, Value};
use crate::base::SimTime;
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
    let names = spec.items_at(&["names", "shortNames"]).iter().filter_map(Value::as_str);
    Kind::custom(CustomResource {
        name: text(&["names", "kind"]),
        group: text(&["group"]),
        version: storage?.str_at(&["name"])?.to_owned(),
        plural: text(&["names", "plural"]),
        singular: match text(&["names", "singular"]) {
            singular if singular.is_empty() => text(&["names", "kind"]).to_lowercase(),
            singular => singular,
        },
        short_names: names.map(str::to_owned).collect(),
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
}

/// What a definition says once its names are accepted.
pub(super) fn establish(definition: &mut Object, now: SimTime) {
    let spec = definition.spec();
    let stored = spec.items_at(&["versions"]).iter();
    let stored = stored.filter(|version| version.bool_at(&["storage"]) == Some(true));
    let stored: Vec<Value> = stored.filter_map(|version| version.get("name").cloned()).collect();
    let condition = |name: &str, reason: &str, message: &str| {
        json!({
            "type": name, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": now.rfc3339(),
        })
    };
    let status = json!({
        "acceptedNames": spec.get("names").cloned().unwrap_or_default(),
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "storedVersions": stored,
    });
    definition.set_status(status);
    if !definition.meta.finalizers.iter().any(|name| &**name == CLEANUP) {
        let names = definition.meta.finalizers.iter().cloned();
        definition.meta.finalizers = names.chain([CLEANUP.into()]).collect();
    }
}

/// Holds a custom object against its schema and fills in the defaults.
///
/// # Errors
/// `NotFound` where no definition brings the kind, `BadRequest` for fields that the schema does not
/// know.
pub(super) fn complete(store: &Store, object: &mut Object) -> Result<Vec<FieldError>, ApiError> {
    let kind = object.kind;
    let Some(definition) = store.definition_of(kind) else {
        let why = "the server could not find the requested resource";
        return Err(ApiError::new(Reason::NotFound, why));
    };
    let version = kind.resource().version;
    let versions = definition.spec().items_at(&["versions"]);
    let version_of = |one: &&Value| one.str_at(&["name"]) == Some(version);
    let schema = versions.iter().find(version_of);
    let Some(schema) = schema.and_then(|one| one.at(&["schema", "openAPIV3Schema"])) else {
        return Ok(Vec::new());
    };
    let mut value = object.to_value();
    let unknown = custom::unknown_fields(schema, &value);
    if !unknown.is_empty() {
        let list: Vec<String> =
            unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
        let (name, list) = (kind.name(), list.join(", "));
        return Err(ApiError::new(
            Reason::BadRequest,
            format!(
                "{name} in version \"{version}\" cannot be handled as a {name}: strict decoding error: {list}"
            ),
        ));
    }
    custom::apply_defaults(schema, &mut value);
    let errors = custom::validate(schema, &value);
    value.remove(&["metadata"]);
    let mut new = Object::from_value(kind, value);
    new.meta = object.meta.clone();
    *object = new;
    Ok(errors)
}
