//! Everything on the map, from back to front.

use super::super::shared::Shared;
use super::super::trace::Travel;
use super::item::Marks;
use super::lamps::Lamps;
use super::packet::Packet;
use super::{mark, node, outside, pod, record, shelf, tray};
use crate::api::Kind;
use crate::base::{SimTime, order};
use crate::present::layout::{Detail, Item, NodePlace};
use crate::present::route::entry;
use crate::present::scene::{NodeBox, PodChip, WaitingGroup};
use crate::present::viewport::Grain;
use crate::present::{ClusterScene, Layout, Rect, Relation, Story, Viewport};
use crate::session::ObjectId;
use crate::text::{Lang, Text};
use crate::world::Activity;
use std::rc::Rc;
use yew::{Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(super) struct DrawingProps {
    pub(super) lang: Lang,
    pub(super) scene: Shared<ClusterScene>,
    pub(super) layout: Shared<Layout>,
    pub(super) view: Viewport,
    /// Whether the map goes after the packet: then it moves gently.
    pub(super) is_eased: bool,
    /// The part of a large map that is drawn, and the nodes that are, if not all are.
    pub(super) region: Option<Rect>,
    pub(super) in_sight: Option<Rc<[usize]>>,
    pub(super) now: SimTime,
    pub(super) activity: Activity,
    pub(super) selected: Option<ObjectId>,
    pub(super) relation: Option<Shared<Relation>>,
    /// The key of what has the keyboard on the map.
    pub(super) cursor: Option<String>,
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    pub(super) is_calm: bool,
}

/// The drawing; only its outermost group changes when it is moved.
#[function_component]
pub(super) fn Drawing(props: &DrawingProps) -> Html {
    let Viewport { offset, zoom } = props.view;
    let style =
        format!("transform:translate({:.2}px,{:.2}px) scale({zoom:.4})", offset.x, offset.y);
    let hop = props.story.as_ref().zip(props.travel).and_then(|(s, at)| s.hops.get(at.hop));
    let lit = hop.and_then(|hop| hop.object.clone());
    let acting = props.story.as_ref().zip(props.travel);
    let acting = acting.and_then(|(story, at)| story.acting(at.hop).cloned());
    let port = props.story.as_ref().zip(props.travel).and_then(|(story, at)| entry(story, at.hop));
    let view = props.view;
    html! {
        <svg role="group" aria-label={props.lang.t(Text::MapLabel)}>
            <defs>
                <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="hatch-ground" width="6" height="6" />
                    <path class="hatch" d="M0 0V6" />
                </pattern>
                <marker id="arrow" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
                    <path class="arrow-head" d="M1 1L7 4L1 7" />
                </marker>
                <marker id="way" viewBox="0 0 10 10" refX="7.500" refY="5" markerWidth="4.200" markerHeight="4.200" orient="auto">
                    <path class="way-head" d="M1 1L9 5L1 9z" />
                </marker>
            </defs>
            <g class={if props.is_eased { "view eased" } else { "view" }} {style} data-grain={grain_name(view.grain())}
                data-field={props.layout.is_field.then_some("")}>
                <Ground layout={props.layout.clone()} />
                <Things lang={props.lang} scene={props.scene.clone()} layout={props.layout.clone()}
                    grain={view.grain()} far_text={view.far_text()} region={props.region} in_sight={props.in_sight.clone()} now={props.now}
                    selected={props.selected.clone()} relation={props.relation.clone()} cursor={props.cursor.clone()}
                    {lit} {acting} {port} />
                if props.region.is_some() {
                    <Lots layout={props.layout.clone()} most={view.far_text()} />
                }
                if view.grain() != Grain::Far {
                    <Lamps lang={props.lang} layout={props.layout.clone()} activity={props.activity} />
                }
                if let (Some(story), Some(travel)) = (&props.story, props.travel) {
                    <Packet scene={props.scene.clone()} layout={props.layout.clone()} story={story.clone()}
                        {travel} is_calm={props.is_calm} zoom={view.zoom} />
                }
            </g>
        </svg>
    }
}

const fn grain_name(grain: Grain) -> &'static str {
    match grain {
        Grain::Far => "far",
        Grain::Middle => "middle",
        Grain::Near => "near",
    }
}

