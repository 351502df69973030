//! Has the linker leave in the published page which function uses which data: scripts/split-model.mjs
//! sends the texts that only the annex reads along with it.

fn main() {
    let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|value| value == wanted);
    if is("CARGO_CFG_TARGET_ARCH", "wasm32") && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bin=page=--emit-relocs");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
