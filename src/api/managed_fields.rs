//! `metadata.managedFields`: who manages which fields of an object.

use crate::base::{SimTime, order};
use core::cmp::Ordering;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A set of fields: a tree of the steps that lead to them, `f:spec`, `k:{"name":"web"}`,
/// `v:"10.0.0.0/8"`.
///
/// Models sigs.k8s.io/structured-merge-diff/v6/fieldpath/set.go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// Whether the field that the way to here leads to is in the set.
    pub member: bool,
    /// What lies below it. No branch is empty.
    pub below: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    /// A field with nothing below.
    pub const LEAF: FieldSet = FieldSet { member: true, below: BTreeMap::new() };

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }

    /// The set of one field.
    pub fn of_path(path: &[&str]) -> Self {
        path.iter().rev().fold(FieldSet::LEAF, |set, step| {
            let mut outer = FieldSet::default();
            outer.put(step, set);
            outer
        })
    }

    /// What lies below a path.
    pub fn at(&self, path: &[&str]) -> Option<&FieldSet> {
        path.iter().try_fold(self, |set, step| set.below.get(*step))
    }

    /// Sets what lies below a step.
    pub fn put(&mut self, step: &str, set: FieldSet) {
        match set.is_empty() {
            true => drop(self.below.remove(step)),
            false => drop(self.below.insert(step.to_owned(), set)),
        }
    }

    /// Takes out all that lies below a path, and the field itself.
    pub fn cut(&mut self, path: &[&str]) {
        let Some((step, rest)) = path.split_first() else {
            *self = FieldSet::default();
            return;
        };
        if let Some(mut below) = self.below.remove(*step) {
            below.cut(rest);
            self.put(step, below);
        }
    }

    /// What is in either.
    pub fn union(mut self, other: &FieldSet) -> Self {
        self.member |= other.member;
        for (step, theirs) in &other.below {
            let ours = self.below.remove(step).unwrap_or_default();
            self.below.insert(step.clone(), ours.union(theirs));
        }
        self
    }

    /// What is in this one and not in the other.
    pub fn minus(&self, other: &FieldSet) -> Self {
        let mut left = FieldSet { member: self.member && !other.member, below: BTreeMap::new() };
        for (step, ours) in &self.below {
            let rest = other.below.get(step).map_or_else(|| ours.clone(), |it| ours.minus(it));
            left.put(step, rest);
        }
        left
    }

    /// What is in both.
    pub fn and(&self, other: &FieldSet) -> Self {
        let mut both = FieldSet { member: self.member && other.member, below: BTreeMap::new() };
        for (step, ours) in &self.below {
            if let Some(theirs) = other.below.get(step) {
                both.put(step, ours.and(theirs));
            }
        }
        both
    }

    /// The fields as an error names them, `.spec.containers[name="web"].image`: those of a level
    /// before those of the next.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, here: &str, paths: &mut Vec<String>) {
        let steps = || self.below.iter().map(|(step, set)| (format!("{here}{}", shown(step)), set));
        paths.extend(steps().filter(|(_, set)| set.member).map(|(path, _)| path));
        for (path, set) in steps() {
            set.collect(&path, paths);
        }
    }

    /// `fieldsV1`.
    pub fn to_value(&self) -> Value {
        let below = self.below.iter().map(|(step, set)| (step.clone(), set.to_value()));
        let mut fields: Map<String, Value> = below.collect();
        if self.member && !fields.is_empty() {
            fields.insert(".".to_owned(), json!({}));
        }
        fields.into()
    }
}

/// A step as an error names it.
///
/// Models fieldpath/element.go PathElement.String.
pub fn shown(step: &str) -> String {
    if let Some(name) = step.strip_prefix("f:") {
        return format!(".{name}");
    }
    let (kind, text) = step.split_at_checked(2).unwrap_or_default();
    match (kind, serde_json::from_str(text)) {
        ("k:", Ok(Value::Object(keys))) => {
            let keys: Vec<String> =
                keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        _ => format!("[={text}]"),
    }
}

/// What one manager has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedFieldsEntry {
    /// The manager.
    pub manager: Arc<str>,
    /// Whether it applies its fields; otherwise it wrote them.
    pub applies: bool,
    /// The subresource by which it did; empty for the object itself.
    pub subresource: &'static str,
    /// When it last took or gave up a field; not known of who only wrote the scale.
    pub time: Option<SimTime>,
    /// Its fields.
    pub fields: FieldSet,
}

impl ManagedFieldsEntry {
    /// Whether an entry is of the same manager.
    pub fn is_of(&self, other: &ManagedFieldsEntry) -> bool {
        let who = |entry: &ManagedFieldsEntry| (entry.applies, entry.subresource);
        self.manager == other.manager && who(self) == who(other)
    }

    /// The order in which they are shown.
    ///
    /// Models staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/managedfields.go
    /// sortEncodedManagedFields.
    fn order(&self, other: &ManagedFieldsEntry) -> Ordering {
        let seconds = |entry: &ManagedFieldsEntry| entry.time.map_or(0, SimTime::as_secs);
        (other.applies.cmp(&self.applies))
            .then_with(|| seconds(self).cmp(&seconds(other)))
            .then_with(|| self.manager.cmp(&other.manager))
            .then_with(|| self.subresource.cmp(other.subresource))
    }

    /// The entry as the API shows it.
    pub fn to_value(&self, api_version: &str) -> Value {
        let mut value = json!({
            "apiVersion": api_version, "fieldsType": "FieldsV1", "fieldsV1": self.fields.to_value(),
            "manager": &*self.manager, "operation": if self.applies { "Apply" } else { "Update" },
        });
        if let Some(fields) = value.as_object_mut() {
            if !self.subresource.is_empty() {
                fields.insert("subresource".to_owned(), self.subresource.into());
            }
            if let Some(time) = self.time {
                fields.insert("time".to_owned(), time.rfc3339().into());
            }
        }
        value
    }
}

/// The managers of an object; copies share them. What nobody recorded is not known: of most objects
/// of control loops it follows from what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedFields(Option<Arc<Vec<ManagedFieldsEntry>>>);

impl ManagedFields {
    /// These managers, in their order; those without fields are left out.
    pub fn of(mut entries: Vec<ManagedFieldsEntry>) -> Self {
        entries.retain(|entry| !entry.fields.is_empty());
        order::sort_by(&mut entries, ManagedFieldsEntry::order);
        ManagedFields(Some(Arc::new(entries)))
    }

    /// The managers, if they were recorded.
    pub fn recorded(&self) -> Option<&[ManagedFieldsEntry]> {
        self.0.as_ref().map(|entries| entries.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_named_as_in_errors() {
        for (step, text) in [
            ("f:spec", ".spec"),
            (
                "k:{\"containerPort\":80,\"protocol\":\"TCP\"}",
                "[containerPort=80,protocol=\"TCP\"]",
            ),
            ("v:\"10.0.0.0/8\"", "[=\"10.0.0.0/8\"]"),
        ] {
            assert_eq!(shown(step), text);
        }
    }

    #[test]
    fn what_a_set_gives_up_leaves_no_empty_branches() {
        let mut set = FieldSet::of_path(&["f:spec", "f:replicas"]);
        set = set.union(&FieldSet::of_path(&["f:spec", "f:selector"]));
        let rest = set.minus(&FieldSet::of_path(&["f:spec", "f:replicas"]));
        assert_eq!(rest, FieldSet::of_path(&["f:spec", "f:selector"]));
        assert!(rest.and(&FieldSet::of_path(&["f:spec"])).is_empty());
        set.cut(&["f:spec"]);
        assert!(set.is_empty());
    }
}
