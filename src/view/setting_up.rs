//! How far a large cluster is that is being set up, and a way out.

use super::Dispatch;
use crate::session::{Msg, SettingUp};
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct ProgressProps {
    pub(super) lang: Lang,
    pub(super) far: SettingUp,
}

/// The bar over the map.
#[function_component]
pub(super) fn Progress(props: &ProgressProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let ProgressProps { lang, far: SettingUp { joined, nodes, percent } } = *props;
    let text = if joined < nodes { Text::SettingUpNodes } else { Text::SettingUpAddons };
    html! {
        <section class="timeline" aria-label={lang.t(Text::SettingUp)}>
            <span id="setting-up">{ lang.fill(text, &[("joined", &joined), ("nodes", &nodes)]) }</span>
            <progress max="100" value={percent.to_string()} aria-labelledby="setting-up" />
            <button onclick={dispatch.reform(|_| Msg::CancelSetUp)}>{ lang.t(Text::SettingUpCancel) }</button>
        </section>
    }
}
