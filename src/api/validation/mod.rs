//! Shim.
use super::{FieldError, Kind, Value};
/// Shim.
pub fn validate_create(_kind: Kind, _object: &Value) -> Vec<FieldError> {
    Vec::new()
}
/// Shim.
pub fn validate_update(_kind: Kind, _new: &Value, _old: &Value) -> Vec<FieldError> {
    Vec::new()
}
