//! Sending requests: where to, one or a hundred.

use super::Dispatch;
use super::icon::{Icon, Picture};
use super::shared::Shared;
use crate::session::{Door, Msg, Target};
use crate::text::{Lang, Text};
use web_sys::HtmlSelectElement;
use yew::{Callback, Html, Properties, TargetCast, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct RequestProps {
    pub(super) lang: Lang,
    pub(super) targets: Shared<Vec<Target>>,
    /// Which of them is aimed at.
    pub(super) aimed: usize,
}

/// The bar over the map.
#[function_component]
pub(super) fn RequestBar(props: &RequestProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let RequestProps { lang, targets, aimed } = props;
    let lang = *lang;
    if targets.is_empty() {
        return html! { <div class="request"><p>{ lang.t(Text::RequestNone) }</p></div> };
    }
    let (all, tell) = (targets.clone(), dispatch.clone());
    let onchange = Callback::from(move |event: yew::Event| {
        let value = event.target_dyn_into::<HtmlSelectElement>().map(|list| list.value());
        let at = value.and_then(|value| value.parse::<usize>().ok());
        if let Some(target) = at.and_then(|at| all.get(at)) {
            tell.emit(Msg::Aim(target.clone()));
        }
    });
    html! {
        <div class="request" role="group" aria-label={lang.t(Text::RequestTo)}>
            <label class="field">
                <span class="label">{ lang.t(Text::RequestTo) }</span>
                <select {onchange}>
                    { for [Door::NodePort, Door::LoadBalancer, Door::Ingress, Door::Inside].into_iter().map(|door| {
                        group(lang, targets, *aimed, door)
                    }) }
                </select>
            </label>
            <button class="packet" onclick={dispatch.reform(|_| Msg::Send)}>
                <Picture icon={Icon::Send} />{ lang.t(Text::RequestSend) }
            </button>
            <button class="burst" title={lang.t(Text::RequestBurstHint)} onclick={dispatch.reform(|_| Msg::Burst)}>
                <Picture icon={Icon::Burst} />{ "100" }
                <span class="unseen">{ lang.t(Text::RequestBurstHint) }</span>
            </button>
        </div>
    }
}

/// The targets with one way in.
fn group(lang: Lang, targets: &[Target], aimed: usize, door: Door) -> Html {
    let here: Vec<(usize, &Target)> =
        targets.iter().enumerate().filter(|(_, target)| target.door == door).collect();
    let label = match door {
        Door::NodePort => Text::DoorNodePort,
        Door::LoadBalancer => Text::DoorLoadBalancer,
        Door::Ingress => Text::DoorIngress,
        Door::Inside => Text::DoorInside,
    };
    html! {
        if !here.is_empty() {
            <optgroup label={lang.t(label)}>
                { for here.into_iter().map(|(at, target)| html! {
                    <option value={at.to_string()} selected={at == aimed}>{ name(target) }</option>
                }) }
            </optgroup>
        }
    }
}

fn name(target: &Target) -> String {
    let url = target.url.trim_end_matches('/');
    match target.door {
        Door::NodePort | Door::LoadBalancer => format!("{url} · {}", target.object.name),
        Door::Ingress | Door::Inside => url.to_owned(),
    }
}
