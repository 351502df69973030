//! The templates that a StatefulSet or DaemonSet has had, each kept as a ControllerRevision.
//!
//! Models pkg/controller/history/controller_history.go.
//!
//! Simplified: the hash of a template is ours.

use super::pod_control::{controller_reference, with_label};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Body, Details, Kind, Object, ObjectMeta, PodTemplate, Uid, Value};
use crate::base::{names, order};
use crate::store::{Store, Write};
use serde_json::json;
use std::sync::Arc;

/// The label of a pod that names the revision it was made from.
pub(super) const REVISION_HASH: &str = "controller-revision-hash";

/// The revisions of a workload, oldest first, and the writes that bring them up to date.
pub(super) struct History {
    revisions: Vec<Object>,
    /// The name of the current template's revision.
    pub(super) update: Arc<str>,
}

impl History {
    /// Finds the revision of the current template, or makes it.
    pub(super) fn of(store: &Store, owner: &Object, label: &str, writes: &mut Vec<Write>) -> Self {
        let owned = store.owned_by(owner.meta.uid);
        let mut revisions: Vec<Object> = owned
            .filter(|object| object.kind == Kind::ControllerRevision)
            .map(|object| (**object).clone())
            .collect();
        order::sort_by_key(&mut revisions, |revision| {
            (number(revision), revision.meta.creation_timestamp)
        });
        let data = data_of(owner);
        let next = revisions.last().map_or(0, number) + 1;
        let equal = revisions.iter().rposition(|r| r.content().get("data") == Some(&data));
        let update = match equal {
            Some(index) => {
                let is_last = index + 1 == revisions.len();
                let mut revision = revisions.remove(index);
                if !is_last {
                    let mut content = revision.content().clone();
                    content.put(&["revision"], next);
                    revision.set_content(content);
                    writes.push(Write::Update(Box::new(revision.clone())));
                }
                revision
            }
            None => {
                let revision = new_revision(owner, data, next, label);
                writes.push(Write::Create(Box::new(revision.clone())));
                revision
            }
        };
        let name = update.meta.name.clone();
        revisions.push(update);
        History { revisions, update: name }
    }

    /// The hash in the current revision's name.
    pub(super) fn update_hash(&self, owner: &Object) -> &str {
        hash_of(&self.update, owner)
    }

    /// Whether there is a revision of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.revisions.iter().any(|revision| &*revision.meta.name == name)
    }

    /// The template of a revision.
    pub(super) fn template(&self, name: &str, owner: &Object) -> Option<PodTemplate> {
        if name == &*self.update {
            return owner.pod_template().cloned();
        }
        let revision = self.revisions.iter().find(|revision| &*revision.meta.name == name)?;
        let mut template = revision.content().at(&["data", "spec", "template"])?.clone();
        template.remove(&["$patch"]);
        let mut old = owner.clone();
        let mut spec = owner.spec().clone();
        spec.put(&["template"], template);
        old.set_spec(spec);
        old.pod_template().cloned()
    }

    /// Deletes the oldest revisions beyond `revisionHistoryLimit` that no pod lives by.
    pub(super) fn truncate(&self, owner: &Object, live: &[&str], writes: &mut Vec<Write>) {
        let limit = owner.spec().int_at(&["revisionHistoryLimit"]).unwrap_or(10);
        let dead = |revision: &&Object| {
            let (name, hash) = (&*revision.meta.name, hash_of(&revision.meta.name, owner));
            name != &*self.update && !live.contains(&name) && !live.contains(&hash)
        };
        let dead: Vec<&Object> = self.revisions.iter().filter(dead).collect();
        let excess = dead.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        let stored = dead.iter().filter(|revision| revision.meta.uid != Uid::default());
        writes.extend(stored.take(excess).map(|revision| Write::delete(revision)));
    }
}

fn hash_of<'a>(name: &'a str, owner: &Object) -> &'a str {
    name.strip_prefix(&*owner.meta.name).and_then(|rest| rest.strip_prefix('-')).unwrap_or(name)
}

fn number(revision: &Object) -> i64 {
    revision.content().int_at(&["revision"]).unwrap_or_default()
}

fn data_of(owner: &Object) -> Value {
    let mut template = owner.spec().get("template").cloned().unwrap_or_default();
    template.put(&["$patch"], "replace");
    json!({"spec": {"template": template}})
}

fn new_revision(owner: &Object, data: Value, number: i64, label: &str) -> Object {
    let hash = names::safe_encode(names::fnv32a(data.to_string().as_bytes()));
    let labels = owner.pod_template().map(|t| t.labels.clone()).unwrap_or_default();
    let meta = ObjectMeta {
        name: format!("{}-{hash}", owner.meta.name).into(),
        namespace: owner.meta.namespace.clone(),
        labels: with_label(&labels, label, &hash),
        details: Details {
            annotations: owner.meta.annotations.clone(),
            owner_references: Arc::from([controller_reference(owner)]),
            ..Details::default()
        }
        .into(),
        ..ObjectMeta::default()
    };
    let body = Body::Tree { content: Arc::default(), status: None };
    let mut revision = Object { kind: Kind::ControllerRevision, meta, body };
    revision.set_content(json!({"data": data, "revision": number}));
    revision
}
