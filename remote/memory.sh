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
