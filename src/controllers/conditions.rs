//! `status.conditions` of objects that are trees.

use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::base::SimTime;
use serde_json::json;

/// A list of conditions as it changes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Conditions(Vec<Value>);

impl Conditions {
    /// The conditions of a status.
    pub(super) fn of(status: &Value) -> Self {
        Conditions(status.items_at(&["conditions"]).to_vec())
    }

    /// The condition of a type.
    pub(super) fn get(&self, condition_type: &str) -> Option<&Value> {
        self.0.iter().find(|condition| condition.str_at(&["type"]) == Some(condition_type))
    }

    /// The reason of a condition.
    pub(super) fn reason(&self, condition_type: &str) -> Option<&str> {
        self.get(condition_type)?.str_at(&["reason"])
    }

    /// Whether a condition is True.
    pub(super) fn is_true(&self, condition_type: &str) -> bool {
        self.get(condition_type).and_then(|c| c.str_at(&["status"])) == Some("True")
    }

    /// Sets a condition unless status and reason are the same already. It moves to the end; its
    /// transition time moves only when its status changes.
    ///
    /// Models pkg/controller/deployment/util/deployment_util.go SetDeploymentCondition.
    pub(super) fn set(
        &mut self,
        condition_type: &str,
        status: &str,
        (reason, message): (&str, &str),
        now: SimTime,
    ) {
        let old = self.get(condition_type);
        let field = |key: &str| old.and_then(|condition| condition.str_at(&[key]));
        if field("status") == Some(status) && field("reason") == Some(reason) {
            return;
        }
        self.force(condition_type, status, (reason, message), now);
    }

    /// Sets a condition even if only its message or its update time differ.
    pub(super) fn force(
        &mut self,
        condition_type: &str,
        status: &str,
        (reason, message): (&str, &str),
        now: SimTime,
    ) {
        let old = self.get(condition_type);
        let since = old
            .filter(|condition| condition.str_at(&["status"]) == Some(status))
            .and_then(|condition| condition.str_at(&["lastTransitionTime"]))
            .map_or_else(|| now.rfc3339(), str::to_owned);
        self.remove(condition_type);
        self.0.push(json!({
            "type": condition_type, "status": status, "reason": reason, "message": message,
            "lastUpdateTime": now.rfc3339(), "lastTransitionTime": since,
        }));
    }

    /// Takes a condition away.
    pub(super) fn remove(&mut self, condition_type: &str) {
        self.0.retain(|condition| condition.str_at(&["type"]) != Some(condition_type));
    }

    /// The list as JSON; `None` if it is empty.
    pub(super) fn into_value(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Array(self.0))
    }
}
