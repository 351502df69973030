//! Server-side apply.

use super::compare::compare;
use super::merge::{merge, without};
use super::place::{Place, named_fields, with_structures};
use super::{Manager, derived, managed_part, typed, without_unmanaged};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{
    ApiError, FieldSet, Kind, ManagedFields, ManagedFieldsEntry, Object, Reason, Value, defaults,
};
use crate::base::order;
use crate::manifest;
use crate::store::server::{Context, read_object};
use crate::store::storage::{ObjectKey, Store};
use serde_json::Map;
use std::sync::Arc;

/// Where kubectl keeps what was applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The manager whose applies keep that annotation true.
const KUBECTL: &str = "kubectl";

/// A conflict: a manager, and the fields that it has.
type Conflict = (ManagedFieldsEntry, FieldSet);

impl Store {
    /// Makes an object have the fields that are applied, and gives up those that the same manager
    /// applied before and nobody else has.
    ///
    /// Models staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go applyPatcher and
    /// managedfields/internal/{structuredmerge,lastappliedmanager,lastappliedupdater}.go.
    ///
    /// # Errors
    /// `Conflict` with other managers unless `force`d; what is no object of its kind; all that
    /// [`Store::create`] and [`Store::update`] refuse.
    pub fn apply(
        &mut self,
        context: &Context,
        kind: Kind,
        key: &ObjectKey,
        applied: &Value,
        force: bool,
    ) -> Result<Arc<Object>, ApiError> {
        if applied.at(&["metadata", "managedFields"]).is_some_and(|fields| !fields.is_null()) {
            return Err(ApiError::new(Reason::BadRequest, "metadata.managedFields must be nil"));
        }
        let about = object_text(kind, key);
        let definition = self.definition_of(kind).cloned();
        let place = super::root(kind, definition.as_deref());
        typed::check(place, applied).map_err(|why| {
            let message = format!("failed to create typed patch object ({about}): {why}");
            ApiError::new(Reason::Unknown, message)
        })?;
        let old = self.get(kind, key).cloned();
        let live = old.as_deref().map_or_else(|| Value::Object(Map::new()), managed_part);
        let known = old.as_deref().map_or_else(Vec::new, known_managers);
        let mut request = Request { context, place, live: &live, applied, known, force };
        let result = match request.carry_out() {
            Err(conflicts) => {
                let left = request.not_forgiven(old.as_deref(), conflicts);
                if !left.is_empty() {
                    return Err(conflict_error(kind, &left));
                }
                request.force = true;
                request.carry_out().unwrap_or_default()
            }
            Ok(result) => result,
        };
        let (mut value, managers) = result;
        value.put(&["apiVersion"], kind.api_version());
        value.put(&["kind"], kind.name());
        value.put(&["metadata", "name"], &*key.name);
        request.note_last_applied(&mut value);
        let refuse = |why: String| {
            let message = format!(
                "failed to convert new object ({about}) to proper version: unable to convert unstructured object to {}: {why}",
                version_and_kind(kind)
            );
            ApiError::new(Reason::Unknown, message)
        };
        manifest::convert::check(kind, &value).map_err(refuse)?;
        let settled = Context { manager: Manager::Settled, ..context.clone() };
        match old {
            None => {
                let mut object = read_object(kind, &value, &key.namespace)?;
                object.meta.managed_fields = managers;
                self.create(&settled, object)
            }
            Some(old) => {
                let mut value = manifest::decode(kind, &value)?;
                for field in ["namespace", "uid"] {
                    if let Some(kept) = old.meta.to_value().at(&[field]) {
                        value.put(&["metadata", field], kept.clone());
                    }
                }
                defaults::apply(kind, &mut value);
                let mut object = Object::from_value(kind, value);
                object.meta.managed_fields = managers;
                object.meta.generate_name = old.meta.generate_name.clone();
                self.update(&settled, object)
            }
        }
    }

    /// Makes one manager's written fields another one's applied ones.
    ///
    /// Models staging/src/k8s.io/client-go/util/csaupgrade/upgrade.go.
    ///
    /// # Errors
    /// All that [`Store::update`] refuses.
    pub fn take_over(
        &mut self,
        context: &Context,
        object: &Object,
        from: &[Arc<str>],
        to: &str,
    ) -> Result<Arc<Object>, ApiError> {
        let mut known = known_managers(object);
        let moves = |entry: &ManagedFieldsEntry| {
            !entry.applies && entry.subresource.is_empty() && from.contains(&entry.manager)
        };
        let (moved, mut rest): (Vec<_>, Vec<_>) = known.drain(..).partition(moves);
        for entry in moved {
            let mut fields = entry.fields;
            fields.cut(&["f:metadata", "f:annotations", &format!("f:{LAST_APPLIED}")]);
            match rest.iter_mut().find(|one| one.applies && *one.manager == *to) {
                Some(one) => one.fields = core::mem::take(&mut one.fields).union(&fields),
                None => rest.push(ManagedFieldsEntry {
                    manager: Arc::from(to),
                    applies: true,
                    fields,
                    ..entry
                }),
            }
        }
        let mut new = object.clone();
        new.meta.managed_fields = ManagedFields::of(rest);
        self.update(&Context { manager: Manager::Settled, ..context.clone() }, new)
    }
}

fn known_managers(object: &Object) -> Vec<ManagedFieldsEntry> {
    let recorded = object.meta.managed_fields.recorded();
    recorded.map_or_else(|| derived::of_object(object), <[ManagedFieldsEntry]>::to_vec)
}

/// One apply.
struct Request<'a> {
    context: &'a Context,
    place: Place<'a>,
    live: &'a Value,
    applied: &'a Value,
    known: Vec<ManagedFieldsEntry>,
    force: bool,
}

