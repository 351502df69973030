//! The manifests: a plain text field at once, CodeMirror in its place when it has come.

use super::Dispatch;
use super::bridge::{EditorHandle, EditorModule, load_descriptions, load_editor};
use super::difference::differences;
use super::faults::{FaultCount, Faults, counted, fix, place};
use super::icon::{Icon, Picture};
use super::shared::Shared;
use crate::manifest::descriptions;
use crate::present::difference::Difference;
use crate::session::{Applied, Compare, Fault, Msg, assist};
use crate::text::{Lang, Text};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlTextAreaElement, InputEvent};
use yew::{
    Callback, Html, NodeRef, Properties, TargetCast, UseStateHandle, function_component, hook,
    html, use_context, use_effect_with, use_node_ref, use_state,
};

/// What the editor shows.
#[derive(Clone, PartialEq)]
pub(super) struct Page {
    /// What is edited: a sample's name, or that of an object.
    pub(super) key: Rc<str>,
    pub(super) text: Rc<str>,
    /// Whether it is an object of `kubectl edit`.
    pub(super) is_editing: bool,
    pub(super) faults: Rc<[Fault]>,
    pub(super) applied: Applied,
    /// The line to go to, with a number that changes when it is asked for again.
    pub(super) go_to: (u32, u32),
    /// How many fields the API server added.
    pub(super) added: usize,
    /// The difference that is shown instead of the text.
    pub(super) compare: Option<(Compare, Shared<Vec<Difference>>)>,
    /// Whether the text is one that was left before.
    pub(super) is_kept: bool,
    /// Whether it is too large to be checked while it is written.
    pub(super) is_large: bool,
}

#[derive(Properties, PartialEq)]
pub(super) struct EditorProps {
    pub(super) lang: Lang,
    pub(super) page: Page,
}

/// The editor with its buttons.
#[function_component]
pub(super) fn Editor(props: &EditorProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let EditorProps { lang, page } = props;
    let lang = *lang;
    let host = use_node_ref();
    let handle = use_editor(&host, lang, page);
    let is_hidden = page.compare.is_some();
    html! {
        <section class="panel editor" id="panel-editor" aria-label={lang.t(Text::TabEditor)}>
            if page.is_editing {
                <p class="editing">{ lang.fill(Text::EditNote, &[("name", &page.key)]) }</p>
            } else if page.is_kept {
                <p class="kept">{ lang.t(Text::KeptNote) }{ " " }
                    <button class="link" onclick={dispatch.reform(|_| Msg::OwnText)}>{ lang.t(Text::KeptOwn) }</button>
                </p>
            }
            if let Some((which, all)) = &page.compare {
                { differences(lang, *which, all, &dispatch) }
            }
            <div class="editor-host" ref={host} hidden={is_hidden}></div>
            if handle.is_none() && !is_hidden {
                <PlainText {lang} text={page.text.clone()} />
            }
            <p class="unseen" id="editor-help">{ lang.t(Text::EditorHelp) }</p>
            if !page.faults.is_empty() && handle.is_none() {
                <Faults {lang} faults={page.faults.clone()} />
            } else if !page.faults.is_empty() {
                <FaultCount {lang} faults={page.faults.clone()} />
            }
            if page.is_editing {
                { edit_buttons(lang, &dispatch) }
            } else {
                { buttons(lang, page, &dispatch) }
            }
        </section>
    }
}

