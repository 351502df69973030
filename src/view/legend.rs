//! What the shapes and colours of the map mean.

use super::map::{mark, pod};
use crate::present::scene::PodState;
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html};

/// The states in the order in which a Pod lives through them.
const STATES: [PodState; 8] = [
    PodState::Pending,
    PodState::Starting,
    PodState::Ready,
    PodState::NotReady,
    PodState::Failed,
    PodState::Completed,
    PodState::Terminating,
    PodState::Unknown,
];

#[derive(Properties, PartialEq)]
pub(super) struct LegendProps {
    pub(super) lang: Lang,
}

/// The legend.
#[function_component]
pub(super) fn Legend(props: &LegendProps) -> Html {
    let lang = props.lang;
    html! {
        <details class="legend">
            <summary>{ lang.t(Text::Legend) }</summary>
            <div class="inside">
                <section>
                    <h2>{ lang.t(Text::LegendPhase) }</h2>
                    <ul>{ for STATES.into_iter().map(|state| html! {
                        <li>
                            <span class="map"><svg viewBox="0 0 26 20" aria-hidden="true">
                                <g class="pod" data-state={pod::state_name(state)} data-colour="0">
                                    <rect class="body" x="1" y="1" width="24" height="18" rx="6" />
                                    { mark::pod(state, 13.0, 10.0) }
                                </g>
                            </svg></span>
                            { lang.t(pod::state_text(state)) }
                        </li>
                    }) }</ul>
                </section>
                <p>{ lang.t(Text::LegendColour) }{ ". " }{ lang.t(Text::LegendPacket) }{ ". " }{ lang.t(Text::LegendNode) }{ "." }</p>
                <p>{ lang.t(Text::MapHelp) }</p>
            </div>
        </details>
    }
}
