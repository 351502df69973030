//! Claims find volumes; claims and volumes in use are protected.
//!
//! Models pkg/controller/volume/{persistentvolume,pvcprotection,pvprotection}.

use crate::api::node_affinity::{SELECTED_NODE, node_selector_matches};
use crate::api::pod::{VolumeSource, quantity_of};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Selector, Value};
use crate::base::{Quantity, SimTime};
use crate::store::{Change, Controller, Key, ObjectKey, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "persistentvolume-controller";
/// How often claims and volumes are looked at even if nothing changes.
const RESYNC: Duration = Duration::from_secs(15);
const BOUND_BY: &str = "pv.kubernetes.io/bound-by-controller";
const COMPLETED: &str = "pv.kubernetes.io/bind-completed";

/// The controller that binds claims to volumes.
#[derive(Clone, Copy, Debug)]
pub(super) struct VolumeBinder;

impl Controller for VolumeBinder {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let own = Key { kind: change.kind, object: change.key.clone() };
        match change.kind {
            Kind::PersistentVolumeClaim => {
                let volume = change.old.as_ref().filter(|_| change.new.is_none());
                let volume = volume.and_then(|claim| claim.spec().str_at(&["volumeName"]));
                let volume = volume.map(|name| Key {
                    kind: Kind::PersistentVolume,
                    object: ObjectKey::new("", name),
                });
                volume.into_iter().chain([own]).collect()
            }
            Kind::PersistentVolume => {
                let all = store.list(Kind::PersistentVolumeClaim);
                let unbound = all.filter(|claim| phase(claim) != Some("Bound"));
                unbound.map(|claim| Key::of(claim)).chain([own]).collect()
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(object) = store.get(key.kind, &key.object) else { return Plan::default() };
        match key.kind {
            Kind::PersistentVolume => Plan::of(sync_volume(store, object, now)),
            Kind::PersistentVolumeClaim => sync_claim(store, object, now),
            _ => Plan::default(),
        }
    }
}

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

fn phase(object: &Object) -> Option<&str> {
    object.status().str_at(&["phase"])
}

fn class_name(object: &Object) -> &str {
    object.spec().str_at(&["storageClassName"]).unwrap_or_default()
}

fn event(about: &Object, warning: bool, reason: &str, message: String, now: SimTime) -> Write {
    Write::event(about.reference(), warning, reason, message, NAME, now)
}

fn with_phase(object: &Object, phase: &str, now: SimTime) -> Option<Write> {
    let mut status = object.status().clone();
    status.put(&["phase"], phase);
    if *object.status() == status {
        return None;
    }
    if object.kind == Kind::PersistentVolume {
        status.put(&["lastPhaseTransitionTime"], now.rfc3339());
    }
    let mut new = object.clone();
    new.set_status(status);
    Some(Write::UpdateStatus(Box::new(new)))
}

/// Models pv_controller.go syncVolume.
fn sync_volume(store: &Store, volume: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let Some(reference) = volume.spec().get("claimRef") else {
        return with_phase(volume, "Available", now).into_iter().collect();
    };
    let text = |key| reference.str_at(&[key]).unwrap_or_default();
    let Some(uid) = reference.str_at(&["uid"]) else {
        // Reserved for a claim by a person.
        return with_phase(volume, "Available", now).into_iter().collect();
    };
    let claim = store.find(Kind::PersistentVolumeClaim, text("namespace"), text("name"));
    if claim.is_some_and(|claim| claim.meta.uid.to_string() == uid) {
        return with_phase(volume, "Bound", now).into_iter().collect();
    }
    let policy = volume.spec().str_at(&["persistentVolumeReclaimPolicy"]);
    let released = with_phase(volume, "Released", now);
    match policy {
        Some("Delete") if !volume.meta.is_terminating() => {
            released.into_iter().chain([Write::delete(volume)]).collect()
        }
        _ => released.into_iter().collect(),
    }
}

/// Models pv_controller.go syncUnboundClaim, syncBoundClaim.
fn sync_claim(store: &Store, claim: &Arc<Object>, now: SimTime) -> Plan {
    if let Some(name) = claim.spec().str_at(&["volumeName"]).filter(|name| !name.is_empty()) {
        return Plan::of(sync_named(store, claim, name, now));
    }
    if claim.meta.is_terminating() {
        return Plan::default();
    }
    let class = store.find(Kind::StorageClass, "", class_name(claim));
    let mode = class.and_then(|class| class.content().str_at(&["volumeBindingMode"]));
    let delayed = mode == Some("WaitForFirstConsumer");
    let consumer = consumer_node(store, claim);
    if delayed && consumer.is_none() {
        let pending = with_phase(claim, "Pending", now);
        let message = "waiting for first consumer to be created before binding".to_owned();
        let waiting = event(claim, false, "WaitForFirstConsumer", message, now);
        let writes = pending.into_iter().chain([waiting]).collect();
        return Plan { writes, requeue_after: Some(RESYNC) };
    }
    if let Some(volume) = best_volume(store, claim, consumer) {
        return Plan::of(bind(claim, &volume, now));
    }
    let mut writes: Vec<Write> = with_phase(claim, "Pending", now).into_iter().collect();
    let name = class_name(claim);
    writes.push(match class {
        None if name.is_empty() => {
            let message =
                "no persistent volumes available for this claim and no storage class is set";
            event(claim, false, "FailedBinding", message.to_owned(), now)
        }
        None => {
            let message = format!("storageclass.storage.k8s.io \"{name}\" not found");
            event(claim, true, "ProvisioningFailed", message, now)
        }
        Some(class) => {
            let provisioner = class.content().str_at(&["provisioner"]).unwrap_or_default();
            let message = format!(
                "Waiting for a volume to be created either by the external provisioner \
                 '{provisioner}' or manually by the system administrator. If volume creation is \
                 delayed, please verify that the provisioner is running and correctly registered."
            );
            event(claim, false, "ExternalProvisioning", message, now)
        }
    });
    Plan { writes, requeue_after: Some(RESYNC) }
}

/// A claim that names its volume.
fn sync_named(store: &Store, claim: &Arc<Object>, name: &str, now: SimTime) -> Vec<Write> {
    let Some(volume) = store.find(Kind::PersistentVolume, "", name) else {
        if claim.meta.annotations.get(COMPLETED).is_some() {
            let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
            let lost = with_phase(claim, "Lost", now);
            let lost =
                lost.map(|write| [write, event(claim, true, "ClaimLost", message.into(), now)]);
            return lost.into_iter().flatten().collect();
        }
        return with_phase(claim, "Pending", now).into_iter().collect();
    };
    let bound_to = volume.spec().str_at(&["claimRef", "uid"]);
    if bound_to.is_some_and(|uid| uid != claim.meta.uid.to_string()) {
        return with_phase(claim, "Pending", now).into_iter().collect();
    }
    if phase(claim) == Some("Bound") && bound_to.is_some() {
        return Vec::new();
    }
    bind(claim, volume, now)
}

/// The node that the scheduler has chosen for the first pod of the claim.
fn consumer_node<'a>(store: &'a Store, claim: &Object) -> Option<&'a Arc<Object>> {
    store.find(Kind::Node, "", claim.meta.annotations.get(SELECTED_NODE)?)
}

