#!/usr/bin/env bash
# Everything that must hold before a change lands, quickest answer first.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

step() { say "$* ($(date +%H:%M:%S))"; }
target=wasm32-unknown-unknown

step "format"
cargo fmt --check

step "lints, native"
cargo clippy --locked --all-targets -- -D warnings
step "lints, $target"
cargo clippy --locked --target $target --lib --bin page -- -D warnings

step "native tests"
cargo test --locked

# Every tests/*.rs that speaks wasm_bindgen_test runs in headless Chromium; webdriver.json holds its flags.
browser_tests=()
for file in tests/*.rs; do
  if grep -q 'wasm_bindgen_test_configure' "$file"; then
    browser_tests+=(--test "$(basename "$file" .rs)")
  fi
done
if [ ${#browser_tests[@]} -gt 0 ]; then
  step "tests in Chromium: ${browser_tests[*]}"
  node scripts/build-editor.mjs
  CHROMEDRIVER=$(command -v chromedriver) WASM_BINDGEN_TEST_ONLY_WEB=1 \
    WASM_BINDGEN_TEST_TIMEOUT=120 WASM_BINDGEN_TEST_DRIVER_TIMEOUT=30 \
    cargo test --locked --target $target "${browser_tests[@]}"
fi

scripts/dist.sh

step "end-to-end tests of dist/"
CHROMIUM=$(find_chromium) node --test tests/e2e/*.test.mjs

say "all tests passed"
