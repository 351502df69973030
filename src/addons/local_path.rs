//! A provisioner that makes a volume on the node where its first pod runs.
//!
//! Models sigs.k8s.io/sig-storage-lib-external-provisioner controller.go, with Rancher's
//! local-path-provisioner.

use crate::api::node_affinity::SELECTED_NODE;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "rancher.io/local-path";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";

/// The control loop of the provisioner.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalPath;

impl Controller for LocalPath {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::PersistentVolumeClaim | Kind::PersistentVolume => {
                vec![Key { kind: change.kind, object: change.key.clone() }]
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(claim) = store.get(key.kind, &key.object) else { return Plan::default() };
        if key.kind == Kind::PersistentVolume {
            return Plan::of(reclaim(claim).into_iter().collect());
        }
        let Some((class, node)) = wants_volume(store, claim) else { return Plan::default() };
        let name = format!("pvc-{}", claim.meta.uid);
        if store.find(Kind::PersistentVolume, "", &name).is_some() {
            return Plan::default();
        }
        let volume = volume(claim, &class, &node, &name);
        let about = || claim.reference();
        let begin = format!(
            "External provisioner is provisioning volume for claim \"{}/{}\"",
            claim.meta.namespace, claim.meta.name
        );
        let end = format!("Successfully provisioned volume {name}");
        Plan::of(vec![
            Write::event(about(), false, "Provisioning", begin, NAME, now),
            Write::Create(Box::new(volume)),
            Write::event(about(), false, "ProvisioningSucceeded", end, NAME, now),
        ])
    }
}

/// A volume of ours whose claim is gone goes too, if its policy says so.
fn reclaim(volume: &Object) -> Option<Write> {
    let policy = volume.spec().str_at(&["persistentVolumeReclaimPolicy"]);
    let released = volume.status().str_at(&["phase"]) == Some("Released");
    let ours = volume.meta.annotations.get(PROVISIONED_BY) == Some(NAME);
    let goes = ours && released && policy == Some("Delete") && !volume.meta.is_terminating();
    goes.then(|| Write::delete(volume))
}

/// The class of a claim that waits for a volume of ours, and the node its first pod will be on.
fn wants_volume(store: &Store, claim: &Object) -> Option<(Arc<Object>, Arc<Object>)> {
    let unbound = claim.spec().str_at(&["volumeName"]).is_none_or(str::is_empty);
    if !unbound || claim.meta.is_terminating() {
        return None;
    }
    let class = store.find(Kind::StorageClass, "", claim.spec().str_at(&["storageClassName"])?)?;
    // The volume binder asks for it.
    if claim.meta.annotations.get(PROVISIONER) != Some(NAME) {
        return None;
    }
    let node = store.find(Kind::Node, "", claim.meta.annotations.get(SELECTED_NODE)?)?;
    Some((class.clone(), node.clone()))
}

fn volume(claim: &Object, class: &Object, node: &Object, name: &str) -> Object {
    let storage = claim.spec().at(&["resources", "requests", "storage"]).cloned();
    let path =
        format!("/opt/local-path-provisioner/{name}_{}_{}", claim.meta.namespace, claim.meta.name);
    let hostname = json!({
        "key": "kubernetes.io/hostname", "operator": "In", "values": [*node.meta.name],
    });
    let volume = json!({
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: NAME}},
        "spec": {
            "accessModes": claim.spec().get("accessModes").cloned(),
            "capacity": {"storage": storage},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": *claim.meta.name,
                "namespace": *claim.meta.namespace,
            },
            "hostPath": {"path": path, "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [hostname]}]}},
            "persistentVolumeReclaimPolicy":
                class.content().str_at(&["reclaimPolicy"]).unwrap_or("Delete"),
            "storageClassName": *class.meta.name,
            "volumeMode": "Filesystem",
        },
    });
    Object::from_value(Kind::PersistentVolume, volume)
}
