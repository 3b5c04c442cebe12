# `command: logs`: the last lines of the app's log, and of nginx's errors of its site.
# shellcheck shell=sh

# $1: how many lines, the rest: releases
show_logs() {
  lines=$1
  shift
  units=$(own_units)
  for id; do
    for unit in $units; do
      case $unit in "$(unit_of "$id")."*) set -- "$@" -u "$unit" ;; esac
    done
    shift
  done
  emit 'block app'
  # Without a unit it would be everybody's log.
  [ $# = 0 ] || {
    journalctl --sync 2>/dev/null || :
    journalctl "$@" -n "$lines" -a -o json --no-pager 2>/dev/null >"$dir/journal" || :
    /usr/bin/python3 -I "$dir/app_log.py" journal "web-$name" <"$dir/journal" 2>&1 | hide_secrets | foreign log
  }
  emit 'block nginx'
  /usr/bin/python3 -I "$dir/app_log.py" file "/var/log/nginx/web-$name.error.log" "$lines" 2>&1 | hide_secrets | foreign log
}
