//! The schemas of CustomResourceDefinitions: they must say of every field what it is.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver/pkg: apiserver/schema/validation.go
//! ValidateStructural, apiserver/schema/defaulting/validation.go ValidateDefaults, and
//! apis/apiextensions/validation/validation.go ValidateCustomResourceDefinitionOpenAPISchema.
//!
//! Simplified: it is not checked that fields below `anyOf` and its kin stand outside of them too.

use super::path::{Errors, Fields as _, Path, Report as _};
use super::{custom, custom_fields};
use crate::api::tree::TreeMut as _;
use crate::api::{FieldError, Value};
use crate::base::order;
use crate::pattern::{Dialect, Fault, Pattern};
use serde_json::json;

/// Schemas nest no deeper than this.
const DEEPEST: usize = 64;
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
const NOT_SUPPORTED: [&str; 6] =
    ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const LIST_TYPE: &str = "x-kubernetes-list-type";
const LIST_KEYS: &str = "x-kubernetes-list-map-keys";
const MAP_TYPE: &str = "x-kubernetes-map-type";

/// Checks the schema of one or of all versions.
///
/// Models validateCustomResourceDefinitionValidation.
pub(super) fn schema(schema: &Value, path: &Path<'_>, errors: &mut Errors) {
    let path = path.to_string();
    if schema.flag("nullable") {
        errors.forbidden(format!("{path}.nullable"), "nullable cannot be true at the root");
    }
    if !has_no_structure(schema, 0) {
        let mut found = Errors::new();
        structure(schema, Level::Root, &path, 0, &mut found);
        order::sort_by_key(&mut found, ToString::to_string);
        if found.is_empty() {
            defaults(schema, &path, 0, &mut found);
        }
        errors.extend(found);
    }
    rules(schema, &path, 0, errors);
}

/// The schemas directly below one, with their paths.
fn below<'a>(schema: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    let mut all = Vec::new();
    all.extend(
        schema.sub("additionalProperties").map(|it| (format!("{path}.additionalProperties"), it)),
    );
    all.extend(schema.map("properties").map(|(key, it)| (format!("{path}.properties[{key}]"), it)));
    all.extend(schema.sub("not").map(|it| (format!("{path}.not"), it)));
    for key in ["allOf", "oneOf", "anyOf"] {
        let list = schema.list(key).iter().enumerate();
        all.extend(list.map(|(index, it)| (format!("{path}.{key}[{index}]"), it)));
    }
    all.extend(schema.sub("items").map(|it| (format!("{path}.items"), it)));
    all.retain(|(_, schema)| schema.is_object());
    all
}

