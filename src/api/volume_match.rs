//! Which volume a claim may have: the volume binder and the scheduler both ask it.
//!
//! Models staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go.

use super::node_affinity::node_selector_matches;
use super::pod::quantity_of;
use super::tree::Tree as _;
use super::{Object, Selector, Value};
use crate::base::Quantity;
use std::sync::Arc;

/// The annotation of a claim that is bound for good.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// The annotation of claims and volumes that were bound to each other by a controller, not by a
/// person.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// What classes say that make no volumes.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Where the class was said before there was a field for it; what stands there still counts first.
pub const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// The class of a claim or a volume; empty for none.
///
/// Models pkg/apis/core/v1/helper/helpers.go GetPersistentVolumeClaimClass.
pub fn class_name(object: &Object) -> &str {
    let old = object.meta.annotations.get(OLD_CLASS);
    old.or(object.spec().str_at(&["storageClassName"])).unwrap_or_default()
}

/// Whether a claim has its volume for good. Models binder.go isPVCFullyBound.
pub fn is_fully_bound(claim: &Object) -> bool {
    claim.spec().str_at(&["volumeName"]).is_some_and(|name| !name.is_empty())
        && claim.meta.annotations.get(BIND_COMPLETED).is_some()
}

fn size(value: Option<&Value>) -> Option<Quantity> {
    value.and_then(quantity_of)
}

/// How much a claim asks for, in bytes.
pub fn requested_bytes(claim: &Object) -> i64 {
    let asked = claim.spec().at(&["resources", "requests", "storage"]);
    size(asked).map_or(0, |quantity| quantity.value())
}

/// How much a volume offers, in bytes.
pub fn offered_bytes(volume: &Object) -> i64 {
    let offered = volume.spec().at(&["capacity", "storage"]);
    size(offered).map_or(0, |quantity| quantity.value())
}

/// Whether a volume is reserved for or bound to a claim. Models IsVolumeBoundToClaim.
pub fn is_bound_to(volume: &Object, claim: &Object) -> bool {
    volume.spec().get("claimRef").is_some_and(|reference| {
        let at = |key| reference.str_at(&[key]);
        at("namespace") == Some(&*claim.meta.namespace)
            && at("name") == Some(&*claim.meta.name)
            && at("uid").is_none_or(|uid| uid.is_empty() || uid == claim.meta.uid.to_string())
    })
}

/// Whether both are block devices, or both file systems.
pub fn same_volume_mode(claim: &Object, volume: &Object) -> bool {
    let mode =
        |object: &Object| object.spec().str_at(&["volumeMode"]).unwrap_or("Filesystem").to_owned();
    mode(claim) == mode(volume)
}

/// Whether a volume offers all the access modes that a claim asks for. Models CheckAccessModes.
pub fn offers_access_modes(claim: &Object, volume: &Object) -> bool {
    let offered = volume.spec().items_at(&["accessModes"]);
    claim.spec().items_at(&["accessModes"]).iter().all(|mode| offered.contains(mode))
}

/// Whether pods on a node can use a volume.
pub fn is_reachable(volume: &Object, node: &Object) -> bool {
    let required = volume.spec().at(&["nodeAffinity", "required"]);
    required.is_none_or(|selector| node_selector_matches(selector, node))
}

/// For whom a volume is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Seeker<'a> {
    /// The volume binder. A claim that is `delayed` gets only what is reserved for it.
    Binder {
        /// Whether the claim waits for its first pod.
        delayed: bool,
    },
    /// The scheduler, for a pod on this node.
    Scheduler {
        /// The node.
        node: &'a Object,
    },
}

