//! Patches: strategic merge, JSON merge (RFC 7386), JSON patch (RFC 6902), and the three-way merge
//! of `kubectl apply`.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/strategicpatch and k8s.io/apimachinery's use of
//! gopkg.in/evanphx/json-patch.

mod json;
mod keys;
mod strategic;
mod three_way;

pub(crate) use json::json_patch;
pub(crate) use strategic::strategic;
pub(crate) use three_way::{Lists, three_way};

use crate::api::Value;

/// Merges a JSON merge patch into a value: `null` takes away, lists are replaced.
pub(crate) fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = value.as_object_mut() else { return };
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_takes_away_what_is_null_and_replaces_lists() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "l": [1, 2], "k": 1});
        merge(&mut value, &json!({"a": {"b": null, "d": {"e": null, "f": 1}}, "l": [3]}));
        assert_eq!(value, json!({"a": {"c": 2, "d": {"f": 1}}, "l": [3], "k": 1}));
    }
}
