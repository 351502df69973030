//! Many nodes seen from far, on a canvas below the drawing.

use super::super::bridge;
use super::super::shared::Shared;
use crate::present::crowd::{Colours, Picture};
use crate::present::{ClusterScene, Layout, Viewport};
use crate::session::Theme;
use gloo::utils::window;
use web_sys::Element;
use yew::{
    Html, Properties, function_component, html, use_effect_with, use_memo, use_mut_ref,
    use_node_ref,
};

/// No screen needs more pixels than this to a pixel of the page.
const MOST_DENSITY: f64 = 2.0;

#[derive(Clone, Properties, PartialEq)]
pub(super) struct FieldProps {
    pub(super) scene: Shared<ClusterScene>,
    pub(super) layout: Shared<Layout>,
    pub(super) view: Viewport,
    pub(super) room: (f64, f64),
    pub(super) theme: Theme,
}

/// The canvas.
#[function_component]
pub(super) fn Field(props: &FieldProps) -> Html {
    let canvas = use_node_ref();
    let picture = use_mut_ref(Picture::default);
    let colours = use_memo(props.theme, |_| colours());
    let place = canvas.clone();
    use_effect_with(props.clone(), move |props| {
        let Some(canvas) = place.cast::<Element>() else { return };
        let density = window().device_pixel_ratio().clamp(1.0, MOST_DENSITY);
        let mut picture = picture.borrow_mut();
        let room = (props.room.0, props.room.1, density);
        picture.paint(&props.scene, &props.layout, props.view, room, &colours);
        let (width, height) = (picture.width as u32, picture.height as u32);
        bridge::paint_pixels(&canvas, width, height, &picture.pixels);
    });
    html! { <canvas class="field" ref={canvas} aria-hidden="true"></canvas> }
}

/// The colours of the theme, as the styles have them.
fn colours() -> Colours {
    let colour = |name: &str| {
        let [_, red, green, blue] = bridge::colour_of(name).to_be_bytes();
        [red, green, blue]
    };
    let names = ["--app-0", "--app-1", "--app-2", "--app-3", "--app-4", "--app-5", "--app-6"];
    Colours {
        node: colour("--node"),
        line: colour("--node-line"),
        track: colour("--filter"),
        fill: colour("--line-strong"),
        warn: colour("--warn"),
        bad: colour("--bad"),
        apps: names.map(colour),
    }
}
