//! A tree held against the types of the API, as strictly as the API server does it.
//!
//! Models sigs.k8s.io/json (UnmarshalStrict) and
//! staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json/json.go: fields are looked at in the
//! order of their names (the request's JSON has them so), the first wrong type is reported alone,
//! unknown fields all together.

use super::encoded::{QUANTITY_FORM, check_base64, quantity, time};
use super::schema::{self, Definition, Field, Type};
use crate::api::{ApiError, Kind, Reason, Value};
use serde_json::Map;
use std::collections::BTreeMap;

/// The API server stops collecting unknown fields after so many.
const MOST_UNKNOWN: usize = 100;

/// Reads an object strictly: every field known, every value of its type. What comes back is as
/// the API server would show it: quantities canonical, nulls and empty optional fields gone,
/// `stringData` of a Secret turned into `data`.
///
/// # Errors
/// `BadRequest` in the API server's words.
pub fn decode(kind: Kind, value: &Value) -> Result<Value, ApiError> {
    let refuse = |why: String| cannot_be_handled(kind, &why);
    if let Some(other) = value.get("kind").and_then(Value::as_str)
        && other != kind.name()
        && other.eq_ignore_ascii_case(kind.name())
    {
        let (version, name) = (kind.resource().version, kind.name());
        let message = format!(
            "{other} in version \"{version}\" cannot be handled as a {name}: no kind \"{other}\" is registered for version \"{}\" in scheme \"pkg/runtime/scheme.go:111\"",
            kind.api_version()
        );
        return Err(ApiError::new(Reason::BadRequest, message));
    }
    let decoded = decode_leniently(kind, value).map_err(refuse)?;
    match decoded.unknown.is_empty() {
        true => Ok(decoded.value),
        false => Err(refuse(strict_error(&decoded.unknown))),
    }
}

/// What the API server says of an object that it cannot read.
pub fn cannot_be_handled(kind: Kind, why: &str) -> ApiError {
    let (name, version) = (kind.name(), kind.resource().version);
    let message = format!("{name} in version \"{version}\" cannot be handled as a {name}: {why}");
    ApiError::new(Reason::BadRequest, message)
}

/// An object as the API server reads it, and what it does not know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The object without its unknown fields.
    pub value: Value,
    /// The unknown fields, `spec.replica`.
    pub unknown: Vec<String>,
}

/// Reads an object whose unknown fields do not matter.
///
/// # Errors
/// A wrong type, in the words of Go's decoder.
pub fn decode_leniently(kind: Kind, value: &Value) -> Result<Decoded, String> {
    let Some((name, fields)) = schema::structure_of(kind) else {
        return Ok(Decoded { value: value.clone(), unknown: Vec::new() });
    };
    let mut decoder = Decoder::default();
    let Value::Object(map) = value else {
        let (word, go_name) = (value_word(value, false), Type::Named(name).go_name());
        return Err(format!("json: cannot unmarshal {word} into Go value of type {go_name}"));
    };
    let value = decoder.structure(name, fields, map).map_err(|Stop(why)| why)?;
    match decoder.wrong_type {
        Some(why) => Err(why),
        None => Ok(Decoded { value: with_string_data(kind, value), unknown: decoder.unknown }),
    }
}

/// Looks at an object's metadata alone, as a client does before it sends the object anywhere.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/resource/metadata_decoder.go.
///
/// # Errors
/// A wrong type, in the words of Go's decoder.
pub fn check_metadata(object: &Value) -> Result<(), String> {
    for key in ["apiVersion", "kind"] {
        if let Some(other) = object.get(key).filter(|value| !value.is_string() && !value.is_null())
        {
            let word = json_word(other);
            return Err(format!(
                "json: cannot unmarshal {word} into Go struct field metadataOnlyObject.TypeMeta.{key} of type string"
            ));
        }
    }
    let field = Field {
        field_type: Type::Named("ObjectMeta"),
        always: false,
        merge: None,
        retain_keys: false,
        place: 0,
        shared: schema::Shared::Whole,
        embedded: None,
    };
    let (Some(metadata), fields) = (object.get("metadata"), [("metadata", field)]) else {
        return Ok(());
    };
    let map = Map::from_iter([("metadata".to_owned(), metadata.clone())]);
    let mut decoder = Decoder::default();
    let read = decoder.structure("metadataOnlyObject", &BTreeMap::from(fields), &map);
    read.map_err(|Stop(why)| why)?;
    decoder.wrong_type.map_or(Ok(()), Err)
}

