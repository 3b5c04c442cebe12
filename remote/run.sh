# `command: run`: one command in the release that serves, with its user, env and walls, and nothing of it stays.
# shellcheck shell=sh

# The release's own word on what the runner does not know of it: its secret files, and which variables of the server's own
# making it must not see.
own_properties() {
  sed -n 's/%%/%/g; /^UnsetEnvironment=/p; /^LoadCredential=/p; /^Environment=CREDENTIALS_DIRECTORY=/p' \
    "$wants/$(unit_of "$release").service" 2>/dev/null >"$dir/properties" || :
}

# $1: seconds; the rest: the unit's properties
run_command() {
  seconds=$1
  shift
  [ -d "$root" ] || fail facts-changed "$release"
  # Where the app may read it: an argument could be read by everybody.
  script=/run/web-$name/run-$run
  mkdir -p "/run/web-$name"
  write_file "$script" 0640 "root:web-$name" "$(cat "$dir/command")
"
  rm -f "$dir/command"
  # Of two files with the same variable the later one counts.
  if [ -f "$root/.deploy/target.env" ]; then
    set -- -p "EnvironmentFile=$root/.deploy/target.env" "$@"
  else
    set -- -p "Environment=PYTHONPATH=$root" "$@"
  fi
  own_properties
  while IFS= read -r property; do set -- "$@" -p "$property"; done <"$dir/properties"
  emit "running the command in release $release"
  emit 'block output'
  IFS=' ' read -r began _ </proc/uptime
  child="flask-deploy-$name-$run-command"
  literal "$within"
  look_for_policy
  {
    s=0
    # shellcheck disable=SC2086 # words of ours
    systemd-run --quiet --wait --pipe --collect --unit="$child" $policy -p "RuntimeMaxSec=$seconds" -p TimeoutStopSec=5 "$@" \
      -- /bin/sh -c "$word" sh /bin/sh -eu "$script" </dev/null 2>&1 3>&- || s=$?
    echo "$s" >"$dir/status"
  } | hide_secrets | foreign log &
  wait $! || :
  s=1
  if [ -f "$dir/status" ]; then read -r s <"$dir/status"; fi
  child=
  [ "$s" != 0 ] || return 0
  IFS=' ' read -r up _ </proc/uptime
  [ $((${up%%.*} - ${began%%.*})) -lt "$seconds" ] || fail command-timeout "run $seconds"
  fail run "$s"
}
