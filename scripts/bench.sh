#!/usr/bin/env bash
# The benchmarks, natively and in headless Chromium.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

say "benchmarks, native"
cargo bench --locked
say "benchmarks in Chromium"
CHROMEDRIVER=$(command -v chromedriver) WASM_BINDGEN_TEST_ONLY_WEB=1 WASM_BINDGEN_TEST_TIMEOUT=300 \
  cargo test --locked --release --target wasm32-unknown-unknown --bench browser -- --nocapture