impl Request<'_> {
    fn manager(&self) -> Arc<str> {
        match &self.context.manager {
            Manager::Client { name, .. } => name.clone(),
            _ => Arc::from(&*self.context.cause.writer),
        }
    }

    /// The object as it will be, and its managers.
    ///
    /// Models merge/update.go Apply.
    fn carry_out(&self) -> Result<(Value, ManagedFields), Vec<Conflict>> {
        let place = self.place;
        let applied = without_unmanaged(self.applied.clone());
        let mut known = self.known.clone();
        let manager = self.manager();
        let at = known.iter().position(|one| one.applies && one.manager == manager);
        let before = at.map(|at| known.remove(at));
        let mut entry = ManagedFieldsEntry {
            manager,
            applies: true,
            subresource: "",
            time: before.as_ref().and_then(|before| before.time),
            fields: named_fields(place, &applied),
        };
        let merged = merge(place, self.live, &applied);
        let owned = known.iter().fold(entry.fields.clone(), |all, one| all.union(&one.fields));
        let last = before.map(|before| before.fields).unwrap_or_default();
        let new = pruned(place, merged, &last, &owned);
        let changes = compare(place, self.live, &new);
        let taken = changes.added.union(&changes.modified);
        let conflicts: Vec<Conflict> = known
            .iter()
            .map(|one| (one.clone(), one.fields.and(&taken)))
            .filter(|(_, fields)| !fields.is_empty())
            .collect();
        if !self.force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        for other in &mut known {
            other.fields = other.fields.minus(&taken).minus(&changes.removed);
        }
        if *self.live != new {
            entry.time = Some(self.context.now);
        }
        known.push(entry);
        Ok((new, ManagedFields::of(known)))
    }

    /// The conflicts that count: kubectl's own applies of before may change.
    ///
    /// Models managedfields/internal/lastappliedmanager.go.
    fn not_forgiven(&self, old: Option<&Object>, conflicts: Vec<Conflict>) -> Vec<Conflict> {
        let forgiven = self.last_applied(old).unwrap_or_default();
        let left = conflicts.into_iter().map(|(who, fields)| (who, fields.minus(&forgiven)));
        left.filter(|(_, fields)| !fields.is_empty()).collect()
    }

    /// What kubectl applied last from the client's side, as far as it is still so.
    fn last_applied(&self, old: Option<&Object>) -> Option<FieldSet> {
        let text = old?.meta.annotations.get(LAST_APPLIED)?;
        if *self.manager() != *KUBECTL {
            return None;
        }
        let last: Value = serde_json::from_str(text).ok()?;
        let last = without_unmanaged(last);
        let place = self.place;
        let changes = compare(place, &last, self.live);
        let fields = named_fields(place, &last);
        Some(fields.minus(&changes.modified).minus(&changes.added).minus(&changes.removed))
    }

    /// Models managedfields/internal/lastappliedupdater.go.
    fn note_last_applied(&self, value: &mut Value) {
        let path = ["metadata", "annotations", LAST_APPLIED];
        if *self.manager() != *KUBECTL || value.at(&path).is_none() {
            return;
        }
        let mut last = self.applied.clone();
        last.remove(&path);
        last.remove(&["metadata", "managedFields"]);
        value.put(&path, last.to_string() + "\n");
    }
}

/// What is merged, without what was applied before and is not any more, unless somebody else has it.
///
/// Models merge/update.go prune, addBackOwnedItems and addBackDanglingItems.
fn pruned(place: Place<'_>, merged: Value, last: &FieldSet, owned: &FieldSet) -> Value {
    if last.is_empty() {
        return merged;
    }
    let fields = |value: &Value| with_structures(place, &named_fields(place, value));
    let (last, owned) = (with_structures(place, last), with_structures(place, owned));
    let all = fields(&merged);
    let kept = fields(&without(place, &merged, &last)).union(&owned);
    let kept = fields(&without(place, &merged, &all.minus(&kept)));
    without(place, &merged, &all.minus(&kept).and(&last))
}

/// `namespace/name; apps/v1, Kind=Deployment`.
fn object_text(kind: Kind, key: &ObjectKey) -> String {
    format!("{}/{}; {}", key.namespace, key.name, version_and_kind(kind))
}

fn version_and_kind(kind: Kind) -> String {
    let resource = kind.resource();
    format!("{}/{}, Kind={}", resource.group, resource.version, kind.name())
}

/// Models managedfields/internal/conflict.go.
fn conflict_error(kind: Kind, conflicts: &[Conflict]) -> ApiError {
    let mut named: Vec<(String, Vec<String>)> = Vec::new();
    for (entry, fields) in conflicts {
        let mut who = format!("\"{}\"", entry.manager);
        if !entry.subresource.is_empty() {
            who += &format!(" with subresource \"{}\"", entry.subresource);
        }
        if !entry.applies {
            who += &format!(" using {}", kind.api_version());
        }
        named.push((who, fields.paths()));
    }
    order::sort_by_key(&mut named, |(who, _)| who.clone());
    let count: usize = named.iter().map(|(_, paths)| paths.len()).sum();
    let message = match named.as_slice() {
        [(who, paths)] if count == 1 => {
            format!("Apply failed with 1 conflict: conflict with {who}: {}", paths.concat())
        }
        all => {
            let lines = all.iter().flat_map(|(who, paths)| {
                let head = format!("conflicts with {who}:");
                core::iter::once(head).chain(paths.iter().map(|path| format!("- {path}")))
            });
            let lines: Vec<String> = lines.collect();
            format!("Apply failed with {count} conflicts: {}", lines.join("\n"))
        }
    };
    ApiError::new(Reason::Conflict, message)
}
