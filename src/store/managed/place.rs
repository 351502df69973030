//! How managers share a value, by its place in the types of the API.

use crate::api::tree::Tree as _;
use crate::api::{FieldSet, Kind, Value};
use crate::manifest::schema::{self, Definition, Shared, Type};
use serde_json::{Map, json};

/// A place in the types of the API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place<'a> {
    /// An object of a kind, and for a custom one its schema if it has one.
    Root(Kind, Option<&'a Value>),
    /// A value of a type.
    Typed(&'static Type, Shared),
    /// A value of the schema of a custom resource.
    Schema(&'a Value),
    /// What nothing is known of: maps are shared, lists are not.
    Open,
}

/// What a value is made of for its managers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape<'a> {
    /// One manager has it.
    Whole,
    /// Fields.
    Struct(Fields<'a>),
    /// Fields of any name.
    Map(Place<'a>),
    /// Items.
    Items(Items<'a>),
}

/// Which fields there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fields<'a> {
    /// Those of a structure of this name.
    Named(&'static str),
    /// Those of a schema.
    Schema(&'a Value),
    /// Those of a schema of whole objects, which need not tell of their metadata.
    Root(&'a Value),
    /// It is not known which.
    Any,
}

/// Items that differ in some fields, or in their values if there are none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Items<'a> {
    pub(super) keys: Vec<&'a str>,
    pub(super) of: Place<'a>,
}

static TEXT: Type = Type::String;
static META: Type = Type::Named("ObjectMeta");

impl<'a> Fields<'a> {
    /// The place of a field; `None` for one that is not declared.
    pub(super) fn place(self, name: &str) -> Option<Place<'a>> {
        match self {
            Fields::Any => None,
            Fields::Named(of) => {
                let field = schema::struct_fields(of)?.get(name)?;
                Some(Place::Typed(&field.field_type, field.shared))
            }
            Fields::Root(_) if matches!(name, "apiVersion" | "kind") => {
                Some(Place::Typed(&TEXT, Shared::Parts("")))
            }
            Fields::Root(_) if name == "metadata" => Some(Place::Typed(&META, Shared::Parts(""))),
            Fields::Root(schema) | Fields::Schema(schema) => {
                schema.at(&["properties", name]).map(Place::Schema)
            }
        }
    }

    /// The place of a field that is not declared; `None` if there may be none.
    pub(super) fn other(self) -> Option<Place<'a>> {
        let (Fields::Root(schema) | Fields::Schema(schema)) = self else {
            return matches!(self, Fields::Any).then_some(Place::Open);
        };
        match schema.get("additionalProperties") {
            Some(inner) if inner.is_object() => Some(Place::Schema(inner)),
            Some(Value::Bool(true)) => Some(Place::Open),
            _ => {
                let is_open = schema.bool_at(&["x-kubernetes-preserve-unknown-fields"]);
                let has_none = schema.fields_at(&["properties"]).is_none_or(Map::is_empty);
                let has_none = has_none && !matches!(self, Fields::Root(_));
                (is_open == Some(true) || has_none).then_some(Place::Open)
            }
        }
    }
}

impl<'a> Place<'a> {
    /// The shape of values here.
    pub(super) fn shape(self, value: &Value) -> Shape<'a> {
        let (field_type, shared) = match self {
            Place::Root(_, Some(schema)) => return Shape::Struct(Fields::Root(schema)),
            Place::Root(kind, None) => {
                return Shape::Struct(schema::name_of(kind).map_or(Fields::Any, Fields::Named));
            }
            Place::Open if value.is_object() => return Shape::Struct(Fields::Any),
            Place::Open => return Shape::Whole,
            Place::Schema(schema) => return shape_by(schema, value),
            Place::Typed(field_type, shared) => (field_type.target(), shared),
        };
        match (field_type, shared) {
            (_, Shared::Whole) => Shape::Whole,
            (Type::Named(name), _) if is_struct(name) && !schema::is_whole(name) => {
                Shape::Struct(Fields::Named(name))
            }
            (Type::Map(inner), _) => Shape::Map(Place::Typed(inner, Shared::Parts(""))),
            (Type::List(inner), Shared::Parts(keys)) => Shape::Items(items(keys, inner)),
            _ => Shape::Whole,
        }
    }

    /// The place one step further.
    pub(super) fn below(self, step: &str) -> Place<'a> {
        let name = step.strip_prefix("f:").unwrap_or_default();
        // A list's items are asked for by a list.
        let like = if step.starts_with("f:") { json!({}) } else { json!([]) };
        match self.shape(&like) {
            Shape::Map(place) => place,
            Shape::Items(items) => items.of,
            Shape::Struct(of) => of.place(name).or_else(|| of.other()).unwrap_or(Place::Open),
            Shape::Whole => Place::Open,
        }
    }

    /// Whether Go's structures always have a value here, be it an empty one.
    pub(super) fn is_always_there(self, step: &str) -> bool {
        let (Shape::Struct(Fields::Named(name)), Some(key)) =
            (self.shape(&Value::Null), step.strip_prefix("f:"))
        else {
            return false;
        };
        let found = schema::struct_fields(name).and_then(|fields| fields.get(key));
        found.is_some_and(|field| {
            let by_value = matches!(&field.field_type, Type::Named(inner) if is_struct(inner));
            field.always || by_value
        })
    }
}

fn is_struct(name: &str) -> bool {
    matches!(schema::find(name), Some(Definition::Struct(_)))
}

/// The items of a list of a type; `keys` are joined by `+`.
pub(super) fn items(keys: &'static str, of: &'static Type) -> Items<'static> {
    let keys = keys.split('+').filter(|key| !key.is_empty()).collect();
    Items { keys, of: Place::Typed(of, Shared::Parts("")) }
}

