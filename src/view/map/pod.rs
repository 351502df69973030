//! Pods, in as much detail as there is room for.

use super::item::{Look, Marks, body, item, text};
use super::mark;
use crate::present::Rect;
use crate::present::layout::{Detail, Item};
use crate::present::scene::{ContainerMark, PodChip, PodState};
use crate::present::shorten::{cut, shorten};
use crate::present::viewport::Grain;
use crate::text::{Lang, Text};
use yew::{Html, html};

/// The width of a character of the map's smallest letters, and of a name's.
const SMALL: f64 = 6.3;
const NAME: f64 = 7.2;
const CODE: f64 = 6.65;

/// Draws one Pod; never as a mark.
pub(super) fn pod(pod: &PodChip, rect: Rect, detail: Detail, marks: &Marks) -> Html {
    let inside = match detail {
        Detail::Full => full(pod, rect, marks),
        _ => short(pod, rect, marks),
    };
    let look = Look {
        class: if pod.system { "pod system" } else { "pod" },
        state: Some(state_name(pod.state)),
        colour: Some(pod.colour),
        note: pod.is_old.then_some("old"),
        title: title(marks.lang, pod, marks),
    };
    let rounding = if detail == Detail::Full { 11 } else { 7 };
    let inside = html! { <>{ body(rect, rounding) }{ inside }</> };
    item(marks, Item::Object(&pod.id), rect, look, inside)
}

/// A Pod in words.
pub(super) fn title(lang: Lang, pod: &PodChip, marks: &Marks) -> String {
    let PodChip { id, status, ready, ip, .. } = pod;
    let namespace = match &*id.namespace {
        "default" => String::new(),
        namespace => format!(" -n {namespace}"),
    };
    let mut title = format!("Pod {}{namespace}, {ready} {status}, {ip}", id.name);
    if let Some(countdown) = pod.countdown {
        let seconds = countdown.seconds_left(marks.now);
        let text = match pod.state {
            PodState::Terminating => Text::PodGrace,
            _ => Text::PodNextTry,
        };
        title.push_str(&format!(", {}", lang.fill(text, &[("seconds", &seconds)])));
        if let Some(code) = countdown.exit_code {
            title.push_str(&format!(", {}", lang.fill(Text::PodExit, &[("code", &code)])));
        }
    }
    title
}

fn full(pod: &PodChip, rect: Rect, marks: &Marks) -> Html {
    let disk = if pod.disk || pod.shared { 22.0 } else { 0.0 };
    let name = shorten(&pod.id.name, ((rect.w - 20.0 - disk) / NAME) as usize);
    let boxes = containers(pod, rect, marks);
    let is_near = marks.grain == Grain::Near;
    html! {
        <>
            { text("name", 10.0, 19.0, name) }
            { address(pod, rect) }
            { state(pod, 15.0, 48.5, marks) }
            { words(pod, boxes.0 - 29.0, marks) }
            if is_near {
                { insides(pod, rect) }
            } else {
                { boxes.1 }
            }
            { volume(pod, rect) }
        </>
    }
}

/// The containers, by name where there is room beside the state; and how far from the left they
/// begin.
fn containers(pod: &PodChip, rect: Rect, marks: &Marks) -> (f64, Html) {
    const GAP: f64 = 3.0;
    let shown: Vec<&ContainerMark> = pod.containers.iter().take(5).collect();
    let width = |one: &ContainerMark| one.name.chars().count() as f64 * SMALL + 10.0;
    let named: f64 = shown.iter().map(|one| width(one) + GAP).sum();
    let state = state_words(pod, marks).chars().count() as f64 * SMALL + 36.0;
    let is_named = named + state < rect.w - 9.0 + GAP;
    let all = if is_named { named } else { shown.len() as f64 * 11.0 };
    let from = rect.w - 9.0 - all;
    let mut x = from + GAP;
    let boxes = shown.into_iter().map(|one| {
        let w = if is_named { width(one) } else { 8.0 };
        let (y, h) = if is_named { (40.0, 16.0) } else { (44.0, 8.0) };
        let left = x;
        x += w + GAP;
        html! {
            <>
                <rect class={if is_named { "container named" } else { "container" }} data-ready={one.ready.to_string()}
                    data-sidecar={one.sidecar.then_some("")} x={format!("{left:.1}")} y={format!("{y}")} width={format!("{w:.1}")}
                    height={format!("{h}")} rx={if one.sidecar { (h / 2.0).to_string() } else { (h / 4.0).to_string() }}>
                    <title>{ one.name.clone() }</title>
                </rect>
                if is_named {
                    { text("small middle", left + w / 2.0, 52.0, one.name.clone()) }
                }
            </>
        }
    });
    let boxes = boxes.collect::<Html>();
    (from, boxes)
}

