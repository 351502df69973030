//! The strategic merge patch.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go mergeMap and what it
//! calls. As upstream, merging eats the patch: what is left of it is what an error shows.

use super::lists::{
    DIRECTIVE, check_order, identity, interleave, is_delete, no_merge_key, wrong_type,
};
use super::meta::{Meta, Step};
use crate::api::Value;
use crate::api::tree::Tree as _;
use serde_json::Map;

const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER: &str = "$setElementOrder/";
const RETAIN_KEYS: &str = "$retainKeys";

type Fields = Map<String, Value>;

/// Whether a patch is carried out, or another patch is made of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Into {
    /// The server carries it out: directives act, and nulls that meet nothing vanish.
    Object,
    /// The client adds it to another patch: directives and nulls are kept.
    Patch,
}

/// Merges a strategic merge patch into a value. What it has used of the patch is taken out of it.
///
/// # Errors
/// Upstream's sentence: a list item without its merge key, a directive of a wrong form.
pub(crate) fn strategic(
    meta: &Meta,
    value: &mut Value,
    patch: &mut Value,
    into: Into,
) -> Result<(), String> {
    let Value::Object(changes) = patch else {
        return Err(wrong_type("map[string]interface {}", patch));
    };
    if let Some(directive) = changes.get(DIRECTIVE) {
        *value = match directive.as_str() {
            Some("replace") => {
                changes.remove(DIRECTIVE);
                Value::Object(changes.clone())
            }
            Some("delete") => Value::Object(Fields::new()),
            _ => {
                let (directive, map) = (super::go_value(directive), super::go_value(patch));
                return Err(format!("unknown patch type: {directive} in map: {map}"));
            }
        };
        return Ok(());
    }
    if !value.is_object() {
        *value = Value::Object(Fields::new());
    }
    let Some(fields) = value.as_object_mut() else { return Ok(()) };
    retain_keys(fields, changes, into)?;
    merge_ordered_lists(meta, fields, changes, into)?;
    let keys: Vec<String> = changes.keys().cloned().collect();
    for key in keys {
        let Some(change) = changes.get_mut(&key) else { continue };
        merge_field(meta, fields, &key, change, into)?;
    }
    Ok(())
}

fn merge_field(
    meta: &Meta,
    fields: &mut Fields,
    key: &str,
    change: &mut Value,
    into: Into,
) -> Result<(), String> {
    let deletes = key.strip_prefix(DELETE_FROM_LIST);
    if deletes.is_some() && into == Into::Patch {
        fields.insert(key.to_owned(), change.clone());
        return Ok(());
    }
    let key = deletes.unwrap_or(key);
    if change.is_null() {
        fields.remove(key);
        if into == Into::Object {
            return Ok(());
        }
    }
    let both = match (fields.get_mut(key), &mut *change) {
        (Some(old @ Value::Object(_)), Value::Object(_)) => {
            let Step { below, merge, .. } = meta.step(key)?;
            if merge == Some(crate::manifest::schema::Merge::Whole) {
                *old = change.clone();
                return Ok(());
            }
            return strategic(&below, old, change, into);
        }
        (Some(old @ Value::Array(_)), Value::Array(items)) => {
            let step = meta.step(key)?;
            let old = old.as_array_mut().map(core::mem::take).unwrap_or_default();
            let merged = match (deletes, step.merges_lists()) {
                (Some(_), _) => old.into_iter().filter(|item| !items.contains(item)).collect(),
                (None, true) => merge_lists(&step, old, items, into)?,
                (None, false) => items.clone(),
            };
            fields.insert(key.to_owned(), Value::Array(merged));
            return Ok(());
        }
        (old, _) => old.is_some(),
    };
    if deletes.is_some() {
        return Ok(());
    }
    let is_plain = both && !matches!(change, Value::Object(_) | Value::Array(_));
    if into == Into::Object && !is_plain {
        discard_nulls(change);
    }
    match without_directives(change) {
        Some(kept) => drop(fields.insert(key.to_owned(), kept)),
        None => drop(fields.remove(key)),
    }
    Ok(())
}