/// The shape of a value of a schema.
///
/// Models k8s.io/kube-openapi/pkg/schemaconv: lists are whole unless they say otherwise, maps are
/// not.
fn shape_by<'a>(schema: &'a Value, value: &Value) -> Shape<'a> {
    let text = |key: &str| schema.str_at(&[key]).unwrap_or_default();
    match (text("type"), text("x-kubernetes-list-type")) {
        _ if schema.bool_at(&["x-kubernetes-int-or-string"]) == Some(true) => Shape::Whole,
        ("object", _) if text("x-kubernetes-map-type") == "atomic" => Shape::Whole,
        ("object", _) => match Fields::Schema(schema).other() {
            Some(of) if schema.get("properties").is_none() && of != Place::Open => Shape::Map(of),
            _ => Shape::Struct(Fields::Schema(schema)),
        },
        ("array", how @ ("set" | "map")) => {
            let keys = schema.items_at(&["x-kubernetes-list-map-keys"]).iter();
            let keys = keys.filter_map(Value::as_str).filter(|_| how == "map").collect();
            let of = schema.get("items").map_or(Place::Open, Place::Schema);
            Shape::Items(Items { keys, of })
        }
        ("", _) if value.is_object() => Shape::Struct(Fields::Any),
        _ => Shape::Whole,
    }
}

/// The step to an item of a list.
///
/// # Errors
/// Why it cannot be told from others, in upstream's words.
///
/// Models sigs.k8s.io/structured-merge-diff/v6/typed/helpers.go listItemToPathElement.
pub(super) fn item_step(items: &Items<'_>, item: &Value) -> Result<String, String> {
    if items.keys.is_empty() {
        return match item {
            Value::Object(_) => {
                Err("associative list without keys has an element that's a map type".to_owned())
            }
            Value::Array(_) => {
                Err("not supported: associative list with lists as elements".to_owned())
            }
            Value::Null => {
                Err("associative list without keys has an element that's an explicit null"
                    .to_owned())
            }
            value => Ok(format!("v:{value}")),
        };
    }
    let fields = match item {
        Value::Object(fields) => fields,
        Value::Null => {
            return Err("associative list with keys may not have a null element".to_owned());
        }
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let mut found = Map::new();
    for key in &items.keys {
        if let Some(value) = fields.get(*key).cloned().or_else(|| default_of(items.of, key)) {
            found.insert((*key).to_owned(), value);
        }
    }
    if found.is_empty() {
        let names: Vec<String> = items.keys.iter().map(|key| format!("\"{key}\"")).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            names.join(" ")
        ));
    }
    Ok(format!("k:{}", Value::Object(found)))
}

/// What a key of items has where it is left out.
fn default_of(of: Place<'_>, key: &str) -> Option<Value> {
    let of = match of {
        Place::Schema(schema) => return schema.at(&["properties", key, "default"]).cloned(),
        // The one key of built-in kinds with a default of its own.
        _ if key == "protocol" => return Some("TCP".into()),
        Place::Typed(of, _) => of,
        _ => return None,
    };
    let Type::Named(name) = of.target() else { return None };
    // Fields that Go always writes default to its zero value.
    let field = schema::struct_fields(name)?.get(key).filter(|field| field.always)?;
    match field.field_type {
        Type::Int32 | Type::Int64 => Some(Value::from(0)),
        _ => Some(Value::from("")),
    }
}

/// The parts of a value with the steps to them; `None` for what one manager has. Items that cannot
/// be told from others, or not from one before, are left out.
pub(super) fn parts<'v>(place: Place<'_>, value: &'v Value) -> Option<Vec<(String, &'v Value)>> {
    match (place.shape(value), value) {
        (Shape::Struct(_) | Shape::Map(_), Value::Object(fields)) => {
            Some(fields.iter().map(|(key, value)| (format!("f:{key}"), value)).collect())
        }
        (Shape::Items(how), Value::Array(items)) => {
            let mut parts: Vec<(String, &Value)> = Vec::with_capacity(items.len());
            for item in items {
                if let Ok(step) = item_step(&how, item)
                    && !parts.iter().any(|(one, _)| *one == step)
                {
                    parts.push((step, item));
                }
            }
            Some(parts)
        }
        (Shape::Whole, _) => None,
        (_, Value::Null) => Some(Vec::new()),
        _ => None,
    }
}

/// All fields that a value names.
///
/// Models sigs.k8s.io/structured-merge-diff/v6/typed/tofieldset.go.
pub(super) fn named_fields(place: Place<'_>, value: &Value) -> FieldSet {
    let Some(parts) = parts(place, value) else { return FieldSet::LEAF };
    let shape = place.shape(value);
    let mut set = FieldSet::default();
    for (step, part) in parts {
        let mut below = named_fields(place.below(&step), part);
        let is_empty = part.is_null() || part.as_object().is_some_and(Map::is_empty);
        below.member |= is_empty
            || match &shape {
                Shape::Struct(of) => of.place(step.get(2..).unwrap_or_default()).is_none(),
                _ => true,
            };
        set.put(&step, below);
    }
    set
}

/// The set with the structures that lead to its fields.
///
/// Models fieldpath/set.go EnsureNamedFieldsAreMembers.
pub(super) fn with_structures(place: Place<'_>, set: &FieldSet) -> FieldSet {
    let shape = place.shape(&json!({}));
    let mut all = FieldSet { member: set.member, ..FieldSet::default() };
    for (step, below) in &set.below {
        let mut below = with_structures(place.below(step), below);
        let name = step.strip_prefix("f:");
        if let (Shape::Struct(of), Some(name)) = (&shape, name) {
            below.member |= of.place(name).is_some();
        }
        all.put(step, below);
    }
    all
}
