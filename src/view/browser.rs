//! What the browser knows and does: the page's address, what it remembers, the clipboard.

use super::Dispatch;
use super::bridge::{guard, pack, unpack};
use crate::session::share::{MOST_BYTES, VERSION};
use crate::session::{Effect, Model, Msg, Opening, Panes, Sample, Shared, Theme};
use crate::text::{Lang, Text};
use gloo::events::{EventListener, EventListenerOptions};
use gloo::storage::{LocalStorage, Storage};
use gloo::utils::{document, window};
use wasm_bindgen::JsCast as _;

const THEME: &str = "theme";
const PANES: &str = "panes";

/// The model the page opens with: language, theme and sample from the address and the browser.
pub(super) fn opening_model() -> Model {
    let address = window().location().search().unwrap_or_default();
    let asked = web_sys::UrlSearchParams::new_with_str(&address).ok();
    let asked = |name: &str| asked.as_ref().and_then(|search| search.get(name));
    let preferred: Vec<String> = asked("lang")
        .into_iter()
        .chain(window().navigator().languages().iter().filter_map(|tag| tag.as_string()))
        .collect();
    let lang = Lang::of_tags(preferred.iter().map(String::as_str));
    let theme = match asked("theme").or_else(|| LocalStorage::get(THEME).ok()).as_deref() {
        Some("dark") => Theme::Dark,
        Some("light") => Theme::Light,
        _ if prefers("(prefers-color-scheme: dark)") => Theme::Dark,
        _ => Theme::Light,
    };
    let sample = asked("sample").and_then(|name| Sample::of_name(&name)).unwrap_or_default();
    dress(theme);
    speak(lang);
    let nodes = asked("nodes").and_then(|count| count.parse().ok());
    let embedded = asked("embed").is_some();
    let presenting = asked("present").is_some();
    let kept = Sample::ALL
        .into_iter()
        .filter_map(|one| Some((one, LocalStorage::get::<String>(text_key(one)).ok()?)))
        .collect();
    let panes = LocalStorage::get::<String>(PANES).unwrap_or_default();
    let panes = Panes::from_text(&panes);
    let clock: Option<fn() -> f64> = Some(js_sys::Date::now);
    Model::new(Opening { lang, theme, sample, embedded, presenting, nodes, kept, panes, clock })
}

fn text_key(sample: Sample) -> String {
    format!("text.{}", sample.name())
}

/// Opens what the address holds behind its `#`, if it holds something.
pub(super) fn open_shared(tell: Dispatch) {
    let address = window().location().hash().unwrap_or_default();
    let mark = format!("#{VERSION}.");
    let Some(packed) = address.strip_prefix(&mark).map(str::to_owned) else { return };
    wasm_bindgen_futures::spawn_local(async move {
        let most = u32::try_from(MOST_BYTES).unwrap_or(u32::MAX);
        let text = unpack(&packed, most).await.ok().and_then(|text| text.as_string());
        if let Some(shared) = text.as_deref().and_then(Shared::from_text) {
            tell.emit(Msg::Open(Box::new(shared)));
        }
    });
}

/// Puts the address that opens this on the clipboard.
fn share(text: String) {
    wasm_bindgen_futures::spawn_local(async move {
        let Some(packed) = pack(&text).await.ok().and_then(|packed| packed.as_string()) else {
            return;
        };
        let Ok(address) = window().location().href().and_then(|href| web_sys::Url::new(&href))
        else {
            return;
        };
        address.set_hash(&format!("{VERSION}.{packed}"));
        let _promise = window().navigator().clipboard().write_text(&address.href());
        if let Ok(history) = window().history() {
            // A framed page may not be allowed to: the address is on the clipboard all the same.
            let null = wasm_bindgen::JsValue::NULL;
            let _replaced = history.replace_state_with_url(&null, "", Some(&address.href()));
        }
    });
}

/// Alt+P, wherever the keyboard is: the map alone, for a room.
pub(super) fn on_keys(tell: Dispatch) -> EventListener {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(&document(), "keydown", options, move |event| {
        let Some(key) = event.dyn_ref::<web_sys::KeyboardEvent>() else { return };
        if key.alt_key() && key.code() == "KeyP" {
            event.prevent_default();
            tell.emit(Msg::Present(None));
        }
    })
}

/// Whether a media query holds.
pub(super) fn prefers(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|answer| answer.matches())
}

/// Scrolls as little as it takes to have an element in sight.
pub(super) fn bring_into_sight(element: &web_sys::Element) {
    let options = web_sys::ScrollIntoViewOptions::new();
    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

/// Does what the session asks for.
pub(super) fn perform(effect: Effect) {
    match effect {
        Effect::UseTheme(theme) => {
            dress(theme);
            // A browser that keeps nothing still shows the theme.
            let _kept = LocalStorage::set(THEME, theme_name(theme));
        }
        Effect::UseLang(lang) => {
            speak(lang);
            remember_lang(lang);
        }
        // A browser that keeps nothing still has the text on the page.
        Effect::Keep(sample, Some(text)) => {
            let _kept = LocalStorage::set(text_key(sample), &*text);
        }
        Effect::Keep(sample, None) => LocalStorage::delete(text_key(sample)),
        Effect::KeepPanes(panes) => {
            let _kept = LocalStorage::set(PANES, panes.to_text());
        }
        Effect::Guard(on) => guard(on),
        Effect::Share(text) => share(text),
        Effect::Copy(text) => {
            let _promise = window().navigator().clipboard().write_text(&text);
        }
    }
}

fn theme_name(theme: Theme) -> &'static str {
    match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    }
}

fn dress(theme: Theme) {
    set_root_attribute("data-theme", theme_name(theme));
}

fn speak(lang: Lang) {
    set_root_attribute("lang", lang.tag());
    // Read by static/bridge.js when there is no model left to ask.
    set_root_attribute("data-part-missing", lang.t(Text::PartMissing));
    document().set_title(lang.t(Text::AppName));
}

fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        // Both names are fixed and valid, so there is nothing that could fail.
        let _set = root.set_attribute(name, value);
    }
}

/// Puts the language into the address, so that a copied address opens in it.
fn remember_lang(lang: Lang) {
    let Ok(address) = window().location().href().and_then(|href| web_sys::Url::new(&href)) else {
        return;
    };
    address.search_params().set("lang", lang.tag());
    if let Ok(history) = window().history() {
        // A framed page may not be allowed to: then only the address lags behind.
        let _replaced =
            history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&address.href()));
    }
}
