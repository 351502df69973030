//! The same request under another setting, side by side.

use super::super::Dispatch;
use super::super::shared::Shared;
use super::chapters::change;
use crate::present::chapter::Chapter;
use crate::present::comparison::Comparison;
use crate::session::compare::Change;
use crate::session::{Msg, TraceMsg};
use crate::text::{Lang, Text};
use std::sync::Arc;
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct QuestionsProps {
    pub(super) lang: Lang,
    pub(super) changes: Arc<[Change]>,
    /// The one that is answered.
    pub(super) asked: Option<String>,
}

/// What else could be set.
#[function_component]
pub(super) fn Questions(props: &QuestionsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let QuestionsProps { lang, changes, asked } = props;
    html! {
        <div class="questions">
            { for changes.iter().enumerate().map(|(at, change)| {
                let then = change.then();
                html! {
                    <button aria-pressed={(Some(&then) == asked.as_ref()).to_string()}
                        onclick={dispatch.reform(move |_| Msg::Trace(TraceMsg::Compare(at)))}>
                        { lang.fill(Text::CompareAsk, &[("setting", &then)]) }
                    </button>
                }
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct BesideProps {
    pub(super) lang: Lang,
    pub(super) changes: Arc<[Change]>,
    pub(super) comparison: Option<Shared<Comparison>>,
}

/// Both requests.
#[function_component]
pub(super) fn Beside(props: &BesideProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let BesideProps { lang, changes, comparison } = props;
    let lang = *lang;
    let asked = comparison.as_ref().map(|it| it.then.clone());
    let Some(it) = comparison else {
        return html! {
            <div class="beside">
                <Questions {lang} changes={changes.clone()} {asked} />
                <p class="empty">{ lang.t(Text::CompareEmpty) }</p>
            </div>
        };
    };
    html! {
        <div class="beside">
            <Questions {lang} changes={changes.clone()} {asked} />
            <div class="wide" tabindex="0" role="region" aria-label={lang.t(Text::TraceViewCompare)}>
            <table>
                <thead><tr>
                    <td></td>
                    <th scope="col">{ lang.fill(Text::CompareNow, &[("setting", &it.now)]) }</th>
                    <th scope="col">{ lang.fill(Text::CompareThen, &[("setting", &it.then)]) }</th>
                </tr></thead>
                <tbody class="counts">
                    { for it.facts.iter().map(|(what, now, then)| html! {
                        <tr data-differs={(now != then).then_some("")}>
                            <th scope="row">{ lang.t(*what) }</th>
                            <td>{ now.clone() }</td>
                            <td>{ then.clone() }</td>
                        </tr>
                    }) }
                </tbody>
                <tbody>
                    { for it.rows.iter().enumerate().map(|(at, row)| html! {
                        <tr data-differs={row.differs().then_some("")}>
                            <th scope="row">{ at + 1 }</th>
                            { cell(lang, row.now.as_ref()) }
                            { cell(lang, row.then.as_ref()) }
                        </tr>
                    }) }
                </tbody>
            </table>
            </div>
            <button onclick={dispatch.reform(|_| Msg::Trace(TraceMsg::Change))}>{ lang.t(Text::CompareApply) }</button>
        </div>
    }
}

fn cell(lang: Lang, chapter: Option<&Chapter>) -> Html {
    let Some(chapter) = chapter else {
        return html! { <td class="absent">{ lang.t(Text::CompareAbsent) }</td> };
    };
    html! {
        <td>
            <b>{ chapter.title.clone() }</b>
            <span class="say">{ chapter.sentence.clone() }</span>
            { for chapter.changes.iter().map(change) }
            if chapter.is_end {
                <span class="cause">{ chapter.cause.clone() }</span>
            }
        </td>
    }
}
