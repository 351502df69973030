//! What the page does, with no DOM in it.
//!
//! A person's doing is a [`Msg`]; [`update`] changes the [`Model`] and answers with [`Effect`]s,
//! the requests to the browser. Whatever changes the cluster is a line for its console, and the
//! terminal shows it: a button is a lesson in the command that it stands for.
//!
//! Reading order: `model.rs`, `msg.rs`, `update.rs`, `terminal.rs`, `watch.rs`, `apply.rs`,
//! `request.rs`.

pub mod apply;
pub mod assist;
pub mod effect;
mod explain;
pub mod fault;
pub mod model;
pub mod msg;
pub mod object_id;
pub mod request;
pub mod samples;
pub mod terminal;
pub mod update;
mod watch;

pub use effect::Effect;
pub use fault::Fault;
pub use model::{Applied, Model, Opening, Panel, Speed, Theme};
pub use msg::Msg;
pub use object_id::ObjectId;
pub use request::{Burst, Door, Journey, Target};
pub use samples::Sample;
pub use terminal::{Entry, Terminal};
pub use update::update;
