//! An object with what is applied, and without what is not applied any more.

use super::place::{Place, Shape, item_step, parts};
use crate::api::{FieldSet, Value};
use serde_json::Map;

/// Puts what is applied over what is there.
///
/// Models sigs.k8s.io/structured-merge-diff/v6/typed/merge.go.
pub(super) fn merge(place: Place<'_>, live: &Value, applied: &Value) -> Value {
    let (Some(_), Some(new)) = (parts(place, live), parts(place, applied)) else {
        return applied.clone();
    };
    match (live, place.shape(applied)) {
        (Value::Null, _) => merged_parts(place, &Value::Null, applied),
        (_, Shape::Items(..)) => merged_parts(place, live, applied),
        _ => {
            let mut fields = live.as_object().cloned().unwrap_or_default();
            for (step, value) in new {
                let key = step.get(2..).unwrap_or_default();
                let merged = match fields.get(key) {
                    Some(live) => merge(place.below(&step), live, value),
                    None => value.clone(),
                };
                fields.insert(key.to_owned(), merged);
            }
            Value::Object(fields)
        }
    }
}

/// Lists: items that both have stand in the order of what is applied, the others keep their places
/// between them.
///
/// Models typed/merge.go visitListItems.
fn merged_parts(place: Place<'_>, live: &Value, applied: &Value) -> Value {
    let Shape::Items(how) = place.shape(applied) else { return applied.clone() };
    let items = |value: &Value| -> Vec<(String, Value)> {
        let all = value.as_array().into_iter().flatten();
        all.map(|item| (item_step(&how, item).unwrap_or_default(), item.clone())).collect()
    };
    let (left, right) = (items(live), items(applied));
    let has = |list: &[(String, Value)], step: &str| list.iter().any(|(one, _)| one == step);
    let mut shared = right.iter().map(|(step, _)| step).filter(|step| has(&left, step));
    let mut next_shared = shared.next();
    let mut merged: Vec<&String> = Vec::new();
    let mut out = Vec::new();
    let (mut lefts, mut rights) = (left.iter().peekable(), right.iter().peekable());
    while lefts.peek().is_some() || rights.peek().is_some() {
        if let (Some((l, _)), Some((r, _))) = (lefts.peek(), rights.peek())
            && l != r
            && has(&right, l)
            && next_shared.is_some_and(|next| next != l)
        {
            // Both have it, but it is not its turn.
            lefts.next();
            continue;
        }
        let same = matches!((lefts.peek(), rights.peek()), (Some((l, _)), Some((r, _))) if l == r);
        if !same && let Some((l, value)) = lefts.peek() {
            if !has(&right, l) {
                out.push(value.clone());
                lefts.next();
                continue;
            }
            if merged.contains(&l) {
                lefts.next();
            }
        }
        let Some((step, value)) = rights.next() else { continue };
        merged.push(step);
        if same {
            lefts.next();
        }
        let old = left.iter().find(|(one, _)| one == step);
        out.push(old.map_or_else(|| value.clone(), |(_, old)| merge(how.of, old, value)));
        if same || next_shared == Some(step) {
            next_shared = shared.next();
        }
    }
    Value::Array(out)
}

/// A value without the fields of a set.
///
/// Models sigs.k8s.io/structured-merge-diff/v6/typed/remove.go.
pub(super) fn without(place: Place<'_>, value: &Value, set: &FieldSet) -> Value {
    let Some(parts) = parts(place, value) else { return value.clone() };
    let kept = parts.into_iter().filter_map(|(step, part)| {
        let kept = match set.below.get(&step) {
            Some(out) if out.member => return None,
            Some(out) => without(place.below(&step), part, out),
            None => part.clone(),
        };
        Some((step, kept))
    });
    match value {
        Value::Array(_) => Value::Array(kept.map(|(_, part)| part).collect()),
        _ => {
            let key = |step: String| step.get(2..).unwrap_or_default().to_owned();
            Value::Object(kept.map(|(step, part)| (key(step), part)).collect::<Map<_, _>>())
        }
    }
}
