//! What `kubectl explain` looks at: types of the API's own table, and the schemas of definitions.

use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::manifest::descriptions::Descriptions;
use crate::manifest::schema::{self, Definition, Type};
use std::collections::BTreeMap;

/// A type of a field.
#[derive(Clone, Debug)]
pub(super) enum Shape<'a> {
    /// A type of the table.
    Known(Type),
    /// A part of a definition's schema.
    Custom(&'a Value),
    /// The whole of it: an object with its metadata.
    CustomRoot(&'a Value),
}

/// A field of a structure.
pub(super) struct FieldShape<'a> {
    pub(super) name: &'a str,
    pub(super) shape: Shape<'a>,
    /// What is said of it, with the values that it may have.
    pub(super) text: String,
    pub(super) required: bool,
}

impl<'a> Shape<'a> {
    /// The structure of the table that it is, or holds many of.
    pub(super) fn name(&self) -> Option<&'static str> {
        match self {
            Shape::Known(known) => match inner(known) {
                Type::Named(name) => Some(name),
                _ => None,
            },
            Shape::Custom(_) | Shape::CustomRoot(_) => None,
        }
    }

    /// The fields of the structure that it is, or of those that it holds, by name.
    pub(super) fn fields(&self, table: &'static Descriptions) -> Vec<FieldShape<'a>> {
        match self {
            Shape::Known(known) => match inner(known) {
                Type::Named(owner) => fields_of(owner, table),
                _ => Vec::new(),
            },
            Shape::Custom(schema) => properties(held(schema)).into_values().collect(),
            Shape::CustomRoot(schema) => {
                // The API server gives each definition what objects have.
                let mut all = properties(schema);
                let own = fields_of("Pod", table).into_iter();
                for mut field in own.filter(|it| !["spec", "status"].contains(&it.name)) {
                    field.required = false;
                    all.insert(field.name, field);
                }
                all.into_values().collect()
            }
        }
    }

    /// The type as the OpenAPI document names it; some it knows by their field alone.
    pub(super) fn guess(&self, field: &str) -> String {
        match self {
            Shape::Known(known) => type_guess(field, known),
            Shape::Custom(schema) | Shape::CustomRoot(schema) => schema_guess(schema),
        }
    }

    /// What is said of the structure that a field holds, or holds many of.
    pub(super) fn text(&self, table: &'static Descriptions) -> String {
        let ended = |text: &str| if text.is_empty() { String::new() } else { format!("{text}\n") };
        let known = match self {
            Shape::CustomRoot(schema) => {
                return ended(schema.str_at(&["description"]).unwrap_or_default());
            }
            Shape::Custom(schema) => {
                let mut text = String::new();
                let mut here = *schema;
                while let Some(next) = content(here) {
                    text.push_str(&ended(next.str_at(&["description"]).unwrap_or_default()));
                    here = next;
                }
                return text;
            }
            Shape::Known(known) => known,
        };
        let name = match inner(known) {
            Type::Named(name) => name,
            Type::Quantity => "Quantity",
            Type::IntOrString => "IntOrString",
            Type::Time => "Time",
            Type::MicroTime => "MicroTime",
            Type::Any => "FieldsV1",
            _ => return String::new(),
        };
        table.of_type(name).map(|described| ended(&described.text)).unwrap_or_default()
    }

    /// The values that it may have; empty if they are not listed.
    pub(super) fn values(&self, table: &'static Descriptions) -> Vec<String> {
        let shown = |value: &str| if value.is_empty() { "\"\"" } else { value }.to_owned();
        match self {
            Shape::Known(known) => {
                values_of(known.target(), table).iter().map(|(value, _)| shown(value)).collect()
            }
            Shape::Custom(schema) | Shape::CustomRoot(schema) => {
                let all = schema.items_at(&["enum"]).iter();
                all.map(|value| shown(&crate::kubectl::go_text::scalar_text(value))).collect()
            }
        }
    }
}

