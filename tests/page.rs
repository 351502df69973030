//! The page in a real browser: mounted, written to, clicked on. Its model runs as it does for a
//! student; only the editor is the plain field that stands in until CodeMirror has come.
#![cfg(target_arch = "wasm32")]

use diorama::view::{Mounted, mount};
use gloo::utils::document;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Element;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = "
export function press(element) { element.dispatchEvent(new MouseEvent('click', { bubbles: true })); }
export function write(field, text) {
  field.value = text;
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
}
export function strike(field, key, ctrl) {
  field.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey: ctrl, bubbles: true, cancelable: true }));
}
export function later(ms) { return new Promise((done) => setTimeout(done, ms)); }
export function submit(form) {
  form.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }));
}
")]
extern "C" {
    fn press(element: &Element);
    fn write(field: &Element, text: &str);
    fn strike(field: &Element, key: &str, ctrl: bool);
    fn submit(form: &Element);
    async fn later(ms: u32);
}

/// The page in an element of its own, gone with the test.
struct Page {
    root: Element,
    mounted: Option<Mounted>,
}

impl Page {
    /// Opens the page as on a first visit, and lets its time run quickly.
    async fn open() -> Page {
        // What another test typed is kept for whoever comes back.
        gloo::utils::window().local_storage().unwrap().unwrap().clear().unwrap();
        let root = document().create_element("div").unwrap();
        document().body().unwrap().append_child(&root).unwrap();
        let page = Page { mounted: Some(mount(root.clone())), root };
        press(&page.wait_for(".time .speed:nth-of-type(4)").await);
        page
    }

    fn all(&self, selector: &str) -> Vec<Element> {
        let found = self.root.query_selector_all(selector).unwrap();
        (0..found.length())
            .filter_map(|at| found.item(at))
            .map(wasm_bindgen::JsCast::unchecked_into)
            .collect()
    }

    fn one(&self, selector: &str) -> Element {
        self.all(selector).into_iter().next().unwrap_or_else(|| panic!("no {selector}"))
    }

    fn text(&self, selector: &str) -> String {
        self.one(selector).text_content().unwrap_or_default()
    }

    /// Waits until as many elements as that are there, half a minute at most.
    async fn wait_for_count(&self, selector: &str, count: usize) -> Vec<Element> {
        for _ in 0..300 {
            let found = self.all(selector);
            if found.len() == count {
                return found;
            }
            later(100).await;
        }
        panic!("{} of {selector}, not {count}", self.all(selector).len());
    }

    async fn wait_for(&self, selector: &str) -> Element {
        for _ in 0..300 {
            if let Some(found) = self.all(selector).into_iter().next() {
                return found;
            }
            later(100).await;
        }
        panic!("no {selector} in {}", self.root.text_content().unwrap_or_default());
    }

    /// Waits until an element says something.
    async fn wait_for_text(&self, selector: &str, part: &str) {
        for _ in 0..300 {
            if self
                .all(selector)
                .iter()
                .any(|one| one.text_content().unwrap_or_default().contains(part))
            {
                return;
            }
            later(100).await;
        }
        panic!("{selector} never says {part:?}: {}", self.text(selector));
    }

    /// Types a line into the terminal and enters it.
    fn enter(&self, line: &str) {
        write(&self.one(".terminal input"), line);
        submit(&self.one(".terminal form"));
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(mounted) = self.mounted.take() {
            mounted.unmount();
        }
        self.root.remove();
    }
}

const API: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: nginx}]
";

const READY_WEB: &str = ".pod[data-key^='pod/default/web-'][data-state='ready']";

#[wasm_bindgen_test]
async fn yaml_that_is_typed_and_applied_becomes_pods_on_the_map() {
    let page = Page::open().await;
    write(&page.wait_for("textarea.plain").await, API);
    press(&page.one(".editor .primary"));
    page.wait_for_count(".pod[data-key^='pod/default/api-'][data-state='ready']", 2).await;
    assert!(page.all(".faults").is_empty());
}

#[wasm_bindgen_test]
async fn a_request_arrives_at_a_pod_of_the_map_hop_by_hop() {
    let page = Page::open().await;
    let pods = page.wait_for_count(READY_WEB, 3).await;
    press(&page.one("button.packet"));
    page.wait_for(".verdict[data-good]").await;
    let chapters = page.all(".chapter").len();
    assert!(chapters > 5, "{chapters} chapters");
    let answered = page.text(".verdict b");
    let key = |pod: &Element| pod.get_attribute("data-key").unwrap_or_default();
    let names: Vec<String> = pods.iter().map(key).collect();
    assert!(
        names.iter().any(|key| answered.contains(key.trim_start_matches("pod/default/"))),
        "{answered}: {names:?}"
    );
    // Forwards and back by the buttons.
    let steps = page.all(".steps button");
    press(&steps[0]);
    page.wait_for(".chapter:nth-child(1)[data-now]").await;
    press(&steps[3]);
    press(&steps[3]);
    page.wait_for(".chapter:nth-child(3)[data-now] .lots [data-state='drawn']").await;
    // In an open chapter from rule to rule.
    press(&page.one(".chapter:nth-child(3) .open"));
    press(&page.wait_for(".chapter:nth-child(3) .hops li:nth-child(1) .hop").await);
    press(&steps[3]);
    page.wait_for(".chapter:nth-child(3) .hops li:nth-child(2)[data-now]").await;
    press(&steps[1]);
    press(&steps[1]);
    page.wait_for(".chapter:nth-child(2)[data-now]").await;
}

#[wasm_bindgen_test]
async fn a_slip_is_marked_on_its_line_and_one_press_mends_it() {
    let page = Page::open().await;
    let slip = API.replace("replicas", "replica");
    write(&page.wait_for("textarea.plain").await, &slip);
    page.wait_for(".faults .fix").await;
    let told = page.text(".faults .fault");
    assert!(told.contains('5') && told.contains("unknown field \"spec.replica\""), "{told}");
    press(&page.one(".faults .fix"));
    page.wait_for_count(".faults", 0).await;
    press(&page.one(".editor .primary"));
    page.wait_for_count(".pod[data-key^='pod/default/api-'][data-state='ready']", 2).await;
}

#[wasm_bindgen_test]
async fn the_terminal_watches_until_it_is_interrupted() {
    let page = Page::open().await;
    page.wait_for_count(READY_WEB, 3).await;
    page.enter("kubectl get pods -w");
    page.wait_for(".terminal .running").await;
    strike(&page.one(".terminal input"), "c", true);
    page.wait_for_count(".terminal .running", 0).await;
    page.enter("kubectl scale deployment web --replicas=1");
    page.wait_for_text(".terminal .entry:last-of-type", "deployment.apps/web scaled").await;
    page.wait_for_count(READY_WEB, 1).await;
}
