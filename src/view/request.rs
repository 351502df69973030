//! Sending requests: where to, one or a hundred.

use super::Dispatch;
use super::aim::More;
use super::icon::{Icon, Picture};
use super::shared::Shared;
use crate::session::{BurstPlan, Door, Msg, Target};
use crate::text::{Lang, Text};
use crate::trace::Source;
use web_sys::HtmlSelectElement;
use yew::{
    Callback, Html, Properties, TargetCast, function_component, html, use_context, use_state_eq,
};

/// Where requests can go, where they would, and who would ask.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AimProps {
    pub(super) targets: Shared<Vec<Target>>,
    /// Which of them is aimed at.
    pub(super) aimed: usize,
    /// Everybody who can ask.
    pub(super) askers: Shared<Vec<Source>>,
    /// Who would ask.
    pub(super) from: Source,
    /// The URL, if one was typed, otherwise the target's.
    pub(super) url: String,
    /// Whether one was typed.
    pub(super) is_own: bool,
    /// Why it is no URL, as curl says it.
    pub(super) error: String,
    pub(super) plan: BurstPlan,
}

#[derive(Properties, PartialEq)]
pub(super) struct RequestProps {
    pub(super) lang: Lang,
    pub(super) aim: AimProps,
}

/// The bar over the map.
#[function_component]
pub(super) fn RequestBar(props: &RequestProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let RequestProps { lang, aim } = props;
    let lang = *lang;
    let is_open = use_state_eq(|| false);
    if aim.targets.is_empty() && !aim.is_own && !*is_open {
        return html! { <div class="request"><p>{ lang.t(Text::RequestNone) }</p></div> };
    }
    let (all, tell) = (aim.targets.clone(), dispatch.clone());
    let onchange = Callback::from(move |event: yew::Event| {
        let value = event.target_dyn_into::<HtmlSelectElement>().map(|list| list.value());
        let at = value.and_then(|value| value.parse::<usize>().ok());
        if let Some(target) = at.and_then(|at| all.get(at)) {
            tell.emit(Msg::Aim(target.clone()));
        }
    });
    let many = lang.fill(Text::AimBurstOf, &[("count", &aim.plan.size)]);
    let (toggle, opened) = (is_open.setter(), *is_open);
    html! {
        <>
        <div class="request" role="group" aria-label={lang.t(Text::RequestTo)}>
            <label class="field">
                <span class="label">{ lang.t(Text::RequestTo) }</span>
                <select {onchange}>
                    if aim.is_own {
                        <option value="" selected=true>{ aim.url.clone() }</option>
                    }
                    { for [Door::NodePort, Door::LoadBalancer, Door::Ingress, Door::Inside].into_iter().map(|door| {
                        group(lang, &aim.targets, (!aim.is_own).then_some(aim.aimed), door)
                    }) }
                </select>
            </label>
            <button class="quiet square" title={lang.t(Text::AimMore)} aria-label={lang.t(Text::AimMore)}
                aria-expanded={opened.to_string()} onclick={Callback::from(move |_| toggle.set(!opened))}>
                <Picture icon={Icon::Tune} />
            </button>
            <button class="packet" disabled={!aim.error.is_empty()} onclick={dispatch.reform(|_| Msg::Send)}>
                <Picture icon={Icon::Send} />{ lang.t(Text::RequestSend) }
            </button>
            <button class="burst" title={many.clone()} disabled={!aim.error.is_empty()} onclick={dispatch.reform(|_| Msg::Burst)}>
                <Picture icon={Icon::Burst} />{ aim.plan.size }
                <span class="unseen">{ many }</span>
            </button>
            <button class="roll" title={lang.t(Text::RollHint)} disabled={!aim.error.is_empty()} onclick={dispatch.reform(|_| Msg::Roll)}>
                <Picture icon={Icon::Roll} /><span>{ lang.t(Text::Roll) }</span>
            </button>
        </div>
        if opened {
            <More {lang} aim={aim.clone()} />
        }
        </>
    }
}

/// The targets with one way in.
fn group(lang: Lang, targets: &[Target], aimed: Option<usize>, door: Door) -> Html {
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
                    <option value={at.to_string()} selected={Some(at) == aimed}>{ name(target) }</option>
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
