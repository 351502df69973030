//! The world outside: the client, load balancers, the frame of the cluster, and the streets.

use super::item::{Look, Marks, body, far_name, item, text};
use crate::present::layout::Item;
use crate::present::scene::{External, HandBuilt, ServiceChip};
use crate::present::shorten::shorten;
use crate::present::viewport::Grain;
use crate::present::{Layout, Rect};
use crate::text::Text;
use yew::{Html, html};

/// The most doors that have a street of their own when seen from far.
const MOST_DOORS: usize = 300;

/// The frame around the cluster.
pub(super) fn frame(layout: &Layout) -> Html {
    let Rect { x, y, w, h } = layout.cluster;
    html! { <rect class="frame" x={format!("{x:.1}")} y={format!("{y:.1}")} width={format!("{w:.1}")} height={format!("{h:.1}")} rx="20" /> }
}

/// What is too small to be seen for itself, as one shape.
pub(super) fn lots(layout: &Layout, most: f64) -> Html {
    let shelves = layout.shelves.iter();
    let kept = shelves.flat_map(|place| place.workloads.iter().chain(&place.records));
    let all = layout.services.iter().chain(&layout.ingresses).chain(kept);
    let mut path = String::new();
    for rect in all.filter(|rect| rect.w <= most) {
        let [x, y, w, h] = [rect.x, rect.y, rect.w, rect.h].map(|length| length as i32);
        path.push_str(&format!("M{x} {y}h{w}v{h}h-{w}z"));
    }
    html! { <path class="lots" d={path} /> }
}

/// What is written on the frame.
pub(super) fn cluster(layout: &Layout, marks: &Marks) -> Html {
    if marks.grain == Grain::Far {
        return html! {};
    }
    let Rect { x, y, w, .. } = layout.cluster;
    let (nodes, pods) = (marks.scene.nodes.len(), marks.scene.own_pod_count);
    let own = marks.scene.pod_count - pods;
    let summary = marks.lang.fill(Text::ClusterSummary, &[("nodes", &nodes), ("pods", &pods)]);
    let others = marks.lang.fill(Text::ClusterOwnPods, &[("count", &own)]);
    let summary = if w > 480.0 { format!("{summary} {others}") } else { summary };
    let left = layout.lane.x.max(layout.avenue + 16.0);
    html! {
        <g class="cluster">
            { text("name", left, y + 21.0, marks.lang.t(Text::Cluster)) }
            { text("small mute end", x + w - 18.0, y + 21.0, summary) }
        </g>
    }
}

/// The streets before the doors, and the avenue that joins them.
pub(super) fn streets(layout: &Layout) -> Html {
    let mut path = String::new();
    let with_doors = layout.nodes.len() <= MOST_DOORS;
    let ways = layout.streets();
    let ends = ways.iter().map(|way| way.first().zip(way.get(1)).map(|(a, b)| (a.y, b.x)));
    let ends: Vec<Option<(f64, f64)>> = ends.collect();
    for (at, way) in ways.iter().enumerate() {
        // Of many doors on one street only the last is drawn.
        let next = ends.get(at + 1).copied().flatten().map(|(y, _)| y);
        if !with_doors && at > 0 && next == ends.get(at).copied().flatten().map(|(y, _)| y) {
            continue;
        }
        for (at, point) in way.iter().enumerate() {
            let letter = if at == 0 { 'M' } else { 'L' };
            path.push_str(&format!("{letter}{:.1} {:.1}", point.x, point.y));
        }
    }
    html! { <path class="street" d={path} /> }
}

/// The client.
pub(super) fn client(layout: &Layout, marks: &Marks) -> Html {
    let Rect { x, y, w, h } = layout.client;
    html! {
        <g class="client" transform={format!("translate({x:.1} {y:.1})")}>
            <title>{ marks.lang.t(Text::ClientNote) }</title>
            <rect class="body" width={format!("{w:.1}")} height={format!("{h:.1}")} rx="15" />
            if marks.grain == Grain::Far {
                { far_name(marks, marks.lang.t(Text::Client), layout.client) }
            } else {
                { text("name middle", w / 2.0, 19.0, marks.lang.t(Text::Client)) }
                { text("code mute middle", w / 2.0, 34.0, marks.scene.client.clone()) }
            }
        </g>
    }
}

/// The load balancer that people built.
#[inline(never)]
pub(super) fn hand_built(built: &HandBuilt, rect: Rect, marks: &Marks) -> Html {
    let (alive, count) = (built.alive(), built.lines.len());
    let note = marks.lang.fill(Text::HandBuiltLines, &[("alive", &alive), ("count", &count)]);
    let lines = built
        .lines
        .iter()
        .map(|(name, to, node)| format!("\n{name} {to} → {}", node.as_deref().unwrap_or("–")));
    let title = format!("HAProxy {}: {note}{}", built.address, lines.collect::<String>());
    let class = if alive < count { "code middle warn" } else { "code middle mute" };
    let state = format!("{alive}/{count}");
    let state = if rect.w < 130.0 { state } else { format!("{} {state}", built.address) };
    html! {
        <g class="balancer" transform={format!("translate({:.1} {:.1})", rect.x, rect.y)}>
            <title>{ title }</title>
            { body(rect, 10) }
            if marks.grain == Grain::Far {
                { far_name(marks, "HAProxy", rect) }
            } else {
                { text("name middle", rect.w / 2.0, 19.0, shorten(marks.lang.t(Text::HandBuilt), (rect.w / 7.2) as usize)) }
                { text(class, rect.w / 2.0, 34.0, state) }
            }
        </g>
    }
}

/// The load balancer of a Service.
pub(super) fn balancer(service: &ServiceChip, rect: Rect, marks: &Marks) -> Html {
    let kind = marks.lang.t(Text::LoadBalancer);
    // Where there is little room its usual abbreviation stands for it.
    let word = if rect.w < 150.0 { "LB" } else { kind };
    let (address, class) = match &service.external {
        External::Address(ip) => (ip.as_str(), "code"),
        _ => ("<pending>", "code warn"),
    };
    let name = shorten(&service.id.name, ((rect.w - 18.0) / 7.2) as usize);
    let kind_w = word.chars().count() as f64 * 5.7 + 6.0;
    let left = (rect.w - kind_w - address.len() as f64 * 6.65) / 2.0;
    let look = Look {
        class: "balancer",
        colour: Some(service.colour),
        note: (service.external == External::Pending).then_some("pending"),
        title: format!(
            "{kind} {}, {address}. {}",
            service.id.name,
            marks.lang.t(Text::LoadBalancerNote)
        ),
        ..Look::default()
    };
    let inside = html! {
        <>
            { body(rect, 10) }
            if marks.grain == Grain::Far {
                { far_name(marks, &service.id.name, rect) }
            } else {
                { text("name middle", rect.w / 2.0, 19.0, name) }
                { text("small mute", left, 34.0, word) }
                { text(class, left + kind_w, 34.0, address) }
            }
        </>
    };
    item(marks, Item::Balancer(&service.id), rect, look, inside)
}
