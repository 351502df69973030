//! `ObjectMeta`: what every object has.

use super::managed_fields::ManagedFields;
use super::tree::Tree as _;
use crate::base::SimTime;
use core::fmt;
use core::ops::{Deref, DerefMut};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// An object's identity through its life: a random UUID.
///
/// Packed: aligned as a `u128` it would make every object and event larger.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed(8))]
pub struct Uid(pub u128);

impl Uid {
    /// Reads the form with hyphens; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.split('-').collect();
        let whole = text.len() == 36 && digits.len() == 32;
        u128::from_str_radix(&digits, 16).ok().filter(|_| whole).map(Uid)
    }

    /// The UID that a person wrote of an owner.
    // Simplified: a text that is no UID is shown as the last of all UIDs, which is nobody's either.
    fn of_owner(text: &str) -> Self {
        let other = || if text.is_empty() { Uid::default() } else { Uid(u128::MAX) };
        Uid::parse(text).unwrap_or_else(other)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        let (a, b, c, d) = (n >> 96, n >> 80 & 0xffff, n >> 64 & 0xffff, n >> 48 & 0xffff);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", n & 0xffff_ffff_ffff)
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Labels or annotations: a sorted map that its copies share.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StringMap(Option<Arc<BTreeMap<String, String>>>);

impl StringMap {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.as_ref()?.get(key).map(String::as_str)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |map| map.len())
    }

    /// The entries, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|map| map.iter()).map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Sets a key, and says whether that changed anything.
    pub fn set(&mut self, key: &str, value: &str) -> bool {
        if self.get(key) == Some(value) {
            return false;
        }
        let map = self.0.get_or_insert_default();
        Arc::make_mut(map).insert(key.to_owned(), value.to_owned());
        true
    }

    /// Removes a key, and says whether it was there.
    pub fn unset(&mut self, key: &str) -> bool {
        let removed = self.get(key).is_some();
        if let Some(map) = self.0.as_mut().filter(|_| removed) {
            Arc::make_mut(map).remove(key);
        }
        if self.is_empty() {
            self.0 = None;
        }
        removed
    }

    /// Whether both are the same map in memory, a quick way to know that they are equal.
    pub fn same(&self, other: &StringMap) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    /// Reads an object of strings; what is not a string is left out.
    pub fn from_value(value: Option<&Value>) -> Self {
        let fields = value.and_then(Value::as_object);
        fields
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
            .collect()
    }

    /// The map as JSON.
    pub fn to_value(&self) -> Value {
        self.iter()
            .map(|(key, value)| (key.to_owned(), Value::from(value)))
            .collect::<Map<_, _>>()
            .into()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for StringMap {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(iter: I) -> Self {
        let map: BTreeMap<String, String> =
            iter.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        StringMap(if map.is_empty() { None } else { Some(Arc::new(map)) })
    }
}

/// Who an object belongs to; without its owners the garbage collector removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerReference {
    /// The owner's API version, `apps/v1`.
    pub api_version: Arc<str>,
    /// The owner's kind.
    pub kind: Arc<str>,
    /// The owner's name.
    pub name: Arc<str>,
    /// The owner's UID; an owner of the same name with another UID is another owner.
    pub uid: Uid,
    /// Whether this owner manages the object. At most one does.
    pub controller: bool,
    /// Whether a foreground deletion of the owner waits for this object.
    pub block_owner_deletion: bool,
}

impl OwnerReference {
    fn from_value(value: &Value) -> Self {
        let text = |key| Arc::from(value.str_at(&[key]).unwrap_or_default());
        OwnerReference {
            api_version: text("apiVersion"),
            kind: text("kind"),
            name: text("name"),
            uid: value.str_at(&["uid"]).map(Uid::of_owner).unwrap_or_default(),
            controller: value.bool_at(&["controller"]).unwrap_or_default(),
            block_owner_deletion: value.bool_at(&["blockOwnerDeletion"]).unwrap_or_default(),
        }
    }