#[derive(Properties, PartialEq)]
struct GroundProps {
    layout: Shared<Layout>,
}

/// The frame and the streets, which change only with the layout.
#[function_component]
fn Ground(props: &GroundProps) -> Html {
    html! { <>{ outside::frame(&props.layout) }{ outside::streets(&props.layout) }</> }
}

#[derive(Properties, PartialEq)]
struct LotsProps {
    layout: Shared<Layout>,
    most: f64,
}

/// Of a large map, what is too small to be seen for itself.
#[function_component]
fn Lots(props: &LotsProps) -> Html {
    outside::lots(&props.layout, props.most)
}

#[derive(Properties, PartialEq)]
struct ThingsProps {
    lang: Lang,
    scene: Shared<ClusterScene>,
    layout: Shared<Layout>,
    grain: Grain,
    far_text: f64,
    region: Option<Rect>,
    in_sight: Option<Rc<[usize]>>,
    now: SimTime,
    selected: Option<ObjectId>,
    relation: Option<Shared<Relation>>,
    cursor: Option<String>,
    lit: Option<ObjectId>,
    acting: Option<ObjectId>,
    port: Option<(ObjectId, u16)>,
}

/// A node, and where it is.
type Placed<'a> = (&'a NodeBox, &'a NodePlace);

#[function_component]
fn Things(props: &ThingsProps) -> Html {
    let ThingsProps { scene, layout, .. } = props;
    let cursor = props.cursor.as_deref().and_then(|key| layout.find(scene, key));
    let entry = cursor.or_else(|| layout.items(scene).next());
    let key = entry.map(|(item, _)| item.key()).unwrap_or_default();
    let marks = Marks {
        lang: props.lang,
        scene,
        grain: props.grain,
        far_text: props.far_text,
        region: props.region,
        now: props.now,
        selected: props.selected.as_ref(),
        relation: props.relation.as_deref(),
        entry: &key,
        lit: props.lit.as_ref(),
        acting: props.acting.as_ref(),
        port: props.port.as_ref(),
    };
    let all = || scene.nodes.iter().map(|node| &**node).zip(&layout.nodes);
    let nodes: Vec<Placed<'_>> = match &props.in_sight {
        None => all().collect(),
        Some(shown) => {
            let places = shown.iter().map(|at| scene.nodes.get(*at).zip(layout.nodes.get(*at)));
            places.flatten().map(|(node, place)| (&**node, place)).collect()
        }
    };
    let services = scene.services.iter().zip(&layout.services);
    html! {
        <>
            { record::lane(layout, &marks) }
            { outside::cluster(layout, &marks) }
            { outside::client(layout, &marks) }
            { for layout.arrows.iter().filter(|_| marks.grain != Grain::Far).map(|one| record::arrow(one, &marks)) }
            { for scene.hand_built.iter().map(|one| outside::hand_built(one, layout.hand_built, &marks)) }
            { for layout.balancers.iter().filter(|(_, rect)| marks.shows(*rect)).filter_map(|(at, rect)| {
                Some(outside::balancer(scene.services.get(*at)?, *rect, &marks))
            }) }
            { for scene.ingresses.iter().zip(&layout.ingresses).filter(|(_, rect)| marks.shows(**rect))
                .map(|(one, rect)| record::ingress(one, *rect, &marks)) }
            { for services.filter(|(_, rect)| marks.shows(**rect)).map(|(one, rect)| record::service(one, *rect, &marks)) }
            { for nodes.iter().map(|(one, place)| node::node(one, place, &marks)) }
            { tray::tray(layout, &marks) }
            { for scene.shelves.iter().zip(&layout.shelves).enumerate().map(|(at, (one, place))| {
                shelf::shelf(at, one, place, &marks)
            }) }
            { crowds(layout, &marks, &nodes) }
            <g>{ pods(layout, &marks, &nodes) }</g>
            { rings(layout, &marks) }
            if let Some((item, rect)) = entry.filter(|(item, rect)| !is_drawn(*item, *rect, &marks, &nodes)) {
                { cursor_of(item, rect, &marks) }
            }
        </>
    }
}

