//! The disks of a pod: its claims must exist and be bound, and their volumes be reachable.
//!
//! Models pkg/scheduler/framework/plugins/{volumebinding,volumezone,volumerestrictions}.
//!
//! Simplified: CSI limits of volumes a node are not counted.

use super::{Cycle, Filter, NodeInfo, Rejection};
use crate::api::node_affinity::node_selector_matches;
use crate::api::pod::VolumeSource;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::store::Store;
use std::sync::Arc;

const NAME: &str = "VolumeBinding";

#[derive(Clone, Debug)]
pub(super) struct VolumeBinding {
    /// Volumes of claims that are bound.
    bound: Vec<Arc<Object>>,
    /// For each claim that waits for its first pod: the volumes it could take, and whether a
    /// provisioner could make one.
    waiting: Vec<(Vec<Arc<Object>>, bool)>,
}

impl VolumeBinding {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Result<Option<Box<dyn Filter>>, Rejection> {
        let namespace = &cycle.pod.meta.namespace;
        let claims = cycle.spec.volumes.iter().filter_map(|(_, source)| match source {
            VolumeSource::PersistentVolumeClaim(name) => Some(name),
            _ => None,
        });
        let mut found = Vec::new();
        for name in claims {
            let refuse = |why: String| Rejection::unresolvable(NAME, why);
            let Some(claim) = cycle.store.find(Kind::PersistentVolumeClaim, namespace, name) else {
                return Err(refuse(format!("persistentvolumeclaim \"{name}\" not found")));
            };
            if claim.status().str_at(&["phase"]) == Some("Lost") {
                let volume = claim.spec().str_at(&["volumeName"]).unwrap_or_default();
                return Err(refuse(format!(
                    "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \
                     \"{volume}\""
                )));
            }
            if claim.meta.is_terminating() {
                return Err(refuse(format!("persistentvolumeclaim \"{name}\" is being deleted")));
            }
            found.push(claim.clone());
        }
        if found.is_empty() {
            return Ok(None);
        }
        let (mut bound, mut waiting) = (Vec::new(), Vec::new());
        for claim in found {
            match claim.spec().str_at(&["volumeName"]).filter(|name| !name.is_empty()) {
                Some(name) => {
                    bound.extend(cycle.store.find(Kind::PersistentVolume, "", name).cloned());
                }
                None if waits_for_consumer(cycle.store, &claim) => {
                    waiting.push((
                        candidates(cycle.store, &claim),
                        has_provisioner(cycle.store, &claim),
                    ));
                }
                None => {
                    let reason = "pod has unbound immediate PersistentVolumeClaims";
                    return Err(Rejection::unresolvable(NAME, reason));
                }
            }
        }
        Ok(Some(Box::new(VolumeBinding { bound, waiting })))
    }
}

/// The claims of a pod that wait for it to be given a node.
pub(in super::super) fn delayed_claims(store: &Store, pod: &Object) -> Vec<Arc<Object>> {
    let volumes = pod.pod().map(|facts| facts.spec.volumes.iter()).into_iter().flatten();
    let claims = volumes.filter_map(|(_, source)| match source {
        VolumeSource::PersistentVolumeClaim(name) => {
            store.find(Kind::PersistentVolumeClaim, &pod.meta.namespace, name)
        }
        _ => None,
    });
    let unbound = |claim: &&Arc<Object>| {
        claim.spec().str_at(&["volumeName"]).is_none_or(str::is_empty)
            && waits_for_consumer(store, claim)
    };
    claims.filter(unbound).cloned().collect()
}

impl Filter for VolumeBinding {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if !self.bound.iter().all(|volume| reachable(volume, node)) {
            let reason = "node(s) didn't match PersistentVolume's node affinity";
            return Err(Rejection::unresolvable(NAME, reason));
        }
        let takes = |(volumes, provisioner): &(Vec<Arc<Object>>, bool)| {
            *provisioner || volumes.iter().any(|volume| reachable(volume, node))
        };
        if !self.waiting.iter().all(takes) {
            let reason = "node(s) didn't find available persistent volumes to bind";
            return Err(Rejection::unresolvable(NAME, reason));
        }
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

fn reachable(volume: &Object, node: &NodeInfo) -> bool {
    let required = volume.spec().at(&["nodeAffinity", "required"]);
    required.is_none_or(|selector| node_selector_matches(selector, &node.node))
}

fn class_of<'a>(store: &'a Store, claim: &Object) -> Option<&'a Arc<Object>> {
    store.find(Kind::StorageClass, "", claim.spec().str_at(&["storageClassName"])?)
}

fn waits_for_consumer(store: &Store, claim: &Object) -> bool {
    class_of(store, claim).is_some_and(|class| {
        class.content().str_at(&["volumeBindingMode"]) == Some("WaitForFirstConsumer")
    })
}

fn has_provisioner(store: &Store, claim: &Object) -> bool {
    class_of(store, claim).is_some_and(|class| {
        let provisioner = class.content().str_at(&["provisioner"]).unwrap_or_default();
        provisioner != "kubernetes.io/no-provisioner"
    })
}

fn candidates(store: &Store, claim: &Object) -> Vec<Arc<Object>> {
    let class = claim.spec().str_at(&["storageClassName"]).unwrap_or_default();
    let fits = |volume: &&Arc<Object>| {
        volume.spec().str_at(&["storageClassName"]).unwrap_or_default() == class
            && volume.status().str_at(&["phase"]) == Some("Available")
    };
    store.list(Kind::PersistentVolume).filter(fits).cloned().collect()
}
