# The frame of every program: it begins, it ends, and where it fails it takes back what it did.
# shellcheck shell=sh

begin() {
  exec 3>>"$dir/events"
  beginnings
  trap ended EXIT
  trap 'fail stopped' TERM INT HUP
  state_load
}

# Nothing is done yet.
beginnings() {
  taken_down=no
  failure='' child='' stage=working has_lock=no
  made_release=no made_units=no nginx_changed=no nginx_written=no bytes=nginx switching=no flipped=no kept_now=no draining='' old='' current='' previous='' persisted=''
  asking=$dir/check.json made_processes=no stopped_singles='' starting=''
  count_kills
}

finish() { stage=finished; }

ended() {
  status=$?
  trap '' TERM INT HUP
  trap - EXIT
  set +e
  rm -f "$dir/spare"
  end_record
  if [ "$stage" != finished ]; then
    [ "$status" != 0 ] || status=1
    [ -n "$failure" ] || {
      look_at_disk internal
      [ -n "$exact" ] || look_at_kills internal "$status"
      emit "fail ${exact:-internal $status}"
    }
    end_child
    # apt is never stopped half-way: what it installs stays.
    ! systemctl --quiet is-active "flask-deploy-apt.$run.service" || emit "doubt packages-go-on ${missing:-}"
    # Where the verdict could not be saved, the disk knows whether it was.
    if [ "$stage" = saving ]; then
      state_load
      [ "$current" != "$release" ] || kept_now=yes
    fi
    # After the verdict only what is still on its way is taken back.
    if [ "$kept_now" = yes ]; then restore_nginx; else undo; fi
    # A cancel waits for few seconds only, and the disk may be slow.
    if [ "$has_lock" = yes ] && [ "$failure" != stopped ]; then trust_build_cache; fi
  else
    status=0
  fi
  # Another program of this run follows, made for the server as it is now; the bundle need not travel again.
  case $failure in facts-changed | wheels-wanted) ;; *) rm -f "$bundle" "$bundle".* ;; esac
  record_nginx
  emit "serving $(serving)"
  emit "end $status"
  take_down
  # The events stay for a runner that comes back; secrets do not.
  drop_secrets "$dir"
  leave_all
  # Without them the unit's end has nothing to recover.
  rm -f "$dir/library.sh"
  exit "$status"
}

# What of a run is secret, and what its program works with. One program is started, and none where nothing is left.
# $1: the run's folder
drop_secrets() {
  run_folder=$1
  set --
  for left in "$run_folder/program" "$run_folder/build.env" "$run_folder/app.log" "$run_folder"/*.json "$run_folder"/*.py \
    "$run_folder"/*.sh "$run_folder"/*.txt "$run_folder/said"; do
    # (the unit's end works with these)
    case $left in */recover.sh | */library.sh) continue ;; esac
    [ ! -e "$left" ] || set -- "$@" "$left"
  done
  [ $# = 0 ] || rm -f "$@"
}

# How large the release is, once, and what a build has left: nobody waits for it.
take_down() {
  [ "$taken_down" = no ] || return 0
  taken_down=yes
  # (another program may be building)
  [ "$has_lock" = no ] || trust_build_cache
  if [ "$kept_now$made_release" = yesyes ]; then note_size; fi
}

# What a program leaves to itself when all is told, and its journal: the runner does not wait until releases that visitors
# have left have finished what they have.
leave_all() {
  if [ -n "$draining" ]; then
    # Whatever was on its way to their sockets at the flip is taken in by then. Under the lock: the next deploy may want one
    # of them back.
    sleep 1
    for id in $draining; do drain_release "$id"; done
    journal_close
    for id in $draining; do
      if is_kept "$id"; then continue; fi
      exec 9>&-
      systemctl stop "$(unit_of "$id").socket" "$(unit_of "$id").service" "$(unit_of "$id").*"
      remove_release "$id"
    done
    systemctl daemon-reload
    [ "${held_back:-no}" = no ] || [ "$kept_now" = no ] || {
      exec 9>&-
      # shellcheck disable=SC2086 # IDs
      grow_later "$release" $draining
    }
    draining=
  fi
  [ "$journaled" = no ] || journal_close
}

# Back to the release that served before, with nothing left of the new one.
undo() {
  # Who waited for the lock in vain has done nothing.
  [ "$has_lock" = yes ] || return 0
  clean_halves
  if [ "$flipped" = yes ] && [ -n "$old" ] && [ "$(serving)" != "$old" ]; then
    flip "$old"
    emit "reverted $old"
  elif [ "$flipped" = yes ] && [ -z "$old" ]; then
    rm -f "$home/current"
  fi
  restore_nginx
  # Without a word of the runner's nobody has looked at the site; where there was no release, there is none to ask.
  [ "$failure" != no-verdict ] || [ -z "$old" ] || ask_alone "$old"
  if [ "$made_units" = yes ] && [ "$release" != "$old" ]; then
    disable_release "$release"
    rm -f "/run/web-$name/$release.first"
    take_back_processes
    # Where visitors had got it already, their last requests are still in it; a worker may have a task.
    if [ "$flipped" = yes ] && [ -n "$old" ] || [ -n "$(begun_processes)" ]; then
      draining="${draining:+$draining }$release"
    else
      kill_release "$release"
    fi
  fi
  # A rollback's release was there before and stays.
  if [ "$made_release" = yes ] && [ "${draining%"$release"}" = "$draining" ]; then
    remove_release "$release"
    [ "$made_units" = no ] || systemctl daemon-reload
  fi
  mend_previous
  if [ "$switching" = yes ]; then
    generation=$((generation + 1))
    state_save
  fi
}
