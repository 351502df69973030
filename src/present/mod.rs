//! View models: what the page shows, worked out from the world as plain values.
//!
//! Nothing here knows the DOM or keeps state, and every value is small and `PartialEq`, so that a
//! component is drawn again only when what it shows has changed. Sizes are CSS pixels; floats are
//! for drawing alone and never go back into the model.
//!
//! Reading order: `scene.rs` (what there is), `layout.rs` (where it is), `route.rs` (the way of a
//! packet between two places), `navigate.rs` (the arrow keys).

pub mod geometry;
pub mod layout;
pub mod scene;
pub mod shorten;

pub use geometry::{Point, Rect};
pub use layout::Layout;
pub use scene::ClusterScene;
