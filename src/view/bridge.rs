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

    /// Fetches the descriptions of the API's fields.
    #[wasm_bindgen(js_name = loadDescriptions, catch)]
    pub(super) async fn load_descriptions() -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// The editor's module.
    pub(super) type EditorModule;

    /// Puts an editor into `host`; `page` holds what it tells and asks the page.
    #[wasm_bindgen(method)]
    pub(super) fn create(
        this: &EditorModule,
        host: &HtmlElement,
        text: &str,
        page: &js_sys::Object,
    ) -> EditorHandle;

    /// An editor on the page.
    #[derive(Clone)]
    pub(super) type EditorHandle;

    /// Replaces the text, unless it is the same.
    #[wasm_bindgen(method, js_name = setText)]
    pub(super) fn set_text(this: &EditorHandle, text: &str);

    /// Shows these diagnostics, a JSON list.
    #[wasm_bindgen(method, js_name = setDiagnostics)]
    pub(super) fn set_diagnostics(this: &EditorHandle, list: &str);

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
