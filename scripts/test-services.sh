#!/usr/bin/env bash
# The whole suite on PostgreSQL and Redis, and the drivers on bridges and emulators: starts them if necessary. Never falls back to the embedded engines.
set -euo pipefail
cd "$(dirname "$0")/.."
found=$(scripts/services.sh)
eval "$found"
: "${TEST_DATABASE_URL:?}" "${TEST_REDIS_URL:?}"
exec npx vitest run "$@"
