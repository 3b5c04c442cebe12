# A release's units: a socket that systemd holds and the service behind it, each a whole file named by the release.
# shellcheck shell=sh

wants=/etc/systemd/system

# $1: release
unit_of() { printf 'web-%s-%s' "$name" "$1"; }

# Enabled: the same links that `systemctl enable` makes, without its reload of everything.
# $1: release
enable_release() {
  mkdir -p "$wants/sockets.target.wants" "$wants/multi-user.target.wants"
  point "$wants/$(unit_of "$1").socket" "$wants/sockets.target.wants/$(unit_of "$1").socket"
  point "$wants/$(unit_of "$1").service" "$wants/multi-user.target.wants/$(unit_of "$1").service"
  # What may run only once comes with the verdict.
  enable_beside "$1" process
}

# $1: release
is_enabled() {
  [ -L "$wants/sockets.target.wants/$(unit_of "$1").socket" ] && [ -L "$wants/multi-user.target.wants/$(unit_of "$1").service" ]
}

disable_release() {
  disable_beside "$1"
  rm -f "$wants/sockets.target.wants/$(unit_of "$1").socket" "$wants/multi-user.target.wants/$(unit_of "$1").service"
}

# The first start is one process, so that an app that migrates at import is alone; gunicorn.conf.py reads the mark.
# $1: release
start_release() {
  unit=$(unit_of "$1")
  mkdir -p "/run/web-$name"
  : >"/run/web-$name/$1.first"
  made_units=yes
  # systemd finds a new unit by itself; reading all units anew takes a second on a full server.
  case $(systemctl show -p LoadState,NeedDaemonReload "$unit.socket" "$unit.service") in
    *=not-found* | *=yes*) systemctl daemon-reload ;;
  esac
  # One that has waited in the settle time of the next counts its restarts from now on.
  [ "$making" = yes ] || systemctl reset-failed "$unit.service" 2>/dev/null || :
  patiently systemctl start "$unit.socket" "$unit.service" || {
    systemctl --quiet is-active "$unit.socket" || fail start-socket "$unit"
    app_log "$1"
    if keep_refused "$dir/app.log"; then
      start_release "$1"
      return 0
    fi
    fail start "$unit"
  }
  set_victim "$1" 1000
}

# The other worker processes join: gunicorn adds one for each TTIN.
# $1: release, $2: worker processes in all
grow_release() {
  unit=$(unit_of "$1")
  if has_web_command "$1"; then
    rm -f "/run/web-$name/$1.first"
    return 0
  fi
  allow_processes "$1" "$2"
  if [ "$allowed" -lt "$2" ] && [ -n "$(serving)" ] && [ "$(serving)" != "$1" ]; then
    # gunicorn.conf.py takes the number from there.
    held_back=yes
    printf '%s' "$allowed" >"/run/web-$name/$1.first"
    emit "doubt workers-held-back $allowed $2 $((used_most / 1024)) $((memory_left / 1024))"
    set -- "$1" "$allowed"
  else
    rm -f "/run/web-$name/$1.first"
  fi
  master=$(systemctl show -p MainPID --value "$unit.service")
  count=1
  while [ "$count" -lt "$2" ]; do
    kill -s TTIN "$master"
    count=$((count + 1))
  done
}

# The application's last words.
# $1: release
app_log() { unit_log "$(unit_of "$1").service"; }

# $1: unit
unit_log() {
  # A process that died is seen before the one that started it has said how.
  sleep 0.3
  journalctl --sync 2>/dev/null || :
  journalctl -u "$1" -n 150 -o cat --no-pager 2>/dev/null >"$dir/app.log" || :
  foreign app <"$dir/app.log"
}

# Three good answers over the release's own socket.
# $1: release
check_release() {
  unit=$(unit_of "$1")
  answer=
  patiently /usr/bin/python3 -I "$dir/http.py" health "$dir/check.json" "$1" "/run/web-$name/$1.sock" "$unit.service" \
    >"$dir/answer" 2>&1 || :
  IFS= read -r answer <"$dir/answer" || :
  case $answer in
    ok\ *) emit "health ${answer#ok }" ;;
    fail\ *)
      app_log "$1"
      # A program or a library of the system's may be all that it lacks, or a file that it may write.
      if install_for "$dir/app.log" || keep_refused "$dir/app.log"; then
        kill_release "$1"
        start_release "$1"
        check_release "$1"
        return 0
      fi
      fail "${answer#fail }"
      ;;
    *)
      foreign log <"$dir/answer"
      fail internal "health check ended without an answer"
      ;;
  esac
}

# A release nobody visits any more, or never did: gone at once.
# $1: release
kill_release() {
  unit=$(unit_of "$1")
  # With everything beside the web process.
  systemctl kill -s KILL "$unit.service" "$unit.*.service" 2>/dev/null || :
  systemctl stop "$unit.socket" "$unit.service" "$unit.*" 2>/dev/null || :
  systemctl reset-failed "$unit.service" "$unit.socket" "$unit.*" 2>/dev/null || :
}

# A release that visitors have just left: it finishes what it has, on its own time. So does a job that is just running.
# $1: release
drain_release() {
  # shellcheck disable=SC2046 # a list of unit names
  systemctl stop --no-block "$(unit_of "$1").socket" "$(unit_of "$1").service" $(web_proxy "$1") \
    $(units_beside "$1" timer) $(units_beside "$1" process) $(units_beside "$1" single) || :
}

# A release that only waits, in case that it has to serve again: what runs beside its web process ends.
# $1: release
quiet_release() {
  # shellcheck disable=SC2046 # a list of unit names
  set -- $(units_beside "$1" timer) $(units_beside "$1" process) $(units_beside "$1" single)
  [ $# != 0 ] || return 0
  for unit; do rm -f "$wants/multi-user.target.wants/$unit" "$wants/timers.target.wants/$unit"; done
  systemctl stop --no-block "$@" || :
}

# Everything of a release that is on the disk.
# $1: release
remove_release() {
  disable_release "$1"
  # With whatever a killed program was just writing: ID.env.4711.new.
  rm -rf "$wants/$(unit_of "$1")."* "/etc/web-$name/${1:?}."* "/run/web-$name/$1.first"
  rm -rf "${home:?}/releases/${1:?}" "${home:?}/written/${1:?}.json"
  remove_holes "$1"
}

# One that nobody is in, with all of it.
# $1: release
end_release() {
  kill_release "$1"
  remove_release "$1"
}
