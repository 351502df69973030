//! Claims and volumes that are in use stay although somebody has deleted them.
//!
//! Models pkg/controller/volume/{pvcprotection,pvprotection}.

use crate::api::pod::VolumeSource;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, ObjectKey, Plan, Store, Write};
use std::sync::Arc;

fn claims_of(change: &Change) -> impl Iterator<Item = ObjectKey> + '_ {
    let object = change.object().filter(|object| object.kind == Kind::Pod);
    let volumes = object.and_then(|object| object.pod()).into_iter().flat_map(|p| &p.spec.volumes);
    volumes.filter_map(|(_, source)| match source {
        VolumeSource::PersistentVolumeClaim(name) => {
            Some(ObjectKey::new(&change.key.namespace, name))
        }
        _ => None,
    })
}

/// Whether a pod uses a claim: one without a node does not yet.
///
/// Models pvc_protection_controller.go podUsesPVC.
fn uses(pod: &Object, claim: &str) -> bool {
    pod.pod().filter(|pod| pod.node_name.is_some()).is_some_and(|pod| {
        pod.spec.volumes.iter().any(|(_, source)| {
            matches!(source, VolumeSource::PersistentVolumeClaim(name) if name == claim)
        })
    })
}

/// The controller that lets deleted claims and volumes go once nothing uses them.
#[derive(Clone, Copy, Debug)]
pub(super) struct VolumeProtection;

impl Controller for VolumeProtection {
    fn name(&self) -> &'static str {
        "pvc-protection-controller"
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::PersistentVolumeClaim | Kind::PersistentVolume => {
                let terminating = |o: &Arc<Object>| o.meta.is_terminating();
                if change.new.as_ref().is_some_and(terminating) {
                    return vec![Key { kind: change.kind, object: change.key.clone() }];
                }
                let volume = change.old.as_ref().and_then(|o| o.spec().str_at(&["volumeName"]));
                let volume = volume.filter(|_| change.new.is_none()).map(|name| Key {
                    kind: Kind::PersistentVolume,
                    object: ObjectKey::new("", name),
                });
                volume.into_iter().collect()
            }
            Kind::Pod => {
                let kind = Kind::PersistentVolumeClaim;
                let ended = change
                    .new
                    .as_ref()
                    .is_none_or(|pod| pod.pod().is_some_and(|pod| pod.status.phase.is_terminal()));
                claims_of(change).filter(|_| ended).map(|object| Key { kind, object }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, _now: SimTime) -> Plan {
        let Some(object) = store.get(key.kind, &key.object) else { return Plan::default() };
        if !object.meta.is_terminating() {
            return Plan::default();
        }
        let (finalizer, used) = match key.kind {
            Kind::PersistentVolume => {
                ("kubernetes.io/pv-protection", object.status().str_at(&["phase"]) == Some("Bound"))
            }
            _ => {
                let mut pods = store.list_in(Kind::Pod, &object.meta.namespace);
                let used = pods.any(|pod| {
                    uses(pod, &object.meta.name)
                        && pod.pod().is_some_and(|pod| !pod.status.phase.is_terminal())
                });
                ("kubernetes.io/pvc-protection", used)
            }
        };
        if used || object.meta.finalizers.iter().all(|f| &**f != finalizer) {
            return Plan::default();
        }
        let mut new = (**object).clone();
        let others = new.meta.finalizers.iter().filter(|other| &***other != finalizer);
        new.meta.finalizers = others.cloned().collect();
        Plan::of(vec![Write::Update(Box::new(new))])
    }
}
