//! The types and fields of the API, as Go has them.
//!
//! The table is `schema.txt`, made by scripts/schema.py from Kubernetes' own types; it is read
//! once, when first asked for.

use crate::api::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "basic types are Go's of that name")]
pub enum Type {
    String,
    Bool,
    Int32,
    Int64,
    Float64,
    /// Base64 in JSON.
    Bytes,
    Quantity,
    IntOrString,
    /// RFC 3339.
    Time,
    /// RFC 3339 with millionths of a second.
    MicroTime,
    Uid,
    /// A JSON schema, or a list or a boolean in its place.
    Schema,
    /// Anything.
    Any,
    /// A structure or a named basic type of the table.
    Named(&'static str),
    List(Box<Type>),
    /// Keys are strings.
    Map(Box<Type>),
    /// May be absent.
    Pointer(Box<Type>),
}

impl Type {
    /// What is left without pointers.
    pub fn target(&self) -> &Type {
        match self {
            Type::Pointer(inner) => inner.target(),
            other => other,
        }
    }

    fn parse(text: &'static str) -> Self {
        if let Some(rest) = text.strip_prefix('*') {
            return Type::Pointer(Box::new(Type::parse(rest)));
        }
        if let Some(rest) = text.strip_prefix("[]") {
            return Type::List(Box::new(Type::parse(rest)));
        }
        if let Some(rest) = text.strip_prefix("{}") {
            return Type::Map(Box::new(Type::parse(rest)));
        }
        match text {
            "string" => Type::String,
            "bool" => Type::Bool,
            "int32" | "uint8" => Type::Int32,
            "int64" => Type::Int64,
            "float64" => Type::Float64,
            "bytes" => Type::Bytes,
            "Quantity" => Type::Quantity,
            "IntOrString" => Type::IntOrString,
            "Time" => Type::Time,
            "MicroTime" => Type::MicroTime,
            "UID" => Type::Uid,
            "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray" => {
                Type::Schema
            }
            "RawExtension" | "FieldsV1" | "JSON" | "Duration" => Type::Any,
            name => Type::Named(name),
        }
    }

    /// How Go's errors name the type.
    pub fn go_name(&self) -> String {
        match self {
            Type::String => "string".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Int32 => "int32".to_owned(),
            Type::Int64 => "int64".to_owned(),
            Type::Float64 => "float64".to_owned(),
            Type::Bytes => "[]uint8".to_owned(),
            Type::Quantity => "resource.Quantity".to_owned(),
            Type::IntOrString => "intstr.IntOrString".to_owned(),
            Type::Time => "v1.Time".to_owned(),
            Type::MicroTime => "v1.MicroTime".to_owned(),
            Type::Uid => "types.UID".to_owned(),
            Type::Any => "v1.JSON".to_owned(),
            Type::Schema => "interface {}".to_owned(),
            Type::Named(name) => {
                let bare = name.rsplit('.').next().unwrap_or(name);
                format!("{}.{bare}", TABLE.packages.get(name).copied().unwrap_or("v1"))
            }
            Type::List(inner) => format!("[]{}", inner.go_name()),
            Type::Map(inner) if **inner == Type::Quantity => "v1.ResourceList".to_owned(),
            Type::Map(inner) => format!("map[string]{}", inner.go_name()),
            Type::Pointer(inner) => inner.go_name(),
        }
    }
}

/// One field of a structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub field_type: Type,
    /// Whether it is written even when it is empty.
    pub always: bool,
    /// How a strategic merge patch merges it, where that is not the usual way.
    pub merge: Option<Merge>,
    /// Whether a strategic merge patch may name the keys that stay.
    pub retain_keys: bool,
    /// How managers share it.
    pub shared: Shared,
    /// Its place in the structure, from 0.
    pub place: u32,
    /// The structure that it comes from, where that is a part of this one.
    pub embedded: Option<&'static str>,
}

/// How a strategic merge patch merges a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Items of the list with the same value of this field are the same.
    ByKey(&'static str),
    /// The list is a set of values.
    ByValue,
    /// The new structure replaces the old one.
    Whole,
}

/// How managers share a field: what a server-side apply makes of it.
///
/// Models `x-kubernetes-list-type`, `x-kubernetes-list-map-keys` and `x-kubernetes-map-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// One has the whole.
    Whole,
    /// Each has its parts: of structures and maps their fields, of lists the items that differ in
    /// these fields (joined by `+`), or in their value if there are none.
    Parts(&'static str),
}

/// A type of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// A structure.
    Struct(BTreeMap<&'static str, Field>),
    /// A named basic type, with the values it may have where they are few.
    Basic {
        /// What it is underneath.
        underlying: Type,
        /// Its values; empty if they are not listed.
        values: Vec<&'static str>,
    },
}

/// All types.
#[derive(Default)]
struct Table {
    types: BTreeMap<&'static str, Definition>,
    /// The packages of those that are not in a package `v1`.
    packages: BTreeMap<&'static str, &'static str>,
    /// The structures that one manager has as a whole.
    whole: BTreeSet<&'static str>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    for line in include_str!("schema.txt").lines() {
        let Some((name, definition)) = definition(line) else { continue };
        let (name, whole) = name.strip_suffix('%').map_or((name, false), |name| (name, true));
        let (name, package) = name.split_once('/').unwrap_or((name, "v1"));
        if package != "v1" {
            table.packages.insert(name, package);
        }
        if whole {
            table.whole.insert(name);
        }
        table.types.insert(name, definition);
    }
    table
});

