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
    let Some(path) = operation.str_at(&["path"]) else {
        return Err("operation missing path field: missing value".to_owned());
    };
    let name = operation.str_at(&["op"]).unwrap_or_default();
    let missing = |what: &str| {
        format!("{what} operation does not apply: doc is missing path: \"{path}\": missing value")
    };
    let given = || operation.get("value").cloned().unwrap_or(Value::Null);
    match name {
        "add" => add(value, path, given()).ok_or_else(|| missing("add")),
        "remove" => take(value, path).map(drop).ok_or_else(|| missing("remove")),
        "replace" => replace(value, path, given()).ok_or_else(|| missing("replace")),
        "move" | "copy" => {
            let from = operation.str_at(&["from"]).unwrap_or_default();
            let found = match name {
                "move" => take(value, from),
                _ => place(value, from).and_then(|(holder, key)| found(holder, &key)).cloned(),
            };
            let found = found.ok_or_else(|| missing(name))?;
            add(value, path, found).ok_or_else(|| missing(name))
        }
        "test" => {
            let there = place(value, path).and_then(|(holder, key)| found(holder, &key));
            match *there.unwrap_or(&Value::Null) == given() {
                true => Ok(()),
                false => Err(format!("testing value {path} failed: test failed")),
            }
        }
        other => Err(format!("Unexpected kind: {other}")),
    }
}

/// What holds the value at a path, and the last word of the path. What stands before the first
/// slash is not looked at.
fn place<'v>(value: &'v mut Value, path: &str) -> Option<(&'v mut Value, String)> {
    let words = path.split('/').skip(1);
    let mut words: Vec<String> =
        words.map(|word| word.replace("~1", "/").replace("~0", "~")).collect();
    let last = words.pop()?;
    let holder = words.iter().try_fold(value, |value, word| match value {
        Value::Object(fields) => fields.get_mut(word),
        Value::Array(items) => {
            let index = index(word, items.len())?;
            items.get_mut(index)
        }
        _ => None,
    })?;
    Some((holder, last))
}

/// The index that a word means; negative ones count from the end.
fn index(word: &str, length: usize) -> Option<usize> {
    let index: i64 = word.parse().ok()?;
    let from_end = if index < 0 { i64::try_from(length).ok()? } else { 0 };
    usize::try_from(index + from_end).ok()
}

fn found<'v>(holder: &'v Value, key: &str) -> Option<&'v Value> {
    match holder {
        Value::Object(fields) => fields.get(key),
        Value::Array(items) => items.get(index(key, items.len())?),
        _ => None,
    }
}

fn add(value: &mut Value, path: &str, new: Value) -> Option<()> {
    if path.is_empty() {
        *value = new;
        return Some(());
    }
    match place(value, path)? {
        (Value::Object(fields), key) => {
            fields.insert(key, new);
        }
        (Value::Array(items), key) if key == "-" => items.push(new),
        (Value::Array(items), key) => {
            let index = index(&key, items.len() + 1).filter(|index| *index <= items.len())?;
            items.insert(index, new);
        }
        _ => return None,
    }
    Some(())
}

/// In a structure what was not there is replaced too.
fn replace(value: &mut Value, path: &str, new: Value) -> Option<()> {
    if path.is_empty() {
        *value = new;
        return Some(());
    }
    match place(value, path)? {
        (Value::Object(fields), key) => drop(fields.insert(key, new)),
        (Value::Array(items), key) => {
            let index = index(&key, items.len())?;
            *items.get_mut(index)? = new;
        }
        _ => return None,
    }
    Some(())
}

fn take(value: &mut Value, path: &str) -> Option<Value> {
    match place(value, path)? {
        (Value::Object(fields), key) => fields.remove(&key),
        (Value::Array(items), key) => {
            let index = index(&key, items.len()).filter(|index| *index < items.len())?;
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
    }

    /// Models gopkg.in/evanphx/json-patch.v4, which a real API server was asked about.
    #[test]
    fn what_is_not_there_is_replaced_in_structures_and_indexes_may_be_negative() {
        let mut value = json!({"spec": {"l": ["a", "b"]}});
        let patch = json!([
            {"op": "replace", "path": "/spec/new", "value": 1},
            {"op": "replace", "path": "/spec/l/-1", "value": "c"},
            {"op": "replace", "path": "ignored/replicas", "value": 2},
            {"op": "test", "path": "/spec/nothing", "value": null},
        ]);
        json_patch(&mut value, &patch).unwrap();
        assert_eq!(value, json!({"spec": {"l": ["a", "c"], "new": 1}, "replicas": 2}));
        for path in ["/spec/l/2", "/spec/l/-3", "/spec/l/x"] {
            let wrong = json!([{"op": "replace", "path": path, "value": 1}]);
            assert!(json_patch(&mut value, &wrong).is_err(), "{path}");
        }
    }
}
