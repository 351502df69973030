//! What `kubectl apply` makes of the last applied, the new and the live object.

use super::keys::{self, Merge};
use crate::api::{Kind, Value};
use serde_json::Map;

/// How lists are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lists {
    /// By the merge keys of the kind.
    Strategic,
    /// Always as a whole: custom resources.
    Whole,
}

impl Lists {
    /// As the kind's types say; what has no types has no merge keys either.
    pub(crate) fn of(kind: Kind) -> Self {
        match crate::manifest::schema::fields_of(kind) {
            Some(_) => Lists::Strategic,
            None => Lists::Whole,
        }
    }
}

/// The live object with what the new one says, and without what the last applied one said and the
/// new one does not say any more.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go
/// CreateThreeWayMergePatch, with the patch carried out.
pub(crate) fn three_way(
    kind: Kind,
    last: &Value,
    new: &Value,
    live: &Value,
    lists: Lists,
) -> Value {
    let mut result = live.clone();
    merge(kind, lists, &mut Vec::new(), last, new, &mut result);
    result
}

fn merge(
    kind: Kind,
    lists: Lists,
    path: &mut Vec<String>,
    last: &Value,
    new: &Value,
    live: &mut Value,
) {
    let Value::Object(wanted) = new else {
        *live = new.clone();
        return;
    };
    if !live.is_object() {
        *live = Value::Object(Map::new());
    }
    let Some(fields) = live.as_object_mut() else { return };
    if let Value::Object(before) = last {
        for key in before.keys().filter(|key| !wanted.contains_key(*key)) {
            fields.remove(key);
        }
    }
    for (key, value) in wanted {
        if value.is_null() {
            fields.remove(key);
            continue;
        }
        let before = last.get(key).unwrap_or(&Value::Null);
        path.push(key.clone());
        if retains_keys(path)
            && let (Value::Object(value), Some(Value::Object(live))) = (value, fields.get_mut(key))
        {
            live.retain(|key, _| value.contains_key(key) || key == "type");
        }
        let how = if lists == Lists::Strategic { keys::of(kind, path) } else { Merge::Replace };
        match (value, how) {
            (Value::Array(items), Merge::By(by)) => {
                let live = fields.entry(key.clone()).or_insert(Value::Null);
                merge_list(kind, lists, path, before, items, live, by);
            }
            (Value::Array(items), Merge::Set) => {
                let live = fields.entry(key.clone()).or_insert(Value::Null);
                let gone = before.as_array().cloned().unwrap_or_default();
                let mut all = live.as_array().cloned().unwrap_or_default();
                all.retain(|item| items.contains(item) || !gone.contains(item));
                for item in items {
                    if !all.contains(item) {
                        all.push(item.clone());
                    }
                }
                *live = Value::Array(all);
            }
            (Value::Object(items), _) if items.is_empty() && !fields.contains_key(key) => {
                fields.insert(key.clone(), value.clone());
            }
            _ => merge(
                kind,
                lists,
                path,
                before,
                value,
                fields.entry(key.clone()).or_insert(Value::Null),
            ),
        }
        path.pop();
    }
}

/// `strategy` of a Deployment keeps no field of another type of strategy.
fn retains_keys(path: &[String]) -> bool {
    path.len() == 2 && path.last().is_some_and(|field| field == "strategy")
}

fn merge_list(
    kind: Kind,
    lists: Lists,
    path: &mut Vec<String>,
    last: &Value,
    new: &[Value],
    live: &mut Value,
    by: &str,
) {
    let empty = Vec::new();
    let last = last.as_array().unwrap_or(&empty);
    let old = live.as_array().cloned().unwrap_or_default();
    let with = |items: &[Value], wanted: Option<&Value>| {
        items.iter().find(|item| wanted.is_some() && item.get(by) == wanted).cloned()
    };
    let mut result = Vec::new();
    for item in new {
        let key = item.get(by);
        let mut merged = with(&old, key).unwrap_or(Value::Null);
        let before = with(last, key).unwrap_or(Value::Null);
        merge(kind, lists, path, &before, item, &mut merged);
        result.push(merged);
    }
    for item in old {
        let key = item.get(by);
        if with(new, key).is_none() && with(last, key).is_none() {
            result.push(item);
        }
    }
    *live = Value::Array(result);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_set_stays_and_what_is_no_longer_applied_goes() {
        let last = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"replicas": 2, "containers": [
            {"name": "x", "image": "i", "env": [{"name": "E", "value": "1"}]}, {"name": "old"}]}});
        let new = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"containers": [
            {"name": "x", "image": "j"}]}});
        let live = json!({"metadata": {"labels": {"a": "1", "b": "2", "other": "3"}}, "spec": {"replicas": 5,
            "containers": [{"name": "x", "image": "i", "env": [{"name": "E", "value": "1"}], "policy": "p"},
                {"name": "old"}, {"name": "injected"}]}});
        let wanted = json!({"metadata": {"labels": {"a": "1", "other": "3"}}, "spec": {
            "containers": [{"name": "x", "image": "j", "policy": "p"}, {"name": "injected"}]}});
        assert_eq!(three_way(Kind::Pod, &last, &new, &live, Lists::Strategic), wanted);
    }

    #[test]
    fn a_strategy_of_another_type_takes_the_old_fields_with_it() {
        let live = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        let new = json!({"spec": {"strategy": {"type": "Recreate"}}});
        assert_eq!(three_way(Kind::Deployment, &json!({}), &new, &live, Lists::Strategic), new);
    }
}
