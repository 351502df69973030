//! Custom objects against the schema of their CustomResourceDefinition.
//!
//! Models k8s.io/kube-openapi/pkg/validation/validate, in its order, and
//! staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/validation.go
//! ValidateCustomResource, which words what it finds.
//!
//! Simplified: of the formats only those in `custom_formats.rs` are checked.

use super::path::Fields as _;
use super::{cel, custom_formats};
use crate::api::tree::Tree as _;
use crate::api::{FieldError, FieldErrorType, Value};
use crate::pattern::{Dialect, Pattern};

/// Schemas nest no deeper than this.
const DEEPEST: usize = 64;

/// What a schema forbids; `old` is what stood there before, if something did.
pub fn validate(schema: &Value, value: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = check(schema, value, "", 0).errors;
    lists(schema, value, "", &mut errors);
    if has_rules(schema, 0) && errors.iter().any(blocks_rules) {
        let why = "some validation rules were not checked because the object was invalid; correct \
                   the existing errors to complete validation";
        errors.push(FieldError::invalid("<nil>", Value::Null, why));
    } else {
        rules(schema, (value, old), "", 0, &mut errors);
    }
    errors
}

/// What rules in CEL forbid. What a change leaves as it was is not looked at again.
///
/// Models staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go
/// Validator.validate; the fields of an object in the order of their names.
fn rules(
    schema: &Value,
    (value, old): (&Value, Option<&Value>),
    path: &str,
    depth: usize,
    errors: &mut Vec<FieldError>,
) {
    if depth > DEEPEST || value.is_null() || old == Some(value) {
        return;
    }
    for rule in schema.list("x-kubernetes-validations") {
        let (source, message) = (rule.text("rule"), rule.text("message").trim());
        let place = shown_path(path);
        match cel::holds(source, value, old) {
            Ok(true) => continue,
            Ok(false) => {}
            Err(fault) => {
                let shown = if message.is_empty() { source } else { message };
                let why = format!("{fault} evaluating rule: {shown}");
                errors.push(FieldError::invalid(place, type_of(value), why));
                continue;
            }
        }
        let why = composed(rule.text("messageExpression"), value, old);
        let why = why.unwrap_or_else(|| match message {
            "" => format!("failed rule: {source}"),
            message => message.to_owned(),
        });
        let place = format!("{}{}", shown_path(path), rule.text("fieldPath"));
        let error = match rule.text("reason") {
            "FieldValueForbidden" => FieldError::forbidden(place, why),
            "FieldValueRequired" => FieldError::required(place, why),
            "FieldValueDuplicate" => FieldError::duplicate(place, value.clone()),
            _ if value.is_object() || value.is_array() => {
                FieldError::invalid(place, value.clone(), why).showing("")
            }
            _ => FieldError::invalid(place, value.clone(), why),
        };
        errors.push(error);
    }
    match value {
        Value::Object(fields) => {
            let known = schema.fields_at(&["properties"]);
            let free = schema.sub("additionalProperties");
            for (name, field) in fields {
                let old = old.and_then(|old| old.get(name));
                if let Some(schema) = known.and_then(|known| known.get(name)) {
                    rules(schema, (field, old), &joined(path, name), depth + 1, errors);
                } else if let Some(schema) = free {
                    rules(schema, (field, old), &format!("{path}[{name}]"), depth + 1, errors);
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                rules(schema, (item, None), &format!("{path}[{index}]"), depth + 1, errors);
            }
        }
        _ => {}
    }
}

/// What a message's own expression says, if it says anything in one line.
///
/// Models schema/cel/validation.go evalMessageExpression.
fn composed(expression: &str, value: &Value, old: Option<&Value>) -> Option<String> {
    if expression.is_empty() {
        return None;
    }
    let mut names = vec![("self", value.clone())];
    names.extend(old.map(|old| ("oldSelf", old.clone())));
    let text = cel::evaluate(expression, &names).ok()??;
    let text = text.as_str()?.trim();
    (!text.is_empty() && !text.contains('\n')).then(|| text.to_owned())
}

/// Models registry/customresource/strategy.go hasBlockingErr.
fn blocks_rules(error: &FieldError) -> bool {
    use FieldErrorType::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
    matches!(error.error_type, NotSupported | Required | TooLong | TooMany | TypeInvalid)
}

fn has_rules(schema: &Value, depth: usize) -> bool {
    let below = |schema: &Value| depth < DEEPEST && has_rules(schema, depth + 1);
    !schema.list("x-kubernetes-validations").is_empty()
        || schema.map("properties").any(|(_, schema)| below(schema))
        || ["items", "additionalProperties"].iter().any(|key| schema.sub(key).is_some_and(below))
}

/// What was found, and how much was looked at: of several schemas that do not fit, the one that
/// was looked at most is told about.
#[derive(Default)]
struct Findings {
    errors: Vec<FieldError>,
    looked_at: u32,
}

impl Findings {
    fn take(&mut self, other: Findings) {
        self.errors.extend(other.errors);
        self.looked_at += other.looked_at;
    }

    fn invalid(&mut self, path: &str, shown: impl Into<Value>, rule: String) {
        let why = format!("{path} in body should {rule}");
        self.errors.push(FieldError::invalid(shown_path(path), shown, why));
    }

    /// A finding that has no place.
    fn whole(&mut self, path: &str, rule: &str) {
        let why = format!("\"{path}\" must {rule}");
        self.errors.push(FieldError::invalid("<nil>", "", why));
    }
}

/// The root has no name.
fn shown_path(path: &str) -> &str {
    if path.is_empty() { "<nil>" } else { path }
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

/// Models typeValidator and formatValidator.
fn check_type(schema: &Value, value: &Value, path: &str) -> Option<FieldError> {
    let actual = type_of(value);
    let wanted = match schema.text("type") {
        _ if schema.flag("x-kubernetes-int-or-string") => "integer,string",
        wanted => wanted,
    };
    let refuse = |wanted: &str, actual: &str| {
        let why = format!("{path} in body must be of type {wanted}: \"{actual}\"");
        let mut error = FieldError::invalid(shown_path(path), actual, why);
        error.error_type = FieldErrorType::TypeInvalid;
        error
    };
    if value.is_null() {
        let fits = wanted.is_empty() || schema.flag("nullable");
        return (!fits).then(|| refuse(wanted, actual));
    }
    let is_whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let fits = wanted.is_empty()
        || wanted.split(',').any(|wanted| {
            wanted == actual
                || (wanted == "number" && actual == "integer")
                || (wanted == "integer" && actual == "number" && is_whole)
        });
    if !fits {
        return Some(refuse(wanted, actual));
    }
    let format = schema.text("format");
    match value.as_str() {
        Some(text) if !custom_formats::fits(format, text) => Some(refuse(format, text)),
        _ => None,
    }
}

/// Models SchemaValidator.Validate: the validators in their order.
fn check(schema: &Value, value: &Value, path: &str, depth: usize) -> Findings {
    let mut findings = Findings::default();
    if depth > DEEPEST {
        return findings;
    }
    findings.looked_at += 1;
    findings.errors.extend(check_type(schema, value, path));
    if !value.is_null() {
        check_combinations(schema, value, path, depth, &mut findings);
        match value {
            Value::String(text) => check_text(schema, text, path, &mut findings),
            Value::Number(_) => check_number(schema, value, path, &mut findings),
            Value::Array(items) => check_items(schema, items, path, depth, &mut findings),
            _ => {}
        }
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.is_empty()
        && !allowed.contains(value)
    {
        let quoted = |value: &Value| match value {
            Value::String(_) => value.to_string(),
            other => format!("\"{other}\""),
        };
        let names: Vec<String> = allowed.iter().map(quoted).collect();
        let detail = format!("supported values: {}", names.join(", "));
        let error = FieldError::not_supported(shown_path(path), value.clone(), &[]);
        findings.errors.push(error.with_detail(detail));
    }
    if value.is_object() {
        check_fields(schema, value, path, depth, &mut findings);
    }
    findings
}

/// Models schemaPropsValidator: `anyOf`, `oneOf`, `allOf`, `not`.
fn check_combinations(
    schema: &Value,
    value: &Value,
    path: &str,
    depth: usize,
    findings: &mut Findings,
) {
    let each = |key: &str| -> Vec<Findings> {
        schema.list(key).iter().map(|schema| check(schema, value, path, depth + 1)).collect()
    };
    let any = each("anyOf");
    if !any.is_empty() && any.iter().all(|one| !one.errors.is_empty()) {
        findings.whole(path, "validate at least one schema (anyOf)");
        findings.take(closest(any));
    }
    let one_of = each("oneOf");
    let fitting = one_of.iter().filter(|one| one.errors.is_empty()).count();
    if !one_of.is_empty() && fitting != 1 {
        let found = match fitting {
            0 => "Found none valid".to_owned(),
            many => format!("Found {many} valid alternatives"),
        };
        findings.whole(path, &format!("validate one and only one schema (oneOf). {found}"));
        if fitting == 0 {
            findings.take(closest(one_of));
        }
    }
    let all = each("allOf");
    let fitting = all.iter().filter(|one| one.errors.is_empty()).count();
    let count = all.len();
    all.into_iter().for_each(|one| findings.take(one));
    if fitting != count {
        let none = if fitting == 0 { ". None validated" } else { "" };
        findings.whole(path, &format!("validate all the schemas (allOf){none}"));
    }
    if schema.sub("not").is_some_and(|not| check(not, value, path, depth + 1).errors.is_empty()) {
        findings.whole(path, "not validate the schema (not)");
    }
}

/// Of schemas that do not fit the one that was looked at most, the first of equals.
fn closest(all: Vec<Findings>) -> Findings {
    let mut closest = Findings::default();
    for one in all {
        if closest.errors.is_empty() || one.looked_at > closest.looked_at {
            closest = one;
        }
    }
    closest
}

/// Models stringValidator, which stops at the first fault.
fn check_text(schema: &Value, text: &str, path: &str, findings: &mut Findings) {
    let count = |key: &str| schema.int(key).and_then(|count| usize::try_from(count).ok());
    let length = text.chars().count();
    if let Some(most) = count("maxLength").filter(|most| length > *most) {
        findings.errors.push(FieldError::too_long(shown_path(path), most));
    } else if let Some(least) = count("minLength").filter(|least| length < *least) {
        findings.invalid(path, text, format!("be at least {least} chars long"));
    } else if let pattern = schema.text("pattern")
        && !pattern.is_empty()
        && Pattern::new(pattern, Dialect::Go, false).is_ok_and(|pattern| !pattern.is_in(text))
    {
        findings.invalid(path, text, format!("match '{pattern}'"));
    }
}

/// Models numberValidator.
fn check_number(schema: &Value, value: &Value, path: &str, findings: &mut Findings) {
    let Some(number) = value.as_f64() else { return };
    let (kind, format) = (schema.text("type"), schema.text("format"));
    let fits = match (kind, value.as_i64()) {
        ("integer", None) => false,
        ("integer", Some(whole)) if format == "int32" => i32::try_from(whole).is_ok(),
        _ => true,
    };
    if !fits {
        let format = match format {
            "" => "(default format)".to_owned(),
            format => format!("with format {format}"),
        };
        let why = format!("Checked value must be of type {kind} {format} in {path}");
        findings.errors.push(FieldError::invalid("<nil>", "", why));
    }
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let shown = |number: f64| go_float(number, value.is_i64());
    if let Some(factor) = bound("multipleOf").filter(|factor| *factor > 0.0)
        && (number / factor).fract() != 0.0
    {
        findings.invalid(path, value.clone(), format!("be a multiple of {}", shown(factor)));
    }
    if let Some(least) = bound("minimum") {
        let exclusive = schema.flag("exclusiveMinimum");
        if number < least || (exclusive && number <= least) {
            let than = if exclusive { "greater than" } else { "greater than or equal to" };
            findings.invalid(path, value.clone(), format!("be {than} {}", shown(least)));
        }
    }
    if let Some(most) = bound("maximum") {
        let exclusive = schema.flag("exclusiveMaximum");
        if number > most || (exclusive && number >= most) {
            let than = if exclusive { "less than" } else { "less than or equal to" };
            findings.invalid(path, value.clone(), format!("be {than} {}", shown(most)));
        }
    }
}

/// A bound as Go prints it: beside a whole number a whole number, else with an exponent from a
/// million on.
fn go_float(number: f64, whole: bool) -> String {
    if whole || (number.abs() < 1e6 && number.abs() >= 1e-4) || number == 0.0 {
        let number = if whole { number.trunc() } else { number };
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// Models schemaSliceValidator.
fn check_items(schema: &Value, items: &[Value], path: &str, depth: usize, findings: &mut Findings) {
    if let Some(schema) = schema.get("items") {
        for (index, item) in items.iter().enumerate() {
            findings.take(check(schema, item, &format!("{path}[{index}]"), depth + 1));
        }
    }
    let count = |key: &str| schema.int(key).and_then(|count| usize::try_from(count).ok());
    if let Some(least) = count("minItems").filter(|least| items.len() < *least) {
        findings.invalid(path, items.len(), format!("have at least {least} items"));
    }
    if let Some(most) = count("maxItems").filter(|most| items.len() > *most) {
        findings.errors.push(FieldError::too_many(shown_path(path), items.len(), most));
    }
}

/// Models objectValidator; a map's order is that of its keys here.
fn check_fields(schema: &Value, value: &Value, path: &str, depth: usize, findings: &mut Findings) {
    let Some(fields) = value.as_object() else { return };
    let count = |key: &str| schema.int(key).and_then(|count| usize::try_from(count).ok());
    if let Some(least) = count("minProperties").filter(|least| fields.len() < *least) {
        findings.invalid(path, fields.len(), format!("have at least {least} properties"));
    }
    if let Some(most) = count("maxProperties").filter(|most| fields.len() > *most) {
        findings.errors.push(FieldError::too_many(shown_path(path), fields.len(), most));
    }
    let known = schema.fields_at(&["properties"]);
    let free = schema.get("additionalProperties").filter(|free| free.is_object());
    for (name, field) in fields {
        if depth == 0 && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
            continue;
        }
        if let Some(schema) = known.and_then(|known| known.get(name)).or(free) {
            findings.take(check(schema, field, &joined(path, name), depth + 1));
        }
    }
    for name in schema.list("required").iter().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            findings.errors.push(FieldError::required(joined(path, name), ""));
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Lists that are sets or maps have nothing twice.
///
/// Models pkg/apiserver/schema/listtype/validation.go ValidateListSetsAndMaps.
fn lists(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(fields) => {
            let known = schema.fields_at(&["properties"]);
            let free = schema.sub("additionalProperties");
            for (name, field) in fields {
                if let Some(schema) = known.and_then(|known| known.get(name)) {
                    lists(schema, field, &joined(path, name), errors);
                } else if let Some(schema) = free {
                    lists(schema, field, &format!("{path}[{name}]"), errors);
                }
            }
        }
        Value::Array(items) => {
            let keys: Vec<&str> = schema
                .list("x-kubernetes-list-map-keys")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let same_as: Vec<Value> = match schema.text("x-kubernetes-list-type") {
                "set" => items.clone(),
                "map" => items.iter().map(|item| keys_of(item, &keys)).collect(),
                _ => Vec::new(),
            };
            for (index, own) in same_as.iter().enumerate() {
                let before = same_as.iter().take(index).filter(|other| *other == own).count();
                if before == 1 {
                    errors.push(FieldError::duplicate(format!("{path}[{index}]"), own.clone()));
                }
            }
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    lists(schema, item, &format!("{path}[{index}]"), errors);
                }
            }
        }
        _ => {}
    }
}

fn keys_of(item: &Value, keys: &[&str]) -> Value {
    let keys = keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(*key)?.clone())));
    Value::Object(keys.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Printed by a real API server for such objects.
    #[test]
    fn a_schema_refuses_in_the_servers_words() {
        let schema = json!({"type": "object", "properties": {"spec": {
            "type": "object",
            "required": ["cron"],
            "properties": {
                "cron": {"type": "string", "pattern": "^a+$", "maxLength": 5},
                "replicas": {"type": "integer", "minimum": 1, "maximum": 100},
                "mode": {"type": "string", "enum": ["a", "b"]},
                "ratio": {"type": "number", "minimum": 0, "exclusiveMinimum": true},
                "step": {"type": "integer", "multipleOf": 5},
                "few": {"type": "object", "maxProperties": 2},
                "either": {"x-kubernetes-int-or-string": true},
                "when": {"type": "string", "format": "date-time"},
                "choice": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
                "tags": {"type": "array", "minItems": 1, "x-kubernetes-list-type": "set"},
                "ports": {"type": "array", "x-kubernetes-list-type": "map",
                          "x-kubernetes-list-map-keys": ["name"]},
            },
        }}});
        for line in include_str!("tests/custom.txt").lines() {
            let (spec, expected) = line.split_once(" => ").unwrap();
            let spec: Value = serde_json::from_str(spec).unwrap();
            let errors = validate(&schema, &json!({"spec": spec}), None);
            let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
            assert_eq!(said.join(" | "), expected, "{spec}");
        }
    }

    #[test]
    fn rules_that_could_not_be_checked_are_mentioned() {
        let schema = json!({"type": "object", "required": ["spec"], "properties": {
            "spec": {"x-kubernetes-validations": [{"rule": "self > 1"}]},
        }});
        let last = validate(&schema, &json!({}), None).pop().unwrap();
        let why = "<nil>: Invalid value: null: some validation rules were not checked because the \
                   object was invalid; correct the existing errors to complete validation";
        assert_eq!(last.to_string(), why);
    }
}
