//! What the page does, with no DOM in it.
//!
//! A person's doing is a [`Msg`]; [`update`] changes the [`Model`] and answers with [`Effect`]s,
//! the requests to the browser. Whatever changes the cluster is a line for its console, and the
//! terminal shows it: a button is a lesson in the command that it stands for.
//!
//! Reading order: `model.rs`, `msg.rs`, `update.rs`, `terminal.rs`, `running.rs`, `enter.rs` and `jobs.rs` (commands at work),
//! `line.rs` (keys of the line), `apply.rs`, `explain/` (what is wrong with a manifest), `request.rs`,
//! `aim.rs`, `burst.rs`, `journey.rs`, `tracer.rs`, `compare.rs`, `remedy.rs`, `timeline.rs`, `setting_up.rs`, `share.rs`.

pub mod aim;
pub mod apply;
pub mod assist;
pub mod burst;
pub mod compare;
pub mod effect;
mod enter;
mod explain;
pub mod fault;
mod jobs;
pub mod journey;
pub mod line;
pub mod model;
pub mod msg;
pub mod object_id;
pub mod panes;
mod remedy;
pub mod request;
mod running;
pub mod samples;
pub mod setting_up;
pub mod share;
pub mod terminal;
pub mod timeline;
pub mod tracer;
pub mod update;

pub use apply::Stored;
pub use burst::{Burst, BurstPlan};
pub use effect::Effect;
pub use fault::{Fault, Fix};
pub use journey::{Journey, Pace};
pub use model::{Applied, Compare, Editing, EventFilter, Model, Opening, Panel, Speed, Theme};
pub use msg::Msg;
pub use object_id::ObjectId;
pub use panes::{Panes, Split};
pub use request::{Door, Target};
pub use samples::Sample;
pub use setting_up::SettingUp;
pub use share::Shared;
pub use terminal::{Entry, Terminal};
pub use timeline::{Timeline, TimelineMsg};
pub use tracer::{TraceMsg, TraceView, Tracer};
pub use update::update;
