//! Claims find volumes, and volumes that are not needed any more are reclaimed.
//!
//! Models pkg/controller/volume/persistentvolume.

use crate::api::node_affinity::SELECTED_NODE;
use crate::api::pod::VolumeSource;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::volume_match::{
    BIND_COMPLETED, BOUND_BY_CONTROLLER, OLD_CLASS, Seeker, class_name, find_volume, is_bound_to,
    offered_bytes, offers_access_modes, requested_bytes, same_volume_mode,
};
use crate::api::{Kind, Object, Uid};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, ObjectKey, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "persistentvolume-controller";
/// How often all claims and volumes are looked at even if nothing changes.
const RESYNC_MICROS: u64 = 15_000_000;
/// How long the news of a pod takes to this controller. A claim that is made together with its pod
/// is looked at before that.
const POD_NEWS: Duration = Duration::from_millis(5);
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const PROVISIONER: [&str; 2] =
    ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
/// The modes that a volume can have at most; those with the fewest are tried first.
const MOST_MODES: usize = 4;

/// The controller that binds claims to volumes.
#[derive(Clone, Copy, Debug)]
pub(super) struct VolumeBinder;

impl Controller for VolumeBinder {
    fn name(&self) -> &'static str {
        NAME
    }

    /// A new volume wakes no claim: these look for one when they change, and every 15 seconds.
    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        let own = Key { kind: change.kind, object: change.key.clone() };
        let gone = change.old.as_ref().filter(|_| change.new.is_none());
        match change.kind {
            Kind::PersistentVolumeClaim => {
                let volume = gone.and_then(|claim| claim.spec().str_at(&["volumeName"]));
                let volume = volume.map(|name| Key {
                    kind: Kind::PersistentVolume,
                    object: ObjectKey::new("", name),
                });
                volume.into_iter().chain([own]).collect()
            }
            Kind::PersistentVolume => {
                let before = change.old.as_ref().and_then(|volume| claim_key(volume));
                let after = change.new.as_ref().and_then(|volume| claim_key(volume));
                before.filter(|key| Some(key) != after.as_ref()).into_iter().chain([own]).collect()
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(object) = store.get(key.kind, &key.object) else { return Plan::default() };
        let into_period = now.since(SimTime::WORLD_START).as_micros() % u128::from(RESYNC_MICROS);
        let left = RESYNC_MICROS - u64::try_from(into_period).unwrap_or_default();
        let resync = Some(Duration::from_micros(left));
        if into_period != 0 && has_lost_touch(store, object) {
            // Only then it is noticed.
            return Plan { writes: Vec::new(), requeue_after: resync };
        }
        let mut writes = match key.kind {
            Kind::PersistentVolume => sync_volume(store, object, now),
            _ if object.meta.annotations.get(BIND_COMPLETED).is_some() => {
                sync_bound_claim(store, object, now)
            }
            _ => sync_unbound_claim(store, object, now),
        };
        // Each was read before the write ahead of it.
        for write in &mut writes {
            if let Write::Update(object) | Write::UpdateStatus(object) = write {
                object.meta.resource_version = 0;
            }
        }
        let is_settled = matches!(phase(object), Some("Bound" | "Lost" | "Available" | "Released"));
        Plan { writes, requeue_after: resync.filter(|_| !is_settled) }
    }
}

/// Whether a bound claim's volume is nobody's now, because a person made it so.
fn has_lost_touch(store: &Store, claim: &Object) -> bool {
    let name = claim.spec().str_at(&["volumeName"]).unwrap_or_default();
    phase(claim) == Some("Bound")
        && claim.kind == Kind::PersistentVolumeClaim
        && store
            .find(Kind::PersistentVolume, "", name)
            .is_some_and(|volume| volume.spec().get("claimRef").is_none())
}