/// What is said of unknown fields.
///
/// Models staging/src/k8s.io/apimachinery/pkg/runtime/error.go strictDecodingError.
pub fn strict_error(unknown: &[String]) -> String {
    let list: Vec<String> =
        unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
    format!("strict decoding error: {}", list.join(", "))
}

/// `stringData` is written, `data` is read.
fn with_string_data(kind: Kind, mut value: Value) -> Value {
    if kind != Kind::Secret {
        return value;
    }
    let Some(fields) = value.as_object_mut() else { return value };
    let Some(Value::Object(texts)) = fields.remove("stringData") else { return value };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if let Some(data) = data.as_object_mut() {
        for (key, text) in texts {
            let text = text.as_str().unwrap_or_default();
            data.insert(key, data_encoding::BASE64.encode(text.as_bytes()).into());
        }
    }
    value
}

/// An error that ends the reading at once.
struct Stop(String);

/// Where the reader is, and what it has found.
#[derive(Default)]
struct Decoder {
    /// Field names from the root, without list indexes; with the names of structures that are
    /// part of others.
    names: Vec<String>,
    /// The same with list indexes.
    path: String,
    unknown: Vec<String>,
    wrong_type: Option<String>,
    /// The structure that is being read.
    structure: String,
}

impl Decoder {
    fn structure(
        &mut self,
        name: &str,
        fields: &BTreeMap<&'static str, Field>,
        map: &Map<String, Value>,
    ) -> Result<Value, Stop> {
        let outer = core::mem::replace(&mut self.structure, bare(name).to_owned());
        let mut result = Map::new();
        for (key, value) in map {
            let length = self.enter(key);
            match fields.get(key.as_str()) {
                None if self.unknown.len() < MOST_UNKNOWN => self.unknown.push(self.path.clone()),
                None => {}
                Some(field) => {
                    let outer = self.names.len();
                    self.names.extend(field.embedded.map(str::to_owned));
                    self.names.push(key.clone());
                    let decoded = self.value(&field.field_type, value)?;
                    self.names.truncate(outer);
                    if let Some(decoded) = decoded.filter(|decoded| is_shown(field, decoded)) {
                        result.insert(key.clone(), decoded);
                    }
                }
            }
            self.path.truncate(length);
        }
        self.structure = outer;
        Ok(Value::Object(result))
    }

    /// Appends a field to the path; returns the length to go back to.
    fn enter(&mut self, key: &str) -> usize {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        length
    }

