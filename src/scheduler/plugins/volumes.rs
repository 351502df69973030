//! The disks of a pod: its claims must exist and be bound, or there must be volumes for them where
//! the pod goes.
//!
//! Models pkg/scheduler/framework/plugins/volumebinding.
//!
//! Simplified: CSI limits of volumes a node and the storage capacity of drivers are not counted.

use super::{Cycle, Filter, NodeInfo, Rejection};
use crate::api::node_affinity::SELECTED_NODE;
use crate::api::pod::VolumeSource;
use crate::api::tree::Tree as _;
use crate::api::volume_match::{
    NO_PROVISIONER, Seeker, class_name, find_volume, is_fully_bound, is_reachable, requested_bytes,
};
use crate::api::{Kind, Object, PodSpec, Value};
use crate::base::order;
use crate::store::Store;
use std::sync::Arc;

const NAME: &str = "VolumeBinding";

/// The names of the claims that a pod uses.
pub(in super::super) fn claims_of(spec: &PodSpec) -> impl Iterator<Item = &String> {
    spec.volumes.iter().filter_map(|(_, source)| match source {
        VolumeSource::PersistentVolumeClaim(name) => Some(name),
        _ => None,
    })
}

#[derive(Clone, Debug)]
pub(super) struct VolumeBinding {
    /// Volumes of claims that are bound; `None` for one that is not there.
    bound: Vec<Option<Arc<Object>>>,
    /// The claims that wait for their first pod.
    waiting: Vec<Waiting>,
    /// The volumes that they could take.
    volumes: Vec<Arc<Object>>,
}

/// A claim that waits for its first pod.
#[derive(Clone, Debug)]
struct Waiting {
    claim: Arc<Object>,
    /// Its class, if that makes volumes.
    provisioned: Option<Arc<Object>>,
}

/// What becomes of the waiting claims of a pod on a node.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Bindings {
    /// Claims with the volumes that they get.
    pub(in super::super) found: Vec<(Arc<Object>, Arc<Object>)>,
    /// Claims that volumes are made for.
    pub(in super::super) provisioned: Vec<Arc<Object>>,
}

impl VolumeBinding {
    pub(super) fn prepare(cycle: &Cycle<'_>) -> Result<Option<Box<dyn Filter>>, Rejection> {
        let state = Self::of(cycle.store, cycle.pod)
            .map_err(|why| Rejection::unresolvable(NAME, why))?
            .map(|state| Box::new(state) as Box<dyn Filter>);
        Ok(state)
    }

    /// `None` for a pod without claims.
    ///
    /// # Errors
    /// Why no node will do, whatever its volumes.
    fn of(store: &Store, pod: &Object) -> Result<Option<Self>, String> {
        let Some(facts) = pod.pod() else { return Ok(None) };
        let mut claims = Vec::new();
        for name in claims_of(&facts.spec) {
            claims.push(usable_claim(store, &pod.meta.namespace, name)?.clone());
        }
        if claims.is_empty() {
            return Ok(None);
        }
        let (mut bound, mut waiting) = (Vec::new(), Vec::new());
        for claim in claims {
            let name = claim.spec().str_at(&["volumeName"]).unwrap_or_default();
            if is_fully_bound(&claim) {
                bound.push(store.find(Kind::PersistentVolume, "", name).cloned());
            } else if name.is_empty() && waits_for_consumer(store, &claim) {
                let provisioned = class_of(store, &claim).filter(|class| makes_volumes(class));
                waiting.push(Waiting { provisioned: provisioned.cloned(), claim });
            } else {
                return Err("pod has unbound immediate PersistentVolumeClaims".to_owned());
            }
        }
        // The smallest first, so that each gets the smallest volume that will do.
        order::sort_by_key(&mut waiting, |waiting| requested_bytes(&waiting.claim));
        let volumes = match waiting.is_empty() {
            true => Vec::new(),
            false => store.list(Kind::PersistentVolume).cloned().collect(),
        };
        Ok(Some(VolumeBinding { bound, waiting, volumes }))
    }

