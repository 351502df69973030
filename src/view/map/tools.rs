//! The buttons over the map: nearer, farther, all of it; after the packet again; another node.

use super::super::Dispatch;
use super::super::icon::{Icon, Picture};
use crate::present::Viewport;
use crate::session::Msg;
use crate::text::{Lang, Text};
use yew::{Callback, Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct ToolsProps {
    pub(super) lang: Lang,
    /// What the buttons lead to: farther, nearer, everything.
    pub(super) views: [Option<Viewport>; 3],
    pub(super) keep: Callback<Option<Viewport>>,
    /// Whether there is a packet that the map does not go after.
    pub(super) is_left_behind: bool,
    pub(super) follow: Callback<()>,
}

/// The buttons.
#[function_component]
pub(super) fn Tools(props: &ToolsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let ToolsProps { lang, views, keep, is_left_behind, follow } = props;
    let lang = *lang;
    let [farther, nearer, all] = *views;
    let button = |text: Text, icon: Icon, new: Option<Viewport>| {
        let label = lang.t(text);
        html! {
            <button class="quiet square" title={label} aria-label={label}
                onclick={keep.reform(move |_| new)}>
                <Picture {icon} />
            </button>
        }
    };
    let add = lang.t(Text::NodeAdd);
    html! {
        <div class="stage-foot">
            if *is_left_behind {
                <button class="packet pill" onclick={follow.reform(|_| ())}>
                    <Picture icon={Icon::Route} />{ lang.t(Text::Follow) }
                </button>
            }
            <button class="pill" title={format!("{add}: node add")} onclick={dispatch.reform(|_| Msg::Run("node add".into()))}>
                <Picture icon={Icon::AddNode} /><span>{ add }</span>
            </button>
            { other_form(lang, &dispatch, Text::MapAsText, Icon::List) }
            <div class="stage-tools" role="group" aria-label={lang.t(Text::MapTools)}>
                { button(Text::ZoomOut, Icon::Minus, farther) }
                { button(Text::ZoomFit, Icon::Fit, all) }
                { button(Text::ZoomIn, Icon::Plus, nearer) }
            </div>
        </div>
    }
}

/// The button that leads from the map to its text, or back.
pub(in crate::view) fn other_form(lang: Lang, dispatch: &Dispatch, text: Text, icon: Icon) -> Html {
    let label = lang.t(text);
    html! {
        <button class="as-text pill" title={label} onclick={dispatch.reform(|_| Msg::ToggleAsText)}>
            <Picture {icon} /><span>{ label }</span>
        </button>
    }
}