    fn to_value(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("apiVersion".into(), (*self.api_version).into());
        if self.block_owner_deletion {
            fields.insert("blockOwnerDeletion".into(), true.into());
        }
        if self.controller {
            fields.insert("controller".into(), true.into());
        }
        fields.insert("kind".into(), (*self.kind).into());
        fields.insert("name".into(), (*self.name).into());
        let uid = Some(self.uid).filter(|uid| *uid != Uid::default());
        fields.insert("uid".into(), uid.map_or(String::new(), |uid| uid.to_string()).into());
        fields.into()
    }
}

/// That somebody asked for the object to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// `deletionTimestamp`: when it is to be gone, which is the request plus the grace period.
    pub timestamp: SimTime,
    /// `deletionGracePeriodSeconds`.
    pub grace_period_seconds: i64,
}

/// Metadata of an object: what each has of its own, and [`Details`], whose fields are read and
/// written as if they were here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Name, unique among the objects of its kind and namespace.
    pub name: Arc<str>,
    /// Namespace; empty for kinds without.
    pub namespace: Arc<str>,
    /// Identity; zero until the API server gives one.
    pub uid: Uid,
    /// The revision of the store at the last change; zero until it is stored.
    pub resource_version: u64,
    /// How often the desired state changed; zero for kinds that do not count.
    pub generation: i64,
    /// When it was created.
    pub creation_timestamp: SimTime,
    /// Labels.
    pub labels: StringMap,
    /// The rest.
    pub details: SharedDetails,
}

/// What many objects have nothing of, events above all, and what the pods of one owner have in
/// common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The prefix its name was generated from; empty if it was not.
    pub generate_name: Arc<str>,
    /// Set once deletion was asked for.
    pub deletion: Option<Deletion>,
    /// Annotations.
    pub annotations: StringMap,
    /// Owners.
    pub owner_references: Arc<[OwnerReference]>,
    /// What must happen before it can be gone.
    pub finalizers: Arc<[Arc<str>]>,
    /// Who manages which fields; in no tree, for few ask for it.
    pub managed_fields: ManagedFields,
}

/// [`Details`] that copies share until one of them is written to. Where there are none it takes no
/// memory.
#[derive(Clone, Debug, Default)]
pub struct SharedDetails(Option<Arc<Details>>);

impl From<Details> for SharedDetails {
    fn from(details: Details) -> Self {
        SharedDetails((details != Details::default()).then(|| Arc::new(details)))
    }
}

impl PartialEq for SharedDetails {
    fn eq(&self, other: &Self) -> bool {
        let (one, other): (&Details, &Details) = (self, other);
        core::ptr::eq(one, other) || one == other
    }
}

impl Eq for SharedDetails {}

impl Deref for SharedDetails {
    type Target = Details;

