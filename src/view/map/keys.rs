//! The keyboard on the map: arrows go from thing to thing, Enter chooses, plus and minus zoom.

use super::super::Dispatch;
use super::super::shared::Shared;
use super::choice;
use crate::present::geometry::Point;
use crate::present::layout::Item;
use crate::present::navigate::{Direction, next};
use crate::present::viewport::Grain;
use crate::present::{ClusterScene, Layout, Rect, Viewport};
use crate::session::Msg;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};
use yew::{Callback, NodeRef, TargetCast, UseStateHandle, hook, use_effect_with};

/// How much a press of a key zooms.
const STEP: f64 = 1.2;

/// What keys on the map do.
pub(super) fn keys(
    scene: &Shared<ClusterScene>,
    layout: &Shared<Layout>,
    view: Viewport,
    room: (f64, f64),
    keep: &Callback<Option<Viewport>>,
    cursor: &UseStateHandle<Option<String>>,
    dispatch: &Dispatch,
) -> Callback<KeyboardEvent> {
    let (scene, layout, keep) = (scene.clone(), layout.clone(), keep.clone());
    let (cursor, dispatch) = (cursor.clone(), dispatch.clone());
    Callback::from(move |event: KeyboardEvent| {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        let middle = Point::new(room.0 / 2.0, room.1 / 2.0);
        let zoom = |factor| keep.emit(Some(view.zoomed(factor, middle, layout.size, room)));
        let focused = key_of(&event).and_then(|key| layout.find(&scene, &key));
        match event.key().as_str() {
            "+" | "=" => zoom(STEP),
            "-" => zoom(1.0 / STEP),
            "0" => keep.emit(None),
            "Enter" | " " => {
                if let Some((item, _)) = focused {
                    dispatch.emit(choice(Some(item)));
                }
            }
            "Escape" => dispatch.emit(Msg::Select(None)),
            key => {
                let Some(direction) = Direction::of_key(key) else { return };
                let to = step(&scene, &layout, focused, direction, view.grain());
                if let Some((item, rect)) = to {
                    cursor.set(Some(item.key()));
                    let shown = view.showing(rect, room.0, room.1);
                    if shown != view {
                        keep.emit(Some(shown));
                    }
                }
            }
        }
        event.prevent_default();
    })
}

/// The key of the thing that has the keyboard.
fn key_of(event: &KeyboardEvent) -> Option<String> {
    let element = event.target_dyn_into::<Element>()?;
    element.closest("[data-key]").ok().flatten()?.get_attribute("data-key")
}

/// The item that an arrow key leads to. From far, single Pods of a crowd are passed over.
fn step<'a>(
    scene: &'a ClusterScene,
    layout: &'a Layout,
    from: Option<(Item<'a>, Rect)>,
    direction: Direction,
    grain: Grain,
) -> Option<(Item<'a>, Rect)> {
    let items = || {
        let is_far = layout.is_field && grain == Grain::Far;
        layout.items(scene).filter(move |(_, rect)| !is_far || rect.w > 20.0)
    };
    let to = match from {
        Some(from) => next(items(), from, direction)?,
        None => items().next()?.0,
    };
    items().find(|(item, _)| *item == to)
}

/// Gives the keyboard to the thing of a key once it is drawn, if the map has the keyboard.
#[hook]
pub(super) fn use_focus(frame: &NodeRef, cursor: Option<String>) {
    let frame = frame.clone();
    use_effect_with(cursor, move |cursor| {
        let (Some(map), Some(key)) = (frame.cast::<Element>(), cursor) else { return };
        let has_keyboard = map.query_selector(":focus").ok().flatten().is_some();
        // A drawn thing comes before the box that stands for one that is not.
        let thing = map.query_selector(&format!("[data-key=\"{key}\"]")).ok().flatten();
        if let Some(thing) = thing.filter(|_| has_keyboard) {
            // An SVG element has focus() too, though not the class that names it here.
            let _focused = thing.unchecked_into::<HtmlElement>().focus();
        }
    });
}
