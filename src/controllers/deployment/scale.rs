//! Changing the size of a Deployment, also in the middle of an update or while it is paused.
//!
//! Models pkg/controller/deployment/sync.go scale and recreate.go.

use super::super::pod_control::phase;
use super::rollout::{DESIRED, MOST, Rollout, count, size};
use crate::api::{Kind, Object, Uid};
use crate::base::order;
use core::cmp::Reverse;

impl Rollout<'_> {
    /// Whether the Deployment's size changed since its ReplicaSets were last scaled.
    pub(super) fn is_scaling_event(&self) -> bool {
        let wanted = self.replicas();
        self.sets.iter().filter(|set| size(set) > 0).any(|set| {
            let desired = set.meta.annotations.get(DESIRED).and_then(|text| text.parse().ok());
            desired.is_some_and(|desired: i64| desired != wanted)
        })
    }

    /// Brings the ReplicaSets to the new size, each in proportion to its own.
    pub(super) fn scale_proportionally(&mut self) {
        let wanted = self.replicas();
        if let Some(uid) = self.active_or_latest() {
            self.resize(uid, wanted, false);
            return;
        }
        if self.new_set().is_some_and(|set| self.is_saturated(set)) {
            self.scale_down_all_old();
            return;
        }
        if !self.is_rolling() {
            return;
        }
        let mut active: Vec<&Object> = self.sets.iter().filter(|set| size(set) > 0).collect();
        let total: i64 = active.iter().map(|set| size(set)).sum();
        let allowed = if wanted > 0 { wanted + self.max_surge() } else { 0 };
        let to_add = allowed - total;
        order::sort_by_key(&mut active, |set| (Reverse(size(set)), set.meta.creation_timestamp));
        if to_add > 0 {
            // Among equals the newer one grows, and the older one shrinks.
            order::sort_by_key(&mut active, |set| {
                (Reverse(size(set)), Reverse(set.meta.creation_timestamp))
            });
        }
        let mut added = 0;
        let mut sizes: Vec<(Uid, i64)> = Vec::new();
        for set in active {
            let part = self.proportion(set, to_add, added);
            sizes.push((set.meta.uid, size(set) + part));
            added += part;
        }
        if let Some((_, first)) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        for (uid, size) in sizes {
            self.resize(uid, size, true);
        }
    }

    /// Models deployment_util.go GetReplicaSetProportion.
    fn proportion(&self, set: &Object, to_add: i64, added: i64) -> i64 {
        if to_add == 0 || to_add == added {
            return 0;
        }
        let (own, left) = (size(set), to_add - added);
        let fraction = if self.replicas() == 0 {
            -own
        } else {
            let annotated = set.meta.annotations.get(MOST).and_then(|text| text.parse().ok());
            let before = annotated.filter(|most: &i64| *most != 0);
            match before.unwrap_or_else(|| count(&self.deployment, "replicas")) {
                0 => 0,
                // Rounded to the nearest, halves up.
                before => {
                    let most = self.replicas() + self.max_surge();
                    (2 * own * most + before) / (2 * before) - own
                }
            }
        };
        if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
    }

    /// The only ReplicaSet with pods; the newest if none has any.
    fn active_or_latest(&self) -> Option<Uid> {
        let mut active = self.sets.iter().filter(|set| size(set) > 0);
        match (active.next(), active.next()) {
            (None, _) => self.new_set().or_else(|| self.old_sets().last()).map(|set| set.meta.uid),
            (Some(set), None) => Some(set.meta.uid),
            _ => None,
        }
    }

    fn is_saturated(&self, set: &Object) -> bool {
        let wanted = self.replicas();
        let desired = set.meta.annotations.get(DESIRED).and_then(|text| text.parse().ok());
        size(set) == wanted && desired == Some(wanted) && count(set, "availableReplicas") == wanted
    }

    /// Says whether there was anything to scale down.
    pub(super) fn scale_down_all_old(&mut self) -> bool {
        let old: Vec<Uid> =
            self.old_sets().filter(|set| size(set) > 0).map(|set| set.meta.uid).collect();
        let resized = old.into_iter().filter(|uid| self.resize(*uid, 0, false));
        resized.count() > 0
    }

    /// Whether a pod of an old template has not ended.
    pub(super) fn old_pods_run(&self) -> bool {
        self.old_sets().any(|set| {
            let pods = self.store.owned_by(set.meta.uid).filter(|object| object.kind == Kind::Pod);
            count(set, "replicas") > 0 || pods.into_iter().any(|pod| !phase(pod).is_terminal())
        })
    }

    pub(super) fn scale_up_new_fully(&mut self) {
        if let Some(uid) = self.new_set {
            self.resize(uid, self.replicas(), false);
        }
    }
}