/// Pods that are only marks: of nodes that are full, or seen from far.
fn crowds(layout: &Layout, marks: &Marks, nodes: &[Placed<'_>]) -> Html {
    if layout.is_field && marks.grain == Grain::Far {
        // A canvas has them.
        return html! {};
    }
    html! {
        { for nodes.iter().map(|(node, place)| {
            let is_far = marks.grain == Grain::Far;
            let dots = node.dots.iter().copied().enumerate();
            let dots = dots.filter(|(_, dot)| is_far || !place.has_name(dot.system));
            let dots = dots.map(|(at, dot)| {
                (dot, place.pods.get(at).copied().unwrap_or_else(|| place.matrix.dot(at)))
            });
            mark::crowd(dots, marks.grain != Grain::Far)
        }) }
    }
}

/// All Pods that have a name, in an order that does not depend on where they are: so a Pod that
/// gets a node moves there instead of vanishing here.
fn pods(layout: &Layout, marks: &Marks, nodes: &[Placed<'_>]) -> Html {
    let mut shown: Vec<(&PodChip, Rect, Detail)> = Vec::new();
    if marks.grain != Grain::Far {
        for (node, place) in nodes {
            let detail = place.detail.unwrap_or(Detail::Short);
            let named =
                node.pods.iter().zip(&place.pods).filter(|(pod, _)| place.has_name(pod.system));
            shown.extend(
                named.map(|(pod, rect)| {
                    (pod, *rect, if pod.system { Detail::Short } else { detail })
                }),
            );
        }
        shown.extend(tray::named(layout, marks));
    }
    order::sort_by(&mut shown, |a, b| a.0.id.cmp(&b.0.id));
    html! { { for shown.into_iter().map(|(one, rect, detail)| pod::pod(one, rect, detail, marks)) } }
}

/// Around a Pod that is only a mark: that it is chosen, or that the packet is there.
fn rings(layout: &Layout, marks: &Marks) -> Html {
    let ring = |class: &'static str, id: Option<&ObjectId>| {
        let rect = id.and_then(|id| layout.place_of(marks.scene, id));
        let rect = rect.filter(|rect| rect.w < 20.0 || marks.grain == Grain::Far);
        rect.map(|rect| {
            let Rect { x, y, w, h } = rect.inset(-2.5);
            html! { <rect {class} x={format!("{x:.1}")} y={format!("{y:.1}")} width={format!("{w:.1}")} height={format!("{h:.1}")} rx="5" /> }
        })
    };
    html! { <>{ ring("around lit", marks.lit) }{ ring("around selected", marks.selected) }</> }
}

/// Whether an item has an element of its own that can take the keyboard.
fn is_drawn(item: Item, rect: Rect, marks: &Marks, shown: &[Placed<'_>]) -> bool {
    let Some(id) = item.object() else { return true };
    let is_named = |(node, place): &Placed<'_>| {
        let pod = node.pods.iter().find(|pod| pod.id == *id);
        pod.is_some_and(|pod| place.has_name(pod.system))
    };
    match id.kind {
        Kind::Node => shown.iter().any(|(node, _)| node.id == *id),
        Kind::Pod => {
            let waits = |group: &WaitingGroup| group.pods.iter().any(|pod| pod.id == *id);
            marks.grain != Grain::Far && shown.iter().any(is_named)
                || marks.scene.waiting.iter().any(waits)
        }
        _ => marks.shows(rect),
    }
}

/// What has the keyboard though it has no element of its own.
#[inline(never)]
fn cursor_of(one: Item, rect: Rect, marks: &Marks) -> Html {
    let look = super::item::Look {
        class: "cursor",
        title: tray::caption(one, marks),
        ..super::item::Look::default()
    };
    super::item::item(marks, one, rect, look, super::item::body(rect, 5))
}
