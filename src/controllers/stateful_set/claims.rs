//! The claims of a StatefulSet's pods: making them, and saying with whom they go.
//!
//! Models pkg/controller/statefulset/stateful_pod_control.go and stateful_set_utils.go.

use super::super::pod_control::controller_reference;
use super::{NAME, Sync};
use crate::api::meta::OwnerReference;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object};
use crate::store::Write;
use std::sync::Arc;

/// The pod that a claim is for, by its name: data-db-0 is for db-0.
pub(super) fn pod_of_claim(claim: &str, set: &Object) -> Option<String> {
    let name = &set.meta.name;
    let (_, ordinal) = claim.rsplit_once('-')?;
    claim.strip_suffix(&format!("-{name}-{ordinal}"))?;
    Some(format!("{name}-{ordinal}"))
}

fn is_of(reference: &OwnerReference, kind: Kind, name: &str) -> bool {
    *reference.kind == *kind.name() && *reference.name == *name
}

impl Sync<'_> {
    /// Volume and claim names of a pod.
    pub(super) fn claim_names(&self, ordinal: i64) -> Vec<(String, String)> {
        let templates = self.set.spec().items_at(&["volumeClaimTemplates"]).iter();
        let names = templates.filter_map(|claim| claim.str_at(&["metadata", "name"]));
        names
            .map(|name| (name.to_owned(), format!("{name}-{}-{ordinal}", self.set.meta.name)))
            .collect()
    }

    fn deletes_when(&self, policy: &str) -> bool {
        let path = ["persistentVolumeClaimRetentionPolicy", policy];
        self.set.spec().str_at(&path) == Some("Delete")
    }

    /// The claims that a pod needs and that are not there. If they are for a pod that is to be made,
    /// one that is on its way out is among them: asking for it again fails.
    pub(super) fn missing_claims(&self, ordinal: i64, for_new_pod: bool) -> Vec<Object> {
        let namespace = &self.set.meta.namespace;
        let templates = self.set.spec().items_at(&["volumeClaimTemplates"]);
        let mut claims = Vec::new();
        for (template, (_, name)) in templates.iter().zip(self.claim_names(ordinal)) {
            let existing = self.store.find(Kind::PersistentVolumeClaim, namespace, &name);
            if existing.is_some_and(|claim| !for_new_pod || !claim.meta.is_terminating()) {
                continue;
            }
            let mut claim = template.clone();
            claim.put(&["metadata", "name"], name);
            claim.put(&["metadata", "namespace"], &**namespace);
            let labels = self.set.spec().fields_at(&["selector", "matchLabels"]);
            for (key, value) in labels.into_iter().flatten() {
                claim.put(&["metadata", "labels", key], value.clone());
            }
            let mut claim = Object::from_value(Kind::PersistentVolumeClaim, claim);
            if self.deletes_when("whenDeleted") {
                claim.meta.owner_references = Arc::from([controller_reference(self.set)]);
            }
            claims.push(claim);
        }
        claims
    }

    /// Makes the claims that a pod waits for.
    pub(super) fn create_claims(&mut self, ordinal: i64) {
        let claims = self.missing_claims(ordinal, false);
        self.writes.extend(claims.into_iter().map(|claim| Write::Create(Box::new(claim))));
    }

    /// Whether a claim still goes with the predecessor of a pod that is to be made.
    ///
    /// Models PodClaimIsStale.
    pub(super) fn has_stale_claim(&self, ordinal: i64, pod: &str) -> bool {
        let namespace = &self.set.meta.namespace;
        let names = self.claim_names(ordinal).into_iter();
        let mut claims = names
            .filter_map(|(_, name)| self.store.find(Kind::PersistentVolumeClaim, namespace, &name));
        self.deletes_when("whenScaled")
            && claims.any(|claim| {
                claim.meta.owner_references.iter().any(|owner| is_of(owner, Kind::Pod, pod))
            })
    }

    /// Brings the claims of a pod in line with the policies, and says so.
    ///
    /// Models UpdateStatefulPod.
    pub(super) fn fix_claims(&mut self, pod: &Object) {
        if !self.update_claims(pod) {
            return;
        }
        let (set, pod) = (&self.set.meta.name, &pod.meta.name);
        let message = format!("Update Pod {pod} in StatefulSet {set} successful");
        let about = self.set.reference();
        self.writes.push(Write::event(about, false, "SuccessfulUpdate", message, NAME, self.now));
    }

    /// Sets with whom the claims of a pod go: with the set, or with a pod that is too many. Says
    /// whether that changed anything.
    ///
    /// Models UpdatePodClaimForRetentionPolicy.
    pub(super) fn update_claims(&mut self, pod: &Object) -> bool {
        let Some(ordinal) = super::ordinal(pod, self.set) else { return false };
        let before = self.writes.len();
        for (_, name) in self.claim_names(ordinal) {
            let namespace = &self.set.meta.namespace;
            let claim = self.store.find(Kind::PersistentVolumeClaim, namespace, &name);
            let Some(claim) = claim.filter(|claim| !self.is_anothers(claim, pod)) else { continue };
            let owners = self.wanted_owners(claim, pod);
            if claim.meta.owner_references[..] != owners[..] {
                let mut new = (**claim).clone();
                new.meta.owner_references = owners;
                self.writes.push(Write::Update(Box::new(new)));
            }
        }
        self.writes.len() > before
    }

    /// Whether a claim belongs to a set or pod of the same name that is gone, or to another
    /// controller. Such a claim is left alone.
    ///
    /// Models hasStaleOwnerRef, hasUnexpectedController.
    fn is_anothers(&self, claim: &Object, pod: &Object) -> bool {
        let retains = !self.deletes_when("whenScaled") && !self.deletes_when("whenDeleted");
        claim.meta.owner_references.iter().any(|owner| {
            if is_of(owner, Kind::StatefulSet, &self.set.meta.name) {
                owner.uid != self.set.meta.uid
            } else if is_of(owner, Kind::Pod, &pod.meta.name) {
                owner.uid != pod.meta.uid
            } else {
                owner.controller && !retains
            }
        })
    }

    /// Models updateClaimOwnerRefForSetAndPod.
    fn wanted_owners(&self, claim: &Object, pod: &Object) -> Arc<[OwnerReference]> {
        let others = claim.meta.owner_references.iter().filter(|owner| {
            !is_of(owner, Kind::StatefulSet, &self.set.meta.name)
                && !is_of(owner, Kind::Pod, &pod.meta.name)
        });
        let with_pod = self.deletes_when("whenScaled") && !self.in_range(pod);
        let with_set = self.deletes_when("whenDeleted") && !with_pod;
        let ours = with_pod.then_some(pod).or(with_set.then_some(&**self.set));
        others.cloned().chain(ours.map(controller_reference)).collect()
    }
}
