#!/usr/bin/env bash
# Makes sure that pysaml2 and xmlsec1 are on this machine, for the identity provider of tests/peers.
set -euo pipefail
if ! /usr/bin/python3 -c 'import saml2' >/dev/null 2>&1 || ! command -v xmlsec1 >/dev/null; then
  echo 'installing python3-pysaml2' >&2
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pysaml2 xmlsec1 >&2
fi
