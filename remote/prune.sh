# What an earlier deploy that was cut off left behind.
# shellcheck shell=sh

# An earlier deploy that was cut off: see recovery.sh. What was recovered since the last program is told as well.
repair() {
  clean_runs
  trust_build_cache
  mend_lineage "web-$name" || :
  recover repaired now
  [ ! -f "$home/recovered" ] || {
    emit "repaired $(cat "$home/recovered")"
    rm -f "$home/recovered"
  }
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
  uptime=$(uptime_seconds) patience=3600
  set -- "/run/flask-deploy/$name"/*/
  [ $# -lt 20 ] || patience=300
  [ $# -lt 40 ] || patience=30
  for folder in "/run/flask-deploy/$name"/*/; do
    id=${folder%/}
    id=${id##*/}
    case "flask-deploy-$name-$run.service $active" in *"flask-deploy-$name-$id.service"*) continue ;; esac
    # Its helper may be about to start a program.
    if read -r helper _ 2>/dev/null <"${folder}helper" && [ -d "/proc/$helper" ]; then continue; fi
    # A program that was killed, and a recovery as well, could not remove what is secret in it.
    drop_secrets "${folder%/}"
    for left in "$folder"library.sh "$folder"spare "$folder"*.part \
      "/var/lib/flask-deploy/incoming/$name-$id"*; do
      [ ! -e "$left" ] || rm -f "$left"
    done
    # The events stay a while for a runner that comes back: by the server's uptime, which never jumps as clocks do.
    if read -r over 2>/dev/null <"${folder}over"; then
      [ "$((uptime - over))" -lt "$patience" ] || rm -rf "$folder"
    else
      printf '%s\n' "$uptime" 2>/dev/null >"${folder}over" || :
    fi
  done
  # After a boot nothing else tells of them.
  for left in "/var/lib/flask-deploy/incoming/$name-"*; do
    id=${left#"/var/lib/flask-deploy/incoming/$name-"}
    id=${id%%.*}
    case $id in *[!0-9a-f]*) continue ;; esac
    [ "$id" = "$run" ] || [ -d "/run/flask-deploy/$name/$id" ] || rm -f "$left"
  done
  sweep_answers
}
