//! The right-hand column: trace, details, events.

use super::Dispatch;
use super::tabs::title;
use crate::session::{Msg, Panel};
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct SideProps {
    pub(super) lang: Lang,
    pub(super) side: Panel,
}

/// The right-hand column.
#[function_component]
pub(super) fn Side(props: &SideProps) -> Html {
    let SideProps { lang, side } = *props;
    let (heading, text) = match side {
        Panel::Inspector => (Text::InspectorEmptyTitle, Text::InspectorEmptyText),
        Panel::Events => (Text::EventsEmpty, Text::EmptyText),
        _ => (Text::TraceEmptyTitle, Text::TraceEmptyText),
    };
    html! {
        <section class="panel side" aria-label={lang.t(title(side))}>
            <SideTabs {lang} {side} />
            <div class="scroll" id="side" role="tabpanel" aria-label={lang.t(title(side))}>
                <div class="nothing">
                    <h2>{ lang.t(heading) }</h2>
                    <p>{ lang.t(text) }</p>
                </div>
            </div>
        </section>
    }
}

/// The tabs over the column.
#[function_component]
fn SideTabs(props: &SideProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    html! {
        <div class="tabs" role="tablist">
            { for Panel::SIDE.into_iter().map(|one| html! {
                <button role="tab" aria-selected={(one == props.side).to_string()} aria-controls="side"
                    onclick={dispatch.reform(move |_| Msg::Show(one))}>
                    { props.lang.t(title(one)) }
                </button>
            }) }
        </div>
    }
}
