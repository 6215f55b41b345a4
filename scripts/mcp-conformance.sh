#!/usr/bin/env bash
# The conformance runner of the Model Context Protocol and the Node version that it needs, in a separate folder: 170 MB that only tests/peers/mcp-conformance.peer.ts
# needs.
set -euo pipefail
cd "$(dirname "$0")/../tests/peers/mcp-conformance"
[ -d node_modules/@modelcontextprotocol/conformance ] || npm ci --no-audit --no-fund --ignore-scripts >&2
