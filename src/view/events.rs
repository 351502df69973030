//! Events, newest first.

use super::link::Link;
use super::shared::Shared;
use crate::present::chronicle::EventLine;
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(super) struct EventsProps {
    pub(super) lang: Lang,
    pub(super) events: Shared<Vec<EventLine>>,
}

/// The events of the cluster.
#[function_component]
pub(super) fn Events(props: &EventsProps) -> Html {
    if props.events.is_empty() {
        return html! { <div class="nothing"><h2>{ props.lang.t(Text::EventsEmpty) }</h2></div> };
    }
    html! {
        <ul class="events">
            { for props.events.iter().map(|event| html! {
                <li key={event.key.clone()} data-warning={event.is_warning.then_some("")}>
                    <span class="when">{ event.age.clone() }</span>
                    <span><span class="reason">{ event.reason.clone() }</span>{ times(event) }{ " " }
                        <Link id={event.about.clone()} /></span>
                    <span class="message">{ event.message.clone() }</span>
                </li>
            }) }
        </ul>
    }
}

/// The events about one object: without saying every time which.
pub(super) fn short_events(events: &[EventLine]) -> Html {
    html! {
        <ul class="events">
            { for events.iter().map(|event| html! {
                <li key={event.key.clone()} data-warning={event.is_warning.then_some("")}>
                    <span class="when">{ event.age.clone() }</span>
                    <span class="reason">{ event.reason.clone() }{ times(event) }</span>
                    <span class="message">{ event.message.clone() }</span>
                </li>
            }) }
        </ul>
    }
}

fn times(event: &EventLine) -> Html {
    html! {
        if event.count > 1 {
            <span class="times">{ format!(" ×{}", event.count) }</span>
        }
    }
}