/// CodeMirror in its place, kept up to date with what is shown; none until it has come.
#[hook]
fn use_editor(host: &NodeRef, lang: Lang, page: &Page) -> UseStateHandle<Option<Rc<Attached>>> {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let handle: UseStateHandle<Option<Rc<Attached>>> = use_state(|| None);
    let (place, when_ready, tell) = (host.clone(), handle.clone(), dispatch);
    let (key, text) = (page.key.clone(), page.text.clone());
    use_effect_with((), move |()| {
        spawn_local(async move {
            let Ok(module) = load_editor().await else { return };
            let Some(place) = place.cast::<HtmlElement>() else { return };
            let (module, label) = (module.unchecked_into(), lang.t(Text::EditorLabel));
            let attached = Attached::new(&module, &place, (&key, &text), label, tell);
            when_ready.set(Some(Rc::new(attached)));
        });
        spawn_local(async {
            if let Some(text) = load_descriptions().await.ok().and_then(|text| text.as_string())
                && !text.is_empty()
            {
                descriptions::provide(&text);
            }
        });
    });
    let shown = (page.key.clone(), page.text.clone());
    use_effect_with((handle.clone(), shown), |(handle, (key, text))| {
        if let Some(attached) = handle.as_ref() {
            attached.editor.show(key, text);
        }
    });
    use_effect_with((handle.clone(), lang), |(handle, lang)| {
        if let Some(attached) = handle.as_ref() {
            attached.editor.set_label(lang.t(Text::EditorLabel));
        }
    });
    let told = (page.faults.clone(), page.key.clone());
    use_effect_with((handle.clone(), told, lang), |(handle, (faults, _), lang)| {
        if let Some(attached) = handle.as_ref() {
            attached.editor.set_faults(&listed(faults, *lang));
        }
    });
    use_effect_with((handle.clone(), page.go_to), |(handle, (line, _))| {
        if let Some(attached) = handle.as_ref().filter(|_| *line > 0) {
            attached.editor.go_to(*line);
        }
    });
    handle
}

/// The buttons below the manifests.
fn buttons(lang: Lang, page: &Page, dispatch: &Dispatch) -> Html {
    let is_applied = matches!(page.applied, Applied::All { .. } | Applied::Some { .. });
    let added = match page.added {
        1 => lang.t(Text::CompareAddedOne).to_owned(),
        count => lang.fill(Text::CompareAddedMany, &[("count", &count)]),
    };
    html! {
        <footer class="actions">
            <button class="primary" onclick={dispatch.reform(|_| Msg::Apply)}>
                { lang.t(Text::Apply) } <kbd>{ "Ctrl ⏎" }</kbd>
            </button>
            <button class="quiet" title={lang.t(Text::CompareDiffHint)}
                onclick={dispatch.reform(|_| Msg::Compare(Some(Compare::Change)))}>
                <Picture icon={Icon::Compare} />{ lang.t(Text::CompareDiff) }
            </button>
            <button class="quiet reset" title={lang.t(Text::ResetHint)} onclick={dispatch.reform(|_| Msg::Reset)}>
                <Picture icon={Icon::Reset} />{ lang.t(Text::Reset) }
            </button>
            <div class="result">
                { status(lang, page) }
                if is_applied && page.added > 0 {
                    <button class="link" onclick={dispatch.reform(|_| Msg::Compare(Some(Compare::Added)))}>
                        { added }
                    </button>
                }
            </div>
        </footer>
    }
}

/// The buttons below an object that is edited.
fn edit_buttons(lang: Lang, dispatch: &Dispatch) -> Html {
    html! {
        <footer class="actions">
            <button class="primary" onclick={dispatch.reform(|_| Msg::Apply)}>
                { lang.t(Text::EditSave) } <kbd>{ "Ctrl ⏎" }</kbd>
            </button>
            <button class="quiet" onclick={dispatch.reform(|_| Msg::CancelEdit)}>{ lang.t(Text::EditCancel) }</button>
        </footer>
    }
}

/// What became of the manifests.
fn status(lang: Lang, page: &Page) -> Html {
    let applied = |count: u32| match count {
        0 => lang.t(Text::AppliedNone).to_owned(),
        1 => lang.t(Text::AppliedCount).to_owned(),
        count => lang.fill(Text::AppliedAll, &[("count", &count)]),
    };
    let faults = counted(lang, &page.faults);
    let (text, good, bad) = match page.applied {
        Applied::No if page.is_large => (lang.t(Text::EditorLarge).to_owned(), None, None),
        Applied::No => (String::new(), None, None),
        Applied::All { count, .. } => (applied(count), Some(""), None),
        Applied::Some { count } => (format!("{faults}, {}", applied(count)), None, Some("")),
    };
    html! {
        <span class="status" role="status" data-good={good} data-bad={bad}>{ text }</span>
    }
}

