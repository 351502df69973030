//! Strategic merge patches from versions of an object.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go diffMaps and what it
//! calls.

use crate::api::{Value, go_value};
use crate::base::order;
use crate::manifest::schema::Merge;
use crate::store::patch::lists::{DIRECTIVE, check_keys, identity, in_order_of, place};
use crate::store::patch::meta::Meta;
use core::cmp::Ordering;
use serde_json::{Map, json};

/// What goes into the patch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Diff {
    changes: bool,
    deletions: bool,
    retain_keys: bool,
}

type Fields = Map<String, Value>;

/// What the difference of two lists is.
#[derive(Default)]
struct Lists {
    patch: Vec<Value>,
    deleted: Vec<Value>,
    order: Vec<Value>,
}

impl Diff {
    pub(super) const fn all() -> Self {
        Diff { changes: true, deletions: true, retain_keys: false }
    }

    pub(super) const fn changes() -> Self {
        Diff { changes: true, deletions: false, retain_keys: false }
    }

    pub(super) const fn deletions() -> Self {
        Diff { changes: false, deletions: true, retain_keys: false }
    }

    /// The patch between two structures; null counts as an empty one.
    pub(super) fn maps(self, old: &Value, new: &Value, meta: &Meta) -> Result<Value, String> {
        let none = Fields::new();
        let (old, new) = (old.as_object().unwrap_or(&none), new.as_object().unwrap_or(&none));
        let mut patch = Fields::new();
        for (key, value) in new {
            match (old.get(key), value) {
                // What is replaced as a whole goes into the patch though it is equal.
                (Some(before), value) if before == value && !value.is_object() => {}
                (Some(before @ Value::Object(_)), Value::Object(_)) => {
                    self.structure(key, before, value, meta, &mut patch)?;
                }
                (Some(Value::Array(before)), Value::Array(items)) => {
                    self.list(key, before, items, meta, &mut patch)?;
                }
                _ if self.changes => drop(patch.insert(key.clone(), value.clone())),
                _ => {}
            }
        }
        if self.deletions {
            for key in old.keys().filter(|key| !new.contains_key(*key)) {
                patch.insert(key.clone(), Value::Null);
            }
        }
        let gone = || old.iter().any(|(key, it)| !it.is_null() && !new.contains_key(key));
        let mut kept: Vec<&String> =
            new.iter().filter(|(_, it)| !it.is_null()).map(|(key, _)| key).collect();
        if self.retain_keys && !kept.is_empty() && (!patch.is_empty() || gone()) {
            order::sort(&mut kept);
            patch.insert("$retainKeys".to_owned(), json!(kept));
        }
        Ok(Value::Object(patch))
    }

    fn structure(
        self,
        key: &str,
        old: &Value,
        new: &Value,
        meta: &Meta,
        patch: &mut Fields,
    ) -> Result<(), String> {
        let step = match meta.step(key) {
            Err(_) if old == new => return Ok(()),
            step => step?,
        };
        if step.merge == Some(Merge::Whole) {
            if self.changes {
                patch.insert(key.to_owned(), new.clone());
            }
            return Ok(());
        }
        let below = Diff { retain_keys: step.retain_keys, ..self }.maps(old, new, &step.below)?;
        if !super::is_empty(&below) {
            patch.insert(key.to_owned(), below);
        }
        Ok(())
    }

    fn list(
        self,
        key: &str,
        old: &[Value],
        new: &[Value],
        meta: &Meta,
        patch: &mut Fields,
    ) -> Result<(), String> {
        let step = meta.step(key)?;
        if !step.merges_lists() {
            if self.changes {
                patch.insert(key.to_owned(), new.into());
            }
            return Ok(());
        }
        let inner = Diff { retain_keys: step.retain_keys, ..self };
        let by = step.merge_key();
        let lists = match (old.is_empty(), by.is_empty()) {
            (true, _) if self.changes => Lists { patch: new.to_vec(), ..Lists::default() },
            (true, _) => Lists::default(),
            (false, true) => inner.scalars(old, new)?,
            (false, false) => inner.items(old, new, by, &step.below)?,
        };
        for (name, items) in [
            (key.to_owned(), lists.patch),
            (format!("$deleteFromPrimitiveList/{key}"), lists.deleted),
            (format!("$setElementOrder/{key}"), lists.order),
        ] {
            if !items.is_empty() {
                patch.insert(name, items.into());
            }
        }
        Ok(())
    }

