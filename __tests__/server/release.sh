#!/bin/sh
# Takes down the server of SLOT, if the slot still is the one of TOKEN: processes, network, cgroup, disk, and with
# the last server the host's packet forwarding. Called by server.sh at its end, and for the leftovers of dead owners
# (then by `unshare --mount`). May be called twice, and by two at once.
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=host.sh
. "$here/host.sh"

# server.sh's own namespace has it already; again does no harm.
use_cgroup2
lock
[ "$(cat "$SLOT/token" 2> /dev/null)" = "$TOKEN" ] || exit 0
# The holder and its helpers (one process group), where it is not this process. A process group's number is not given
# to another process while one member lives; a new process of that number is known by its start time.
if [ -e "$SLOT/holder" ]; then
  read -r pid started < "$SLOT/holder"
  now=$(sed 's/.*) //' "/proc/$pid/stat" 2> /dev/null | cut -d' ' -f20)
  if [ "$pid" != $$ ] && [ "${now:-$started}" = "$started" ]; then
    kill -KILL -- "-$pid" 2> /dev/null || true
  fi
fi
[ ! -e "$SLOT/memory" ] || memory_mount
kill_group
remove_group
ip link delete "$link" 2> /dev/null || true
store=$(cat "$SLOT/store")
umount -R "$SLOT/root" 2> /dev/null || true
umount "$SLOT/overlay" 2> /dev/null || true
umount "$SLOT/net" 2> /dev/null || true
trash=$(mktemp -d "$runtime/gone.XXXXXX")
mv "$SLOT" "$trash/slot"
[ -n "$(ls "$runtime/slots")" ] || forwarding_off
unlock
rm -rf --one-file-system "$trash" "$store"
