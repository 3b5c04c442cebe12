#!/bin/sh
# Builds an environment, as the build user, in a sandbox, below a folder of its own: a build writes beside what it
# builds, and a release is not its to write.
# $1: uv, $2: interpreter, $3: the release, $4: gunicorn of ours comes first, late (where
# nothing brought one) or never, $5: yes to ask the index
# anew, whatever the cache has
# Ends with 3 where it was gunicorn that could not be installed.
set -eu
uv=$1 interpreter=$2 root=$3 gunicorn=$4 refresh=$5 venv=$3/.venv given=$3/.deploy/build
own=${CACHE_DIRECTORY:?}/project
cd "$CACHE_DIRECTORY"

install() {
  "$uv" pip install --no-progress --no-managed-python --link-mode copy --compile-bytecode \
    --python "$venv/bin/python" "$@"
}

# Copies a part of the project; '' is all of it.
copy() {
  if [ -z "$1" ]; then
    find "$root" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .site ! -name .deploy -exec cp -R {} "$own/" \;
  else
    mkdir -p "$own/$(dirname -- "$1")"
    rm -rf "${own:?}/$1"
    cp -R "$root/$1" "$own/$1"
  fi
}

# A text of ours in the place of the project's, or beside it.
put() {
  mkdir -p "$own/$(dirname -- "$1")"
  rm -f "$own/$1"
  printf '%s' "$2" >"$own/$1"
}

# uv looks for paths from where it stands.
within() { cd "$own/$1"; }

# The project is built without its history, which tools that number versions by tags would ask for.
# $1: its name, '' where it is not known
pretend() {
  if [ -n "$1" ]; then
    of=$(printf '%s' "$1" | tr 'a-z.-' 'A-Z__')
    export "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_$of=0.0.0"
  else
    export SETUPTOOLS_SCM_PRETEND_VERSION=0.0.0
  fi
  export POETRY_DYNAMIC_VERSIONING_BYPASS=0.0.0
  ! grep -qs pbr setup.py setup.cfg pyproject.toml || export PBR_VERSION=0.0.0
}

# uv.lock as requirements: the lock's versions and hashes, without the project itself.
# $1: yes where every package has a hash; the rest: words for `uv export`
install_lock() {
  demand=--verify-hashes
  [ "$1" = no ] || demand=--require-hashes
  shift
  "$uv" export --quiet --frozen --no-default-groups --no-emit-project --no-editable --no-header --no-annotate \
    --no-managed-python --python "$venv/bin/python" --output-file uv.lock.txt "$@"
  install_from --no-deps "$demand" -r uv.lock.txt
}

install_from() {
  if [ "$refresh" = yes ]; then install --refresh "$@"; else install "$@"; fi
}

"$uv" venv --quiet --no-project --relocatable --allow-existing --no-managed-python --python "$interpreter" "$venv"
# gunicorn first: where the project wants another version of what it brings, the project's word is the last.
[ "$gunicorn" != first ] || install --quiet --require-hashes -r "$given/gunicorn.txt" || exit 3

rm -rf "$own"
mkdir "$own"
# shellcheck disable=SC1091
. "$given/steps.sh"
cd "$CACHE_DIRECTORY"
rm -rf "$own"
# A lock can name gunicorn for another platform, or for a group that nobody wants.
[ "$gunicorn" = never ] || [ -e "$venv/bin/gunicorn" ] || install --quiet --require-hashes -r "$given/gunicorn.txt" || exit 3
