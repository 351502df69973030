//! What the controller says of an object.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/state/conditions/conditions.go.

use crate::api::Value;
use crate::base::SimTime;
use serde_json::json;

/// A condition of a Gateway, a listener or a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its type.
    pub kind: &'static str,
    /// Whether it is so.
    pub status: bool,
    /// Its reason.
    pub reason: &'static str,
    /// Its message.
    pub message: String,
}

impl Condition {
    pub(super) fn new(
        kind: &'static str,
        status: bool,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Condition { kind, status, reason, message: message.into() }
    }

    /// A listener or a Gateway that is not taken, and so not programmed either.
    pub(super) fn refused(reason: &'static str, message: &str) -> [Self; 2] {
        [Self::new("Accepted", false, reason, message), Self::unprogrammed("Invalid", message)]
    }

    pub(super) fn unprogrammed(reason: &'static str, message: &str) -> Self {
        Self::new("Programmed", false, reason, message)
    }

    /// The last of each type, in the order of those.
    ///
    /// Models DeduplicateConditions.
    pub fn distinct(all: Vec<Condition>) -> Vec<Condition> {
        let mut kept: Vec<Condition> = Vec::with_capacity(all.len());
        for condition in all.into_iter().rev() {
            if !kept.iter().any(|known| known.kind == condition.kind) {
                kept.push(condition);
            }
        }
        kept.reverse();
        kept
    }

    /// The condition in a status.
    pub fn to_value(&self, generation: i64, now: SimTime) -> Value {
        json!({
            "type": self.kind,
            "status": if self.status { "True" } else { "False" },
            "reason": self.reason,
            "message": self.message,
            "observedGeneration": generation,
            "lastTransitionTime": now.rfc3339(),
        })
    }
}
