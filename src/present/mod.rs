//! View models: what the page shows, worked out from the world as plain values.
//!
//! Nothing here knows the DOM or keeps state, and every value is small and `PartialEq`, so that a
//! component is drawn again only when what it shows has changed. Sizes are CSS pixels; floats are
//! for drawing alone and never go back into the model.
//!
//! Reading order: `scene.rs` (what there is), `survey.rs` (how it is read from the world),
//! `layout.rs` (where it is), `viewport.rs` (what of it is in sight), `details.rs` (one object at
//! length), `chronicle.rs` (events), `story.rs` (a request hop by hop), `route.rs` (its way).

pub mod chronicle;
pub mod condition;
pub mod details;
mod facts;
pub mod geometry;
pub mod layout;
pub mod navigate;
pub mod palette;
pub mod route;
pub mod scene;
mod sentence;
mod sentence_of_proxy;
pub mod shorten;
pub mod story;
pub mod survey;
pub mod viewport;

pub use details::Details;
pub use geometry::{Point, Rect};
pub use layout::Layout;
pub use scene::ClusterScene;
pub use story::Story;
pub use survey::survey;
pub use viewport::Viewport;
