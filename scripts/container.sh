#!/usr/bin/env bash
# The Dockerfile's commands in a scratch folder, then the container's start and stop: read-only, not root, healthy. Needs PostgreSQL and Redis, as
# `eval "$(scripts/services.sh)"` names them. CONTAINER_NODE_MODULES names installed packages that replace `npm ci`.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TEST_DATABASE_URL:?see scripts/services.sh}" "${TEST_REDIS_URL:?see scripts/services.sh}"
name=authsec_container_$$
folder=$(mktemp -d)
psql -qX "$TEST_DATABASE_URL" -c "create database $name"
trap 'psql -qX "$TEST_DATABASE_URL" -c "drop database if exists $name with (force)"; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
export DATABASE_URL="${TEST_DATABASE_URL%/*}/$name" REDIS_URL=$TEST_REDIS_URL SMTP_URL=smtp://127.0.0.1:1
export BASE_URL=https://auth.example.com SIGN_UP=closed PORT=${PORT:-7479} STOP_NOTICE_SECONDS=1
MASTER_KEYS="m1:$(head -c 32 /dev/urandom | base64)" HASH_KEY=$(head -c 32 /dev/urandom | base64)
export MASTER_KEYS HASH_KEY
node scripts/container.mjs "$folder"