/// The key of the claim that a volume is for.
fn claim_key(volume: &Object) -> Option<Key> {
    let text = |key| volume.spec().str_at(&["claimRef", key]);
    let object = ObjectKey::new(text("namespace")?, text("name")?);
    Some(Key { kind: Kind::PersistentVolumeClaim, object })
}

fn phase(object: &Object) -> Option<&str> {
    object.status().str_at(&["phase"])
}

fn event(about: &Object, warning: bool, reason: &str, message: String, now: SimTime) -> Write {
    Write::event(about.reference(), warning, reason, message, NAME, now)
}

/// Models pv_controller.go updateVolumePhase.
fn with_volume_phase(volume: &Object, wanted: &str, message: &str, now: SimTime) -> Option<Write> {
    if phase(volume) == Some(wanted) {
        return None;
    }
    let mut status = volume.status().clone();
    status.put(&["phase"], wanted);
    status.remove(&["message"]);
    if !message.is_empty() {
        status.put(&["message"], message);
    }
    status.put(&["lastPhaseTransitionTime"], now.rfc3339());
    let mut new = volume.clone();
    new.set_status(status);
    Some(Write::UpdateStatus(Box::new(new)))
}

/// Sets a claim's phase, with what it has got from its volume if it is bound.
///
/// Models pv_controller.go updateClaimStatus.
fn with_claim_phase(claim: &Object, wanted: &str, volume: Option<&Object>) -> Option<Write> {
    let mut status = claim.status().clone();
    status.put(&["phase"], wanted);
    match volume {
        None => {
            status.remove(&["accessModes"]);
            status.remove(&["capacity"]);
        }
        Some(volume) => {
            let field = |key: &str| volume.spec().get(key).cloned().unwrap_or_default();
            status.put(&["accessModes"], field("accessModes"));
            if phase(claim) != Some(wanted) {
                status.put(&["capacity"], field("capacity"));
            }
        }
    }
    if status == *claim.status() {
        return None;
    }
    let mut new = claim.clone();
    new.set_status(status);
    Some(Write::UpdateStatus(Box::new(new)))
}

/// Models pv_controller.go syncVolume.
fn sync_volume(store: &Store, volume: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let available = || with_volume_phase(volume, "Available", "", now).into_iter().collect();
    let uid = volume.spec().str_at(&["claimRef", "uid"]).and_then(Uid::parse);
    let (Some(uid), Some(key)) = (uid, claim_key(volume)) else {
        // Nobody's, or reserved by a person.
        return available();
    };
    let claim = store.get(key.kind, &key.object).filter(|claim| claim.meta.uid == uid);
    let Some(claim) = claim else { return release(volume, now) };
    let bound_to = claim.spec().str_at(&["volumeName"]).unwrap_or_default();
    if bound_to == &*volume.meta.name {
        return with_volume_phase(volume, "Bound", "", now).into_iter().collect();
    }
    if bound_to.is_empty() {
        if !same_volume_mode(claim, volume) {
            return mismatched_modes(claim, volume, now);
        }
        // The claim's turn, at once.
        return sync_unbound_claim(store, claim, now);
    }
    let policy = volume.spec().str_at(&["persistentVolumeReclaimPolicy"]);
    if volume.meta.annotations.get(PROVISIONED_BY).is_some() && policy == Some("Delete") {
        return release(volume, now);
    }
    unbind(volume, now)
}

fn mismatched_modes(claim: &Object, volume: &Object, now: SimTime) -> Vec<Write> {
    let of_volume = format!(
        "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"{}\" due to incompatible \
         volumeMode.",
        claim.meta.name
    );
    let of_claim = format!(
        "Cannot bind PersistentVolume \"{}\" to requested PersistentVolumeClaim due to incompatible \
         volumeMode.",
        volume.meta.name
    );
    vec![
        event(volume, true, "VolumeMismatch", of_volume, now),
        event(claim, true, "VolumeMismatch", of_claim, now),
    ]
}

