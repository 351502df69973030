//! What is owned goes when its owners are gone.
//!
//! Models pkg/controller/garbagecollector/garbagecollector.go.

use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{
    Change, Controller, DeleteOptions, FOREGROUND_FINALIZER, Key, ORPHAN_FINALIZER, Plan,
    Propagation, Store, Write,
};
use std::sync::Arc;

/// The garbage collector.
#[derive(Clone, Copy, Debug)]
pub(super) struct GarbageCollector;

impl Controller for GarbageCollector {
    fn name(&self) -> &'static str {
        "garbage-collector-controller"
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        if matches!(change.kind, Kind::Event | Kind::Lease) {
            return Vec::new();
        }
        match (&change.old, &change.new) {
            (Some(old), None) => {
                let dependents = store.owned_by(old.meta.uid).map(|object| Key::of(object));
                dependents.chain(waiting_owners(store, old)).collect()
            }
            (old, Some(new)) => {
                let owners = &new.meta.owner_references;
                let new_owners = old.as_ref().map_or(!owners.is_empty(), |old| {
                    !Arc::ptr_eq(owners, &old.meta.owner_references)
                        && *owners != old.meta.owner_references
                });
                if new_owners || waits(new, FOREGROUND_FINALIZER) || waits(new, ORPHAN_FINALIZER) {
                    return vec![Key::of(new)];
                }
                Vec::new()
            }
            (None, None) => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, _now: SimTime) -> Plan {
        let Some(object) = store.get(key.kind, &key.object) else { return Plan::default() };
        if waits(object, ORPHAN_FINALIZER) {
            return Plan::of(orphan_dependents(store, object));
        }
        if waits(object, FOREGROUND_FINALIZER) {
            return Plan::of(delete_dependents(store, object));
        }
        if object.meta.is_terminating() || object.meta.owner_references.is_empty() {
            return Plan::default();
        }
        Plan::of(delete_if_abandoned(store, object).into_iter().collect())
    }
}

fn waits(object: &Object, finalizer: &str) -> bool {
    object.meta.is_terminating() && object.meta.finalizers.iter().any(|f| &**f == finalizer)
}

/// The owners of a gone object that waited for it.
fn waiting_owners<'a>(store: &'a Store, object: &'a Object) -> impl Iterator<Item = Key> + 'a {
    let owners = object.meta.owner_references.iter().filter_map(|o| store.by_uid(o.uid));
    owners.filter(|owner| waits(owner, FOREGROUND_FINALIZER)).map(|owner| Key::of(owner))
}

fn without_finalizer(object: &Object, finalizer: &str) -> Write {
    let mut new = object.clone();
    let others = new.meta.finalizers.iter().filter(|other| &***other != finalizer);
    new.meta.finalizers = others.cloned().collect();
    Write::Update(Box::new(new))
}

fn orphan_dependents(store: &Store, owner: &Object) -> Vec<Write> {
    let dependents = store.owned_by(owner.meta.uid).map(|object| {
        let mut new = (**object).clone();
        let others = new.meta.owner_references.iter().filter(|o| o.uid != owner.meta.uid);
        new.meta.owner_references = others.cloned().collect();
        Write::Update(Box::new(new))
    });
    dependents.chain([without_finalizer(owner, ORPHAN_FINALIZER)]).collect()
}

fn delete_dependents(store: &Store, owner: &Object) -> Vec<Write> {
    let blocks = |object: &Object| {
        let mut references = object.meta.owner_references.iter();
        references.any(|o| o.uid == owner.meta.uid && o.block_owner_deletion)
    };
    let blocking: Vec<_> = store.owned_by(owner.meta.uid).filter(|o| blocks(o)).collect();
    if blocking.is_empty() {
        return vec![without_finalizer(owner, FOREGROUND_FINALIZER)];
    }
    let alive = blocking.into_iter().filter(|object| !object.meta.is_terminating());
    alive
        .map(|object| {
            let has_own = store.owned_by(object.meta.uid).next().is_some();
            let propagation =
                if has_own { Propagation::Foreground } else { Propagation::Background };
            delete(object, propagation)
        })
        .collect()
}

/// An object without a living owner goes; dead references of the others are taken away.
fn delete_if_abandoned(store: &Store, object: &Arc<Object>) -> Option<Write> {
    let owners = &object.meta.owner_references;
    let (alive, dead): (Vec<_>, Vec<_>) =
        owners.iter().partition(|owner| store.by_uid(owner.uid).is_some());
    if dead.is_empty() {
        return None;
    }
    if alive.is_empty() {
        return Some(delete(object, Propagation::Background));
    }
    let mut new = (**object).clone();
    new.meta.owner_references = alive.into_iter().cloned().collect();
    Some(Write::Update(Box::new(new)))
}

fn delete(object: &Object, propagation: Propagation) -> Write {
    let uid = Some(object.meta.uid);
    let options = DeleteOptions { uid, propagation, ..DeleteOptions::default() };
    Write::Delete { key: Key::of(object), options }
}
