//! Patches: changes of a stored object that name only what changes.
//!
//! Models staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
//!
//! Reading order: `meta.rs`, `strategic.rs`, `lists.rs`, `json.rs`.

mod json;
pub(crate) mod lists;
pub(crate) mod meta;
pub(crate) mod strategic;

use super::server::{self, Context};
use super::storage::{ObjectKey, Store};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, FieldError, Kind, Object, Reason, Value, defaults, go_value};
use crate::manifest::{self, convert};
use meta::Meta;
use std::sync::Arc;
use strategic::Into;

/// In which form a patch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 6902: a list of operations.
    Json,
    /// RFC 7386: null takes away, lists are replaced.
    Merge,
    /// As the types of the API say: lists are merged item by item.
    Strategic,
}

impl PatchType {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            PatchType::Json => "application/json-patch+json",
            PatchType::Merge => "application/merge-patch+json",
            PatchType::Strategic => "application/strategic-merge-patch+json",
        }
    }
}

/// What the server does about fields that it does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// It refuses the request.
    #[default]
    Strict,
    /// It drops them, and says so.
    Warn,
    /// It drops them.
    Ignore,
}

/// A request to change an object.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Its form.
    pub how: PatchType,
    /// What changes.
    pub body: Value,
    /// What becomes of unknown fields.
    pub fields: FieldValidation,
    /// Whether `status` is changed instead of the rest.
    pub of_status: bool,
}

impl Patch {
    /// Reads the body of a request. The server warns of unknown fields unless it is told otherwise.
    ///
    /// # Errors
    /// `BadRequest` in the words of Go's decoder.
    pub fn parse(how: PatchType, text: &str) -> Result<Self, ApiError> {
        let refuse = |why: String| match how {
            PatchType::Strategic => bad_request(why),
            _ => bad_request(format!("error decoding patch: {why}")),
        };
        let body = manifest::parse_json(text).map_err(refuse)?;
        let (fits, wanted) = match how {
            PatchType::Json => (body.is_array(), "[]handlers.jsonPatchOp"),
            _ => (body.is_object(), "map[string]interface {}"),
        };
        if !fits {
            let word = match &body {
                Value::Array(_) => "array",
                Value::Object(_) => "object",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            return Err(refuse(format!(
                "json: cannot unmarshal {word} into Go value of type {wanted}"
            )));
        }
        Ok(Patch { how, body, fields: FieldValidation::Warn, of_status: false })
    }

    /// The patched object as the API server reads it, with the unknown fields that were in it.
    fn apply(&self, old: &Object) -> Result<manifest::Decoded, ApiError> {
        let kind = old.kind;
        let mut value = old.to_value();
        match self.how {
            PatchType::Strategic => {
                let meta = Meta::of(kind).ok_or_else(|| not_strategic(kind))?;
                let mut rest = self.body.clone();
                strategic::strategic(&meta, &mut value, &mut rest, Into::Object)
                    .map_err(interpreted)?;
                let refuse = |why: &str| invalid_patch(go_value(&rest), why);
                let unknown = convert::check(kind, &value).map_err(|why| refuse(&why))?;
                self.held_against(&unknown).map_err(|why| refuse(&why))?;
                let decoded =
                    manifest::decode_leniently(kind, &value).map_err(|why| refuse(&why))?;
                Ok(manifest::Decoded { unknown, ..decoded })
            }
            PatchType::Merge | PatchType::Json => {
                match self.how {
                    PatchType::Merge => merge(&mut value, &self.body),
                    _ => json::json_patch(&mut value, &self.body).map_err(|_| rejected())?,
                }
                let refuse = |why: &str| invalid_patch(value.to_string(), why);
                let decoded =
                    manifest::decode_leniently(kind, &value).map_err(|why| refuse(&why))?;
                self.held_against(&decoded.unknown).map_err(|why| refuse(&why))?;
                Ok(decoded)
            }
        }
    }

    fn held_against(&self, unknown: &[String]) -> Result<(), String> {
        match self.fields {
            FieldValidation::Strict if !unknown.is_empty() => Err(manifest::strict_error(unknown)),
            _ => Ok(()),
        }
    }
}

/// What a patch made of an object.
#[derive(Clone, Debug)]
pub struct Patched {
    /// The object as it is now.
    pub object: Arc<Object>,
    /// The fields that were dropped, if the server says so.
    pub unknown: Vec<String>,
}

impl Store {
    /// A stored object, without the fields that the schema of its kind no longer knows.
    fn as_read(&self, stored: &Arc<Object>) -> Arc<Object> {
        let mut value = stored.to_value();
        if !stored.kind.is_custom() || self.prune(stored.kind, "", &mut value).is_empty() {
            return stored.clone();
        }
        Arc::new(Object::from_value(stored.kind, value))
    }

