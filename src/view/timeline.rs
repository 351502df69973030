//! The timeline: a slider back to moments that were kept.

use super::Dispatch;
use super::header::speeds;
use crate::present::chronicle::clock;
use crate::session::{Msg, Speed, TimelineMsg};
use crate::text::{Lang, Text};
use web_sys::HtmlInputElement;
use yew::{Html, Properties, TargetCast, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct TimelineProps {
    pub(super) lang: Lang,
    /// The moment that is looked at, and how many there are.
    pub(super) place: (usize, usize),
    /// When that is, in seconds.
    pub(super) seconds: u64,
    pub(super) speed: Speed,
}

/// The slider, and what can be done where it stands.
#[function_component]
pub(super) fn TimelineBar(props: &TimelineProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let TimelineProps { lang, place: (place, count), seconds, speed } = *props;
    let is_back = place < count;
    let moved = dispatch.reform(move |event: yew::InputEvent| {
        let slider = event.target_dyn_into::<HtmlInputElement>();
        let to = slider.and_then(|slider| slider.value().parse().ok());
        Msg::Timeline(TimelineMsg::Look(to.unwrap_or(count)))
    });
    let when = if is_back { clock(seconds) } else { lang.t(Text::TimelineNow).to_owned() };
    html! {
        <section class="timeline" aria-label={lang.t(Text::Timeline)} data-back={is_back.then_some("")}>
            <input type="range" min="0" max={count.to_string()} value={place.to_string()} oninput={moved}
                aria-label={lang.t(Text::Timeline)} aria-valuetext={when.clone()} />
            <output>{ when }</output>
            // On a phone, where the bar at the top has no room for them.
            <div class="speeds" role="group" aria-label={lang.t(Text::Speed)}>{ for speeds(lang, speed, &dispatch) }</div>
            if is_back {
                <button class="primary" onclick={dispatch.reform(|_| Msg::Timeline(TimelineMsg::GoOn))}>{ lang.t(Text::TimelineGoOn) }</button>
                <button onclick={dispatch.reform(move |_| Msg::Timeline(TimelineMsg::Look(count)))}>{ lang.t(Text::TimelineBack) }</button>
            }
        </section>
    }
}
