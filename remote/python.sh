# Which Python the app gets, decided before anything of it is installed: the server's own, another one of the
# distribution, or one that uv downloads. Root runs none of them but /usr/bin/python3.
# shellcheck shell=sh

pythons=/opt/flask-deploy/python

# What decides an environment, as one hash: the runner's part and the server's. $1: the runner's hash
environment_key() {
  IFS=' ' read -r key _ <<KEY
$(printf '%s %s %s' "$1" "$interpreter" "$uv" | sha256sum)
KEY
}

# $1: the runner's hash of what decides the environment, $2: what must hold, $3: the version that is liked best, $4: where
# that is said; the rest: the ways to try, `HOW:VERSION`, the best first. Sets $interpreter.
choose_python() {
  wish_key=$1 must=$2 preferred=$3 liked=$4 interpreter='' failed_download=''
  shift 4
  own=$(readlink -f /usr/bin/python3) || own=
  own_version=${own##*/python}
  for try; do
    if "${try%%:*}_python" "${try#*:}"; then
      version=${interpreter##*/python} why=$must
      [ "$version" != "$preferred" ] || why=$liked
      emit "found python $version ${try%%:*} $why"
      [ -z "$preferred" ] || [ "$version" = "$preferred" ] || emit "doubt python-fallback $version $preferred $liked"
      return 0
    fi
  done
  [ -z "$failed_download" ] || fail python-unreachable "$own_version"
  fail python-absent "$own_version"
}

# The server's own, which is the best kept up to date. $1: versions that will do, parted by commas; '' for any
server_python() {
  case ",$1," in ",," | *",$own_version,"*) ;; *) return 1 ;; esac
  [ -x "$own" ] || return 1
  interpreter=$own
}

# Another one of the distribution. $1: version
distribution_python() {
  # Its smallest package alone lacks most of the library.
  if [ ! -x "/usr/bin/python$1" ] || [ ! -e "/usr/lib/python$1/json/__init__.py" ]; then
    need_lists
    apt-cache pkgnames "python$1" 2>/dev/null | grep -qxF "python$1" || return 1
    try_packages no "python$1" || return 1
    [ -x "/usr/bin/python$1" ] || return 1
  fi
  interpreter=/usr/bin/python$1
}

# One that uv downloaded, or does now. $1: version
managed_python() {
  if [ ! -x "$pythons/$1/bin/python$1" ]; then
    # Where another one would do, too, and the environment that is there was made with it: no new try at each deploy.
    if [ "$1" = "$preferred" ] && reuses_own; then return 1; fi
    download_python "$1" || {
      failed_download=$1
      return 1
    }
  fi
  interpreter=$pythons/$1/bin/python$1
}

forbidden_python() { fail python-forbidden "$own_version"; }

# The release in service has this environment, made with the server's own Python.
reuses_own() {
  interpreter=$own had=''
  environment_key "$wish_key"
  interpreter=''
  [ -z "$current" ] || read -r had _ 2>/dev/null <"$home/releases/$current/.deploy/environment" || :
  [ "$had" = "$key" ]
}

# uv checks what it fetches by hashes of its own. It runs as the build user, in a folder that nobody else has written to,
# and what it made becomes root's: it is for all apps of the server. `in_download` is the plan's: the unit's properties.
# $1: version
download_python() {
  made=$pythons/.$name
  emit "running uv python install $1"
  mkdir -p "$pythons"
  rm -rf "$made"
  install -d -m 0700 -o "web-$name-build" -g "web-$name-build" "$made"
  if ! in_download "$uv" python install --no-bin --no-progress --compile-bytecode "$1"; then
    rm -rf "$made"
    return 1
  fi
  chosen=
  for one in "$made"/made/cpython-"$1".*; do
    # Beside it is a link that bears the minor version.
    if [ -d "$one" ] && [ ! -L "$one" ]; then chosen=$one; fi
  done
  # A file of somebody else's, or one with a second name outside: making it root's would hand over what it is linked to.
  if [ -z "$chosen" ] || [ ! -f "$chosen/bin/python$1" ] || [ -L "$chosen/bin" ] || [ -L "$chosen/bin/python$1" ] ||
    [ -L "$made/made" ] || foreign_in "$chosen"; then
    rm -rf "$made"
    fail build-tampered "Python $1"
  fi
  chown -hR root:root "$chosen"
  chmod -R u=rwX,go=rX "$chosen"
  server_lock
  # Another app may have been faster.
  [ -d "$pythons/$1" ] || keep_folder "$chosen" "$pythons/$1"
  server_unlock
  rm -rf "$made"
  changed python "$1"
}

# Does a tree hold anything that is not the build user's alone? A file may have several names if all are in it.
# $1: folder
foreign_in() {
  [ -n "$(find "$1" ! -user "web-$name-build" -print -quit)" ] && return 0
  find "$1" -type f -links +1 -printf '%D:%i %n\n' | sort | uniq -c | while read -r seen _ names; do
    [ "$seen" = "$names" ] || echo foreign
  done | grep -q foreign
}
