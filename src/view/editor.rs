//! The manifests: a plain text field at once, CodeMirror in its place when it has come.

use super::Dispatch;
use super::bridge::{EditorHandle, EditorModule, load_descriptions, load_editor};
use super::faults::Faults;
use super::icon::{Icon, Picture};
use crate::manifest::descriptions;
use crate::session::{Applied, Fault, Msg, assist};
use crate::text::{Lang, Text};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlTextAreaElement, InputEvent};
use yew::{
    Callback, Html, Properties, TargetCast, UseStateHandle, function_component, html, use_context,
    use_effect_with, use_node_ref, use_state,
};

#[derive(Properties, PartialEq)]
pub(super) struct EditorProps {
    pub(super) lang: Lang,
    pub(super) text: Rc<str>,
    pub(super) faults: Rc<[Fault]>,
    pub(super) applied: Applied,
    /// The line to go to, with a number that changes when it is asked for again.
    pub(super) go_to: (u32, u32),
}

/// The editor with its buttons.
#[function_component]
pub(super) fn Editor(props: &EditorProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let lang = props.lang;
    let host = use_node_ref();
    let handle: UseStateHandle<Option<Rc<Attached>>> = use_state(|| None);

    let (place, when_ready, text, tell) =
        (host.clone(), handle.clone(), props.text.clone(), dispatch.clone());
    use_effect_with((), move |()| {
        spawn_local(async move {
            let Ok(module) = load_editor().await else { return };
            let Some(place) = place.cast::<HtmlElement>() else { return };
            let label = lang.t(Text::EditorLabel);
            when_ready.set(Some(Rc::new(Attached::new(
                &module.unchecked_into(),
                &place,
                &text,
                label,
                tell,
            ))));
        });
        spawn_local(async {
            if let Some(text) = load_descriptions().await.ok().and_then(|text| text.as_string())
                && !text.is_empty()
            {
                descriptions::provide(&text);
            }
        });
    });
    use_effect_with((handle.clone(), props.text.clone()), |(handle, text)| {
        if let Some(attached) = handle.as_ref() {
            attached.editor.set_text(text);
        }
    });
    use_effect_with((handle.clone(), lang), |(handle, lang)| {
        if let Some(attached) = handle.as_ref() {
            attached.editor.set_label(lang.t(Text::EditorLabel));
        }
    });

    use_effect_with((handle.clone(), props.faults.clone(), lang), |(handle, faults, lang)| {
        if let Some(attached) = handle.as_ref() {
            attached.editor.set_diagnostics(&diagnostics(faults, *lang));
        }
    });
    use_effect_with((handle.clone(), props.go_to), |(handle, (line, _))| {
        if let Some(attached) = handle.as_ref().filter(|_| *line > 0) {
            attached.editor.go_to(*line);
        }
    });

    html! {
        <section class="panel editor" id="panel-editor" aria-label={lang.t(Text::TabEditor)}>
            <div class="editor-host" ref={host}></div>
            if handle.is_none() {
                <PlainText {lang} text={props.text.clone()} />
            }
            <p class="unseen" id="editor-help">{ lang.t(Text::EditorHelp) }</p>
            if !props.faults.is_empty() {
                <Faults {lang} faults={props.faults.clone()} />
            }
            <footer class="actions">
                <button class="primary" onclick={dispatch.reform(|_| Msg::Apply)}>
                    { lang.t(Text::Apply) } <kbd>{ "Ctrl ⏎" }</kbd>
                </button>
                <button class="quiet" title={lang.t(Text::ResetHint)} onclick={dispatch.reform(|_| Msg::Reset)}>
                    <Picture icon={Icon::Reset} />{ lang.t(Text::Reset) }
                </button>
                { status(lang, props.applied, props.faults.len()) }
            </footer>
        </section>
    }
}

/// What became of the manifests.
fn status(lang: Lang, applied: Applied, faults: usize) -> Html {
    let (text, good, bad) = match applied {
        Applied::No if faults == 0 => (String::new(), None, None),
        Applied::No if faults == 1 => (lang.t(Text::DiagnosticsOne).to_owned(), None, Some("")),
        Applied::No => (lang.fill(Text::DiagnosticsMany, &[("count", &faults)]), None, Some("")),
        Applied::All { count: 1, .. } => {
            (lang.fill(Text::AppliedCount, &[("count", &1)]), Some(""), None)
        }
        Applied::All { count, .. } => {
            (lang.fill(Text::AppliedAll, &[("count", &count)]), Some(""), None)
        }
        Applied::Some { count } => {
            let values: [(&str, &dyn core::fmt::Display); 2] =
                [("faults", &faults), ("count", &count)];
            (lang.fill(Text::AppliedSome, &values), None, Some(""))
        }
    };
    html! { <span class="status" role="status" data-good={good} data-bad={bad}>{ text }</span> }
}

/// The faults as the editor's module takes them.
fn diagnostics(faults: &[Fault], lang: Lang) -> String {
    let list = faults.iter().map(|fault| {
        let severity = if fault.is_warning { "warning" } else { "error" };
        let message = format!("{}\n{}", fault.explain(lang), fault.words);
        serde_json::json!({
            "line": fault.line, "from": fault.from, "to": fault.to,
            "severity": severity, "message": message,
        })
    });
    serde_json::Value::from_iter(list).to_string()
}

/// An editor with the functions that it calls, which must live as long as it does.
struct Attached {
    editor: EditorHandle,
    _change: Closure<dyn Fn(String)>,
    _apply: Closure<dyn Fn()>,
    _complete: Closure<dyn Fn(String, u32) -> JsValue>,
    _hover: Closure<dyn Fn(String, u32) -> JsValue>,
}

impl Attached {
    fn new(
        module: &EditorModule,
        host: &HtmlElement,
        text: &str,
        label: &str,
        tell: Dispatch,
    ) -> Self {
        let told = tell.clone();
        let change =
            Closure::<dyn Fn(String)>::new(move |text: String| told.emit(Msg::Edit(text.into())));
        let asked = tell.clone();
        let apply = Closure::<dyn Fn()>::new(move || asked.emit(Msg::Apply));
        let complete = Closure::<dyn Fn(String, u32) -> JsValue>::new(|text: String, offset| {
            assist::complete(&text, offset).map_or(JsValue::NULL, JsValue::from)
        });
        let hover = Closure::<dyn Fn(String, u32) -> JsValue>::new(|text: String, offset| {
            assist::hover(&text, offset).map_or(JsValue::NULL, JsValue::from)
        });
        let page = js_sys::Object::new();
        let fields = [
            ("label", &JsValue::from_str(label)),
            ("change", change.as_ref()),
            ("apply", apply.as_ref()),
            ("complete", complete.as_ref()),
            ("hover", hover.as_ref()),
        ];
        for (name, value) in fields {
            // Setting a field of a new, plain object cannot fail.
            let _set = js_sys::Reflect::set(&page, &name.into(), value);
        }
        let editor = module.create(host, text, &page);
        Attached { editor, _change: change, _apply: apply, _complete: complete, _hover: hover }
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
        <textarea class="plain" aria-label={props.lang.t(Text::EditorLabel)} spellcheck="false"
            value={props.text.to_string()} {oninput} />
    }
}
