//! The agent on each node: it makes of a bound pod running containers, and tells how they are.
//!
//! [`sync`] is a function from what the API says of a pod and what runs of it ([`PodRuntime`]) to
//! writes and the next moment to look. What is inside of containers is played by the room
//! `container`; a pod of simple servers has nothing to play.
//!
//! Simplified: no cgroups, no resource pressure; times are typical ones.
//!
//! Reading order: `runtime.rs`, `sync.rs`, `admission.rs`, `start.rs`, `stop.rs`, `hooks.rs`,
//! `probes.rs`, `status.rs`; `environment.rs`, `mounts.rs`, `token.rs`, `dns.rs` and `inside.rs`
//! for what containers see; `node.rs`.

mod admission;
pub mod dns;
mod environment;
mod hooks;
pub mod inside;
mod mounts;
pub mod node;
mod probes;
mod runtime;
mod start;
mod status;
mod stop;
mod sync;
pub mod token;

pub use environment::{Within, container_tree, host_name};
pub use mounts::{host_at, hosts, node_disk, setting};
pub use runtime::{ContainerRuntime, End, Hook, NodeRuntime, PodRuntime, RunState, StopStep};
pub use sync::{Kubelet, removed, sync};
