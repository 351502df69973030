//! `kubectl describe`.
use super::call::Call;
use super::failure::Outcome;
use crate::api::Value;
use crate::base::SimTime;

/// Shows an object in words.
pub(crate) fn describe(_call: &mut Call<'_>) -> Outcome {
    super::failure::plain("not yet")
}

/// A pod template in words.
pub(crate) fn template_text(_template: &Value, _revision: i64, _now: &SimTime) -> String {
    String::new()
}
