# The app's own users and folders, all named web-NAME.
# shellcheck shell=sh

# The home with the owner's mark in it appears at once (rename), so a cut never leaves an app without an owner.
# $1: owner ("ID NAME")
claim() {
  if [ -d "$home" ]; then
    # Another repository may have been first since the facts were asked; one that was renamed goes on.
    [ "${owner%% *}" = "${1%% *}" ] || fail facts-changed "$owner"
    owner=$1
    # Of an app that was taken off the server the data may have stayed.
    [ -d "$home/releases" ] || mkdir -m 0751 "$home/releases"
    return 0
  fi
  rm -rf "$home.new"
  mkdir -m 0751 "$home.new"
  mkdir -m 0751 "$home.new/releases"
  (umask 077 && printf 'generation 0\nowner %s\n' "$1" >"$home.new/state")
  sync -f "$home.new" 2>/dev/null || sync
  mv -T "$home.new" "$home"
  state_load
  changed folder "$home"
}

# $1: user, $2: its home
ensure_user() {
  if id -u "$1" >/dev/null 2>&1; then return 0; fi
  useradd --system --user-group --no-create-home --home-dir "$2" --shell /usr/sbin/nologin "$1" 3>&- 8>&- 9>&-
  changed user "$1"
}

ensure_account() {
  ensure_user "web-$name" "/var/lib/web-$name"
  ensure_user "web-$name-build" "/var/cache/web-$name-build"
  [ -d "/etc/web-$name" ] || mkdir -m 0700 "/etc/web-$name"
  for folder in lib cache log; do
    # Their content is the app's own; root makes the folder and nothing within.
    [ -d "/var/$folder/web-$name" ] || install -d -m 0750 -o "web-$name" -g "web-$name" "/var/$folder/web-$name"
  done
}
