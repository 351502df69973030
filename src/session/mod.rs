//! What the page does, with no DOM in it.
//!
//! A person's doing is a [`Msg`]; [`update`] changes the [`Model`] and answers with [`Effect`]s,
//! the requests to the browser. Whatever changes the cluster is a line for its console, and the
//! terminal shows it: a button is a lesson in the command that it stands for.
//!
//! Reading order: `model.rs`, `msg.rs`, `update.rs`, `terminal.rs`, `watch.rs`, `apply.rs`,
//! `request.rs`, `aim.rs`, `burst.rs`, `journey.rs`, `tracer.rs`, `compare.rs`, `remedy.rs`.

pub mod aim;
pub mod apply;
pub mod assist;
pub mod burst;
pub mod compare;
pub mod effect;
mod explain;
pub mod fault;
pub mod journey;
pub mod model;
pub mod msg;
pub mod object_id;
mod remedy;
pub mod request;
pub mod samples;
pub mod terminal;
pub mod tracer;
pub mod update;
mod watch;

pub use burst::{Burst, BurstPlan};
pub use effect::Effect;
pub use fault::Fault;
pub use journey::{Journey, Pace};
pub use model::{Applied, Model, Opening, Panel, Speed, Theme};
pub use msg::Msg;
pub use object_id::ObjectId;
pub use request::{Door, Target};
pub use samples::Sample;
pub use terminal::{Entry, Terminal};
pub use tracer::{TraceMsg, TraceView, Tracer};
pub use update::update;
