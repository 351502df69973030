//! View models: what the page shows, worked out from the world as plain values.
//!
//! Nothing here knows the DOM or keeps state, and every value is small and `PartialEq`, so that a
//! component is drawn again only when what it shows has changed. Sizes are CSS pixels; floats are
//! for drawing alone and never go back into the model.
//!
//! Reading order: `scene.rs` (what there is), `survey/` (how it is read from the world), `layout/`
//! (where it is), `viewport.rs` (what of it is in sight, and how near), `crowd.rs` (thousands of
//! Pods as dots), `relation.rs` (what belongs together), `details.rs` (one object at length),
//! `chronicle.rs` (events), `story.rs` (a request hop by hop), `chapter.rs`,
//! `packet_card.rs`, `rule_tree.rs` and `comparison.rs` (what is told of it, with the sentences of
//! `telling`), `route.rs` (its way),
//! `difference.rs` (two versions of objects), `printed.rs` (what a command printed).

pub mod chapter;
pub mod chronicle;
pub mod comparison;
pub mod condition;
pub mod crowd;
pub mod details;
pub mod difference;
mod facts;
pub mod geometry;
pub mod layout;
pub mod navigate;
pub mod pace;
pub mod packet_card;
pub mod palette;
pub mod printed;
pub mod relation;
pub mod route;
pub mod rule_tree;
pub mod scene;
pub mod shorten;
pub mod story;
#[cfg(test)]
mod story_tests;
pub mod survey;
pub mod viewport;

pub use details::Details;
pub use geometry::{Point, Rect};
pub use layout::Layout;
pub use relation::Relation;
pub use scene::ClusterScene;
pub use story::Story;
pub use survey::{Surveyor, survey};
pub use viewport::Viewport;

pub use crate::telling::{draw, sentence_of_loss};
