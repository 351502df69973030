//! From the text that a person types to objects, and back.
//!
//! Three steps, each total: [`parse`] makes documents with the place of every key and value,
//! [`decode`] holds one against the types of the API as strictly as the API server does, and
//! [`to_yaml`] writes what kubectl prints. No input panics or takes more than linear
//! time.
//!
//! Reading order: `yaml/`, `scalar.rs`, `reader.rs`, `parse.rs`, `go_json.rs`, `schema.rs`,
//! `go_time.rs`, `encoded.rs`, `decode.rs`, `convert.rs`, `emit.rs`, `suggest.rs`.

pub mod convert;
mod decode;
pub mod descriptions;
mod emit;
mod encoded;
mod go_json;
mod go_time;
mod parse;
mod reader;
mod scalar;
pub mod schema;
mod suggest;
mod yaml;

pub use decode::{
    Decoded, cannot_be_handled, check_metadata, decode, decode_leniently, strict_error,
};
pub use emit::{reads_as_something_else, to_yaml};
pub use go_json::parse_json;
pub use parse::{Document, LIMIT, Parsed, Place, Position, Problem, parse};
pub use suggest::{Suggestion, path_at, suggestions};