fn uses(pod: &Object, claim: &str) -> bool {
    pod.pod().is_some_and(|pod| {
        pod.spec.volumes.iter().any(|(_, source)| {
            matches!(source, VolumeSource::PersistentVolumeClaim(name) if name == claim)
        })
    })
}

fn size(value: Option<&Value>) -> Option<Quantity> {
    value.and_then(quantity_of)
}

/// The smallest free volume that has what the claim asks for; one reserved for it comes first.
///
/// Models staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go FindMatchingVolume.
fn best_volume(store: &Store, claim: &Object, node: Option<&Arc<Object>>) -> Option<Arc<Object>> {
    let asked = size(claim.spec().at(&["resources", "requests", "storage"]))?;
    let selector = Selector::from_label_selector(claim.spec().get("selector"));
    let modes = claim.spec().items_at(&["accessModes"]);
    let volume_mode =
        |object: &Object| object.spec().str_at(&["volumeMode"]).unwrap_or("Filesystem").to_owned();
    let capacity = |volume: &Object| size(volume.spec().at(&["capacity", "storage"]));
    let fits = |volume: &&Arc<Object>| {
        let offered = volume.spec().items_at(&["accessModes"]);
        let reserved = volume.spec().get("claimRef");
        let mine = reserved.is_some_and(|reference| {
            let at = |key| reference.str_at(&[key]);
            at("namespace") == Some(&*claim.meta.namespace)
                && at("name") == Some(&*claim.meta.name)
                && at("uid").is_none()
        });
        let reachable = volume
            .spec()
            .at(&["nodeAffinity", "required"])
            .is_none_or(|selector| node.is_none_or(|node| node_selector_matches(selector, node)));
        capacity(volume).is_some_and(|capacity| capacity.value() >= asked.value())
            && modes.iter().all(|mode| offered.contains(mode))
            && class_name(volume) == class_name(claim)
            && volume_mode(volume) == volume_mode(claim)
            && (reserved.is_none() || mine)
            && !volume.meta.is_terminating()
            && selector.as_ref().is_none_or(|s| s.matches(&volume.meta.labels))
            && reachable
    };
    let all = store.list(Kind::PersistentVolume).filter(fits);
    let best = all.min_by_key(|volume| {
        let free = volume.spec().get("claimRef").is_none();
        (free, capacity(volume).map_or(i64::MAX, |capacity| capacity.value()))
    });
    best.cloned()
}

