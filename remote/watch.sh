# The settle time: the release before the new one stays ready, and a unit of its own watches the new one after the job has
# ended. Should it die, the server goes back by itself. What is watched stands in the state file, so that whatever
# the unit finds there, after a boot too, is what it goes by.
# shellcheck shell=sh

watch_folder=$home/watch watch_unit=web-$name.watch.service watching=no

# $settling is "ID OLD running|stopped". Sets $watched and $behind, empty where nothing settles.
read_settling() {
  IFS=' ' read -r watched behind ready <<WORDS
$settling
WORDS
}

# Before the state file says that a release settles, and on the disk: a cut in between leaves a unit that finds nothing to do.
# $1: seconds
keep_watch() {
  new=$watch_folder.new
  rm -rf "$new"
  mkdir -m 0700 "$new"
  (umask 077 && cp "$dir/library.sh" "$dir/http.py" "$dir/flask_deploy_processes.py" "$dir/flask_deploy_watch.py" "$dir/check.json" "$new")
  write_file "$new/watch" 0600 root:root "set -eu
cd /
umask 022
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
name=$name run=watch release='' making=no
home=/srv/web-\$name
root=\$home/releases/none
dir=\$home/watch
bundle=/nonexistent
. \"\$dir/library.sh\"
watch_over $1 $(cat /proc/sys/kernel/random/boot_id)
"
  rm -rf "$watch_folder"
  mv -T "$new" "$watch_folder"
  # Always the same text, so that systemd need not read it anew.
  text="[Unit]
Description=$name: watch over its newest release
ConditionPathExists=$watch_folder/watch
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh $watch_folder/watch
Restart=on-failure
RestartSec=5
TimeoutStopSec=900
KillMode=mixed

[Install]
WantedBy=multi-user.target
"
  holds "$wants/$watch_unit" "$text" || write_file "$wants/$watch_unit" 0644 root:root "$text"
  mkdir -p "$wants/multi-user.target.wants"
  point "$wants/$watch_unit" "$wants/multi-user.target.wants/$watch_unit"
  to_disk
}

# An earlier one may be about to end, on a release's last requests: this does not wait for it.
begin_watch() {
  case $(systemctl show -p LoadState,NeedDaemonReload "$watch_unit") in
    *=not-found* | *=yes*) systemctl daemon-reload ;;
  esac
  systemctl restart --no-block "$watch_unit" || emit 'doubt not-watched'
}

# Nothing settles any more. Under the app's lock. The unit does not start again without what it starts, so that goes first.
forget_watch() {
  rm -rf "$wants/multi-user.target.wants/${watch_unit:?}" "${home:?}/watch/watch" "$wants/${watch_unit:?}" "$home/watch" "$home/watch.new"
}

# The same for another program's: it waits for the lock at most, and would find nothing to do.
end_watch() {
  if [ ! -e "$watch_folder" ] && [ ! -e "$wants/$watch_unit" ]; then return 0; fi
  systemctl stop --no-block "$watch_unit" 2>/dev/null || :
  forget_watch
}

# After a program that was killed: whatever settles is watched, and else nothing is. Under the app's lock.
mend_watch() {
  # The watch itself comes by here on its way back.
  [ "$watching" = no ] || return 0
  if [ -z "$settling" ]; then
    end_watch
  elif ! can_watch; then
    read_settling
    settled
    end_watch
  elif ! systemctl --quiet is-active "$watch_unit"; then
    begin_watch
  fi
}

# Is all there that it works with? The power may have gone before the bytes were on the disk.
can_watch() {
  [ -e "$wants/$watch_unit" ] || return 1
  for part in watch library.sh http.py flask_deploy_processes.py flask_deploy_watch.py check.json; do
    [ -s "$watch_folder/$part" ] || return 1
  done
}

# The unit's own program.
# $1: seconds, $2: the boot in which it was made
watch_over() {
  exec 3>/dev/null
  beginnings
  watching=yes since=fresh
  [ "$(cat /proc/sys/kernel/random/boot_id)" = "$2" ] || since=booted
  state_load
  read_settling
  found=
  if [ -n "$settling" ]; then
    # shellcheck disable=SC2046 # a list of unit names
    found=$(/usr/bin/python3 -I "$dir/http.py" watch "$asking" "$watched" "/run/web-$name/$watched.sock" \
      "$(unit_of "$watched").service" "$1" "$since" $(units_beside "$watched" process) $(units_beside "$watched" single))
  fi
  mkdir -p "/run/flask-deploy/$name"
  chmod 0700 /run/flask-deploy
  exec 9>>"/run/flask-deploy/$name/lock"
  flock 9
  # What follows is short, or comes to its end at the next start.
  trap '' TERM INT HUP
  write_file "/run/flask-deploy/$name/holder" 0600 root:root "the server itself, which looks after its newest release
"
  before=$settling
  state_load
  # A program that was killed may have left the lock to this: what it had begun comes first. It may have switched to the very
  # release that would be ended here.
  [ ! -d "$journal" ] || recover none now
  if [ "$settling" != "$before" ]; then
    found=
    # A later release: whoever kept it has written this folder anew.
    if [ -n "$settling" ]; then
      trap - TERM INT HUP
      exec 9>&-
      exec /bin/sh "$dir/watch"
    fi
  fi
  case $found in
    well\ *)
      settled
      echo "release $watched is settled"
      ;;
    fail\ *) take_back "${found#fail }" ;;
    *) go_on ;;
  esac
  leave_all
  # That may have let go of the lock, and a deploy may have begun a watch of its own. Killed before, this one starts again.
  trap - TERM INT HUP
  exec 9>>"/run/flask-deploy/$name/lock"
  flock 9
  state_load
  if [ -z "$settling" ]; then
    forget_watch
    # Else systemd would go on listing what is no more on the disk.
    systemctl daemon-reload
  fi
}

