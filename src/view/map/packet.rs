//! The packet on the map: the way it has come, the way ahead, and the rule that it has met.

use super::super::Dispatch;
use super::super::shared::Shared;
use super::super::trace::Travel;
use super::item::text;
use crate::present::route::{Route, anchor};
use crate::present::shorten::rule_lines;
use crate::present::story::{Spot, Story};
use crate::present::{ClusterScene, Layout, Point, Rect};
use crate::session::Msg;
use yew::{Html, Properties, function_component, html, use_context, use_memo};

#[derive(Properties, PartialEq)]
pub(super) struct PacketProps {
    pub(super) scene: Shared<ClusterScene>,
    pub(super) layout: Shared<Layout>,
    pub(super) story: Shared<Story>,
    pub(super) travel: Travel,
    /// Whether things may move by themselves.
    pub(super) is_calm: bool,
    /// From how near the map is seen: the packet is never smaller than can be seen.
    pub(super) zoom: f64,
}

/// A stretch of the way: from where the packet was to the hop of this number.
struct Stretch {
    hop: usize,
    is_reply: bool,
    route: Route,
}

/// From a node's door to the street before it, and from a load balancer's to the one below it.
const DOOR_STEP: f64 = 21.0;
const BALANCER_STEP: f64 = 13.0;
/// The width of a character of a rule, and the widest a rule's note gets.
const CODE: f64 = 6.65;
const WIDEST: f64 = 300.0;

/// The packet and its way.
#[function_component]
pub(super) fn Packet(props: &PacketProps) -> Html {
    let PacketProps { scene, layout, story, travel, is_calm, zoom } = props;
    let stretches =
        use_memo((scene.clone(), layout.clone(), story.clone()), |(scene, layout, story)| {
            stretches(scene, layout, story)
        });
    let share = if *is_calm { 1.0 } else { f64::from(travel.progress) / 1000.0 };
    let done = stretches.iter().filter(|one| one.hop < travel.hop);
    let now = stretches.iter().find(|one| one.hop == travel.hop);
    let part = now.map(|one| one.route.part(ease(share)));
    let is_reply = story.hops.get(travel.hop).is_some_and(|hop| hop.is_reply);
    let ahead = stretches.iter().filter(|one| one.hop >= travel.hop && one.is_reply == is_reply);
    let place = story.hops.get(travel.hop).map(|hop| &hop.spot);
    let rest = || {
        let before = stretches.iter().rev().find(|one| one.hop < travel.hop);
        before
            .and_then(|one| one.route.end())
            .or_else(|| anchor(scene, layout, place.unwrap_or(&Spot::Client)))
    };
    let at = part.as_ref().and_then(Route::end).or_else(rest);
    let is_lost = story.hops.get(travel.hop).is_some_and(|hop| hop.is_end);
    let scale = (1.0 / zoom).max(1.0);
    let line = |class: &'static str, is_reply: bool, route: &Route| {
        html! { <path {class} data-reply={is_reply.then_some("")} d={route.path()} marker-end="url(#way)" /> }
    };
    html! {
        <g class="packet-layer">
            { for ahead.map(|one| line("route ahead", one.is_reply, &one.route)) }
            { for done.map(|one| line("route", one.is_reply, &one.route)) }
            if let (Some(part), Some(now)) = (&part, now) {
                { line("route", now.is_reply, part) }
            }
            <Numbers scene={scene.clone()} layout={layout.clone()} story={story.clone()} hop={travel.hop} {scale} />
            if let Some(at) = at {
                <g transform={format!("translate({:.1} {:.1}) scale({scale:.2})", at.x, at.y)}>
                    <circle class="packet-halo" r="13" />
                    <circle class="packet-dot" data-reply={is_reply.then_some("")} r="6.5" />
                    if is_lost {
                        <path class="lost" d="M-15 -15L15 15M15 -15L-15 15" />
                    }
                </g>
                { note(story, travel.hop, scene, layout) }
            }
        </g>
    }
}

/// Fast in the middle, slow at both ends.
fn ease(share: f64) -> f64 {
    share * share * (3.0 - 2.0 * share)
}

