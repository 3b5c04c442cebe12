#!/bin/sh
# Holds one server. Its mounts and its network live in this process's namespaces, so they end with it; the commands
# come on standard input, one word a line, each answered by `done WORD` on standard output. At the end of the input
# (the owner closed it, or died) everything is taken down. The environment says what to hold: SLOT, TOKEN, NAME, TREE,
# DISK (overlay, copy or image), STORE (a folder of this server alone, on the cache's file system), HOST_ADDRESS,
# ADDRESS, RESOLVER (a file), IMAGE (for DISK=image: the tree as an ext4 image), MEMORY (bytes, '' for no limit).
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=host.sh
. "$here/host.sh"
root=$SLOT/root
net=$SLOT/net
bytes=$(printf '%02x' "$number")
host_mac=02:fd:00:00:$bytes:01
server_mac=02:fd:00:00:$bytes:02
# Nobody has this address: what is sent to it is lost without a word, as on a cut line.
nobody_mac=02:fd:00:00:$bytes:ff

mount_disk() {
  case $DISK in
    overlay)
      # In memory: fast, gone with the server, and no wear on the host's disk.
      mount -t tmpfs -o size=8g,mode=0755 flask-deploy-tests "$SLOT/overlay"
      mkdir "$SLOT/overlay/upper" "$SLOT/overlay/work"
      mount -t overlay -o "lowerdir=$TREE,upperdir=$SLOT/overlay/upper,workdir=$SLOT/overlay/work" overlay "$root"
      ;;
    copy)
      cp -a --reflink=auto "$TREE" "$STORE/tree"
      mount --bind "$STORE/tree" "$root"
      ;;
    image)
      cp --sparse=always "$IMAGE" "$STORE/image"
      mount_image
      ;;
  esac
}
mount_image() {
  mount -o loop,noinit_itable "$STORE/image" "$root"
}

name_server() {
  echo "$NAME" > "$root/etc/hostname"
  sed -i "s/^127\.0\.1\.1.*/127.0.1.1 $NAME/" "$root/etc/hosts"
  tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
  cat "$RESOLVER" > "$root/etc/resolv.conf"
}

# The server's network is made and named from outside, so a tree needs to know nothing of its address.
network_up() {
  : > "$net"
  unshare --net="$net" true
  # Packets as large as the host's own way out takes, or downloads would hang on the first large one.
  device=$(ip -o -4 route show default | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
  mtu=$(cat "/sys/class/net/$device/mtu" 2> /dev/null || echo 1500)
  ip link add "$link" address "$host_mac" mtu "$mtu" \
    type veth peer name eth0 address "$server_mac" mtu "$mtu" netns "$net"
  ip address add "$HOST_ADDRESS/30" dev "$link"
  ip link set "$link" up
  inside ip link set lo up
  inside ip link set eth0 up
  inside ip address add "$ADDRESS/30" dev eth0
  inside ip route add default via "$HOST_ADDRESS"
  neighbours "$server_mac" "$host_mac"
}
inside() {
  nsenter --net="$net" "$@"
}
network_down() {
  ip link delete "$link" 2> /dev/null || true
  umount "$net" 2> /dev/null || true
}
# neighbours OF_HOST OF_SERVER: where each end sends its packets.
neighbours() {
  ip neighbour replace "$ADDRESS" lladdr "$1" dev "$link" nud permanent
  inside ip neighbour replace "$HOST_ADDRESS" lladdr "$2" dev eth0 nud permanent
}

# nspawn ends with 133 where the server rebooted itself.
run_server() {
  result=133
  while [ "$result" = 133 ]; do
    remove_group
    mkdir "$group"
    limit_memory
    result=0
    # shellcheck disable=SC2016 # the inner shell's own $$ and arguments
    sh -euc '
      group=$1
      shift
      echo $$ > "$group/cgroup.procs"
      memory=$1
      shift
      [ -z "$memory" ] || echo $$ > "$memory/cgroup.procs"
      exec env SYSTEMD_NSPAWN_TMPFS_TMP=0 systemd-nspawn "$@"
    ' boot "$group" "${memory_group:-}" --quiet --register=no --keep-unit --boot --console=read-only --resolv-conf=off \
      --timezone=off --link-journal=no --network-namespace-path="$net" --machine="$NAME" --directory="$root" \
      >> "$SLOT/console.log" 2>&1 < /dev/null || result=$?
  done
}

runner=
use_cgroup2
lock
forwarding_on
unlock
mount_disk
name_server
network_up
echo 'done ready'

while read -r command; do
  case $command in
    start)
      run_server &
      runner=$!
      ;;
    unplug) neighbours "$nobody_mac" "$nobody_mac" ;;
    plug) neighbours "$server_mac" "$host_mac" ;;
    cut)
      # The line goes first: dying sockets would still say goodbye.
      neighbours "$nobody_mac" "$nobody_mac"
      if [ "$DISK" = image ]; then
        # EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (linux/fs/ext4/ext4.h): from now on not one byte
        # reaches the image, so what was not synced is lost.
        # shellcheck disable=SC2016 # perl's own variables
        perl -e 'my $how = pack("L", 2); open(my $f, "<", $ARGV[0]) or die "$!\n";
          ioctl($f, 0x8004587d, $how) or die "shutdown: $!\n"' "$root"
      fi
      kill_group
      wait
      if [ "$DISK" = image ]; then umount "$root"; fi
      ;;
    on)
      [ "$DISK" != image ] || mount_image
      # A new network stack: the old one still knows the connections of the dead server.
      network_down
      network_up
      run_server &
      runner=$!
      ;;
  esac
  echo "done $command"
done

# (first, or a server that is just rebooting would come back)
[ -z "$runner" ] || kill -KILL "$runner" 2> /dev/null || true
exec sh "$here/release.sh"
