# The environment: built by uv as a user of its own, then made root's. Nothing of a project's or an index's
# runs as root, and nothing that the build user could still change is trusted.
# shellcheck shell=sh

# uv itself, once for the server: by pip out of the wheel that apt brought, hash-checked, unpacked and not run.
# $1: version; the hashed requirement lines are in uv.txt
install_uv() {
  uv=/opt/flask-deploy/uv-$1/bin/uv
  [ ! -x "$uv" ] || return 0
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
    mv -T "/opt/flask-deploy/uv-$1.new" "/opt/flask-deploy/uv-$1"
    changed uv "$1"
  fi
  server_unlock
}

# What decides an environment, as one hash: the runner's part and the server's.
# $1: the runner's hash, $2: Python wanted ('' for the server's)
environment_key() {
  if [ -n "$2" ]; then interpreter=/usr/bin/python$2; else interpreter=/usr/bin/python3; fi
  interpreter=$(readlink -f "$interpreter")
  [ -x "$interpreter" ] || fail python "$2"
  IFS=' ' read -r key _ <<KEY
$(printf '%s %s %s' "$1" "$interpreter" "$uv" | sha256sum)
KEY
}

# The release in service has the same environment: share its files (they are root's and never change).
# Returns 1 where it has not.
link_environment() {
  [ -n "$current" ] || return 1
  [ "$(cat "$home/releases/$current/.deploy/environment" 2>/dev/null)" = "$key" ] || return 1
  [ -d "$home/releases/$current/.venv" ] || return 1
  cp -al "$home/releases/$current/.venv" "$root/.venv"
  write_file "$root/.deploy/environment" 0640 "root:web-$name" "$key"
  emit "environment linked $current"
}

# $1: requirements file in the release, $2: yes where every line has a hash, $3: yes to add our own gunicorn
# (the project lists none), $4: what it names by its path in the release, one a line ('/' is all of it); the rest: the
# build unit's properties
build_environment() {
  file=$1 hashed=$2 adds=$3 local=$4
  shift 4
  install -d -m 0700 -o "web-$name-build" -g "web-$name-build" "$root/.venv"
  install -m 0640 -g "web-$name" "$dir/build.sh" "$dir/gunicorn.txt" "$root/.deploy"
  emit "running uv pip install -r $file"
  set -- "$@" -- /bin/sh "$root/.deploy/build.sh" \
    "$uv" "$interpreter" "$root" "$file" "$hashed" "$adds" "$root/.deploy/gunicorn.txt"
  while IFS= read -r path; do
    [ -z "$path" ] || set -- "$@" "${path#/}"
  done <<LOCAL
$local
LOCAL
  while :; do
    built=0
    mark_said
    # What of the user's variables concerns an index: a file, because properties are open to everybody.
    in_unit build -p "EnvironmentFile=$dir/build.env" "$@" || built=$?
    [ "$built" != 0 ] || break
    # Something of the system's may be all that it lacks.
    said "$dir/said"
    install_for "$dir/said" || break
  done
  case $built in
    0) ;;
    3) fail gunicorn ;;
    *) fail dependencies "$file" ;;
  esac
  rm -f "$root/.deploy/build.sh" "$root/.deploy/gunicorn.txt"
  # The unit's processes are gone. A file of somebody else's, or one with a second name elsewhere, is a trick:
  # making it root's would hand over whatever it is linked to.
  foreign_file=$(find "$root/.venv" \( ! -user "web-$name-build" -o -type f -links +1 \) -print -quit)
  [ -z "$foreign_file" ] || fail build-tampered "$foreign_file"
  chown -hR root:"web-$name" "$root/.venv"
  chmod -R u=rwX,g=rX,o= "$root/.venv"
  chmod 0751 "$root/.venv"
  write_file "$root/.deploy/environment" 0640 "root:web-$name" "$key"
  emit "environment built $file"
}

# Arguments as for build_environment.
make_environment() {
  link_environment || build_environment "$@"
}
