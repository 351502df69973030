//! Volumes that say their zone or region are for nodes of that zone and region.

use super::volumes::claims_of;
use super::{Cycle, Filter, NodeInfo, Rejection};
use crate::api::Kind;
use crate::api::tree::Tree as _;

/// The labels that say where a volume or a node is.
pub(in super::super) const ZONE_LABELS: [&str; 4] = [
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];

/// The label and the values that a node needs for the pod's volumes.
#[derive(Clone, Debug)]
pub(super) struct VolumeZone(Vec<(&'static str, String)>);

impl VolumeZone {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Option<Box<dyn Filter>> {
        let namespace = &cycle.pod.meta.namespace;
        let volumes = claims_of(cycle.spec).filter_map(|name| {
            let claim = cycle.store.find(Kind::PersistentVolumeClaim, namespace, name)?;
            cycle.store.find(Kind::PersistentVolume, "", claim.spec().str_at(&["volumeName"])?)
        });
        let labels = volumes.flat_map(|volume| {
            let label = |key: &'static str| Some((key, volume.meta.labels.get(key)?.to_owned()));
            ZONE_LABELS.into_iter().filter_map(label).collect::<Vec<_>>()
        });
        let labels: Vec<_> = labels.collect();
        (!labels.is_empty()).then(|| Box::new(VolumeZone(labels)) as Box<dyn Filter>)
    }
}

impl Filter for VolumeZone {
    /// A node that says nothing of zones takes any volume. A volume of several zones names them
    /// with `__` between.
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if ZONE_LABELS.iter().all(|key| node.label(key).is_none()) {
            return Ok(());
        }
        let fits = |(key, values): &(&'static str, String)| {
            let today = key.replace("failure-domain.beta.kubernetes.io", "topology.kubernetes.io");
            let own = node.label(key).or_else(|| node.label(&today));
            own.is_some_and(|own| values.split("__").any(|value| value == own))
        };
        match self.0.iter().all(fits) {
            true => Ok(()),
            false => {
                let reason = "node(s) had no available volume zone";
                Err(Rejection::unresolvable("VolumeZone", reason))
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
