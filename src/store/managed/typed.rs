//! What is applied, held against the types of the API.
//!
//! Models sigs.k8s.io/structured-merge-diff/v6/typed/validate.go.

use super::place::item_step;
use crate::api::managed_fields::shown;
use crate::api::{Kind, Value, go_syntax, go_value};
use crate::manifest::schema::{self, Definition, Shared, Type};

/// What does not fit, in upstream's words; custom resources are held against their definitions
/// elsewhere.
pub(super) fn check(kind: Kind, value: &Value) -> Result<(), String> {
    let Some(name) = schema::name_of(kind) else { return Ok(()) };
    let mut errors = Vec::new();
    any(&Type::Named(name), Shared::Parts(""), value, "", &mut errors);
    match errors.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("errors:\n  {}", many.join("\n  "))),
    }
}

fn any(wanted: &Type, shared: Shared, value: &Value, here: &str, errors: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    let mut no =
        |what: &str, shown: String| errors.push(format!("{here}: expected {what}, got {shown}"));
    let plain = || format!("&{{{}}}", go_value(value));
    match wanted.target() {
        Type::Named(name) => match schema::find(name) {
            Some(Definition::Struct(_)) => structure(name, value, here, errors),
            Some(Definition::Basic { underlying, .. }) => {
                any(underlying, shared, value, here, errors);
            }
            None => {}
        },
        Type::Map(inner) => match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let below = format!("{here}.{key}");
                    any(inner, Shared::Parts(""), value, &below, errors);
                }
            }
            _ => no("map", plain()),
        },
        Type::List(inner) => match value {
            Value::Array(items) => list(inner, shared, items, here, errors),
            _ => no("list", plain()),
        },
        Type::Int32 | Type::Int64 | Type::Float64 if !value.is_number() => {
            let got = match value {
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                Value::Array(_) => "[]interface {}",
                _ => "map[string]interface {}",
            };
            no("numeric (int or float)", got.to_owned());
        }
        Type::Bool if !value.is_boolean() => no("boolean", plain()),
        Type::String | Type::Bytes | Type::Uid if !value.is_string() => {
            no("string", format!("&value.valueUnstructured{{Value:{}}}", go_syntax(value)));
        }
        _ => {}
    }
}

fn structure(name: &str, value: &Value, here: &str, errors: &mut Vec<String>) {
    let Value::Object(map) = value else {
        errors.push(format!("{here}: expected map, got &{{{}}}", go_value(value)));
        return;
    };
    for (key, value) in map {
        let below = format!("{here}.{key}");
        match schema::struct_fields(name).and_then(|fields| fields.get(key.as_str())) {
            Some(field) => any(&field.field_type, field.shared, value, &below, errors),
            // Upstream looks no further at this structure.
            None => return errors.push(format!("{below}: field not declared in schema")),
        }
    }
}

fn list(inner: &Type, shared: Shared, items: &[Value], here: &str, errors: &mut Vec<String>) {
    let mut seen: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let step = match shared {
            Shared::Whole => format!("[{index}]"),
            Shared::Parts(keys) => match item_step(keys, inner, item) {
                Ok(step) => shown(&step),
                Err(why) => return errors.push(format!("{here}: element {index}: {why}")),
            },
        };
        if seen.contains(&step) {
            errors.push(format!("{here}: duplicate entries for key {step}"));
        }
        let below = format!("{here}{step}");
        any(inner, Shared::Parts(""), item, &below, errors);
        seen.push(step);
    }
}
