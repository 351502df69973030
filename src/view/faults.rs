//! What is wrong with the manifests, below them.

use super::Dispatch;
use crate::session::{Fault, Msg};
use crate::text::{Lang, Text};
use std::rc::Rc;
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct FaultsProps {
    pub(super) lang: Lang,
    pub(super) faults: Rc<[Fault]>,
}

/// The faults: where, the explanation, and Kubernetes' own words. Each leads to its line.
#[function_component]
pub(super) fn Faults(props: &FaultsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let FaultsProps { lang, faults } = props;
    html! {
        <ul class="faults" aria-label={lang.t(Text::FaultsLabel)} aria-live="polite">
            { for faults.iter().map(|fault| {
                let line = fault.line;
                html! {
                    <li>
                        <button class="fault" data-warning={fault.is_warning.then_some("")}
                            onclick={dispatch.reform(move |_| Msg::GoToLine(line))}>
                            <span class="where">{ lang.fill(Text::DiagnosticAtLine, &[("line", &line)]) }</span>
                            <b>{ fault.explain(*lang) }</b>
                            <code lang="en">{ fault.words.clone() }</code>
                        </button>
                    </li>
                }
            }) }
        </ul>
    }
}
