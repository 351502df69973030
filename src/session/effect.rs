//! What the page asks of the browser.

use super::model::Theme;
use super::panes::Panes;
use super::samples::Sample;
use crate::text::Lang;
use std::rc::Rc;

/// A request to the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Use this theme, and remember it.
    UseTheme(Theme),
    /// Say in the page's address and in the document which language it is in.
    UseLang(Lang),
    /// Put this text on the clipboard.
    Copy(String),
    /// Remember the text of a sample, or forget it.
    Keep(Sample, Option<Rc<str>>),
    /// Remember how large the panels are.
    KeepPanes(Panes),
    /// Ask before the page is left, or not.
    Guard(bool),
    /// Put the address that opens the page with this on the clipboard.
    Share(String),
}
