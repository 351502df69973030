//! A claim of the mode ReadWriteOncePod is one pod's alone.
//!
//! Simplified: conflicts of disks that are named in the pod itself (AWS, GCE, iSCSI, RBD) are not
//! looked for.

use super::volumes::claims_of;
use super::{Cycle, Filter, NodeInfo, Rejection};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use std::sync::Arc;

const NAME: &str = "VolumeRestrictions";

#[derive(Clone, Debug)]
pub(super) struct VolumeRestrictions {
    /// The names of the pod's claims that no other pod may use.
    exclusive: Vec<String>,
    /// How often other pods use them.
    uses: i64,
}

impl VolumeRestrictions {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Result<Option<Box<dyn Filter>>, Rejection> {
        let namespace = &cycle.pod.meta.namespace;
        let mut exclusive = Vec::new();
        for name in claims_of(cycle.spec) {
            let Some(claim) = cycle.store.find(Kind::PersistentVolumeClaim, namespace, name) else {
                let why = format!("persistentvolumeclaim \"{name}\" not found");
                return Err(Rejection::unresolvable(NAME, why));
            };
            let mut modes = claim.spec().items_at(&["accessModes"]).iter();
            if modes.any(|mode| mode == "ReadWriteOncePod") {
                exclusive.push(name.clone());
            }
        }
        if exclusive.is_empty() {
            return Ok(None);
        }
        let mut state = VolumeRestrictions { exclusive, uses: 0 };
        let placed = cycle.snapshot.nodes().iter().flat_map(|node| &node.pods);
        state.uses = placed.map(|placed| state.uses_of(cycle, &placed.pod)).sum();
        Ok(Some(Box::new(state)))
    }

    fn uses_of(&self, cycle: &Cycle<'_>, other: &Object) -> i64 {
        let Some(facts) = other.pod() else { return 0 };
        if other.meta.namespace != cycle.pod.meta.namespace {
            return 0;
        }
        let used = claims_of(&facts.spec).filter(|name| self.exclusive.contains(name));
        used.fold(0, |count, _| count + 1)
    }
}

impl Filter for VolumeRestrictions {
    fn filter(&self, _node: &NodeInfo) -> Result<(), Rejection> {
        if self.uses > 0 {
            let reason = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod \
                          access mode already in-use by another pod";
            return Err(Rejection::resolvable(NAME, reason));
        }
        Ok(())
    }

    fn suppose(&mut self, cycle: &Cycle<'_>, other: &Arc<Object>, _node: &NodeInfo, by: i64) {
        self.uses += by * self.uses_of(cycle, other);
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
