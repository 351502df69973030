//! The map: SVG, laid out by [`Layout`] for the room it has, panned and zoomed by [`Viewport`].
//!
//! `drawing.rs` puts everything in order from back to front; `node.rs`, `pod.rs`, `record.rs`
//! (Services and Ingresses), `shelf.rs` (what else people asked for), `tray.rs`, `lamps.rs` and
//! `outside.rs` each draw one sort of thing at its place, all by way of `item.rs`; `mark.rs` draws
//! states as shapes; `field.rs` paints thousands of Pods on a canvas; `gestures.rs` turns pointers
//! and wheel into a viewport, `keys.rs` the keyboard into steps from thing to thing.

mod drawing;
mod field;
mod gestures;
mod item;
mod keys;
mod lamps;
pub(super) mod mark;
mod node;
mod outside;
mod packet;
pub(super) mod pod;
pub(super) mod record;
mod shelf;
pub(super) mod tools;
mod tray;

use super::Dispatch;
use super::shared::Shared;
use super::trace::Travel;
use crate::base::SimTime;
use crate::present::geometry::Point;
use crate::present::layout::Item;
use crate::present::route::anchor;
use crate::present::viewport::{FOOT, Grain};
use crate::present::{ClusterScene, Layout, Rect, Relation, Story, Viewport};
use crate::session::{Msg, ObjectId};
use crate::text::Lang;
use crate::world::Activity;
use drawing::Drawing;
use field::Field;
use std::rc::Rc;
use std::sync::Arc;
use web_sys::{Element, MouseEvent};
use yew::{
    Callback, Html, Properties, function_component, html, use_context, use_effect_with, use_memo,
    use_mut_ref, use_node_ref, use_state_eq,
};

/// With more nodes than this in sight from far, none has an element of its own.
const MOST_TILES: usize = 160;
/// In a crowd, the most nodes of which the Pods are asked for by name.
const MOST_LOOKED_AT: usize = 60;

#[derive(Properties, PartialEq)]
pub(super) struct MapProps {
    pub(super) lang: Lang,
    pub(super) scene: Shared<ClusterScene>,
    pub(super) now: SimTime,
    pub(super) activity: Activity,
    pub(super) selected: Option<ObjectId>,
    pub(super) relation: Option<Shared<Relation>>,
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    pub(super) is_calm: bool,
    /// Whether it is shown to a room.
    pub(super) presenting: bool,
    /// What changes with the theme: then colours are looked up anew.
    pub(super) theme: crate::session::Theme,
}

