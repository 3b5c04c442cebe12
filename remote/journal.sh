# The journal: what a program has begun and not yet brought to its end, on the disk before anything is changed that a cut
# could leave half. Whether it is brought to its end or taken back is decided by the state file alone: see recovery.sh.
#   begun          RUN RELEASE made|reused OLD
#   written        nginx's files of this deploy stay: they are to be taken down as ours
#   nginx/, secure/  bytes of nginx's files from before, whole once the folder has that name; `secure`: of the switch to
#                  HTTPS, which has a test of its own after the verdict
# Beside it lies the guard folder: what goes on without a run, or after a boot, works with the copies in it.
# shellcheck shell=sh

journal=$home/journal guard=$home/guard journaled=no
recovery_unit=web-$name.recovery.service

# Begins it; a second time does nothing. It is on the disk after the next `to_disk`.
journal_open() {
  [ "$journaled" = no ] || return 0
  [ ! -e "$journal" ] || rm -rf "$journal"
  mkdir -m 0700 "$journal"
  how=reused
  [ "$making" = no ] || how=made
  (umask 077 && printf '%s %s %s %s\n' "$run" "$release" "$how" "${current:--}" >"$journal/begun")
  keep_guard
  # Read by systemd at the next boot and not before. Whole, because the file system of /srv may come later.
  cat >"$wants/$recovery_unit" <<UNIT
[Unit]
Description=web-$name: take back a deploy that was cut off
RequiresMountsFor=$home /run
Before=nginx.service

[Service]
Type=oneshot
ExecStart=/bin/sh $guard/recover.sh boot $name
TimeoutStartSec=60
LimitCORE=0
UMask=0022
UNIT
  mkdir -p "$wants/multi-user.target.wants"
  ln -sf "../$recovery_unit" "$wants/multi-user.target.wants/$recovery_unit"
  journaled=yes
}

# What was begun; sets $begun_run and $begun, the release. '' where nothing is open.
journal_load() {
  begun_run='' begun=''
  [ ! -f "$journal/begun" ] || IFS=' ' read -r begun_run begun _ <"$journal/begun" || :
}

# All is done, or taken back. By rename, so that a cut leaves all of it or nothing.
journal_close() {
  journaled=no
  if [ -d "$journal" ]; then
    [ ! -e "$journal.old" ] || rm -rf "$journal.old"
    mv -T "$journal" "$journal.old"
    rm -rf "$journal.old"
  fi
  [ ! -e "$wants/$recovery_unit" ] || rm -f "$wants/multi-user.target.wants/$recovery_unit" "$wants/$recovery_unit"
  drop_guard
}

# Copies of what a later program of this app works with, root's alone: check.json holds the releases' nonces.
keep_guard() {
  [ -d "$guard" ] || mkdir -m 0700 "$guard"
  fresh=$guard
  # Somebody may need the copies that are there; after a cut as well.
  [ ! -e "$guard/library.sh" ] || fresh=$guard/new
  [ -d "$fresh" ] || mkdir "$fresh"
  for copy in library.sh recover.sh http.py flask_deploy_processes.py edited.py flask_deploy_drift.py flask_deploy_look.py check.json; do
    [ ! -f "$dir/$copy" ] || set -- "$@" "$dir/$copy"
  done
  install -m 0600 -t "$fresh" "$@"
  [ "$fresh" != "$guard" ] || return 0
  sync -f "$fresh" 2>/dev/null || sync
  mv -f "$fresh"/* "$guard"
  rmdir "$fresh"
}

# Nothing is open any more. A watch has a folder of its own.
drop_guard() {
  if [ -d "$guard" ] && [ ! -d "$journal" ]; then rm -rf "$guard"; fi
}

# Whatever was written for this app is on the disk, on each file system that has a part of it.
to_disk() {
  nginx_folder
  # shellcheck disable=SC2046 # paths of ours
  sync -f $(stat -c '%d %n' "$home" "/etc/web-$name" "$wants" "$sites" "/var/lib/web-$name" /var/lib/flask-deploy 2>/dev/null |
    awk '!had[$1]++ { print $2 }') 2>/dev/null || sync
}