/// Models applyRetainKeysDirective.
fn retain_keys(fields: &mut Fields, changes: &mut Fields, into: Into) -> Result<(), String> {
    let Some(kept) = changes.remove(RETAIN_KEYS) else { return Ok(()) };
    if into == Into::Patch {
        fields.insert(RETAIN_KEYS.to_owned(), kept);
        return Ok(());
    }
    let wrong = || Err("invalid patch format of retainKeys".to_owned());
    let Value::Array(kept) = kept else { return wrong() };
    let is_kept = |key: &str| kept.iter().any(|wanted| wanted.as_str() == Some(key));
    let is_directive =
        |key: &str| key.starts_with(DELETE_FROM_LIST) || key.starts_with(ELEMENT_ORDER);
    if changes.iter().any(|(key, it)| !it.is_null() && !is_directive(key) && !is_kept(key)) {
        return wrong();
    }
    fields.retain(|key, _| is_kept(key));
    Ok(())
}

/// Merges the lists whose order a patch names, and takes them out of the patch.
///
/// Models mergePatchIntoOriginal.
fn merge_ordered_lists(
    meta: &Meta,
    fields: &mut Fields,
    changes: &mut Fields,
    into: Into,
) -> Result<(), String> {
    let keys: Vec<String> = changes
        .keys()
        .filter_map(|key| key.strip_prefix(ELEMENT_ORDER).map(str::to_owned))
        .collect();
    for key in keys {
        let named = changes.remove(&format!("{ELEMENT_ORDER}{key}")).unwrap_or(Value::Null);
        if into == Into::Patch {
            fields.insert(format!("{ELEMENT_ORDER}{key}"), named.clone());
        }
        let Value::Array(named) = named else { return Err(wrong_type("[]interface {}", &named)) };
        for list in [fields.get(&key), changes.get(&key)].into_iter().flatten() {
            if !list.is_array() {
                return Err(wrong_type("[]interface {}", list));
            }
        }
        let step = meta.step(&key)?;
        let by = step.merge_key();
        let old = fields.get(&key).and_then(Value::as_array).cloned();
        if let Some(Value::Array(items)) = changes.get(&key) {
            check_order(items, &named, by)?;
        }
        let merged = match (&old, changes.get_mut(&key)) {
            (None, None) => continue,
            (Some(old), None) => old.clone(),
            (None, Some(list)) => match without_directives(list) {
                Some(Value::Array(items)) => items,
                _ => continue,
            },
            (Some(old), Some(Value::Array(items))) if step.merges_lists() => {
                merge_lists(&step, old.clone(), items, into)?
            }
            (Some(_), Some(list)) => list.as_array().cloned().unwrap_or_default(),
        };
        let before = left_behind(old.unwrap_or_default(), &merged, by);
        let (patch, server): (Vec<Value>, Vec<Value>) =
            merged.into_iter().partition(|item| super::lists::place(&named, item, by).is_some());
        let all = interleave(patch, server, &named, &before, by)?;
        fields.insert(key.clone(), Value::Array(all));
        changes.remove(&key);
    }
    Ok(())
}

/// The old list as a merge leaves it behind, which then counts as the server's order: upstream
/// deletes and appends in the old list's own memory, so that new items take the places of deleted
/// ones at its end.
fn left_behind(old: Vec<Value>, merged: &[Value], by: &str) -> Vec<Value> {
    let is_in = |list: &[Value], item: &Value| super::lists::place(list, item, by).is_some();
    let length = old.len();
    let added: Vec<Value> = merged.iter().filter(|item| !is_in(&old, item)).cloned().collect();
    let kept = old.into_iter().filter(|item| is_in(merged, item));
    kept.chain(added).take(length).collect()
}

/// Models mergeSlice.
fn merge_lists(
    step: &Step,
    old: Vec<Value>,
    changes: &mut Vec<Value>,
    into: Into,
) -> Result<Vec<Value>, String> {
    let by = step.merge_key();
    let mut before = old.clone();
    let mut merged = old;
    let mut named: Vec<Value> = Vec::new();
    if by.is_empty() {
        named.clone_from(changes);
        for item in changes.iter() {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
    } else if changes.iter().any(|it| it.str_at(&[DIRECTIVE]) == Some("replace")) {
        merged = changes.iter().filter(|it| it.get(DIRECTIVE).is_none()).cloned().collect();
        before.clone_from(&merged);
    } else {
        for change in changes.iter_mut() {
            let wanted = identity(change, by).ok_or_else(|| no_merge_key(change, by))?.clone();
            if change.get(DIRECTIVE).is_some() {
                if !is_delete(change) {
                    let directive = change.get(DIRECTIVE).map(super::go_value).unwrap_or_default();
                    return Err(match directive.as_str() {
                        "merge" => "merging lists cannot yet be specified in the patch".to_owned(),
                        _ => format!(
                            "unknown patch type: {directive} in map: {}",
                            super::go_value(change)
                        ),
                    });
                }
                merged.retain(|item| item.get(by) != Some(&wanted));
            }
        }
        for change in changes.iter_mut().filter(|change| !is_delete(change)) {
            named.push(change.clone());
            let wanted = change.get(by).cloned();
            match merged.iter_mut().find(|item| item.get(by) == wanted.as_ref()) {
                Some(item) => strategic(&step.below, item, change, into)?,
                None => merged.push(change.clone()),
            }
        }
    }
    let (patch, server): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| super::lists::place(&named, item, by).is_some());
    interleave(patch, server, &named, &before, by)
}

