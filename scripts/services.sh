#!/usr/bin/env bash
# Makes sure that PostgreSQL and Redis answer on this machine, and prints how to reach them, for `eval`. Starts them if necessary and installs them
# where that is allowed (root on Debian). Addresses that are already set are kept.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }
need() { command -v "$1" >/dev/null 2>&1 || { say "installing $2"; apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >&2; }; }

postgres_url() {
  local root='postgres://root@127.0.0.1:5432/postgres' ci='postgres://authsec_ci:authsec-ci@127.0.0.1:5432/postgres'
  need psql postgresql
  if ! pg_isready -q -h 127.0.0.1; then
    say 'starting PostgreSQL'
    pg_ctlcluster --skip-systemctl-redirect "$(ls /etc/postgresql | sort -n | tail -1)" main start >&2 || true
    for _ in $(seq 30); do pg_isready -q -h 127.0.0.1 && break; sleep 1; done
  fi
  if psql -qtA "$root" -c 'select 1' >/dev/null 2>&1; then echo "$root"; return; fi
  if ! psql -qtA "$ci" -c 'select 1' >/dev/null 2>&1; then
    su postgres -c "psql -qc \"create role authsec_ci superuser login password 'authsec-ci'\"" >&2
  fi
  echo "$ci"
}

emulator() {
  need /usr/bin/moto_server python3-moto
  dpkg -s python3-flask-cors >/dev/null 2>&1 || { apt-get update -qq >&2 && apt-get install -y -qq python3-flask python3-flask-cors >&2; }
}

redis_url() {
  need redis-server redis-server
  if ! redis-cli -h 127.0.0.1 ping >/dev/null 2>&1; then
    say 'starting Redis'
    redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save '' --appendonly no >&2
    for _ in $(seq 30); do redis-cli -h 127.0.0.1 ping >/dev/null 2>&1 && break; sleep 1; done
  fi
  echo 'redis://127.0.0.1:6379'
}

emulator
need oathtool oathtool

echo "export TEST_DATABASE_URL='${TEST_DATABASE_URL:-$(postgres_url)}'"
echo "export TEST_REDIS_URL='${TEST_REDIS_URL:-$(redis_url)}'"
