//! What the page does, with no DOM in it.
//!
//! A person's doing is a [`Msg`]; [`update`] changes the [`Model`] and answers with [`Effect`]s,
//! the requests to the browser. Whatever changes the cluster goes through its console.
//!
//! Reading order: `model.rs`, `msg.rs`, `update.rs`.

pub mod effect;
pub mod model;
pub mod msg;
pub mod samples;
pub mod update;

pub use effect::Effect;
pub use model::{Model, Panel, Speed, Theme};
pub use msg::Msg;
pub use samples::Sample;
pub use update::update;
