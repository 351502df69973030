//! A node: a place with a door, netfilter right behind it, and Pods inside.

use super::item::{Look, Marks, body, far_name, item, text};
use super::mark;
use crate::base::order;
use crate::present::Rect;
use crate::present::layout::{Detail, Item, NOTE_H, NodePlace};
use crate::present::route::{ABOVE, BRIDGE, LANE, way_from_pod};
use crate::present::scene::{NodeBox, NodeState, Usage};
use crate::present::shorten::cut;
use crate::present::viewport::Grain;
use crate::text::Text;
use yew::{Html, html};

/// The hooks of netfilter that a packet to a Pod passes.
const HOOKS: [&str; 3] = ["PREROUTING", "FORWARD", "POSTROUTING"];

/// Draws a node, without its Pods.
pub(super) fn node(node: &NodeBox, place: &NodePlace, marks: &Marks) -> Html {
    let rect = place.rect;
    let inside = match marks.grain {
        Grain::Far => html! {
            <>{ far_name(marks, &node.id.name, Rect { w: rect.w - 1.3 * marks.far_text, ..rect }) }{ far_state(node, rect, marks) }{ far_bar(node, rect) }</>
        },
        _ => html! {
            <>
                { heading(node, place, marks) }
                { ways(node, place, marks) }
                { filter(node, place, marks) }
                { ports(node, place, marks) }
                { notes(node, place) }
                if !place.is_strip {
                    { usage(node, rect, marks) }
                }
            </>
        },
    };
    let look = Look {
        class: if place.is_strip { "node plane" } else { "node" },
        state: Some(state_name(node)),
        colour: None,
        note: node.cut_since.is_some().then_some("cut"),
        title: title(node, marks),
    };
    let inside = html! { <>{ body(rect, 14) }{ inside }</> };
    item(marks, Item::Object(&node.id), rect, look, inside)
}

/// A node in words.
pub(super) fn title(node: &NodeBox, marks: &Marks) -> String {
    let NodeBox { id, status, ip, cpu, memory, .. } = node;
    let mut title = format!("Node {}, {status}, {ip}, CPU {}, {}", id.name, cpu.text, memory.text);
    for (word, list) in [("taint", &node.taints), ("label", &node.labels)] {
        title.extend(list.iter().map(|one| format!(", {word} {one}")));
    }
    if let Some(since) = node.cut_since {
        let time = clock(marks.now.since(since).as_secs());
        let note = match node.state {
            NodeState::Ready => Text::NodeCutUnknown,
            _ => Text::NodeCutKnown,
        };
        title.push_str(". ");
        title.push_str(&marks.lang.fill(note, &[("time", &time), ("status", status)]));
    }
    title
}

/// `0:31`.
fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Name, state, address and zone. The control plane's own are on one line.
fn heading(node: &NodeBox, place: &NodePlace, marks: &Marks) -> Html {
    let (w, lang) = (place.rect.w, marks.lang);
    let name = node.id.name.to_string();
    if place.is_strip {
        let after = 14.0 + name.chars().count() as f64 * 8.4 + 10.0;
        let state = after + node.ip.len() as f64 * 6.7 + 16.0;
        return html! {
            <>
                { text("title", 14.0, 29.0, name) }
                { text("code mute", after, 28.5, node.ip.clone()) }
                { mark::node(node.state, node.cordoned, state, 24.5) }
                { text("small word", state + 10.0, 28.5, node.status.clone()) }
            </>
        };
    }
    let status = match node.cut_since {
        Some(_) if node.state == NodeState::Ready => {
            lang.fill(Text::NodeStill, &[("status", &node.status)])
        }
        _ => node.status.clone(),
    };
    let (class, beside) = match node.cut_since {
        Some(since) => {
            let time = clock(marks.now.since(since).as_secs());
            ("small cut end", lang.fill(Text::NodeCut, &[("time", &time)]))
        }
        None => ("small mute end", node.zone.clone()),
    };
    // That it has no network matters more than the address.
    let needed = node.ip.len() as f64 * 6.7 + beside.chars().count() as f64 * 5.9 + 34.0;
    let has_address = node.cut_since.is_none() || needed < w;
    let beside = text(class, w - 14.0, 45.0, beside);
    let room = w - 44.0 - name.chars().count() as f64 * 8.2;
    // What does not fit beside the name stands in the zone's place: it matters more.
    let is_long = status.chars().count() as f64 * 5.9 > room && node.cut_since.is_none();
    html! {
        <>
            { text("title", 14.0, 28.0, cut(&name, ((w - 60.0) / 8.2) as usize)) }
            { mark::node(node.state, node.cordoned, w - 20.0, 23.5) }
            if has_address {
                { text("code mute", 14.0, 45.0, node.ip.clone()) }
            }
            if is_long {
                { text("small word end", w - 14.0, 45.0, cut(&status, ((w - 40.0 - node.ip.len() as f64 * 6.7) / 5.9) as usize)) }
            } else {
                { text("small word end", w - 30.0, 27.5, status) }
                { beside }
            }
        </>
    }
}

