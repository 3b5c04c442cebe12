# The frame of a program that makes no release: a command such as `status`. It takes nothing back, for it leaves nothing
# half done that its next run does not end.
# shellcheck shell=sh

begin_task() {
  exec 3>>"$dir/events"
  beginnings
  trap task_ended EXIT
  trap 'fail stopped' TERM INT HUP
  state_load
}

task_ended() {
  status=$?
  trap '' TERM INT HUP
  trap - EXIT
  set +e
  rm -f "$dir/spare"
  if [ "$stage" != finished ]; then
    [ "$status" != 0 ] || status=1
    [ -n "$failure" ] || emit "fail internal $status"
    end_child
  else
    status=0
  fi
  rm -f "/run/web-$name/run-$run"
  emit "serving $(serving)"
  emit "end $status"
  rm -f "$dir/program" "$dir"/*.sh "$dir"/*.json "$dir"/*.py
  # The helper takes the folder away: nothing that lasts is made. Where there is none, another may come for the end.
  await_runner "$sent_wait" || rm -rf "$dir"
  exit "$status"
}

# What a command found, for the runner to read.
tell() { emit "fact $*"; }

# Takes the secrets of the app out of what it prints: the runner may not know them.
hide_secrets() {
  set -- "/etc/web-$name/generated.env" "/etc/web-$name/$release.env" "/etc/web-$name/$release.files"
  /usr/bin/python3 -I "$dir/hide_secrets.py" "$@" 3>&-
}

# The units of this app, of all its releases and beside them, whether they lie on the disk or systemd still has them. An
# app's name may begin with another's: a release's ID decides.
own_units() {
  {
    find "$wants" -maxdepth 1 -name "web-${name}[-.]*" | sed 's,.*/,,'
    systemctl list-units --all --plain --no-legend "web-${name}[-.]*" 2>/dev/null | sed 's/ .*//'
  } | grep -E "^web-$name(-[0-9]{14}-[0-9a-f]{7}\.([A-Za-z0-9_.-]+\.)?|\.[A-Za-z0-9_.-]+\.)(service|socket|timer)$" | sort -u
}
