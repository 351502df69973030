//! A small shell. A script is read once into steps; a process that runs it is a place among them,
//! so that it can be left at any moment, copied, and taken up again.
//!
//! Invariants: reading ends for any text; what a step does is decided in `process.rs`, not here.
//!
//! Reading order: `step` (what a script becomes), `dialect`, `parse`, `entered`, `word`, `braces`, `expand`, `sum`, `pattern`.

mod braces;
mod dialect;
mod entered;
mod expand;
mod parse;
mod pattern;
mod step;
mod sum;
mod word;

pub(super) use braces::braces;
pub(super) use dialect::{Dialect, Wrong};
pub use entered::Entered;
pub(super) use expand::{Variables, fields, text};
use parse::open_document;
pub(super) use parse::{parse, parse_typed};
pub(super) use pattern::matches;
pub(super) use step::{BOTH, Part, Redirect, Simple, Step, To, Word};
