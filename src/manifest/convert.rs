//! A patched tree held against the types of the API, in the words of the converter that the API
//! server uses after a strategic merge patch.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/runtime/converter.go FromUnstructuredWithValidation:
//! the first wrong type in the order of the structures' fields, else all unknown fields, sorted.

use super::decode::json_word;
use super::encoded::{check_base64, quantity, time};
use super::schema::{self, Definition, Field, Type};
use crate::api::{Kind, Value};
use crate::base::order;
use serde_json::Map;
use std::collections::BTreeMap;

/// The fields that the types do not know, `spec.replica`; none for kinds without types.
///
/// # Errors
/// A value of a wrong type, in the converter's words.
pub fn check(kind: Kind, value: &Value) -> Result<Vec<String>, String> {
    let Some(fields) = schema::fields_of(kind) else { return Ok(Vec::new()) };
    let Value::Object(map) = value else {
        return Err(format!("cannot restore struct from: {}", go_kind(value)));
    };
    let mut checker = Checker::default();
    checker.structure(fields, map)?;
    order::sort(&mut checker.unknown);
    Ok(checker.unknown)
}

#[derive(Default)]
struct Checker {
    path: String,
    unknown: Vec<String>,
}

impl Checker {
    fn structure(
        &mut self,
        fields: &BTreeMap<&'static str, Field>,
        map: &Map<String, Value>,
    ) -> Result<(), String> {
        let mut known: Vec<(u32, &str, &Field, &Value)> = Vec::with_capacity(map.len());
        for (key, value) in map {
            match fields.get_key_value(key.as_str()) {
                Some((name, field)) => known.push((field.place, name, field, value)),
                None => {
                    let unknown = self.below(key);
                    self.unknown.push(unknown);
                }
            }
        }
        order::sort_by_key(&mut known, |(place, ..)| *place);
        for (_, name, field, value) in known {
            let length = self.path.len();
            self.path = self.below(name);
            self.value(&field.field_type, value)?;
            self.path.truncate(length);
        }
        Ok(())
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn value(&mut self, wanted: &Type, value: &Value) -> Result<(), String> {
        if value.is_null() {
            return Ok(());
        }
        match wanted {
            Type::Pointer(inner) => self.value(inner, value),
            Type::Any | Type::Schema => Ok(()),
            Type::Quantity => quantity(value).map(drop),
            Type::IntOrString => int_or_string(value),
            Type::Time | Type::MicroTime => match value {
                Value::String(text) => time(wanted, text).map(drop),
                other => Err(no_go_value(other, "string")),
            },
            Type::Bytes => match value {
                Value::String(text) => {
                    check_base64(text).map_err(|why| format!("error decoding from json: {why}"))
                }
                other => Err(format!("cannot restore slice from {}", go_kind(other))),
            },
            Type::List(inner) => {
                let Value::Array(items) = value else {
                    return Err(format!("cannot restore slice from {}", go_kind(value)));
                };
                for (index, item) in items.iter().enumerate() {
                    let length = self.path.len();
                    self.path.push_str(&format!("[{index}]"));
                    self.value(inner, item)?;
                    self.path.truncate(length);
                }
                Ok(())
            }
            Type::Map(inner) => {
                let Value::Object(map) = value else {
                    return Err(format!("cannot restore map from {}", go_kind(value)));
                };
                // The converter enters no key of a map into the path.
                map.values().try_for_each(|value| self.value(inner, value))
            }
            Type::Named(name) => match schema::find(name) {
                Some(Definition::Struct(fields)) => {
                    let Value::Object(map) = value else {
                        return Err(format!("cannot restore struct from: {}", go_kind(value)));
                    };
                    self.structure(fields, map)
                }
                Some(Definition::Basic { underlying, .. }) => simple(underlying, wanted, value),
                None => Ok(()),
            },
            basic => simple(basic, wanted, value),
        }
    }
}

/// A text, a number or a truth value; `named` is what Go calls its type.
fn simple(basic: &Type, named: &Type, value: &Value) -> Result<(), String> {
    let convertible = || Err(format!("cannot convert {} to {}", go_kind(value), named.go_name()));
    let other = || {
        // What is underneath a UID is a string.
        let kind = if *basic == Type::Uid { Type::String } else { basic.clone() }.go_name();
        Err(format!("unrecognized type: {kind}"))
    };
    let is_number = matches!(basic, Type::Int32 | Type::Int64 | Type::Float64);
    match (basic, value) {
        (Type::String | Type::Uid, Value::String(_)) | (Type::Bool, Value::Bool(_)) => Ok(()),
        (Type::String | Type::Uid, Value::Number(number)) if !number.is_f64() => convertible(),
        (Type::Float64, Value::Number(_)) => Ok(()),
        (_, Value::Number(number)) if is_number => {
            let whole = number.as_f64().is_none_or(|float| float.fract() == 0.0);
            if !number.is_f64() || whole { Ok(()) } else { convertible() }
        }
        _ => other(),
    }
}

/// Models staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go UnmarshalJSON.
fn int_or_string(value: &Value) -> Result<(), String> {
    match value {
        Value::String(_) => Ok(()),
        Value::Number(number) if number.as_i64().is_some_and(|it| i32::try_from(it).is_ok()) => {
            Ok(())
        }
        Value::Number(number) => {
            Err(format!("json: cannot unmarshal number {number} into Go value of type int32"))
        }
        other => Err(no_go_value(other, "int32")),
    }
}

fn no_go_value(value: &Value, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go value of type {wanted}", json_word(value))
}

/// What Go calls the kind of a decoded JSON value.
fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Printed by a real API server when a manifest was applied again.
    #[test]
    fn wrong_types_have_the_converters_words() {
        let pod =
            |container: Value| json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        let cases = [
            (json!({"spec": {"replicas": "three"}}), "unrecognized type: int32"),
            (pod(json!({"image": 5})), "cannot convert int64 to string"),
            (pod(json!({"imagePullPolicy": 5})), "cannot convert int64 to v1.PullPolicy"),
            (pod(json!({"env": [{"name": "A", "value": 1}]})), "cannot convert int64 to string"),
            (pod(json!({"ports": [{"containerPort": "x"}]})), "unrecognized type: int32"),
            (
                json!({"spec": {"template": {"spec": {"containers": {}}}}}),
                "cannot restore slice from map",
            ),
            (json!({"spec": "x"}), "cannot restore struct from: string"),
            (
                pod(json!({"resources": {"limits": {"memory": "1GB"}}})),
                "quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
        ];
        for (value, why) in cases {
            assert_eq!(check(Kind::Deployment, &value), Err(why.to_owned()), "{value}");
        }
    }

    #[test]
    fn unknown_fields_are_all_named_in_order() {
        let value =
            json!({"spec": {"template": {"spec": {"containers": [{"prots": []}]}}, "replica": 1}});
        let names = ["spec.replica", "spec.template.spec.containers[0].prots"];
        assert_eq!(check(Kind::Deployment, &value), Ok(names.map(str::to_owned).to_vec()));
    }
}
