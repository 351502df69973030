//! What the shapes, signs and colours of the map mean.

use super::map::{mark, pod};
use crate::present::scene::PodState;
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html};

/// The states in the order in which a Pod lives through them, each with kubectl's words and ours.
const STATES: [(PodState, &str, Text); 8] = [
    (PodState::Pending, "Pending", Text::LegendPending),
    (PodState::Starting, "ContainerCreating", Text::LegendStarting),
    (PodState::Ready, "Running", Text::LegendReady),
    (PodState::NotReady, "Running 0/1", Text::LegendNotReady),
    (PodState::Failed, "CrashLoopBackOff …", Text::LegendFailed),
    (PodState::Completed, "Completed", Text::LegendCompleted),
    (PodState::Terminating, "Terminating", Text::LegendTerminating),
    (PodState::Unknown, "Unknown", Text::LegendUnknown),
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
            <div class="inside" role="group" tabindex="0" aria-label={lang.t(Text::Legend)}>
                <section>
                    <h2>{ lang.t(Text::LegendPhase) }</h2>
                    <ul>{ for STATES.iter().map(|(state, words, text)| entry(lang, *text, Some(words), html! {
                        <g class="pod" data-state={pod::state_name(*state)} data-colour="0">
                            <rect class="body" x="1" y="1" width="24" height="18" rx="6" />
                            { mark::pod(*state, 13.0, 10.0) }
                        </g>
                    })) }</ul>
                </section>
                <section>
                    <h2>{ lang.t(Text::LegendSigns) }</h2>
                    <ul>{ for signs().into_iter().map(|(text, sign)| entry(lang, text, None, sign)) }</ul>
                </section>
                <p>{ lang.t(Text::LegendColour) }{ ". " }{ lang.t(Text::LegendPacket) }{ ". " }{ lang.t(Text::LegendNode) }{ "." }</p>
                <p>{ lang.t(Text::MapHelp) }</p>
            </div>
        </details>
    }
}

/// A sign with what it means, after Kubernetes' own words for it.
fn entry(lang: Lang, text: Text, words: Option<&str>, sign: Html) -> Html {
    html! {
        <li>
            <span class="map"><svg viewBox="0 0 26 20" aria-hidden="true">{ sign }</svg></span>
            <span>
                if let Some(words) = words {
                    <code>{ words.to_owned() }</code>{ " " }
                }
                { lang.t(text) }
            </span>
        </li>
    }
}

fn signs() -> [(Text, Html); 9] {
    [
        (
            Text::LegendContainers,
            html! { <g class="pod" data-colour="0">
                <rect class="container" data-ready="true" x="4" y="6" width="8" height="8" rx="2" />
                <rect class="container" x="15" y="6" width="8" height="8" rx="2" />
            </g> },
        ),
        (
            Text::LegendSidecar,
            html! { <g class="pod" data-colour="0"><rect class="container named" data-ready="true" data-sidecar="" x="2" y="3" width="22" height="14" rx="7" /></g> },
        ),
        (
            Text::LegendDisk,
            html! { <g class="pod" data-colour="0"><path class="disk" transform="translate(6 2)"
            d="M1 3.5v8c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5v-8M1 3.5a6 2.5 0 1 0 12 0a6 2.5 0 1 0 -12 0" /></g> },
        ),
        (
            Text::LegendScratch,
            html! { <g class="pod" data-colour="0"><rect class="disk scratch" x="6" y="3" width="14" height="13" rx="3" /></g> },
        ),
        (
            Text::LegendOld,
            html! { <g class="pod" data-colour="0" data-note="old"><rect class="body" x="1" y="1" width="24" height="18" rx="6" /></g> },
        ),
        (
            Text::LegendEmpty,
            html! { <g class="record service" data-colour="0" data-note="empty"><rect class="body" x="1" y="2" width="24" height="16" rx="5" /></g> },
        ),
        (Text::LegendStreet, html! { <path class="street" d="M3 4V16H23" /> }),
        (
            Text::LegendNumber,
            html! { <g class="hop" transform="translate(13 10)"><circle r="8.5" /><text class="count" y="4">{ "3" }</text></g> },
        ),
        (Text::LegendReply, html! { <path class="route" data-reply="" d="M2 10H24" /> }),
    ]
}
