#!/bin/sh
# apt's own program. It runs in a unit that nobody stops (a stopped postinst leaves dpkg interrupted) and writes
# to a file, because a pipe whose reader is gone would stop it too. It removes no package, whatever happens.
# $1: yes where no archive may be in reach, $2: upgrade first (yes or no); then the names to install
# Why it failed, as far as files and statuses tell, is in apt.why beside it: a code and its details.
set -u
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 LC_ALL=C
folder=${0%/*}
seconds() { cut -d. -f1 /proc/uptime; }
longest=600
deadline=$(($(seconds) + longest))

because() { printf '%s %s\n' "$reason" "$*" >"$folder/apt.why"; }

# Who holds one of apt's or dpkg's locks, as `NAME (process PID)`; the kernel lists them by inode.
# Sets $holder, '' where nobody does.
find_holder() {
  holder=''
  for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    # shellcheck disable=SC2013 # numbers
    for pid in $(awk -v inode="$inode" '$2 == "POSIX" && $4 == "WRITE" { split($6, at, ":"); if (at[3] == inode) print $5 }' /proc/locks); do
      # On another file system the same number is another file.
      [ -n "$(find "/proc/$pid/fd" -lname "$lock" 2>/dev/null)" ] || continue
      holder="$(tr -cd 'A-Za-z0-9._+-' <"/proc/$pid/comm" 2>/dev/null) (process $pid)"
      return 0
    done
  done
}

# A retry is worth it only while another program holds apt's or dpkg's lock.
attempt() {
  told='' tell_at=0
  while :; do
    find_holder
    if [ -z "$holder" ]; then
      "$@" >"$1.out" 2>&1 </dev/null && { cat "$1.out"; return 0; }
      cat "$1.out"
      find_holder
      # One that let go of it in this very moment is only in apt's words.
      [ -n "$holder" ] || grep -Eq 'Could not get lock|Unable to (lock|acquire)|is another process using it' "$1.out" || return 1
    fi
    now=$(seconds)
    if [ "$now" -ge "$deadline" ]; then
      reason=packages-locked
      because "$longest ${holder:-another program}"
      return 1
    fi
    if [ "$holder" != "$told" ] || [ "$now" -ge "$tell_at" ]; then
      echo "another program is using apt: waiting for ${holder:-it} for $((deadline - now)) s at most"
      told=$holder tell_at=$((now + 60))
    fi
    sleep 1
  done
}
cd "$(mktemp -d)" || exit 1
trap 'rm -rf "$PWD"' EXIT
# Names only: to apt-get a name that no package has would be a pattern.
limit='' only='' retries=3 silence=120
# shellcheck disable=SC2086 # $limit is a command with its words, $only an option, or nothing
apt_get() { $limit apt-get -y -q $only -o APT::Get::Remove=false -o APT::Get::AutomaticRemove=false -o APT::Cmd::Pattern-Only=true -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o "Acquire::Retries=$retries" -o "Acquire::http::Timeout=$silence" -o "Acquire::https::Timeout=$silence" "$@"; }

# What apt-get would do, a line for each step, which begins with Inst, Conf, Remv or Purg (apt-get(8), --simulate).
simulate() { apt-get -s -y -q -o APT::Get::AutomaticRemove=false -o APT::Cmd::Pattern-Only=true --no-install-recommends "$@" 2>/dev/null; }

# The packages that such lines would remove; sets $removals.
# $1: the lines
read_removals() { removals=$(printf '%s\n' "$1" | awk '/^(Remv|Purg) / { printf "%s%s", sep, $2; sep = " " }'); }

# A step of apt's. Where no archive may be in reach it only fetches first: only what downloads is ever ended.
in_order() {
  if [ "$offline" = yes ]; then
    limit='timeout 180' only=--download-only
    fetched=0
    "$@" || fetched=1
    limit='' only=''
    [ "$fetched" = 0 ] || return 1
  fi
  "$@"
}

# $@: names
install_wanted() {
  [ "$upgrade" = no ] || attempt apt_get upgrade || return 1
  [ $# = 0 ] || attempt apt_get --no-install-recommends install "$@" || return 1
}

install_lacking() { attempt apt_get --no-install-recommends -f install; }

# Packages that are there without what they depend on keep apt from everything. Installing that is no risk; where
# apt would remove something instead, somebody has to choose. Returns 0 where it makes sense to go on.
mend() {
  [ ! -e "$folder/apt.why" ] || return 1
  steps=$(simulate -f install) || return 1
  read_removals "$steps"
  if [ -n "$removals" ]; then
    reason=packages-removals
    because "fix $removals"
    return 1
  fi
  printf '%s\n' "$steps" | grep -q '^Inst ' || return 1
  echo 'packages on the server lack others that they depend on: installing these'
  in_order install_lacking
}

# Whose fault was it? Told by statuses, for apt-get's is the same for all faults.
# $@: names
explain() {
  [ ! -e "$folder/apt.why" ] || return 0
  if ! apt-get indextargets >/dev/null 2>&1; then
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
      [ -e "$file" ] || continue
      apt-get -o "Dir::Etc::SourceList=$file" -o Dir::Etc::SourceParts=/dev/null indextargets >/dev/null 2>&1 || {
        reason=packages-sources
        because "$file"
        return 0
      }
    done
  fi
  if [ $# != 0 ] && steps=$(simulate install "$@"); then
    read_removals "$steps"
    [ -z "$removals" ] || {
      reason=packages-removals
      because "install $removals"
      return 0
    }
  fi
  # Those that others wait for come first: half-configured ones.
  broken=$(dpkg-query -W -f '${db:Status-Eflag} ${db:Status-Status} ${binary:Package}\n' 2>/dev/null | awk '
    $1 == "reinstreq" { again = again " " $3; next }
    $2 == "half-configured" { half = half " " $3 }
    $2 == "half-installed" || $2 == "unpacked" { rest = rest " " $3 }
    END {
      if (again != "") print "reinstall" again
      else if (half != "") print "configure" half
      else if (rest != "") print "configure" rest
    }')
  [ -z "$broken" ] || {
    reason=packages-broken
    because "$broken"
  }
}

offline=$1 upgrade=$2
shift 2
# Whoever is at work there now looks like somebody who was interrupted.
attempt true || exit 1
if [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || [ -n "$(dpkg --audit 2>/dev/null)" ]; then
  echo 'dpkg was interrupted earlier: repairing it'
  # A package that cannot be configured need not be in the way of what is wanted.
  attempt dpkg --configure -a --force-confdef --force-confold || :
fi
if [ "$offline" = yes ]; then
  # An archive that is out of reach may say so at once, or nothing for ever. Only what downloads is ended.
  export RES_OPTIONS='timeout:2 attempts:1'
  retries=0 silence=10 limit='timeout 30'
fi
attempt apt_get update || echo 'apt-get update failed: going on with the lists that are there'
limit='' status=0
in_order install_wanted "$@" || {
  status=1
  if mend && in_order install_wanted "$@"; then status=0; else explain "$@"; fi
}
# A service that came with its program, and that nobody asked for: in this unit, so that it never stays half-way.
stop=$folder/apt.stop
[ ! -f "$stop" ] || while read -r package unit; do
  case " $* " in *" $package "*) systemctl disable --now "$unit" ;; esac
done <"$stop"
[ "$status" = 0 ]
