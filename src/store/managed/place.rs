//! How managers share a value, by its place in the types of the API.

use crate::api::{FieldSet, Kind, Value};
use crate::manifest::schema::{self, Definition, Shared, Type};
use serde_json::{Map, json};

/// A place in the types of the API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// An object of a kind.
    Root(Kind),
    /// A value of a type.
    Typed(&'static Type, Shared),
    /// Custom resources: maps are shared, lists are not.
    Open,
}

/// What a value is made of for its managers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// One manager has it.
    Whole,
    /// Fields of a structure of this name; `None` for objects of kinds without types.
    Struct(Option<&'static str>),
    /// Fields of any name.
    Map(Place),
    /// Items of this type that differ in these fields, or in their values.
    Items(&'static str, &'static Type),
}

impl Place {
    /// The shape of values here.
    pub(super) fn shape(self, value: &Value) -> Shape {
        let (field_type, shared) = match self {
            Place::Root(kind) => return Shape::Struct(schema::name_of(kind)),
            Place::Open if value.is_object() => return Shape::Struct(None),
            Place::Open => return Shape::Whole,
            Place::Typed(field_type, shared) => (field_type.target(), shared),
        };
        match (field_type, shared) {
            (_, Shared::Whole) => Shape::Whole,
            (Type::Named(name), _) if is_struct(name) && !schema::is_whole(name) => {
                Shape::Struct(Some(name))
            }
            (Type::Map(inner), _) => Shape::Map(Place::Typed(inner, Shared::Parts(""))),
            (Type::List(inner), Shared::Parts(keys)) => Shape::Items(keys, inner),
            _ => Shape::Whole,
        }
    }

    /// The place one step further.
    pub(super) fn below(self, step: &str) -> Place {
        let name = step.strip_prefix("f:");
        match self.shape(&json!({})) {
            Shape::Map(place) => place,
            Shape::Items(_, of) => Place::Typed(of, Shared::Parts("")),
            Shape::Struct(of) => field(of, name.unwrap_or_default()).unwrap_or(Place::Open),
            Shape::Whole => Place::Open,
        }
    }

    /// Whether Go's structures always have a value here, be it an empty one.
    pub(super) fn is_always_there(self, step: &str) -> bool {
        let (Shape::Struct(Some(name)), Some(key)) =
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

fn field(of: Option<&'static str>, name: &str) -> Option<Place> {
    let fields = schema::struct_fields(of?)?;
    let field = fields.get(name)?;
    Some(Place::Typed(&field.field_type, field.shared))
}

/// Whether a structure has a field of this name; structures without types have all.
pub(super) fn is_declared(of: Option<&str>, name: &str) -> bool {
    of.and_then(schema::struct_fields).is_none_or(|fields| fields.contains_key(name))
}

/// The step to an item of a list, whose items are of type `of`.
///
/// # Errors
/// Why it cannot be told from others, in upstream's words.
///
/// Models sigs.k8s.io/structured-merge-diff/v6/typed/helpers.go listItemToPathElement.
pub(super) fn item_step(keys: &str, of: &Type, item: &Value) -> Result<String, String> {
    if keys.is_empty() {
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
    let known = match of.target() {
        Type::Named(name) => schema::struct_fields(name),
        _ => None,
    };
    // Fields that Go always writes default to its zero value.
    let zero = |key: &str| {
        let field = known.and_then(|fields| fields.get(key)).filter(|field| field.always)?;
        match field.field_type {
            Type::Int32 | Type::Int64 => Some(Value::from(0)),
            _ => Some(Value::from("")),
        }
    };
    let mut found = Map::new();
    for key in keys.split('+') {
        match (fields.get(key), key) {
            (Some(value), _) => drop(found.insert(key.to_owned(), value.clone())),
            // The one key with a default of its own.
            (None, "protocol") => drop(found.insert(key.to_owned(), "TCP".into())),
            (None, _) => drop(zero(key).map(|zero| found.insert(key.to_owned(), zero))),
        }
    }
    if found.is_empty() {
        let names: Vec<String> = keys.split('+').map(|key| format!("\"{key}\"")).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            names.join(" ")
        ));
    }
    Ok(format!("k:{}", Value::Object(found)))
}

/// The parts of a value with the steps to them; `None` for what one manager has. Items that cannot
/// be told from others, or not from one before, are left out.
pub(super) fn parts(place: Place, value: &Value) -> Option<Vec<(String, &Value)>> {
    match (place.shape(value), value) {
        (Shape::Struct(_) | Shape::Map(_), Value::Object(fields)) => {
            Some(fields.iter().map(|(key, value)| (format!("f:{key}"), value)).collect())
        }
        (Shape::Items(keys, of), Value::Array(items)) => {
            let mut parts: Vec<(String, &Value)> = Vec::with_capacity(items.len());
            for item in items {
                if let Ok(step) = item_step(keys, of, item)
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
pub(super) fn named_fields(place: Place, value: &Value) -> FieldSet {
    let Some(parts) = parts(place, value) else { return FieldSet::LEAF };
    let shape = place.shape(value);
    let mut set = FieldSet::default();
    for (step, part) in parts {
        let mut below = named_fields(place.below(&step), part);
        let is_empty = part.is_null() || part.as_object().is_some_and(Map::is_empty);
        below.member |= is_empty
            || match &shape {
                Shape::Struct(of) => {
                    !is_declared(*of, step.get(2..).unwrap_or_default()) || of.is_none()
                }
                _ => true,
            };
        set.put(&step, below);
    }
    set
}

/// The set with the structures that lead to its fields.
///
/// Models fieldpath/set.go EnsureNamedFieldsAreMembers.
pub(super) fn with_structures(place: Place, set: &FieldSet) -> FieldSet {
    let shape = place.shape(&json!({}));
    let mut all = FieldSet { member: set.member, ..FieldSet::default() };
    for (step, below) in &set.below {
        let mut below = with_structures(place.below(step), below);
        let name = step.strip_prefix("f:");
        if let (Shape::Struct(of @ Some(_)), Some(name)) = (&shape, name) {
            below.member |= is_declared(*of, name);
        }
        all.put(step, below);
    }
    all
}