/// The values of an enumeration, each with what it means.
fn values_of(of: &Type, table: &'static Descriptions) -> &'static [(String, String)] {
    match of {
        Type::Named(name) => table.values(name.rsplit('.').next().unwrap_or(name)),
        _ => &[],
    }
}

fn fields_of<'a>(owner: &str, table: &'static Descriptions) -> Vec<FieldShape<'a>> {
    let described = table.of_type(owner);
    let read = |(name, field): (&&'static str, &schema::Field)| {
        let words = described.and_then(|owner| owner.fields.get(*name));
        let mut text = words.map(|words| words.text.clone()).unwrap_or_default();
        let values = values_of(field.field_type.target(), table);
        if !values.is_empty() {
            text.push_str("\n\nPossible enum values:");
            for (value, meaning) in values {
                text.push_str(format!("\n - `{value:?}` {meaning}").trim_end());
            }
        }
        let required = words.is_some_and(|words| words.required);
        FieldShape { name, shape: Shape::Known(field.field_type.clone()), text, required }
    };
    schema::struct_fields(owner).into_iter().flatten().map(read).collect()
}

/// What a list's or a map's schema says of its values.
fn content(schema: &Value) -> Option<&Value> {
    let of = |key| schema.get(key).filter(|inner| inner.is_object());
    of("items").or(of("additionalProperties"))
}

/// The schema of what lists and maps hold in the end.
fn held(schema: &Value) -> &Value {
    let mut here = schema;
    while let Some(next) = content(here).filter(|_| here.get("properties").is_none()) {
        here = next;
    }
    here
}

fn properties(schema: &Value) -> BTreeMap<&str, FieldShape<'_>> {
    let needed = schema.items_at(&["required"]);
    let read = |(name, inner)| {
        let name: &String = name;
        let inner: &Value = inner;
        let text = inner.str_at(&["description"]).unwrap_or_default().to_owned();
        let required = needed.iter().any(|one| one.as_str() == Some(name));
        (name.as_str(), FieldShape { name, shape: Shape::Custom(inner), text, required })
    };
    schema.fields_at(&["properties"]).into_iter().flatten().map(read).collect()
}

fn schema_guess(schema: &Value) -> String {
    match (schema.get("items"), schema.get("additionalProperties")) {
        (Some(items), _) => format!("[]{}", schema_guess(items)),
        (_, Some(values)) if values.is_object() => format!("map[string]{}", schema_guess(values)),
        _ => match schema.str_at(&["type"]) {
            None | Some("object") => "Object".to_owned(),
            Some(name) => name.to_owned(),
        },
    }
}

/// What a list or a map holds.
fn inner(of: &Type) -> &Type {
    match of {
        Type::Pointer(of) | Type::List(of) | Type::Map(of) => inner(of),
        other => other,
    }
}

fn type_guess(field: &str, of: &Type) -> String {
    match of {
        Type::String | Type::Bytes | Type::Time | Type::MicroTime | Type::Uid => {
            "string".to_owned()
        }
        Type::Bool => "boolean".to_owned(),
        Type::Int32 | Type::Int64 => "integer".to_owned(),
        Type::Float64 => "number".to_owned(),
        Type::Quantity => "Quantity".to_owned(),
        Type::IntOrString => "IntOrString".to_owned(),
        // The table keeps no names of what may hold anything.
        Type::Any if field == "fieldsV1" => "FieldsV1".to_owned(),
        Type::Any if ["default", "enum", "example"].contains(&field) => "JSON".to_owned(),
        Type::Any => "RawExtension".to_owned(),
        Type::Schema => match field {
            "items" => "JSONSchemaPropsOrArray",
            "dependencies" => "JSONSchemaPropsOrStringArray",
            _ => "JSONSchemaPropsOrBool",
        }
        .to_owned(),
        Type::Pointer(of) => type_guess(field, of),
        Type::List(of) => format!("[]{}", type_guess(field, of)),
        Type::Map(of) => format!("map[string]{}", type_guess(field, of)),
        Type::Named(name) => match schema::find(name) {
            Some(Definition::Basic { underlying, .. }) => type_guess(field, underlying),
            _ => name.rsplit('.').next().unwrap_or(name).to_owned(),
        },
    }
}
