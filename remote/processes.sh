# What a release runs beside its web process: processes, of which some may run only once on a server (`single`), and jobs
# by timers. What there is stands in the release's own list, which root wrote.
# shellcheck shell=sh

# The units of one kind.
# $1: release, $2: process, single or timer
units_beside() {
  list=$home/releases/$1/.deploy/processes
  [ -f "$list" ] || return 0
  while IFS=' ' read -r kind own; do
    [ "$kind" = "$2" ] || continue
    if [ "$kind" = timer ]; then own=cron.$own.timer; else own=$own.service; fi
    printf '%s.%s\n' "$(unit_of "$1")" "$own"
  done <"$list"
}

# Their names, for people: web-NAME-ID.worker.service is `worker`.
# $1: unit
process_of() {
  own=${1#"$(unit_of "$release")".}
  printf '%s' "${own%.*}"
}

# At each boot from now on.
# $1: release, $2: kind
enable_beside() {
  target=multi-user
  [ "$2" != timer ] || target=timers
  for unit in $(units_beside "$1" "$2"); do
    mkdir -p "$wants/$target.target.wants"
    point "$wants/$unit" "$wants/$target.target.wants/$unit"
  done
}

# $1: release
disable_beside() {
  rm -f "$wants/multi-user.target.wants/$(unit_of "$1")."* "$wants/timers.target.wants/$(unit_of "$1")."*
}

# Stops what may run only once, with the time that it has for that.
# $1: release, $2: kind
stop_beside() {
  ending=$(units_beside "$1" "$2")
  [ -n "$ending" ] || return 0
  # shellcheck disable=SC2086 # a list of unit names
  patiently systemctl stop $ending || :
}

# Before the flip: each has to live its first seconds, else the release is none.
# Of what may run only once, the old release's ends before the new one's begins.
start_processes() {
  leaving=$(serving)
  beside="$(units_beside "$release" process) $(units_beside "$release" single)"
  made_processes=yes
  if [ -n "$leaving" ] && [ "$leaving" != "$release" ] && [ -n "$(units_beside "$release" single)" ]; then
    journal_open
    stopped_singles=$leaving
    stop_beside "$leaving" single
  fi
  began=no
  for unit in $beside; do
    began=yes
    emit "running process $(process_of "$unit")"
    patiently systemctl start "$unit" || process_died "$unit"
  done
  [ "$began" = yes ] || return 0
  # As many looks as there are in five seconds.
  looks=10
  while [ "$looks" -gt 0 ]; do
    patiently sleep 0.5
    looks=$((looks - 1))
    for unit in $beside; do
      case $(systemctl show -p NRestarts,ActiveState "$unit" | sort | tr '\n' ' ') in
        'ActiveState=active NRestarts=0 ' | 'ActiveState=active ') ;;
        *) process_died "$unit" ;;
      esac
    done
  done
  for unit in $beside; do changed process "$(process_of "$unit") started"; done
}

# $1: unit
process_died() {
  unit_log "$1"
  fail process-died "$(process_of "$1")"
}

# After the verdict: what runs at set times, and at each boot what may run only once.
switch_timers() {
  if [ -n "$old" ] && [ "$old" != "$release" ]; then stop_beside "$old" timer; fi
  enable_beside "$release" single
  enable_beside "$release" timer
  for unit in $(units_beside "$release" timer); do
    if systemctl start "$unit"; then
      own=$(process_of "$unit")
      changed cron "${own#cron.} scheduled"
    else
      emit "doubt cron-not-scheduled $(process_of "$unit")"
    fi
  done
}

# What this program has started of it.
begun_processes() { [ "$made_processes" = no ] || units_beside "$release" process; }

# Nothing of a release that failed goes on, and what the old one had to stop for it runs again.
take_back_processes() {
  [ "$made_processes" = yes ] || return 0
  # It has run for moments, and the old release's waits.
  singles=$(units_beside "$release" single)
  if [ -n "$singles" ]; then
    # shellcheck disable=SC2086 # a list of unit names
    timeout 3 systemctl stop $singles || systemctl kill -s KILL $singles 2>/dev/null || :
  fi
  [ -z "$stopped_singles" ] || resume_beside "$stopped_singles"
}

# A release that serves runs it all, whatever an earlier program had stopped.
# $1: release
resume_beside() {
  enable_beside "$1" process
  enable_beside "$1" single
  enable_beside "$1" timer
  for unit in $(units_beside "$1" single) $(units_beside "$1" process) $(units_beside "$1" timer); do
    systemctl start --no-block "$unit" || :
  done
}

# Of a release that does not serve nothing may run that is for one alone, whatever an earlier program had left running.
# $1: release
rest_beside() {
  for unit in $(units_beside "$1" single) $(units_beside "$1" timer); do
    rm -f "$wants/multi-user.target.wants/$unit" "$wants/timers.target.wants/$unit"
    systemctl stop --no-block "$unit" || :
  done
}

# Has a release anything that is just finishing its work?
# $1: release
is_finishing() {
  [ -n "$(systemctl list-units --plain --no-legend --state=deactivating "$(unit_of "$1").*")" ]
}
