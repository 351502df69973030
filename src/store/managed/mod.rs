//! Who manages which fields of an object, and what a server-side apply makes of that.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/util/managedfields and
//! sigs.k8s.io/structured-merge-diff/v6/merge/update.go.
//!
//! What people write is recorded with the object. What control loops write is not: it follows from
//! the object itself (`derived.rs`), so that thousands of pods carry nothing for it.
//!
//! Reading order: `place.rs` (how managers share a value), `compare.rs`, `merge.rs`, `typed.rs`,
//! `apply.rs`, `derived.rs`.

mod apply;
mod compare;
mod derived;
mod merge;
mod place;
mod typed;

pub use derived::shown;

use super::custom::version_in;
use super::server::Context;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{FieldSet, Kind, ManagedFields, ManagedFieldsEntry, Object, Value};
use crate::base::{SimTime, order};
use compare::compare;
use place::Place;
use std::sync::Arc;

/// Who a write is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manager {
    /// A part of the cluster.
    Component,
    /// A client that gives this name.
    Client {
        /// `fieldManager`.
        name: Arc<str>,
        /// The subresource that is written; empty for the object itself.
        subresource: &'static str,
        /// The version of the API by which it asks; empty for the usual one.
        version: Arc<str>,
    },
    /// It is settled already: the object has its managers.
    Settled,
}

impl Manager {
    /// A client of this name that writes a subresource; empty for the object itself.
    pub fn of(name: &str, subresource: &'static str) -> Self {
        Manager::Client { name: Arc::from(name), subresource, version: Arc::from("") }
    }

    /// The version of the API by which it asks; empty for the usual one.
    pub fn version(&self) -> &str {
        match self {
            Manager::Client { version, .. } => version,
            _ => "",
        }
    }

    /// The manager that is recorded; `None` if nothing is.
    fn entry(&self, writer: &str) -> Option<ManagedFieldsEntry> {
        let (manager, subresource) = match self {
            Manager::Settled => return None,
            Manager::Client { name, subresource, .. } => (name.clone(), *subresource),
            Manager::Component => (
                Arc::from("kube-controller-manager"),
                match writer {
                    "deployment-controller" => "status",
                    "horizontal-pod-autoscaler" => "scale",
                    _ => "",
                },
            ),
        };
        let fields = FieldSet::default();
        Some(ManagedFieldsEntry { manager, applies: false, subresource, time: None, fields })
    }
}

/// The fields of an object that have managers.
///
/// Models managedfields/internal/stripmeta.go, and the `status` that is reset on every write of the
/// object itself.
fn managed_part(object: &Object) -> Value {
    without_unmanaged(object.to_value())
}

fn without_unmanaged(mut value: Value) -> Value {
    for path in [["apiVersion"].as_slice(), &["kind"], &["status"]] {
        value.remove(path);
    }
    for key in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "generation",
        "managedFields",
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        value.remove(&["metadata", key]);
    }
    if value.fields_at(&["metadata"]).is_some_and(serde_json::Map::is_empty) {
        value.remove(&["metadata"]);
    }
    value
}

/// The managers of an object that is created.
///
/// `definition` is that of a custom kind.
pub(super) fn created(
    context: &Context,
    object: &Object,
    definition: Option<&Object>,
) -> ManagedFields {
    match (&context.manager, context.manager.entry(&context.cause.writer)) {
        (Manager::Component, _) => ManagedFields::default(),
        (_, None) => object.meta.managed_fields.clone(),
        (_, Some(entry)) => {
            let empty = Value::Object(serde_json::Map::new());
            let place = root(object.kind, definition);
            wrote(context, place, (&empty, &managed_part(object)), Vec::new(), entry)
        }
    }
}

/// The managers of an object that is changed.
///
/// `definition` is that of a custom kind.
pub(super) fn updated(
    context: &Context,
    new: &Object,
    old: &Object,
    definition: Option<&Object>,
) -> ManagedFields {
    let Some(entry) = context.manager.entry(&context.cause.writer) else {
        return new.meta.managed_fields.clone();
    };
    let recorded = old.meta.managed_fields.recorded();
    let known = match (&context.manager, recorded) {
        (Manager::Component, None) => return ManagedFields::default(),
        (_, Some(entries)) => entries.to_vec(),
        (_, None) => derived::of_object(old),
    };
    let place = root(new.kind, definition);
    wrote(context, place, (&managed_part(old), &managed_part(new)), known, entry)
}

/// Models merge/update.go Update, and managedfields/internal/managedfieldsupdater.go.
fn wrote(
    context: &Context,
    place: Place<'_>,
    (old, new): (&Value, &Value),
    mut known: Vec<ManagedFieldsEntry>,
    mut entry: ManagedFieldsEntry,
) -> ManagedFields {
    let changes = compare(place, old, new);
    let taken = changes.added.union(&changes.modified);
    let at = known.iter().position(|one| one.is_of(&entry));
    let before = at.map(|at| known.remove(at));
    for other in &mut known {
        other.fields = other.fields.minus(&taken).minus(&changes.removed);
    }
    // The scale has no time of its own.
    let now = (entry.subresource != "scale").then_some(context.now);
    entry.time = match &before {
        Some(before) if taken.is_empty() => before.time,
        _ => now,
    };
    let own = before.map(|before| before.fields.minus(&changes.removed)).unwrap_or_default();
    entry.fields = own.union(&taken);
    known.push(entry);
    ManagedFields::of(without_ancient(known))
}

/// So many writers are told apart.
const MOST_WRITERS: usize = 10;
/// The name of those that are told apart no more.
const ANCIENT: &str = "ancient-changes";

/// Makes the oldest writers one, as long as there are too many.
///
/// Models managedfields/internal/capmanagers.go capUpdateManagers.
///
/// Simplified: all versions of a kind are one.
fn without_ancient(mut known: Vec<ManagedFieldsEntry>) -> Vec<ManagedFieldsEntry> {
    let count = known.iter().filter(|entry| !entry.applies).count();
    if count <= MOST_WRITERS {
        return known;
    }
    let age = |entry: &ManagedFieldsEntry| {
        let seconds = entry.time.map_or(0, SimTime::as_secs);
        (entry.applies, seconds, entry.manager.clone(), entry.subresource)
    };
    order::sort_by_key(&mut known, age);
    let mut bucket = known.remove(0);
    for entry in known.drain(..=count - 1 - MOST_WRITERS).collect::<Vec<_>>() {
        bucket.fields = bucket.fields.union(&entry.fields);
        bucket.time = entry.time;
    }
    known.push(ManagedFieldsEntry { manager: Arc::from(ANCIENT), subresource: "", ..bucket });
    known
}

/// The place of the objects of a kind; `definition` is that of a custom one.
fn root(kind: Kind, definition: Option<&Object>) -> Place<'_> {
    let version = definition.and_then(|definition| version_in(definition, kind, ""));
    Place::Root(kind, version.and_then(|version| version.at(&["schema", "openAPIV3Schema"])))
}
