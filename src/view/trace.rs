//! The story of a request: how it ended, its hops, and what a hundred of them did.

use super::Dispatch;
use super::histogram::Histogram;
use super::icon::{Icon, Picture};
use super::shared::Shared;
use crate::present::Story;
use crate::present::story::StoryHop;
use crate::session::{Burst, Msg};
use crate::text::{Lang, Text};
use std::rc::Rc;
use web_sys::Element;
use yew::{
    Callback, Html, Properties, function_component, html, use_context, use_effect_with,
    use_node_ref, use_state_eq,
};

/// Where a journey is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Travel {
    /// The hop, from 0.
    pub(super) hop: usize,
    /// How far the packet is on its way there, in thousandths.
    pub(super) progress: u32,
    /// Whether it goes on by itself.
    pub(super) playing: bool,
    /// Whether it goes slowly.
    pub(super) is_slow: bool,
}

#[derive(Properties, PartialEq)]
pub(super) struct TraceProps {
    pub(super) lang: Lang,
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    pub(super) burst: Option<Rc<Burst>>,
}

/// The trace.
#[function_component]
pub(super) fn Trace(props: &TraceProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let TraceProps { lang, story, travel, burst } = props;
    let lang = *lang;
    let (Some(story), Some(travel)) = (story, travel) else {
        return html! {
            <div class="nothing">
                <h2>{ lang.t(Text::TraceEmptyTitle) }</h2>
                <p>{ lang.t(Text::TraceEmptyText) }</p>
                <button class="start" onclick={dispatch.reform(|_| Msg::Send)}>
                    <Picture icon={Icon::Send} />{ lang.t(Text::RequestSend) }
                </button>
            </div>
        };
    };
    html! {
        <div class="trace">
            <Verdict {lang} story={story.clone()} />
            if let Some(burst) = burst {
                <Histogram {lang} burst={burst.clone()} />
            }
            <Steps {lang} hop={travel.hop} count={story.hops.len()} playing={travel.playing} is_slow={travel.is_slow} />
            <Hops {lang} story={story.clone()} hop={travel.hop} />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct VerdictProps {
    lang: Lang,
    story: Shared<Story>,
}

/// How the request ended.
#[function_component]
fn Verdict(props: &VerdictProps) -> Html {
    let story = &props.story;
    let good = story.is_answered.then_some("");
    let bad = (!story.is_answered).then_some("");
    html! {
        <div class="verdict" role="status" data-good={good} data-bad={bad}>
            <b>{ story.verdict.clone() }</b>
            <span class="to">{ story.url.clone() }</span>
            <p>{ story.cause.clone() }</p>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct StepsProps {
    lang: Lang,
    hop: usize,
    count: usize,
    playing: bool,
    is_slow: bool,
}

/// The buttons that move the packet.
#[function_component]
fn Steps(props: &StepsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let StepsProps { lang, hop, count, playing, is_slow } = *props;
    let button = |text: Text, icon: Icon, msg: Msg, disabled: bool| {
        let label = lang.t(text);
        html! {
            <button class="quiet square" title={label} aria-label={label} {disabled}
                onclick={dispatch.reform(move |_| msg.clone())}><Picture {icon} /></button>
        }
    };
    let play =
        if playing { (Text::TracePause, Icon::Pause) } else { (Text::TracePlay, Icon::Play) };
    let number = hop + 1;
    let is_copied = use_state_eq(|| false);
    let reset = is_copied.setter();
    use_effect_with(hop, move |_| reset.set(false));
    let (tell, copied) = (dispatch.clone(), is_copied.setter());
    let copy = Callback::from(move |_| {
        tell.emit(Msg::CopyTrace);
        copied.set(true);
    });
    html! {
        <div class="steps" role="group" aria-label={lang.t(Text::TabTrace)}>
            { button(Text::TraceFirst, Icon::First, Msg::GoToHop(0), hop == 0) }
            { button(Text::TraceBack, Icon::Back, Msg::StepHop(-1), hop == 0) }
            { button(play.0, play.1, Msg::TogglePacket, false) }
            { button(Text::TraceForward, Icon::Forward, Msg::StepHop(1), number >= count) }
            <span class="at" role={(!playing).then_some("status")}>{ match *is_copied {
                true => lang.t(Text::Copied).to_owned(),
                false => lang.fill(Text::TraceStep, &[("number", &number), ("count", &count)]),
            } }</span>
            <button class="quiet square" title={lang.t(Text::TraceCopy)} aria-label={lang.t(Text::TraceCopy)} onclick={copy}>
                <Picture icon={Icon::Copy} />
            </button>
            <button class="quiet square" title={lang.t(Text::TraceSlow)} aria-label={lang.t(Text::TraceSlow)}
                aria-pressed={is_slow.to_string()} onclick={dispatch.reform(|_| Msg::ToggleSlow)}>
                <Picture icon={Icon::Slow} />
            </button>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct HopsProps {
    lang: Lang,
    story: Shared<Story>,
    hop: usize,
}

/// The hops; the one in focus is kept in sight.
#[function_component]
fn Hops(props: &HopsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let HopsProps { lang, story, hop } = props;
    let now = use_node_ref();
    let place = now.clone();
    use_effect_with((*hop, story.clone()), move |_| {
        if let Some(item) = place.cast::<Element>() {
            super::browser::bring_into_sight(&item);
        }
    });
    html! {
        <ol class="hops">
            { for story.hops.iter().enumerate().map(|(at, one)| {
                let is_now = at == *hop;
                let onclick = dispatch.reform(move |_| Msg::GoToHop(at));
                let later = (at > *hop).then_some("");
                html! {
                    <li ref={if is_now { now.clone() } else { yew::NodeRef::default() }}
                        data-now={is_now.then_some("")} data-later={later} data-end={one.is_end.then_some("bad")}
                        data-reply={one.is_reply.then_some("")}>
                        <button class="hop" {onclick} aria-current={is_now.then_some("step")}>
                            <span class="num">{ at + 1 }</span>
                            { body(*lang, one) }
                        </button>
                    </li>
                }
            }) }
        </ol>
    }
}

fn body(lang: Lang, hop: &StoryHop) -> Html {
    html! {
        <span class="body">
            <span class="where"><b>{ hop.title.clone() }</b><small>{ hop.address.clone() }</small>
                if hop.is_reply {
                    <small class="back">{ lang.t(Text::TraceReply) }</small>
                }
            </span>
            if !hop.rule.is_empty() {
                <code class="rule">{ hop.rule.clone() }</code>
            }
            { for hop.changes.iter().map(|(what, before, after)| html! {
                <span class="change">{ *what }<del>{ before.clone() }</del>{ "→" }<ins>{ after.clone() }</ins></span>
            }) }
            <span class="say">{ hop.sentence.clone() }</span>
        </span>
    }
}
