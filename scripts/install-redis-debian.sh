#!/bin/sh
# Installs redis-server and redis-cli on Debian and Ubuntu, as root.
#
# Debian starts what it installs, unless policy-rc.d says no. We want the program, not a server that
# listens on port 6379 from now on.
set -e
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod +x "$policy"
fi

apt-get update -qq
apt-get install -qq --no-install-recommends redis-server redis-tools

if command -v systemctl > /dev/null; then
  systemctl disable redis-server 2> /dev/null || true
fi
