//! The fields of custom objects: which of them a schema knows, and which it fills in.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}.

use crate::api::Value;
use crate::api::tree::Tree as _;
use serde_json::Map;

/// Schemas nest no deeper than this.
const DEEPEST: usize = 64;

/// Fills in the defaults of a schema, and takes nulls away where it has none and allows none.
pub fn apply_defaults(schema: &Value, value: &mut Value) {
    fill(schema, value, 0);
}

fn fill(schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let items = schema.get("items");
    match value {
        Value::Object(fields) => fill_fields(schema, fields, depth),
        Value::Array(values) => {
            for (schema, item) in values.iter_mut().filter_map(|item| Some((items?, item))) {
                if is_forbidden_null(schema, item)
                    && let Some(default) = schema.get("default")
                {
                    *item = default.clone();
                }
                fill(schema, item, depth + 1);
            }
        }
        _ => {}
    }
}

fn fill_fields(schema: &Value, fields: &mut Map<String, Value>, depth: usize) {
    let known = schema.fields_at(&["properties"]);
    for (name, schema) in known.into_iter().flatten() {
        let is_missing = fields.get(name).is_none_or(|value| is_forbidden_null(schema, value));
        if let Some(default) = schema.get("default")
            && is_missing
        {
            fields.insert(name.clone(), default.clone());
        }
    }
    let free = schema.get("additionalProperties").filter(|free| free.is_object());
    fields.retain(|name, value| {
        let Some(schema) = known.and_then(|known| known.get(name)).or(free) else { return true };
        if is_forbidden_null(schema, value) {
            let Some(default) = schema.get("default") else { return false };
            *value = default.clone();
        }
        fill(schema, value, depth + 1);
        true
    });
}

fn is_forbidden_null(schema: &Value, value: &Value) -> bool {
    value.is_null() && schema.bool_at(&["nullable"]) != Some(true)
}

/// The paths of fields that a schema does not know.
pub fn unknown_fields(schema: &Value, value: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    walk(schema, value, ("", ""), 0, &mut |path, _, _| unknown.push(path.to_owned()));
    unknown
}

/// Takes away what a schema does not know.
pub fn prune(schema: &Value, value: &mut Value) {
    let mut unknown = Vec::new();
    walk(schema, value, ("", ""), 0, &mut |_, pointer, name| {
        unknown.push((pointer.to_owned(), name.to_owned()));
    });
    for (pointer, name) in unknown {
        if let Some(Value::Object(fields)) = value.pointer_mut(&pointer) {
            fields.remove(&name);
        }
    }
}

/// Calls `found` with the path of each unknown field, a pointer to what holds it, and its name.
fn walk(
    schema: &Value,
    value: &Value,
    (path, pointer): (&str, &str),
    depth: usize,
    found: &mut dyn FnMut(&str, &str, &str),
) {
    let is_on = |key: &str| schema.bool_at(&[key]).unwrap_or_default();
    if depth > DEEPEST {
        return;
    }
    let is_object = depth == 0 || is_on("x-kubernetes-embedded-resource");
    if let Some(fields) = value.as_object() {
        let known = schema.fields_at(&["properties"]);
        let free = schema.get("additionalProperties");
        for (name, field) in fields {
            let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if is_object && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
                continue;
            }
            match known.and_then(|known| known.get(name)).or(free.filter(|f| f.is_object())) {
                Some(schema) => {
                    let escaped = name.replace('~', "~0").replace('/', "~1");
                    let below = format!("{pointer}/{escaped}");
                    walk(schema, field, (&at, &below), depth + 1, found);
                }
                None if free.and_then(Value::as_bool) == Some(true) => {}
                None if is_on("x-kubernetes-preserve-unknown-fields") => {}
                None => found(&at, pointer, name),
            }
        }
    }
    if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
        for (index, item) in items.iter().enumerate() {
            let (at, below) = (format!("{path}[{index}]"), format!("{pointer}/{index}"));
            walk(schema, item, (&at, &below), depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_come_in_nulls_go_and_unknown_fields_are_found() {
        let schema = json!({"type": "object", "properties": {"spec": {
            "type": "object",
            "properties": {
                "cron": {"type": "string"},
                "replicas": {"type": "integer", "default": 2},
                "flag": {"type": "boolean", "nullable": true},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            },
        }}});
        let mut value = json!({"metadata": {"x": 1}, "spec": {
            "cron": null, "nope": 1, "free": {"y": 1}, "replicas": null, "flag": null,
        }});
        assert_eq!(unknown_fields(&schema, &value), ["spec.nope"]);
        prune(&schema, &mut value);
        apply_defaults(&schema, &mut value);
        assert_eq!(value["spec"], json!({"replicas": 2, "free": {"y": 1}, "flag": null}));
    }
}