    /// Changes an object by a patch.
    ///
    /// # Errors
    /// `NotFound`; `BadRequest` for patches of another form or that change the name; `Invalid`
    /// without a kind for what cannot be decoded, and all that [`Store::update`] refuses.
    pub fn patch(
        &mut self,
        context: &Context,
        kind: Kind,
        key: &ObjectKey,
        patch: &Patch,
    ) -> Result<Patched, ApiError> {
        let old = self.get(kind, key).cloned();
        let old = old.ok_or_else(|| ApiError::not_found(&kind.group_resource(), &key.name))?;
        let manifest::Decoded { mut value, mut unknown } = patch.apply(&self.as_read(&old))?;
        let patched = value.clone();
        unknown.extend(self.prune(kind, context.manager.version(), &mut value));
        let refuse = |why: String| invalid_patch(patched.to_string(), &why);
        patch.held_against(&unknown).map_err(refuse)?;
        if patch.fields == FieldValidation::Ignore {
            unknown.clear();
        }
        check_name(&mut value, key)?;
        let uid = value.str_at(&["metadata", "uid"]).unwrap_or_default();
        if !uid.is_empty() && uid != old.meta.uid.to_string() {
            let cause = FieldError::invalid("metadata.uid", uid, "field is immutable");
            return Err(server::invalid(kind, &key.name, vec![cause]));
        }
        defaults::apply(kind, &mut value);
        let new = Object::from_value(kind, value);
        let object = match patch.of_status {
            true => self.update_status(context, new)?,
            false => self.update(context, new)?,
        };
        Ok(Patched { object, unknown })
    }
}

/// Models staging/src/k8s.io/apiserver/pkg/registry/rest/meta.go
/// EnsureObjectNamespaceMatchesRequestNamespace and …/endpoints/handlers/rest.go checkName.
fn check_name(value: &mut Value, key: &ObjectKey) -> Result<(), ApiError> {
    let meta = |field| value.str_at(&["metadata", field]).unwrap_or_default();
    let (namespace, name) = (meta("namespace"), meta("name"));
    if !namespace.is_empty() && !key.namespace.is_empty() && namespace != &*key.namespace {
        return Err(bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if name.is_empty() {
        return Err(bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            key.name
        )));
    }
    if name != &*key.name {
        return Err(bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            key.name
        )));
    }
    match key.namespace.is_empty() {
        true => drop(value.remove(&["metadata", "namespace"])),
        false => value.put(&["metadata", "namespace"], &*key.namespace),
    }
    Ok(())
}

/// Merges a JSON merge patch into a value: `null` takes away, lists are replaced.
pub fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = value.as_object_mut() else { return };
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Patches a tree that is on no server: `kubectl patch --local`.
///
/// # Errors
/// The patching library's sentence.
pub fn patch_locally(kind: Kind, value: &mut Value, patch: &Patch) -> Result<(), String> {
    match patch.how {
        PatchType::Json => json::json_patch(value, &patch.body),
        PatchType::Merge => {
            merge(value, &patch.body);
            Ok(())
        }
        PatchType::Strategic => {
            let meta = Meta::of(kind).ok_or_else(|| not_strategic(kind).message)?;
            strategic::strategic(&meta, value, &mut patch.body.clone(), Into::Object)
        }
    }
}

fn bad_request(why: impl core::convert::Into<String>) -> ApiError {
    ApiError::new(Reason::BadRequest, why)
}

/// Models errors.NewInvalid of no kind.
fn invalid_patch(shown: String, why: &str) -> ApiError {
    ApiError::invalid("", "", vec![FieldError::invalid("patch", shown, why)])
}

/// Models errors.NewGenericServerResponse for code 422.
fn rejected() -> ApiError {
    let why = "the server rejected our request due to an error in our request";
    ApiError::new(Reason::Invalid, why)
}

/// Models patch.go interpretStrategicMergePatchError.
fn interpreted(why: String) -> ApiError {
    match why.as_str() {
        "invalid patch format of retainKeys"
        | "invalid patch format of primitive list"
        | "invalid patch format of setElementOrder list" => bad_request(why),
        _ => ApiError::new(Reason::Unknown, why),
    }
}

fn not_strategic(_kind: Kind) -> ApiError {
    let accepted =
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    ApiError::new(
        Reason::UnsupportedMediaType,
        format!(
            "the body of the request was in an unknown format - accepted media types include: {accepted}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_takes_away_what_is_null_and_replaces_lists() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "l": [1, 2], "k": 1});
        merge(&mut value, &json!({"a": {"b": null, "d": {"e": null, "f": 1}}, "l": [3]}));
        assert_eq!(value, json!({"a": {"c": 2, "d": {"f": 1}}, "l": [3], "k": 1}));
    }

    /// Texts that a real API server printed.
    #[test]
    fn a_body_of_another_form_is_refused() {
        let cases = [
            (PatchType::Strategic, "{\"spec\":", "unexpected end of JSON input"),
            (
                PatchType::Json,
                "{\"a\":1}",
                "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
            ),
        ];
        for (how, text, why) in cases {
            assert_eq!(Patch::parse(how, text).unwrap_err().message, why);
        }
    }
}
