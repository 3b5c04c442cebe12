# The environment: built by uv as a user of its own, then made root's. Nothing of a project's or an index's
# runs as root, and nothing that the build user could still change is trusted.
# shellcheck shell=sh

# Where the project itself can be built, and its name; unless the plan says otherwise.
site_folder='' site_name=''

# uv itself, once for the server: by pip out of the wheel that apt brought, hash-checked, unpacked and not run.
# $1: version; the hashed requirement lines are in uv.txt; $2: where it is from: `index`, or see uv_from_wheel
install_uv() {
  uv=/opt/flask-deploy/uv-$1/bin/uv
  [ ! -x "$uv" ] || return 0
  if [ "$2" != index ]; then
    uv_from_wheel "$@"
    return 0
  fi
  server_lock
  if [ ! -x "$uv" ]; then
    emit "running pip install uv $1"
    mkdir -p /opt/flask-deploy
    rm -rf "/opt/flask-deploy/uv-$1.new"
    pip=
    for wheel in /usr/share/python-wheels/pip-*.whl; do pip=$wheel; done
    PIP_ROOT_USER_ACTION=ignore guarded /usr/bin/python3 -I "$pip/pip" --disable-pip-version-check --no-input \
      install --quiet --require-hashes --only-binary :all: --no-deps --no-compile \
      --target "/opt/flask-deploy/uv-$1.new" -r "$dir/uv.txt" || fail uv "$1"
    keep_folder "/opt/flask-deploy/uv-$1.new" "/opt/flask-deploy/uv-$1"
    changed uv "$1"
  fi
  server_unlock
}

# The release in service has the same environment: share its files (they are root's and never change).
# Returns 1 where it has not.
link_environment() {
  [ -n "$current" ] || return 1
  resolved=0 had=
  read -r had resolved 2>/dev/null <"$home/releases/$current/.deploy/environment" || [ -n "$had" ] || return 1
  [ "$had" = "$key" ] || return 1
  # Without its Python it is of no use.
  [ -x "$home/releases/$current/.venv/bin/python" ] || return 1
  cp -al "$home/releases/$current/.venv" "$root/.venv"
  write_file "$root/.deploy/environment" 0640 "root:web-$name" "$key ${resolved:-0}"
  keep_wheels
  emit "environment linked $current"
}

# $1: the file that the dependencies are declared in, $2: when gunicorn of ours comes (build.sh), $3: yes
# to ask the index anew
build_environment() {
  # Wheels are for one Python; `wanted` is none.
  case $built_from in
    index | "${interpreter##*/python}") ;;
    *) want_wheels "environment ${interpreter##*/python}" ;;
  esac
  file=$1 adds=$2 anew=$3
  own_by_build .venv
  own_by_build .site
  mkdir "$root/.deploy/build"
  install -m 0640 -g "web-$name" "$dir/gunicorn.txt" "$dir/steps.sh" "$root/.deploy/build"
  install -m 0640 -g "web-$name" "$dir/build.sh" "$root/.deploy/build.sh"
  chown "root:web-$name" "$root/.deploy/build"
  chmod 0750 "$root/.deploy/build"
  emit "running uv pip install -r $file"
  built=0
  with_tools build /bin/sh "$root/.deploy/build.sh" "$uv" "$interpreter" "$root" "$adds" "$anew" || built=$?
  case $built in
    0) ;;
    3) fail gunicorn ;;
    129 | 1[3-9]?) fail build-killed "$((built - 128)) $file" ;;
    *) fail dependencies "$file" ;;
  esac
  rm -rf "$root/.deploy/build" "$root/.deploy/build.sh" "$root/.site"
  take_over .venv
  bound_build_cache
  resolved=$(date +%s)
  write_file "$root/.deploy/environment" 0640 "root:web-$name" "$key $resolved"
  emit "environment built $file"
}

# A folder of the release that the build user fills.
own_by_build() { install -d -m 0700 -o "web-$name-build" -g "web-$name-build" "$root/$1"; }

# Makes root's what the build user made. The unit's processes are gone. A file of somebody else's, or one with a second
# name elsewhere, is a trick: making it root's would hand over whatever it is linked to.
take_over() {
  foreign_file=$(find "$root/$1" \( ! -user "web-$name-build" -o -type f -links +1 \) -print -quit)
  [ -z "$foreign_file" ] || fail build-tampered "$foreign_file"
  chown -hR root:"web-$name" "$root/$1"
  chmod -R u=rwX,g=rX,o= "$root/$1"
  chmod 0751 "$root/$1"
}

# Runs a build (see `in_build`, which the plan defines); where it fails for something of the system's that can be had,
# once more with that. Returns its status.
with_tools() {
  note_build
  while :; do
    build_status=0
    mark_said
    in_build "$@" || build_status=$?
    [ "$build_status" != 0 ] || break
    said "$dir/said"
    # A full disk tears what was built, so uv begins anew.
    if [ "${room_tried:=no}" = no ] && more_room; then
      room_tried=yes
      continue
    fi
    install_for "$dir/said" || break
  done
  return "$build_status"
}

# $1: file, $2: when gunicorn of ours comes, $3: yes where versions are chosen at the build, $4: yes to choose them anew
make_environment() {
  if [ "$4" = yes ]; then
    build_environment "$1" "$2" yes
  else
    link_environment || build_environment "$1" "$2" no
  fi
  [ "$3" = no ] || [ "${resolved:-0}" = 0 ] || emit "found resolved $resolved $(date +%s)"
}

# Installs the project itself into the release's .site, without what it depends on. Returns 1 where that cannot be done,
# which leaves nothing behind: most projects run from their folder.
build_site() {
  [ ! -d "$root/.site" ] || return 0
  [ "${site_tried:-no}" = no ] || return 1
  site_tried=yes
  own_by_build .site
  install -m 0640 -g "web-$name" "$dir/site.sh" "$root/.deploy/site.sh"
  emit "running uv pip install of the project itself"
  built=0
  with_tools site /bin/sh "$root/.deploy/site.sh" "$uv" "$root/.venv/bin/python" "$root" "$site_folder" "$site_name" ||
    built=$?
  rm -f "$root/.deploy/site.sh"
  if [ "$built" = 0 ]; then
    take_over .site
    emit "found site built"
  else
    rm -rf "$root/.site"
    emit "found site unbuilt"
    return 1
  fi
}
