//! The trace as a table, for who reads it with ears or wants it all at once.

use super::super::Dispatch;
use super::super::shared::Shared;
use crate::present::Story;
use crate::session::Msg;
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct TableProps {
    pub(super) lang: Lang,
    pub(super) story: Shared<Story>,
    pub(super) hop: usize,
}

/// The hops as a table.
#[function_component]
pub(super) fn Table(props: &TableProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let TableProps { lang, story, hop } = props;
    let columns = [
        Text::TraceColumnWhere,
        Text::TraceColumnWhat,
        Text::TraceColumnFrom,
        Text::TraceColumnTo,
        Text::TraceColumnMark,
    ];
    html! {
        <div class="wide" tabindex="0" role="region" aria-label={lang.t(Text::TraceTableCaption)}>
            <table class="hop-table">
                <caption class="unseen">{ lang.t(Text::TraceTableCaption) }</caption>
                <thead><tr>
                    <th scope="col">{ "#" }</th>
                    { for columns.into_iter().map(|text| html! { <th scope="col">{ lang.t(text) }</th> }) }
                </tr></thead>
                <tbody>
                    { for story.hops.iter().enumerate().map(|(at, one)| {
                        let fields = one.card.as_ref().map(|card| card.fields.as_slice()).unwrap_or_default();
                        let field = |name: &str| fields.iter().find(|field| field.name == name);
                        let value = |name: &str| field(name).map(|field| field.now.clone()).unwrap_or_default();
                        let onclick = dispatch.reform(move |_| Msg::GoToHop(at));
                        html! {
                            <tr data-now={(at == *hop).then_some("")} data-end={one.is_end.then_some("")}
                                data-reply={one.is_reply.then_some("")} {onclick}>
                                <td>{ at + 1 }</td>
                                <th scope="row">{ one.title.clone() }</th>
                                <td><span>{ one.sentence.clone() }</span>
                                    if !one.rule.is_empty() {
                                        <code>{ one.rule.clone() }</code>
                                    }
                                    if one.is_end {
                                        <span class="cause">{ one.cause.clone() }</span>
                                    }
                                </td>
                                <td class="code">{ value("src") }</td>
                                <td class="code">{ value("dst") }</td>
                                <td class="code">{ value("mark") }</td>
                            </tr>
                        }
                    }) }
                </tbody>
            </table>
        </div>
    }
}
