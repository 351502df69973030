#!/usr/bin/env bash
# Installs what is missing and nothing else: `setup.sh build` what the page's build needs,
# `setup.sh test` that and what the tests need. Quick when all is there.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
purpose=${1:-test}

# Installs Debian packages, or says what to install where there is no apt.
install_packages() {
  local why=$1; shift
  have apt-get || stop "$why is missing: install it, then try again (Debian's packages: $*)"
  local as_root=
  if [ "$(id -u)" != 0 ]; then
    have sudo || stop "$why is missing: as root, apt-get install $*"
    as_root=sudo
  fi
  say "installing $why: apt-get install $*"
  $as_root apt-get update -q >/dev/null
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "$@" >/dev/null
}

# There is deliberately no rust-toolchain.toml: it would make rustup fetch a toolchain of that name
# even where a good one is installed. Cargo.toml's rust-version says which compilers are new enough.
install_rust_tools() {
  have cargo || stop "cargo is missing: install Rust from https://rustup.rs, then try again"
  have cc || install_packages "a C linker" gcc libc6-dev
  local sysroot
  sysroot=$(rustc --print sysroot)
  if [ ! -d "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib" ]; then
    have rustup || stop "this Rust cannot build for wasm32-unknown-unknown: install it with rustup"
    say "adding the target wasm32-unknown-unknown"
    rustup target add wasm32-unknown-unknown
  fi
  if [ "$purpose" = test ]; then
    cargo fmt --version >/dev/null 2>&1 || { say "adding rustfmt"; rustup component add rustfmt; }
    cargo clippy --version >/dev/null 2>&1 || { say "adding clippy"; rustup component add clippy; }
  fi
}

# The built tool does little work itself: a light profile saves a quarter of an hour on two cores,
# and without its TLS features Trunk cannot download anything even if it wanted to.
install_trunk() {
  [ "$(trunk --version 2>/dev/null)" = "trunk $trunk_version" ] && return
  say "installing trunk $trunk_version (some minutes, once)"
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_TARGET_DIR=target/tools \
    cargo install --quiet --force trunk --version "=$trunk_version" --locked --no-default-features
}

# Without --locked: the versions it was locked to include a withdrawn one.
install_wasm_bindgen() {
  [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $wasm_bindgen_version" ] && return
  say "installing wasm-bindgen-cli $wasm_bindgen_version, the version in Cargo.lock (some minutes, once)"
  CARGO_TARGET_DIR=target/tools \
    cargo install --quiet --force wasm-bindgen-cli --version "=$wasm_bindgen_version"
}

install_node_tools() {
  have node || install_packages "Node.js" nodejs npm
  have npm || install_packages "npm" npm
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 18 ] || stop "Node.js $major is too old: 18 or later is needed"
  # A stamp of the lock file tells whether node_modules is what it says.
  local stamp=node_modules/.lock-stamp
  cmp -s package-lock.json "$stamp" && return
  say "installing the npm packages of package-lock.json"
  npm ci --silent
  cp package-lock.json "$stamp"
}

install_browser() {
  [ -n "$(find_chromium)" ] || install_packages "Chromium" chromium
  have chromedriver || install_packages "ChromeDriver" chromium-driver
}

# What tests/kernel.rs loads rules with; it says so where it cannot run. Only a root with apt gets
# them, since nobody else could run it.
install_network_tools() {
  local tool
  for tool in iptables nft nfacct conntrack ip; do
    have "$tool" && continue
    if [ "$(id -u)" = 0 ] && have apt-get; then
      install_packages "the kernel's network tools" iptables nftables nfacct conntrack iproute2
    fi
    return 0
  done
}

# Trunk builds offline, so the crates must be here before it starts.
fetch_crates() { cargo fetch --quiet --locked 2>/dev/null || cargo fetch --quiet; }

install_rust_tools
install_node_tools
install_trunk
install_wasm_bindgen
fetch_crates
if [ "$purpose" = test ]; then
  install_browser
  install_network_tools
fi