    fn deref(&self) -> &Details {
        static NONE: LazyLock<Details> = LazyLock::new(Details::default);
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for SharedDetails {
    fn deref_mut(&mut self) -> &mut Details {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl Deref for ObjectMeta {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.details
    }
}

impl DerefMut for ObjectMeta {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.details
    }
}

impl ObjectMeta {
    /// The owner that manages this object.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// Whether deletion was asked for.
    pub fn is_terminating(&self) -> bool {
        self.deletion.is_some()
    }

    /// Reads `metadata`; what is absent has its zero value.
    pub fn from_value(value: &Value) -> Self {
        // One empty text for all that have none.
        static EMPTY: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));
        let text = |key| match value.str_at(&[key]) {
            None | Some("") => EMPTY.clone(),
            Some(text) => Arc::from(text),
        };
        let time = |key| value.str_at(&[key]).and_then(SimTime::parse_rfc3339);
        let grace_period_seconds =
            value.int_at(&["deletionGracePeriodSeconds"]).unwrap_or_default();
        let details = Details {
            generate_name: text("generateName"),
            deletion: time("deletionTimestamp")
                .map(|timestamp| Deletion { timestamp, grace_period_seconds }),
            annotations: StringMap::from_value(value.at(&["annotations"])),
            owner_references: value
                .items_at(&["ownerReferences"])
                .iter()
                .map(OwnerReference::from_value)
                .collect(),
            finalizers: value
                .items_at(&["finalizers"])
                .iter()
                .filter_map(Value::as_str)
                .map(Arc::from)
                .collect(),
            managed_fields: ManagedFields::default(),
        };
        ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            uid: value.str_at(&["uid"]).and_then(Uid::parse).unwrap_or_default(),
            resource_version: value
                .str_at(&["resourceVersion"])
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            generation: value.int_at(&["generation"]).unwrap_or_default(),
            creation_timestamp: time("creationTimestamp").unwrap_or_default(),
            labels: StringMap::from_value(value.at(&["labels"])),
            details: details.into(),
        }
    }

    /// `metadata` as JSON, without what has its zero value.
    pub fn to_value(&self) -> Value {
        let mut fields = Map::new();
        let mut put = |key: &str, value: Value, present: bool| {
            if present {
                fields.insert(key.to_owned(), value);
            }
        };
        put("annotations", self.annotations.to_value(), !self.annotations.is_empty());
        let created = self.creation_timestamp != SimTime::default();
        put("creationTimestamp", self.creation_timestamp.rfc3339().into(), created);
        if let Some(deletion) = self.deletion {
            put("deletionGracePeriodSeconds", deletion.grace_period_seconds.into(), true);
            put("deletionTimestamp", deletion.timestamp.rfc3339().into(), true);
        }
        let finalizers = self.finalizers.iter().map(|text| Value::from(&**text)).collect();
        put("finalizers", finalizers, !self.finalizers.is_empty());
        put("generateName", (*self.generate_name).into(), !self.generate_name.is_empty());
        put("generation", self.generation.into(), self.generation != 0);
        put("labels", self.labels.to_value(), !self.labels.is_empty());
        put("name", (*self.name).into(), !self.name.is_empty());
        put("namespace", (*self.namespace).into(), !self.namespace.is_empty());
        let owners = self.owner_references.iter().map(OwnerReference::to_value).collect();
        put("ownerReferences", owners, !self.owner_references.is_empty());
        let stored = self.resource_version != 0;
        put("resourceVersion", self.resource_version.to_string().into(), stored);
        put("uid", self.uid.to_string().into(), self.uid != Uid::default());
        fields.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_comes_back_as_it_was_put_in() {
        let value = json!({
            "annotations": {"note": "x"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "deletionGracePeriodSeconds": 30,
            "deletionTimestamp": "2026-01-01T00:00:30Z",
            "finalizers": ["foregroundDeletion"],
            "generateName": "web-",
            "generation": 2,
            "labels": {"app": "web"},
            "name": "web-abcde",
            "namespace": "default",
            "ownerReferences": [{
                "apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true,
                "kind": "ReplicaSet", "name": "web", "uid": "0d21b811-7606-488e-9650-fa6ccea4d2bf"
            }],
            "resourceVersion": "7",
            "uid": "2d21b811-7606-488e-9650-fa6ccea4d2bf"
        });
        assert_eq!(ObjectMeta::from_value(&value).to_value(), value);
    }

    #[test]
    fn what_is_no_uid_is_not_read_as_one() {
        for text in ["", "0d21b811", "0d21b811-7606-488e-9650-fa6ccea4d2bg", &"a".repeat(36)] {
            assert_eq!(Uid::parse(text), None, "{text}");
        }
    }

    #[test]
    fn changing_a_copy_leaves_the_original() {
        let original: StringMap = [("app", "web")].into_iter().collect();
        let mut copy = original.clone();
        assert!(copy.set("app", "db") && !copy.set("app", "db"));
        assert_eq!(original.get("app"), Some("web"));
        assert!(copy.unset("app") && copy.is_empty() && copy == StringMap::default());
    }
}
