#!/bin/sh
# apt's own program. It runs in a unit that nobody stops (a stopped postinst leaves dpkg interrupted) and writes
# to a file, because a pipe whose reader is gone would stop it too.
# $1: yes where no archive may be in reach, $2: upgrade first (yes or no); then the names to install
set -u
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 LC_ALL=C
deadline=$(($(cut -d. -f1 /proc/uptime) + 600))
# A retry is worth it only while another program holds apt's or dpkg's lock.
attempt() {
  while :; do
    "$@" >"$1.out" 2>&1 </dev/null && { cat "$1.out"; return 0; }
    cat "$1.out"
    grep -Eq 'Could not get lock|Unable to (lock|acquire)|is another process using it' "$1.out" || return 1
    [ "$(cut -d. -f1 /proc/uptime)" -lt "$deadline" ] || return 1
    echo 'another program is using apt: waiting'
    sleep 3
  done
}
cd "$(mktemp -d)" || exit 1
trap 'rm -rf "$PWD"' EXIT
# Names only: to apt-get a name that no package has would be a pattern.
limit='' retries=3 silence=120
# shellcheck disable=SC2086 # $limit is a command with its words, or nothing
apt_get() { $limit apt-get -y -q -o APT::Cmd::Pattern-Only=true -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o "Acquire::Retries=$retries" -o "Acquire::http::Timeout=$silence" -o "Acquire::https::Timeout=$silence" "$@"; }
if [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || [ -n "$(dpkg --audit 2>/dev/null)" ]; then
  echo 'dpkg was interrupted earlier: repairing it'
  attempt dpkg --configure -a --force-confdef --force-confold || exit 1
fi
offline=$1 upgrade=$2
shift 2
if [ "$offline" = yes ]; then
  # An archive that is out of reach may say so at once, or nothing for ever. Only what downloads is ended.
  export RES_OPTIONS='timeout:2 attempts:1'
  retries=0 silence=10 limit='timeout 30'
fi
attempt apt_get update || echo 'apt-get update failed: going on with the lists that are there'
if [ "$offline" = yes ]; then
  limit='timeout 180'
  [ "$upgrade" = no ] || attempt apt_get --download-only upgrade || exit 1
  [ $# = 0 ] || attempt apt_get --no-install-recommends --download-only install "$@" || exit 1
  limit=''
fi
[ "$upgrade" = no ] || attempt apt_get upgrade || exit 1
[ $# = 0 ] || attempt apt_get --no-install-recommends install "$@" || exit 1
# A service that came with its program, and that nobody asked for: in this unit, so that it never stays half-way.
stop=${0%/*}/apt.stop
[ ! -f "$stop" ] || while read -r package unit; do
  case " $* " in *" $package "*) systemctl disable --now "$unit" ;; esac
done <"$stop"
:
