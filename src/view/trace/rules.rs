//! The rules of a chapter, hook by hook; chains in which nothing fits are one line.

use super::super::Dispatch;
use super::super::shared::Shared;
use super::chapters::change;
use crate::present::Story;
use crate::present::story::StoryHop;
use crate::session::Msg;
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct RulesProps {
    pub(super) lang: Lang,
    pub(super) story: Shared<Story>,
    /// The chapter, from 0.
    pub(super) chapter: usize,
    pub(super) hop: usize,
}

/// The rules of a chapter.
#[function_component]
pub(super) fn Rules(props: &RulesProps) -> Html {
    let RulesProps { lang, story, chapter, hop } = props;
    let Some(chapter) = story.chapters.get(*chapter) else { return html! {} };
    html! {
        { for chapter.parts.iter().map(|(label, range)| {
            let hops = story.hops.get(range.clone()).unwrap_or_default();
            let idle = hops.iter().filter(|hop| hop.is_idle).count();
            html! {
                <section class="part">
                    if !label.is_empty() {
                        <h3>{ *label }</h3>
                    }
                    <ol class="hops" start={(range.start + 1).to_string()}>
                        { for range.clone().zip(hops).filter(|(at, one)| !one.is_idle || at == hop).map(|(at, one)| html! {
                            <Row {at} hop={one.clone()} is_now={at == *hop} is_later={at > *hop} />
                        }) }
                    </ol>
                    if idle > 0 {
                        <details class="idle">
                            <summary>{ match idle {
                                1 => lang.t(Text::ChapterIdleOne).to_owned(),
                                count => lang.fill(Text::ChapterIdleMany, &[("count", &count)]),
                            } }</summary>
                            <ol class="hops">
                                { for range.clone().zip(hops).filter(|(_, one)| one.is_idle).map(|(at, one)| html! {
                                    <Row {at} hop={one.clone()} is_now={at == *hop} is_later={at > *hop} />
                                }) }
                            </ol>
                        </details>
                    }
                </section>
            }
        }) }
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    at: usize,
    hop: StoryHop,
    is_now: bool,
    is_later: bool,
}

/// A hop.
#[function_component]
fn Row(props: &RowProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let RowProps { at, hop, is_now, is_later } = props;
    let at = *at;
    html! {
        <li data-now={is_now.then_some("")} data-later={is_later.then_some("")} data-end={hop.is_end.then_some("bad")}>
            <button class="hop" onclick={dispatch.reform(move |_| Msg::GoToHop(at))}
                aria-current={is_now.then_some("step")}>
                <span class="where"><b>{ hop.title.clone() }</b><small>{ hop.address.clone() }</small></span>
                if !hop.rule.is_empty() {
                    <code class="rule">{ hop.rule.clone() }</code>
                }
                { for hop.changes.iter().map(change) }
                <span class="say">{ hop.sentence.clone() }</span>
                if hop.is_end {
                    <span class="cause">{ hop.cause.clone() }</span>
                }
            </button>
        </li>
    }
}
