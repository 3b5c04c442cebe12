#!/bin/sh
# build-tree.sh SUITE TREE SETTINGS: makes the bare server of SUITE in the new folder TREE.
# SETTINGS is a folder with what the host lends: sources.list and apt.conf (either may be empty), authorized_keys,
# certs/, and, where the host has such settings, pip.conf and uv.toml.
# A bare server is what a hoster hands out, less: systemd, sshd and sudo, but no python3 and no nginx.
set -eu
suite=$1
tree=$2
settings=$3
here=$(dirname "$0")
packages=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,iproute2,ca-certificates

set -- --quiet --mode=root --variant=minbase --format=directory --include="$packages"
# Old suites carry Release files past their date, and sid's is only as fresh as the mirror.
printf '%s\n' 'Acquire::Check-Valid-Until "false";' > "$settings/apt.conf.all"
cat "$settings/apt.conf" >> "$settings/apt.conf.all"
set -- "$@" --aptopt="$settings/apt.conf.all"
# Nobody needs a half-built tree after a power cut, so dpkg does not have to sync; the option does not stay.
set -- "$@" --dpkgopt=force-unsafe-io
case $suite in
  noble | jammy | focal | resolute)
    set -- "$@" --components=main,universe
    # Debian's apt trusts only Debian's keys until told otherwise.
    keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
    ;;
  *) keyring=/usr/share/keyrings/debian-archive-keyring.gpg ;;
esac
[ ! -f "$keyring" ] || set -- "$@" --keyring="$keyring"
set -- "$@" "$suite" "$tree"
# Without a list mmdebstrap takes the suite's own default mirrors.
[ ! -s "$settings/sources.list" ] || set -- "$@" "$settings/sources.list"
mmdebstrap "$@"
rm -f "$tree/etc/dpkg/dpkg.cfg.d/99mmdebstrap"

mkdir -p "$tree/usr/local/share/ca-certificates" "$tree/etc/uv" "$tree/root/.ssh"
find "$settings/certs" -name '*.crt' -exec cp {} "$tree/usr/local/share/ca-certificates/" \;
[ ! -f "$settings/pip.conf" ] || cp "$settings/pip.conf" "$tree/etc/pip.conf"
[ ! -f "$settings/uv.toml" ] || cp "$settings/uv.toml" "$tree/etc/uv/uv.toml"
cp "$settings/authorized_keys" "$tree/root/.ssh/authorized_keys"
rm -f "$tree/etc/resolv.conf" "$tree/etc/hostname" "$tree/etc/machine-id"
: > "$tree/etc/resolv.conf"
: > "$tree/etc/machine-id"
sh "$here/in-tree.sh" "$tree" < "$here/people.sh"
