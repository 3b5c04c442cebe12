# Debian packages: only what is missing, never a prompt, never stopped half-way.
# shellcheck shell=sh

# The names among "$@" that are not installed, one a line.
missing_packages() {
  for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
    [ "$status" = installed ] || printf '%s\n' "$package"
  done
}

# $1: upgrade first (yes or no); then the names wanted
install_packages() {
  try_packages "$@" && return 0
  [ -z "$apt_why" ] || fail "${apt_why%% *}" "${apt_why#* }"
  [ "$offline" = no ] || fail packages-offline "$missing"
  fail packages "$missing"
}

# The same, where the deploy can go on without them.
try_packages() {
  upgrade=$1 missing=''
  shift
  # shellcheck disable=SC2046 # package names hold no blanks
  set -- $(missing_packages "$@")
  [ $# != 0 ] || [ "$upgrade" = yes ] || return 0
  server_lock
  # shellcheck disable=SC2046
  set -- $(missing_packages "$@")
  missing=$*
  emit "running apt-get install $missing"
  s=0
  run_apt "$upgrade" "$@" || s=$?
  server_unlock
  if [ "$s" != 0 ]; then
    # What is wanted may be there all the same: that another package is broken is its own matter.
    case $apt_why in packages-broken\ *) ;; *) return 1 ;; esac
    [ "$upgrade" = no ] && [ -z "$(missing_packages "$@")" ] || return 1
    emit "doubt packages-unfinished ${apt_why#packages-broken }"
  fi
  [ $# = 0 ] || changed packages "$missing"
}

# apt's own program, under the server's lock. $1: upgrade first (yes or no); then names; without any only the lists are
# renewed. Sets $apt_why to the code and details of a failure that it can explain, else ''.
run_apt() {
  : >"$dir/apt.log"
  rm -f "$dir/apt.fifo" "$dir/apt.why"
  mkfifo "$dir/apt.fifo"
  # The unit writes to the file; only the reader is ours to end.
  tail -n +1 -f -s 0.2 "$dir/apt.log" 2>/dev/null 3>&- 8>&- 9>&- >"$dir/apt.fifo" &
  reader=$!
  foreign log <"$dir/apt.fifo" &
  apt_status=0
  count_kills
  look_for_policy
  literal "$within"
  # No app's unit is called so, nor the program's of an app that is called apt.
  # shellcheck disable=SC2086 # words of ours
  patiently systemd-run --quiet --wait --collect --unit="flask-deploy-apt.$run" $policy \
    -p "StandardOutput=append:$dir/apt.log" -p "StandardError=append:$dir/apt.log" \
    /bin/sh -c "$word" sh /bin/sh "$dir/apt.sh" "$offline" "$@" || apt_status=$?
  sleep 0.3
  kill "$reader" 2>/dev/null || :
  apt_why=
  [ "$apt_status" = 0 ] || read -r apt_why 2>/dev/null <"$dir/apt.why" || :
  return "$apt_status"
}

# apt knows packages by its lists only; an image of a server may come without them.
need_lists() {
  for list in /var/lib/apt/lists/*_Packages*; do
    [ ! -e "$list" ] || return 0
  done
  server_lock
  emit 'running apt-get update'
  run_apt no || :
  server_unlock
}

# Which of some names the distribution has a package of; virtual ones are none.
# $1: `a|b`; sets $package, '' where it has none
first_package() {
  rest=$1\| package=''
  while [ -n "$rest" ]; do
    one=${rest%%|*} rest=${rest#*|}
    if [ -z "$(missing_packages "$one")" ] || apt-cache pkgnames "$one" 2>/dev/null | grep -qxF -- "$one"; then
      package=$one
      return 0
    fi
  done
}

# The headers of the Python in use; one that was downloaded brings its own.
headers_package() {
  package=python3-dev
  case ${interpreter:-/usr/bin/python3} in
    "$(readlink -f /usr/bin/python3)" | /usr/bin/python3) ;;
    /usr/bin/python3.*) package=${interpreter##*/}-dev ;;
    *) package='' ;;
  esac
}

# Looks whether what a program said tells of something that a package of the distribution has, and installs that.
# Which packages there are to choose from is our own table's matter (needs.txt: packages, why and pattern, parted by
# tabs); the text, which is foreign, decides which rows hold and nothing else.
# $1: file with what it said. Returns 0 where something was installed, so that trying again makes sense.
install_for() {
  [ "${rescues:=0}" -lt 3 ] || return 1
  rows=$dir/needs.found reasons='' names=''
  while IFS='	' read -r wanted why said; do
    ! grep -Eaq -e "$said" -- "$1" || printf '%s\t%s\n' "$wanted" "$why"
  done <"$dir/needs.txt" >"$rows"
  [ -s "$rows" ] || return 1
  need_lists
  while IFS='	' read -r wanted why; do
    for one in $wanted; do
      if [ "$one" = @dev ]; then headers_package; else first_package "$one"; fi
      # shellcheck disable=SC2086 # '' is no name
      for package in $(missing_packages $package); do
        case " $names " in *" $package "*) continue ;; esac
        names="$names $package"
        case ", $reasons, " in *", $why, "*) ;; *) reasons=${reasons:+$reasons, }$why ;; esac
      done
    done
  done <"$rows"
  [ -n "$names" ] || return 1
  rescues=$((rescues + 1))
  # shellcheck disable=SC2086 # package names hold no blanks
  emit "found system-packages $(printf '%s,' $names) $reasons"
  # shellcheck disable=SC2086
  install_packages no $names
}

# What foreign programs said from here on: see `said`.
mark_said() { said_from=$(stat -c %s "$dir/events"); }

# Writes what they said since the mark into a file. $1: the file
said() { tail -c "+$((said_from + 1))" "$dir/events" | sed -nE 's/^[0-9.]+ (log|app) //p' >"$1"; }
