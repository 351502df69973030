//! Shim.
use super::{Kind, Value};
/// Shim.
pub fn apply(_kind: Kind, _object: &mut Value) {}
