#!/bin/sh
# Builds the project itself and installs it into a folder, without what it depends on, as the build user.
# $1: uv, $2: the environment's Python, $3: the release, $4: the project's folder in it, $5: the project's name
set -eu
own=${CACHE_DIRECTORY:?}/project
cd "$CACHE_DIRECTORY"
rm -rf "$own"
mkdir "$own"
find "$3" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .site ! -name .deploy -exec cp -R {} "$own/" \;
# Its history is not there, which tools that number versions by tags would ask for.
of=$(printf '%s' "$5" | tr 'a-z.-' 'A-Z__')
export "SETUPTOOLS_SCM_PRETEND_VERSION${of:+_FOR_$of}=0.0.0" POETRY_DYNAMIC_VERSIONING_BYPASS=0.0.0
! grep -qs pbr "$own/$4/setup.py" "$own/$4/setup.cfg" "$own/$4/pyproject.toml" || export PBR_VERSION=0.0.0
"$1" pip install --no-progress --no-managed-python --link-mode copy --compile-bytecode --python "$2" \
  --no-deps --target "$3/.site" "$own/$4"
rm -rf "$own"