/// The map.
#[function_component]
pub(super) fn Map(props: &MapProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let frame = use_node_ref();
    let room = gestures::use_room(&frame);
    let chosen = use_state_eq(|| None::<Viewport>);
    let cursor = use_state_eq(|| None::<String>);
    let left_behind = use_state_eq(|| false);
    let growth = Viewport::growth(room.0, room.1, props.presenting);
    let laid_out =
        use_memo((props.scene.clone(), room, growth), |(scene, (width, height), growth)| {
            Layout::of(scene, width / growth, (height - FOOT) / growth)
        });
    // What has changed in the cluster has seldom moved anything.
    let kept = use_mut_ref(Shared::<Layout>::default);
    kept.borrow_mut().keep_same(laid_out);
    let layout = kept.borrow().clone();
    let size = layout.size;
    let least = if props.presenting { growth } else { 1.0 };
    let base = chosen.unwrap_or_else(|| Viewport::fit(size, room.0, room.1, (least, growth)));

    // The packet is kept in sight, hop by hop, until a hand moves the map.
    let spot = props.story.as_ref().zip(props.travel);
    let spot = spot.and_then(|(story, travel)| Some(&story.hops.get(travel.hop)?.spot));
    let at = spot.and_then(|spot| anchor(&props.scene, &layout, spot));
    let follows = !*left_behind && props.story.is_some();
    let view = match at.filter(|_| follows) {
        Some(at) => base.following(at, size, room.0, room.1),
        None => base,
    };
    let keep = {
        let (setter, leave) = (chosen.setter(), left_behind.setter());
        Callback::from(move |new: Option<Viewport>| {
            leave.set(new.is_some());
            setter.set(new.map(|view: Viewport| view.kept(size, room.0, room.1)));
        })
    };
    let catch_up = left_behind.setter();
    use_effect_with(props.story.clone(), move |_| catch_up.set(false));
    let hand = gestures::use_hand(&frame, view, (size, room), keep.clone());

    // An object that is chosen elsewhere, or hidden by a panel that opens, is brought into sight.
    let (show, scene, places) = (chosen.setter(), props.scene.clone(), layout.clone());
    use_effect_with((props.selected.clone(), room), move |(selected, room)| {
        let rect = selected.as_ref().and_then(|id| places.place_of(&scene, id));
        let shown = rect.map(|rect| base.showing(rect, room.0, room.1));
        if let Some(shown) = shown.filter(|shown| *shown != base) {
            show.set(Some(shown));
        }
    });

    let region = layout.is_field.then(|| view.region(room.0, room.1));
    let in_sight = region.map(|region| in_sight(&layout, region));
    let looked_at = names_of(&props.scene, &layout, view, in_sight.as_deref());
    let look = dispatch.clone();
    use_effect_with(looked_at, move |names| look.emit(Msg::LookCloser(names.clone())));
    keys::use_focus(&frame, (*cursor).clone());

    let onclick = {
        let (scene, layout, was_dragged) = (props.scene.clone(), layout.clone(), hand.was_dragged);
        let (place, dispatch, cursor) = (frame.clone(), dispatch.clone(), cursor.setter());
        Callback::from(move |event: MouseEvent| {
            if was_dragged.borrow_mut().take().unwrap_or_default() {
                return;
            }
            let at = place.cast::<Element>().map(|map| {
                let map = map.get_bounding_client_rect();
                let x = f64::from(event.client_x()) - map.left() - view.offset.x;
                let y = f64::from(event.client_y()) - map.top() - view.offset.y;
                Point::new(x / view.zoom, y / view.zoom)
            });
            let item = at.and_then(|at| item_at(&scene, &layout, at, view.grain()));
            cursor.set(item.map(Item::key));
            dispatch.emit(choice(item));
        })
    };
    let onkeydown = keys::keys(&props.scene, &layout, view, room, &keep, &cursor, &dispatch);
    let middle = Point::new(room.0 / 2.0, room.1 / 2.0);
    let zoomed = |factor| Some(view.zoomed(factor, middle, size, room));
    let whole = Viewport::whole(size, room.0, room.1, growth);
    let views = [zoomed(0.8), zoomed(1.25), (view != whole).then_some(whole)];
    let (follow, unchoose) = (left_behind.setter(), chosen.setter());
    let follow = Callback::from(move |()| {
        follow.set(false);
        unchoose.set(None);
    });
    html! {
        <>
            <div class={if hand.is_held { "map held" } else { "map" }} ref={frame} {onclick} {onkeydown}
                onpointerdown={hand.down} onpointermove={hand.moved} onpointerup={hand.up.clone()}
                onpointercancel={hand.up}>
                if layout.is_field && view.grain() == Grain::Far {
                    <Field scene={props.scene.clone()} layout={layout.clone()} {view} {room} theme={props.theme} />
                }
                <Drawing lang={props.lang} scene={props.scene.clone()} {layout} {view} is_eased={follows && !hand.is_held}
                    {region} {in_sight} now={props.now} activity={props.activity}
                    selected={props.selected.clone()} relation={props.relation.clone()} cursor={(*cursor).clone()}
                    story={props.story.clone()} travel={props.travel} is_calm={props.is_calm} />
            </div>
            <tools::Tools lang={props.lang} {views} {keep} {follow}
                is_left_behind={*left_behind && props.story.is_some()} />
        </>
    }
}

/// What choosing an item means: an object is shown at length, what stands for many as text.
fn choice(item: Option<Item>) -> Msg {
    match item {
        Some(Item::Waiting(_) | Item::More(_)) => Msg::ToggleAsText,
        item => Msg::Select(item.and_then(Item::object).cloned()),
    }
}

/// The item under a point of the map: the smallest, since Pods are inside of nodes. From far, Pods
/// of a crowd are too small to be meant.
fn item_at<'a>(
    scene: &'a ClusterScene,
    layout: &'a Layout,
    at: Point,
    grain: Grain,
) -> Option<Item<'a>> {
    let is_meant = |rect: Rect| grain != Grain::Far || !layout.is_field || rect.w > 20.0;
    let here = layout.items(scene).filter(|(_, rect)| rect.contains(at) && is_meant(*rect));
    let smallest = here.min_by(|(_, a), (_, b)| (a.w * a.h).total_cmp(&(b.w * b.h)));
    smallest.map(|(item, _)| item)
}

/// Among many nodes, those that are drawn one by one: what is in a region, unless that is too many.
fn in_sight(layout: &Layout, region: Rect) -> Rc<[usize]> {
    let nodes = layout.nodes.iter().enumerate();
    let shown = nodes.filter(|(_, place)| place.rect.overlaps(region)).map(|(at, _)| at);
    let shown: Vec<usize> = shown.take(MOST_TILES + 1).collect();
    if shown.len() > MOST_TILES { Rc::default() } else { shown.into() }
}

/// The nodes whose Pods are to be known by name: those in sight, when near enough to read.
fn names_of(
    scene: &ClusterScene,
    layout: &Layout,
    view: Viewport,
    shown: Option<&[usize]>,
) -> Rc<[Arc<str>]> {
    let shown = shown.filter(|_| layout.is_field && view.grain() != Grain::Far);
    let shown = shown.unwrap_or_default().iter().take(MOST_LOOKED_AT);
    shown.filter_map(|at| scene.nodes.get(*at).map(|node| node.id.name.clone())).collect()
}
