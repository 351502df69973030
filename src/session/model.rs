//! All that the page knows.

use super::samples::Sample;
use crate::text::Lang;
use std::rc::Rc;

/// Which colours the page wears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// A part of the page. On a narrow screen all but the map are sheets, one at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the panel of that name")]
pub enum Panel {
    #[default]
    Map,
    Editor,
    Terminal,
    Trace,
    Inspector,
    Events,
}

impl Panel {
    /// The panels that share the right-hand column of a wide screen.
    pub const SIDE: [Panel; 3] = [Panel::Trace, Panel::Inspector, Panel::Events];
    /// All of them, in the order of the tab bar.
    pub const ALL: [Panel; 6] =
        [Panel::Map, Panel::Editor, Panel::Terminal, Panel::Trace, Panel::Inspector, Panel::Events];

    /// A short name for styles and ids.
    pub const fn name(self) -> &'static str {
        match self {
            Panel::Map => "map",
            Panel::Editor => "editor",
            Panel::Terminal => "terminal",
            Panel::Trace => "trace",
            Panel::Inspector => "inspector",
            Panel::Events => "events",
        }
    }
}

/// How many seconds of virtual time pass in a second of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// As on the wall.
    #[default]
    One,
    /// Four.
    Four,
    /// Twenty.
    Twenty,
    /// A minute.
    Sixty,
}

impl Speed {
    /// Every speed, slowest first.
    pub const ALL: [Speed; 4] = [Speed::One, Speed::Four, Speed::Twenty, Speed::Sixty];

    /// Virtual seconds per second.
    pub const fn factor(self) -> u32 {
        match self {
            Speed::One => 1,
            Speed::Four => 4,
            Speed::Twenty => 20,
            Speed::Sixty => 60,
        }
    }
}

/// The state of the page.
#[derive(Clone, Debug)]
pub struct Model {
    /// The language.
    pub lang: Lang,
    /// The theme.
    pub theme: Theme,
    /// Whether the page is framed by another one and shows only what matters.
    pub embedded: bool,
    /// The panel in front on a narrow screen.
    pub panel: Panel,
    /// The panel in front in the right-hand column.
    pub side: Panel,
    /// The sample that was picked last.
    pub sample: Sample,
    /// The text in the editor.
    pub source: Rc<str>,
    /// Whether the map is shown as text.
    pub as_text: bool,
    /// Whether virtual time runs.
    pub playing: bool,
    /// How fast.
    pub speed: Speed,
}

impl Model {
    /// The page as it opens: a sample in the editor, and time running.
    pub fn new(lang: Lang, theme: Theme, sample: Sample, embedded: bool) -> Self {
        Model {
            lang,
            theme,
            embedded,
            panel: Panel::Map,
            side: Panel::Trace,
            sample,
            source: sample.yaml().into(),
            as_text: false,
            playing: true,
            speed: Speed::One,
        }
    }
}
