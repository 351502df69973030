//! What is applied, held against the types of the API.
//!
//! Models sigs.k8s.io/structured-merge-diff/v6/typed/validate.go.

use super::place::{Fields, Items, Place, Shape, item_step, items};
use crate::api::managed_fields::shown;
use crate::api::tree::Tree as _;
use crate::api::{Value, go_syntax, go_value};
use crate::manifest::schema::{self, Definition, Shared, Type};

/// What does not fit, in upstream's words.
pub(super) fn check(place: Place<'_>, value: &Value) -> Result<(), String> {
    let mut errors = Vec::new();
    at(place, value, "", &mut errors);
    match errors.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("errors:\n  {}", many.join("\n  "))),
    }
}

fn at(place: Place<'_>, value: &Value, here: &str, errors: &mut Vec<String>) {
    match place {
        Place::Typed(wanted, shared) => any(wanted, shared, value, here, errors),
        Place::Root(kind, None) => {
            if let Some(name) = schema::name_of(kind) {
                structure(Fields::Named(name), value, here, errors);
            }
        }
        Place::Root(_, Some(schema)) => structure(Fields::Root(schema), value, here, errors),
        Place::Schema(schema) => by_schema(schema, value, here, errors),
        Place::Open => {}
    }
}

/// A value of the schema of a custom resource.
fn by_schema(schema: &Value, value: &Value, here: &str, errors: &mut Vec<String>) {
    let text = |key: &str| schema.str_at(&[key]).unwrap_or_default();
    let known = match text("type") {
        _ if value.is_null() || schema.bool_at(&["x-kubernetes-int-or-string"]) == Some(true) => {
            return;
        }
        "object" => return structure(Fields::Schema(schema), value, here, errors),
        "array" => {
            let Value::Array(items) = value else {
                errors.push(format!("{here}: expected list, got &{{{}}}", go_value(value)));
                return;
            };
            let inner = schema.get("items").map_or(Place::Open, Place::Schema);
            return match Place::Schema(schema).shape(value) {
                Shape::Items(how) => list(Some(&how), inner, items, here, errors),
                _ => list(None, inner, items, here, errors),
            };
        }
        "string" => &Type::String,
        "boolean" => &Type::Bool,
        "integer" | "number" => &Type::Int64,
        _ => return,
    };
    any(known, Shared::Parts(""), value, here, errors);
}

fn any(wanted: &'static Type, shared: Shared, value: &Value, here: &str, errors: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    let mut no =
        |what: &str, shown: String| errors.push(format!("{here}: expected {what}, got {shown}"));
    let plain = || format!("&{{{}}}", go_value(value));
    match wanted.target() {
        Type::Named(name) => match schema::find(name) {
            Some(Definition::Struct(_)) => structure(Fields::Named(name), value, here, errors),
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
            Value::Array(all) => {
                let how = match shared {
                    Shared::Whole => None,
                    Shared::Parts(keys) => Some(items(keys, inner)),
                };
                let inner = Place::Typed(inner, Shared::Parts(""));
                list(how.as_ref(), inner, all, here, errors);
            }
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

fn structure(fields: Fields<'_>, value: &Value, here: &str, errors: &mut Vec<String>) {
    let Value::Object(map) = value else {
        if value.is_null() {
            return;
        }
        errors.push(format!("{here}: expected map, got &{{{}}}", go_value(value)));
        return;
    };
    for (key, value) in map {
        let below = format!("{here}.{key}");
        match fields.place(key).or_else(|| fields.other()) {
            Some(place) => at(place, value, &below, errors),
            // Upstream looks no further at this structure.
            None => return errors.push(format!("{below}: field not declared in schema")),
        }
    }
}

/// Items that are told apart somehow, or by their places.
fn list(
    how: Option<&Items<'_>>,
    inner: Place<'_>,
    items: &[Value],
    here: &str,
    errors: &mut Vec<String>,
) {
    let mut seen: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let step = match how {
            None => format!("[{index}]"),
            Some(how) => match item_step(how, item) {
                Ok(step) => shown(&step),
                Err(why) => return errors.push(format!("{here}: element {index}: {why}")),
            },
        };
        if seen.contains(&step) {
            errors.push(format!("{here}: duplicate entries for key {step}"));
        }
        let below = format!("{here}{step}");
        at(inner, item, &below, errors);
        seen.push(step);
    }
}
