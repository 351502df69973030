//! What the page asks of the browser.

use super::model::Theme;
use crate::text::Lang;

/// A request to the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Use this theme, and remember it.
    UseTheme(Theme),
    /// Say in the page's address and in the document which language it is in.
    UseLang(Lang),
    /// Put this text on the clipboard.
    Copy(String),
}
