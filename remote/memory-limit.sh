# How much memory a program may really use here: the machine's, or less where a container or a slice of systemd's has a
# limit of its own. The helper's facts and the program share this.
# shellcheck shell=sh

# Sets $memory_total and $memory_left (with swap), both in kB.
measure_memory() {
  memory_total=0 memory_left=0 swap_left=0
  while read -r key value _; do
    case $key in
      MemTotal:) memory_total=$value ;;
      MemAvailable:) memory_left=$value ;;
      SwapFree:) swap_left=$value ;;
    esac
  done </proc/meminfo
  memory_left=$((memory_left + swap_left))
  while IFS=: read -r _ controllers group; do
    # Whoever came from outside of a namespace has a path that leads out of it.
    case $group in */..*) group=/ ;; esac
    case ,$controllers, in
      ,,) limits_v2 "${group%/}" ;;
      *,memory,*) limits_v1 "${group%/}" ;;
    esac
  done </proc/self/cgroup
}

# cgroup v2 (kernel, admin-guide/cgroup-v2.rst, "Memory Interface Files"): every group above has a word in it.
# $1: our group
limits_v2() {
  base=/sys/fs/cgroup
  [ -e "$base/cgroup.controllers" ] || base=$base/unified
  group=$1
  while :; do
    limit=$(cat "$base$group/memory.max" 2>/dev/null) || limit=max
    case $limit in
      '' | *[!0-9]*) ;;
      *)
        used=$(cat "$base$group/memory.current" 2>/dev/null) || used=0
        swap=$(cat "$base$group/memory.swap.max" 2>/dev/null) || swap=0
        swapped=$(cat "$base$group/memory.swap.current" 2>/dev/null) || swapped=0
        case $swap in *[!0-9]*) swap=$((swap_left * 1024)) ;; *) swap=$((swap - swapped)) ;; esac
        [ "$((swap / 1024))" -le "$swap_left" ] || swap=$((swap_left * 1024))
        take_limit "$limit" "$((used - swap))" "$(memory_word inactive_file "$base$group/memory.stat")"
        ;;
    esac
    [ -n "$group" ] || break
    group=${group%/*}
  done
}

# cgroup v1, where it is mounted (admin-guide/cgroup-v1/memory.rst): the tightest limit above stands in the group itself.
# $1: our group
limits_v1() {
  mount=
  while read -r _ _ _ _ at _ rest; do
    case " $rest" in *" - cgroup "*,memory | *" - cgroup "*,memory,*) mount=$at ;; esac
  done </proc/self/mountinfo
  [ -n "$mount" ] || return 0
  [ -e "$mount$1/memory.stat" ] || set -- ''
  limit=$(memory_word hierarchical_memory_limit "$mount$1/memory.stat")
  [ "$limit" -gt 0 ] || return 0
  used=$(cat "$mount$1/memory.usage_in_bytes" 2>/dev/null) || used=0
  take_limit "$limit" "$used" "$(memory_word total_inactive_file "$mount$1/memory.stat")"
}

# One number of a memory.stat, 0 where it is not there. $1: its word, $2: the file
memory_word() {
  found=0
  while read -r key value; do [ "$key" != "$1" ] || found=$value; done 2>/dev/null <"$2" || :
  printf '%s' "$found"
}

# Counts where it is tighter than what is known. In bytes: $1: limit, $2: in use, $3: of it what the kernel can drop
take_limit() {
  total=$(($1 / 1024)) left=$((($1 - $2 + $3) / 1024))
  [ "$left" -gt 0 ] || left=0
  [ "$total" -ge "$memory_total" ] || memory_total=$total
  [ "$left" -ge "$memory_left" ] || memory_left=$left
}