/// The Pod's address, its namespace if it is not the usual one, and its image's tag.
fn address(pod: &PodChip, rect: Rect) -> Html {
    let room = ((rect.w - 18.0) / CODE) as usize;
    let mut line = pod.ip.clone();
    if &*pod.id.namespace != "default" && !pod.system {
        let namespace = format!("{}{}", if line.is_empty() { "" } else { " · " }, pod.id.namespace);
        line.push_str(&cut(&namespace, room.saturating_sub(line.len()).max(5)));
    }
    let left = room.saturating_sub(line.chars().count() + 1);
    let tag = format!(":{}", pod.tag);
    html! {
        <>
            { text("code mute", 10.0, 35.0, line) }
            if !pod.tag.is_empty() && tag.len() <= left {
                { text("code tag end", rect.w - 9.0, 35.0, tag) }
            }
        </>
    }
}

/// The mark of the state; around it, what is over of the time until the next try.
fn state(pod: &PodChip, x: f64, y: f64, marks: &Marks) -> Html {
    const ROUND: f64 = 43.98;
    html! {
        <>
            if let Some(countdown) = pod.countdown {
                <circle class="ring-back" cx={x.to_string()} cy={y.to_string()} r="7" />
                <circle class="ring" cx={x.to_string()} cy={y.to_string()} r="7"
                    transform={format!("rotate(-90 {x} {y})")}
                    style={format!("stroke-dasharray:{:.1} {ROUND}", ROUND * f64::from(countdown.share_over(marks.now)) / 1000.0)} />
            }
            { mark::pod(pod.state, x, y) }
        </>
    }
}

/// kubectl's word for the state; for one that is not ready, with how many containers are.
fn status(pod: &PodChip) -> String {
    match pod.state {
        PodState::NotReady => format!("{} {}", pod.status, pod.ready),
        _ => pod.status.clone(),
    }
}

fn seconds(pod: &PodChip, marks: &Marks) -> Option<String> {
    let left = pod.countdown.map(|countdown| countdown.seconds_left(marks.now));
    left.filter(|left| *left > 0).map(|left| format!("{left} s"))
}

/// The state in words, all of it.
fn state_words(pod: &PodChip, marks: &Marks) -> String {
    seconds(pod, marks).map_or(status(pod), |left| format!("{} {left}", status(pod)))
}

/// kubectl's words for the state, and what is left of its time.
fn words(pod: &PodChip, room: f64, marks: &Marks) -> Html {
    let left = seconds(pod, marks);
    let status = status(pod);
    let used = left.as_ref().map_or(0.0, |left| (left.len() as f64 + 1.0) * SMALL);
    let status = cut(&status, ((room - used) / SMALL).max(4.0) as usize);
    let line = left.map_or(status.clone(), |left| format!("{status} {left}"));
    text("small word", 26.0, 52.5, line)
}

/// From near: the containers by name, and the pair of devices that joins the Pod to its node.
fn insides(pod: &PodChip, rect: Rect) -> Html {
    let count = pod.containers.len().clamp(1, 4) as f64;
    let w = ((rect.w * 0.55) / count).min(56.0);
    html! {
        <g class="near">
            { for pod.containers.iter().take(4).enumerate().map(|(at, one)| html! {
                <g transform={format!("translate({:.1} 42)", rect.w - 8.0 - (count - at as f64) * w)}>
                    <rect class="container" data-ready={one.ready.to_string()} data-sidecar={one.sidecar.then_some("")} width={format!("{:.1}", w - 2.0)} height="13" rx="3" />
                    { text("tiny middle", w / 2.0 - 1.0, 9.0, cut(&one.name, (w / 4.2) as usize)) }
                </g>
            }) }
            { text("tiny mute end", rect.w - 17.0, 7.5, "eth0") }
        </g>
    }
}

/// A disk that outlives the Pod, or a directory that does not.
fn volume(pod: &PodChip, rect: Rect) -> Html {
    let x = rect.w - 24.0;
    html! {
        if pod.disk {
            <path class="disk" transform={format!("translate({x:.1} 8)")}
                d="M1 3.5v8c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5v-8M1 3.5a6 2.5 0 1 0 12 0a6 2.5 0 1 0 -12 0" />
        } else if pod.shared {
            <rect class="disk scratch" x={format!("{x:.1}")} y="8" width="14" height="13" rx="3"><title>{ "emptyDir" }</title></rect>
        }
    }
}

fn short(pod: &PodChip, rect: Rect, marks: &Marks) -> Html {
    // The cluster's own are known by their family; of others the end of the name tells which.
    let name = if pod.system { &pod.family } else { &*pod.id.name };
    let each = if pod.system { 5.7 } else { 6.2 };
    let room = ((rect.w - 20.0) / each) as usize;
    let name = if pod.system { cut(name, room) } else { shorten(name, room) };
    html! { <>{ state(pod, 9.5, rect.h / 2.0, marks) }{ text("small", 16.0, rect.h / 2.0 + 4.0, name) }</> }
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