/// Whether a schema has what no structure can be made of; that is refused elsewhere.
fn has_no_structure(schema: &Value, depth: usize) -> bool {
    NOT_SUPPORTED.iter().any(|key| schema.sub(key).is_some())
        || schema.flag("uniqueItems")
        || schema.get(PRESERVE).and_then(Value::as_bool) == Some(false)
        || schema.sub("items").is_some_and(Value::is_array)
        || (depth < DEEPEST
            && below(schema, "").iter().any(|(_, schema)| has_no_structure(schema, depth + 1)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Models validateStructuralInvariants.
fn structure(schema: &Value, level: Level, path: &str, depth: usize, errors: &mut Errors) {
    if depth > DEEPEST {
        return;
    }
    let kind = schema.text("type");
    // What is neither a schema nor a list of them counts as none.
    match schema.sub("items").filter(|items| items.is_object()) {
        None if kind == "array" => errors.required(format!("{path}.items"), "must be specified"),
        None => {}
        Some(items) => structure(items, Level::Item, &format!("{path}.items"), depth + 1, errors),
    }
    for (key, property) in schema.map("properties") {
        let at = format!("{path}.properties[{key}]");
        structure(property, Level::Field, &at, depth + 1, errors);
    }
    if let Some(free) = schema.sub("additionalProperties") {
        let at = format!("{path}.additionalProperties");
        if level == Level::Root {
            errors.forbidden(at.clone(), "must not be used at the root");
        }
        if free.is_object() {
            structure(free, Level::Field, &at, depth + 1, errors);
        }
    }
    combinations(schema, path, depth, errors);
    own_type(schema, level, path, errors);
    let is_object = level == Level::Root || schema.flag(EMBEDDED);
    for key in ["kind", "apiVersion"] {
        let property = schema.sub("properties").and_then(|all| all.sub(key));
        if let Some(property) = property.filter(|_| is_object)
            && property.text("type") != "string"
        {
            let at = format!("{path}.properties[{key}].type");
            errors.invalid(at, property.text("type"), "must be string");
        }
    }
    if let Some(metadata) = schema.sub("properties").and_then(|all| all.sub("metadata")) {
        self::metadata(metadata, level, is_object, path, errors);
    }
}

/// Models validateStructuralMetadataInvariants.
fn metadata(schema: &Value, level: Level, is_object: bool, path: &str, errors: &mut Errors) {
    let path = format!("{path}.properties[metadata]");
    if is_object && schema.text("type") != "object" {
        errors.invalid(format!("{path}.type"), schema.text("type"), "must be object");
    }
    let knows = |key: &str| ["name", "generateName"].contains(&key);
    let is_plain = schema.as_object().into_iter().flatten().all(|(key, _)| {
        key == "type" || (key == "properties" && schema.map(key).all(|(key, _)| knows(key)))
    });
    if level == Level::Root && !is_plain {
        let detail = "must not specify anything other than name and generateName, but metadata is \
                      implicitly specified";
        errors.forbidden(path, detail);
    }
}

fn own_type(schema: &Value, level: Level, path: &str, errors: &mut Errors) {
    let kind = schema.text("type");
    let at = format!("{path}.type");
    if schema.flag(EMBEDDED) && kind != "object" {
        let detail = format!("must be object if {EMBEDDED} is true");
        match kind {
            "" => errors.required(at.clone(), &detail),
            kind => errors.invalid(at.clone(), kind, detail),
        }
    } else if kind.is_empty() && !schema.flag(INT_OR_STRING) && !schema.flag(PRESERVE) {
        let where_to = match level {
            Level::Root => "at the root",
            Level::Item => "for specified array items",
            Level::Field => "for specified object fields",
        };
        errors.required(at.clone(), &format!("must not be empty {where_to}"));
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        errors.invalid(at, kind, "must be object at the root");
    }
    if schema.flag(INT_OR_STRING) {
        for other in [PRESERVE, EMBEDDED] {
            if schema.flag(other) {
                let detail = format!("must be false if {INT_OR_STRING} is true");
                errors.invalid(format!("{path}.{other}"), true, detail);
            }
        }
    }
}

/// Below `anyOf` and its kin stand rules for values, no types.
///
/// Models validateValueValidation.
fn combinations(schema: &Value, path: &str, depth: usize, errors: &mut Errors) {
    let int_or_string = json!([{"type": "integer"}, {"type": "string"}]);
    let is_either = |schema: &Value| schema.sub("anyOf") == Some(&int_or_string);
    for key in ["anyOf", "allOf", "oneOf"] {
        if key == "anyOf" && is_either(schema) {
            continue;
        }
        for (index, one) in schema.list(key).iter().enumerate() {
            let mut one = one.clone();
            if key == "allOf" && index == 0 && is_either(&one) {
                one.remove(&["anyOf"]);
            }
            nested(&one, &format!("{path}.{key}[{index}]"), depth + 1, errors);
        }
    }
    if let Some(not) = schema.sub("not") {
        nested(not, &format!("{path}.not"), depth + 1, errors);
    }
    let pattern = schema.text("pattern");
    if let Err(Fault::Wrong(why)) = Pattern::new(pattern, Dialect::Go, false) {
        let detail = format!("must be a valid regular expression, but isn't: {why}");
        errors.invalid(format!("{path}.pattern"), pattern, detail);
    }
}

/// Models validateNestedValueValidation.
fn nested(schema: &Value, path: &str, depth: usize, errors: &mut Errors) {
    if depth > DEEPEST {
        return;
    }
    combinations(schema, path, depth, errors);
    if let Some(items) = schema.sub("items") {
        nested(items, &format!("{path}.items"), depth + 1, errors);
    }
    for (key, property) in schema.map("properties") {
        nested(property, &format!("{path}.properties[{key}]"), depth + 1, errors);
        if key == "metadata" {
            let at = format!("{path}.properties[metadata]");
            errors.forbidden(at, "must not be specified in a nested context");
        }
    }
    for (key, must) in [
        ("type", "empty"),
        ("additionalProperties", "undefined"),
        ("title", "empty"),
        ("description", "empty"),
        ("default", "undefined"),
        ("nullable", "false"),
        (PRESERVE, "false"),
        (EMBEDDED, "false"),
        (INT_OR_STRING, "false"),
        (LIST_KEYS, "empty"),
        (LIST_TYPE, "undefined"),
        (MAP_TYPE, "undefined"),
        ("x-kubernetes-validations", "empty"),
    ] {
        if schema.sub(key).is_some_and(|value| *value != Value::Bool(false)) {
            errors.forbidden(format!("{path}.{key}"), format!("must be {must} to be structural"));
        }
    }
}

/// Defaults fit their own schema.
///
/// Models ValidateDefaults.
fn defaults(schema: &Value, path: &str, depth: usize, errors: &mut Errors) {
    if depth > DEEPEST {
        return;
    }
    if let Some(default) = schema.get("default") {
        let at = format!("{path}.default");
        let (value, field) = (json!({"": default}), json!({"properties": {"": schema}}));
        if !custom_fields::unknown_fields(&field, &value).is_empty() {
            errors.invalid(at, default.clone(), "must not have unknown fields");
        } else {
            errors.extend(custom::validate(schema, default, None).into_iter().map(|error| {
                let field = match error.field.as_str() {
                    "<nil>" => at.clone(),
                    below => format!("{at}.{below}"),
                };
                FieldError { field, ..error }
            }));
        }
    }
    for (path, schema) in below(schema, path) {
        defaults(schema, &path, depth + 1, errors);
    }
}

/// Models ValidateCustomResourceDefinitionOpenAPISchema and specStandardValidatorV3.validate.
fn rules(schema: &Value, path: &str, depth: usize, errors: &mut Errors) {
    if depth > DEEPEST {
        return;
    }
    let kind = schema.text("type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        errors.not_supported(format!("{path}.type"), kind, &TYPES);
    }
    for key in NOT_SUPPORTED {
        if schema.sub(key).is_some() {
            errors.forbidden(format!("{path}.{key}"), format!("{key} is not supported"));
        }
    }
    if kind == "null" {
        let detail = "type cannot be set to null, use nullable as an alternative";
        errors.forbidden(format!("{path}.type"), detail);
    }
    if schema.sub("items").is_some_and(Value::is_array) {
        let detail = "items must be a schema object and not an array";
        errors.forbidden(format!("{path}.items"), detail);
    }
    if schema.flag("uniqueItems") {
        let detail = "uniqueItems cannot be set to true since the runtime complexity becomes \
                      quadratic";
        errors.forbidden(format!("{path}.uniqueItems"), detail);
    }
    let is_open = |free: &Value| *free == Value::Bool(true);
    if schema.sub("additionalProperties").is_some_and(|free| !is_open(free))
        && schema.map("properties").next().is_some()
    {
        let detail = "additionalProperties and properties are mutual exclusive";
        errors.forbidden(format!("{path}.additionalProperties"), detail);
    }
    for (path, schema) in below(schema, path) {
        rules(schema, &path, depth + 1, errors);
    }
    if schema.get(PRESERVE).and_then(Value::as_bool) == Some(false) {
        errors.invalid(format!("{path}.{PRESERVE}"), false, "must be true or undefined");
    }
    map_type(schema, path, errors);
    list_type(schema, path, errors);
}

fn must_be(wanted: &str, mark: &str, schema: &Value, path: &str, errors: &mut Errors) {
    let detail = format!("must be {wanted} if {mark} is specified");
    match schema.text("type") {
        "" => errors.required(format!("{path}.type"), &detail),
        kind if kind != wanted => errors.invalid(format!("{path}.type"), kind, detail),
        _ => {}
    }
}

fn map_type(schema: &Value, path: &str, errors: &mut Errors) {
    let Some(kind) = schema.sub(MAP_TYPE).and_then(Value::as_str) else { return };
    must_be("object", MAP_TYPE, schema, path, errors);
    if !["atomic", "granular"].contains(&kind) {
        errors.not_supported(format!("{path}.{MAP_TYPE}"), kind, &["atomic", "granular"]);
    }
}

fn list_type(schema: &Value, path: &str, errors: &mut Errors) {
    let kind = schema.sub(LIST_TYPE).and_then(Value::as_str);
    let keys: Vec<&str> = schema.list(LIST_KEYS).iter().filter_map(Value::as_str).collect();
    if let Some(kind) = kind {
        must_be("array", LIST_TYPE, schema, path, errors);
        if !["atomic", "set", "map"].contains(&kind) {
            errors.not_supported(format!("{path}.{LIST_TYPE}"), kind, &["atomic", "set", "map"]);
        }
    }
    if !keys.is_empty() && kind != Some("map") {
        let detail = format!("must be map if {LIST_KEYS} is non-empty");
        match kind {
            None => errors.required(format!("{path}.{LIST_TYPE}"), &detail),
            Some(kind) => errors.invalid(format!("{path}.{LIST_TYPE}"), kind, detail),
        }
    }
    if kind != Some("map") {
        return;
    }
    if keys.is_empty() {
        let detail = format!("must not be empty if {LIST_TYPE} is map");
        errors.required(format!("{path}.{LIST_KEYS}"), &detail);
    }
    let Some(items) = schema.sub("items") else {
        let detail = format!("must have a schema if {LIST_TYPE} is map");
        errors.required(format!("{path}.items"), &detail);
        return;
    };
    if items.text("type") != "object" {
        let detail = format!("must be object if parent array's {LIST_TYPE} is map");
        errors.invalid(format!("{path}.items.type"), items.text("type"), detail);
        return;
    }
    let required = items.list("required");
    for key in &keys {
        let at = format!("{path}.items.properties[{key}]");
        let Some(property) = items.sub("properties").and_then(|all| all.sub(key)) else {
            let detail = "entries must all be names of item properties";
            errors.invalid(format!("{path}.{LIST_KEYS}"), keys.clone(), detail);
            continue;
        };
        if ["array", "object"].contains(&property.text("type")) {
            let detail = format!("must be a scalar type if parent array's {LIST_TYPE} is map");
            errors.invalid(format!("{at}.type"), items.text("type"), detail);
        }
        if property.get("default").is_none() && !required.iter().any(|name| name == key) {
            let detail = format!(
                "this property is in {LIST_KEYS}, so it must have a default or be a required \
                 property"
            );
            errors.required(format!("{at}.default"), &detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_go_cannot_read_is_refused() {
        let mut errors = Errors::new();
        for pattern in ["^a+$", "", "\\p{Lu}", "[a-"] {
            combinations(&json!({"pattern": pattern}), "schema", 0, &mut errors);
        }
        let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let wanted = "schema.pattern: Invalid value: \"[a-\": must be a valid regular expression, \
                      but isn't: error parsing regexp: missing closing ]: `[a-`";
        assert_eq!(said, [wanted]);
    }
}