/// Models discardNullValuesFromPatch.
fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// A value without the structures that carry a directive; `None` if it is one.
///
/// Models removeDirectives.
fn without_directives(value: &Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => {
            let kept =
                |(key, value): (&String, &Value)| Some((key.clone(), without_directives(value)?));
            Some(Value::Object(fields.iter().filter_map(kept).collect()))
        }
        Value::Array(items) => Some(items.iter().filter_map(without_directives).collect()),
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use serde_json::json;

    fn patched(kind: Kind, mut value: Value, patch: Value) -> Result<Value, String> {
        let meta = Meta::of(kind).unwrap();
        strategic(&meta, &mut value, &mut patch.clone(), Into::Object)?;
        Ok(value)
    }

    #[test]
    fn new_items_stand_before_those_that_were_there() {
        let pod =
            |containers: Value| json!({"spec": {"template": {"spec": {"containers": containers}}}});
        let value = pod(json!([
            {"name": "a", "image": "x", "ports": [{"containerPort": 80}]}, {"name": "b"}, {"name": "d"},
        ]));
        let patch = pod(json!([
            {"name": "a", "image": "y", "ports": [{"containerPort": 81}]},
            {"name": "b", "$patch": "delete"},
            {"name": "c", "image": "z"},
        ]));
        let wanted = pod(json!([
            {"name": "a", "image": "y", "ports": [{"containerPort": 81}, {"containerPort": 80}]},
            {"name": "c", "image": "z"}, {"name": "d"},
        ]));
        assert_eq!(patched(Kind::Deployment, value, patch), Ok(wanted));
    }

    #[test]
    fn directives_and_null_take_away() {
        let value = json!({
            "metadata": {"finalizers": ["a", "b"], "labels": {"x": "1", "y": "2"}}, "spec": {"k": 1},
        });
        let patch = json!({
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "labels": {"x": null}},
            "spec": {"$patch": "replace", "j": 2},
        });
        let wanted =
            json!({"metadata": {"finalizers": ["b"], "labels": {"y": "2"}}, "spec": {"j": 2}});
        assert_eq!(patched(Kind::Pod, value, patch), Ok(wanted));
    }

    #[test]
    fn a_change_of_strategy_keeps_no_field_of_the_old_one() {
        let value = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
        let wanted = json!({"spec": {"strategy": {"type": "Recreate"}}});
        assert_eq!(patched(Kind::Deployment, value, patch), Ok(wanted));
    }

    #[test]
    fn the_order_that_a_patch_names_counts() {
        let value = json!({"spec": {"containers": [{"name": "a"}, {"name": "s"}, {"name": "b"}]}});
        let patch =
            json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}});
        let wanted = json!({"spec": {"containers": [{"name": "s"}, {"name": "b"}, {"name": "a"}]}});
        assert_eq!(patched(Kind::Pod, value, patch), Ok(wanted));
    }

    #[test]
    fn items_without_their_key_are_named() {
        let value = json!({"spec": {"containers": [{"name": "a"}]}});
        let patch = json!({"spec": {"containers": [{"image": "x"}]}});
        let why = "map: map[image:x] does not contain declared merge key: name";
        assert_eq!(patched(Kind::Pod, value, patch), Err(why.to_owned()));
    }

    #[test]
    fn what_was_merged_item_by_item_is_gone_from_the_patch() {
        let meta = Meta::of(Kind::Deployment).unwrap();
        let pod = |containers: Value| json!({"template": {"spec": containers}});
        let mut value = json!({"spec": pod(json!({"containers": [{"name": "c"}]}))});
        let mut patch = json!({"spec": pod(json!({
            "$setElementOrder/containers": [{"name": "c"}],
            "containers": [{"name": "c", "prots": []}],
        }))});
        strategic(&meta, &mut value, &mut patch, Into::Object).unwrap();
        assert_eq!(super::super::go_value(&patch), "map[spec:map[template:map[spec:map[]]]]");
    }
}
