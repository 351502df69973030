//! The eviction of pods, which PodDisruptionBudgets may forbid.
//!
//! Models pkg/registry/core/pod/storage/eviction.go.

use super::server::Context;
use super::storage::{ObjectKey, Store};
use super::write::DeleteOptions;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Reason, Selector};
use std::sync::Arc;

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
        self.delete(context, Kind::Pod, key, options)
    }

    fn spend_budget(&mut self, context: &Context, pod: &Object) -> Result<(), ApiError> {
        let budgets: Vec<_> = self
            .list_in(Kind::PodDisruptionBudget, &pod.meta.namespace)
            .filter(|budget| {
                let selector = Selector::from_label_selector(budget.spec().at(&["selector"]));
                selector.is_some_and(|selector| selector.matches(&pod.meta.labels))
            })
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
        let allowed = budget.status().int_at(&["disruptionsAllowed"]).unwrap_or_default();
        if allowed <= 0 {
            let message = "Cannot evict pod as it would violate the pod's disruption budget.";
            return Err(ApiError::new(Reason::TooManyRequests, message));
        }
        let mut new = (**budget).clone();
        let mut status = budget.status().clone();
        status.put(&["disruptionsAllowed"], allowed - 1);
        new.set_status(status);
        self.update_status(context, new).map(drop)
    }
}

/// A pod that does not run, or is going anyway, takes nothing from a budget.
fn needs_budget(pod: &Object) -> bool {
    let Some(state) = pod.pod() else { return false };
    let waiting = state.node_name.is_none() || !state.status.is_ready();
    !state.status.phase.is_terminal() && !pod.meta.is_terminating() && !waiting
}
