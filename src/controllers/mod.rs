//! Shim.
use crate::store::Controller;
/// Shim.
pub fn all() -> &'static [&'static dyn Controller] {
    &[]
}
