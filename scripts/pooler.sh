#!/usr/bin/env bash
# Makes sure that PgBouncer is on this machine (root on Debian installs it), and prints its path, for `eval`. Starts no service.
set -euo pipefail
if ! command -v pgbouncer /usr/sbin/pgbouncer >/dev/null; then
  echo 'installing pgbouncer' >&2
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends pgbouncer >&2
fi
echo "export PGBOUNCER='$(command -v pgbouncer || echo /usr/sbin/pgbouncer)'"
