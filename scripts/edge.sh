#!/usr/bin/env bash
# workerd, miniflare and the Node version that it needs, in a separate folder: 360 MB that only tests/peers/edge.peer.ts and guard-edge.peer.ts need.
set -euo pipefail
cd "$(dirname "$0")/../tests/peers/edge"
[ -d node_modules/miniflare ] || npm ci --no-audit --no-fund --ignore-scripts >&2
