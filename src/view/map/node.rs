//! A node: a place with a door, netfilter right behind it, and Pods inside.

use super::drawing::Marks;
use super::{mark, pod};
use crate::base::order;
use crate::present::Rect;
use crate::present::layout::{Detail, NodePlace};
use crate::present::scene::{NodeBox, NodeState, PodChip, Usage};
use crate::present::shorten::cut;
use crate::text::{Lang, Text};
use std::collections::BTreeMap;
use yew::{Html, html};

/// Draws a node with its Pods.
pub(super) fn node(lang: Lang, node: &NodeBox, place: &NodePlace, marks: &Marks) -> Html {
    let Rect { x, y, w, h } = place.rect;
    let word = lang.t(state_text(node));
    let zone = if node.control_plane { lang.t(Text::ControlPlane) } else { &node.zone };
    html! {
        <g key={node.id.key()}>
            <g class="item node" data-state={state_name(node.state)} data-control-plane={node.control_plane.then_some("")}
                data-key={node.id.key()} data-lit={marks.lit(&node.id)} role="button" tabindex={marks.tabindex(&node.id)}
                aria-pressed={marks.pressed(&node.id)} transform={format!("translate({x} {y})")}>
                <title>{ format!("Node {}, {word}, {}", node.id.name, node.ip) }</title>
                <rect class="body" width={w.to_string()} height={h.to_string()} rx="14" />
                <text class="title" x="14" y="28">{ node.id.name.to_string() }</text>
                { mark::node(node.state, w - 20.0, 23.5) }
                <text class="small word end" x={(w - 30.0).to_string()} y="27.5">{ cut(word, ((w - 110.0) / 5.5).max(5.0) as usize) }</text>
                <text class="code mute" x="14" y="45">{ node.ip.clone() }</text>
                <text class="small mute end" x={(w - 14.0).to_string()} y="45">{ zone.to_owned() }</text>
                <rect class="filter" x="12" y="56" width={(w - 24.0).to_string()} height="22" rx="6" />
                <text class="small mute" x="20" y="71">{ cut(lang.t(Text::NodeRules), ((w - 36.0) / 5.6) as usize) }</text>
                { ports(node, w, marks) }
                if node.control_plane {
                    { components(w) }
                } else {
                    { usage(lang, node, w, h) }
                }
            </g>
            if place.detail == Detail::Mark {
                { crowd(node.pods.iter().zip(&place.pods)) }
            } else {
                { for node.pods.iter().zip(&place.pods).map(|(one, rect)| {
                    let detail = if one.system { Detail::Short } else { place.detail };
                    pod::pod(lang, one, *rect, detail, marks)
                }) }
            }
        </g>
    }
}

/// Many Pods: one shape for all that have the same state and colour, so that the page stays light.
pub(super) fn crowd<'a>(pods: impl Iterator<Item = (&'a PodChip, &'a Rect)>) -> Html {
    let mut shapes: BTreeMap<(&'static str, u8), String> = BTreeMap::new();
    for (pod, rect) in pods {
        let shape = shapes.entry((pod::state_name(pod.state), pod.colour)).or_default();
        shape.push_str(&format!(
            "M{:.1} {:.1}h{:.1}v{:.1}h-{:.1}z",
            rect.x, rect.y, rect.w, rect.h, rect.w
        ));
    }
    html! {
        { for shapes.into_iter().map(|((state, colour), d)| html! {
            <g class="pod" data-state={state} data-colour={colour.to_string()}><path class="body" {d} /></g>
        }) }
    }
}

/// The open node ports, in the upper wall on both sides of the door. Where there is no room for
/// all, the one that the packet comes by is shown, and how many more there are.
fn ports(node: &NodeBox, w: f64, marks: &Marks) -> Html {
    const EACH: f64 = 46.0;
    const DOOR: f64 = 12.0;
    let side = ((w - DOOR - 4.0) / 2.0 / EACH).floor().max(1.0) as usize;
    let room = 2 * side;
    let lit = marks.port.filter(|_| marks.lit == Some(&node.id));
    let mut shown: Vec<u16> = node.node_ports.clone();
    order::sort_by_key(&mut shown, |port| Some(*port) != lit);
    let hidden = match shown.len() > room {
        true => shown.len() - room.saturating_sub(1),
        false => 0,
    };
    shown.truncate(shown.len() - hidden);
    let count = shown.len() + usize::from(hidden > 0);
    let before = count.div_ceil(2);
    let x = |at: usize| {
        let beside = if at >= before { DOOR } else { 0.0 };
        w / 2.0 - DOOR / 2.0 - before as f64 * EACH + at as f64 * EACH + beside + 2.0
    };
    let chip = |at: usize, text: String, is_lit: bool| {
        html! {
            <g class="port" data-lit={is_lit.then_some("")} transform={format!("translate({} -9)", x(at))}>
                <rect width="42" height="18" rx="9" />
                <text class="code" x="21" y="13">{ text }</text>
            </g>
        }
    };
    html! {
        <>
            { for shown.iter().enumerate().map(|(at, port)| {
                chip(at, format!(":{port}"), Some(*port) == lit)
            }) }
            if hidden > 0 {
                { chip(shown.len(), format!("+{hidden}"), false) }
            }
        </>
    }
}

/// What the control plane is made of.
fn components(w: f64) -> Html {
    let names = ["API server", "etcd", "scheduler", "controllers"];
    let columns = if w > 290.0 { 4 } else { 2 };
    let each = (w - 24.0 + 6.0) / columns as f64 - 6.0;
    html! {
        { for names.iter().enumerate().map(|(at, name)| html! {
            <g class="component" transform={format!("translate({} {})", 12.0 + (at % columns) as f64 * (each + 6.0), 86.0 + (at / columns) as f64 * 26.0)}>
                <rect width={each.to_string()} height="20" rx="6" />
                <text class="small" x={(each / 2.0).to_string()} y="14">{ *name }</text>
            </g>
        }) }
    }
}

/// How much of the node is spoken for.
fn usage(lang: Lang, node: &NodeBox, w: f64, h: f64) -> Html {
    let half = (w - 24.0 - 12.0) / 2.0;
    let bar = |at: f64, label: Text, usage: &Usage| {
        let full = half * f64::from(usage.percent.min(100)) / 100.0;
        html! {
            <g transform={format!("translate({} {})", 12.0 + at * (half + 12.0), h - 30.0)}>
                <text class="small mute" y="0">{ lang.t(label) }</text>
                if half > 84.0 {
                    <text class="small mute end" x={half.to_string()} y="0">{ format!("{} %", usage.percent) }</text>
                }
                <rect class="track" y="7" width={half.to_string()} height="4" rx="2" />
                <rect class="fill" y="7" width={full.to_string()} height="4" rx="2" />
            </g>
        }
    };
    html! { <>{ bar(0.0, Text::NodeCpu, &node.cpu) }{ bar(1.0, Text::NodeMemory, &node.memory) }</> }
}

/// The page's word for how a node is.
pub(in crate::view) const fn state_text(node: &NodeBox) -> Text {
    match node.state {
        NodeState::Ready if node.cordoned => Text::NodeCordoned,
        NodeState::Ready => Text::NodeReady,
        NodeState::NotReady => Text::NodeNotReady,
        NodeState::Stopped => Text::NodeStopped,
    }
}

const fn state_name(state: NodeState) -> &'static str {
    match state {
        NodeState::Ready => "ready",
        NodeState::NotReady => "notready",
        NodeState::Stopped => "stopped",
    }
}
