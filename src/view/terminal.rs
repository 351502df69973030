//! The terminal: a log that screen readers follow, and a line to type on.

use super::Dispatch;
use crate::session::{Entry, Msg};
use crate::text::{Lang, Text};
use std::rc::Rc;
use web_sys::{Element, HtmlInputElement, InputEvent, KeyboardEvent, SubmitEvent};
use yew::{
    Callback, Html, NodeRef, Properties, TargetCast, function_component, html, use_context,
    use_effect_with, use_node_ref,
};

#[derive(Properties, PartialEq)]
pub(super) struct ConsoleProps {
    pub(super) lang: Lang,
    pub(super) entries: Vec<Rc<Entry>>,
    pub(super) input: String,
    pub(super) offers: Vec<String>,
    /// Whether a command goes on until it is interrupted.
    pub(super) is_watching: bool,
}

/// The terminal.
#[function_component]
pub(super) fn Console(props: &ConsoleProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let ConsoleProps { lang, entries, input, offers, is_watching } = props;
    let lang = *lang;
    let log = use_node_ref();
    let field = use_node_ref();
    let last = entries.last().map(|entry| (entry.number, entry.stdout.len()));
    let place = log.clone();
    use_effect_with(last, move |_| {
        if let Some(log) = place.cast::<Element>() {
            log.set_scroll_top(log.scroll_height());
        }
    });
    let focus = field.clone();
    let onclick = Callback::from(move |_| focus_unless_selecting(&focus));
    html! {
        <section class="panel terminal" id="panel-terminal" aria-label={lang.t(Text::TabTerminal)}>
            <div class="log" ref={log} role="log" aria-label={lang.t(Text::TerminalLabel)} tabindex="0" {onclick}>
                <p class="hint">{ lang.t(Text::TerminalWelcome) }</p>
                { for entries.iter().map(|entry| html! { <Line key={entry.number} entry={entry.clone()} /> }) }
            </div>
            if !offers.is_empty() {
                <div class="offers" aria-live="polite">
                    { for offers.iter().map(|offer| html! { <span>{ offer.clone() }</span> }) }
                </div>
            }
            if *is_watching {
                <div class="running">
                    <span>{ lang.t(Text::TerminalRunning) }</span>
                    <button onclick={dispatch.reform(|_| Msg::Interrupt)}>{ "Ctrl-C" }</button>
                </div>
            }
            <Prompt {lang} input={input.clone()} {field} />
        </section>
    }
}

/// Puts the cursor on the line, unless text is being selected to be copied.
fn focus_unless_selecting(field: &NodeRef) {
    let selection = gloo::utils::window().get_selection().ok().flatten();
    if selection.is_some_and(|selection| !selection.is_collapsed()) {
        return;
    }
    if let Some(field) = field.cast::<HtmlInputElement>() {
        // Focus cannot fail for a field that is on the page.
        let _focused = field.focus();
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    entry: Rc<Entry>,
}

/// A command with its output.
#[function_component]
fn Line(props: &LineProps) -> Html {
    let entry = &props.entry;
    html! {
        <div class="entry">
            <div class="line"><span class="prompt">{ "$ " }</span>{ entry.line.clone() }</div>
            if !entry.stdout.is_empty() {
                <pre>{ entry.stdout.clone() }</pre>
            }
            if !entry.stderr.is_empty() {
                <pre class="err">{ entry.stderr.clone() }</pre>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct PromptProps {
    lang: Lang,
    input: String,
    field: NodeRef,
}

/// The line to type on.
#[function_component]
fn Prompt(props: &PromptProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let oninput = dispatch.reform(|event: InputEvent| {
        let field = event.target_dyn_into::<HtmlInputElement>();
        Msg::Type(field.map(|field| field.value()).unwrap_or_default())
    });
    let tell = dispatch.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if let Some(msg) = meaning(&event) {
            event.prevent_default();
            tell.emit(msg);
        }
    });
    let onsubmit = Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        dispatch.emit(Msg::Enter);
    });
    html! {
        <form {onsubmit}>
            <span class="prompt" aria-hidden="true">{ "$" }</span>
            <input ref={props.field.clone()} aria-label={props.lang.t(Text::TerminalInput)}
                aria-describedby="terminal-help" autocomplete="off" autocapitalize="off"
                autocorrect="off" spellcheck="false" enterkeyhint="send"
                value={props.input.clone()} {oninput} {onkeydown} />
            <span class="unseen" id="terminal-help">{ props.lang.t(Text::TerminalHelp) }</span>
        </form>
    }
}

/// What a key means on the line, if it is not text. Tab completes only what has been begun, so
/// that the keyboard is never caught on an empty line.
fn meaning(event: &KeyboardEvent) -> Option<Msg> {
    let field = event.target_dyn_into::<HtmlInputElement>()?;
    let has_selection = field.selection_start().ok()? != field.selection_end().ok()?;
    match (event.key().as_str(), event.ctrl_key()) {
        ("Tab", false) if !event.shift_key() && !field.value().is_empty() => Some(Msg::Complete),
        ("ArrowUp", false) => Some(Msg::Recall(-1)),
        ("ArrowDown", false) => Some(Msg::Recall(1)),
        ("c", true) if !has_selection => Some(Msg::Interrupt),
        ("l", true) => Some(Msg::Clear),
        _ => None,
    }
}