fn stretches(scene: &ClusterScene, layout: &Layout, story: &Story) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut last: Option<&Spot> = None;
    for (hop, one) in story.hops.iter().enumerate() {
        if one.spot == Spot::Elsewhere {
            continue;
        }
        if let Some(from) = last.filter(|from| **from != one.spot) {
            let route = Route::between(scene, layout, from, &one.spot);
            stretches.push(Stretch { hop, is_reply: one.is_reply, route });
        }
        last = Some(&one.spot);
    }
    stretches
}

/// The rule that the packet has met: below netfilter, inside of the packet's own node.
fn note(story: &Story, hop: usize, scene: &ClusterScene, layout: &Layout) -> Html {
    let Some(one) = story.hops.get(hop).filter(|hop| !hop.rule.is_empty()) else {
        return html! {};
    };
    let (Spot::Filter(id) | Spot::Bridge(id)) = &one.spot else { return html! {} };
    let mut nodes = scene.nodes.iter().zip(&layout.nodes);
    let Some((_, place)) = nodes.find(|(node, _)| node.id == *id) else { return html! {} };
    let w = (place.rect.w - 12.0).min(WIDEST);
    let (asks, leads) = rule_lines(&one.rule, ((w - 16.0) / CODE) as usize);
    let h = if leads.is_empty() { 22.0 } else { 38.0 };
    let Rect { x, .. } = place.rect;
    let y = place.filter.bottom() + 9.0;
    html! {
        <g class="note" transform={format!("translate({:.1} {y:.1})", x + 6.0)}>
            <rect width={format!("{w:.1}")} height={h.to_string()} rx="6" />
            { text("code", 8.0, 15.0, asks) }
            { text("code leads", 8.0, 30.0, leads) }
        </g>
    }
}

#[derive(Properties, PartialEq)]
struct NumbersProps {
    scene: Shared<ClusterScene>,
    layout: Shared<Layout>,
    story: Shared<Story>,
    hop: usize,
    scale: f64,
}

/// The numbers of the hops at their places: where many hops share a place, the first.
#[function_component]
fn Numbers(props: &NumbersProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let NumbersProps { scene, layout, story, hop, scale } = props;
    let mut seen: Vec<&Spot> = Vec::new();
    let firsts = story.hops.iter().enumerate().filter(|(_, one)| {
        let is_first = !one.is_reply && !seen.contains(&&one.spot);
        if is_first {
            seen.push(&one.spot);
        }
        is_first
    });
    let mut firsts: Vec<(usize, &Spot)> = firsts.map(|(at, one)| (at, &one.spot)).collect();
    // A chapter that goes on elsewhere has its number where it ends.
    let chapter = |at: &usize| story.hops.get(*at).map(|one| one.chapter);
    firsts.dedup_by(|next, kept| {
        let is_same = chapter(&next.0) == chapter(&kept.0);
        if is_same {
            *kept = *next;
        }
        is_same
    });
    let now = story.hops.get(*hop).map(|one| &one.spot);
    html! {
        { for firsts.into_iter().filter_map(|(at, spot)| {
            let place = badge(anchor(scene, layout, spot)?, spot);
            let onclick = dispatch.reform(move |_| Msg::GoToHop(at));
            Some(html! {
                <g class="hop" data-now={(now == Some(spot)).then_some("")} {onclick}
                    transform={format!("translate({:.1} {:.1}) scale({scale:.2})", place.x, place.y)}>
                    <circle r="9" />
                    { text("count", 0.0, 4.0, chapter_number(story, at)) }
                </g>
            })
        }) }
    }
}

/// Where a place's number is: on the street before a door, where it hides no port and no name.
fn badge(place: Point, spot: &Spot) -> Point {
    let y = match spot {
        Spot::Door(_) => place.y - DOOR_STEP,
        Spot::Balancer(_) => place.y + BALANCER_STEP,
        Spot::Bridge(_) => place.y + 4.0,
        _ => place.y,
    };
    Point::new(place.x, y)
}

/// The chapter that a hop belongs to, as the story counts them.
fn chapter_number(story: &Story, at: usize) -> String {
    story.hops.get(at).map(|one| (one.chapter + 1).to_string()).unwrap_or_default()
}
