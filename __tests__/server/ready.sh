# Runs inside a copy of a bare tree (see in-tree.sh): adds what a first deploy puts on a server, so that a test that
# is not about the first deploy need not wait for it. No service starts here.
# shellcheck shell=sh
set -eu
. /etc/os-release

# deb-systemd-invoke and invoke-rc.d ask this file before they start anything.
printf '%s\n' '#!/bin/sh' 'exit 101' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

set -- nginx python3 python3-venv sqlite3 curl certbot
case ${VERSION_CODENAME:-sid} in
  bullseye | focal) set -- "$@" python-pip-whl python3-distutils ;;
  *) set -- "$@" python3-pip-whl ;;
esac
# Login shells other than sh: the product must not care which one a user has.
if [ "${VERSION_CODENAME:-sid}" = bookworm ]; then
  set -- "$@" zsh tcsh fish
fi
apt-get -qq update
apt-get -qq -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 install "$@" > /dev/null
apt-get clean
rm -rf /var/lib/apt/lists/*

# uv as the product installs it (remote/dependencies.sh).
version=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' /uv.txt)
for wheel in /usr/share/python-wheels/pip-*.whl; do pip=$wheel; done
PIP_ROOT_USER_ACTION=ignore python3 -I "$pip/pip" --disable-pip-version-check --no-input install --quiet \
  --require-hashes --only-binary :all: --no-deps --no-compile --target "/opt/flask-deploy/uv-$version" -r /uv.txt

rm -f /usr/sbin/policy-rc.d
