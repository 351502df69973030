//! Rolling update: the new ReplicaSet grows as the old ones shrink, within the two bounds.
//!
//! Models pkg/controller/deployment/rolling.go.

use super::rollout::{Rollout, count, size};
use crate::api::Uid;

impl Rollout<'_> {
    /// One step of the update: grow the new one if it can, else shrink the old ones if they can.
    pub(super) fn roll(&mut self) {
        self.find_new_set(true);
        if self.grow_new() || self.shrink_old() {
            return;
        }
        self.clean_up_if_complete();
    }

    fn grow_new(&mut self) -> bool {
        let Some((uid, now)) = self.new_set().map(|set| (set.meta.uid, size(set))) else {
            return false;
        };
        let wanted = self.replicas();
        if now >= wanted {
            return self.resize(uid, wanted, false);
        }
        let total: i64 = self.sets.iter().map(size).sum();
        let room = (wanted + self.max_surge() - total).max(0);
        self.resize(uid, now + room.min(wanted - now), false)
    }

    fn shrink_old(&mut self) -> bool {
        let old: Vec<Uid> =
            self.old_sets().filter(|set| size(set) > 0).map(|set| set.meta.uid).collect();
        let Some(new) = self.new_set().filter(|_| !old.is_empty()) else { return false };
        let least = self.replicas() - self.max_unavailable();
        let total: i64 = self.sets.iter().map(size).sum();
        let new_unavailable = size(new) - count(new, "availableReplicas");
        let most_to_remove = total - least - new_unavailable;
        if most_to_remove <= 0 {
            return false;
        }
        let removed = self.remove_unhealthy(&old, most_to_remove);
        removed + self.remove_available(&old, least) > 0
    }

    /// Old pods that do not work go first: nobody misses them.
    fn remove_unhealthy(&mut self, old: &[Uid], most: i64) -> i64 {
        let mut removed = 0;
        for uid in old {
            let Some((size, available)) = self.sizes(*uid) else { continue };
            if removed >= most || size == available {
                continue;
            }
            let step = (most - removed).min(size - available);
            self.resize(*uid, size - step, false);
            removed += step;
        }
        removed
    }

    fn remove_available(&mut self, old: &[Uid], least: i64) -> i64 {
        let available: i64 = self.sets.iter().map(|set| count(set, "availableReplicas")).sum();
        let most = available - least;
        let mut removed = 0;
        for uid in old {
            let Some((size, _)) = self.sizes(*uid) else { continue };
            if removed >= most || size == 0 {
                continue;
            }
            let step = size.min(most - removed);
            self.resize(*uid, size - step, false);
            removed += step;
        }
        removed
    }

    fn sizes(&self, uid: Uid) -> Option<(i64, i64)> {
        let set = self.sets.iter().find(|set| set.meta.uid == uid)?;
        Some((size(set), count(set, "availableReplicas")))
    }
}
