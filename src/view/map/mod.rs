//! The map: SVG, laid out by [`Layout`] for the room it has.
//!
//! `node.rs`, `pod.rs`, `record.rs` (Services and Ingresses) and `outside.rs` each draw one sort of
//! thing at its place; `mark.rs` draws states as shapes.

mod mark;
mod node;
mod outside;
mod pod;
mod record;

use crate::present::{ClusterScene, Layout};
use crate::text::{Lang, Text};
use gloo::events::EventListener;
use gloo::utils::window;
use std::rc::Rc;
use web_sys::Element;
use yew::{
    Html, Properties, function_component, html, use_effect_with, use_memo, use_node_ref,
    use_state_eq,
};

#[derive(Properties, PartialEq)]
pub(super) struct MapProps {
    pub(super) lang: Lang,
    pub(super) scene: Rc<ClusterScene>,
}

/// The map.
#[function_component]
pub(super) fn Map(props: &MapProps) -> Html {
    let frame = use_node_ref();
    let room = use_state_eq(|| (800.0, 600.0));
    let (measured, measure) = (frame.clone(), room.setter());
    use_effect_with((), move |()| {
        let look = move || {
            if let Some(frame) = measured.cast::<Element>() {
                measure.set((f64::from(frame.client_width()), f64::from(frame.client_height())));
            }
        };
        look();
        let listener = EventListener::new(&window(), "resize", move |_| look());
        move || drop(listener)
    });
    let layout = use_memo((props.scene.clone(), *room), |(scene, (width, height))| {
        Layout::of(scene, *width, *height)
    });
    html! {
        <div class="map" ref={frame}>
            <Drawing lang={props.lang} scene={props.scene.clone()} {layout} />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct DrawingProps {
    lang: Lang,
    scene: Rc<ClusterScene>,
    layout: Rc<Layout>,
}

/// Everything on the map, from back to front.
#[function_component]
fn Drawing(props: &DrawingProps) -> Html {
    let DrawingProps { lang, scene, layout } = props;
    let lang = *lang;
    let size = layout.size;
    html! {
        <svg width={size.w.to_string()} height={size.h.to_string()} role="group"
            viewBox={format!("0 0 {} {}", size.w, size.h)} aria-label={lang.t(Text::MapLabel)}>
            { outside::cluster(lang, scene, layout) }
            { outside::client(lang, scene, layout) }
            { for layout.balancers.iter().filter_map(|(at, rect)| {
                Some(outside::balancer(lang, scene.services.get(*at)?, *rect))
            }) }
            { for scene.nodes.iter().zip(&layout.nodes).map(|(node, place)| {
                node::node(lang, node, place)
            }) }
            { record::headings(lang, scene, layout) }
            { for scene.services.iter().zip(&layout.services).map(|(one, rect)| {
                record::service(lang, one, *rect)
            }) }
            { for scene.ingresses.iter().zip(&layout.ingresses).map(|(one, rect)| {
                record::ingress(one, *rect)
            }) }
        </svg>
    }
}
