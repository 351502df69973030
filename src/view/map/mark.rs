//! States as shapes: told apart without colour.

use crate::present::scene::{NodeState, PodState};
use yew::{Html, html};

/// The mark of a Pod's state, 10 by 10, with its middle at `x`, `y`.
pub(in crate::view) fn pod(state: PodState, x: f64, y: f64) -> Html {
    let path = match state {
        PodState::Ready => "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        PodState::Starting => "M0 -4a4 4 0 0 1 0 8zM-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        PodState::Pending => "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        PodState::NotReady => "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0M-2.8 2.8L2.8 -2.8",
        PodState::Failed => "M0 -4.5L4.8 4h-9.6zM0 -1.5v2.3M0 2.4v.1",
        PodState::Completed => "M-4 .5L-1.2 3.5 4 -3",
        PodState::Terminating => "M-3.3 -3.3L3.3 3.3M3.3 -3.3L-3.3 3.3",
        PodState::Unknown => "M-2.5 -2a2.5 2.3 0 1 1 3.6 2.2q-1.1 .6 -1.1 1.8M0 4.5v.1",
    };
    html! { <path class="mark" d={path} transform={format!("translate({x} {y})")} /> }
}

/// The mark of a node's state.
pub(super) fn node(state: NodeState, x: f64, y: f64) -> Html {
    pod(
        match state {
            NodeState::Ready => PodState::Ready,
            NodeState::NotReady => PodState::Failed,
            NodeState::Stopped => PodState::Terminating,
        },
        x,
        y,
    )
}
