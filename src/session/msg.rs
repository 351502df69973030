//! What a person can do on the page.

use super::model::{Compare, EventFilter, Panel, Speed};
use super::object_id::ObjectId;
use super::panes::Split;
use super::request::Target;
use super::samples::Sample;
use super::share::Shared;
use super::timeline::TimelineMsg;
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
    /// Asked for the manifests in the editor to be applied, or the edited object to be stored.
    Apply,
    /// Left the object that was being edited as it is.
    CancelEdit,
    /// Asked to see a difference, or the text again.
    Compare(Option<Compare>),
    /// Asked for the sample's own text in place of the one that was left before.
    OwnText,
    /// Would rather have the usual cluster than the large one that is being set up.
    CancelSetUp,
    /// Asked for what was left behind by a reset or for another sample.
    Undo,
    /// Did something on the timeline.
    Timeline(TimelineMsg),
    /// Wants the map alone, for a room, or not; the other of what it is if nothing is said.
    Present(Option<bool>),
    /// Asked for an address that opens the page as it is.
    Share,
    /// Moved the line between two panels, so that its panel is so many pixels large.
    Split(Split, i32),
    /// Put the terminal below everything, or back below the editor.
    ToggleWide,
    /// Chose which events to see.
    Filter(EventFilter),
    /// Chose a name in the output of this entry of the terminal.
    Look {
        /// What was printed, `pod/web-1` or `web-1`.
        name: String,
        /// The number of the entry.
        entry: u32,
    },
    /// Opened an address that says what the page holds.
    Open(Box<Shared>),
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
    LookCloser(Rc<[Arc<str>]>),
    /// Pressed a button that stands for this command.
    Run(String),
    /// Chose where requests go.
    Aim(Target),
    /// Sent one request, to follow it.
    Send,
    /// Sent many requests, to count them.
    Burst,
    /// Asked for a rollout of the Pods that would answer, and for requests meanwhile.
    Roll,
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
    /// Pressed Tab in the terminal, the cursor at this byte of the line.
    Complete(usize),
    /// Pasted several lines into the terminal, the cursor at this byte of the line.
    Paste {
        /// What was pasted.
        text: String,
        /// Where.
        cursor: usize,
    },
    /// Pressed Ctrl-R in the terminal.
    Search,
    /// Pressed Ctrl-D on an empty line of the terminal.
    EndInput,
    /// Went through the terminal's history: -1 to the line before.
    Recall(i32),
    /// Pressed Ctrl-C in the terminal.
    Interrupt,
    /// Pressed Ctrl-L in the terminal.
    Clear,
}
