//! What the API server's eviction and the controller of PodDisruptionBudgets both do to a budget.
//!
//! Models staging/src/k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go.

use super::tree::{Tree as _, TreeMut as _};
use super::{Object, Selector, Value};
use crate::base::SimTime;
use serde_json::json;

/// The reason of the condition when a budget could not be counted.
pub const SYNC_FAILED: &str = "SyncFailed";

/// Which pods a budget covers.
pub fn selector(budget: &Object) -> Option<Selector> {
    Selector::from_label_selector(budget.spec().get("selector"))
}

/// The condition `DisruptionAllowed` of a status.
pub fn condition(status: &Value) -> Option<&Value> {
    let mut conditions = status.items_at(&["conditions"]).iter();
    conditions.find(|condition| condition.str_at(&["type"]) == Some("DisruptionAllowed"))
}

/// Sets the condition `DisruptionAllowed` by the number of allowed disruptions.
pub fn update_condition(status: &mut Value, now: SimTime) {
    match status.int_at(&["disruptionsAllowed"]) {
        Some(1..) => set_condition(status, "True", ("SufficientPods", ""), now),
        _ => set_condition(status, "False", ("InsufficientPods", ""), now),
    }
}

/// Sets the condition `DisruptionAllowed`; its transition time moves only when its status changes.
///
/// Models staging/src/k8s.io/apimachinery/pkg/api/meta/conditions.go SetStatusCondition.
pub fn set_condition(
    status: &mut Value,
    value: &str,
    (reason, message): (&str, &str),
    now: SimTime,
) {
    let same = condition(status).filter(|old| old.str_at(&["status"]) == Some(value));
    let since = same.and_then(|old| old.str_at(&["lastTransitionTime"]));
    let since = since.map_or_else(|| now.rfc3339(), str::to_owned);
    let mut new = json!({
        "type": "DisruptionAllowed", "status": value, "reason": reason, "message": message,
        "lastTransitionTime": since,
    });
    if let Some(generation) = status.get("observedGeneration").cloned() {
        new.put(&["observedGeneration"], generation);
    }
    status.put(&["conditions"], json!([new]));
}
