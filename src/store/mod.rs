//! The cluster's memory: objects, their indexes, revisions, and the log of what changed.
//!
//! Invariants: only this room changes an object; each change gets the next revision and is
//! logged once; a stored object never changes in place (readers hold `Arc`s); a clone of the store
//! is O(1). Above plain storage lies the API server's own work (`server.rs`): names, generations,
//! graceful deletion, finalizers, admission.
//!
//! Reading order: `write.rs` (what others ask for), `storage.rs`, `server.rs`, `admission/`, `patch/`,
//! `managed/`.

pub mod admission;
pub mod custom;
mod ephemeral;
mod event_series;
mod events;
mod eviction;
mod index;
pub mod managed;
pub mod patch;
mod server;
mod storage;
mod strategy;
mod write;

pub use event_series::FINISH_TIME;
pub use managed::Manager;
pub use server::{
    Context, FOREGROUND_FINALIZER, ORPHAN_FINALIZER, deprecation, invalid, read_object,
};
pub use storage::{Change, Difference, ObjectKey, Store};
pub use write::{Cause, Controller, DeleteOptions, Key, Note, Outcome, Plan, Propagation, Write};
