# Sourced by the other scripts: the repository's root, its pinned tools, and where to find them.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# wasm-opt and esbuild come from npm, trunk and wasm-bindgen from cargo install.
export PATH="$root/node_modules/.bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# Later 0.22s ask for a newer rustc; 0.21's minifier gives up on wasm-bindgen's JavaScript.
trunk_version=0.22.0-beta.1
# The library and the command-line tool speak a private format: their versions must be equal.
wasm_bindgen_version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print }' Cargo.lock)

say() { printf '\033[1m%s\033[0m\n' "diorama: $*" >&2; }
stop() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Debian calls it chromium; CHROMIUM names another one.
find_chromium() {
  if [ -n "${CHROMIUM:-}" ]; then echo "$CHROMIUM"; return; fi
  local name
  for name in chromium chromium-browser google-chrome-stable google-chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    if have "$name"; then command -v "$name"; return; fi
  done
}
