#!/usr/bin/env bash
# Makes sure that Apache with mod_auth_openidc is on this machine (root on Debian installs it), and prints its path, for `eval`. Starts no service.
set -euo pipefail
module=/usr/lib/apache2/modules/mod_auth_openidc.so
if [ ! -e "$module" ]; then
  echo 'installing apache2 and mod_auth_openidc' >&2
  # Only the program is needed, so nothing listens on port 80.
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends apache2 libapache2-mod-auth-openidc >&2
fi
echo "export APACHE='$(command -v apache2 || echo /usr/sbin/apache2)'"
