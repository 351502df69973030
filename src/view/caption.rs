//! Under the map while a request is followed: what happens now, in a sentence, and the buttons that
//! move the packet.

use super::Dispatch;
use super::icon::{Icon, Picture};
use super::shared::Shared;
use super::trace::Travel;
use crate::present::Story;
use crate::session::{Msg, TraceMsg};
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct CaptionProps {
    pub(super) lang: Lang,
    pub(super) story: Shared<Story>,
    pub(super) travel: Travel,
}

/// The caption.
#[function_component]
pub(super) fn Caption(props: &CaptionProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let CaptionProps { lang, story, travel } = props;
    let lang = *lang;
    let told = story.caption(travel.hop, travel.is_open);
    let button = |text: Text, icon: Icon, msg: Msg, pressed: Option<bool>, disabled: bool| {
        let label = lang.t(text);
        html! {
            <button class="quiet square" title={label} aria-label={label} {disabled}
                aria-pressed={pressed.map(|on| on.to_string())}
                onclick={dispatch.reform(move |_| msg.clone())}><Picture {icon} /></button>
        }
    };
    let play = match travel.playing {
        true => (Text::TracePause, Icon::Pause),
        false => (Text::TracePlay, Icon::Play),
    };
    let (number, count) = (travel.stage + 1, story.chapters.len());
    html! {
        <div class="caption" role="group" aria-label={lang.t(Text::TabTrace)} data-reply={told.is_reply.then_some("")}>
            <div class="buttons">
                { button(Text::TraceBack, Icon::Back, Msg::StepHop(-1), None, travel.hop == 0) }
                { button(play.0, play.1, Msg::TogglePacket, None, false) }
                { button(Text::TraceForward, Icon::Forward, Msg::StepHop(1), None, false) }
            </div>
            // While it plays, the sentences are not read out over one another.
            <p role={(!travel.playing).then_some("status")} data-end={told.is_end.then_some("")}>
                <b>{ lang.fill(Text::TraceStep, &[("number", &number), ("count", &count)]) }{ " · " }
                    if told.is_reply {
                        <span class="way">{ lang.t(Text::CaptionReply) }</span>{ " · " }
                    }
                    { told.title }</b>
                <span>{ told.sentence }</span>
            </p>
            <div class="buttons">
                { button(Text::TraceSlow, Icon::Slow, Msg::ToggleSlow, Some(travel.is_slow), false) }
                { button(Text::TraceLoop, Icon::Reset, Msg::Trace(TraceMsg::Loop), Some(travel.loops), false) }
                { button(Text::CaptionClose, Icon::Close, Msg::Trace(TraceMsg::Close), None, false) }
            </div>
        </div>
    }
}
