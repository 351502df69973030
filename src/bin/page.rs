//! The page: Trunk builds this for wasm32.

fn main() {}