/// The ways from netfilter to the Pods: down a lane along the wall, into each from above.
fn ways(node: &NodeBox, place: &NodePlace, marks: &Marks) -> Html {
    let Rect { x, y, .. } = place.rect;
    // Pods of the node's own network need no way.
    let joined = node.pods.iter().zip(&place.pods).filter(|(pod, _)| !pod.on_host);
    let joined: Vec<&Rect> = joined.map(|(_, rect)| rect).collect();
    let is_crowded = place.detail == Some(Detail::Mark);
    if joined.is_empty() || is_crowded {
        return html! {};
    }
    let (door, below) = (place.door.x - x, place.filter.bottom() + BRIDGE - y);
    let mut path = format!("M{door:.1} {:.1}V{below:.1}", place.filter.bottom() - y);
    let mut lowest = below;
    for rect in joined {
        let way = way_from_pod(place, *rect);
        for (at, point) in way.iter().enumerate() {
            let letter = if at == 0 { 'M' } else { 'L' };
            path.push_str(&format!("{letter}{:.1} {:.1}", point.x - x, point.y - y));
        }
        if way.len() < 4 {
            path.push_str(&format!("H{door:.1}"));
        } else {
            lowest = lowest.max(rect.y - ABOVE - y);
        }
    }
    path.push_str(&format!("M{door:.1} {below:.1}H{LANE}V{lowest:.1}"));
    html! {
        <>
            <path class="way" d={path} />
            if marks.grain == Grain::Near && !place.is_strip {
                { text("tiny mute end", place.rect.w - 30.0, below - 2.0, "veth") }
            }
        </>
    }
}

/// netfilter: whose rules it holds; from near, its hooks.
fn filter(node: &NodeBox, place: &NodePlace, marks: &Marks) -> Html {
    let Rect { x, y, w, h } = place.filter;
    let (x, y) = (x - place.rect.x, y - place.rect.y);
    let words = match node.has_rules {
        true => ("netfilter", marks.scene.proxy_mode),
        false => (marks.lang.t(Text::NodeNoRules), ""),
    };
    let letters: usize = HOOKS.iter().map(|name| name.len()).sum();
    let mut from = 2.0;
    let mut hook = |name: &'static str| {
        let (x, each) = (from, (w - 8.0) * name.len() as f64 / letters as f64);
        from += each + 2.0;
        html! {
            <g transform={format!("translate({x:.1} 3)")}>
                <rect class="hook" width={format!("{each:.1}")} height={format!("{:.1}", h - 6.0)} rx="4" />
                { text("tiny middle", each / 2.0, h / 2.0 - 0.5, name) }
            </g>
        }
    };
    html! {
        <g class="filter" data-note={(!node.has_rules).then_some("empty")} transform={format!("translate({x:.1} {y:.1})")}>
            <rect class="strip" width={format!("{w:.1}")} height={format!("{h:.1}")} rx="6" />
            if marks.grain == Grain::Near && node.has_rules {
                { for HOOKS.iter().map(|name| hook(name)) }
            } else {
                { text("small mute", 8.0, h / 2.0 + 4.0, words.0) }
                // Packets rest in the middle.
                { text("small mute end", w - 8.0, h / 2.0 + 4.0, words.1) }
            }
        </g>
    }
}

