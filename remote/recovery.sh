# Recovery: what a program left that was killed, or cut off with the server's power, is brought to its end where the
# state file names its release already, and taken back where it does not. It can itself be cut anywhere, and begun anew.
# By the next program of the app, by the end of the killed one's unit, and at boot (recover.sh).
# shellcheck shell=sh

# Names of releases that something on the disk speaks of.
found_ids() {
  {
    find "$home/releases" "/etc/web-$name" -mindepth 1 -maxdepth 1 2>/dev/null
    find /etc/systemd/system -maxdepth 2 -name "web-$name-[0-9]*"
  } | sed -n 's,.*/\(web-'"$name"'-\)\{0\,1\}\([0-9]\{14\}-[0-9a-f]\{7\}\)\(\..*\)\{0\,1\}$,\2,p' | sort -u
}

# Files and links that a program was just about to rename to their names.
clean_halves() {
  digits='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
  # shellcheck disable=SC2231 # a pattern
  for half in "$home"/*.new "$home"/releases/*/.previous.*.new "$home"/releases/*/.deploy/*.new "/etc/web-$name"/*.new \
    "$wants/web-$name"-$digits-*.new "$wants"/*.wants/"web-$name"-$digits-*.new "$wants/web-$name.redis.service".*.new \
    "$home/written"/*.new "$home/written/.new" \
    "/etc/nginx/.web-$name".*; do
    if [ -e "$half" ] || [ -L "$half" ]; then rm -rf "$half"; fi
  done
  rm -rf "${home:?}/probe" "${home:?}/journal.old" "$guard/new"
}

# Under the app's lock. $1: the event that tells of a flip back; $2: `now` where what visitors have just left has to be gone
# afterwards, `later` where `leave_all` does that: $draining
recover() {
  back=no link=
  [ -f "$home/state" ] || return 0
  state_load
  journal_load
  clean_halves
  link=$(serving)
  if [ -n "$current" ] && ! is_enabled "$current"; then enable_release "$current"; fi
  if [ -n "$current" ] && [ "$link" != "$current" ]; then
    back=yes
    systemctl start ${starting:+"$starting"} "$(unit_of "$current").socket" "$(unit_of "$current").service" || :
    flip "$current"
    [ "$1" != reverted ] || emit "reverted $current"
    [ "$1" != repaired ] || emit "repaired $link $current"
  elif [ -z "$current" ] && [ -L "$home/current" ]; then
    back=yes
    rm -f "$home/current"
  fi
  recover_nginx
  if [ -n "$begun" ] && [ "$begun" != "$current" ]; then back=yes; fi
  rest_of_kept
  remove_strays "$2"
  mend_previous
  [ -z "$current" ] || resume_beside "$current"
  [ -z "$begun" ] || [ "$begun" != "$current" ] || finish_records
  if [ "$back" = yes ]; then
    generation=$((generation + 1))
    state_save
  fi
  mend_watch
  case $2$draining in later?*) ;; *) journal_close ;; esac
}

# What the program takes down of a release when its end is said already.
finish_records() {
  [ -f "$dir/edited.py" ] || return 0
  release_before=$release release=$begun written_before=$nginx_written
  [ ! -e "$journal/written" ] || nginx_written=yes
  [ -e "$home/releases/$begun/.deploy/size" ] || note_size
  record_release
  end_record
  record_nginx
  release=$release_before nginx_written=$written_before
}

# Of kept releases only the one that serves, and one that settles with it, run and begin again at a boot.
rest_of_kept() {
  for id in $(kept_ids); do
    [ "$id" != "$current" ] || continue
    rest_beside "$id"
    case "$settling " in "$current $id "*) continue ;; esac
    if [ -L "$wants/multi-user.target.wants/$(unit_of "$id").service" ] || [ -L "$wants/sockets.target.wants/$(unit_of "$id").socket" ]; then
      disable_release "$id"
      drain_release "$id"
    elif systemctl --quiet is-active "$(unit_of "$id").socket" "$(unit_of "$id").service"; then
      drain_release "$id"
    fi
  done
}

# Whatever belongs to no kept release.
# $1: see `recover`
remove_strays() {
  strays=
  for id in $(found_ids); do
    if is_kept "$id"; then continue; fi
    # It still answers its last requests: the program that let it go waits for that, and removes it then.
    if is_finishing "$id"; then
      [ -n "$(other_programs)" ] || let_go "$id"
      continue
    fi
    strays="$strays $id"
  done
  for id in $strays; do
    disable_release "$id"
    if [ "$id" = "$link" ] && [ -z "$starting" ] && [ -n "$current" ]; then
      if [ "$1" = later ]; then
        draining=$id
        continue
      fi
      sleep 1
      patiently timeout 30 systemctl stop "$(unit_of "$id").socket" "$(unit_of "$id").service" || :
    fi
    end_release "$id"
    changed cleaned "$id"
  done
  [ -z "$strays" ] || systemctl daemon-reload
}

# Programs of this app that are at work, but for this one.
other_programs() {
  systemctl list-units --plain --no-legend --state=active,activating,deactivating "flask-deploy-$name-*.service" |
    grep -v "^flask-deploy-$name-$run\\.service " || :
}

# After a way back: `.previous` leads to the release that was taken away.
mend_previous() {
  [ -n "$current" ] || return 0
  lead=$home/releases/$current/.previous
  if [ ! -L "$lead" ] || [ -e "$lead" ]; then return 0; fi
  if [ -n "$previous" ] && [ -d "$home/releases/$previous" ] && [ "$previous" != "$current" ]; then
    point "../$previous" "$lead"
  else
    rm -f "$lead"
  fi
}

# What recovery would do, one line each; nothing where all is as the state file says. Changes nothing.
#   finish RELEASE, take-back RELEASE   a deploy that was cut off
#   flip LINK CURRENT   (`-`: none)
#   nginx   its files from before
#   remove RELEASE, stop RELEASE
tell_repair() {
  [ -f "$home/state" ] || return 0
  state_load
  journal_load
  if [ -d "$journal" ]; then
    if [ -n "$begun" ] && [ "$begun" = "$current" ]; then printf 'finish %s\n' "$begun"; else printf 'take-back %s\n' "${begun:--}"; fi
  fi
  link=$(serving)
  [ "$link" = "$current" ] || printf 'flip %s %s\n' "${link:--}" "${current:--}"
  if [ -d "$journal/secure" ] || { [ -d "$journal/nginx" ] && [ "$begun" != "$current" ]; }; then printf 'nginx\n'; fi
  for id in $(found_ids); do
    if ! is_kept "$id"; then
      is_finishing "$id" || printf 'remove %s\n' "$id"
    elif [ "$id" != "$current" ]; then
      case "$settling " in "$current $id "*) continue ;; esac
      [ ! -L "$wants/multi-user.target.wants/$(unit_of "$id").service" ] || printf 'stop %s\n' "$id"
    fi
  done
}

# By itself, without a program: see recover.sh. $1: `killed` or `boot`
recover_alone() {
  # Each step is worth doing, whatever became of the one before.
  set +e
  mkdir -p "$dir"
  rm -f "$dir/spare"
  chmod 0700 /run/flask-deploy
  beginnings
  starting=''
  if [ "$1" = boot ]; then
    # The units that it waits for may wait for it.
    starting=--no-block
    exec 3>&1
    cp "$guard"/*.py "$dir" 2>/dev/null
  else
    IFS=' ' read -r _ word _ <<LAST
$(tail -n 1 "$dir/events" 2>/dev/null)
LAST
    if [ "$word" = end ]; then exec 3>/dev/null; else exec 3>>"$dir/events"; fi
    emit "fail program-killed"
  fi
  exec 9>>"/run/flask-deploy/$name/lock"
  # Who has the lock by now recovers by itself, first of all: what serves is told when that is done.
  if flock -w 5 9; then
    has_lock=yes
    hold_as 'the server itself, which repairs what was cut off'
    clean_runs
    recover reverted later
    [ "$back" = no ] || printf '%s %s\n' "${link:--}" "${current:--}" >"$home/recovered"
  fi
  rm -f "$bundle" "$bundle".*
  emit "serving $(serving)"
  emit 'end 1'
  # (at boot the site waits for this)
  [ "$1" = boot ] || [ "$has_lock" = no ] || trust_build_cache
  drop_secrets "$dir"
  leave_all
  [ "$1" = boot ] || rm -f "$dir/library.sh"
}
