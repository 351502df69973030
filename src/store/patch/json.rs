//! The JSON patch.

use crate::api::Value;
use crate::api::tree::Tree as _;

/// Carries out a JSON patch, all of it or nothing.
///
/// # Errors
/// What is wrong with an operation, in the words of the library that the API server uses.
pub(super) fn json_patch(value: &mut Value, patch: &Value) -> Result<(), String> {
    let Value::Array(operations) = patch else {
        return Err("json: cannot unmarshal object into Go value of type jsonpatch.Patch".into());
    };
    let mut result = value.clone();
    for operation in operations {
        carry_out(&mut result, operation)?;
    }
    *value = result;
    Ok(())
}

fn carry_out(value: &mut Value, operation: &Value) -> Result<(), String> {
    let path = operation.str_at(&["path"]).unwrap_or_default();
    let name = operation.str_at(&["op"]).unwrap_or_default();
    let missing = |what: &str| {
        format!("{what} operation does not apply: doc is missing path: \"{path}\": missing value")
    };
    let key_missing = |what: &str| {
        format!("{what} operation does not apply: doc is missing key: {path}: missing value")
    };
    let given = || operation.get("value").cloned().unwrap_or(Value::Null);
    match name {
        "add" => add(value, path, given()).ok_or_else(|| missing("add")),
        "remove" => take(value, path).map(drop).ok_or_else(|| {
            format!(
                "remove operation does not apply: doc is missing path: \"{path}\": missing value"
            )
        }),
        "replace" => {
            // The library lets any key of an object be replaced, also one that is not there.
            let is_new = split(path)
                .is_some_and(|(parent, _)| value.pointer(parent).is_some_and(Value::is_object));
            if !is_new {
                take(value, path).ok_or_else(|| key_missing("replace"))?;
            }
            add(value, path, given()).ok_or_else(|| missing("replace"))
        }
        "move" | "copy" => {
            let from = operation.str_at(&["from"]).unwrap_or_default();
            let found = match name {
                "move" => take(value, from),
                _ => value.pointer(from).cloned(),
            };
            let found = found.ok_or_else(|| missing(name))?;
            add(value, path, found).ok_or_else(|| missing(name))
        }
        "test" => match value.pointer(path) == Some(&given()) {
            true => Ok(()),
            false => Err(format!("testing value {path} failed: test failed")),
        },
        other => Err(format!("Unexpected kind: {other}")),
    }
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(value: &mut Value, path: &str, new: Value) -> Option<()> {
    if path.is_empty() {
        *value = new;
        return Some(());
    }
    let (parent, last) = split(path)?;
    match value.pointer_mut(parent)? {
        Value::Object(fields) => {
            fields.insert(last, new);
        }
        Value::Array(items) if last == "-" => items.push(new),
        Value::Array(items) => {
            let index: usize = last.parse().ok().filter(|index| *index <= items.len())?;
            items.insert(index, new);
        }
        _ => return None,
    }
    Some(())
}

fn take(value: &mut Value, path: &str) -> Option<Value> {
    let (parent, last) = split(path)?;
    match value.pointer_mut(parent)? {
        Value::Object(fields) => fields.remove(&last),
        Value::Array(items) => {
            let index: usize = last.parse().ok().filter(|index| *index < items.len())?;
            Some(items.remove(index))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_are_carried_out_in_order_and_all_or_none() {
        let mut value =
            json!({"spec": {"replicas": 1, "l": ["a"]}, "metadata": {"labels": {"x/y": "z"}}});
        let patch = json!([
            {"op": "replace", "path": "/spec/replicas", "value": 3},
            {"op": "add", "path": "/spec/l/-", "value": "b"},
            {"op": "add", "path": "/spec/l/0", "value": "c"},
            {"op": "remove", "path": "/metadata/labels/x~1y"},
            {"op": "test", "path": "/spec/replicas", "value": 3},
        ]);
        json_patch(&mut value, &patch).unwrap();
        let wanted =
            json!({"spec": {"replicas": 3, "l": ["c", "a", "b"]}, "metadata": {"labels": {}}});
        assert_eq!(value, wanted);
        let wrong = json!([{"op": "remove", "path": "/spec/replicas"}, {"op": "replace", "path": "/no/no", "value": 1}]);
        assert!(json_patch(&mut value, &wrong).is_err());
        assert_eq!(value, wanted);
        let new = json!([{"op": "replace", "path": "/spec/new", "value": 1}]);
        json_patch(&mut value, &new).unwrap();
        assert_eq!(value["spec"]["new"], 1);
    }
}
