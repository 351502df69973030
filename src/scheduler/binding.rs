//! Pods that have been given a node and whose volumes are being bound: they are on their way, but
//! the API does not know of it yet.
//!
//! Models plugins/volumebinding PreBind and binder.go BindPodVolumes.

use super::plugins::{Bindings, bindings_on, claims_of};
use super::{Scheduler, event};
use crate::api::node_affinity::SELECTED_NODE;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::volume_match::{BOUND_BY_CONTROLLER, is_bound_to, is_fully_bound, is_reachable};
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{ObjectKey, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

/// How often it is looked whether the volumes are bound.
const POLL: Duration = Duration::from_secs(1);
/// When it is given up.
const TIMEOUT: Duration = Duration::from_secs(600);

/// One such pod.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    /// The pod as it was when it got its node.
    pub(super) pod: Arc<Object>,
    pub(super) node: Arc<str>,
    /// When it is looked at next, and when it is given up.
    pub(super) next: SimTime,
    end: SimTime,
}

impl Scheduler {
    /// Begins to bind the volumes of a pod that gets a node. Says whether there are any to bind.
    pub(super) fn begin_binding(
        &mut self,
        store: &Store,
        pod: &Arc<Object>,
        node: &Arc<str>,
        now: SimTime,
        writes: &mut Vec<Write>,
    ) -> bool {
        let Some(bindings) = bindings_on(store, pod, node) else { return false };
        let mut new = (**pod).clone();
        if let Some(facts) = new.pod_mut() {
            facts.status.nominated_node_name = Some(node.clone());
        }
        writes.push(Write::UpdateStatus(Box::new(new)));
        writes.extend(tell_volumes(&bindings, node));
        let binding =
            Binding { pod: pod.clone(), node: node.clone(), next: now + POLL, end: now + TIMEOUT };
        self.binding.insert(ObjectKey::of(pod), binding);
        true
    }

    /// Looks at the pods whose volumes are being bound, those that are due.
    pub(super) fn poll_bindings(&mut self, store: &Store, now: SimTime, writes: &mut Vec<Write>) {
        let due: Vec<(ObjectKey, Binding)> = self
            .binding
            .iter()
            .filter(|(_, binding)| binding.next <= now)
            .map(|(key, binding)| (key.clone(), binding.clone()))
            .collect();
        for (key, mut binding) in due {
            if are_bound(store, &binding) {
                self.binding.remove(&key);
                writes.extend(super::bind(&binding.pod, &binding.node, now));
            } else if binding.end <= now {
                self.binding.remove(&key);
                self.snapshot.remove_pod(&binding.node, binding.pod.meta.uid);
                self.snapshot.confirm(&key);
                let message = "running PreBind plugin \"VolumeBinding\": binding volumes: context \
                               deadline exceeded";
                let pod = store.get(Kind::Pod, &key).unwrap_or(&binding.pod);
                writes.push(event(pod, true, "FailedScheduling", message.to_owned(), now));
                let priority = pod.pod().map_or(0, |facts| facts.spec.priority);
                self.queue.add(key, priority, now);
            } else {
                binding.next = now + POLL;
                self.binding.insert(key, binding);
            }
        }
    }
}

/// Tells volumes which claims they are for, and claims for which node a volume is to be made.
///
/// Models binder.go bindAPIUpdate.
fn tell_volumes(bindings: &Bindings, node: &str) -> Vec<Write> {
    let found = bindings.found.iter().map(|(claim, volume)| {
        let mut new = (**volume).clone();
        if !is_bound_to(volume, claim) {
            new.meta.annotations.set(BOUND_BY_CONTROLLER, "yes");
        }
        let mut spec = volume.spec().clone();
        spec.put(&["claimRef"], claim_reference(claim));
        new.set_spec(spec);
        new
    });
    let provisioned = bindings.provisioned.iter().map(|claim| {
        let mut new = (**claim).clone();
        new.meta.annotations.set(SELECTED_NODE, node);
        new
    });
    found.chain(provisioned).map(|object| Write::Update(Box::new(object))).collect()
}

fn claim_reference(claim: &Object) -> crate::api::Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": *claim.meta.name,
        "namespace": *claim.meta.namespace, "uid": claim.meta.uid.to_string(),
        "resourceVersion": claim.meta.resource_version.to_string(),
    })
}

/// Models binder.go checkBindings.
fn are_bound(store: &Store, binding: &Binding) -> bool {
    let Some(facts) = binding.pod.pod() else { return false };
    let Some(node) = store.find(Kind::Node, "", &binding.node) else { return false };
    let namespace = &binding.pod.meta.namespace;
    claims_of(&facts.spec).all(|name| {
        let claim = store.find(Kind::PersistentVolumeClaim, namespace, name);
        claim.filter(|claim| is_fully_bound(claim)).is_some_and(|claim| {
            let name = claim.spec().str_at(&["volumeName"]).unwrap_or_default();
            let volume = store.find(Kind::PersistentVolume, "", name);
            volume.is_some_and(|volume| is_reachable(volume, node))
        })
    })
}
