//! The strategic merge patch.

use super::keys::{self, Merge};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};

/// Merges a strategic merge patch into a value.
///
/// `$patch: delete|replace|merge`, `$deleteFromPrimitiveList/…`, `$retainKeys` and
/// `$setElementOrder/…` are understood.
///
/// # Errors
/// A list item without its merge key.
pub(crate) fn strategic(kind: Kind, value: &mut Value, patch: &Value) -> Result<(), String> {
    merge(kind, &mut Vec::new(), value, patch)
}

fn merge(
    kind: Kind,
    path: &mut Vec<String>,
    value: &mut Value,
    patch: &Value,
) -> Result<(), String> {
    let Value::Object(changes) = patch else {
        *value = patch.clone();
        return Ok(());
    };
    match patch.str_at(&["$patch"]) {
        Some("replace") => {
            *value = without_directives(patch);
            return Ok(());
        }
        Some("delete") => {
            *value = Value::Object(serde_json::Map::new());
            return Ok(());
        }
        _ => {}
    }
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = value.as_object_mut() else { return Ok(()) };
    if let Some(Value::Array(kept)) = changes.get("$retainKeys") {
        fields.retain(|key, _| kept.iter().any(|wanted| wanted.as_str() == Some(key)));
    }
    for (key, change) in changes {
        if let Some(field) = key.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = change.as_array().map_or(&[][..], Vec::as_slice);
            if let Some(Value::Array(items)) = fields.get_mut(field) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if key.starts_with('$') {
            continue;
        }
        if change.is_null() {
            fields.remove(key);
            continue;
        }
        path.push(key.clone());
        let result = match (change, keys::of(kind, path)) {
            (Value::Array(items), Merge::By(by)) => {
                merge_list(kind, path, fields.entry(key.clone()).or_insert(Value::Null), items, by)
            }
            (Value::Array(items), Merge::Set) => {
                let old = fields.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(old) = old {
                    for item in items {
                        if !old.contains(item) {
                            old.push(item.clone());
                        }
                    }
                }
                Ok(())
            }
            _ => merge(kind, path, fields.entry(key.clone()).or_insert(Value::Null), change),
        };
        path.pop();
        result?;
    }
    Ok(())
}

fn merge_list(
    kind: Kind,
    path: &mut Vec<String>,
    value: &mut Value,
    changes: &[Value],
    by: &str,
) -> Result<(), String> {
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    let Some(items) = value.as_array_mut() else { return Ok(()) };
    if changes.iter().any(|change| change.str_at(&["$patch"]) == Some("replace")) {
        let plain = changes.iter().filter(|change| change.str_at(&["$patch"]).is_none());
        *items = plain.cloned().collect();
        return Ok(());
    }
    for change in changes {
        let Some(wanted) = change.get(by) else {
            let json = super::super::go_text::scalar_text(change);
            return Err(format!("map: {json} does not contain declared merge key: {by}"));
        };
        let place = items.iter().position(|item| item.get(by) == Some(wanted));
        if change.str_at(&["$patch"]) == Some("delete") {
            items.retain(|item| item.get(by) != Some(wanted));
            continue;
        }
        match place.and_then(|place| items.get_mut(place)) {
            Some(item) => merge(kind, path, item, change)?,
            None => {
                let mut item = Value::Object(serde_json::Map::new());
                merge(kind, path, &mut item, change)?;
                items.push(item);
            }
        }
    }
    Ok(())
}

fn without_directives(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !key.starts_with('$'))
            .map(|(key, value)| (key.clone(), without_directives(value)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_with_a_merge_key_are_merged_item_by_item() {
        let mut value = json!({"spec": {"template": {"spec": {
            "containers": [{"name": "a", "image": "x", "ports": [{"containerPort": 80}]}, {"name": "b"}],
            "tolerations": [{"key": "k"}],
        }}}});
        let patch = json!({"spec": {"template": {"spec": {
            "containers": [
                {"name": "a", "image": "y", "ports": [{"containerPort": 81}]},
                {"name": "b", "$patch": "delete"},
                {"name": "c", "image": "z"},
            ],
            "tolerations": [{"key": "l"}],
        }}}});
        strategic(Kind::Deployment, &mut value, &patch).unwrap();
        let wanted = json!({"spec": {"template": {"spec": {
            "containers": [
                {"name": "a", "image": "y", "ports": [{"containerPort": 80}, {"containerPort": 81}]},
                {"name": "c", "image": "z"},
            ],
            "tolerations": [{"key": "l"}],
        }}}});
        assert_eq!(value, wanted);
    }

    #[test]
    fn directives_and_null_take_away() {
        let mut value = json!({"metadata": {"finalizers": ["a", "b"], "labels": {"x": "1", "y": "2"}}, "spec": {"k": 1}});
        let patch = json!({
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "labels": {"x": null}},
            "spec": {"$patch": "replace", "j": 2},
        });
        strategic(Kind::Pod, &mut value, &patch).unwrap();
        assert_eq!(
            value,
            json!({"metadata": {"finalizers": ["b"], "labels": {"y": "2"}}, "spec": {"j": 2}})
        );
        let no_key = json!({"spec": {"containers": [{"image": "x"}]}});
        assert!(strategic(Kind::Pod, &mut value, &no_key).is_err());
    }
}