fn definition(line: &'static str) -> Option<(&'static str, Definition)> {
    if let Some((name, fields)) = line.split_once(": ")
        && !name.contains(" = ")
    {
        let fields = fields.split(", ").zip(0..).filter_map(field).collect();
        return Some((name, Definition::Struct(fields)));
    }
    if let Some((name, rest)) = line.split_once(" = ") {
        let (underlying, values) = rest.split_once(": ").unwrap_or((rest, ""));
        let values = values.split_whitespace().collect();
        return Some((name, Definition::Basic { underlying: Type::parse(underlying), values }));
    }
    Some((line.strip_suffix(':')?, Definition::Struct(BTreeMap::new())))
}

fn field((text, place): (&'static str, u32)) -> Option<(&'static str, Field)> {
    let (name, rest) = text.split_once(' ')?;
    let (rest, embedded) = match rest.split_once(" ^") {
        Some((rest, embedded)) => (rest, Some(embedded)),
        None => (rest, None),
    };
    let (rest, shared) = match rest.split_once('%') {
        Some((rest, shared)) => (rest, Some(shared)),
        None => (rest, None),
    };
    let (rest, merge) = match rest.split_once('@') {
        Some((rest, "")) => (rest, Some(Merge::ByValue)),
        Some((rest, "!")) => (rest, Some(Merge::Whole)),
        Some((rest, key)) => (rest, Some(Merge::ByKey(key))),
        None => (rest, None),
    };
    let (rest, retain_keys) = match rest.strip_suffix('~') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (go, always) = match rest.strip_suffix('!') {
        Some(go) => (go, true),
        None => (rest, false),
    };
    let field_type = Type::parse(go);
    let shared = match (shared, merge) {
        (Some("!"), _) => Shared::Whole,
        (Some(keys), _) | (None, Some(Merge::ByKey(keys))) => Shared::Parts(keys),
        (None, None | Some(Merge::Whole)) if matches!(field_type, Type::List(_)) => Shared::Whole,
        _ => Shared::Parts(""),
    };
    Some((name, Field { field_type, always, merge, retain_keys, shared, place, embedded }))
}

/// The type of a name.
pub fn find(name: &str) -> Option<&'static Definition> {
    TABLE.types.get(name)
}

/// Whether one manager has a structure as a whole.
pub fn is_whole(name: &str) -> bool {
    TABLE.whole.contains(name)
}

/// The names of all structures.
pub fn struct_names() -> impl Iterator<Item = &'static str> {
    let is_struct = |definition: &Definition| matches!(definition, Definition::Struct(_));
    TABLE.types.iter().filter(move |(_, definition)| is_struct(definition)).map(|(name, _)| *name)
}

/// The name of a kind's structure; `None` for kinds that definitions bring, whatever they are
/// called.
pub fn name_of(kind: Kind) -> Option<&'static str> {
    let resource = kind.resource();
    let name = match (resource.group, resource.name) {
        _ if kind.is_custom() => return None,
        ("resource.k8s.io", "ResourceClaim") => "resource.ResourceClaim",
        (_, name) => name,
    };
    TABLE.types.get_key_value(name).map(|(name, _)| *name)
}

/// The type of a name as a field has it; `None` if the table has none of that name.
pub fn type_of(name: &str) -> Option<Type> {
    TABLE.types.get_key_value(name).map(|(name, _)| Type::Named(name))
}

/// The structure of a kind and its fields; `None` for kinds whose objects are stored as they come.
pub fn structure_of(kind: Kind) -> Option<(&'static str, &'static BTreeMap<&'static str, Field>)> {
    let name = name_of(kind)?;
    Some((name, struct_fields(name)?))
}

/// The fields of a kind; `None` for kinds whose objects are stored as they come.
pub fn fields_of(kind: Kind) -> Option<&'static BTreeMap<&'static str, Field>> {
    structure_of(kind).map(|(_, fields)| fields)
}

/// The fields of a structure.
pub fn struct_fields(name: &str) -> Option<&'static BTreeMap<&'static str, Field>> {
    match find(name)? {
        Definition::Struct(fields) => Some(fields),
        Definition::Basic { .. } => None,
    }
}

/// The type at a path of field names below a kind; list indexes and map keys are steps too.
pub fn type_at(kind: Kind, path: &[String]) -> Option<Type> {
    let mut here = Type::Named(name_of(kind)?);
    for step in path {
        here = match here.target() {
            Type::Named(name) => struct_fields(name)?.get(step.as_str())?.field_type.clone(),
            Type::List(inner) | Type::Map(inner) => (**inner).clone(),
            _ => return None,
        };
    }
    Some(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_every_kind() {
        let without: Vec<&str> =
            Kind::known().filter(|kind| fields_of(*kind).is_none()).map(Kind::name).collect();
        assert!(without.is_empty(), "{without:?}");
    }

    #[test]
    fn every_type_that_a_field_names_is_in_the_table() {
        let names = |field_type: &Type| {
            let mut inner = field_type.clone();
            loop {
                inner = match inner {
                    Type::List(t) | Type::Map(t) | Type::Pointer(t) => *t,
                    Type::Named(name) => return Some(name),
                    _ => return None,
                };
            }
        };
        for (name, definition) in &TABLE.types {
            let Definition::Struct(fields) = definition else { continue };
            for (field, Field { field_type, .. }) in fields {
                let known = names(field_type).is_none_or(|name| find(name).is_some());
                assert!(known, "{name}.{field}: {field_type:?}");
            }
        }
    }
}
