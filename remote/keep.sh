# What the app writes: paths that outlive releases, and those that belong to one. The release has a link there, the content
# lies in the app's own folder; root makes the link and nothing behind it.
# shellcheck shell=sh

# Has what the bundle brings at a path copied to where the app may write it, if nothing is there yet. As the app's user:
# that folder may hold links that the app planted.
# $1: path in the release, $2: where, absolute, $3: the folder of the app's that it lies in, $4: `file` or `folder`
copy_once() {
  # shellcheck disable=SC2016 # the inner shell's own words
  in_unit persist -p "User=web-$name" -p "Group=web-$name" -p UMask=0027 -p NoNewPrivileges=yes \
    -p ProtectSystem=strict -p "ReadWritePaths=$3" -p ProtectHome=yes -p PrivateTmp=yes -- \
    /bin/sh -c 'set -eu
      mkdir -p "$(dirname "$2")"
      rm -rf "$2.new"
      if [ -L "$1" ] || [ ! -e "$1" ]; then [ "$3" = file ] || mkdir -p "$2"
      else cp -R -P --no-preserve=mode "$1" "$2.new" && sync -f "$2.new" && mv -T "$2.new" "$2"; fi' \
    sh "$root/$1" "$2" "$4" || fail persist "$1"
}

# The link in the release, in place of what the bundle has there.
# $1: path in the release, $2: where it leads
lead_to() {
  rm -rf "${root:?}/$1"
  ln -s "$2" "$root/$1"
}

# The way to a path within the release, without any link of the project's.
# $1: path in the release
make_way() {
  parent=$(dirname "$root/$1")
  [ "$(readlink -m "$parent")" = "$parent" ] || fail persist-link "$1"
  mkdir -p "$parent"
}

# A path that outlives releases.
# $1: path in the release, $2: path below /var/lib/web-NAME, $3: `file` where it may be made later by the app
persist() {
  kept_path=/var/lib/web-$name/$2
  make_way "$1"
  if [ ! -e "$kept_path" ] && [ ! -L "$kept_path" ]; then
    copy_once "$1" "$kept_path" "/var/lib/web-$name" "${3:-folder}"
    changed persist "$2"
  fi
  lead_to "$1" "$kept_path"
}

# The names of files that only make git keep a folder.
keeping_names="-name .gitkeep -o -name .gitignore -o -name .keep -o -name .placeholder -o -name .empty"

# $1: a folder. Does it hold anything of its own?
holds_files() {
  # shellcheck disable=SC2086 # words of ours
  [ -n "$(find "$1" -mindepth 1 ! -type d ! \( $keeping_names \) -print -quit 2>/dev/null)" ]
}

# A path that the probe, or an earlier deploy, found the app to write: persisted, and so for ever. But a folder in which the
# app has left nothing gives way to files of the project's that came later.
# $1: `file` or `folder`, $2: path
keep_path() {
  if [ "$1" = folder ] && [ -d "/var/lib/web-$name/$2" ] && ! [ -L "/var/lib/web-$name/$2" ] &&
    ! holds_files "/var/lib/web-$name/$2" && holds_files "$root/$2"; then return 0; fi
  persist "$2" "$2" "$1"
  case $newline$persisted in
    *"$newline$1 $2$newline"*) ;;
    *)
      persisted="$persisted$1 $2$newline"
      ;;
  esac
}

# A new release does not come up, and its log says that it could not write a file of its own: that path is persisted from now
# on. Returns 1 where there is nothing of that kind.
# $1: the log
keep_refused() {
  [ "${mends:=0}" -lt 3 ] && [ "$making" = yes ] && [ -e "$dir/probe.json" ] || return 1
  mends=$((mends + 1))
  /usr/bin/python3 -I "$dir/flask_deploy_log.py" "$dir/probe.json" "$root" "$home/state" "$1" >"$dir/refused" 2>/dev/null || return 1
  [ -s "$dir/refused" ] || return 1
  kill_release "$release"
  while IFS="$tab" read -r kind path; do
    keep_path "${kind#keep-}" "$path"
    unpublish "$path"
    emit "found persist $path / $path"
  done <"$dir/refused"
}

# What the app may write is the app's to serve.
# $1: a path in the release, persisted after it was published
unpublish() {
  find "$root/.public" -type l >"$dir/links"
  while IFS= read -r link; do
    case $root/$1/ in "$(readlink "$link")"/*) rm -f "$link" ;; esac
  done <"$dir/links"
}

# A folder below what nginx would serve, which the app writes as it starts: this release's own, and the app's to serve.
# $1: path in the release
make_hole() {
  make_way "$1"
  copy_once "$1" "/var/cache/web-$name/releases/$release/$1" "/var/cache/web-$name" folder
  lead_to "$1" "/var/cache/web-$name/releases/$release/$1"
}

# As the app's user: it may have put a link on the way.
# $1: release
remove_holes() {
  [ -e "/var/cache/web-$name/releases/$1" ] || return 0
  runuser -u "web-$name" -- rm -rf "/var/cache/web-$name/releases/${1:?}" </dev/null >/dev/null 2>&1 3>&- 8>&- 9>&- || :
}