    /// Models diffListsOfMaps: both lists are walked in the order of their keys' texts.
    fn items(self, old: &[Value], new: &[Value], by: &str, meta: &Meta) -> Result<Lists, String> {
        check_keys(by, old)?;
        check_keys(by, new)?;
        let text = |item: &Value| identity(item, by).map(go_value).unwrap_or_default();
        let sorted = |items: &[Value]| {
            let mut items = items.to_vec();
            order::sort_by_key(&mut items, text);
            items
        };
        let (mut patch, mut deleted) = (Vec::new(), Vec::new());
        let (mut old_items, mut new_items) =
            (sorted(old).into_iter().peekable(), sorted(new).into_iter().peekable());
        loop {
            let side = match (old_items.peek(), new_items.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => text(old).cmp(&text(new)),
            };
            let gone = if side.is_le() { old_items.next() } else { None };
            let come = if side.is_ge() { new_items.next() } else { None };
            match (gone, come) {
                (Some(before), Some(item)) => {
                    let mut below = self.maps(&before, &item, meta)?;
                    if let (false, Some(fields)) = (super::is_empty(&below), below.as_object_mut())
                    {
                        fields.extend(key_of(by, &item));
                        patch.push(below);
                    }
                }
                (None, Some(item)) if self.changes => patch.push(item),
                (Some(item), None) if self.deletions => {
                    let mut directive = key_of(by, &item);
                    directive.insert(DIRECTIVE.to_owned(), "delete".into());
                    deleted.push(Value::Object(directive));
                }
                _ => {}
            }
        }
        let mut patch = in_order_of(patch, new, by)?;
        patch.extend(deleted);
        let same_order = old.len() == new.len()
            && new.iter().zip(old).all(|(new, old)| identity(new, by) == identity(old, by));
        let says = !patch.is_empty() && (self.changes || self.deletions);
        let order = match says || (self.changes && !same_order) {
            true => new.iter().map(|item| Value::Object(key_of(by, item))).collect(),
            false => Vec::new(),
        };
        Ok(Lists { patch, deleted: Vec::new(), order })
    }

    /// Models diffListsOfScalars.
    fn scalars(self, old: &[Value], new: &[Value]) -> Result<Lists, String> {
        let missing = |from: &[Value], of: &[Value]| -> Vec<Value> {
            let mut items: Vec<Value> =
                of.iter().filter(|item| place(from, item, "").is_none()).cloned().collect();
            order::sort_by_key(&mut items, go_value);
            items.dedup();
            items
        };
        let patch = if self.changes { missing(old, new) } else { Vec::new() };
        let deleted = if self.deletions { missing(new, old) } else { Vec::new() };
        let says = !deleted.is_empty() || (self.changes && old != new);
        let order = if says { new.to_vec() } else { Vec::new() };
        Ok(Lists { patch: in_order_of(patch, new, "")?, deleted, order })
    }
}

/// An item with nothing but its key.
fn key_of(by: &str, item: &Value) -> Fields {
    let key = identity(item, by).cloned().unwrap_or(Value::Null);
    [(by.to_owned(), key)].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::{three_way, two_way};
    use crate::api::{Kind, Value};
    use crate::store::patch::{Patch, PatchType, patch_locally};
    use serde_json::json;

    fn carried_out(kind: Kind, mut live: Value, (how, body): (PatchType, Value)) -> Value {
        let mut patch = Patch::parse(how, &body.to_string()).unwrap();
        patch.body = body;
        patch_locally(kind, &mut live, &patch).unwrap();
        live
    }

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
        let patch = three_way(Kind::Pod, &last, &new, &live).unwrap();
        let (how, body) = &patch;
        assert_eq!(*how, PatchType::Strategic);
        let sent = json!({"metadata": {"labels": {"b": null}}, "spec": {
            "$setElementOrder/containers": [{"name": "x"}],
            "containers": [
                {"name": "x", "image": "j", "env": null}, {"name": "old", "$patch": "delete"},
            ],
            "replicas": null,
        }});
        assert_eq!(*body, sent);
        assert_eq!(carried_out(Kind::Pod, live, patch), wanted);
    }

    #[test]
    fn a_strategy_of_another_type_names_the_fields_that_stay() {
        let live = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        let new = json!({"spec": {"strategy": {"type": "Recreate"}}});
        let patch = three_way(Kind::Deployment, &json!({}), &new, &live).unwrap();
        let sent = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
        assert_eq!(patch.1, sent);
        assert_eq!(carried_out(Kind::Deployment, live, patch), new);
    }

    #[test]
    fn ports_of_the_same_number_are_compared_one_by_one() {
        let ports = |target: i64| {
            json!({"spec": {"ports": [
                {"port": 53, "protocol": "TCP", "name": "a"},
                {"port": 53, "protocol": "UDP", "name": "b", "targetPort": target},
            ]}})
        };
        let same = two_way(Kind::Service, &ports(1), &ports(1)).unwrap();
        assert_eq!(same.1, json!({}));
        let (_, patch) = two_way(Kind::Service, &ports(1), &ports(2)).unwrap();
        assert_eq!(patch["spec"]["ports"], json!([{"port": 53, "targetPort": 2}]));
    }

    #[test]
    fn another_order_alone_is_a_change() {
        let pod = |names: [&str; 2]| json!({"spec": {"containers": names.map(|name| json!({"name": name}))}});
        let (_, patch) = two_way(Kind::Pod, &pod(["a", "b"]), &pod(["b", "a"])).unwrap();
        let wanted =
            json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}});
        assert_eq!(patch, wanted);
    }
}
