//! The terminal: a log of commands, and a line to type on.

use super::Dispatch;
use super::icon::{Icon, Picture};
use super::prompt::Prompt;
use crate::console::Stream;
use crate::present::printed::{self, Role, spans};
use crate::session::{Entry, Msg};
use crate::text::{Lang, Text};
use std::rc::Rc;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};
use yew::{
    Callback, Html, NodeRef, Properties, TargetCast, function_component, html, use_context,
    use_effect_with, use_node_ref,
};

/// What the terminal shows.
#[derive(Clone, PartialEq)]
pub(super) struct Screen {
    pub(super) entries: Vec<Rc<Entry>>,
    pub(super) prompt: String,
    pub(super) input: String,
    pub(super) caret: (u32, u32),
    pub(super) offers: Vec<String>,
    /// Lines that were typed ahead.
    pub(super) queue: Vec<String>,
    /// Whether a command has the prompt.
    pub(super) is_busy: bool,
    pub(super) is_wide: bool,
}

#[derive(Properties, PartialEq)]
pub(super) struct ConsoleProps {
    pub(super) lang: Lang,
    pub(super) screen: Screen,
}

/// The terminal.
#[function_component]
pub(super) fn Console(props: &ConsoleProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let ConsoleProps { lang, screen } = props;
    let lang = *lang;
    let (log, field) = (use_node_ref(), use_node_ref());
    use_bottom(&log, screen);
    let focus = field.clone();
    let tell = dispatch.clone();
    let onclick = Callback::from(move |event: MouseEvent| click(&event, &focus, &tell));
    let focus = field.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| type_on(&event, &focus));
    let (wide, icon) = match screen.is_wide {
        true => (Text::TerminalNarrow, Icon::Shrink),
        false => (Text::TerminalWide, Icon::Grow),
    };
    html! {
        <section class="panel terminal" id="panel-terminal" aria-label={lang.t(Text::TabTerminal)}>
            <button class="wide" title={lang.t(wide)} aria-label={lang.t(wide)}
                onclick={dispatch.reform(|_| Msg::ToggleWide)}><Picture {icon} /></button>
            <div class="log" ref={log} role="log" aria-live="off" aria-label={lang.t(Text::TerminalLabel)}
                tabindex="0" {onclick} {onkeydown}>
                <p class="hint">{ lang.t(Text::TerminalWelcome) }</p>
                { for screen.entries.iter().map(|entry| html! {
                    <Line key={entry.number} {lang} entry={entry.clone()} />
                }) }
                { for screen.queue.iter().map(|line| html! { <p class="ahead">{ line.clone() }</p> }) }
            </div>
            <p class="unseen" role="status">{ spoken(lang, screen) }</p>
            if !screen.offers.is_empty() {
                <div class="offers">
                    { for screen.offers.iter().map(|offer| html! { <span>{ offer.clone() }</span> }) }
                </div>
            }
            if screen.is_busy {
                <div class="running">
                    <span>{ lang.t(Text::TerminalRunning) }</span>
                    <button onclick={dispatch.reform(|_| Msg::Interrupt)}>{ "Ctrl-C" }</button>
                </div>
            }
            <Prompt {lang} prompt={screen.prompt.clone()} input={screen.input.clone()}
                caret={screen.caret} {field} />
        </section>
    }
}

/// Keeps the end of the log in sight, whatever it or what stands below it does.
#[yew::hook]
fn use_bottom(log: &NodeRef, screen: &Screen) {
    let size = |entry: &Rc<Entry>| entry.pieces.iter().map(|(_, text)| text.len()).sum::<usize>();
    let last = screen.entries.last().map(|entry| (entry.number, size(entry)));
    let below = (screen.offers.len(), screen.is_busy, screen.queue.len());
    let place = log.clone();
    use_effect_with((last, below), move |_| {
        if let Some(log) = place.cast::<Element>() {
            log.set_scroll_top(log.scroll_height());
        }
    });
}

/// What a screen reader says: how many words could stand there, or how the last output begins.
fn spoken(lang: Lang, screen: &Screen) -> String {
    /// So many letters are read out; the log has the rest.
    const MOST: usize = 200;
    if !screen.offers.is_empty() {
        return lang.fill(Text::TerminalOffers, &[("count", &screen.offers.len())]);
    }
    let Some(last) = screen.entries.last() else { return String::new() };
    let text: String = last.pieces.iter().map(|(_, text)| text.as_str()).collect();
    text.chars().take(MOST).collect()
}

/// Goes to the object of a name, or puts the cursor on the line unless text is being selected to
/// be copied.
fn click(event: &MouseEvent, field: &NodeRef, tell: &Dispatch) {
    let selection = gloo::utils::window().get_selection().ok().flatten();
    if selection.is_some_and(|selection| !selection.is_collapsed()) {
        return;
    }
    let target = event.target_dyn_into::<HtmlElement>();
    let name = target.filter(|target| target.class_list().contains("name"));
    let entry = name.as_ref().and_then(|name| name.closest(".entry").ok().flatten());
    let number = entry.and_then(|entry| entry.get_attribute("data-number")?.parse().ok());
    if let (Some(name), Some(entry)) = (name.and_then(|name| name.text_content()), number) {
        tell.emit(Msg::Look { name, entry });
        return;
    }
    focus(field);
}

fn focus(field: &NodeRef) {
    if let Some(field) = field.cast::<HtmlInputElement>() {
        // Focus cannot fail for a field that is on the page.
        let _focused = field.focus();
    }
}

/// A letter that is typed over the log belongs on the line.
fn type_on(event: &KeyboardEvent, field: &NodeRef) {
    let is_letter = event.key().chars().count() == 1;
    if is_letter && !event.ctrl_key() && !event.meta_key() && !event.alt_key() {
        focus(field);
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    lang: Lang,
    entry: Rc<Entry>,
}

/// A command with its output, or the beginning of a new cluster.
#[function_component]
fn Line(props: &LineProps) -> Html {
    let LineProps { lang, entry } = props;
    if entry.is_break {
        return html! {
            <div class="break" role="separator">
                <span>{ format!("{} · {}", lang.t(Text::Reverted), entry.line) }</span>
            </div>
        };
    }
    let is_table = entry.pieces.iter().any(|(_, text)| printed::is_table(text));
    html! {
        <div class="entry" data-number={entry.number.to_string()}>
            <div class="line"><span class="prompt">{ entry.prompt.to_string() }</span>
                { entry.line.replace('\n', "\n> ") }</div>
            if !entry.pieces.is_empty() {
                <pre data-table={is_table.then_some("")}>{ for entry.pieces.iter().map(|(stream, text)| piece(*stream, text)) }</pre>
            }
        </div>
    }
}

fn piece(stream: Stream, text: &str) -> Html {
    if stream == Stream::Err {
        return html! { <span class="err">{ text.to_owned() }</span> };
    }
    let span = |span: printed::Span<'_>| match span.role {
        Role::Plain => html! { { span.text.to_owned() } },
        role => html! { <span class={class(role)}>{ span.text.to_owned() }</span> },
    };
    html! { { for spans(text).into_iter().map(span) } }
}

const fn class(role: Role) -> &'static str {
    match role {
        Role::Plain => "",
        Role::Name => "name",
        Role::Good => "good",
        Role::Waiting => "waiting",
        Role::Bad => "bad",
    }
}
