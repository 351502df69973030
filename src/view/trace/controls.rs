//! The buttons that move the packet.

use super::super::Dispatch;
use super::super::icon::{Icon, Picture};
use super::Travel;
use crate::session::{Msg, TraceMsg};
use crate::text::{Lang, Text};
use yew::{
    Callback, Html, Properties, function_component, html, use_context, use_effect_with,
    use_state_eq,
};

#[derive(Properties, PartialEq)]
pub(super) struct ControlsProps {
    pub(super) lang: Lang,
    pub(super) travel: Travel,
    /// How many chapters there are.
    pub(super) count: usize,
}

/// The buttons that move the packet.
#[function_component]
pub(super) fn Controls(props: &ControlsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let ControlsProps { lang, travel, count } = *props;
    let button = |text: Text, icon: Icon, msg: Msg, disabled: bool| {
        let label = lang.t(text);
        html! {
            <button class="quiet square" title={label} aria-label={label} {disabled}
                onclick={dispatch.reform(move |_| msg.clone())}><Picture {icon} /></button>
        }
    };
    let switch = |text: Text, icon: Icon, msg: Msg, is_on: bool| {
        let label = lang.t(text);
        html! {
            <button class="quiet square" title={label} aria-label={label} aria-pressed={is_on.to_string()}
                onclick={dispatch.reform(move |_| msg.clone())}><Picture {icon} /></button>
        }
    };
    let play = if travel.playing {
        (Text::TracePause, Icon::Pause)
    } else {
        (Text::TracePlay, Icon::Play)
    };
    let number = travel.stage + 1;
    let is_copied = use_state_eq(|| false);
    let reset = is_copied.setter();
    use_effect_with(travel.stage, move |_| reset.set(false));
    let (tell, copied) = (dispatch.clone(), is_copied.setter());
    let copy = Callback::from(move |_| {
        tell.emit(Msg::CopyTrace);
        copied.set(true);
    });
    let follow = Msg::Trace(TraceMsg::Follow(!travel.follows));
    html! {
        <div class="steps" role="group" aria-label={lang.t(Text::TabTrace)}>
            { button(Text::TraceFirst, Icon::First, Msg::GoToHop(0), travel.hop == 0) }
            { button(Text::TraceBack, Icon::Back, Msg::StepHop(-1), travel.hop == 0) }
            { button(play.0, play.1, Msg::TogglePacket, false) }
            { button(Text::TraceForward, Icon::Forward, Msg::StepHop(1), false) }
            <span class="at" role={(!travel.playing).then_some("status")}>{ match *is_copied {
                true => lang.t(Text::Copied).to_owned(),
                false => lang.fill(Text::TraceStep, &[("number", &number), ("count", &count)]),
            } }</span>
            { switch(Text::TraceFollow, Icon::Fit, follow, travel.follows) }
            { switch(Text::TraceLoop, Icon::Reset, Msg::Trace(TraceMsg::Loop), travel.loops) }
            { switch(Text::TraceSlow, Icon::Slow, Msg::ToggleSlow, travel.is_slow) }
            <button class="quiet square" title={lang.t(Text::TraceCopy)} aria-label={lang.t(Text::TraceCopy)} onclick={copy}>
                <Picture icon={Icon::Copy} />
            </button>
        </div>
    }
}
