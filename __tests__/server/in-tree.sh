#!/bin/sh
# in-tree.sh TREE: runs the sh script of standard input as root inside TREE, which is not booted.
# Mounts and processes belong to this call alone and end with it, however it ends.
set -eu
tree=$1

# A resolver of the host's loopback is out of reach only for booted trees; here the host's network is shared.
resolver=$(mktemp)
trap 'rm -f "$resolver"' EXIT
cat /etc/resolv.conf > "$resolver"
# apt fetches as a user of its own.
chmod 0644 "$resolver"

# shellcheck disable=SC2016 # $1 and $2 are for the inner shell
unshare --mount --propagation private --pid --fork --kill-child sh -euc '
  mount -t proc proc "$1/proc"
  mount -t sysfs -o ro sysfs "$1/sys"
  mount --rbind /dev "$1/dev"
  mount -t tmpfs -o mode=0755 tmpfs "$1/run"
  mount --bind "$2" "$1/etc/resolv.conf"
  exec chroot "$1" /usr/bin/env -i \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive /bin/sh -s
' in-tree "$tree" "$resolver"
