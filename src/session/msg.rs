//! What a person can do on the page.

use super::model::{Panel, Speed};
use super::samples::Sample;
use crate::text::Lang;
use std::rc::Rc;

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
}
