//! How a request ended, and what would mend it.

use super::super::Dispatch;
use super::super::shared::Shared;
use crate::present::Story;
use crate::session::{Msg, TraceMsg};
use crate::text::{Lang, Text};
use std::sync::Arc;
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct VerdictProps {
    pub(super) lang: Lang,
    pub(super) story: Shared<Story>,
    pub(super) remedy: Option<Arc<str>>,
}

/// How the request ended.
#[function_component]
pub(super) fn Verdict(props: &VerdictProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let VerdictProps { lang, story, remedy } = props;
    let good = story.is_answered.then_some("");
    let bad = (!story.is_answered).then_some("");
    html! {
        <div class="verdict" role="status" data-good={good} data-bad={bad}>
            <b>{ story.verdict.clone() }</b>
            <span class="to">{ story.url.clone() }</span>
            <p>{ story.cause.clone() }</p>
            if let Some(remedy) = remedy {
                <div class="remedy">
                    <span class="label">{ lang.t(Text::RemedyTitle) }</span>
                    <code>{ remedy.to_string() }</code>
                    <button class="primary" onclick={dispatch.reform(|_| Msg::Trace(TraceMsg::Try))}>
                        { lang.t(Text::RemedyTry) }
                    </button>
                </div>
            }
        </div>
    }
}
