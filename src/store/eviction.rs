//! The eviction of pods, which PodDisruptionBudgets may forbid.
//!
//! Models pkg/registry/core/pod/storage/eviction.go.

use super::server::Context;
use super::storage::{ObjectKey, Store};
use super::write::DeleteOptions;
use crate::api::disruption_budget::{selector, update_condition};
use crate::api::pod::{ConditionType, Phase};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Reason};
use std::sync::Arc;

/// How many pods a budget may lose before its controller has seen that they are going.
const MOST_DISRUPTED: usize = 2000;

impl Store {
    /// Deletes a pod unless a budget that covers it is spent; a spent budget's count goes down
    /// with each eviction until its controller counts anew.
    ///
    /// # Errors
    /// `NotFound`; `TooManyRequests` while a budget is spent; `InternalError` if two cover the pod.
    pub fn evict(
        &mut self,
        context: &Context,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> Result<Arc<Object>, ApiError> {
        let pod = self
            .get(Kind::Pod, key)
            .cloned()
            .ok_or_else(|| ApiError::not_found("pods", &key.name))?;
        if needs_budget(&pod) {
            self.spend_budget(context, &pod)?;
        }
        let mut target = (*pod).clone();
        if let Some(state) = target.pod_mut() {
            let why = Some(("EvictionByEvictionAPI", "Eviction API: evicting"));
            state.status.set_condition(ConditionType::DisruptionTarget, true, why, context.now);
        }
        self.update_status(context, target)?;
        self.delete(context, Kind::Pod, key, options)
    }

    fn spend_budget(&mut self, context: &Context, pod: &Object) -> Result<(), ApiError> {
        let budgets: Vec<_> = self
            .list_in(Kind::PodDisruptionBudget, &pod.meta.namespace)
            .filter(|budget| selector(budget).is_some_and(|s| s.matches(&pod.meta.labels)))
            .cloned()
            .collect();
        let budget = match budgets.as_slice() {
            [] => return Ok(()),
            [budget] => budget,
            _ => {
                let message = "This pod has more than one PodDisruptionBudget, which the eviction \
                               subresource does not support.";
                return Err(ApiError::new(Reason::InternalError, message));
            }
        };
        if is_free(budget, pod) {
            return Ok(());
        }
        let mut new = (**budget).clone();
        new.set_status(spent(budget, pod, context)?);
        self.update_status(context, new).map(drop)
    }
}

/// Whether a budget lets a pod that is not ready go without counting it.
fn is_free(budget: &Object, pod: &Object) -> bool {
    if pod.pod().is_some_and(|state| state.status.is_ready()) {
        return false;
    }
    let count = |key| budget.status().int_at(&[key]).unwrap_or_default();
    let policy = budget.spec().str_at(&["unhealthyPodEvictionPolicy"]);
    let desired = count("desiredHealthy");
    policy == Some("AlwaysAllow") || desired > 0 && count("currentHealthy") >= desired
}

/// The status of a budget that has lost one more pod.
///
/// Models eviction.go checkAndDecrement.
fn spent(budget: &Object, pod: &Object, context: &Context) -> Result<crate::api::Value, ApiError> {
    let mut status = budget.status().clone();
    let count = |key| status.int_at(&[key]).unwrap_or_default();
    let allowed = count("disruptionsAllowed");
    let disrupted = status.at(&["disruptedPods"]).and_then(|pods| pods.as_object());
    let forbidden =
        |why| Err(ApiError::forbidden("poddisruptionbudget.policy", &budget.meta.name, why));
    if count("observedGeneration") < budget.meta.generation || allowed == 0 {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        return Err(ApiError::new(Reason::TooManyRequests, message));
    }
    if allowed < 0 {
        return forbidden("pdb disruptions allowed is negative");
    }
    if disrupted.is_some_and(|pods| pods.len() > MOST_DISRUPTED) {
        return forbidden(
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        );
    }
    status.put(&["disruptionsAllowed"], allowed - 1);
    if allowed == 1 {
        update_condition(&mut status, context.now);
    }
    status.put(&["disruptedPods", &pod.meta.name], context.now.rfc3339());
    Ok(status)
}

/// A pod that does not run yet, has ended, or is going anyway takes nothing from a budget.
///
/// Models eviction.go canIgnorePDB.
fn needs_budget(pod: &Object) -> bool {
    let phase = pod.pod().map_or(Phase::Pending, |state| state.status.phase);
    !phase.is_terminal() && phase != Phase::Pending && !pod.meta.is_terminating()
}
