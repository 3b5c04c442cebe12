# Events: what the program tells the runner, one line each, "SECONDS KIND WORDS".
# Descriptor 3 is the events file, opened for appending; no child that runs foreign code inherits it, and
# foreign output passes through `foreign`, so that no build script can forge an event.
# shellcheck shell=sh

# What comes after one would be an event of its own; the name of a file that somebody else made can hold one.
newline='
'

# SECONDS are /proc/uptime's: they never jump, whatever the clock does.
emit() {
  IFS=' ' read -r now _ </proc/uptime
  words=$*
  case $words in
    *"$newline"*) words=$(printf '%s' "$words" | tr '\n' '?') ;;
  esac
  printf '%s %s\n' "$now" "$words" >&3 || use_spare "$words"
}

# /run is full: what the helper kept free of it is for what has to be told; what other programs print has no room any more.
# $1: what is to be told, of which a part may stand there already
use_spare() {
  [ -e "$dir/spare" ] || return 1
  rm -f "$dir/spare"
  : >"$dir/full"
  printf '\n%s %s\n' "$now" "$1" >&3
}

# The server's uptime in whole seconds; sets $now.
clock() {
  IFS=' ' read -r now _ </proc/uptime
  now=${now%.*}
}

# Bytes of one program's output: the events are in /run, which is small and everybody's.
most_foreign=10000000

# Copies lines of other programs into the events, each marked as such.
# $1: the kind, `log` (a tool we ran) or `app` (the application's own journal)
foreign() {
  room=$most_foreign
  while IFS= read -r line || [ -n "$line" ]; do
    if [ "$room" -le 0 ] || [ -e "$dir/full" ]; then continue; fi
    emit "$1 $line"
    room=$((room - ${#line} - 20))
    [ "$room" -gt 0 ] || emit "$1 (the rest is not kept: too much was said)"
  done
}

# Ends the program with a failure that the runner can explain.
# $1: code; the rest: details, one line
fail() {
  failure=$1
  look_at_disk "$1"
  [ -n "$exact" ] || look_at_kills "$@"
  [ -z "$exact" ] || emit "log (what failed: $*)"
  emit "fail ${exact:-$*}"
  exit 1
}

# Runs a command whose output is not ours and returns its status. In the background under `wait`, because
# dash acts on TERM only when no child runs in the foreground.
guarded() {
  rm -f "$dir/status"
  {
    s=0
    "$@" </dev/null 2>&1 3>&- 8>&- 9>&- || s=$?
    echo "$s" >"$dir/status"
  } | foreign log &
  wait $! || :
  s=1
  if [ -f "$dir/status" ]; then read -r s <"$dir/status"; fi
  return "$s"
}

# Runs one of our own slow commands (no foreign words) so that TERM is heard at once.
patiently() {
  "$@" 3>&- &
  wait $!
}

# systemd would put variables into the words of a unit's command (systemd.service(5), "Command Lines"), and reads two
# dollars as one.
# $1: a word; sets $word
literal() {
  rest=$1 word=''
  while [ "$rest" != "${rest#*\$}" ]; do
    word="$word${rest%%\$*}\$\$"
    rest=${rest#*\$}
  done
  word=$word$rest
}

# The first command of a transient unit: it runs the others, and says 128 and the signal's number of what ended them, for
# systemd-run says 255 of every signal. Where the kernel ended a process within for want of memory, a compiler say, it was a
# SIGKILL, whatever status was made of it.
# shellcheck disable=SC2016 # for the shell there
within='"$@" && exit
s=$?
while IFS=: read -r _ of group; do
  case ,$of, in
    ,,) counter=/sys/fs/cgroup$group/memory.events ;;
    *,memory,*) counter=/sys/fs/cgroup/memory$group/memory.oom_control ;;
    *) continue ;;
  esac
  [ ! -r "$counter" ] || while read -r word count; do [ "$word" != oom_kill ] || [ "$count" = 0 ] || s=137; done <"$counter"
done </proc/self/cgroup
exit "$s"'

# systemd (243 and newer) ends a whole unit where the kernel has ended a process of it: then nobody says of what, and what
# must not be stopped half-way is. Asked once. Sets $policy, words for systemd-run
look_for_policy() {
  [ -z "${policy+known}" ] || return 0
  policy=
  [ -z "$(systemctl show -p OOMPolicy --value systemd-journald.service 2>/dev/null)" ] || policy='-p OOMPolicy=continue'
}

# Runs a command in a transient unit and returns its status, or 128 and the signal that ended it; its output comes as `log` lines.
# $1: what the unit is for (a word); then systemd-run's properties, `--`, and the command
in_unit() {
  child="flask-deploy-$name-$run-$1"
  shift
  part=property
  for word do
    shift
    [ "$part" = property ] || literal "$word"
    set -- "$@" "$word"
    [ "$part$word" != property-- ] || {
      part=word
      literal "$within"
      set -- "$@" /bin/sh -c "$word" sh
    }
  done
  s=0
  count_kills
  look_for_policy
  # Where memory runs out it ends before any release.
  # shellcheck disable=SC2086 # words of ours
  guarded systemd-run --quiet --wait --pipe --collect --unit="$child" $policy -p OOMScoreAdjust=1000 "$@" || s=$?
  # Those who can do without its work cannot do with half of it.
  if [ "$s" = 137 ] && ran_out "$child"; then fail out-of-memory "$short"; fi
  child=
  return "$s"
}

# Ends whatever foreign unit is still at work (a cancel in the middle of a build).
end_child() {
  [ -n "$child" ] || return 0
  systemctl kill -s KILL "$child.service" 2>/dev/null || :
  systemctl stop "$child.service" 2>/dev/null || :
}

phase() { emit "phase $1"; }

# $1: what was changed (a word); the rest: its name
changed() { emit "changed $*"; }
