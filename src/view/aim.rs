//! More ways to ask: a URL of one's own, from anywhere, and bursts of any kind.

use super::Dispatch;
use super::request::AimProps;
use crate::session::burst::SIZES;
use crate::session::{BurstPlan, Msg, TraceMsg};
use crate::text::{Lang, Text};
use crate::trace::Source;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{Callback, Html, Properties, TargetCast, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct MoreProps {
    pub(super) lang: Lang,
    pub(super) aim: AimProps,
}

/// The form under the bar.
#[function_component]
pub(super) fn More(props: &MoreProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let MoreProps { lang, aim } = props;
    let (lang, plan) = (*lang, aim.plan);
    let typed = dispatch.reform(|event: yew::InputEvent| {
        let field = event.target_dyn_into::<HtmlInputElement>();
        Msg::Trace(TraceMsg::Url(field.map(|field| field.value()).unwrap_or_default()))
    });
    let (all, tell) = (aim.askers.clone(), dispatch.clone());
    let chosen = Callback::from(move |event: yew::Event| {
        let list = event.target_dyn_into::<HtmlSelectElement>();
        let at = list.and_then(|list| list.value().parse::<usize>().ok());
        if let Some(source) = at.and_then(|at| all.get(at)) {
            tell.emit(Msg::Trace(TraceMsg::From(source.clone())));
        }
    });
    let sized = dispatch.reform(move |event: yew::Event| {
        let list = event.target_dyn_into::<HtmlSelectElement>();
        let size = list.and_then(|list| list.value().parse().ok()).unwrap_or(plan.size);
        Msg::Trace(TraceMsg::Plan(BurstPlan { size, ..plan }))
    });
    let kept = dispatch
        .reform(move |_| Msg::Trace(TraceMsg::Plan(BurstPlan { kept: !plan.kept, ..plan })));
    let group = |label: Text, is_one: fn(&Source) -> bool| {
        let all = aim.askers.iter().enumerate().filter(move |(_, source)| is_one(source));
        html! {
            <optgroup label={lang.t(label)}>
                { for all.map(|(at, source)| html! {
                    <option value={at.to_string()} selected={*source == aim.from}>{ name(lang, source) }</option>
                }) }
            </optgroup>
        }
    };
    let enter = dispatch.reform(|event: yew::SubmitEvent| {
        event.prevent_default();
        Msg::Send
    });
    html! {
        <form class="more" onsubmit={enter}>
            <label class="field url"><span class="label">{ lang.t(Text::AimUrl) }</span>
                <input type="text" value={aim.url.clone()} oninput={typed} spellcheck="false" autocomplete="off"
                    aria-invalid={(!aim.error.is_empty()).then_some("true")} />
            </label>
            <label class="field"><span class="label">{ lang.t(Text::AimFrom) }</span>
                <select onchange={chosen}>
                    { group(Text::Outside, |source| matches!(source, Source::Internet { .. })) }
                    { group(Text::AimNodes, |source| matches!(source, Source::Node(_))) }
                    { group(Text::AimPods, |source| matches!(source, Source::Pod { .. })) }
                </select>
            </label>
            <label class="field"><span class="label">{ lang.t(Text::AimSize) }</span>
                <select onchange={sized}>
                    { for SIZES.into_iter().map(|size| html! {
                        <option value={size.to_string()} selected={size == plan.size}>{ size }</option>
                    }) }
                </select>
            </label>
            <label class="field kept"><input type="checkbox" checked={plan.kept} onchange={kept} />
                <span>{ lang.t(Text::AimKept) }</span>
            </label>
            if !aim.error.is_empty() {
                <p class="error" role="alert">{ format!("curl: {}", aim.error) }</p>
            }
        </form>
    }
}

fn name(lang: Lang, source: &Source) -> String {
    match source {
        Source::Internet { .. } => lang.t(Text::AimInternet).to_owned(),
        Source::Node(name) => name.to_string(),
        Source::Pod { namespace, name } if &**namespace == "default" => name.to_string(),
        Source::Pod { namespace, name } => format!("{namespace}/{name}"),
    }
}
