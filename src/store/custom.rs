//! Kinds that CustomResourceDefinitions bring.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver.
//!
//! Simplified: a definition is established at once, and conversion is always that of the strategy
//! `None`: of an object only the version's name is another.

use super::server::Context;
use super::storage::{ObjectKey, Store};
use crate::api::kind::CustomResource;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::validation::{custom, custom_fields};
use crate::api::{ApiError, FieldError, Kind, Object, Value};
use crate::base::SimTime;
use crate::manifest;
use core::cmp::Reverse;
use serde_json::json;
use std::sync::Arc;

/// The finalizer that keeps a definition until its objects are gone.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// The kind that a definition brings.
pub fn kind_of(definition: &Object) -> Option<Kind> {
    let spec = definition.spec();
    let text = |path: &[&str]| spec.str_at(path).unwrap_or_default().to_owned();
    let versions = spec.items_at(&["versions"]);
    let name = |version: &Value| version.str_at(&["name"]).unwrap_or_default().to_owned();
    let has = |key: &'static str| {
        versions.iter().filter(move |version| version.bool_at(&[key]) == Some(true)).map(name)
    };
    let preferred =
        has("served").max_by_key(|name| priority(name)).or_else(|| has("storage").next());
    let names = |key| {
        let all = spec.items_at(&["names", key]).iter().filter_map(Value::as_str);
        all.map(str::to_owned).collect()
    };
    Kind::custom(CustomResource {
        name: text(&["names", "kind"]),
        group: text(&["group"]),
        version: preferred?,
        versions: versions.iter().map(name).collect(),
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

/// Which of two versions clients prefer: `v2` before `v1`, `v1` before `v1beta2`, that before
/// `v1beta1` and `v1alpha1`, and these before other names, of which the first of the alphabet.
///
/// Models staging/src/k8s.io/apimachinery/pkg/version/helpers.go CompareKubeAwareVersionStrings.
fn priority(name: &str) -> (u8, u64, u64, Reverse<String>) {
    let known = || {
        let rest = name.strip_prefix('v')?;
        let (major, rest) =
            rest.split_at(rest.find(|l: char| !l.is_ascii_digit()).unwrap_or(rest.len()));
        let (stage, minor) = match rest {
            "" => (3, "0"),
            rest => match rest.strip_prefix("beta") {
                Some(minor) => (2, minor),
                None => (1, rest.strip_prefix("alpha")?),
            },
        };
        Some((stage, major.parse().ok()?, minor.parse().ok()?))
    };
    let (stage, major, minor) = known().unwrap_or_default();
    (stage, major, minor, Reverse(name.to_owned()))
}

/// What a definition says of a version of its kind, whose group may stand in front; of the usual one
/// if none is named.
pub(super) fn version_in<'d>(
    definition: &'d Object,
    kind: Kind,
    version: &str,
) -> Option<&'d Value> {
    let wanted = match version {
        "" => kind.resource().version,
        version => version.rsplit('/').next().unwrap_or(version),
    };
    let versions = definition.spec().items_at(&["versions"]);
    versions.iter().find(|one| one.str_at(&["name"]) == Some(wanted))
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

    /// Whether the API has this kind in a version, which may have its group in front; an empty one
    /// is the usual one.
    pub fn serves_in(&self, kind: Kind, version: &str) -> bool {
        if version.is_empty() || !kind.is_custom() {
            return self.serves(kind);
        }
        self.version_of(kind, version).is_some_and(|one| one.bool_at(&["served"]) == Some(true))
    }

    /// The kind that a person means by a word, one that the API has if there is any.
    pub fn kind_of_word(&self, word: &str) -> Option<Kind> {
        let version = |kind: Kind| kind.version_meant_by(word).unwrap_or_default();
        let served = Kind::meant_by(word).find(|kind| self.serves_in(*kind, &version(*kind)));
        served.or_else(|| Kind::of_word(word).filter(|kind| !self.serves(*kind)))
    }

    /// What a definition says of a version of its kind; of the usual one if none is named.
    pub fn version_of(&self, kind: Kind, version: &str) -> Option<&Value> {
        version_in(self.definition_of(kind)?, kind, version)
    }

    /// What is said of a version that is on its way out.
    ///
    /// Models pkg/apiserver/customresource_handler.go getOrCreateServingInfoFor.
    pub fn deprecation_of(&self, kind: Kind, version: &str) -> Option<String> {
        let found = self.version_of(kind, version)?;
        let name = found.str_at(&["name"])?;
        let usual = || format!("{}/{name} {} is deprecated", kind.resource().group, kind.name());
        let own = found.str_at(&["deprecationWarning"]).map(str::to_owned);
        (found.bool_at(&["deprecated"]) == Some(true)).then(|| own.unwrap_or_else(usual))
    }

    /// Whether the status of a kind is a subresource, which writes of the object itself leave alone.
    pub fn has_status(&self, kind: Kind) -> bool {
        !kind.is_custom()
            || self.version_of(kind, "").and_then(|it| it.at(&["subresources", "status"])).is_some()
    }
}

impl Store {
    /// The schema of a version of a custom kind, of the usual one if none is named; `None` for kinds
    /// without.
    pub fn schema_of(&self, kind: Kind, version: &str) -> Option<&Value> {
        self.version_of(kind, version)?.at(&["schema", "openAPIV3Schema"])
    }

    /// An object without the fields that the API does not know of its kind, and their paths.
    ///
    /// # Errors
    /// `BadRequest` for what cannot be decoded.
    pub fn without_unknown(
        &self,
        kind: Kind,
        version: &str,
        value: &Value,
    ) -> Result<(Value, Vec<String>), ApiError> {
        if kind.is_custom() {
            let mut value = value.clone();
            let unknown = self.prune(kind, version, &mut value);
            return Ok((value, unknown));
        }
        let decoded = manifest::decode_leniently(kind, value);
        let decoded = decoded.map_err(|why| manifest::cannot_be_handled(kind, &why))?;
        Ok((decoded.value, decoded.unknown))
    }

    /// The fields of a custom object that its schema does not know, which are taken away.
    pub(super) fn prune(&self, kind: Kind, version: &str, value: &mut Value) -> Vec<String> {
        let Some(schema) = self.schema_of(kind, version) else { return Vec::new() };
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
    context: &Context,
) -> Result<Vec<FieldError>, ApiError> {
    let (kind, person) = (object.kind, context.validate);
    let version = context.manager.version();
    let Some(definition) = store.definition_of(kind) else {
        return Err(ApiError::no_such_resource());
    };
    if is_new && definition.meta.is_terminating() {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(ApiError::forbidden(&kind.group_resource(), &object.meta.name, why));
    }
    let Some(schema) = store.schema_of(kind, version) else { return Ok(Vec::new()) };
    let mut value = object.to_value();
    // Add-ons write both at once, where real ones write the status next.
    if is_new && person && store.has_status(kind) {
        value.remove(&["status"]);
    }
    let unknown = store.prune(kind, version, &mut value);
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
