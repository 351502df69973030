//! Everything on the map, from back to front.

use super::super::shared::Shared;
use super::super::trace::Travel;
use super::packet::Packet;
use super::{node, outside, pod, record};
use crate::present::layout::Detail;
use crate::present::{ClusterScene, Layout, Story, Viewport};
use crate::session::ObjectId;
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(super) struct DrawingProps {
    pub(super) lang: Lang,
    pub(super) scene: Shared<ClusterScene>,
    pub(super) layout: Shared<Layout>,
    pub(super) view: Viewport,
    pub(super) selected: Option<ObjectId>,
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    pub(super) is_calm: bool,
}

/// What is special about some objects at the moment.
pub(super) struct Marks<'a> {
    /// The one in the inspector.
    pub(super) selected: Option<&'a ObjectId>,
    /// The one that the Tab key reaches; arrows go on from there.
    pub(super) entry: Option<&'a ObjectId>,
    /// The one that the packet is at.
    pub(super) lit: Option<&'a ObjectId>,
    /// The port that it is addressed to there.
    pub(super) port: Option<u16>,
}

impl Marks<'_> {
    /// The `tabindex` of an object.
    pub(super) fn tabindex(&self, id: &ObjectId) -> &'static str {
        if self.entry == Some(id) { "0" } else { "-1" }
    }

    /// The `aria-pressed` of an object.
    pub(super) fn pressed(&self, id: &ObjectId) -> &'static str {
        if self.selected == Some(id) { "true" } else { "false" }
    }

    /// The `data-lit` of an object.
    pub(super) fn lit(&self, id: &ObjectId) -> Option<&'static str> {
        (self.lit == Some(id)).then_some("")
    }
}

/// The drawing; only its outermost group changes when it is moved.
#[function_component]
pub(super) fn Drawing(props: &DrawingProps) -> Html {
    let Viewport { offset, zoom } = props.view;
    let transform = format!("translate({:.2} {:.2}) scale({zoom:.4})", offset.x, offset.y);
    let hop = props.story.as_ref().zip(props.travel).and_then(|(s, at)| s.hops.get(at.hop));
    let lit = hop.and_then(|hop| hop.object.clone());
    let port = hop.and_then(|hop| hop.address.rsplit(':').next()?.parse().ok());
    html! {
        <svg role="group" aria-label={props.lang.t(Text::MapLabel)}>
            <g {transform}>
                <Things lang={props.lang} scene={props.scene.clone()} layout={props.layout.clone()}
                    selected={props.selected.clone()} {lit} {port} />
                if let (Some(story), Some(travel)) = (&props.story, props.travel) {
                    <Packet scene={props.scene.clone()} layout={props.layout.clone()} story={story.clone()}
                        {travel} is_calm={props.is_calm} />
                }
            </g>
        </svg>
    }
}

#[derive(Properties, PartialEq)]
struct ThingsProps {
    lang: Lang,
    scene: Shared<ClusterScene>,
    layout: Shared<Layout>,
    selected: Option<ObjectId>,
    lit: Option<ObjectId>,
    port: Option<u16>,
}

#[function_component]
fn Things(props: &ThingsProps) -> Html {
    let ThingsProps { lang, scene, layout, selected, lit, port } = props;
    let lang = *lang;
    let present = selected.as_ref().filter(|id| layout.place_of(scene, id).is_some());
    let entry = present.or_else(|| layout.items(scene).next().map(|(id, _)| id));
    let marks = Marks { selected: selected.as_ref(), entry, lit: lit.as_ref(), port: *port };
    html! {
        <>
            { outside::frame(layout) }
            { outside::streets(layout) }
            { outside::cluster(lang, scene, layout) }
            { outside::client(lang, scene, layout) }
            { for layout.balancers.iter().filter_map(|(at, rect)| {
                Some(outside::balancer(lang, scene.services.get(*at)?, *rect))
            }) }
            { outside::tray(lang, layout) }
            if layout.is_crowded {
                { node::crowd(scene.waiting.iter().zip(&layout.waiting)) }
            } else {
                { for scene.waiting.iter().zip(&layout.waiting).map(|(one, rect)| {
                    pod::pod(lang, one, *rect, Detail::Short, &marks)
                }) }
            }
            { for scene.nodes.iter().zip(&layout.nodes).map(|(one, place)| {
                node::node(lang, one, place, &marks)
            }) }
            { record::headings(lang, scene, layout) }
            { for scene.services.iter().zip(&layout.services).map(|(one, rect)| {
                record::service(lang, one, *rect, &marks)
            }) }
            { for scene.ingresses.iter().zip(&layout.ingresses).map(|(one, rect)| {
                record::ingress(one, *rect, &marks)
            }) }
        </>
    }
}
