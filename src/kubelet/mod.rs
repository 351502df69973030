//! The agent on each node: it makes of a bound pod running containers, and tells how they are.
//!
//! [`sync`] is a function from what the API says of a pod and what runs of it ([`PodRuntime`]) to
//! writes and the next moment to look. Containers are simulated: `process.rs` knows what a
//! command would do, `images.rs` which images there are.
//!
//! Simplified: no cgroups, no real file systems, no resource pressure; times are typical ones.
//!
//! Reading order: `runtime.rs`, `sync.rs`, `status.rs`, `probes.rs`, `process.rs`, `images.rs`,
//! `node.rs`.

pub mod images;
pub mod node;
mod probes;
mod process;
mod runtime;
mod status;
mod sync;

pub use process::listens_on;
pub use runtime::{ContainerRuntime, NodeRuntime, PodRuntime, RunState};
pub use sync::{Surroundings, sync};
