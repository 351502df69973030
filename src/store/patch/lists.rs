//! The order of lists that are merged item by item.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go: normalizeElementOrder,
//! normalizeSliceOrder, mergeSortedSlice, validatePatchWithSetOrderList.

use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::base::order;

/// The key of directives in a patch.
pub(crate) const DIRECTIVE: &str = "$patch";

/// What tells items apart: a field of theirs, or they themselves for an empty key.
pub(crate) fn identity<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    if key.is_empty() { Some(item) } else { item.get(key) }
}

pub(crate) fn place(items: &[Value], wanted: &Value, key: &str) -> Option<usize> {
    let wanted = identity(wanted, key)?;
    items.iter().position(|item| identity(item, key) == Some(wanted))
}

/// Whether each item has the field.
///
/// # Errors
/// Upstream's sentence.
pub(crate) fn check_keys(key: &str, items: &[Value]) -> Result<(), String> {
    if key.is_empty() {
        return Ok(());
    }
    items.iter().try_for_each(|item| match item {
        Value::Object(fields) if fields.contains_key(key) => Ok(()),
        Value::Object(_) => Err(no_merge_key(item, key)),
        _ => Err(wrong_type("map[string]interface {}", item)),
    })
}

/// Models mergepatch.ErrNoMergeKey.
pub(super) fn no_merge_key(item: &Value, key: &str) -> String {
    format!("map: {} does not contain declared merge key: {key}", super::go_value(item))
}

/// Models mergepatch.ErrBadArgType.
pub(super) fn wrong_type(wanted: &str, value: &Value) -> String {
    let actual = match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    format!("expected a {wanted}, but received a {actual}")
}

pub(super) fn is_delete(item: &Value) -> bool {
    item.str_at(&[DIRECTIVE]) == Some("delete")
}

/// Items in the order of others, those to be deleted last.
///
/// # Errors
/// An item without the key.
pub(crate) fn in_order_of(
    items: Vec<Value>,
    wanted: &[Value],
    key: &str,
) -> Result<Vec<Value>, String> {
    check_keys(key, &items)?;
    check_keys(key, wanted)?;
    let (deleted, mut kept): (Vec<Value>, Vec<Value>) = items.into_iter().partition(is_delete);
    order::sort_by_key(&mut kept, |item| place(wanted, item, key));
    kept.extend(deleted);
    Ok(kept)
}

/// Merges what a patch names with what only the server has: both keep their own order, and
/// between them the server's counts.
///
/// # Errors
/// An item without the key.
pub(super) fn interleave(
    from_patch: Vec<Value>,
    server_only: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    key: &str,
) -> Result<Vec<Value>, String> {
    let patch = in_order_of(from_patch, patch_order, key)?;
    let server = in_order_of(server_only, server_order, key)?;
    let mut all = Vec::with_capacity(patch.len() + server.len());
    let (mut left, mut right) = (server.into_iter().peekable(), patch.into_iter().peekable());
    loop {
        let left_is_first = match (left.peek(), right.peek()) {
            (None, None) => return Ok(all),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(l), Some(r)) => {
                let places = (place(server_order, l, key), place(server_order, r, key));
                matches!(places, (Some(l), Some(r)) if l < r)
            }
        };
        all.extend(if left_is_first { left.next() } else { right.next() });
    }
}

/// Whether the items of a patch stand in the order that it names.
///
/// # Errors
/// Upstream's sentence.
pub(super) fn check_order(patch: &[Value], named: &[Value], key: &str) -> Result<(), String> {
    if patch.is_empty() || named.is_empty() {
        return Ok(());
    }
    let mut named = named.iter();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let wanted = identity(item, key).ok_or_else(|| no_merge_key(item, key))?;
        if !named.any(|name| identity(name, key) == Some(wanted)) {
            let list = super::go_value(&Value::Array(patch.to_vec()));
            let order: Vec<Value> = named.cloned().collect();
            let order = super::go_value(&Value::Array(order));
            return Err(format!(
                "The order in patch list:\n{list}\n doesn't match $setElementOrder list:\n{order}\n"
            ));
        }
    }
    Ok(())
}
