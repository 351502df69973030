//! The line between two panels: dragged, moved by arrow keys, and by two clicks put back.

use super::Dispatch;
use crate::session::{Msg, Split};
use crate::text::{Lang, Text};
use web_sys::{Element, KeyboardEvent, PointerEvent};
use yew::{Callback, Html, TargetCast, html};

/// How far one press of an arrow moves it, in CSS pixels.
const STEP: i32 = 24;

/// The panel whose size a splitter changes.
const fn panel(split: Split) -> &'static str {
    match split {
        Split::Editor => ".editor",
        Split::Side => ".side",
        Split::Terminal => ".terminal",
    }
}

/// A splitter; `size` is the size that was chosen.
pub(super) fn splitter(lang: Lang, split: Split, size: Option<u16>, dispatch: &Dispatch) -> Html {
    let (name, label, is_upright) = match split {
        Split::Editor => ("editor", Text::SplitEditor, true),
        Split::Side => ("side", Text::SplitSide, true),
        Split::Terminal => ("terminal", Text::SplitTerminal, false),
    };
    let onpointerdown = Callback::from(|event: PointerEvent| {
        event.prevent_default();
        if let Some(line) = event.target_dyn_into::<Element>() {
            // Without a capture the line is dragged for as long as the pointer is over it.
            let _captured = line.set_pointer_capture(event.pointer_id());
        }
    });
    let tell = dispatch.clone();
    let onpointermove = Callback::from(move |event: PointerEvent| {
        let line = event.target_dyn_into::<Element>();
        let line = line.filter(|line| line.has_pointer_capture(event.pointer_id()));
        let Some(room) = line.and_then(|line| room(&line, split)) else { return };
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        let size = match split {
            Split::Editor => x - room.left(),
            Split::Side => room.right() - x,
            Split::Terminal => room.bottom() - y,
        };
        tell.emit(Msg::Split(split, size as i32));
    });
    let tell = dispatch.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        let Some(line) = event.target_dyn_into::<Element>() else { return };
        let Some(room) = room(&line, split) else { return };
        let now = if is_upright { room.width() } else { room.height() } as i32;
        let grows = match (event.key().as_str(), split) {
            ("ArrowRight", Split::Editor) | ("ArrowLeft", Split::Side) => STEP,
            ("ArrowLeft", Split::Editor) | ("ArrowRight", Split::Side) => -STEP,
            ("ArrowUp", Split::Terminal) => STEP,
            ("ArrowDown", Split::Terminal) => -STEP,
            _ => return,
        };
        event.prevent_default();
        tell.emit(Msg::Split(split, now + grows));
    });
    let ondblclick = dispatch.reform(move |_| match split {
        Split::Terminal => Msg::ToggleWide,
        Split::Editor => Msg::Split(split, 390),
        Split::Side => Msg::Split(split, 360),
    });
    let (least, most) = split.bounds();
    html! {
        <div class={format!("split split-{name}")} role="separator" tabindex="0"
            aria-orientation={if is_upright { "vertical" } else { "horizontal" }}
            aria-label={lang.t(label)} title={lang.t(label)} aria-valuemin={least.to_string()}
            aria-valuemax={most.to_string()} aria-valuenow={size.unwrap_or(least).to_string()}
            {onpointerdown} {onpointermove} {onkeydown} {ondblclick}></div>
    }
}

/// Where the panel of a splitter is.
fn room(line: &Element, split: Split) -> Option<web_sys::DomRect> {
    let page = line.closest(".app").ok().flatten()?;
    let panel = page.query_selector(panel(split)).ok().flatten()?;
    Some(panel.get_bounding_client_rect())
}
