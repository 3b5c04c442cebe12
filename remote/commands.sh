# The project's own commands with a new release: its code, its env, its user and the walls around it.
# shellcheck shell=sh

# Once in the app's life: it may make tables, and would drop them the next time. A release that was kept is proof enough
# that the app has what it needs.
# $1: seconds, $2: the command's text; the rest: the unit's properties
first_deploy_command() {
  if [ "$initialised" = yes ]; then
    emit 'found first-deploy-command ran'
  elif [ -n "$current" ]; then
    emit 'found first-deploy-command late'
  else
    run_commands first-deploy-command "$@"
    # At once: whatever becomes of this release, its work is done.
    initialised=yes
    state_save
  fi
}

# $1: seconds, $2: the command's text; the rest: the unit's properties
release_command() { run_commands release-command "$@"; }

# What of a release is ours, whatever the project's commands do.
ours="-name .venv -o -name .site -o -name .deploy -o -name .public -o -name .previous -o -name .sock"

# Before anybody gets the release its commands may write into it (compiled translations, packed assets): the project's
# files are the app's for as long. The folder itself stays root's, and sticky: what is ours in it cannot be moved away.
lend_release() {
  # shellcheck disable=SC2086 # words of ours
  find "$root" -mindepth 1 -maxdepth 1 ! \( $ours \) -exec chown -hR "web-$name" {} +
  chmod 1771 "$root"
}

# Root's again, once the command's processes are gone. What somebody else owns, has a second name elsewhere or is no plain
# file is a trick.
seal_release() {
  # shellcheck disable=SC2086
  foreign_file=$(find "$root" -mindepth 1 \( -path "$root/*/*" -o ! \( $ours \) -o -prune -false \) \
    \( ! -user "web-$name" -o -type f -links +1 -o ! -type f ! -type d ! -type l \) -print -quit)
  [ -z "$foreign_file" ] || fail release-tampered "$foreign_file"
  # shellcheck disable=SC2086
  find "$root" -mindepth 1 -maxdepth 1 ! \( $ours \) -exec chown -hR "root:web-$name" {} +
  # shellcheck disable=SC2086
  find "$root" \( $ours \) -prune -o -type d -exec chmod 0751 {} + -o -type f -exec chmod u=rwX,g=rX,o-w,a-s {} +
  chmod 0751 "$root"
  keep_made
}

# A database that a command made beside the code is the app's to write from then on, and outlives the release.
keep_made() {
  [ -e "$dir/probe.json" ] || return 0
  /usr/bin/python3 -I "$dir/flask_deploy_made.py" "$dir/probe.json" "$root" "$home/state" >"$dir/made"
  [ -s "$dir/made" ] || return 0
  while IFS="$tab" read -r _ path; do
    keep_path file "$path"
    emit "found persist $path / $path"
  done <"$dir/made"
  # At once: the next deploy's commands have to find it, whatever becomes of this one.
  state_save
}

# Commands of several lines, as a file: an argument could be read by everybody.
# $1: which, $2: seconds for all tries together, $3: their text; the rest: the unit's properties
run_commands() {
  which=$1 seconds=$2
  write_file "$root/.deploy/$which" 0640 "root:web-$name" "$3
"
  shift 3
  case $which in
    release-command) spoken='the release command' ;;
    *) spoken='the first-deploy command' ;;
  esac
  emit "running $spoken"
  lend_release
  locked=0
  since=$(uptime_seconds)
  until=$((since + seconds))
  while :; do
    rest=$((until - $(uptime_seconds)))
    [ "$rest" -gt 0 ] || rest=1
    lines=$(wc -l <"$dir/events")
    ended=0
    in_unit "$which" -p "RuntimeMaxSec=$rest" -p TimeoutStopSec=5 "$@" -- /bin/sh -eu "$root/.deploy/$which" ||
      ended=$?
    [ "$ended" != 0 ] || break
    [ "$(uptime_seconds)" -lt "$until" ] || fail command-timeout "$which $seconds"
    # Another process writes to the same SQLite file: the old release, or a job.
    if tail -n "+$((lines + 1))" "$dir/events" | tail -n 20 | grep -q '^[0-9.]* log .*database is locked'; then
      [ "$locked" -lt 2 ] || fail database-locked "$which"
      locked=$((locked + 1))
      emit "running $spoken once more in two seconds: its database is locked"
      patiently sleep 2
    elif [ "$which" = release-command ]; then
      fail release-command "$ended"
    else
      fail first-deploy-command "$ended"
    fi
  done
  seal_release
  changed "$which" 'done'
}

# The server's uptime, in whole seconds.
uptime_seconds() {
  clock
  printf '%s' "$now"
}
