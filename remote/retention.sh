# Which releases stay: those that a verdict kept, the newest of them, and always what serves and the way back.
# shellcheck shell=sh

# The releases that nobody may take away: the current, the previous, and while a release settles what it would fall back to.
pinned_ids() {
  # shellcheck disable=SC2086 # IDs, with a word after them that is none
  printf '%s\n' "$current" "$previous" ${settling:-} "${release:-}" "${old:-}" | grep . || :
}

# The kept ones that nothing pins, oldest first: the list is in the order of the verdicts, whatever their IDs say. One that is
# finishing would not give its room at once.
spare_ids() {
  pins=$(pinned_ids)
  kept_ids | grep . | grep -vxF -e "$pins" | while IFS= read -r id; do is_finishing "$id" || printf '%s\n' "$id"; done
}

# $1: releases to keep; what is pinned counts, but stays
prune() {
  excess=$(($(kept_ids | grep -c .) - $1))
  if [ "$excess" -gt 0 ]; then
    pins=$(pinned_ids)
    goes=$(kept_ids | head -n "$excess" | grep -vxF -e "$pins" || :)
    # shellcheck disable=SC2086 # IDs
    [ -z "$goes" ] || drop_releases $goes
  fi
  sweep
}

# The state file first: what it names is there, whenever the power goes. One that still answers its last requests, whoever
# has let it go, finishes them: `leave_all` removes it then.
# "$@": kept releases
drop_releases() {
  dropped=$* idle=
  for id; do
    kept=$(printf '%s\n' "$kept" | grep -v "^$id " | grep . || :)
    case " ${draining:-} " in
      *" $id "*) ;;
      *) if is_finishing "$id"; then let_go "$id"; else idle="$idle $id"; fi ;;
    esac
  done
  kept="${kept:+$kept
}"
  # shellcheck disable=SC2086 # IDs
  set -- $idle
  # Not a byte may be left to write it.
  state_save || {
    [ $# = 0 ] || end_release "$1"
    state_save
  }
  for id; do end_release "$id"; done
  for id in $dropped; do changed pruned "$id"; done
}

# Is it a release's ID? What bears the app's name in its own may be another app's.
is_id() {
  case $1 in
    *[!0-9a-f-]* | *-*-*) return 1 ;;
    [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-???????) return 0 ;;
    *) return 1 ;;
  esac
}

# What belongs to no release: marks, sockets, links of units, what the app wrote for a release that is gone, and halves
# of files. `repair` takes away what more there may be of a release. No program is started where nothing is found.
sweep() {
  there=" $(kept_ids | tr '\n' ' ') ${release:-} ${old:-} ${draining:-} "
  for one in "/run/web-$name/"[0-9]* "$wants/"*.wants/"web-$name-"[0-9]* "/var/cache/web-$name/releases/"[0-9]* \
    "/etc/web-$name/"[0-9]* "$home/releases/"[0-9]*.new; do
    [ -e "$one" ] || [ -L "$one" ] || continue
    id=${one##*/}
    id=${id#"web-$name-"}
    id=${id%%.*}
    is_id "$id" || continue
    case $one in
      # (a program that was killed in the middle of a write)
      *.[0-9]*.new) ;;
      *) case $there in *" $id "*) continue ;; esac ;;
    esac
    if is_finishing "$id"; then continue; fi
    case $one in
      "/var/cache/"*) remove_holes "$id" ;;
      *) rm -rf "$one" ;;
    esac
  done
  rm -f "$home"/state.*.new "$home"/current.*.new
}
