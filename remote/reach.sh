# A connection that was lost, and is made again: the next helper of a run takes the place of the one before, says what
# there is of what was sent, and goes on with the events where the runner left off.
# shellcheck shell=sh

# When a process began, in ticks since the boot: with its number that makes it the only one (proc(5), field 22 of stat; the
# name before it may hold anything).
# $1: its number; sets $began ('' where there is none)
began_at() {
  began=
  IFS= read -r words <"/proc/$1/stat" || return 0
  # shellcheck disable=SC2086 # a list of numbers
  set -- ${words##*) }
  shift 19
  began=$1
} 2>/dev/null

# This helper is the one that speaks for the run from now on. The one before it may still wait for the rest of a frame, for
# sshd notices late that a line is dead: it is ended, with what it began in front of itself. What watches over the program is
# a shell of its own, and stays.
take_over() {
  number='' since=''
  if [ -f "$dir/helper" ]; then IFS=' ' read -r number since <"$dir/helper" || :; fi
  case $number in '' | *[!0-9]*) number=$$ ;; esac
  began_at "$number"
  if [ "$number" != $$ ] && [ -n "$began" ] && [ "$began" = "$since" ]; then
    # Stopped first: it would take the end of a child for a full disk.
    kill -s STOP "$number" || :
    children=$(cat "/proc/$number/task/$number/children") || children=
    kill -s KILL "$number" || :
    await_end "$number"
    for child in $children; do
      IFS= read -r comm <"/proc/$child/comm" || continue
      [ "$comm" != sh ] || continue
      kill -s KILL "$child" || :
      await_end "$child"
    done
  fi
  began_at $$
  printf '%s %s\n' "$$" "$began" >"$dir/helper" || {
    rm -f "$dir/spare"
    printf '%s %s\n' "$$" "$began" >"$dir/helper"
  }
  rm -f "$dir/lost"
} 2>/dev/null

# Only one helper speaks for a run: what comes late on a dead line is nobody's any more.
speaks() {
  speaker=
  if [ -f "$dir/helper" ]; then IFS=' ' read -r speaker _ <"$dir/helper" || :; fi
  [ "$speaker" = $$ ]
}

# What was killed writes nothing any more once it is gone, or waits for whoever asks for its status.
# $1: number of a process
await_end() {
  tries=100
  while IFS= read -r words <"/proc/$1/stat"; do
    case ${words##*) } in Z*) return 0 ;; esac
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 0
    sleep 0.02
  done
} 2>/dev/null

# How many programs a run has started.
# $1: folder of the run
starts_of() {
  count=0
  if [ -f "$1/starts" ]; then read -r count <"$1/starts" || :; fi
  printf '%s' "$count"
}

# A program that was killed has said no "end".
# $1: folder of the run, $2: how many programs it has started, $3: status
tell_gone() {
  [ "$(grep -c '^[0-9.]* end ' "$1/events")" -lt "$2" ] || return 0
  mkdir "$1/gone-$2" 2>/dev/null || return 0
  tail -n 3 "$1/stderr" 2>/dev/null | sed 's/^/0 stderr /' >>"$1/events"
  printf '0 gone %s\n' "$3" >>"$1/events"
}

# The helper that started a program may be gone, and with it whoever waits for the program's end.
# $1: run
watch_over() {
  watched=/run/flask-deploy/$name/$1
  absent=0
  while [ "$absent" -lt 3 ]; do
    sleep 1
    case $(systemctl show -p ActiveState --value "flask-deploy-$name-$1.service") in
      active | activating | deactivating | reloading) absent=0 ;;
      *) absent=$((absent + 1)) ;;
    esac
  done
  tell_gone "$watched" "$(starts_of "$watched")" 255
}

# $1: run, $2: bytes of its events that the runner has
attach() {
  attached=/run/flask-deploy/$name/$1
  if [ "$1" = "$run" ] && [ -d "$attached" ]; then take_over; fi
  held "$1"
  if [ -e "$attached/starts" ] && [ -z "$following" ]; then
    follow "$attached" "$2"
    watch_over "$1" >/dev/null 2>&1 </dev/null &
  fi
}

# What the server has of what was sent: "held starts N", "held bundle BYTES", or `whole` or `taken` for them, and the bytes
# of each wheel that was begun.
# $1: run
held() {
  sent=/var/lib/flask-deploy/incoming/$name-$1
  printf 'held starts %s\n' "$(starts_of "/run/flask-deploy/$name/$1")"
  if [ -e "/run/flask-deploy/$name/$1/bundle-taken" ]; then
    echo 'held bundle taken'
  elif [ -e "$sent" ]; then
    echo 'held bundle whole'
  else
    printf 'held bundle %s\n' "$(stat -c %s "$sent.part" 2>/dev/null || echo 0)"
  fi
  for one in "$sent".*; do
    case ${one#"$sent."} in part | '*') ;; *) printf 'held %s %s\n' "${one#"$sent."}" "$(stat -c %s "$one")" ;; esac
  done
  echo held-end
}
