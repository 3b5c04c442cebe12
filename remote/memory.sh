# Memory for two releases at once: looked at before it hurts, and where it runs out after all, never the release that
# serves pays for it. Sizes are in kB.
# shellcheck shell=sh

# The processes of a release, the web process's and those beside it: a PID each.
# $1: release
processes_of_release() {
  for base in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ -d "$base/system.slice" ] || continue
    cat "$base/system.slice/$(unit_of "$1").service/cgroup.procs" "$base/system.slice/$(unit_of "$1")."*.service/cgroup.procs \
      2>/dev/null || :
    break
  done
}

# What its processes take: pages that they share are counted once. Sets $used_all, and $used_most of the largest process.
# $1: release
measure_release() {
  used_all=0 used_most=0
  for process in $(processes_of_release "$1"); do
    used=$(awk '/^(Pss|SwapPss):/ { sum += $2 } END { print sum + 0 }' "/proc/$process/smaps_rollup" 2>/dev/null) || used=0
    used_all=$((used_all + used))
    [ "$used" -le "$used_most" ] || used_most=$used
  done
}

# What has to stay free beside all that is known: a tenth, within reason. Sets $memory_reserve; see measure_memory.
reserve_memory() {
  memory_reserve=$((memory_total / 10))
  [ "$memory_reserve" -ge 32768 ] || memory_reserve=32768
  [ "$memory_reserve" -le 262144 ] || memory_reserve=262144
}

# May the release that visitors have left run on beside the new one for a while? Both run. The new one is fresh, and will
# take what the old one has taken by and by.
# $1: the old release, $2: the new one
room_for_two() {
  measure_memory
  reserve_memory
  measure_release "$2"
  fresh=$used_all
  measure_release "$1"
  growth=$((used_all - fresh))
  [ "$growth" -gt 0 ] || growth=0
  [ "$memory_left" -ge "$((memory_reserve + growth))" ]
}

# Has the first process of this release room, beside all that runs? Said before it hurts. What it takes stands in the
# release itself where it ran before, else in the one that serves; the runner's `workers` decides about the others.
look_at_memory() {
  measure_memory
  reserve_memory
  first=49152
  for known in "$release" "$current"; do
    if read -r first 2>/dev/null <"$home/releases/$known/.deploy/memory"; then break; fi
  done
  case $first in '' | *[!0-9]*) first=49152 ;; esac
  megabytes="$((memory_left / 1024)) $((first / 1024)) $((memory_total / 1024))"
  [ "$memory_left" -ge "$first" ] || fail memory "$megabytes"
  if [ "$memory_left" -ge "$((first + memory_reserve))" ] || [ "${memory_told:=no}" = yes ]; then return 0; fi
  memory_told=yes
  emit "doubt memory-short $megabytes"
}

# How many processes the release may have for now. It runs as its first one.
# $1: release, $2: how many are wished. Sets $allowed
allow_processes() {
  measure_memory
  reserve_memory
  measure_release "$1"
  [ "$making" = no ] || write_file "$home/releases/$1/.deploy/memory" 0640 "root:web-$name" "$used_all
"
  allowed=$2
  if [ "$used_most" -gt 0 ]; then
    room=$((memory_left - memory_reserve))
    [ "$room" -gt 0 ] || room=0
    allowed=$((1 + room / used_most))
  fi
  [ "$allowed" -lt "$2" ] || allowed=$2
}

# The others join once the releases that visitors have left are gone, which takes as long as their last request.
# $1: the new one, "$2"...: those
grow_later() {
  grows=$1
  shift
  tries=150
  for id; do
    while systemctl --quiet is-active "$(unit_of "$id").service" ||
      [ "$(systemctl show -p ActiveState --value "$(unit_of "$id").service")" = deactivating ]; do
      tries=$((tries - 1))
      [ "$tries" -gt 0 ] || break
      sleep 1
    done
  done
  rm -f "/run/web-$name/$grows.first"
  kill -s TTIN "$(systemctl show -p MainPID --value "$(unit_of "$grows").service")" 2>/dev/null || :
}

# Whom the kernel ends first where memory runs out: a release that is not kept yet, before the one that serves. A process
# gets it from the one that starts it. $1: release, $2: 1000 (first of all) or 0
set_victim() {
  for process in $(processes_of_release "$1"); do
    { printf '%s' "$2" >"/proc/$process/oom_score_adj"; } 2>/dev/null || :
  done
}

# Processes that the kernel has ended for want of memory, here or, where that is all it tells, on the whole machine: it
# says that there were some, and not whose they were.
oom_kills() {
  if [ -r /sys/fs/cgroup/memory.events ]; then
    memory_word oom_kill /sys/fs/cgroup/memory.events
  else
    memory_word oom_kill /proc/vmstat
  fi
}

# They are counted from here on.
count_kills() { kills_before=$(oom_kills) || kills_before=0; }

# Did memory run out meanwhile? To be asked where something of ours was ended by a SIGKILL: either alone has other reasons.
# $1: what was at work. Sets $short, the details of the failure
ran_out() {
  kills=$(($(oom_kills) - kills_before))
  [ "$kills" -gt 0 ] || return 1
  measure_memory
  short="$kills $((memory_total / 1024)) $1"
}

# Was a process of a release's unit ended by a SIGKILL? What gunicorn's processes ended of only the kernel says, where it
# counts for each unit. $1: unit, $2: what nobody knows counts as: yes or no
was_killed() {
  known=no
  for counter in "/sys/fs/cgroup/system.slice/$1/memory.events" "/sys/fs/cgroup/memory/system.slice/$1/memory.oom_control"; do
    [ -r "$counter" ] || continue
    known=yes
    [ "$(memory_word oom_kill "$counter")" = 0 ] || return 0
  done
  # systemd's own fields of how a main process ended (systemd.journal-fields(7)): one that was started anew has new counts.
  [ -z "$(journalctl -q -b -n 1 -o cat "UNIT=$1" EXIT_CODE=killed EXIT_STATUS=9 2>/dev/null)" ] || return 0
  [ "$known$2" = noyes ]
}

# Was it memory? $1: the code of a failure; the rest: its details. Sets $exact where it was
look_at_kills() {
  ran_out "$1" || return 0
  case $1 in
    # With the status of the command that ended.
    internal | run) [ "${2:-}" = 137 ] || return 0 ;;
    packages*) [ "${apt_status:-}" = 137 ] || return 0 ;;
    worker-restarted | health-timeout) was_killed "$(unit_of "$release").service" yes || return 0 ;;
    start | app-exited) was_killed "$(unit_of "$release").service" no || return 0 ;;
    process-died) was_killed "$(unit_of "$release").$2.service" no || return 0 ;;
    *) return 0 ;;
  esac
  exact="out-of-memory $short"
}
