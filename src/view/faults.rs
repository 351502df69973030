//! What is wrong with the manifests: a line that counts and leads to each, and the list of all for
//! the plain field that stands in for the editor.

use super::Dispatch;
use super::icon::{Icon, Picture};
use crate::session::{Fault, Fix, Msg};
use crate::text::{Lang, Text};
use std::rc::Rc;
use yew::{Html, Properties, function_component, html, use_context, use_state_eq};

#[derive(Properties, PartialEq)]
pub(super) struct FaultsProps {
    pub(super) lang: Lang,
    pub(super) faults: Rc<[Fault]>,
}

/// How many faults there are, and the way from one to the next.
#[function_component]
pub(super) fn FaultCount(props: &FaultsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let FaultsProps { lang, faults } = props;
    let lang = *lang;
    let at = use_state_eq(|| 0_usize);
    let count = faults.len();
    let step = |by: usize| {
        let (set, next) = (at.setter(), (*at + by) % count.max(1));
        let line = faults.get(next).map_or(1, |fault| fault.line);
        dispatch.reform(move |_| {
            set.set(next);
            Msg::GoToLine(line)
        })
    };
    let is_bad = faults.iter().any(|fault| !fault.is_warning);
    html! {
        <div class="fault-count" role="status" data-warning={(!is_bad).then_some("")}>
            <span>{ counted(lang, faults) }</span>
            <button class="quiet square" title={lang.t(Text::FaultPrevious)} aria-label={lang.t(Text::FaultPrevious)}
                onclick={step(count.saturating_sub(1))}><Picture icon={Icon::Back} /></button>
            <button class="quiet square" title={lang.t(Text::FaultNext)} aria-label={lang.t(Text::FaultNext)}
                onclick={step(usize::from(count > 1))}><Picture icon={Icon::Forward} /></button>
        </div>
    }
}

/// `2 mistakes, 1 warning`.
pub(super) fn counted(lang: Lang, faults: &[Fault]) -> String {
    let warnings = faults.iter().filter(|fault| fault.is_warning).count();
    let some = |count: usize, one, many| match count {
        0 => None,
        1 => Some(lang.t(one).to_owned()),
        count => Some(lang.fill(many, &[("count", &count)])),
    };
    let bad = some(faults.len() - warnings, Text::DiagnosticsOne, Text::DiagnosticsMany);
    let warned = some(warnings, Text::WarningsOne, Text::WarningsMany);
    bad.into_iter().chain(warned).collect::<Vec<_>>().join(", ")
}

/// Where a fault is.
pub(super) fn place(lang: Lang, fault: &Fault) -> String {
    let values: [(&str, &dyn core::fmt::Display); 2] =
        [("line", &fault.line), ("column", &fault.from.saturating_add(1))];
    lang.fill(Text::DiagnosticAtLine, &values)
}

/// What the button of a fix says, and what it says of itself.
pub(super) fn fix(lang: Lang, fault: &Fault) -> Option<(String, String)> {
    let fix = fault.fix.as_ref()?;
    let words: [(&str, &dyn core::fmt::Display); 1] = [("fix", &fix.words())];
    Some(match fix {
        Fix::Value(_) => {
            (lang.t(Text::DiagnosticFix).to_owned(), lang.fill(Text::DiagnosticFixHint, &words))
        }
        Fix::Insert { .. } => {
            (lang.fill(Text::FixInsert, &words), lang.fill(Text::FixInsert, &words))
        }
        Fix::Remove { .. } => (lang.t(Text::FixRemove).to_owned(), String::new()),
        Fix::Command(_) => (lang.fill(Text::FixRun, &words), lang.fill(Text::FixRun, &words)),
    })
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
                html! {
                    <li data-warning={fault.is_warning.then_some("")}>
                        <button class="fault" onclick={dispatch.reform(move |_| Msg::GoToLine(line))}>
                            <span class="where">{ place(*lang, fault) }<code>{ fault.path.clone() }</code></span>
                            <b>{ fault.explain(*lang) }</b>
                            <code lang="en">{ fault.words.clone() }</code>
                        </button>
                        if let Some((words, hint)) = fix(*lang, fault) {
                            <button class="fix" title={hint} onclick={dispatch.reform(move |_| Msg::Fix(at))}>
                                { words }</button>
                        }
                    </li>
                }
            }) }
        </ul>
    }
}
