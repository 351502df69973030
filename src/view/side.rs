//! The right-hand column: trace, details, events.

use super::Dispatch;
use super::events::Events;
use super::inspector::Inspector;
use super::shared::Shared;
use super::tabs::title;
use super::trace::{Followed, Trace};
use crate::present::Details;
use crate::present::chronicle::EventLine;
use crate::session::{Msg, Panel};
use crate::text::Lang;
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct SideProps {
    pub(super) lang: Lang,
    pub(super) side: Panel,
    pub(super) events: Shared<Vec<EventLine>>,
    pub(super) event_count: usize,
    pub(super) details: Option<Shared<Details>>,
    pub(super) is_selected: bool,
    pub(super) followed: Followed,
}

/// The right-hand column.
#[function_component]
pub(super) fn Side(props: &SideProps) -> Html {
    let SideProps { lang, side, events, event_count, details, is_selected, .. } = props;
    let (lang, side) = (*lang, *side);
    html! {
        <section class="panel side" id="panel-side" aria-label={lang.t(title(side))}>
            <SideTabs {lang} {side} event_count={*event_count} />
            <div class="scroll" id="side" role="tabpanel" tabindex="0" aria-label={lang.t(title(side))}>
                { match side {
                    Panel::Inspector => html! {
                        <Inspector {lang} details={details.clone()} is_selected={*is_selected} />
                    },
                    Panel::Events => html! { <Events {lang} events={events.clone()} /> },
                    _ => html! {
                        <Trace {lang} followed={props.followed.clone()} />
                    },
                } }
            </div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct SideTabsProps {
    lang: Lang,
    side: Panel,
    event_count: usize,
}

/// The tabs over the column.
#[function_component]
fn SideTabs(props: &SideTabsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    html! {
        <div class="tabs" role="tablist">
            { for Panel::SIDE.into_iter().map(|one| html! {
                <button role="tab" aria-selected={(one == props.side).to_string()} aria-controls="side"
                    onclick={dispatch.reform(move |_| Msg::Show(one))}>
                    { props.lang.t(title(one)) }
                    if one == Panel::Events && props.event_count > 0 {
                        <span class="count">{ props.event_count }</span>
                    }
                </button>
            }) }
        </div>
    }
}
