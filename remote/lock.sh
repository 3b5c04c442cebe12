# Locks, held by the kernel: they end with the process and can't go stale. Who holds one is written beside it.
# shellcheck shell=sh

# One deploy at a time for one app.
# $1: seconds to wait, $2: who we are, for the next in line
take_lock() {
  exec 9>>"/run/flask-deploy/$name/lock"
  if ! flock -n 9; then
    holder=$(head -c 500 "/run/flask-deploy/$name/holder" 2>/dev/null | head -n 1) || holder=
    emit "waiting ${holder:-another deploy}"
    patiently flock -w "$1" 9 || fail lock-timeout "${holder:-another deploy}"
  fi
  has_lock=yes
  hold_as "$2"
}

# Under the lock: for whom is to be waited?
# $1: one line
hold_as() {
  write_file "/run/flask-deploy/$name/holder" 0600 root:root "$1
"
}

# Under the lock: is the server still what the plan was made for?
# $1: the generation that the plan saw
compare_generation() {
  state_load
  [ "$generation" = "$1" ] || fail facts-changed "$generation"
  [ -z "$release" ] || [ ! -e "$home/releases/$release" ] || [ "$making" = no ] || fail facts-changed "$release"
}

# One program at a time for what all apps of a server share: apt, uv's install, nginx's configuration.
server_lock() {
  exec 8>>/run/flask-deploy/lock
  flock -n 8 || {
    emit 'waiting another app of this server'
    patiently flock -w 900 8 || fail lock-timeout 'another app of this server'
  }
}

server_unlock() { exec 8>&-; }
