//! Shim.
use crate::base::{Rng, SimTime};
use crate::store::{Change, Plan, Store};
/// Shim.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {}
impl Scheduler {
    /// Shim.
    pub const fn new() -> Self {
        Scheduler {}
    }
    /// Shim.
    pub fn observe(&mut self, _change: &Change, _now: SimTime) {}
    /// Shim.
    pub fn next_due(&self, _now: SimTime) -> Option<SimTime> {
        None
    }
    /// Shim.
    pub fn cycle(&mut self, _store: &Store, _now: SimTime, _rng: &mut Rng) -> Plan {
        Plan::default()
    }
}
