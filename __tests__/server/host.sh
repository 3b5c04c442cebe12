# What server.sh and release.sh share: the host's cgroups, packet forwarding and the slots' common lock.
# Sourced with SLOT (a slot's folder, RUNTIME/slots/N) set; defines `runtime`, `number`, `group` and `link`.
# shellcheck shell=sh

# (documentation range of RFC 5737: no real host can have these addresses)
range=198.51.100.0/24
number=${SLOT##*/}
runtime=${SLOT%/slots/*}
group=/sys/fs/cgroup/flask-deploy-tests-$number
# shellcheck disable=SC2034 # for those who source this
link=fdt-$number

# A mount namespace of its own in which /sys/fs/cgroup is cgroup v2: systemd of today boots on nothing else, and some
# hosts still show v1 there. Ends with the process.
use_cgroup2() {
  mount --make-rprivate /
  if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
  fi
}

# Lets the server and all in it have no more memory than $MEMORY bytes together; '' for all there is. Where the host's
# controller is in cgroup v1 the server gets to see that hierarchy: a container's limit stands there, too.
limit_memory() {
  [ -n "${MEMORY:-}" ] || return 0
  if grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
    echo +memory > /sys/fs/cgroup/cgroup.subtree_control
    echo "$MEMORY" > "$group/memory.max"
    echo 0 > "$group/memory.swap.max"
    # The server sees no further than its own group, which nspawn makes within.
    (
      tries=0
      until echo "$MEMORY" > "$group/payload/memory.max" || [ "$tries" = 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
      done
    ) 2> /dev/null &
    return 0
  fi
  memory_mount
  : > "$SLOT/memory"
  mkdir -p "$memory_group"
  echo 1 > "$memory_group/memory.use_hierarchy" 2> /dev/null || true
  echo "$MEMORY" > "$memory_group/memory.limit_in_bytes"
}
memory_mount() {
  mkdir -p "$runtime/memory"
  mountpoint -q "$runtime/memory" || mount -t cgroup -o memory cgroup "$runtime/memory"
  memory_group=$runtime/memory/flask-deploy-tests-$number
}

# The lock is held until the process closes descriptor 9 (or ends).
lock() {
  exec 9> "$runtime/lock"
  flock 9
}
unlock() {
  exec 9>&-
}

# rules ACTION: one masquerade rule, and two for hosts whose forwarding is closed (Docker closes it).
rules() {
  set -- "$1" -m comment --comment flask-deploy-tests
  action=$1
  shift
  rule nat POSTROUTING -s "$range" ! -d "$range" "$@" -j MASQUERADE
  rule filter FORWARD -s "$range" "$@" -j ACCEPT
  rule filter FORWARD -d "$range" "$@" -j ACCEPT
}
rule() {
  table=$1
  shift
  chain=$1
  shift
  if iptables -w -t "$table" -C "$chain" "$@" 2> /dev/null; then
    [ "$action" = add ] || iptables -w -t "$table" -D "$chain" "$@"
  else
    [ "$action" != add ] || iptables -w -t "$table" -I "$chain" "$@"
  fi
}

# Under the lock. The first server keeps what ip_forward was, the last one puts it back.
forwarding_on() {
  [ -e "$runtime/ip_forward" ] || cat /proc/sys/net/ipv4/ip_forward > "$runtime/ip_forward"
  echo 1 > /proc/sys/net/ipv4/ip_forward
  rules add
}
forwarding_off() {
  [ -e "$runtime/ip_forward" ] || return 0
  rules remove
  cat "$runtime/ip_forward" > /proc/sys/net/ipv4/ip_forward
  rm -f "$runtime/ip_forward"
}

# Ends every process of the server at once, as a power cut does, and waits until they are gone (10 s).
kill_group() {
  [ -d "$group" ] || return 0
  tries=0
  while grep -q 'populated 1' "$group/cgroup.events"; do
    if [ -e "$group/cgroup.kill" ]; then
      echo 1 > "$group/cgroup.kill"
    else
      find "$group" -name cgroup.procs -exec sh -c 'cat "$@" | xargs -r kill -KILL' kill {} + 2> /dev/null || true
    fi
    sleep 0.01
    tries=$((tries + 1))
    [ "$tries" -lt 1000 ] || return 1
  done
  remove_group
}
remove_group() {
  [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +
  [ -z "${memory_group:-}" ] || [ ! -d "$memory_group" ] || rmdir "$memory_group" 2> /dev/null || true
}
