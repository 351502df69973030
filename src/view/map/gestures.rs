//! Pointers and wheel: drag to pan, pinch or Ctrl and wheel to zoom.

use crate::present::Viewport;
use crate::present::geometry::{Point, Rect};
use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::window;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, PointerEvent, ResizeObserver, WheelEvent};
use yew::{Callback, NodeRef, hook, use_effect_with, use_mut_ref, use_state, use_state_eq};

/// How far a pointer may move and still click, in pixels.
const CLICK_SLACK: f64 = 4.0;

/// How much the map grows with each pixel that the wheel turns, as a power of e, and the most pixels
/// that count at once: a touchpad sends few of them, a wheel more than a hundred.
const WHEEL: f64 = 0.008;
const MOST_TURN: f64 = 24.0;
/// The pixels of a line, for wheels that count in lines.
const LINE: f64 = 16.0;

/// The size of an element, kept up to date.
#[hook]
pub(super) fn use_room(frame: &NodeRef) -> (f64, f64) {
    let room = use_state_eq(|| (800.0, 600.0));
    let (frame, set) = (frame.clone(), room.setter());
    use_effect_with((), move |()| {
        let watched = frame.cast::<Element>();
        let look = move || {
            if let Some(frame) = frame.cast::<Element>() {
                let (width, height) = (frame.client_width(), frame.client_height());
                if width > 0 && height > 0 {
                    set.set((f64::from(width), f64::from(height)));
                }
            }
        };
        look();
        let look = Closure::<dyn Fn()>::new(look);
        let observer = ResizeObserver::new(look.as_ref().unchecked_ref()).ok();
        if let (Some(observer), Some(element)) = (&observer, &watched) {
            observer.observe(element);
        }
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop(look);
        }
    });
    *room
}

/// What the hand on the map does, as callbacks for its element.
pub(super) struct Hand {
    pub(super) down: Callback<PointerEvent>,
    pub(super) moved: Callback<PointerEvent>,
    pub(super) up: Callback<PointerEvent>,
    /// Whether the click that follows ends a drag and means nothing.
    pub(super) was_dragged: Rc<RefCell<Option<bool>>>,
    /// Whether the map is being dragged.
    pub(super) is_held: bool,
}

/// A pointer on the map: its id and where it is.
type Finger = (i32, Point);

/// The size of the map, and of the stage that it is on.
type Sizes = (Rect, (f64, f64));

/// Follows pointers and the wheel; `keep` takes the viewport that comes of it.
#[hook]
pub(super) fn use_hand(
    frame: &NodeRef,
    view: Viewport,
    sizes: Sizes,
    keep: Callback<Option<Viewport>>,
) -> Hand {
    let fingers = use_mut_ref(Vec::<Finger>::new);
    let was_dragged = use_mut_ref(|| None::<bool>);
    let is_held = use_state(|| false);
    use_wheel(frame, view, sizes, keep.clone());

    let down = {
        let (fingers, was_dragged) = (fingers.clone(), was_dragged.clone());
        Callback::from(move |event: PointerEvent| {
            *was_dragged.borrow_mut() = None;
            let mut fingers = fingers.borrow_mut();
            fingers.retain(|(id, _)| *id != event.pointer_id());
            fingers.push((event.pointer_id(), place(&event)));
        })
    };
    let moved = {
        let (fingers, was_dragged, held) = (fingers.clone(), was_dragged.clone(), is_held.setter());
        let frame = frame.clone();
        Callback::from(move |event: PointerEvent| {
            let mut fingers = fingers.borrow_mut();
            let to = place(&event);
            let other = fingers.iter().find(|(id, _)| *id != event.pointer_id()).map(|one| one.1);
            let Some(finger) = fingers.iter_mut().find(|one| one.0 == event.pointer_id()) else {
                return;
            };
            let from = finger.1;
            if was_dragged.borrow().is_none() && from.distance(to) < CLICK_SLACK {
                return;
            }
            if was_dragged.replace(Some(true)).is_none() {
                held.set(true);
                if let Some(frame) = frame.cast::<Element>() {
                    // Without capture the drag merely ends at the map's edge.
                    let _captured = frame.set_pointer_capture(event.pointer_id());
                }
            }
            finger.1 = to;
            let new = match other {
                Some(other) => {
                    let corner = corner(&frame);
                    let middle = Point::new(other.x - corner.x, other.y - corner.y);
                    let factor = to.distance(other) / from.distance(other).max(1.0);
                    view.zoomed(factor, middle, sizes.0, sizes.1)
                }
                None => view.moved(to.x - from.x, to.y - from.y),
            };
            keep.emit(Some(new));
        })
    };
    let up = {
        let held = is_held.setter();
        Callback::from(move |event: PointerEvent| {
            fingers.borrow_mut().retain(|(id, _)| *id != event.pointer_id());
            held.set(false);
        })
    };
    Hand { down, moved, up, was_dragged, is_held: *is_held }
}

fn place(event: &PointerEvent) -> Point {
    Point::new(f64::from(event.client_x()), f64::from(event.client_y()))
}

fn corner(frame: &NodeRef) -> Point {
    frame.cast::<Element>().map_or(Point::default(), |frame| {
        let rect = frame.get_bounding_client_rect();
        Point::new(rect.left(), rect.top())
    })
}

/// The wheel pans, and zooms with Ctrl, as a pinch on a touchpad does. The listener is our own,
/// since one that may not be passive cannot be asked for through Yew.
#[hook]
fn use_wheel(frame: &NodeRef, view: Viewport, sizes: Sizes, keep: Callback<Option<Viewport>>) {
    let current = use_mut_ref(|| (view, sizes));
    *current.borrow_mut() = (view, sizes);
    let latest = use_mut_ref(|| keep.clone());
    *latest.borrow_mut() = keep;
    let frame = frame.clone();
    use_effect_with((), move |()| {
        let target = frame.cast::<Element>().map_or_else(|| JsValue::from(window()), JsValue::from);
        let options = EventListenerOptions::enable_prevent_default();
        let listener = EventListener::new_with_options(
            target.unchecked_ref(),
            "wheel",
            options,
            move |event| {
                let Some(wheel) = event.dyn_ref::<WheelEvent>() else { return };
                event.prevent_default();
                let (view, (map, room)) = *current.borrow();
                let pixels =
                    if wheel.delta_mode() == WheelEvent::DOM_DELTA_LINE { LINE } else { 1.0 };
                let turn = (wheel.delta_y() * pixels).clamp(-MOST_TURN, MOST_TURN);
                let new = if wheel.ctrl_key() || wheel.meta_key() {
                    let corner = corner(&frame);
                    let at = Point::new(
                        f64::from(wheel.client_x()) - corner.x,
                        f64::from(wheel.client_y()) - corner.y,
                    );
                    view.zoomed((-turn * WHEEL).exp(), at, map, room)
                } else {
                    view.moved(-wheel.delta_x() * pixels, -wheel.delta_y() * pixels)
                };
                latest.borrow().emit(Some(new));
            },
        );
        move || drop(listener)
    });
}
