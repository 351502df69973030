//! Shim.
use crate::api::{ApiError, Kind, Value};
/// Shim.
///
/// # Errors
/// None.
pub fn decode(_kind: Kind, value: &Value) -> Result<Value, ApiError> {
    Ok(value.clone())
}