    /// A value of a type; `None` where null leaves the field as if it were absent.
    fn value(&mut self, wanted: &Type, value: &Value) -> Result<Option<Value>, Stop> {
        if value.is_null() {
            return Ok(None);
        }
        match (wanted, value) {
            (Type::Pointer(inner), _) => return self.value(inner, value),
            (Type::Named(name), _) => return self.named(name, wanted, value),
            (Type::List(inner), Value::Array(items)) => return self.list(inner, items).map(Some),
            (Type::Map(inner), Value::Object(map)) => return self.map(inner, map).map(Some),
            (Type::Quantity, Value::String(_) | Value::Number(_)) => {
                return quantity(value).map(Some).map_err(Stop);
            }
            (Type::IntOrString, Value::String(_)) | (Type::Any, _) => {}
            (Type::IntOrString, Value::Number(number)) if fits::<i32>(number) => {}
            (Type::IntOrString, _) => return Err(self.stop(&Type::Int32, value)),
            (Type::Time | Type::MicroTime, Value::String(text)) => {
                return time(wanted, text).map(Some).map_err(Stop);
            }
            (Type::Time | Type::MicroTime, _) => return Err(self.stop(&Type::String, value)),
            (Type::Schema, _) => return self.schema(value).map(Some),
            (Type::Quantity, _) => {
                return Err(Stop(QUANTITY_FORM.to_owned()));
            }
            (Type::Bytes, Value::String(text)) => {
                check_base64(text).map_err(Stop)?;
                return Ok(Some(text.replace(['\n', '\r'], "").into()));
            }
            (Type::String | Type::Uid, Value::String(_)) | (Type::Bool, Value::Bool(_)) => {}
            (Type::Int32, Value::Number(number)) if fits::<i32>(number) => {}
            (Type::Int64, Value::Number(number)) if fits::<i64>(number) => {}
            (Type::Float64, Value::Number(_)) => {}
            _ => {
                self.wrong(wanted, value);
                return Ok(None);
            }
        }
        Ok(Some(value.clone()))
    }

    fn named(&mut self, name: &str, wanted: &Type, value: &Value) -> Result<Option<Value>, Stop> {
        match (schema::find(name), value) {
            (Some(Definition::Struct(fields)), Value::Object(map)) => {
                self.structure(name, fields, map).map(Some)
            }
            (Some(Definition::Basic { underlying, .. }), _) => {
                let fits = match (underlying, value) {
                    (Type::String, Value::String(_)) | (Type::Bool, Value::Bool(_)) => true,
                    (Type::Int32 | Type::Int64, Value::Number(number)) => fits::<i64>(number),
                    _ => false,
                };
                if fits {
                    return Ok(Some(value.clone()));
                }
                self.wrong(wanted, value);
                Ok(None)
            }
            (None, _) => Ok(Some(value.clone())),
            _ => {
                self.wrong(wanted, value);
                Ok(None)
            }
        }
    }

    /// A schema, or a list of schemas or of names, or a truth value. Their own decoders tell of no
    /// unknown fields, and take anything else for nothing.
    ///
    /// Models staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/marshal.go.
    fn schema(&mut self, value: &Value) -> Result<Value, Stop> {
        let known = core::mem::take(&mut self.unknown);
        let one = Type::Named("JSONSchemaProps");
        let decoded = match value {
            Value::Object(_) => self.value(&one, value)?,
            Value::Array(items) if items.iter().any(Value::is_object) => {
                Some(self.list(&one, items)?)
            }
            _ => Some(value.clone()),
        };
        self.unknown = known;
        Ok(decoded.unwrap_or(Value::Null))
    }

    fn list(&mut self, inner: &Type, items: &[Value]) -> Result<Value, Stop> {
        let mut result = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let length = self.path.len();
            self.path.push_str(&format!("[{index}]"));
            let decoded = self.value(inner, item)?;
            self.path.truncate(length);
            result.push(decoded.unwrap_or_else(|| zero(inner)));
        }
        Ok(Value::Array(result))
    }

    fn map(&mut self, inner: &Type, map: &Map<String, Value>) -> Result<Value, Stop> {
        let mut result = Map::new();
        for (key, value) in map {
            let length = self.enter(key);
            let decoded = self.value(inner, value)?;
            self.path.truncate(length);
            result.insert(key.clone(), decoded.unwrap_or_else(|| zero(inner)));
        }
        Ok(Value::Object(result))
    }

    /// Notes the first value of a wrong type.
    fn wrong(&mut self, wanted: &Type, value: &Value) {
        if self.wrong_type.is_none() {
            self.wrong_type = Some(self.cannot(wanted, value));
        }
    }

    /// Ends at a value that a type's own decoder refuses.
    fn stop(&self, wanted: &Type, value: &Value) -> Stop {
        Stop(self.cannot(wanted, value))
    }

    fn cannot(&self, wanted: &Type, value: &Value) -> String {
        format!(
            "json: cannot unmarshal {} into Go struct field {}.{} of type {}",
            value_word(value, is_numeric(wanted)),
            self.structure,
            self.names.join("."),
            wanted.go_name()
        )
    }
}

