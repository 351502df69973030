//! The objects of the Kubernetes API.
//!
//! An [`Object`] is typed where the simulation decides on it (metadata, pods, events) and a tree
//! everywhere else, so that no field of a manifest is lost. Trees are [`serde_json::Value`]s with
//! sorted keys behind an `Arc`: copies are cheap and share what they have in common.
//!
//! Reading order: `kind.rs`, `resource.rs`, `meta.rs`, `object.rs`, `event.rs`, `pod.rs`, `selector.rs`, `field_selector.rs`, `error.rs`.

pub mod certificate;
pub mod conversion;
pub mod defaults;
pub mod disruption_budget;
pub mod error;
pub mod event;
pub mod field_selector;
mod go_text;
pub mod kind;
pub mod managed_fields;
pub mod meta;
pub mod node_affinity;
pub mod object;
pub mod pod;
pub mod resource;
pub mod selector;
mod selector_text;
pub mod tree;
pub mod validation;
pub mod volume_match;

pub use error::{ApiError, FieldError, FieldErrorType, Reason};
pub use event::{Event, ObjectReference};
pub use go_text::{go_syntax, go_value};
pub use kind::Kind;
pub use managed_fields::{FieldSet, ManagedFields, ManagedFieldsEntry};
pub use meta::{Deletion, Details, ObjectMeta, OwnerReference, StringMap, Uid};
pub use object::{Body, Object, PodTemplate};
pub use pod::{Pod, PodSpec, PodStatus};
pub use selector::Selector;
/// The tree of what is not typed: JSON with sorted keys.
pub use serde_json::Value;
