//! The right-hand column: trace, details, events.

use super::Dispatch;
use super::events::Events;
use super::inspector::Inspector;
use super::shared::Shared;
use super::tabs::title;
use super::trace::{Followed, Trace};
use crate::present::Details;
use crate::present::chronicle::EventLine;
use crate::session::{EventFilter, Msg, ObjectId, Panel};
use crate::text::{Lang, Text};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, KeyboardEvent};
use yew::{Callback, Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct SideProps {
    pub(super) lang: Lang,
    pub(super) side: Panel,
    pub(super) events: Shared<Vec<EventLine>>,
    pub(super) event_count: usize,
    pub(super) filter: EventFilter,
    pub(super) details: Option<Shared<Details>>,
    pub(super) selected: Option<ObjectId>,
    pub(super) followed: Followed,
}

/// The right-hand column.
#[function_component]
pub(super) fn Side(props: &SideProps) -> Html {
    let SideProps { lang, side, events, event_count, details, selected, filter, .. } = props;
    let (lang, side) = (*lang, *side);
    // Another panel, and another object, are read from their beginning.
    let object = selected.as_ref().filter(|_| side == Panel::Inspector).map(ObjectId::key);
    let key = format!("{} {}", side.name(), object.unwrap_or_default());
    html! {
        <section class="panel side" id="panel-side" aria-label={lang.t(title(side))}>
            <SideTabs {lang} {side} event_count={*event_count} />
            <div class="scroll" id="side" key={key} role="tabpanel" tabindex="0" aria-label={lang.t(title(side))}>
                { match side {
                    Panel::Inspector => html! {
                        <Inspector {lang} details={details.clone()} is_selected={selected.is_some()} />
                    },
                    Panel::Events => html! {
                        <Events {lang} events={events.clone()} filter={*filter} selected={selected.clone()} />
                    },
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
    let (tell, side) = (dispatch.clone(), props.side);
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => Panel::SIDE.len() - 1,
            _ => return,
        };
        let at = Panel::SIDE.iter().position(|one| *one == side).unwrap_or_default();
        let next = (at + step) % Panel::SIDE.len();
        if let Some(panel) = Panel::SIDE.get(next) {
            tell.emit(Msg::Show(*panel));
        }
        // The focus goes with the choice.
        let tabs = event.current_target().and_then(|tabs| tabs.dyn_into::<Element>().ok());
        let tab = tabs.and_then(|tabs| tabs.children().item(u32::try_from(next).unwrap_or(0)));
        if let Some(tab) = tab.and_then(|tab| tab.dyn_into::<HtmlElement>().ok()) {
            let _focused = tab.focus();
        }
    });
    html! {
        <div class="tabs" role="tablist" aria-label={props.lang.t(Text::SideTabs)} {onkeydown}>
            { for Panel::SIDE.into_iter().map(|one| html! {
                <button role="tab" aria-selected={(one == props.side).to_string()} aria-controls="side"
                    tabindex={if one == props.side { "0" } else { "-1" }}
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