/// Frees a volume from a claim that got another one. Models pv_controller.go unbindVolume.
fn unbind(volume: &Object, now: SimTime) -> Vec<Write> {
    let mut new = volume.clone();
    let mut spec = volume.spec().clone();
    match new.meta.annotations.unset(BOUND_BY_CONTROLLER) {
        true => drop(spec.remove(&["claimRef"])),
        false => drop(spec.remove(&["claimRef", "uid"])),
    }
    new.set_spec(spec);
    let available = with_volume_phase(&new, "Available", "", now);
    [Write::Update(Box::new(new))].into_iter().chain(available).collect()
}

/// The claim of a volume is gone: what becomes of the volume is its policy's affair.
///
/// Models pv_controller.go reclaimVolume.
fn release(volume: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let released = match phase(volume) {
        Some("Released" | "Failed") => None,
        _ => with_volume_phase(volume, "Released", "", now),
    };
    let mut writes: Vec<Write> = released.into_iter().collect();
    let fail = |reason: &str, why: String| {
        let failed = with_volume_phase(volume, "Failed", &why, now);
        failed
            .into_iter()
            .flat_map(|write| [write, event(volume, true, reason, why.clone(), now)])
            .collect::<Vec<_>>()
    };
    match volume.spec().str_at(&["persistentVolumeReclaimPolicy"]) {
        Some("Delete") if !volume.meta.is_terminating() => match deletion(volume) {
            Ok(true) => writes.push(Write::delete(volume)),
            Ok(false) => {}
            Err(why) => writes.extend(fail("VolumeFailedDelete", why)),
        },
        // Simplified: no pod is run that empties the volume; it is empty at once.
        Some("Recycle") if ["hostPath", "nfs"].iter().any(|s| volume.spec().get(s).is_some()) => {
            writes.push(event(volume, false, "VolumeRecycled", "Volume recycled".into(), now));
            writes.extend(unbind(volume, now));
        }
        Some("Recycle") => {
            let why = "No recycler plugin found for the volume!".to_owned();
            writes.extend(fail("VolumeFailedRecycle", why));
        }
        _ => {}
    }
    writes
}

/// Whether this controller deletes a volume itself, rather than the one that made it.
///
/// Models pv_controller.go findDeletablePlugin and pkg/volume/hostpath/host_path.go.
///
/// # Errors
/// Why nobody can delete it.
fn deletion(volume: &Object) -> Result<bool, String> {
    let made_by = volume.meta.annotations.get(PROVISIONED_BY).unwrap_or_default();
    if !made_by.is_empty() && !made_by.starts_with("kubernetes.io/")
        || volume.spec().get("csi").is_some()
    {
        return Ok(false);
    }
    let Some(path) = volume.spec().str_at(&["hostPath", "path"]) else {
        return Err(format!(
            "error getting deleter volume plugin for volume \"{}\": no deletable volume plugin \
             matched",
            volume.meta.name
        ));
    };
    match path.split_once("/tmp/").is_some_and(|(_, rest)| !rest.is_empty()) {
        true => Ok(true),
        false => {
            Err(format!("host_path deleter only supports /tmp/.+ but received provided {path}"))
        }
    }
}

