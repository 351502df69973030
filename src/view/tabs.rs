//! The tab bar of a narrow screen: the map, and the panels that rise from below.

use super::Dispatch;
use super::icon::{Icon, Picture};
use crate::session::{Msg, Panel};
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct TabBarProps {
    pub(super) lang: Lang,
    pub(super) panel: Panel,
}

/// The tab bar.
#[function_component]
pub(super) fn TabBar(props: &TabBarProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    html! {
        <nav class="tabbar" aria-label={props.lang.t(Text::AppName)}>
            { for Panel::ALL.into_iter().map(|one| html! {
                <button aria-pressed={(one == props.panel).to_string()}
                    onclick={dispatch.reform(move |_| Msg::Show(one))}>
                    <Picture icon={icon(one)} />
                    <span>{ props.lang.t(title(one)) }</span>
                </button>
            }) }
        </nav>
    }
}

/// What a panel is called.
pub(super) const fn title(panel: Panel) -> Text {
    match panel {
        Panel::Map => Text::TabMap,
        Panel::Editor => Text::TabEditor,
        Panel::Terminal => Text::TabTerminal,
        Panel::Trace => Text::TabTrace,
        Panel::Inspector => Text::TabInspector,
        Panel::Events => Text::TabEvents,
    }
}

const fn icon(panel: Panel) -> Icon {
    match panel {
        Panel::Map => Icon::Map,
        Panel::Editor => Icon::Code,
        Panel::Terminal => Icon::Terminal,
        Panel::Trace => Icon::Route,
        Panel::Inspector => Icon::Info,
        Panel::Events => Icon::Bell,
    }
}