/// The open node ports, in the upper wall on both sides of the door. Where there is no room for
/// all, the one that the request came by is shown, and how many more there are.
fn ports(node: &NodeBox, place: &NodePlace, marks: &Marks) -> Html {
    const EACH: f64 = 50.0;
    const DOOR: f64 = 14.0;
    let (w, door) = (place.rect.w, place.door.x - place.rect.x);
    let half = door.min(w - door);
    let side = ((half - DOOR / 2.0 - 2.0) / EACH).floor().max(1.0) as usize;
    let room = 2 * side;
    let lit = marks.port.filter(|(id, _)| *id == node.id).map(|(_, port)| *port);
    let open = if node.has_rules { &*marks.scene.node_ports } else { &[] };
    let mut shown: Vec<u16> = open.to_vec();
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
        door - DOOR / 2.0 - before as f64 * EACH + at as f64 * EACH + beside + 2.0
    };
    let chip = |at: usize, words: String, is_lit: bool| {
        html! {
            <g class="port" data-lit={is_lit.then_some("")} transform={format!("translate({:.1} -9)", x(at))}>
                <rect width="46" height="18" rx="9" />
                { text("code", 23.0, 13.0, words) }
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

/// Its taints, and the labels that somebody gave it: a line each, above the gauges.
fn notes(node: &NodeBox, place: &NodePlace) -> Html {
    let room = ((place.rect.w - 28.0) / 6.0) as usize;
    let below = if place.is_strip { 10.0 } else { 38.0 };
    let mut y = place.rect.h - below;
    let mut line = |class: &'static str, word: &str, list: &[String]| {
        if list.is_empty() {
            return html! {};
        }
        let words = cut(&format!("{word} {}", list.join(", ")), room);
        let drawn = text(class, 14.0, y, words);
        y -= NOTE_H;
        drawn
    };
    let labels = line("small mute", "label", &node.labels);
    html! { <>{ labels }{ line("small taint", "taint", &node.taints) }</> }
}

/// How much of the node is spoken for, in numbers and as bars.
fn usage(node: &NodeBox, rect: Rect, marks: &Marks) -> Html {
    let half = (rect.w - 28.0 - 12.0) / 2.0;
    let bar = |at: f64, label: &'static str, usage: &Usage| {
        let full = half * f64::from(usage.percent.min(100)) / 100.0;
        html! {
            <g class="gauge" data-state={level(usage)} transform={format!("translate({:.1} {:.1})", 14.0 + at * (half + 12.0), rect.h - 20.0)}>
                { text("small", 0.0, 0.0, format!("{label} {}", usage.text)) }
                <rect class="track" y="6" width={format!("{half:.1}")} height="4" rx="2" />
                <rect class="fill" y="6" width={format!("{full:.1}")} height="4" rx="2" />
            </g>
        }
    };
    let lang = marks.lang;
    html! { <>{ bar(0.0, lang.t(Text::NodeCpu), &node.cpu) }{ bar(1.0, lang.t(Text::NodeMem), &node.memory) }</> }
}

/// Whether a gauge is nearly full, or full.
const fn level(usage: &Usage) -> Option<&'static str> {
    match usage.percent {
        100.. => Some("full"),
        80.. => Some("high"),
        _ => None,
    }
}

/// From far: the state's mark at the upper right, as large as the name.
#[inline(never)]
fn far_state(node: &NodeBox, rect: Rect, marks: &Marks) -> Html {
    let scale = marks.far_text / 11.0;
    html! {
        <g class="state" transform={format!("translate({:.1} {:.1}) scale({scale:.2})", rect.w - 9.0 * scale, 9.0 * scale)}>
            { mark::node(node.state, node.cordoned, 0.0, 0.0) }
        </g>
    }
}

/// From far: one bar, for the CPU.
#[inline(never)]
fn far_bar(node: &NodeBox, rect: Rect) -> Html {
    let w = rect.w - 28.0;
    let full = w * f64::from(node.cpu.percent.min(100)) / 100.0;
    html! {
        <g class="gauge" data-state={level(&node.cpu)} transform={format!("translate(14 {:.1})", rect.h - 18.0)}>
            <rect class="track" width={format!("{w:.1}")} height="8" rx="3" />
            <rect class="fill" width={format!("{full:.1}")} height="8" rx="3" />
        </g>
    }
}

const fn state_name(node: &NodeBox) -> &'static str {
    match node.state {
        NodeState::Ready if node.cut_since.is_some() => "silent",
        NodeState::Ready if node.cordoned => "cordoned",
        NodeState::Ready => "ready",
        NodeState::NotReady => "notready",
        NodeState::Unknown => "unknown",
    }
}
