#!/bin/sh
# Builds an environment, as the build user, in a sandbox. Below a folder of its own: uv would take settings from a
# project's folder (a `.python-version` can name a program).
# $1: uv, $2: interpreter, $3: the environment's folder, $4: requirements file, $5: yes to demand hashes,
# $6: yes to add gunicorn, $7: our own hashed lines for it
set -eu
cd "${CACHE_DIRECTORY:?}"
install() {
  "$uv" pip install --no-progress --no-managed-python --link-mode copy --compile-bytecode \
    --python "$venv/bin/python" "$@"
}
uv=$1 venv=$3 requirements=$4 hashed=$5 gunicorn=$6 pins=$7
"$uv" venv --quiet --no-project --relocatable --allow-existing --no-managed-python --python "$2" "$venv"
# gunicorn first: where the project wants another version of what it brings, the project's word is the last.
[ "$gunicorn" = no ] || install --quiet --require-hashes -r "$pins"
if [ "$hashed" = yes ]; then install --require-hashes -r "$requirements"; else install -r "$requirements"; fi
