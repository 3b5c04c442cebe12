# Facts: what the server says about itself, one "KEY VALUE" line each. Nothing here changes anything.
# shellcheck shell=sh

fact() { printf '%s\n' "$*"; }

# $1: a folder's mount
space() { df -Pk "$1" 2>/dev/null | while read -r _ _ _ free _; do case $free in *[!0-9]*) ;; *) printf '%s' "$free" ;; esac; done; }

# The nonce by which a release proves itself; it is in the env file, which only root can read.
# $1: release
nonce_of() { sed -n 's/^FLASK_DEPLOY_NONCE=//p' "/etc/web-$name/$1.env" 2>/dev/null | tail -n 1; }

# $1: unit prefix
unit_active() {
  if systemctl --quiet is-active "$1.socket" "$1.service" 2>/dev/null; then echo yes; else echo no; fi
}

# "$@": the Debian packages that a deploy wants
facts() {
  home=/srv/web-$name
  (
    # shellcheck disable=SC1091
    . /etc/os-release
    fact os "${ID:-unknown} ${VERSION_ID:-0} ${VERSION_CODENAME:-unknown}"
  ) 2>/dev/null || fact os 'unknown 0 unknown'
  if [ -d /run/systemd/system ]; then
    fact systemd "$(systemctl --version | { read -r _ version _ && printf '%s' "${version%%[!0-9]*}"; })"
  else
    fact systemd 0
  fi
  fact arch "$(uname -m)"
  fact python "$(readlink -f /usr/bin/python3 2>/dev/null)"
  fact ipv6 "$([ -f /proc/net/if_inet6 ] && echo yes || echo no)"
  fact cpus "$(nproc)"
  while read -r key value _; do
    case $key in MemTotal:) fact memory "$value" && break ;; esac
  done </proc/meminfo
  mount=/srv
  [ -d /srv ] || mount=/
  fact disk "$(space "$mount")"
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | while read -r status package; do
    [ "$status" != installed ] || fact installed "$package"
  done
  if command -v nginx >/dev/null; then
    fact nginx "$(nginx -v 2>&1 | sed 's,.*/\([0-9.]*\).*,\1,')"
    fact nginx-user "$(sed -n 's/^[[:space:]]*user[[:space:]]\{1,\}\([a-z0-9_-]*\).*;.*/\1/p' /etc/nginx/nginx.conf 2>/dev/null | head -n 1)"
  fi
  if [ -d /etc/nginx/sites-enabled ]; then sites=/etc/nginx/sites-enabled; else sites=/etc/nginx/conf.d; fi
  for file in "web-$name.conf" 00-flask-deploy-default.conf; do
    [ ! -f "$sites/$file" ] || fact file "$file $(sha256sum <"$sites/$file" | cut -c 1-64)"
  done
  for tool in /opt/flask-deploy/uv-*/bin/uv; do
    [ ! -x "$tool" ] || fact uv "$(basename "${tool%/bin/uv}")"
  done
  ! id -u "web-$name" >/dev/null 2>&1 || fact account yes
  ! grep -q '^ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null || fact ufw yes
  if [ -e "$home" ]; then fact home yes; fi
  if [ -f "$home/state" ]; then
    while IFS= read -r line; do fact state "$line"; done <"$home/state"
    link=$(readlink "$home/current" 2>/dev/null) || link=
    [ -z "$link" ] || fact link "${link#releases/}"
    while read -r key id _; do
      case $key in
        current | previous | release)
          nonce=$(nonce_of "$id")
          [ -z "$nonce" ] || fact nonce "$id $nonce"
          [ "$key" != current ] || fact active "$id $(unit_active "web-$name-$id")"
          ;;
      esac
    done <"$home/state"
  else
    taken
  fi
}

# Whatever bears the app's name though no deploy has made it: an app always begins with its state file.
taken() {
  for one in "web-$name" "web-$name-build"; do
    if id -u "$one" >/dev/null 2>&1; then
      fact taken "user $one"
    elif getent group "$one" >/dev/null; then
      fact taken "group $one"
    fi
  done
  for one in "$home" "/etc/web-$name" "/var/lib/web-$name" "/var/cache/web-$name" "/var/log/web-$name" \
    "/var/cache/web-$name-build" "$sites/web-$name.conf"; do
    if [ -e "$one" ] || [ -L "$one" ]; then fact taken "$one"; fi
  done
}
