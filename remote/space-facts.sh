# Facts of room on the disk: what is free where a deploy writes, what a release takes, and what could go. Nothing here
# changes anything; only where room is short is anything measured that takes time.
# shellcheck shell=sh

# $1: -k for kilobytes, -i for inodes; the rest: folders. `FOLDER FREE` lines; what a file system does not count is left out.
room_in() {
  unit=$1
  shift
  df -P "$unit" "$@" 2>/dev/null | {
    read -r _ || :
    for folder in "$@"; do
      read -r _ all _ free _ || break
      case $all$free in '' | *[!0-9]*) continue ;; esac
      [ "$all" = 0 ] || printf '%s %s\n' "$folder" "$free"
    done
  }
}

# A folder's kilobytes; 0 where it is not there, or too large to be measured in a moment.
# $1: folder
kilobytes_of() {
  IFS='	' read -r size _ <<SIZE
$(timeout 5 du -skx "$1" 2>/dev/null)
SIZE
  printf '%s' "${size:-0}"
}

# What only older releases hold: a file that a pinned one shares frees nothing.
# $1: `-k` or `--inodes`, $2: the pinned ones, a blank between, $3: the others
only_in() {
  sum=0
  cd "$home/releases" 2>/dev/null || { printf 0; return 0; }
  # shellcheck disable=SC2086 # lists of IDs
  while IFS='	' read -r size id; do
    case " $3 " in *" $id "*) sum=$((sum + size)) ;; esac
  done <<SIZES
$(timeout 5 du -s "$1" $2 $3 2>/dev/null)
SIZES
  printf '%s' "$sum"
}

# The releases in the state file that are nobody's way back. Sets $current, $pinned and $others.
sort_releases() {
  current='' pinned='' others=''
  while read -r key id more _; do
    case $key in
      current) current=$id pinned="$pinned $id" ;;
      previous) pinned="$pinned $id" ;;
      settling) pinned="$pinned $id $more" ;;
      release) case " $pinned " in *" $id "*) ;; *) others="$others $id" ;; esac ;;
    esac
  done 2>/dev/null <"$home/state" || :
}

space_facts() {
  folders=
  for folder in /srv /var /tmp /etc; do [ ! -d "$folder" ] || folders="$folders $folder"; done
  [ -d /srv ] || folders="/ $folders"
  short=no size=307200 count=20000
  sort_releases
  if [ -n "$current" ] && read -r kilobytes files _ 2>/dev/null <"$home/releases/$current/.deploy/size"; then
    case $kilobytes$files in
      *[!0-9]*) ;;
      *)
        size=$kilobytes count=$files
        fact size "$size $count"
        ;;
    esac
  fi
  # shellcheck disable=SC2046,SC2086 # folders of ours
  set -- $(room_in -k $folders) inodes $(room_in -i $folders)
  what=free enough=$((size * 2 + 1048576))
  while [ $# -gt 0 ]; do
    if [ "$1" = inodes ]; then
      what=inodes enough=$((count * 2 + 50000))
      shift
      continue
    fi
    case $what$1 in free/ | free/srv) fact disk "$2" ;; free*) fact free "$1 $2" ;; *) fact inodes "$1 $2" ;; esac
    [ "$2" -ge "$enough" ] || short=yes
    shift 2
  done
  [ "$short" = yes ] || return 0
  [ -z "$others" ] || fact prunable "$(only_in -k "$pinned" "$others") $(only_in --inodes "$pinned" "$others")"
  fact cache "build $(kilobytes_of "/var/cache/web-$name-build")"
  fact cache "apt $(kilobytes_of /var/cache/apt)"
  fact cache "journal $(kilobytes_of /var/log/journal)"
}
