#!/usr/bin/env bash
# Makes sure that Chromium is on this machine, and prints its path, for `eval`.
set -euo pipefail
found=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$found" ]; then
  echo 'installing chromium' >&2
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >&2
  found=$(command -v chromium)
fi
echo "export CHROMIUM='$found'"
