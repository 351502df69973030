//! The map: SVG, laid out by [`Layout`] for the room it has, panned and zoomed by [`Viewport`].
//!
//! `drawing.rs` puts everything in order from back to front; `node.rs`, `pod.rs`, `record.rs`
//! (Services and Ingresses) and `outside.rs` each draw one sort of thing at its place; `mark.rs`
//! draws states as shapes; `gestures.rs` turns pointers, wheel and keys into a viewport.

mod drawing;
mod gestures;
pub(super) mod mark;
pub(super) mod node;
mod outside;
mod packet;
pub(super) mod pod;
mod record;
mod tools;

use super::Dispatch;
use super::shared::Shared;
use super::trace::Travel;
use crate::present::geometry::{Point, Rect};
use crate::present::navigate::{Direction, next};
use crate::present::route::anchor;
use crate::present::{ClusterScene, Layout, Story, Viewport};
use crate::session::{Msg, ObjectId};
use crate::text::Lang;
use drawing::Drawing;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};
use yew::{
    Callback, Html, Properties, TargetCast, function_component, html, use_context, use_effect_with,
    use_memo, use_node_ref, use_state_eq,
};

#[derive(Properties, PartialEq)]
pub(super) struct MapProps {
    pub(super) lang: Lang,
    pub(super) scene: Shared<ClusterScene>,
    pub(super) selected: Option<ObjectId>,
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    pub(super) is_calm: bool,
}

/// The map.
#[function_component]
pub(super) fn Map(props: &MapProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let frame = use_node_ref();
    let room = gestures::use_room(&frame);
    let chosen_view = use_state_eq(|| None::<Viewport>);
    let layout = use_memo((props.scene.clone(), room), |(scene, (width, height))| {
        let growth = Viewport::growth(*width, *height);
        Layout::of(scene, width / growth, height / growth)
    });
    let layout = Shared::from(layout);
    let view = chosen_view.unwrap_or_else(|| {
        Viewport::fit(layout.size, room.0, room.1, Viewport::growth(room.0, room.1))
    });
    let keep = {
        let (setter, size) = (chosen_view.setter(), layout.size);
        Callback::from(move |new: Option<Viewport>| {
            setter.set(new.map(|view: Viewport| view.kept(size, room.0, room.1)));
        })
    };
    let hand = gestures::use_hand(&frame, view, keep.clone());

    // A new selection is brought into sight, wherever it was made.
    let (scene, places, show) = (props.scene.clone(), layout.clone(), keep.clone());
    use_effect_with((props.selected.clone(), room), move |(selected, room)| {
        let rect = selected.as_ref().and_then(|id| places.place_of(&scene, id));
        if let Some(rect) = rect {
            let shown = view.showing(rect, room.0, room.1);
            if shown != view {
                show.emit(Some(shown));
            }
        }
    });

    // So is the packet, hop by hop.
    let spot = props.story.as_ref().zip(props.travel);
    let spot = spot.and_then(|(story, travel)| Some(story.hops.get(travel.hop)?.spot.clone()));
    let (scene, places, show) = (props.scene.clone(), layout.clone(), keep.clone());
    use_effect_with((spot, room), move |(spot, room)| {
        let at = spot.as_ref().and_then(|spot| anchor(&scene, &places, spot));
        if let Some(at) = at {
            let around = Rect::new(at.x - 70.0, at.y - 50.0, 140.0, 130.0);
            let shown = view.showing(around, room.0, room.1);
            if shown != view {
                show.emit(Some(shown));
            }
        }
    });

    let onclick = {
        let (scene, layout, was_dragged) = (props.scene.clone(), layout.clone(), hand.was_dragged);
        let place = frame.clone();
        let dispatch = dispatch.clone();
        Callback::from(move |event: MouseEvent| {
            if !was_dragged.borrow_mut().take().unwrap_or_default() {
                let at = place.cast::<Element>().map(|map| {
                    let map = map.get_bounding_client_rect();
                    let x = f64::from(event.client_x()) - map.left() - view.offset.x;
                    let y = f64::from(event.client_y()) - map.top() - view.offset.y;
                    Point::new(x / view.zoom, y / view.zoom)
                });
                let id = at.and_then(|at| object_at(&scene, &layout, at));
                dispatch.emit(Msg::Select(id));
            }
        })
    };
    let onkeydown = {
        let (scene, layout, keep) = (props.scene.clone(), layout.clone(), keep.clone());
        Callback::from(move |event: KeyboardEvent| {
            let middle = Point::new(room.0 / 2.0, room.1 / 2.0);
            let zoom = |factor| keep.emit(Some(view.zoomed(factor, middle)));
            match event.key().as_str() {
                "+" | "=" => zoom(1.2),
                "-" => zoom(1.0 / 1.2),
                "0" => keep.emit(None),
                "Enter" | " " => {
                    let key = focused(&event);
                    if let Some(id) = key.and_then(|key| find(&scene, &layout, &key)) {
                        dispatch.emit(Msg::Select(Some(id)));
                    }
                }
                "Escape" => dispatch.emit(Msg::Select(None)),
                key => {
                    let Some(direction) = Direction::of_key(key) else { return };
                    if let Some(id) = step(&scene, &layout, focused(&event), direction) {
                        focus(&event, &id);
                        if let Some(rect) = layout.place_of(&scene, &id) {
                            keep.emit(Some(view.showing(rect, room.0, room.1)));
                        }
                    }
                }
            }
            event.prevent_default();
        })
    };
    html! {
        <>
            <div class={if hand.is_held { "map held" } else { "map" }} ref={frame} {onclick} {onkeydown}
                onpointerdown={hand.down} onpointermove={hand.moved} onpointerup={hand.up.clone()}
                onpointercancel={hand.up}>
                <Drawing lang={props.lang} scene={props.scene.clone()} {layout} {view}
                    selected={props.selected.clone()} story={props.story.clone()} travel={props.travel}
                    is_calm={props.is_calm} />
            </div>
            <tools::Tools lang={props.lang} {view} middle={(room.0 / 2.0, room.1 / 2.0)} {keep} />
        </>
    }
}