    /// What the waiting claims would get on a node; `None` if one would get nothing.
    fn bindings(&self, node: &Object) -> Option<Bindings> {
        let mut bindings = Bindings::default();
        for Waiting { claim, provisioned } in &self.waiting {
            let chosen = claim.meta.annotations.get(SELECTED_NODE);
            if chosen.is_some_and(|name| *name != *node.meta.name) {
                return None;
            }
            let free = self.volumes.iter().filter(|volume| {
                bindings.found.iter().all(|(_, taken)| taken.meta.uid != volume.meta.uid)
            });
            let found = match chosen {
                Some(_) => None,
                None => find_volume(claim, free, Seeker::Scheduler { node }).cloned(),
            };
            match found {
                Some(volume) => bindings.found.push((claim.clone(), volume)),
                None => {
                    provisioned.as_ref().filter(|class| serves(class, node))?;
                    bindings.provisioned.push(claim.clone());
                }
            }
        }
        Some(bindings)
    }
}

/// What becomes of the claims of a pod that wait for it, once it goes to a node; `None` if none
/// does.
pub(in super::super) fn bindings_on(store: &Store, pod: &Object, node: &str) -> Option<Bindings> {
    let state = VolumeBinding::of(store, pod).ok().flatten()?;
    let node = store.find(Kind::Node, "", node)?;
    state.bindings(node).filter(|b| !b.found.is_empty() || !b.provisioned.is_empty())
}

fn usable_claim<'a>(
    store: &'a Store,
    namespace: &str,
    name: &str,
) -> Result<&'a Arc<Object>, String> {
    let Some(claim) = store.find(Kind::PersistentVolumeClaim, namespace, name) else {
        return Err(format!("persistentvolumeclaim \"{name}\" not found"));
    };
    if claim.status().str_at(&["phase"]) == Some("Lost") {
        let volume = claim.spec().str_at(&["volumeName"]).unwrap_or_default();
        return Err(format!(
            "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\""
        ));
    }
    if claim.meta.is_terminating() {
        return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
    }
    Ok(claim)
}

impl Filter for VolumeBinding {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        let mut reasons = Vec::new();
        if self.bound.iter().flatten().any(|volume| !is_reachable(volume, &node.node)) {
            reasons.push("node(s) didn't match PersistentVolume's node affinity".into());
        }
        if self.bindings(&node.node).is_none() {
            reasons.push("node(s) didn't find available persistent volumes to bind".into());
        }
        if self.bound.iter().any(Option::is_none) {
            let reason =
                "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
            reasons.push(reason.into());
        }
        match reasons.is_empty() {
            true => Ok(()),
            false => Err(Rejection { plugin: NAME, reasons, unresolvable: true }),
        }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

fn class_of<'a>(store: &'a Store, claim: &Object) -> Option<&'a Arc<Object>> {
    store.find(Kind::StorageClass, "", class_name(claim))
}

fn waits_for_consumer(store: &Store, claim: &Object) -> bool {
    class_of(store, claim).is_some_and(|class| {
        class.content().str_at(&["volumeBindingMode"]) == Some("WaitForFirstConsumer")
    })
}

fn makes_volumes(class: &Object) -> bool {
    let provisioner = class.content().str_at(&["provisioner"]).unwrap_or_default();
    !provisioner.is_empty() && provisioner != NO_PROVISIONER
}

/// Whether a class makes volumes for a node. Models component-helpers/scheduling/corev1
/// MatchTopologySelectorTerms.
fn serves(class: &Object, node: &Object) -> bool {
    let terms = class.content().items_at(&["allowedTopologies"]);
    let holds = |expression: &Value| {
        let label = node.meta.labels.get(expression.str_at(&["key"]).unwrap_or_default());
        let mut values = expression.items_at(&["values"]).iter().filter_map(Value::as_str);
        label.is_some_and(|label| values.any(|value| value == label))
    };
    let fits = |term: &Value| term.items_at(&["matchLabelExpressions"]).iter().all(holds);
    terms.is_empty() || terms.iter().any(fits)
}