/// Models pv_controller.go syncUnboundClaim.
fn sync_unbound_claim(store: &Store, claim: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let pending = || with_claim_phase(claim, "Pending", None);
    if let Some(name) = claim.spec().str_at(&["volumeName"]).filter(|name| !name.is_empty()) {
        let Some(volume) = store.find(Kind::PersistentVolume, "", name) else {
            return pending().into_iter().collect();
        };
        let is_free = volume.spec().get("claimRef").is_none();
        let (reason, why) = match mismatch(claim, volume).filter(|_| is_free) {
            Some(why) => {
                ("VolumeMismatch", format!("Cannot bind to requested volume \"{name}\": {why}"))
            }
            None if is_free || is_bound_to(volume, claim) => return bind(claim, volume, now),
            None => {
                ("FailedBinding", format!("volume \"{name}\" already bound to a different claim."))
            }
        };
        return [event(claim, true, reason, why, now)].into_iter().chain(pending()).collect();
    }
    let class = store.find(Kind::StorageClass, "", class_name(claim));
    let mode = class.and_then(|class| class.content().str_at(&["volumeBindingMode"]));
    let delayed = mode == Some("WaitForFirstConsumer");
    if let Some(volume) = best_volume(store, claim, delayed) {
        return bind(claim, volume, now);
    }
    if let Some(write) = with_default_class(store, claim) {
        return vec![write];
    }
    if delayed && claim.meta.annotations.get(SELECTED_NODE).is_none() {
        let (reason, message) = waiting_for(store, claim, now);
        return [event(claim, false, reason, message, now)].into_iter().chain(pending()).collect();
    }
    if class_name(claim).is_empty() {
        let why = "no persistent volumes available for this claim and no storage class is set";
        let failed = event(claim, false, "FailedBinding", why.to_owned(), now);
        return [failed].into_iter().chain(pending()).collect();
    }
    provision(claim, class, now)
}

/// Why a claim cannot have the volume that it names. Models checkVolumeSatisfyClaim.
fn mismatch(claim: &Object, volume: &Object) -> Option<String> {
    if volume.meta.is_terminating() {
        return Some(format!("the volume is marked for deletion \"{}\"", volume.meta.name));
    }
    let why = match () {
        () if offered_bytes(volume) < requested_bytes(claim) => "requested PV is too small",
        () if class_name(volume) != class_name(claim) => "storageClassName does not match",
        () if !same_volume_mode(claim, volume) => "incompatible volumeMode",
        () if !offers_access_modes(claim, volume) => "incompatible accessMode",
        () => return None,
    };
    Some(why.to_owned())
}

/// Models index.go findByClaim.
fn best_volume<'a>(store: &'a Store, claim: &Object, delayed: bool) -> Option<&'a Arc<Object>> {
    let modes = |volume: &Object| volume.spec().items_at(&["accessModes"]).len();
    (1..=MOST_MODES).find_map(|count| {
        let volumes = store.list(Kind::PersistentVolume).filter(|volume| modes(volume) == count);
        find_volume(claim, volumes, Seeker::Binder { delayed })
    })
}

/// A claim that asked for no class gets the default one, even if that came later.
///
/// Models pv_controller.go assignDefaultStorageClass.
fn with_default_class(store: &Store, claim: &Object) -> Option<Write> {
    let says_old = claim.meta.annotations.get(OLD_CLASS).is_some();
    if says_old || claim.spec().get("storageClassName").is_some() {
        return None;
    }
    let is_default = |class: &&Arc<Object>| {
        class.meta.annotations.get("storageclass.kubernetes.io/is-default-class") == Some("true")
    };
    let class = store.list(Kind::StorageClass).find(is_default)?;
    let mut new = claim.clone();
    let mut spec = claim.spec().clone();
    spec.put(&["storageClassName"], &*class.meta.name);
    new.set_spec(spec);
    Some(Write::Update(Box::new(new)))
}

/// Models pv_controller.go emitEventForUnboundDelayBindingClaim.
fn waiting_for(store: &Store, claim: &Object, now: SimTime) -> (&'static str, String) {
    let uses = |source: &VolumeSource| matches!(source, VolumeSource::PersistentVolumeClaim(name) if **name == *claim.meta.name);
    let waits = |object: &&Arc<Object>| {
        object.pod().is_some_and(|pod| {
            pod.node_name.is_none()
                && !pod.status.phase.is_terminal()
                && pod.spec.volumes.iter().any(|(_, source)| uses(source))
        }) && now.since(object.meta.creation_timestamp) >= POD_NEWS
    };
    let pods = store.list_in(Kind::Pod, &claim.meta.namespace).filter(waits);
    let names: Vec<&str> = pods.map(|pod| &*pod.meta.name).collect();
    let message = match names.as_slice() {
        [] => {
            let message = "waiting for first consumer to be created before binding";
            return ("WaitForFirstConsumer", message.to_owned());
        }
        [pod] => format!("waiting for pod {pod} to be scheduled"),
        pods => format!("waiting for pods {} to be scheduled", pods.join(",")),
    };
    ("WaitForPodScheduled", message)
}

