//! The story in chapters; the one in focus is kept in sight.

use super::super::Dispatch;
use super::super::shared::Shared;
use super::Travel;
use super::lots::Lots;
use super::rules::Rules;
use crate::present::Story;
use crate::present::chapter::Chapter;
use crate::session::{Msg, TraceMsg};
use crate::telling::Change;
use crate::text::{Lang, Text};
use std::collections::BTreeSet;
use std::sync::Arc;
use web_sys::Element;
use yew::{Html, Properties, function_component, html, use_context, use_effect_with, use_node_ref};

#[derive(Properties, PartialEq)]
pub(super) struct ChaptersProps {
    pub(super) lang: Lang,
    pub(super) story: Shared<Story>,
    pub(super) travel: Travel,
    pub(super) opened: Arc<BTreeSet<usize>>,
}

/// The chapters.
#[function_component]
pub(super) fn Chapters(props: &ChaptersProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let ChaptersProps { lang, story, travel, opened } = props;
    let list = use_node_ref();
    let place = list.clone();
    let moment = (travel.hop, travel.follows, story.clone());
    use_effect_with(moment, move |(hop, follows, story)| {
        let all = place.cast::<Element>().filter(|_| *follows);
        let is_over = !story.is_answered && hop + 1 == story.hops.len();
        if *hop == 0 || is_over {
            // How it ended comes first, and what would mend it once the packet has got there.
            let panel = all.and_then(|all| all.closest(".scroll").ok().flatten());
            panel.into_iter().for_each(|panel| panel.set_scroll_top(0));
            return;
        }
        // The rule where one is open, else the chapter.
        let now = all.and_then(|all| {
            let hop = all.query_selector(".hops [data-now]").ok().flatten();
            hop.or_else(|| all.query_selector("[data-now]").ok().flatten())
        });
        if let Some(now) = now {
            super::super::browser::bring_into_sight(&now);
        }
    });
    html! {
        <ol class="chapters" ref={list}>
            { for story.chapters.iter().enumerate().map(|(at, chapter)| {
                let is_now = at == travel.stage;
                let key = chapter.key;
                let is_open = opened.contains(&at);
                html! {
                    <li class="chapter" key={at} data-scene={chapter.scene} data-now={is_now.then_some("")}
                        data-later={(at > travel.stage).then_some("")} data-end={chapter.is_end.then_some("")}
                        data-reply={chapter.is_reply.then_some("")}>
                        <button class="head" onclick={dispatch.reform(move |_| Msg::GoToHop(key))}
                            aria-current={is_now.then_some("step")}>
                            <span class="num">{ at + 1 }</span>
                            { body(chapter) }
                        </button>
                        { for chapter.lots.iter().map(|lots| html! { <Lots lang={*lang} lots={lots.clone()} /> }) }
                        if chapter.hops.len() > 1 {
                            <button class="quiet open" aria-expanded={is_open.to_string()}
                                onclick={dispatch.reform(move |_| Msg::Trace(TraceMsg::Open(at)))}>
                                { label(*lang, chapter) }
                            </button>
                        }
                        if is_open {
                            <Rules lang={*lang} story={story.clone()} chapter={at} hop={travel.hop} />
                        }
                    </li>
                }
            }) }
        </ol>
    }
}

fn label(lang: Lang, chapter: &Chapter) -> String {
    match chapter.rules {
        0 => lang.fill(Text::ChapterHopsMany, &[("count", &chapter.hops.len())]),
        1 => lang.t(Text::ChapterRulesOne).to_owned(),
        count => lang.fill(Text::ChapterRulesMany, &[("count", &count)]),
    }
}

fn body(chapter: &Chapter) -> Html {
    html! {
        <span class="body">
            <b>{ chapter.title.clone() }</b>
            <span class="say">{ chapter.sentence.clone() }</span>
            { for chapter.changes.iter().map(change) }
            if chapter.is_end {
                <span class="cause">{ chapter.cause.clone() }</span>
            }
        </span>
    }
}

/// A field of the packet, before and after.
pub(super) fn change((what, before, after): &Change) -> Html {
    html! {
        <span class="change">{ *what }<del>{ before.clone() }</del>{ "→" }<ins>{ after.clone() }</ins></span>
    }
}
