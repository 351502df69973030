//! What a person can do on the page.

use super::model::{Panel, Speed};
use super::object_id::ObjectId;
use super::request::Target;
use super::samples::Sample;
use super::tracer::TraceMsg;
use crate::text::Lang;
use std::rc::Rc;
use std::sync::Arc;

/// Something the person did, or the passing of a moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// Chose a language.
    UseLang(Lang),
    /// Changed from light to dark or back.
    ToggleTheme,
    /// Brought a panel to the front.
    Show(Panel),
    /// Changed the text in the editor.
    Edit(Rc<str>),
    /// Asked to see a line of the editor, from 1.
    GoToLine(u32),
    /// Asked for the fix of this fault, from 0, to be written into the text.
    Fix(usize),
    /// Asked for the manifests in the editor to be applied.
    Apply,
    /// Took another sample.
    PickSample(Sample),
    /// Asked for a new cluster with the sample as it was.
    Reset,
    /// Changed between the map and its text.
    ToggleAsText,
    /// Stopped time or let it run.
    TogglePlaying,
    /// Chose a speed.
    SetSpeed(Speed),
    /// So many microseconds have passed on the wall.
    Tick(u32),
    /// Chose an object on the map, or none.
    Select(Option<ObjectId>),
    /// Has these nodes in sight, near enough to read the names of their Pods.
    Look(Rc<[Arc<str>]>),
    /// Pressed a button that stands for this command.
    Run(String),
    /// Chose where requests go.
    Aim(Target),
    /// Sent one request, to follow it.
    Send,
    /// Sent many requests, to count them.
    Burst,
    /// Went to a hop of the trace, from 0.
    GoToHop(usize),
    /// Went so many hops forwards, or back.
    StepHop(i32),
    /// Let the packet go on by itself, or stopped it.
    TogglePacket,
    /// Asked for the trace as text, on the clipboard.
    CopyTrace,
    /// Did something in the trace panel.
    Trace(TraceMsg),
    /// Changed between slow and usual motion of the packet.
    ToggleSlow,
    /// Changed the line in the terminal.
    Type(String),
    /// Pressed Enter in the terminal.
    Enter,
    /// Pressed Tab in the terminal.
    Complete,
    /// Went through the terminal's history: -1 to the line before.
    Recall(i32),
    /// Pressed Ctrl-C in the terminal.
    Interrupt,
    /// Pressed Ctrl-L in the terminal.
    Clear,
}
