# What no longer belongs to the app: older releases, and what a cut deploy left behind.
# shellcheck shell=sh

# $1: releases to keep; never the current or the previous one
prune() {
  excess=$(($(kept_ids | grep -c .) - $1))
  [ "$excess" -gt 0 ] || return 0
  goes=$(kept_ids | head -n "$excess" | grep -vxF -e "$current" -e "${previous:-$current}" || :)
  [ -n "$goes" ] || return 0
  for id in $goes; do kept=$(printf '%s\n' "$kept" | grep -v "^$id " | grep . || :); done
  kept="$kept
"
  state_save
  for id in $goes; do
    kill_release "$id"
    remove_release "$id"
    changed pruned "$id"
  done
}

# Names of releases that something on the disk speaks of.
found_ids() {
  {
    find "$home/releases" "/etc/web-$name" -mindepth 1 -maxdepth 1 2>/dev/null
    find /etc/systemd/system -maxdepth 1 -name "web-$name-[0-9]*"
  } | sed -n 's,.*/\(web-'"$name"'-\)\{0\,1\}\([0-9]\{14\}-[0-9a-f]\{7\}\)\(\..*\)\{0\,1\}$,\2,p' | sort -u
}

# An earlier deploy that was cut off: back to what the state file says, and its remains away.
repair() {
  clean_runs
  if [ -n "$attempt" ] || { [ -n "$current" ] && [ "$(serving)" != "$current" ]; }; then
    link=$(serving)
    if [ -n "$current" ] && [ "$link" != "$current" ]; then
      enable_release "$current"
      systemctl start "$(unit_of "$current").socket" "$(unit_of "$current").service" || :
      flip "$current"
      emit "repaired $link $current"
    fi
    if [ -z "$current" ]; then rm -f "$home/current"; fi
    attempt=''
    state_save
  fi
  strays=
  for id in $(found_ids); do
    is_kept "$id" || strays="$strays $id"
  done
  [ -n "$strays" ] || return 0
  for id in $strays; do
    kill_release "$id"
    remove_release "$id"
    changed cleaned "$id"
  done
  systemctl daemon-reload
}

# What earlier runs left in /run and of their bundles; a run whose unit is active may still wait for the lock.
clean_runs() {
  for folder in "/run/flask-deploy/$name"/*/; do
    id=$(basename "$folder")
    if [ "$id" = "$run" ] || systemctl --quiet is-active "flask-deploy-$name-$id.service"; then continue; fi
    # A program that was killed could not remove what is secret in it.
    rm -f "$folder/program" "$folder/check.json" "$folder/build.env"
    rm -f "/var/lib/flask-deploy/incoming/$name-$id" "/var/lib/flask-deploy/incoming/$name-$id".*
    # The events stay a while for a runner that comes back.
    [ -z "$(find "$folder" -maxdepth 0 -mmin +60)" ] || rm -rf "$folder"
  done
}
