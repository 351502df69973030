//! The packet on the map: the way it has come, the way ahead, and the rule that it has met.

use super::super::Dispatch;
use super::super::shared::Shared;
use super::super::trace::Travel;
use crate::present::route::{Route, anchor};
use crate::present::shorten::{cut, rule};
use crate::present::story::{Spot, Story};
use crate::present::{ClusterScene, Layout};
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
}

/// A stretch of the way: from where the packet was to the hop of this number.
struct Stretch {
    hop: usize,
    route: Route,
}

/// From a node's door to the street before it.
const DOOR_STEP: f64 = 20.0;

/// The packet and its way.
#[function_component]
pub(super) fn Packet(props: &PacketProps) -> Html {
    let PacketProps { scene, layout, story, travel, is_calm } = props;
    let stretches =
        use_memo((scene.clone(), layout.clone(), story.clone()), |(scene, layout, story)| {
            stretches(scene, layout, story)
        });
    let share = if *is_calm { 1.0 } else { f64::from(travel.progress) / 1000.0 };
    let done = stretches.iter().filter(|one| one.hop < travel.hop);
    let now =
        stretches.iter().find(|one| one.hop == travel.hop).map(|one| one.route.part(ease(share)));
    let ahead = stretches.iter().filter(|one| one.hop >= travel.hop);
    let place = story.hops.get(travel.hop).map(|hop| &hop.spot);
    let rest = || {
        let before = stretches.iter().rev().find(|one| one.hop < travel.hop);
        before
            .and_then(|one| one.route.end())
            .or_else(|| anchor(scene, layout, place.unwrap_or(&Spot::Client)))
    };
    let at = now.as_ref().and_then(Route::end).or_else(rest);
    let is_lost = story.hops.get(travel.hop).is_some_and(|hop| hop.is_end);
    html! {
        <g class="packet-layer">
            { for ahead.map(|one| html! { <path class="route ahead" d={one.route.path()} /> }) }
            { for done.map(|one| html! { <path class="route" d={one.route.path()} /> }) }
            if let Some(now) = &now {
                <path class="route" d={now.path()} />
            }
            <Numbers scene={scene.clone()} layout={layout.clone()} story={story.clone()} hop={travel.hop} />
            if let Some(at) = at {
                <g transform={format!("translate({:.1} {:.1})", at.x, at.y)}>
                    <circle class="packet-halo" r="13" />
                    <circle class="packet-dot" r="6.5" />
                    if is_lost {
                        <path class="lost" d="M-15 -15L15 15M15 -15L-15 15" />
                    }
                </g>
                { note(story, travel.hop, at.x, at.y, layout) }
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
            stretches.push(Stretch { hop, route });
        }
        last = Some(&one.spot);
    }
    stretches
}

/// The rule that the packet has met, beside it.
fn note(story: &Story, hop: usize, x: f64, y: f64, layout: &Layout) -> Html {
    let Some(one) = story.hops.get(hop) else { return html! {} };
    if one.rule.is_empty() {
        return html! {};
    }
    let text = cut(&rule(&one.rule), if layout.size.w < 480.0 { 38 } else { 58 });
    let width = text.chars().count() as f64 * 6.7 + 18.0;
    let (right, left) = (x + 16.0, x - 16.0 - width);
    // Beside the packet where there is room, where it hides but other nodes' netfilter.
    let (left, top) = if right + width < layout.size.w - 6.0 {
        (right, y - 11.0)
    } else if left > 6.0 {
        (left, y - 11.0)
    } else {
        ((x - width / 2.0).min(layout.size.w - width - 6.0).max(6.0), y - 36.0)
    };
    html! {
        <g class="note" transform={format!("translate({left:.1} {top:.1})")}>
            <rect width={format!("{width:.1}")} height="22" rx="6" />
            <text class="code" x="9" y="15">{ text }</text>
        </g>
    }
}

#[derive(Properties, PartialEq)]
struct NumbersProps {
    scene: Shared<ClusterScene>,
    layout: Shared<Layout>,
    story: Shared<Story>,
    hop: usize,
}

/// The numbers of the hops at their places: where many hops share a place, the first.
#[function_component]
fn Numbers(props: &NumbersProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let NumbersProps { scene, layout, story, hop } = props;
    let mut seen: Vec<&Spot> = Vec::new();
    let firsts = story.hops.iter().enumerate().filter(|(_, one)| {
        let is_first = !one.is_reply && !seen.contains(&&one.spot);
        if is_first {
            seen.push(&one.spot);
        }
        is_first
    });
    let firsts: Vec<(usize, &Spot)> = firsts.map(|(at, one)| (at, &one.spot)).collect();
    let now = story.hops.get(*hop).map(|one| &one.spot);
    html! {
        { for firsts.into_iter().filter_map(|(at, spot)| {
            let mut place = anchor(scene, layout, spot)?;
            if matches!(spot, Spot::Door(_)) {
                // On the street before it, where no port's number is.
                place.y -= DOOR_STEP;
            }
            let onclick = dispatch.reform(move |_| Msg::GoToHop(at));
            Some(html! {
                <g class="hop" data-now={(now == Some(spot)).then_some("")} {onclick}
                    transform={format!("translate({:.1} {:.1})", place.x, place.y)}>
                    <circle r="9" />
                    <text y="4">{ story.hops.get(at).map(|one| one.chapter + 1) }</text>
                </g>
            })
        }) }
    }
}
