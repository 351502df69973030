//! Which fields differ in two versions of an object.

use super::place::{Place, parts};
use crate::api::{FieldSet, Value};
use std::collections::BTreeMap;

/// What became of the fields of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Changes {
    pub(super) added: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) removed: FieldSet,
}

/// The changes from one version to another.
///
/// Models sigs.k8s.io/structured-merge-diff/v6/typed/compare.go.
pub(super) fn compare(place: Place<'_>, old: &Value, new: &Value) -> Changes {
    between(place, Some(old), Some(new))
}

fn between(place: Place<'_>, old: Option<&Value>, new: Option<&Value>) -> Changes {
    let mut changes = Changes::default();
    let both = [old, new].map(|it| it.map_or(Some(Vec::new()), |it| parts(place, it)));
    let (old_parts, new_parts) = both.into();
    let is_leaf = match (&old_parts, &new_parts) {
        (Some(old), Some(new)) => old.is_empty() && new.is_empty(),
        _ => true,
    };
    if is_leaf {
        match (old, new) {
            (None, _) => changes.added.member = true,
            (_, None) => changes.removed.member = true,
            (Some(old), Some(new)) => changes.modified.member = !same(old, new),
        }
        return changes;
    }
    let mut sides: BTreeMap<String, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
    for (step, value) in old_parts.unwrap_or_default() {
        sides.entry(step).or_default().0 = Some(value);
    }
    for (step, value) in new_parts.unwrap_or_default() {
        sides.entry(step).or_default().1 = Some(value);
    }
    for (step, (mut before, mut after)) in sides {
        if place.is_always_there(&step) {
            before = before.or(old.map(|_| &Value::Null));
            after = after.or(new.map(|_| &Value::Null));
        }
        let below = between(place.below(&step), before, after);
        changes.added.put(&step, below.added);
        changes.modified.put(&step, below.modified);
        changes.removed.put(&step, below.removed);
    }
    changes.added.member = old.is_none();
    changes.removed.member = new.is_none();
    changes
}

/// What is not there is as good as what is empty.
fn same(old: &Value, new: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    old == new || (is_empty(old) && is_empty(new))
}
