//! Custom objects against the schema of their CustomResourceDefinition.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema and
//! k8s.io/kube-openapi/pkg/validation/validate.
//!
//! Simplified: types, required fields, enumerations, bounds, lengths, defaults and unknown fields;
//! neither `pattern`, formats, `oneOf` and its kin, nor CEL rules.

use crate::api::tree::Tree as _;
use crate::api::{FieldError, Value};

/// Schemas nest no deeper than this.
const DEEPEST: usize = 64;

/// Fills in the defaults of a schema.
pub fn apply_defaults(schema: &Value, value: &mut Value) {
    let properties = schema.fields_at(&["properties"]).into_iter().flatten();
    if let Some(fields) = value.as_object_mut() {
        for (name, schema) in properties {
            if let Some(default) = schema.get("default")
                && !fields.contains_key(name)
            {
                fields.insert(name.clone(), default.clone());
            }
            if let Some(field) = fields.get_mut(name) {
                apply_defaults(schema, field);
            }
        }
        if let Some(schema) = schema.get("additionalProperties") {
            fields.values_mut().for_each(|field| apply_defaults(schema, field));
        }
    }
    if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array_mut()) {
        items.iter_mut().for_each(|item| apply_defaults(schema, item));
    }
}

/// The paths of fields that a schema does not know.
pub fn unknown_fields(schema: &Value, value: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    find_unknown(schema, value, "", 0, &mut unknown);
    unknown
}

fn find_unknown(schema: &Value, value: &Value, path: &str, depth: usize, out: &mut Vec<String>) {
    let is_on = |key: &str| schema.bool_at(&[key]).unwrap_or_default();
    if depth > DEEPEST || is_on("x-kubernetes-embedded-resource") {
        return;
    }
    if let Some(fields) = value.as_object() {
        let known = schema.fields_at(&["properties"]);
        let free = schema.get("additionalProperties");
        for (name, field) in fields {
            let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if depth == 0 && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
                continue;
            }
            match known.and_then(|known| known.get(name)).or(free.filter(|f| f.is_object())) {
                Some(schema) => find_unknown(schema, field, &at, depth + 1, out),
                None if free.and_then(Value::as_bool) == Some(true) => {}
                None if is_on("x-kubernetes-preserve-unknown-fields") => {}
                None => out.push(at),
            }
        }
    }
    if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
        for (index, item) in items.iter().enumerate() {
            find_unknown(schema, item, &format!("{path}[{index}]"), depth + 1, out);
        }
    }
}

/// What a schema forbids.
pub fn validate(schema: &Value, value: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check(schema, value, "", 0, &mut errors);
    errors
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    let actual = type_of(value);
    if schema.bool_at(&["x-kubernetes-int-or-string"]) == Some(true) {
        return ["integer", "string"].contains(&actual);
    }
    match schema.str_at(&["type"]) {
        None | Some("") => true,
        Some("number") => ["number", "integer"].contains(&actual),
        Some(wanted) => wanted == actual,
    }
}

fn check(schema: &Value, value: &Value, path: &str, depth: usize, errors: &mut Vec<FieldError>) {
    if depth > DEEPEST || (value.is_null() && schema.bool_at(&["nullable"]) == Some(true)) {
        return;
    }
    if !has_type(schema, value) {
        let wanted = schema.str_at(&["type"]).unwrap_or("integer or string");
        let actual = type_of(value);
        let why = format!("{path} in body must be of type {wanted}: \"{actual}\"");
        errors.push(FieldError::invalid(path, actual, why));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let names: Vec<String> = allowed.iter().map(Value::to_string).collect();
        let detail = format!("supported values: {}", names.join(", "));
        let error = FieldError::not_supported(path, value.clone(), &[]).with_detail(detail);
        errors.push(error);
    }
    check_bounds(schema, value, path, errors);
    if let Some(fields) = value.as_object() {
        for name in schema.items_at(&["required"]).iter().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                errors.push(FieldError::required(joined(path, name), ""));
            }
        }
        let known = schema.fields_at(&["properties"]);
        let free = schema.get("additionalProperties").filter(|free| free.is_object());
        for (name, field) in fields {
            if depth == 0 && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
                continue;
            }
            if let Some(schema) = known.and_then(|known| known.get(name)).or(free) {
                check(schema, field, &joined(path, name), depth + 1, errors);
            }
        }
    }
    if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
        for (index, item) in items.iter().enumerate() {
            check(schema, item, &format!("{path}[{index}]"), depth + 1, errors);
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn check_bounds(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
    let mut refuse = |shown: Value, rule: String| {
        errors.push(FieldError::invalid(path, shown, format!("{path} in body should {rule}")));
    };
    if let Some(number) = value.as_f64() {
        let bound = |key: &str| schema.get(key).map(Value::to_string).unwrap_or_default();
        if limit("minimum").is_some_and(|least| number < least) {
            refuse(value.clone(), format!("be greater than or equal to {}", bound("minimum")));
        }
        if limit("maximum").is_some_and(|most| number > most) {
            refuse(value.clone(), format!("be less than or equal to {}", bound("maximum")));
        }
    }
    let count = |key: &str| schema.int_at(&[key]).and_then(|n| usize::try_from(n).ok());
    if let Some(text) = value.as_str()
        && let Some(least) = count("minLength")
        && text.chars().count() < least
    {
        refuse(value.clone(), format!("be at least {least} chars long"));
    }
    if let Some(items) = value.as_array()
        && let Some(least) = count("minItems")
        && items.len() < least
    {
        refuse(items.len().into(), format!("have at least {least} items"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({"type": "object", "properties": {"spec": {
            "type": "object",
            "required": ["cron"],
            "properties": {
                "cron": {"type": "string"},
                "replicas": {"type": "integer", "minimum": 1, "default": 2},
                "mode": {"type": "string", "enum": ["a", "b"]},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            },
        }}})
    }

    #[test]
    fn a_schema_refuses_in_the_servers_words() {
        let cases = [
            (
                json!({"cron": "x", "replicas": "1"}),
                "spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type integer: \"string\"",
            ),
            (json!({}), "spec.cron: Required value"),
            (
                json!({"cron": "x", "replicas": 0}),
                "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
            ),
            (
                json!({"cron": "x", "mode": "c"}),
                "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\"",
            ),
        ];
        for (spec, expected) in cases {
            let errors = validate(&schema(), &json!({"spec": spec}));
            let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
            assert_eq!(said, [expected]);
        }
    }

    #[test]
    fn defaults_come_in_and_unknown_fields_are_found() {
        let mut value =
            json!({"metadata": {"x": 1}, "spec": {"cron": "x", "nope": 1, "free": {"y": 1}}});
        assert_eq!(unknown_fields(&schema(), &value), ["spec.nope"]);
        apply_defaults(&schema(), &mut value);
        assert_eq!(value["spec"]["replicas"], 2);
    }
}
