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
  rm -rf "${home:?}/probe"
  mend_lineage "web-$name" || :
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
    # One that is just finishing its last requests goes by itself.
    if is_kept "$id"; then
      [ "$id" = "$current" ] || rest_beside "$id"
    elif ! is_finishing "$id"; then
      strays="$strays $id"
    fi
  done
  for id in $strays; do
    kill_release "$id"
    remove_release "$id"
    changed cleaned "$id"
  done
  [ -z "$strays" ] || systemctl daemon-reload
  [ -z "$current" ] || resume_beside "$current"
}

# What a program that was killed had begun goes on without it, and would write into what is cleaned up. Under the app's
# lock none of it is anybody's any more.
# $1: the active units, a line each
end_orphans() {
  for unit in $(printf '%s\n' "$1" |
    sed -n 's/^\(flask-deploy-'"$name"'-[0-9a-f]*-\(build\|site\|download\|persist\|services\|probe\|first-deploy-command\|release-command\)\.service\) .*/\1/p'); do
    systemctl kill -s KILL "$unit" 2>/dev/null || :
    systemctl stop "$unit" 2>/dev/null || :
    changed ended "$unit"
  done
}

# What earlier runs left in /run and of their bundles; a run whose unit is active may still wait for the lock.
# Programs are started for what is there only: a server that is deployed to often has many folders.
clean_runs() {
  active=$(systemctl list-units --plain --no-legend --state=active,activating,deactivating "flask-deploy-$name-*.service")
  end_orphans "$active"
  for folder in "/run/flask-deploy/$name"/*/; do
    id=${folder%/}
    id=${id##*/}
    case "flask-deploy-$name-$run.service $active" in *"flask-deploy-$name-$id.service"*) continue ;; esac
    # A program that was killed could not remove what is secret in it.
    for left in "$folder"program "$folder"check.json "$folder"secured.json "$folder"build.env "$folder"app.log "$folder"*.part \
      "/var/lib/flask-deploy/incoming/$name-$id"*; do
      [ ! -e "$left" ] || rm -f "$left"
    done
  done
  # The events stay a while for a runner that comes back.
  aged=$(find "/run/flask-deploy/$name" -mindepth 1 -maxdepth 1 -type d -mmin +60)
  for folder in $aged; do
    case $active in *"flask-deploy-$name-${folder##*/}.service"*) ;; *) rm -rf "$folder" ;; esac
  done
}
