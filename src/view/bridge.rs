//! What is asked of the browser in JavaScript: what is fetched once the map is up, a canvas, and the
//! editor, as Rust sees them.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::{Element, HtmlElement};

#[wasm_bindgen(module = "/static/bridge.js")]
extern "C" {
    /// Fetches the editor's module.
    #[wasm_bindgen(js_name = loadEditor, catch)]
    pub(super) async fn load_editor() -> Result<JsValue, JsValue>;

    /// Puts pixels (red, green, blue, opacity; row by row) on a canvas of just that size.
    #[wasm_bindgen(js_name = paintPixels)]
    pub(super) fn paint_pixels(canvas: &Element, width: u32, height: u32, pixels: &[u8]);

    /// The colour that the styles give a name, as 0xRRGGBB.
    #[wasm_bindgen(js_name = colourOf)]
    pub(super) fn colour_of(name: &str) -> u32;

    /// Remembers what this module exports, for the annex to build on.
    #[wasm_bindgen(js_name = keepModel)]
    fn keep_model(exports: &JsValue);

    /// Fetches the annex; resolves when it is there.
    #[wasm_bindgen(js_name = loadAnnex)]
    async fn load_annex();

    /// Brings the annex before it returns. The stubs that scripts/split-model.mjs puts in the place
    /// of the annex' functions call it; `complete_model` does so that it is imported at all.
    #[wasm_bindgen(js_name = needAnnex)]
    fn need_annex();

    /// Fetches the descriptions of the API's fields.
    #[wasm_bindgen(js_name = loadDescriptions, catch)]
    pub(super) async fn load_descriptions() -> Result<JsValue, JsValue>;

    /// A text, deflated, in letters that an address may hold.
    #[wasm_bindgen(catch)]
    pub(super) async fn pack(text: &str) -> Result<JsValue, JsValue>;

    /// What `pack` made, as text again, of `most` bytes at most.
    #[wasm_bindgen(catch)]
    pub(super) async fn unpack(packed: &str, most: u32) -> Result<JsValue, JsValue>;

    /// Asks before the page is left, or not.
    pub(super) fn guard(on: bool);
}

/// Makes this module known to the annex. Before anything else.
pub(super) fn open_to_annex() {
    keep_model(&wasm_bindgen::exports());
}

/// Fetches the annex, the part of this module that the first view does without
/// (scripts/split-model.mjs). The map must be up.
pub(super) async fn complete_model() {
    load_annex().await;
    need_annex();
}

#[wasm_bindgen]
extern "C" {
    /// The editor's module.
    pub(super) type EditorModule;

    /// Puts an editor into `host`, which shows the text of a key; `page` holds what it tells and
    /// asks the page.
    #[wasm_bindgen(method)]
    pub(super) fn create(
        this: &EditorModule,
        host: &HtmlElement,
        key: &str,
        text: &str,
        page: &js_sys::Object,
    ) -> EditorHandle;

    /// An editor on the page.
    #[derive(Clone)]
    pub(super) type EditorHandle;

    /// Shows the text of a key, with its own history.
    #[wasm_bindgen(method)]
    pub(super) fn show(this: &EditorHandle, key: &str, text: &str);

    /// Shows these faults, a JSON list.
    #[wasm_bindgen(method, js_name = setFaults)]
    pub(super) fn set_faults(this: &EditorHandle, list: &str);

    /// Shows a line, from 1, and puts the cursor on it.
    #[wasm_bindgen(method, js_name = goTo)]
    pub(super) fn go_to(this: &EditorHandle, line: u32);

    /// Names the editor for screen readers.
    #[wasm_bindgen(method, js_name = setLabel)]
    pub(super) fn set_label(this: &EditorHandle, label: &str);

    /// Takes it off the page.
    #[wasm_bindgen(method)]
    pub(super) fn destroy(this: &EditorHandle);
}