/// The volume that is reserved for a claim, or the smallest free one that has what it asks for.
///
/// Models FindMatchingVolume, and for the binder pv_controller.go findByClaim, which looks among
/// the volumes of fitting access modes only.
pub fn find_volume<'a>(
    claim: &Object,
    volumes: impl Iterator<Item = &'a Arc<Object>>,
    seeker: Seeker<'_>,
) -> Option<&'a Arc<Object>> {
    let asked = requested_bytes(claim);
    let selector = Selector::from_label_selector(claim.spec().get("selector"));
    let is_candidate = |volume: &&Arc<Object>| {
        (volume.spec().get("claimRef").is_none() || is_bound_to(volume, claim))
            && offered_bytes(volume) >= asked
            && same_volume_mode(claim, volume)
            && !volume.meta.is_terminating()
            && (matches!(seeker, Seeker::Scheduler { .. }) || offers_access_modes(claim, volume))
    };
    let reachable = |volume: &Object| match seeker {
        Seeker::Scheduler { node } => is_reachable(volume, node),
        Seeker::Binder { .. } => true,
    };
    let is_free = |volume: &Object| {
        !matches!(seeker, Seeker::Binder { delayed: true })
            && volume.status().str_at(&["phase"]) == Some("Available")
            && selector.as_ref().is_none_or(|s| s.matches(&volume.meta.labels))
            && class_name(volume) == class_name(claim)
            && reachable(volume)
            && offers_access_modes(claim, volume)
    };
    let mut smallest: Option<&Arc<Object>> = None;
    for volume in volumes.filter(is_candidate) {
        if is_bound_to(volume, claim) {
            return reachable(volume).then_some(volume);
        }
        let is_smaller = smallest.is_none_or(|best| offered_bytes(volume) < offered_bytes(best));
        if is_free(volume) && is_smaller {
            smallest = Some(volume);
        }
    }
    smallest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use serde_json::json;

    fn volume(name: &str, size: &str, spec: &Value) -> Arc<Object> {
        let mut value = json!({
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"],
                "storageClassName": "s",
            },
            "status": {"phase": "Available"},
        });
        for (key, field) in spec.as_object().into_iter().flatten() {
            value["spec"][key] = field.clone();
        }
        Arc::new(Object::from_value(Kind::PersistentVolume, value))
    }

    fn claim(modes: &Value) -> Object {
        let spec = json!({
            "accessModes": modes, "storageClassName": "s",
            "resources": {"requests": {"storage": "2Gi"}},
        });
        let meta = json!({"name": "c", "namespace": "n"});
        Object::from_value(Kind::PersistentVolumeClaim, json!({"metadata": meta, "spec": spec}))
    }

    #[test]
    fn a_claim_gets_the_smallest_volume_that_has_what_it_asks_for() {
        let node = Object::from_value(
            Kind::Node,
            json!({"metadata": {"name": "a", "labels": {"disk": "ssd"}}}),
        );
        let on = |value: &str| {
            let term = json!({"key": "disk", "operator": "In", "values": [value]});
            json!({"nodeAffinity": {"required": {"nodeSelectorTerms": [
                {"matchExpressions": [term]},
            ]}}})
        };
        let volumes = [
            volume("small", "1Gi", &json!({})),
            volume("large", "9Gi", &json!({})),
            volume("elsewhere", "2Gi", &on("hdd")),
            volume("here", "4Gi", &on("ssd")),
            volume("taken", "2Gi", &json!({"claimRef": {"name": "d", "namespace": "n"}})),
            volume("other", "2Gi", &json!({"storageClassName": "t"})),
        ];
        let name = |claim: &Object, seeker| {
            find_volume(claim, volumes.iter(), seeker).map(|volume| volume.meta.name.to_string())
        };
        let one = claim(&json!(["ReadWriteOnce"]));
        assert_eq!(name(&one, Seeker::Scheduler { node: &node }).as_deref(), Some("here"));
        assert_eq!(name(&one, Seeker::Binder { delayed: false }).as_deref(), Some("elsewhere"));
        assert_eq!(name(&one, Seeker::Binder { delayed: true }), None);
        let many = claim(&json!(["ReadWriteMany"]));
        assert_eq!(name(&many, Seeker::Scheduler { node: &node }), None);
        let mine = [volume("mine", "3Gi", &json!({"claimRef": {"name": "c", "namespace": "n"}}))];
        let found = find_volume(&one, mine.iter(), Seeker::Binder { delayed: true });
        assert!(found.is_some_and(|volume| &*volume.meta.name == "mine"));
    }
}
