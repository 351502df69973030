//! What is inside of containers: which images there are and what they have, files, processes,
//! servers.
//!
//! Containers are not run: their scripts are played, by a small shell and models of the programs
//! that scripts use. [`Scene`] is the inside of one pod. [`Run`] is a line that a person types at their
//! own machine, in the same shell, with the same programs.
//!
//! Invariants: all is plain data; what happens depends on time and on what was given alone; simple
//! servers need nothing of this; no script runs without an end or grows without a bound at one
//! moment.
//!
//! Reading order: `images`, `kit` (what an image has), `tree`, `files`, `base_files`, `shell`
//! (scripts), `process`, `commands`, `scene`, `start` (what a container's first process is),
//! `archive`, `headers`, `server`, `output`.

pub mod archive;
mod base_files;
mod commands;
mod files;
pub mod filters;
mod headers;
pub mod images;
mod kit;
mod log;
mod machine;
mod output;
mod process;
mod scene;
pub mod server;
mod shell;
mod start;
#[cfg(test)]
mod tests;
pub mod tree;

pub use commands::duration;
pub use files::{Backing, Found, Given, Mount, Setting, Trees, User, View, normal};
pub use headers::Headers;
pub use kit::{Kit, Presence, kit_of};
pub use log::Log;
pub use machine::Machine;
pub use output::{Mark, Output, Part, Stream};
pub use process::{
    Asked, Command, Desk, KILL, Line, Memory, Reply, Service, TERM, Talk, Typed, Unread, is_builtin,
};
pub use scene::{Question, Run, Scene, Stage};
pub use shell::Entered;
pub use start::{Start, missing, start, start_alone, stop_code};
