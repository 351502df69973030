//! Deployments: from one ReplicaSet to the next without leaving the requests alone.
//!
//! Models pkg/controller/deployment.
//!
//! Simplified: the hash of a template is ours, so ReplicaSets have other suffixes than on a real
//! cluster (as long, from the same alphabet, and equal for equal templates).
//!
//! Reading order: `rollout.rs` (the ReplicaSets of a Deployment and how they are scaled),
//! `rolling.rs`, `scale.rs`, `status.rs`.

mod rolling;
mod rollout;
mod scale;
mod status;

use super::pod_control::{controller_key, phase, selector_of};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store};
use rollout::Rollout;
use std::sync::Arc;

/// The name of its events' source.
const NAME: &str = "deployment-controller";

/// The controller of Deployments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deployments;

impl Controller for Deployments {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::Deployment => vec![Key { kind: Kind::Deployment, object: change.key.clone() }],
            Kind::ReplicaSet => {
                let objects = [&change.old, &change.new].into_iter().flatten();
                let mut keys: Vec<Key> =
                    objects.filter_map(|set| controller_key(set, Kind::Deployment)).collect();
                keys.dedup();
                if let Some(orphan) = change.new.as_ref().filter(|s| s.meta.controller().is_none())
                {
                    keys.extend(selecting(store, orphan));
                }
                keys
            }
            // The last pod of the old template is gone: Recreate goes on.
            Kind::Pod => change
                .old
                .as_ref()
                .filter(|pod| change.new.is_none() || phase(pod).is_terminal())
                .and_then(|pod| {
                    let set = controller_key(pod, Kind::ReplicaSet)?;
                    controller_key(store.get(set.kind, &set.object)?, Kind::Deployment)
                })
                .into_iter()
                .collect(),
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(deployment) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(selector) = selector_of(deployment) else { return Plan::default() };
        let mut rollout = Rollout::new(store, deployment, &selector, now);
        if deployment.meta.is_terminating() {
            return rollout.finish_status();
        }
        rollout.note_pause();
        let paused = deployment.spec().bool_at(&["paused"]).unwrap_or_default();
        if paused || rollout.is_scaling_event() {
            rollout.find_new_set(false);
            rollout.scale_proportionally();
            if paused {
                rollout.clean_up();
            }
            return rollout.finish_status();
        }
        match deployment.spec().str_at(&["strategy", "type"]) {
            Some("Recreate") => recreate(&mut rollout),
            _ => rollout.roll(),
        }
        rollout.finish()
    }
}

fn selecting(store: &Store, set: &Arc<Object>) -> Vec<Key> {
    let all = store.list_in(Kind::Deployment, &set.meta.namespace);
    let selecting = all.filter(|deployment| {
        selector_of(deployment).is_some_and(|selector| selector.matches(&set.meta.labels))
    });
    selecting.map(|deployment| Key::of(deployment)).collect()
}

/// All old pods go before the first new one comes.
///
/// Models recreate.go rolloutRecreate.
fn recreate(rollout: &mut Rollout<'_>) {
    rollout.find_new_set(false);
    if rollout.scale_down_all_old() || rollout.old_pods_run() {
        return;
    }
    rollout.find_new_set(true);
    rollout.scale_up_new_fully();
    rollout.clean_up_if_complete();
}
