//! JSON merge patches from versions of an object: for kinds without types.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/jsonmergepatch/patch.go and
//! gopkg.in/evanphx/json-patch CreateMergePatch.

use crate::api::Value;
use serde_json::Map;

/// The merge patch from one value to another.
pub(crate) fn difference(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return new.clone() };
    let mut patch = Map::new();
    for (key, value) in new {
        match (old.get(key), value) {
            (Some(before), value) if before == value => {}
            (Some(before @ Value::Object(_)), Value::Object(_)) => {
                patch.insert(key.clone(), difference(before, value));
            }
            _ => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// What `kubectl apply` sends.
pub(super) fn three_way(last: &Value, new: &Value, live: &Value) -> Value {
    let mut patch = filtered(&difference(live, new), false);
    let last = if last.is_null() { Value::Object(Map::new()) } else { last.clone() };
    add_deletions(&mut patch, &filtered(&difference(&last, new), true));
    patch
}

/// The deletions of a patch, or all but them.
fn filtered(patch: &Value, deletions: bool) -> Value {
    let Value::Object(fields) = patch else { return patch.clone() };
    let mut kept = Map::new();
    for (key, value) in fields {
        match value {
            Value::Null if !deletions => {}
            Value::Object(below) if !below.is_empty() => {
                let below = filtered(value, deletions);
                if below.as_object().is_some_and(|below| !below.is_empty()) {
                    kept.insert(key.clone(), below);
                }
            }
            value if value.is_null() == deletions => drop(kept.insert(key.clone(), value.clone())),
            _ => {}
        }
    }
    Value::Object(kept)
}

fn add_deletions(patch: &mut Value, deletions: &Value) {
    let (Value::Object(patch), Value::Object(deletions)) = (patch, deletions) else { return };
    for (key, value) in deletions {
        match patch.get_mut(key) {
            Some(below) => add_deletions(below, value),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_applied_and_is_said_no_more_is_taken_away() {
        let last = json!({"spec": {"a": 1, "b": {"c": 1, "d": 1}, "l": [1]}});
        let new = json!({"spec": {"a": 2, "b": {"c": 1}, "l": [1, 2]}});
        let live = json!({"spec": {"a": 1, "b": {"c": 1, "d": 1}, "l": [1], "other": 1}});
        let wanted = json!({"spec": {"a": 2, "b": {"d": null}, "l": [1, 2]}});
        assert_eq!(three_way(&last, &new, &live), wanted);
        assert_eq!(three_way(&Value::Null, &live, &live), json!({}));
    }
}
