//! What every other room stands on: virtual time, seeded randomness, quantities, generated names,
//! shared texts.
//!
//! Invariants: nothing here reads a clock, a hash map's order or the operating system, and nothing
//! uses a float to decide. Read `time.rs`, then `quantity.rs`.

pub mod names;
pub mod order;
pub mod quantity;
pub mod rng;
mod texts;
pub mod time;

pub use quantity::Quantity;
pub use rng::Rng;
pub use texts::Texts;
pub use time::{Seconds, SimTime};

/// The persistent ordered map of the project: a clone costs O(1), a write O(log n), and two clones
/// share what they have in common. One alias, so that another crate can be tried in one place.
pub type Map<K, V> = imbl::OrdMap<K, V>;

/// The persistent ordered set that goes with [`Map`].
pub type Set<T> = imbl::OrdSet<T>;