/// Asks for a volume to be made. Models pv_controller.go provisionClaim.
fn provision(claim: &Arc<Object>, class: Option<&Arc<Object>>, now: SimTime) -> Vec<Write> {
    let provisioner = class.map(|c| c.content().str_at(&["provisioner"]).unwrap_or_default());
    let fail = |why: String| vec![event(claim, true, "ProvisioningFailed", why, now)];
    let Some(provisioner) = provisioner else {
        return fail(format!("storageclass.storage.k8s.io \"{}\" not found", class_name(claim)));
    };
    // Those of Kubernetes itself are gone, or have become drivers.
    if provisioner.starts_with("kubernetes.io/") {
        return fail(format!("no volume plugin matched name: {provisioner}"));
    }
    let mut new = (**claim).clone();
    for key in PROVISIONER {
        new.meta.annotations.set(key, provisioner);
    }
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or \
         manually by the system administrator. If volume creation is delayed, please verify that \
         the provisioner is running and correctly registered."
    );
    vec![Write::Update(Box::new(new)), event(claim, false, "ExternalProvisioning", message, now)]
}

/// Models pv_controller.go syncBoundClaim.
fn sync_bound_claim(store: &Store, claim: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let lose = |reason: &str, why: &str| {
        let lost = with_claim_phase(claim, "Lost", None).filter(|_| phase(claim) != Some("Lost"));
        let told = |write| [write, event(claim, true, reason, why.to_owned(), now)];
        lost.map(told).into_iter().flatten().collect()
    };
    let name = claim.spec().str_at(&["volumeName"]).unwrap_or_default();
    if name.is_empty() {
        let why = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
        return lose("ClaimLost", why);
    }
    let Some(volume) = store.find(Kind::PersistentVolume, "", name) else {
        let why = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
        return lose("ClaimLost", why);
    };
    match volume.spec().str_at(&["claimRef", "uid"]) {
        Some(uid) if uid != claim.meta.uid.to_string() => {
            let why = "Two claims are bound to the same volume, this one is bound incorrectly";
            lose("ClaimMisbound", why)
        }
        _ => bind(claim, volume, now),
    }
}

/// Models pv_controller.go bind. What is as it should be is not written.
fn bind(claim: &Arc<Object>, volume: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let mut new_volume = (**volume).clone();
    if volume.spec().str_at(&["claimRef", "uid"]) != Some(&claim.meta.uid.to_string()) {
        let mut spec = volume.spec().clone();
        if !is_bound_to(volume, claim) {
            new_volume.meta.annotations.set(BOUND_BY_CONTROLLER, "yes");
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
    }
    let mut new_claim = (**claim).clone();
    if claim.spec().str_at(&["volumeName"]).is_none_or(str::is_empty) {
        new_claim.meta.annotations.set(BOUND_BY_CONTROLLER, "yes");
    }
    new_claim.meta.annotations.set(BIND_COMPLETED, "yes");
    let mut spec = claim.spec().clone();
    spec.put(&["volumeName"], &*volume.meta.name);
    new_claim.set_spec(spec);
    let volume_phase = with_volume_phase(&new_volume, "Bound", "", now);
    let claim_phase = with_claim_phase(&new_claim, "Bound", Some(volume));
    let mut writes = Vec::new();
    if new_volume != **volume {
        writes.push(Write::Update(Box::new(new_volume)));
    }
    writes.extend(volume_phase);
    if new_claim != **claim {
        writes.push(Write::Update(Box::new(new_claim)));
    }
    writes.extend(claim_phase);
    writes
}
