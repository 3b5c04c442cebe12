# The flip, what the runner says of it, and what follows.
# shellcheck shell=sh

serving() {
  link=$(readlink "$home/current" 2>/dev/null) || link=
  printf '%s' "${link#releases/}"
}

# One rename moves pages, files and processes together. What must survive a power cut is on the disk before.
# $1: release
flip() {
  leaving=$(serving)
  if [ -n "$leaving" ] && [ "$leaving" != "$1" ]; then point "../$leaving" "$home/releases/$1/.previous"; fi
  to_disk
  point "releases/$1" "$home/current"
  sync -f "$home" 2>/dev/null || sync
}

# A frame of the runner's: the helper puts a file there.
# $1: name of the frame, $2: seconds to wait; sets $frame
await_frame() {
  clock
  last=$((now + $2)) frame=
  while [ ! -e "$dir/frame-$1" ]; do
    clock
    [ "$now" -lt "$last" ] || return 1
    sleep 0.05
  done
  IFS= read -r frame <"$dir/frame-$1" || :
}

# A runner that is known to be gone could not look at what visitors would get: it may come back first.
# $1: the most seconds; no more than it takes a runner to make its connection again, or to give that up
await_runner() {
  clock
  last=$((now + sent_wait))
  [ "$1" -ge "$sent_wait" ] || last=$((now + $1))
  while [ -e "$dir/lost" ]; do
    clock
    [ "$now" -lt "$last" ] || return 1
    sleep 0.05
  done
}

# One request through nginx on this machine, as a visitor would.
# $1: release that should answer, $2: seconds to keep trying (a reload of nginx takes a moment)
ask_nginx() {
  patiently /usr/bin/python3 -I "$dir/http.py" smoke "$asking" "$1" "$2" >"$dir/nginx-answer" 2>&1 || :
  answer=
  IFS= read -r answer <"$dir/nginx-answer" || :
}

# Nobody said whether the site is well, so the server looks for itself at what it has gone back to.
# $1: release
ask_alone() {
  ask_nginx "$1" 3
  emit "answered $answer"
  case $answer in ok\ *) ;; *) emit "doubt old-silent $1 $answer" ;; esac
}

# After the flip: visitors get the new release, the old one still runs.
# $1: seconds to wait for the word to switch
cut_over() {
  old=$(serving)
  await_frame cutover "$1" || fail no-cutover
  await_runner "$1" || fail no-cutover
  journal_open
  switching=yes
  enable_release "$release"
  flip "$release"
  flipped=yes
  [ "$nginx_changed" = no ] || ask_nginx "$release" 3
  emit "flipped $release"
  ask_nginx "$release" 1
  emit "answered $answer"
  record_release
}

# The verdict comes from the smoke test: keep, revert, or first try the old release by the same test.
# $1: seconds
await_verdict() {
  turn=1
  while :; do
    await_frame "verdict-$turn" "$1" || frame=none
    turn=$((turn + 1))
    case $frame in
      keep) break ;;
      try-old)
        # Does the old release fail the same test? Then it's not the new one's fault.
        [ -n "$old" ] || break
        flip "$old"
        emit "flipped $old"
        ask_nginx "$old" 1
        emit "answered $answer"
        ;;
      *)
        reason=smoke
        [ "$frame" != none ] || reason=no-verdict
        fail "$reason"
        ;;
    esac
  done
  [ "$(serving)" = "$release" ] || flip "$release"
}

# The verdict is "keep": from here on nothing is taken back by this program.
# $1: "ID BUNDLE DEPENDENCIES SETTINGS COMMIT SECONDS" of the release, $2: seconds that the server watches it (0: not)
settle() {
  # A stop waits: half of this would leave the old release running for good.
  stopping=no
  trap 'stopping=yes' TERM INT HUP
  stage=saving
  # A release that was watched still has another one before it, which waits.
  read_settling
  waited=$behind ready=no
  [ "$old" = "$release" ] || previous=$old
  if [ "$2" -gt 0 ] && [ -n "$old" ] && [ "$old" != "$release" ]; then
    ready=stopped
    if [ "${held_back:-no}" = no ] && room_for_two "$old" "$release"; then ready=running; fi
    keep_watch "$2"
  fi
  current=$release taken_back='' settling='' generation=$((generation + 1))
  [ "$ready" = no ] || settling="$release $old $ready"
  kept="$(printf '%s' "$kept" | grep -v "^$release " || :)"
  kept="${kept:+$kept
}$1
"
  state_save
  kept_now=yes stage=working
  commit_nginx
  drop_keys
  emit "kept $release"
  set_victim "$release" 0
  if [ "$ready" = no ]; then
    end_watch
  else
    begin_watch
    emit "settling $old $2 $ready"
  fi
  if [ -n "$old" ] && [ "$old" != "$release" ]; then
    if [ "$ready" = running ]; then quiet_release "$old"; else let_go "$old"; fi
  fi
  case $waited in '' | "$old" | "$release") ;; *) let_go "$waited" ;; esac
  switch_timers
  trap 'fail stopped' TERM INT HUP
  [ "$stopping" = no ] || fail stopped
}
