//! The line of the terminal that one types on, with the keys of a shell.

use super::Dispatch;
use crate::session::Msg;
use crate::session::line::{Key, Line, byte_at, unit_at};
use crate::text::{Lang, Text};
use web_sys::{ClipboardEvent, HtmlInputElement, InputEvent, KeyboardEvent, SubmitEvent};
use yew::{
    Callback, Event, Html, NodeRef, Properties, TargetCast, function_component, html, use_context,
    use_effect_with,
};

#[derive(Properties, PartialEq)]
pub(super) struct PromptProps {
    pub(super) lang: Lang,
    pub(super) prompt: String,
    pub(super) input: String,
    /// Where the cursor is to be, with a number that changes when it is put there.
    pub(super) caret: (u32, u32),
    pub(super) field: NodeRef,
}

/// The line.
#[function_component]
pub(super) fn Prompt(props: &PromptProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let oninput = dispatch.reform(|event: InputEvent| {
        let field = event.target_dyn_into::<HtmlInputElement>();
        Msg::Type(field.map(|field| field.value()).unwrap_or_default())
    });
    let tell = dispatch.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| strike(&event, &tell));
    let tell = dispatch.clone();
    let onpaste = Callback::from(move |event: Event| paste(&event, &tell));
    let onsubmit = Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        dispatch.emit(Msg::Enter);
    });
    let field = props.field.clone();
    use_effect_with(props.caret, move |(at, count)| {
        if let (Some(field), true) = (field.cast::<HtmlInputElement>(), *count > 0) {
            put_caret(&field, *at);
        }
    });
    html! {
        <form {onsubmit}>
            <span class="prompt" aria-hidden="true">{ props.prompt.clone() }</span>
            <input ref={props.field.clone()} aria-label={props.lang.t(Text::TerminalInput)}
                aria-describedby="terminal-help" autocomplete="off" autocapitalize="off"
                autocorrect="off" spellcheck="false" enterkeyhint="send"
                value={props.input.clone()} {oninput} {onkeydown} {onpaste} />
            <span class="unseen" id="terminal-help">{ props.lang.t(Text::TerminalHelp) }</span>
        </form>
    }
}

fn put_caret(field: &HtmlInputElement, units: u32) {
    // A text field takes any place; one past its end is its end.
    let _set = field.set_selection_range(units, units);
    // A place beyond the edge is brought into sight.
    field.set_scroll_left(field.scroll_width());
}

/// The text and the cursor, in bytes.
fn line(field: &HtmlInputElement) -> Line {
    let text = field.value();
    let units = field.selection_start().ok().flatten();
    let cursor = units.map_or(text.len(), |units| byte_at(&text, units));
    Line { text, cursor }
}

/// What a key means, if it is not text. Tab completes only what has been begun, so that the
/// keyboard is never caught on an empty line.
fn strike(event: &KeyboardEvent, tell: &Dispatch) {
    let Some(field) = event.target_dyn_into::<HtmlInputElement>() else { return };
    let line = line(&field);
    let has_selection = field.selection_start().ok() != field.selection_end().ok();
    let msg = match (event.key().as_str(), event.ctrl_key(), event.alt_key()) {
        ("Tab", false, _) if !event.shift_key() && !line.text.is_empty() => {
            Msg::Complete(line.cursor)
        }
        ("ArrowUp", false, _) | ("p", true, _) => Msg::Recall(-1),
        ("ArrowDown", false, _) | ("n", true, _) => Msg::Recall(1),
        ("c", true, _) if !has_selection => Msg::Interrupt,
        ("d", true, _) if line.text.is_empty() => Msg::EndInput,
        ("l", true, _) => Msg::Clear,
        ("r", true, _) => Msg::Search,
        (key, ctrl, alt) => {
            let Some(key) = key_of(key, ctrl, alt) else { return };
            event.prevent_default();
            let after = line.after(key);
            field.set_value(&after.text);
            put_caret(&field, unit_at(&after.text, after.cursor));
            if after.text != line.text {
                tell.emit(Msg::Type(after.text));
            }
            return;
        }
    };
    event.prevent_default();
    tell.emit(msg);
}

fn key_of(key: &str, ctrl: bool, alt: bool) -> Option<Key> {
    Some(match (key, ctrl, alt) {
        ("a", true, false) => Key::Start,
        ("e", true, false) => Key::End,
        ("u", true, false) => Key::CutBefore,
        ("k", true, false) => Key::CutBehind,
        ("w", true, false) => Key::CutWord,
        ("b", false, true) => Key::WordBack,
        ("f", false, true) => Key::WordOn,
        _ => return None,
    })
}

/// Several lines are entered one after the other; what is on one line is the browser's own affair.
fn paste(event: &Event, tell: &Dispatch) {
    let Some(field) = event.target_dyn_into::<HtmlInputElement>() else { return };
    let event: &ClipboardEvent = wasm_bindgen::JsCast::unchecked_ref(event);
    let text = event.clipboard_data().and_then(|data| data.get_data("text/plain").ok());
    if let Some(text) = text.filter(|text| text.contains('\n')) {
        event.prevent_default();
        tell.emit(Msg::Paste { text, cursor: line(&field).cursor });
    }
}
