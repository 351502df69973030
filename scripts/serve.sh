#!/usr/bin/env bash
# Builds the page, serves it on this machine alone, and builds again when a file changes.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
port=${PORT:-8080}

say "building the page; then open http://127.0.0.1:$port/ (ctrl-c stops)"
exec trunk serve --port "$port"
