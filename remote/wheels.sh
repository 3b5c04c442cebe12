# Wheels that the runner sent, for a server that reaches no package index. Each is kept once, by its hash, until no
# release of any app is built of it. They are root's, and a build may only read them.
# shellcheck shell=sh

wheel_store=/var/lib/flask-deploy/wheels
# Unless the plan says otherwise.
offline=no built_from=index

# The runner is to look at the server again, and for wheels.
# $1: `python`: there is one now; `environment 3.11`: that Python's are needed; else the file that is missing
want_wheels() { fail wheels-wanted "$1"; }

# Takes what came, and compares hashes. The list of what the release is built of is in it before anything is in the
# store, so no other app's deploy takes a wheel away that this one counts on.
# $1: the word of the runner's that all have come, $2: "SHA256 FILE" lines, $3: requirement lines
store_wheels() {
  await_sent "$bundle.$1" 'the wheels'
  server_lock
  [ -d "$wheel_store" ] || mkdir -m 0755 "$wheel_store"
  write_file "$root/.deploy/wheels.txt" 0640 "root:web-$name" "$3"
  stored=no
  while read -r sha file; do
    [ ! -f "$wheel_store/$sha/$file" ] || continue
    if [ ! -f "$bundle.$sha" ]; then
      # Another app's deploy took it away since the facts.
      rm -f "$bundle.$1"
      want_wheels "$file"
    fi
    # All that came is on the disk before any of it has its name: nobody compares hashes again.
    [ "$stored" = yes ] || sync -f "$wheel_store" 2>/dev/null || sync
    stored=yes
    rm -rf "${wheel_store:?}/$sha" "$wheel_store/$sha.new"
    mkdir -m 0755 "$wheel_store/$sha.new"
    mv "$bundle.$sha" "$wheel_store/$sha.new/$file"
    chmod 0644 "$wheel_store/$sha.new/$file"
    IFS=' ' read -r sum _ <<SUM
$(sha256sum "$wheel_store/$sha.new/$file")
SUM
    if [ "$sum" != "$sha" ]; then
      rm -rf "$wheel_store/$sha.new"
      fail upload-hash "$file"
    fi
    mv -T "$wheel_store/$sha.new" "$wheel_store/$sha"
    changed wheel "$file"
  done <<LIST
$2
LIST
  server_unlock
}

# uv out of its wheel, which is a zip archive: hash-checked before, unpacked by root's own Python, and not run.
# $1: version, $2: `wheel` (`wanted`: there is none), $3: SHA256, $4: file
uv_from_wheel() {
  [ "$2" = wheel ] || want_wheels uv
  server_lock
  [ -f "$wheel_store/$3/$4" ] || want_wheels uv
  rm -rf "/opt/flask-deploy/uv-$1.new"
  mkdir -p "/opt/flask-deploy/uv-$1.new/bin"
  guarded /usr/bin/python3 -I -c 'import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, open(sys.argv[3], "wb") as program:
    with wheel.open(f"uv-{sys.argv[2]}.data/scripts/uv") as packed:
        shutil.copyfileobj(packed, program)' \
    "$wheel_store/$3/$4" "$1" "/opt/flask-deploy/uv-$1.new/bin/uv" || fail uv "$1"
  chmod 0755 "/opt/flask-deploy/uv-$1.new/bin/uv"
  keep_folder "/opt/flask-deploy/uv-$1.new" "/opt/flask-deploy/uv-$1"
  changed uv "$1"
  server_unlock
}

# An environment that is shared is built of the same wheels.
keep_wheels() {
  [ ! -f "$home/releases/$current/.deploy/wheels.txt" ] ||
    cp -p "$home/releases/$current/.deploy/wheels.txt" "$root/.deploy/wheels.txt"
}

# Takes away what no release of any app names.
prune_wheels() {
  [ -d "$wheel_store" ] || return 0
  server_lock
  used=$(cat /srv/web-*/releases/*/.deploy/wheels.txt 2>/dev/null) || :
  for folder in "$wheel_store"/*/; do
    sha=${folder%/}
    sha=${sha##*/}
    case $used in *"$sha"*) ;; *) rm -rf "${wheel_store:?}/$sha" ;; esac
  done
  server_unlock
}
