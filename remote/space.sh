# Room on the disk: made by taking away what nobody needs, and told where it was missing.
# shellcheck shell=sh

# Is there room enough? $1: folder, $2: kilobytes, $3: inodes
has_room() {
  # shellcheck disable=SC2046 # numbers
  set -- "$2" "$3" $(room_in -k "$1") - $(room_in -i "$1")
  # A file system that does not count has enough.
  for pair in "$4 $1" "${7:-$2} $2"; do
    case ${pair% *} in '' | *[!0-9]*) continue ;; esac
    [ "${pair% *}" -ge "${pair#* }" ] || return 1
  done
}

# Before anything is made: older releases go, the oldest first, as far as it takes; then what builds may fetch again.
# What is still missing shows soon enough.
# $1: folder, $2: kilobytes, $3: inodes
make_room() {
  if has_room "$@"; then return 0; fi
  told=no
  for id in $(spare_ids); do
    same_disk "$1" "$home/releases/$id" || continue
    tell_room "$1"
    drop_releases "$id"
    if has_room "$@"; then return 0; fi
  done
  same_disk "$1" "/var/cache/web-$name-build/uv" || return 0
  tell_room "$1"
  drop_build_cache
}

# Do two folders lie on the same disk? $1, $2
same_disk() { [ -d "$2" ] && [ "$(stat -c %d "$1")" = "$(stat -c %d "$2")" ]; }

# Why something goes that was to stay. The plans that others have made know it still. $1: folder
tell_room() {
  [ "$told" = no ] || return 0
  told=yes generation=$((generation + 1))
  emit "found room $1 $(room_in -k "$1" | cut -d ' ' -f 2)"
}

# In the middle of a step: is it the disk, and can anything go? Then it is worth another try.
more_room() {
  full_disk || return 1
  told=no
  case $trouble in server-read-only*) return 1 ;; esac
  full=${trouble#* }
  full=${full% *}
  for id in $(spare_ids); do
    same_disk "$full" "$home/releases/$id" || continue
    tell_room "$full"
    drop_releases "$id"
  done
  if same_disk "$full" "/var/cache/web-$name-build/uv"; then
    tell_room "$full"
    drop_build_cache
  fi
  [ "$told" = yes ]
}

# What uv fetched for this app, as the user whose it is: there may be links in it.
drop_build_cache() {
  runuser -u "web-$name-build" -- rm -rf "/var/cache/web-$name-build/uv" </dev/null >/dev/null 2>&1 3>&- 8>&- 9>&- || :
  changed pruned "uv's cache"
}

# It may not grow for ever: more than 1 GB, and more than twice a release, begins anew. Looked at after a build.
bound_build_cache() {
  most=1048576 kilobytes=0
  ! read -r kilobytes _ 2>/dev/null <"$home/releases/$current/.deploy/size" || most=$((most + kilobytes * 2))
  [ "$(kilobytes_of "/var/cache/web-$name-build/uv")" -lt "$most" ] || drop_build_cache
}

# uv trusts what its cache holds, and of what a build had just put there a power cut leaves empty files. So a build is noted
# until all is on the disk, by its boot.
note_build() { cat /proc/sys/kernel/random/boot_id >"$home/building"; }

# The cache of a boot that ended before that goes.
trust_build_cache() {
  [ -e "$home/building" ] || return 0
  if [ "$(cat "$home/building")" = "$(cat /proc/sys/kernel/random/boot_id)" ]; then
    sync -f "/var/cache/web-$name-build" 2>/dev/null || sync
  else
    drop_build_cache
  fi
  rm -f "$home/building"
}

# A folder of a deploy's that takes nothing more. Sets $trouble: `disk FOLDER FREE`, `inodes FOLDER FREE` or
# `server-read-only FOLDER`. Returns 1 where there is none.
full_disk() {
  set --
  for folder in "$home/releases" "/etc/web-$name" /etc/systemd/system /etc/nginx "/var/cache/web-$name-build" "/var/lib/web-$name" \
    /var/lib/flask-deploy/incoming /tmp /run; do
    [ -d "$folder" ] || continue
    # Root may write everywhere, but for a file system that is mounted read-only.
    if [ ! -w "$folder" ]; then
      trouble="server-read-only $folder"
      return 0
    fi
    set -- "$@" "$folder"
  done
  # What root alone may still use (ext4 keeps some back) does not help those who build.
  trouble=$(room_in -k "$@" | while read -r folder free; do [ "$free" -ge 1024 ] || { printf 'disk %s %s' "$folder" "$free"; break; }; done)
  [ -z "$trouble" ] || return 0
  trouble=$(room_in -i "$@" | while read -r folder free; do [ "$free" -ge 16 ] || { printf 'inodes %s %s' "$folder" "$free"; break; }; done)
  [ -n "$trouble" ]
}

# The same with what is needed and what could go: `needs:KB` `releases:KB` `build-cache:KB` `apt-cache:KB` `journal:KB`.
full_disk_words() {
  full_disk || return 1
  kilobytes=0
  ! read -r kilobytes _ 2>/dev/null <"$home/releases/$current/.deploy/size" || trouble="$trouble needs:$kilobytes"
  sort_releases
  trouble="$trouble releases:$(only_in -k "$pinned" "$others") build-cache:$(kilobytes_of "/var/cache/web-$name-build")"
  trouble="$trouble apt-cache:$(kilobytes_of /var/cache/apt) journal:$(kilobytes_of /var/log/journal)"
}

# What a failure comes from, where the disk says it better. $1: its code. Sets $exact, '' where it does not.
look_at_disk() {
  exact=
  case $1 in
    facts-changed | wheels-wanted | lock-timeout | stopped | smoke | no-* | memory | out-of-memory | inodes | server-read-only) return 0 ;;
    *-tampered | older-commit | taken-back | not-settled) return 0 ;;
  esac
  if full_disk_words; then exact=$trouble; fi
}

# What the next deploy asks about, when this one is over: kilobytes and files of the release.
note_size() {
  read -r sized <<SIZE
$(find "$home/releases/$release" -printf '%k\n' 2>/dev/null | awk '{ sum += $1 } END { print sum + 0, NR }')
SIZE
  write_file "$home/releases/$release/.deploy/size" 0640 "root:web-$name" "$sized" 2>/dev/null || :
}
