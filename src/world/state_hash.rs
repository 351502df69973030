//! One number for a whole world: equal worlds have equal numbers, natively and in wasm.

use super::World;
use crate::api::Kind;
use crate::base::SimTime;
use crate::base::names::fnv64a;
use crate::net::Family;
use crate::net::iptables::save::{Moment, print};

impl World {
    /// A hash over time, revision, every object as the API shows it, and rules added by hand.
    pub fn state_hash(&self) -> u64 {
        let mut hash = fnv64a(self.now.as_micros(), &self.store.revision().to_le_bytes());
        for object in Kind::all().flat_map(|kind| self.store.list(kind)) {
            hash = fnv64a(hash, object.to_value().to_string().as_bytes());
        }
        for (node, ruleset) in self.rules_by_hand() {
            let text = print(ruleset, Family::V4, Moment::at(SimTime::WORLD_START));
            hash = fnv64a(hash, format!("{node} {text}").as_bytes());
        }
        hash
    }
}
