//! A definition goes when the last of its objects has gone.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver/pkg/controller/finalizer.

use crate::api::Kind;
use crate::base::SimTime;
use crate::store::{Change, Controller, DeleteOptions, Key, Plan, Store, Write, custom};

/// The controller that empties definitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct CustomResources;

impl Controller for CustomResources {
    fn name(&self) -> &'static str {
        "crd-finalizer"
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let definition = match change.kind {
            Kind::CustomResourceDefinition => change.new.as_ref(),
            kind => store.definition_of(kind),
        };
        let ending = definition.filter(|definition| definition.meta.is_terminating());
        ending.map(|definition| Key::of(definition)).into_iter().collect()
    }

    fn reconcile(&self, store: &Store, key: &Key, _now: SimTime) -> Plan {
        let Some(definition) = store.get(key.kind, &key.object) else { return Plan::default() };
        if !definition.meta.is_terminating() {
            return Plan::default();
        }
        let objects = custom::kind_of(definition).into_iter().flat_map(|kind| store.list(kind));
        let objects: Vec<_> = objects.collect();
        if objects.is_empty() {
            let mut new = (**definition).clone();
            let names = definition.meta.finalizers.iter();
            let others = names.filter(|name| &***name != custom::CLEANUP);
            new.meta.finalizers = others.cloned().collect();
            return Plan::of(vec![Write::Update(Box::new(new))]);
        }
        let ending = objects.iter().filter(|object| !object.meta.is_terminating());
        Plan::of(
            ending
                .map(|object| Write::Delete {
                    key: Key::of(object),
                    options: DeleteOptions::default(),
                })
                .collect(),
        )
    }
}
