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
            { for faults.iter().enumerate().map(|(at, fault)| {
                let line = fault.line;
                let values: [(&str, &dyn core::fmt::Display); 2] =
                    [("line", &line), ("column", &fault.from.saturating_add(1))];
                html! {
                    <li data-warning={fault.is_warning.then_some("")}>
                        <button class="fault" onclick={dispatch.reform(move |_| Msg::GoToLine(line))}>
                            <span class="where">{ lang.fill(Text::DiagnosticAtLine, &values) }
                                <code>{ fault.path.clone() }</code></span>
                            <b>{ fault.explain(*lang) }</b>
                            <code lang="en">{ fault.words.clone() }</code>
                        </button>
                        if let Some(fix) = &fault.fix {
                            <button class="fix" title={lang.fill(Text::DiagnosticFixHint, &[("fix", fix)])}
                                onclick={dispatch.reform(move |_| Msg::Fix(at))}>{ lang.t(Text::DiagnosticFix) }</button>
                        }
                    </li>
                }
            }) }
        </ul>
    }
}
