# A release: the bundle unpacked, root's own, readable by the app and by nobody else.
# shellcheck shell=sh

# What the runner sends may stand still while it makes a lost connection again; then it comes no more.
# $1: the file that says that all is there, $2: what is awaited, as the detail of the failure
await_sent() {
  clock
  looked=$now moved=$now sizes=
  while [ ! -e "$1" ]; do
    [ ! -e "$dir/bundle-full" ] || fail disk
    clock
    if [ "$now" != "$looked" ]; then
      looked=$now
      present=$(stat -c %s "$bundle".* 2>/dev/null) || :
      [ "$present" = "$sizes" ] || moved=$now
      sizes=$present
    fi
    [ $((now - moved)) -lt "$sent_wait" ] || fail upload "$(stat -c %s "$bundle.part" 2>/dev/null || echo 0) of $2"
    sleep 0.05
  done
}

# The bundle travels while packages install; the helper renames it when it is whole.
# $1: bytes, $2: sha256
receive_bundle() {
  await_sent "$bundle" "$1 bytes"
  IFS=' ' read -r sum _ <<SUM
$(sha256sum "$bundle")
SUM
  [ "$sum" = "$2" ] || fail upload-hash "$(stat -c %s "$bundle") of $1 bytes"
}

# tar as root never leaves the folder: GNU tar strips a leading slash and `..` and delays links that lead outside.
unpack_bundle() {
  mkdir -m 0751 "$root"
  made_release=yes
  umask 027
  until patiently tar -xzf "$bundle" -C "$root" --no-same-owner --no-same-permissions; do
    find "$root" -mindepth 1 -delete
    more_room || fail unpack
  done
  umask 022
  : >"$dir/bundle-taken"
  rm -f "$bundle"
  for own in .venv .site .public .previous .deploy .sock; do
    if [ -e "$root/$own" ] || [ -L "$root/$own" ]; then fail reserved-path "$own"; fi
  done
  mkdir -m 0750 "$root/.deploy"
  changed release "$release"
}

# The app cannot write bytecode into a release, so root's own Python does; it reads the files and runs none. Real files
# only: by a link of the project's it would read what lies outside, or write there.
compile_code() {
  find "$root" -name __pycache__ -type l -delete
  umask 027
  guarded find "$root" -name '*.py' -type f -exec /usr/bin/python3 -I -m compileall -q {} + || :
  umask 022
}

# Owners and modes: folders may be passed through (nginx follows .sock and .public), files are the app's to read.
own_release() {
  chown -hR root:"web-$name" "$root"
  find "$root" -path "$root/.venv" -prune -o -type d -exec chmod 0751 {} +
}

# What nginx serves: a tree of links from URL path to folder, where only files that may be public are readable.
# $1: URL path (/static), $2: folder in the release
publish() {
  folder=$root/$2
  if [ ! -d "$folder" ] || [ "$(readlink -f "$folder")" != "$folder" ]; then
    emit "unpublished $2"
    return 0
  fi
  outside=$(find "$folder" -type l -exec sh -c '
    base=$1; shift
    for link do case $(readlink -m "$link") in "$base"/*) ;; *) printf "%s\n" "$link" ;; esac; done
  ' sh "$folder" {} +)
  # A link that leads out of the folder would let nginx serve what lies beside it.
  if [ -n "$outside" ]; then
    emit "unpublished $2"
    return 0
  fi
  mkdir -p "$(dirname "$root/.public$1")"
  ln -s "$folder" "$root/.public$1"
  chmod -R o+rX "$folder"
}

# Relative to the release ID, so nginx follows it through `current`.
prepare_public() {
  mkdir -m 0751 "$root/.public"
  ln -s "/run/web-$name/$release.sock" "$root/.sock"
}