/// The faults as the editor's module takes them.
fn listed(faults: &[Fault], lang: Lang) -> String {
    let list = faults.iter().enumerate().map(|(number, fault)| {
        let severity = if fault.is_warning { "warning" } else { "error" };
        let (fix, hint) = fix(lang, fault).unzip();
        serde_json::json!({
            "number": number, "line": fault.line, "from": fault.from, "to": fault.to,
            "severity": severity, "where": place(lang, fault), "path": fault.path,
            "explanation": fault.explain(lang), "words": fault.words, "fix": fix, "hint": hint,
        })
    });
    serde_json::Value::from_iter(list).to_string()
}

/// An editor with the functions that it calls, which must live as long as it does.
struct Attached {
    editor: EditorHandle,
    _change: Closure<dyn Fn(String)>,
    _apply: Closure<dyn Fn()>,
    _fix: Closure<dyn Fn(u32)>,
    _complete: Closure<dyn Fn(String, u32) -> JsValue>,
    _hover: Closure<dyn Fn(String, u32) -> JsValue>,
}

impl Attached {
    fn new(
        module: &EditorModule,
        host: &HtmlElement,
        (key, text): (&str, &str),
        label: &str,
        tell: Dispatch,
    ) -> Self {
        let told = tell.clone();
        let change =
            Closure::<dyn Fn(String)>::new(move |text: String| told.emit(Msg::Edit(text.into())));
        let asked = tell.clone();
        let apply = Closure::<dyn Fn()>::new(move || asked.emit(Msg::Apply));
        let fix = Closure::<dyn Fn(u32)>::new(move |at: u32| tell.emit(Msg::Fix(at as usize)));
        let complete = Closure::<dyn Fn(String, u32) -> JsValue>::new(|text: String, offset| {
            assist::complete(&text, offset).map_or(JsValue::NULL, JsValue::from)
        });
        let hover = Closure::<dyn Fn(String, u32) -> JsValue>::new(|text: String, offset| {
            assist::hover(&text, offset).map_or(JsValue::NULL, JsValue::from)
        });
        let page = js_sys::Object::new();
        let fields = [
            ("label", &JsValue::from_str(label)),
            ("describedBy", &JsValue::from_str("editor-help")),
            ("change", change.as_ref()),
            ("apply", apply.as_ref()),
            ("fix", fix.as_ref()),
            ("complete", complete.as_ref()),
            ("hover", hover.as_ref()),
        ];
        for (name, value) in fields {
            // Setting a field of a new, plain object cannot fail.
            let _set = js_sys::Reflect::set(&page, &name.into(), value);
        }
        let editor = module.create(host, key, text, &page);
        let (_change, _apply, _fix) = (change, apply, fix);
        Attached { editor, _change, _apply, _fix, _complete: complete, _hover: hover }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.editor.destroy();
    }
}

impl PartialEq for Attached {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

#[derive(Properties, PartialEq)]
struct PlainTextProps {
    lang: Lang,
    text: Rc<str>,
}

/// The field that stands in until the editor has come, and for good if it never does.
#[function_component]
fn PlainText(props: &PlainTextProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let oninput = Callback::from(move |event: InputEvent| {
        if let Some(field) = event.target_dyn_into::<HtmlTextAreaElement>() {
            dispatch.emit(Msg::Edit(field.value().into()));
        }
    });
    html! {
        <textarea class="plain" aria-label={props.lang.t(Text::EditorLabel)} spellcheck="false" autocomplete="off"
            value={props.text.to_string()} {oninput} />
    }
}
