//! States as shapes: told apart without colour.

use super::pod;
use crate::present::Rect;
use crate::present::scene::{Dot, NodeState, PodState};
use std::collections::BTreeMap;
use yew::{Html, html};

/// The shape of a Pod's state, 10 by 10, with its middle at 0, 0.
const fn shape(state: PodState) -> &'static str {
    match state {
        PodState::Ready => "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        PodState::Starting => "m0 -4a4 4 0 0 1 0 8zm-4 4a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        PodState::Pending => "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        PodState::NotReady => "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0m1.2 2.8l5.6 -5.6",
        PodState::Failed => "m0 -4.5l4.8 8.5h-9.6zm0 3v2.3m0 1.6v.1",
        PodState::Completed => "m-4 .5l2.8 3 5.2 -6.5",
        PodState::Terminating => "m-3.3 -3.3l6.6 6.6m0 -6.6l-6.6 6.6",
        PodState::Unknown => "m-2.5 -2a2.5 2.3 0 1 1 3.6 2.2q-1.1 .6 -1.1 1.8m0 2.5v.1",
    }
}

/// The mark of a Pod's state with its middle at `x`, `y`.
pub(in crate::view) fn pod(state: PodState, x: f64, y: f64) -> Html {
    html! { <path class="mark" d={format!("M{x:.1} {y:.1}{}", shape(state))} /> }
}

/// The mark of a node's state.
pub(super) fn node(state: NodeState, cordoned: bool, x: f64, y: f64) -> Html {
    let state = match state {
        NodeState::Ready if cordoned => PodState::NotReady,
        NodeState::Ready => PodState::Ready,
        NodeState::NotReady => PodState::Failed,
        NodeState::Unknown => PodState::Unknown,
    };
    pod(state, x, y)
}

/// Many Pods: one shape for all bodies and one for all marks that have the same state and colour,
/// so that the page stays light.
#[inline(never)]
pub(super) fn crowd(pods: impl Iterator<Item = (Dot, Rect)>, with_marks: bool) -> Html {
    let mut shapes: BTreeMap<(PodState, u8), (String, String)> = BTreeMap::new();
    for (dot, rect) in pods {
        let (bodies, marks) = shapes.entry((dot.state, dot.colour)).or_default();
        let Rect { x, y, w, h } = rect;
        bodies.push_str(&format!("M{x:.1} {y:.1}h{w:.1}v{h:.1}h-{w:.1}z"));
        if with_marks {
            let middle = rect.center();
            marks.push_str(&format!("M{:.1} {:.1}{}", middle.x, middle.y, shape(dot.state)));
        }
    }
    html! {
        { for shapes.into_iter().map(|((state, colour), (bodies, marks))| html! {
            <g class="pod crowd" data-state={pod::state_name(state)} data-colour={colour.to_string()}>
                <path class="body" d={bodies} />
                <path class="mark" d={marks} />
            </g>
        }) }
    }
}
