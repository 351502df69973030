//! The headless console: see `diorama --help`.

fn main() {}