/// What a null in a list or in a map leaves: Go's zero value of the type.
fn zero(wanted: &Type) -> Value {
    match wanted {
        Type::String | Type::Uid => Value::from(""),
        Type::Bool => Value::from(false),
        Type::Int32 | Type::Int64 | Type::Float64 | Type::IntOrString => Value::from(0),
        Type::Quantity => Value::from("0"),
        Type::Named(name) => match schema::find(name) {
            Some(Definition::Struct(_)) => Value::Object(Map::new()),
            Some(Definition::Basic { underlying, .. }) => zero(underlying),
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// What `omitempty` leaves out.
fn is_shown(field: &Field, value: &Value) -> bool {
    if field.always || matches!(field.field_type, Type::Pointer(_) | Type::Any) {
        return true;
    }
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty() || matches!(field.field_type, Type::Named(_)),
    }
}

fn fits<T: TryFrom<i64>>(number: &serde_json::Number) -> bool {
    number.as_i64().is_some_and(|whole| T::try_from(whole).is_ok())
}

/// Whether Go tries to read a number into the type.
fn is_numeric(wanted: &Type) -> bool {
    match wanted.target() {
        Type::Int32 | Type::Int64 | Type::Float64 => true,
        Type::Named(name) => match schema::find(name) {
            Some(Definition::Basic { underlying, .. }) => is_numeric(underlying),
            _ => false,
        },
        _ => false,
    }
}

/// What Go's decoder calls a JSON value; a number that is too large for a type, or has a fraction,
/// by its digits.
fn value_word(value: &Value, number_wanted: bool) -> String {
    match value {
        Value::Number(number) if number_wanted => format!("number {number}"),
        other => json_word(other).to_owned(),
    }
}

/// What Go's decoder calls the type of a JSON value.
pub(super) fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(kind: Kind, value: &Value) -> String {
        decode(kind, value).unwrap_err().message
    }

    /// Texts recorded from a real API server, or derived from Go's encoding/json.
    #[test]
    fn what_does_not_fit_is_refused_in_the_api_servers_words() {
        let pod = |container: Value| json!({"spec": {"containers": [container]}});
        let cases = [
            (
                Kind::Deployment,
                json!({"spec": {"replica": 3, "template": {"spec": {"containers": [{"prots": []}]}}}}),
                "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding \
                 error: unknown field \"spec.replica\", unknown field \
                 \"spec.template.spec.containers[0].prots\"",
            ),
            (
                Kind::Deployment,
                json!({"spec": {"replicas": "three"}}),
                "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot \
                 unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                Kind::Pod,
                pod(json!({"resources": {"requests": {"memory": "1GB"}}})),
                "Pod in version \"v1\" cannot be handled as a Pod: quantities must match the \
                 regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
            (
                Kind::Pod,
                pod(json!({"image": false})),
                "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal bool \
                 into Go struct field Container.spec.containers.image of type string",
            ),
            (
                Kind::Pod,
                pod(json!({"imagePullPolicy": 1})),
                "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number \
                 into Go struct field Container.spec.containers.imagePullPolicy of type \
                 v1.PullPolicy",
            ),
            (
                Kind::Service,
                json!({"spec": {"ports": {"port": 80}}}),
                "Service in version \"v1\" cannot be handled as a Service: json: cannot unmarshal \
                 object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort",
            ),
            (
                Kind::Secret,
                json!({"data": {"password": "not base64!"}}),
                "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at \
                 input byte 3",
            ),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(refusal(kind, &value), expected, "{value}");
        }
    }

    /// Texts recorded from a real API server.
    #[test]
    fn the_parts_of_structures_numbers_and_times_are_named_as_go_names_them() {
        let pod = |container: Value| json!({"spec": {"containers": [container]}});
        let cases = [
            (
                Kind::Pod,
                pod(json!({"livenessProbe": {"exec": {"command": "ls"}}})),
                "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string \
                 into Go struct field \
                 ExecAction.spec.containers.livenessProbe.ProbeHandler.exec.command of type \
                 []string",
            ),
            (
                Kind::Pod,
                pod(json!({"env": [{"valueFrom": {"configMapKeyRef": {"name": 1}}}]})),
                "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number \
                 into Go struct field ConfigMapKeySelector.spec.containers.env.valueFrom.\
                 configMapKeyRef.LocalObjectReference.name of type string",
            ),
            (
                Kind::Deployment,
                json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": true}}}}),
                "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot \
                 unmarshal bool into Go struct field \
                 RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32",
            ),
            (
                Kind::HorizontalPodAutoscaler,
                json!({"spec": {"metrics": {}}}),
                "HorizontalPodAutoscaler in version \"v2\" cannot be handled as a \
                 HorizontalPodAutoscaler: json: cannot unmarshal object into Go struct field \
                 HorizontalPodAutoscalerSpec.spec.metrics of type []v2.MetricSpec",
            ),
            (
                Kind::ConfigMap,
                json!({"data": {"pi": 3.5}}),
                "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot \
                 unmarshal number into Go struct field ConfigMap.data of type string",
            ),
            (
                Kind::Deployment,
                json!({"spec": {"replicas": 1.5}}),
                "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot \
                 unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type \
                 int32",
            ),
            (
                Kind::Lease,
                json!({"spec": {"acquireTime": "now"}}),
                "Lease in version \"v1\" cannot be handled as a Lease: parsing time \"now\" as \
                 \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"now\" as \"2006\"",
            ),
            (
                Kind::CustomResourceDefinition,
                json!({"spec": {"version": "v1", "validation": {}}}),
                "CustomResourceDefinition in version \"v1\" cannot be handled as a \
                 CustomResourceDefinition: strict decoding error: unknown field \
                 \"spec.validation\", unknown field \"spec.version\"",
            ),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(refusal(kind, &value), expected, "{value}");
        }
    }

    /// Printed by a real kubectl.
    #[test]
    fn clients_look_at_metadata_themselves() {
        let cases = [
            (
                json!({"metadata": {"labels": {"version": 1}}}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of \
                 type string",
            ),
            (
                json!({"metadata": {"name": true}}),
                "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type \
                 string",
            ),
            (
                json!({"metadata": "name:a"}),
                "json: cannot unmarshal string into Go struct field metadataOnlyObject.metadata of \
                 type v1.ObjectMeta",
            ),
            (
                json!({"metadata": {"uid": 7}}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.uid of \
                 type types.UID",
            ),
        ];
        for (object, why) in cases {
            assert_eq!(check_metadata(&object), Err(why.to_owned()), "{object}");
        }
        assert_eq!(check_metadata(&json!({"spec": 1, "metadata": {"label": 1}})), Ok(()));
    }

    #[test]
    fn what_fits_comes_back_as_the_server_shows_it() {
        let value = json!({"spec": {
            "nodeName": "", "hostNetwork": false, "tolerations": [], "restartPolicy": null,
            "containers": [{"name": "c", "resources": {"limits": {"cpu": 2, "memory": "1024Mi"}}}],
            "terminationGracePeriodSeconds": 0,
        }});
        let expected = json!({"spec": {
            "containers": [{"name": "c", "resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}],
            "terminationGracePeriodSeconds": 0,
        }});
        assert_eq!(decode(Kind::Pod, &value).unwrap(), expected);
        let secret = json!({"stringData": {"a": "b"}, "data": {"c": "ZA=="}});
        assert_eq!(
            decode(Kind::Secret, &secret).unwrap(),
            json!({"data": {"a": "Yg==", "c": "ZA=="}})
        );
    }
}
