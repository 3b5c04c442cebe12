# Debian packages: only what is missing, never a prompt, never stopped half-way.
# shellcheck shell=sh

# The names among "$@" that are not installed, one a line.
missing_packages() {
  for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
    [ "$status" = installed ] || printf '%s\n' "$package"
  done
}

# $1: upgrade first (yes or no); then the names wanted
install_packages() { try_packages "$@" || fail packages "$missing"; }

# The same, where the deploy can go on without them.
try_packages() {
  upgrade=$1 missing=''
  shift
  # shellcheck disable=SC2046 # package names hold no blanks
  set -- $(missing_packages "$@")
  [ $# != 0 ] || [ "$upgrade" = yes ] || return 0
  server_lock
  # shellcheck disable=SC2046
  set -- $(missing_packages "$@")
  missing=$*
  emit "running apt-get install $missing"
  : >"$dir/apt.log"
  rm -f "$dir/apt.fifo"
  mkfifo "$dir/apt.fifo"
  # The unit writes to the file; only the reader is ours to end.
  tail -n +1 -f -s 0.2 "$dir/apt.log" 2>/dev/null 3>&- 8>&- 9>&- >"$dir/apt.fifo" &
  reader=$!
  foreign log <"$dir/apt.fifo" &
  s=0
  # No app's unit is called so, nor the program's of an app that is called apt.
  patiently systemd-run --quiet --wait --collect --unit="flask-deploy-apt.$run" \
    -p "StandardOutput=append:$dir/apt.log" -p "StandardError=append:$dir/apt.log" \
    /bin/sh "$dir/apt.sh" "$upgrade" "$@" || s=$?
  sleep 0.3
  kill "$reader" 2>/dev/null || :
  server_unlock
  [ "$s" = 0 ] || return 1
  [ $# = 0 ] || changed packages "$missing"
}
