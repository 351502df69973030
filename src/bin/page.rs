//! The page: Trunk builds this for wasm32.

#[cfg(target_arch = "wasm32")]
fn main() {
    diorama::view::run();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("This is the page, for the browser: `trunk serve`. The console is `diorama run`.");
}
