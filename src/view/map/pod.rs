//! Pods, in as much detail as there is room for.

use super::drawing::Marks;
use super::mark;
use crate::present::Rect;
use crate::present::layout::Detail;
use crate::present::scene::{PodChip, PodState};
use crate::present::shorten::{cut, shorten};
use crate::text::{Lang, Text};
use yew::{Html, html};

/// Draws one Pod.
pub(super) fn pod(lang: Lang, pod: &PodChip, rect: Rect, detail: Detail, marks: &Marks) -> Html {
    let inside = match detail {
        Detail::Full => full(lang, pod, rect),
        Detail::Short => short(pod, rect),
        Detail::Mark => html! {},
    };
    let rounding = if detail == Detail::Full { "12" } else { "7" };
    let title = format!("Pod {}, {}, {} {}", pod.id.name, pod.status, pod.ready, pod.ip);
    html! {
        <g key={pod.id.key()} class="item pod" data-state={state_name(pod.state)}
            data-colour={pod.colour.to_string()} data-key={pod.id.key()} data-system={pod.system.then_some("")} data-lit={marks.lit(&pod.id)} role="button"
            tabindex={marks.tabindex(&pod.id)} aria-pressed={marks.pressed(&pod.id)}
            transform={format!("translate({} {})", rect.x, rect.y)}>
            <title>{ title }</title>
            <rect class="body" width={rect.w.to_string()} height={rect.h.to_string()} rx={rounding} />
            { inside }
        </g>
    }
}

fn full(lang: Lang, pod: &PodChip, rect: Rect) -> Html {
    let name = shorten(&pod.id.name, ((rect.w - 20.0) / 7.2) as usize);
    let word = match pod.state {
        PodState::Failed | PodState::Unknown => pod.status.clone(),
        state => lang.t(state_text(state)).to_owned(),
    };
    let containers = pod.containers.len().min(5) as f64;
    let dots_from = rect.w - 10.0 - containers * 11.0;
    html! {
        <>
            <text class="name" x="10" y="19">{ name }</text>
            <text class="code mute" x="10" y="35">{ pod.ip.clone() }</text>
            { mark::pod(pod.state, 15.0, 48.5) }
            <text class="small word" x="25" y="52.5">{ cut(&word, ((dots_from - 29.0) / 6.0) as usize) }</text>
            { for pod.containers.iter().take(5).enumerate().map(|(at, (name, ready))| html! {
                <rect class="container" data-ready={ready.to_string()} y="44" width="8" height="8" rx="2"
                    x={(dots_from + at as f64 * 11.0 + 2.0).to_string()}><title>{ name.clone() }</title></rect>
            }) }
            if pod.shared && !pod.disk {
                <rect class="disk scratch" x={(rect.w - 24.0).to_string()} y="10" width="14" height="13" rx="3"><title>{ "emptyDir" }</title></rect>
            }
            if pod.disk {
                <path class="disk" transform={format!("translate({} 10)", rect.w - 24.0)}
                    d="M1 3.5v8c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5v-8M1 3.5a6 2.5 0 1 0 12 0a6 2.5 0 1 0 -12 0" />
            }
        </>
    }
}

fn short(pod: &PodChip, rect: Rect) -> Html {
    html! {
        <>
            { mark::pod(pod.state, 13.0, rect.h / 2.0) }
            <text class="small" x="22" y={(rect.h / 2.0 + 4.0).to_string()}>
                { shorten(&pod.id.name, ((rect.w - 28.0) / 6.8) as usize) }
            </text>
        </>
    }
}

/// The page's word for a state.
pub(in crate::view) const fn state_text(state: PodState) -> Text {
    match state {
        PodState::Pending => Text::PodPending,
        PodState::Starting => Text::PodStarting,
        PodState::Ready => Text::PodReady,
        PodState::NotReady => Text::PodNotReady,
        PodState::Failed => Text::PodFailed,
        PodState::Completed => Text::PodCompleted,
        PodState::Terminating => Text::PodTerminating,
        PodState::Unknown => Text::PodUnknown,
    }
}

/// A state's name in the styles.
pub(in crate::view) const fn state_name(state: PodState) -> &'static str {
    match state {
        PodState::Pending => "pending",
        PodState::Starting => "starting",
        PodState::Ready => "ready",
        PodState::NotReady => "notready",
        PodState::Failed => "failed",
        PodState::Completed => "completed",
        PodState::Terminating => "terminating",
        PodState::Unknown => "unknown",
    }
}