/// Models pv_controller.go bind.
fn bind(claim: &Arc<Object>, volume: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let mut new_volume = (**volume).clone();
    let mut spec = volume.spec().clone();
    if spec.get("claimRef").is_none() {
        new_volume.meta.annotations.set(BOUND_BY, "yes");
    }
    spec.put(
        &["claimRef"],
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": *claim.meta.name,
            "namespace": *claim.meta.namespace, "uid": claim.meta.uid.to_string(),
            "resourceVersion": claim.meta.resource_version.to_string(),
        }),
    );
    new_volume.set_spec(spec);
    let mut new_claim = (**claim).clone();
    let mut spec = claim.spec().clone();
    if spec.str_at(&["volumeName"]).is_none_or(str::is_empty) {
        new_claim.meta.annotations.set(BOUND_BY, "yes");
    }
    new_claim.meta.annotations.set(COMPLETED, "yes");
    spec.put(&["volumeName"], &*volume.meta.name);
    new_claim.set_spec(spec);
    let mut status = claim.status().clone();
    status.put(&["phase"], "Bound");
    let modes = volume.spec().get("accessModes").cloned().unwrap_or_default();
    status.put(&["accessModes"], modes);
    let capacity = volume.spec().get("capacity").cloned().unwrap_or_default();
    status.put(&["capacity"], capacity);
    new_claim.set_status(status);
    let mut writes = vec![Write::Update(Box::new(new_volume.clone()))];
    writes.extend(with_phase(&new_volume, "Bound", now));
    writes.push(Write::Update(Box::new(new_claim.clone())));
    writes.push(Write::UpdateStatus(Box::new(new_claim)));
    // Each was read before the write ahead of it.
    for write in &mut writes {
        if let Write::Update(object) | Write::UpdateStatus(object) = write {
            object.meta.resource_version = 0;
        }
    }
    writes
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
                ("kubernetes.io/pv-protection", phase(object) == Some("Bound"))
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
