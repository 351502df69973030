//! The buttons over the map: nearer, farther, all of it.

use super::super::icon::{Icon, Picture};
use crate::present::Viewport;
use crate::present::geometry::Point;
use crate::text::{Lang, Text};
use yew::{Callback, Html, Properties, function_component, html};

/// How much a press of a button zooms.
const STEP: f64 = 1.25;

#[derive(Properties, PartialEq)]
pub(super) struct ToolsProps {
    pub(super) lang: Lang,
    pub(super) view: Viewport,
    pub(super) middle: (f64, f64),
    pub(super) keep: Callback<Option<Viewport>>,
}

/// The buttons.
#[function_component]
pub(super) fn Tools(props: &ToolsProps) -> Html {
    let ToolsProps { lang, view, middle, keep } = props;
    let (view, at) = (*view, Point::new(middle.0, middle.1));
    let button = |text: Text, icon: Icon, new: Option<Viewport>| {
        let label = lang.t(text);
        html! {
            <button class="quiet square" title={label} aria-label={label}
                onclick={keep.reform(move |_| new)}>
                <Picture {icon} />
            </button>
        }
    };
    html! {
        <div class="stage-tools" role="group" aria-label={lang.t(Text::MapTools)}>
            { button(Text::ZoomOut, Icon::Minus, Some(view.zoomed(1.0 / STEP, at))) }
            { button(Text::ZoomFit, Icon::Fit, None) }
            { button(Text::ZoomIn, Icon::Plus, Some(view.zoomed(STEP, at))) }
        </div>
    }
}
