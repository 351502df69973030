//! The page in the browser: Yew components, and the only place that knows the DOM.
//!
//! A component draws a view model and turns what the person does into a [`Msg`]; it decides
//! nothing. `app.rs` holds the one model and the one clock. Only a canvas or the editor is held
//! from outside of Yew, and both are released when their component goes.
//!
//! Reading order: `app.rs`, `browser.rs` (what the browser is asked), `stage.rs` and `map/`.

mod aim;
mod app;
mod as_text;
mod bridge;
mod browser;
mod caption;
mod difference;
mod editor;
mod events;
mod faults;
mod header;
mod icon;
mod inspector;
mod legend;
mod link;
mod map;
mod prompt;
mod request;
mod setting_up;
mod shared;
mod shown;
mod side;
mod split;
mod stage;
mod tabs;
mod terminal;
mod timeline;
mod trace;

use crate::session::Msg;
use yew::Callback;

/// How a component tells the session what the person did; found through Yew's context.
pub type Dispatch = Callback<Msg>;

/// Mounts the page into the document's body.
pub fn run() {
    bridge::open_to_annex();
    yew::Renderer::<app::App>::new().render();
}

/// The page in an element, for as long as the caller wants it.
pub struct Mounted(yew::AppHandle<app::App>);

/// Mounts the page into an element.
pub fn mount(place: web_sys::Element) -> Mounted {
    Mounted(yew::Renderer::<app::App>::with_root(place).render())
}

impl Mounted {
    /// Takes the page away, its clock included.
    pub fn unmount(self) {
        self.0.destroy();
    }
}
