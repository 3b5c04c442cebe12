# What a server says of one app, for `status` and `doctor`: one fact a line. Only read: no lock is kept, so it goes on beside a
# deploy, and each part tells what it can where another is broken.
# shellcheck shell=sh

look() {
  now_serving=$(serving)
  for part in machine disks nginx lock releases files python units beside repairs answers; do
    "look_$part" || :
  done
}

look_machine() {
  IFS=' ' read -r up _ </proc/uptime
  tell "uptime ${up%%.*}"
  IFS=' ' read -r load _ </proc/loadavg
  tell "load $load"
  while read -r key value _; do
    case $key in
      MemTotal:) tell "memory total $value" ;;
      MemAvailable:) tell "memory left $value" ;;
      SwapTotal:) tell "memory swap $value" ;;
    esac
  done </proc/meminfo
  if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then tell reboot yes; fi
  if [ -d /var/log/journal ]; then tell journald kept; else tell journald lost; fi
}

# Blocks of 1 KiB and inodes.
look_disks() {
  for folder in / /etc /srv /tmp /var; do
    [ -d "$folder" ] || continue
    blocks=$(df -Pk "$folder" 2>/dev/null | awk 'NR == 2 { print $2, $4, $6 }') || continue
    inodes=$(df -Pi "$folder" 2>/dev/null | awk 'NR == 2 { print $2, $4 }') || inodes='0 0'
    tell "disk $folder ${blocks% *} $inodes ${blocks##* }"
  done
}

look_nginx() {
  command -v nginx >/dev/null || return 0
  active=$(systemctl is-active nginx.service) || :
  enabled=$(systemctl is-enabled nginx.service 2>/dev/null) || :
  sound=yes
  nginx -t -q >"$dir/nginx.out" 2>&1 || sound=no
  tell "nginx ${active:-unknown} ${enabled:-unknown} $sound"
  [ "$sound" = yes ] || {
    emit 'block nginx-test'
    head -n 20 "$dir/nginx.out" | foreign log
  }
}

# Who holds the app's lock. To know it is to try: shared, and for a moment, after which whoever comes just then goes on. (The
# kernel's own list, /proc/locks, leaves out in a container what a program holds that has ended.)
look_lock() {
  lock=/run/flask-deploy/$name/lock
  [ -e "$lock" ] || return 0
  flock -n -s "$lock" true || tell "holder $(head -c 500 "/run/flask-deploy/$name/holder" 2>/dev/null | head -n 1)"
}

# What each takes on the disk, in KiB; files that releases share count for the one that serves.
look_releases() {
  set --
  for folder in "$home/current/." "$home"/releases/*/ "/var/lib/web-$name" "/var/lib/web-$name.redis" "/var/cache/web-$name" \
    "/var/cache/web-$name-build" "/var/log/web-$name"; do
    [ ! -d "$folder" ] || set -- "$@" "$folder"
  done
  [ $# != 0 ] || return 0
  timeout 20 du -sk -- "$@" 2>/dev/null >"$dir/sizes" || :
  while IFS="$tab" read -r size folder; do
    case $folder in
      "$home/current/.") tell "size release/$now_serving $size" ;;
      "$home/releases/"*)
        folder=${folder%/}
        tell "size release/${folder##*/} $size"
        ;;
      *) tell "size $folder $size" ;;
    esac
  done <"$dir/sizes"
}

# What the release that serves cannot do without.
# $1: a word, $2: path, $3: how `test` looks for it
must_have() { test "$3" "$2" || tell "missing $1 $2"; }

look_files() {
  [ -n "$current" ] || return 0
  id -u "web-$name" >/dev/null 2>&1 || tell "missing user web-$name"
  must_have release "$home/releases/$current" -d
  must_have env-file "/etc/web-$name/$current.env" -f
  must_have env-file "/etc/web-$name/generated.env" -f
  must_have unit "$wants/$(unit_of "$current").service" -f
  must_have unit "$wants/$(unit_of "$current").socket" -f
  must_have socket "/run/web-$name/$current.sock" -S
  must_have folder "/var/lib/web-$name" -d
  nginx_folder
  must_have site "$sites/web-$name.conf" -f
}

# The interpreter of the release that serves, as its link says: nothing of a release's is run by root.
look_python() {
  [ -d "$home/releases/$current/.venv" ] && [ -n "$current" ] || return 0
  link=$(readlink "$home/releases/$current/.venv/bin/python") || link=
  own=
  for folder in "$home/releases/$current/.venv/lib"/python3.*; do own=${folder##*/}; done
  there=no
  if [ -x "$home/releases/$current/.venv/bin/python" ]; then there=yes; fi
  is=$(readlink -f "$link" 2>/dev/null) || is=
  tell "python ${link:--} $there ${own:--} ${is##*/}"
}

# One line for each unit; systemd tells the properties in an order of its own.
look_units() {
  units=$(own_units)
  [ -n "$units" ] || return 0
  # shellcheck disable=SC2086 # a list of unit names
  systemctl show -p Id,LoadState,ActiveState,SubState,Result,NRestarts,MemoryCurrent,NeedDaemonReload $units 2>/dev/null |
    awk -F= '
      function out() {
        if (of["Id"] != "") print of["Id"], of["LoadState"], of["ActiveState"], of["SubState"], of["Result"] == "" ? "-" : of["Result"], \
          of["NRestarts"] == "" ? "-" : of["NRestarts"], of["MemoryCurrent"] ~ /^[0-9]+$/ ? of["MemoryCurrent"] : "-", of["NeedDaemonReload"]
        split("", of)
      }
      $0 == "" { out(); next }
      { key = $1; sub(/^[^=]*=/, ""); of[key] = $0 }
      END { out() }' >"$dir/units"
  while IFS=' ' read -r unit rest; do
    enabled=no
    for link in "$wants"/*.wants/"$unit"; do [ ! -L "$link" ] || enabled=yes; done
    tell "unit $unit $rest $enabled"
  done <"$dir/units"
}

# What runs beside the web process, and when it runs next.
look_beside() {
  [ -n "$current" ] || return 0
  for kind in process single; do
    for unit in $(units_beside "$current" "$kind"); do tell "beside $kind $unit"; done
  done
  for unit in $(units_beside "$current" timer); do
    next=$(TZ=UTC systemctl show -p NextElapseUSecRealtime --value "$unit") || next=
    last=$(TZ=UTC systemctl show -p LastTriggerUSec --value "$unit") || last=
    tell "beside timer $unit ${next:-never}, ${last:-never}"
  done
}

# What the next deploy, or the server itself, would set right.
look_repairs() { tell_repair | while IFS= read -r line; do tell "repair $line"; done; }

# One request each: over the release's own socket, and through nginx. A service that is stopped is not woken for it.
look_answers() {
  [ -n "$now_serving" ] && [ -x /usr/bin/python3 ] || return 0
  if systemctl --quiet is-active "$(unit_of "$now_serving").service"; then
    answer=
    patiently /usr/bin/python3 -I "$dir/http.py" look "$dir/check.json" "$now_serving" "/run/web-$name/$now_serving.sock" \
      >"$dir/answer" 2>&1 || :
    IFS= read -r answer <"$dir/answer" || :
    tell "health $answer"
  fi
  systemctl --quiet is-active nginx.service || return 0
  asking=$dir/check.json
  ask_nginx "$now_serving" 0
  tell "visit $answer"
}