/// The key of the object that an element of the map belongs to.
fn key_of(element: &Element) -> Option<String> {
    element.closest("[data-key]").ok().flatten()?.get_attribute("data-key")
}

/// The object under a point of the map: the smallest, since Pods are inside of nodes.
fn object_at(scene: &ClusterScene, layout: &Layout, at: Point) -> Option<ObjectId> {
    let balancers = layout.balancers.iter();
    let balancers = balancers.filter_map(|(at, rect)| Some((&scene.services.get(*at)?.id, *rect)));
    let here = layout.items(scene).chain(balancers).filter(|(_, rect)| rect.contains(at));
    let smallest = here.min_by(|(_, a), (_, b)| (a.w * a.h).total_cmp(&(b.w * b.h)));
    smallest.map(|(id, _)| id.clone())
}

/// The key of the object that has the keyboard.
fn focused(event: &KeyboardEvent) -> Option<String> {
    key_of(&event.target_dyn_into::<Element>()?)
}

fn find(scene: &ClusterScene, layout: &Layout, key: &str) -> Option<ObjectId> {
    layout.items(scene).map(|(id, _)| id).find(|id| id.key() == key).cloned()
}

/// The object that an arrow key leads to.
fn step(
    scene: &ClusterScene,
    layout: &Layout,
    key: Option<String>,
    direction: Direction,
) -> Option<ObjectId> {
    let from = key.and_then(|key| find(scene, layout, &key));
    match from {
        Some(id) => {
            let rect = layout.place_of(scene, &id)?;
            next(layout.items(scene), (&id, rect), direction).cloned()
        }
        None => layout.items(scene).next().map(|(id, _)| id.clone()),
    }
}

/// Gives an object the keyboard.
fn focus(event: &KeyboardEvent, id: &ObjectId) {
    let map = event.target_dyn_into::<Element>().and_then(|e| e.closest(".map").ok().flatten());
    let selector = format!("[data-key=\"{}\"]", id.key());
    let element = map.and_then(|map| map.query_selector(&selector).ok().flatten());
    if let Some(element) = element {
        // An SVG element has focus() too, though not the class that names it here.
        let _focused = element.unchecked_into::<HtmlElement>().focus();
    }
}
