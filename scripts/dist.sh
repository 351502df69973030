#!/usr/bin/env bash
# Builds the page as it is published, into dist/: Cargo's profile `page`, wasm-opt, minified, with
# addresses relative to index.html, so that it works under any path of any web server.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

say "building the page into dist/"
trunk build --release --public-url ./
node scripts/sizes.mjs
