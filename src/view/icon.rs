//! The page's own small pictures, 16 by 16, drawn with the colour of the text.

use yew::{Html, Properties, function_component, html};

/// A picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    Play,
    Pause,
    Sun,
    Moon,
    Reset,
    Plus,
    Minus,
    Fit,
    List,
    Map,
    Code,
    Terminal,
    Route,
    Info,
    Bell,
    First,
    Back,
    Forward,
    Slow,
    Send,
    Burst,
    Trash,
    Plug,
    Unplug,
    AddNode,
    Copy,
    Tune,
    Grow,
    Shrink,
    Share,
    Compare,
    Roll,
    Close,
    Screen,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Icon::Play => "M5 3.2v9.6l8-4.8z",
            Icon::Pause => "M5 3v10M11 3v10",
            Icon::Sun => {
                "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1"
            }
            Icon::Roll => {
                "M3 7.500a5 5 0 0 1 9-2.500M13 8.500a5 5 0 0 1-9 2.500M12.500 2v3h-3M3.500 14v-3h3"
            }
            Icon::Close => "M4 4l8 8M12 4l-8 8",
            Icon::Screen => "M2 3h12M3 3v7.500h10V3M8 10.500v3M5.500 13.500h5",
            Icon::Moon => "M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z",
            Icon::Reset => "M3 8a5 5 0 1 0 1.600-3.700M3 2.5v3h3",
            Icon::Plus => "M8 3v10M3 8h10",
            Icon::Minus => "M3 8h10",
            Icon::Fit => "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
            Icon::List => "M6 4h7M6 8h7M6 12h7M3 4h.01M3 8h.01M3 12h.01",
            Icon::Map => {
                "M2.5 4.5l3.5-1.5 4 1.5 3.5-1.5v8.5L10 13l-4-1.5-3.5 1.5zM6 3v8.5M10 4.5V13"
            }
            Icon::Code => "M5.5 4L2 8l3.5 4M10.5 4L14 8l-3.5 4",
            Icon::Terminal => "M3 4l4 4-4 4M8.5 12.5H13",
            Icon::Route => {
                "M4 13a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM12 6a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM5.5 11.5H10a2 2 0 0 0 0-4H6a2 2 0 0 1 0-4h4.5"
            }
            Icon::Info => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5V11M8 5h.01",
            Icon::Bell => "M4 11V7.5a4 4 0 0 1 8 0V11l1 1H3zM7 14h2",
            Icon::First => "M12 3.5v9L6 8zM4 3.5v9",
            Icon::Back => "M10 3.5L5.5 8l4.5 4.5",
            Icon::Forward => "M6 3.5L10.5 8 6 12.5",
            Icon::Slow => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3.5l2.5 1.5",
            Icon::Send => "M2.5 8h10M9 4.5L12.5 8 9 11.5",
            Icon::Burst => "M2.5 4.5h7M2.5 8h10M2.5 11.5h7M10 5.5L12.5 8 10 10.5",
            Icon::Trash => "M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.5 9h6l.5-9",
            Icon::Copy => "M5.5 5.5h7v7h-7zM3.5 10.5v-7h7",
            Icon::Tune => "M2.5 5h6M11.5 5h2M2.5 11h2M7.5 11h6M10 3.5v3M6 9.5v3",
            Icon::Plug => "M6 2.5v3.5M10 2.5v3.5M4 6h8v2a4 4 0 0 1-8 0zM8 12v2",
            Icon::Unplug => "M6 2.5v3.5M10 2.5v3.5M4 6h8v2a4 4 0 0 1-8 0zM8 12v2M2.5 13.5L13.5 2.5",
            Icon::AddNode => {
                "M3 5.5a2 2 0 0 1 2-2h4M13 8.5V11a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5.5M12 2v5M9.5 4.5h5"
            }
            Icon::Grow => "M3 9.5v3.500h3.500M13 6.500V3H9.500M3.500 12.500l4-4M12.500 3.500l-4 4",
            Icon::Shrink => "M7 12.500V9H3.500M9 3.500V7h3.500M7 9l-4 4M9 7l4-4",
            Icon::Share => "M8 9.500V2.500M5 5l3-3 3 3M3.500 8.500v5h9v-5",
            Icon::Compare => {
                "M4.500 3v10M2 5.500L4.500 3 7 5.500M11.500 13V3M9 10.500l2.500 2.500 2.500-2.500"
            }
        }
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct PictureProps {
    pub(super) icon: Icon,
}

/// Draws an [`Icon`]. What it means is said by the button around it.
#[function_component]
pub(super) fn Picture(props: &PictureProps) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d={props.icon.path()} />
        </svg>
    }
}
