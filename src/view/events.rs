//! Events, newest first.

use super::Dispatch;
use super::link::Link;
use super::shared::Shared;
use crate::api::Kind;
use crate::present::chronicle::EventLine;
use crate::session::{EventFilter, Msg, ObjectId};
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct EventsProps {
    pub(super) lang: Lang,
    pub(super) events: Shared<Vec<EventLine>>,
    pub(super) filter: EventFilter,
    pub(super) selected: Option<ObjectId>,
}

/// The events of the cluster.
#[function_component]
pub(super) fn Events(props: &EventsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let EventsProps { lang, events, filter, selected } = props;
    let lang = *lang;
    html! {
        <>
            { filters(lang, *filter, selected.as_ref(), &dispatch) }
            if events.is_empty() {
                <div class="nothing"><h2>{ lang.t(Text::EventsEmpty) }</h2></div>
            }
            <ul class="events">
                { for events.iter().map(|event| html! {
                    <li key={event.key.clone()} data-warning={event.is_warning.then_some("")}>
                        <span class="when">{ event.age.clone() }<small>{ event.clock.clone() }</small></span>
                        <span><span class="reason">{ event.reason.clone() }</span>{ times(event) }{ " " }
                            { about(lang, event) }</span>
                        <span class="message">{ event.message.clone() }</span>
                    </li>
                }) }
            </ul>
        </>
    }
}

/// The object that an event is about, or how many.
fn about(lang: Lang, event: &EventLine) -> Html {
    let count = event.others.len() + 1;
    if count == 1 {
        return html! { <Link id={event.about.clone()} /> };
    }
    let names: Vec<&str> =
        [&event.about].into_iter().chain(&event.others).map(|id| &*id.name).collect();
    let text = match event.about.kind {
        Kind::Pod => lang.fill(Text::EventsPods, &[("count", &count)]),
        kind => format!("{count} {}", kind.plural()),
    };
    html! { <span class="several" title={names.join("\n")}>{ text }</span> }
}

/// Which events are shown.
fn filters(
    lang: Lang,
    filter: EventFilter,
    selected: Option<&ObjectId>,
    dispatch: &Dispatch,
) -> Html {
    let about = selected.map(|id| lang.fill(Text::EventsAbout, &[("name", &id.name)]));
    let choices = [
        (EventFilter::All, Some(lang.t(Text::EventsAll).to_owned())),
        (EventFilter::Warnings, Some(lang.t(Text::EventsWarnings).to_owned())),
        (EventFilter::Selected, about),
    ];
    html! {
        <div class="filter" role="group" aria-label={lang.t(Text::EventsFilter)}>
            { for choices.into_iter().filter_map(|(one, text)| text.map(|text| html! {
                <button class="quiet" aria-pressed={(one == filter).to_string()}
                    onclick={dispatch.reform(move |_| Msg::Filter(one))}>{ text }</button>
            })) }
        </div>
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
