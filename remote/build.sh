#!/bin/sh
# Builds an environment, as the build user, in a sandbox. Below a folder of its own: uv would take settings from a
# project's folder (a `.python-version` can name a program).
# $1: uv, $2: interpreter, $3: the release, $4: requirements file in it, $5: yes to demand hashes, $6: yes to add
# gunicorn, $7: our own hashed lines for it; the rest: what the requirements name by its path ('' is all the project)
# Ends with 3 where it was gunicorn that could not be installed.
set -eu
cd "${CACHE_DIRECTORY:?}"
install() {
  "$uv" pip install --no-progress --no-managed-python --link-mode copy --compile-bytecode \
    --python "$venv/bin/python" "$@"
}
uv=$1 interpreter=$2 root=$3 venv=$3/.venv requirements=$4 hashed=$5 gunicorn=$6 pins=$7
shift 7
"$uv" venv --quiet --no-project --relocatable --allow-existing --no-managed-python --python "$interpreter" "$venv"
# gunicorn first: where the project wants another version of what it brings, the project's word is the last.
[ "$gunicorn" = no ] || install --quiet --require-hashes -r "$pins" || exit 3

# uv looks for such paths from where it stands, and a build writes beside what it builds; a release is not its to write.
own=$CACHE_DIRECTORY/project
rm -rf "$own"
mkdir -p "$own/$(dirname -- "$requirements")"
for path; do
  if [ -z "$path" ]; then
    find "$root" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .deploy -exec cp -R {} "$own/" \;
  else
    mkdir -p "$own/$(dirname -- "$path")"
    cp -R "$root/$path" "$own/$path"
  fi
done
cd "$own/$(dirname -- "$requirements")"
if [ "$hashed" = yes ]; then install --require-hashes -r "$root/$requirements"; else install -r "$root/$requirements"; fi
rm -rf "$own"