# The new release has lived: the one before it ends. No plan was made for that, so the generation stays.
settled() {
  settling=''
  state_save
  let_go "$behind"
}

# A release that visitors have left some time ago ends, in its own time.
# $1: release
let_go() {
  disable_release "$1"
  draining="${draining:+$draining }$1"
}

# The new release is dying. The state file comes first: whatever is cut then goes on towards the old release.
# $1: why: a code and details
take_back() {
  echo "release $watched is dying: $1"
  patience=20
  systemctl --quiet is-active "$(unit_of "$behind").socket" "$(unit_of "$behind").service" || start_old "$behind"
  well=$(/usr/bin/python3 -I "$dir/http.py" alive "$asking" "$behind" "/run/web-$name/$behind.sock" "$patience") || well=fail
  commit=$(printf '%s' "$kept" | sed -n "s/^$watched [^ ]* [^ ]* [^ ]* \([^ ]*\).*/\1/p" | tail -n 1)
  if [ "$well" != ok ]; then
    echo "release $behind is not well either (${well#fail }), so $watched stays"
    rm -f "/run/web-$name/$behind.first"
    taken_back="$watched ${commit:--} stays $1"
    settled
    return 0
  fi
  kept=$(printf '%s' "$kept" | grep -v "^$watched " || :)
  kept="${kept:+$kept
}"
  taken_back="$watched ${commit:--} $1" settling='' current=$behind generation=$((generation + 1))
  previous=$(kept_ids | grep -vxF -- "$behind" | tail -n 1)
  state_save
  go_back "$1"
}

# To $current, which the state file names already: what recovery does with a program that was cut off.
# $1: why
go_back() {
  recover none later
  echo "visitors get release $current again"
  if [ -e "/run/web-$name/$current.first" ]; then grow_release "$current" 2 || :; fi
  # What the link leads to is about to be removed.
  if [ -n "$previous" ]; then point "../$previous" "$home/releases/$current/.previous"; else rm -f "$home/releases/$current/.previous"; fi
  ask_nginx "$current" 3
  case $answer in ok\ *) ;; *) echo "it does not answer through nginx: ${answer#fail }" ;; esac
  # What still waits for one that hangs, or is not there, waits in vain; others finish what they have.
  case $1 in
    worker-restarted* | process-died* | health-status*) ;;
    *)
      sleep 3
      kill_release "$watched"
      ;;
  esac
}

# This unit, or a program, was cut in the middle of what follows the state file; or there is nothing to do.
go_on() {
  read -r watched _ why <<WORDS
$taken_back
WORDS
  case $why in
    '' | stays\ *) recover none later ;;
    *) if [ -e "$home/releases/$watched" ]; then go_back "$why"; else recover none later; fi ;;
  esac
}

# Where memory was short it had been stopped: one process first, as at every first start, and the time that a new release
# gets as well.
# $1: release
start_old() {
  mkdir -p "/run/web-$name"
  : >"/run/web-$name/$1.first"
  systemctl start "$(unit_of "$1").socket" "$(unit_of "$1").service" || :
  patience=$(sed -n 's/.*"timeout":\([0-9]*\).*/\1/p' "$asking" | head -n 1)
}

# With `wait-settled`: the program's last step, without the lock.
# $1: seconds that it lasts
await_settled() {
  read_settling
  [ "$watched" = "$release" ] || return 0
  take_down
  leave_all
  exec 9>&-
  emit "running settle time of release $release, $1 s in all"
  while [ "$watched" = "$release" ]; do
    patiently sleep 0.5
    state_load
    read_settling
  done
  IFS=' ' read -r gone _ why <<WORDS
$taken_back
WORDS
  if [ "$gone" != "$release" ]; then
    # A later run may have put it aside meanwhile: it has lived so long.
    emit "settled $release"
    return 0
  fi
  app_log "$release"
  case $why in stays\ *) fail not-settled "${why#stays }" ;; esac
  # The link follows the state file.
  tries=100
  while [ "$(serving)" = "$release" ] && [ "$tries" -gt 0 ]; do
    patiently sleep 0.1
    tries=$((tries - 1))
  done
  fail taken-back "$why"
}
