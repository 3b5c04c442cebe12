# Facts: what the server says about itself, one "KEY VALUE" line each. Nothing here changes anything.
# shellcheck shell=sh

fact() { printf '%s\n' "$*"; }

# The nonce by which a release proves itself; it is in the env file, which only root can read.
# $1: release
nonce_of() { sed -n 's/^FLASK_DEPLOY_NONCE=//p' "/etc/web-$name/$1.env" 2>/dev/null | tail -n 1; }

# $1: unit prefix
unit_active() {
  if systemctl --quiet is-active "$1.socket" "$1.service" 2>/dev/null; then echo yes; else echo no; fi
}

# What somebody changed by hand is looked for at the same time.
# "$@": the Debian packages that a deploy wants
facts() {
  drift | {
    all_facts "$@"
    cat
  }
}

# By what the last deploy left beside its record: it knows how that was made, and need not travel in front of the facts.
drift() {
  compare=/srv/web-$name/written/flask_deploy_drift.py
  [ ! -f "$compare" ] || timeout 20 /usr/bin/python3 -I -S -B "$compare" "$name" </dev/null 2>/dev/null || :
}

all_facts() {
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
  fact libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
  fact python "$(readlink -f /usr/bin/python3 2>/dev/null)"
  pythons=''
  for one in /usr/bin/python3.[0-9] /usr/bin/python3.[0-9][0-9]; do
    [ ! -x "$one" ] || pythons="$pythons ${one##*/python}"
  done
  fact pythons "${pythons# }"
  installable_pythons "$pythons"
  pythons=''
  for one in /opt/flask-deploy/python/3.*; do
    [ ! -x "$one/bin/python${one##*/}" ] || pythons="$pythons ${one##*/}"
  done
  fact managed-pythons "${pythons# }"
  fact ipv6 "$([ -f /proc/net/if_inet6 ] && echo yes || echo no)"
  fact cpus "$(nproc)"
  measure_memory
  fact memory "$memory_total"
  fact memory-left "$memory_left"
  space_facts
  # Root may write everywhere, but for a file system that is mounted read-only.
  for folder in /etc /opt /srv /tmp /var; do
    [ ! -d "$folder" ] || [ -w "$folder" ] || fact read-only "$folder"
  done
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | while read -r status package; do
    [ "$status" != installed ] || fact installed "$package"
  done
  if command -v nginx >/dev/null; then
    fact nginx "$(nginx -v 2>&1 | sed 's,.*/\([0-9.]*\).*,\1,')"
    fact nginx-user "$(sed -n 's/^[[:space:]]*user[[:space:]]\{1,\}\([a-z0-9_-]*\).*;.*/\1/p' /etc/nginx/nginx.conf 2>/dev/null | head -n 1)"
  fi
  if [ -d /etc/nginx/sites-enabled ]; then sites=/etc/nginx/sites-enabled; else sites=/etc/nginx/conf.d; fi
  for file in "web-$name.conf" 00-flask-deploy-default.conf 00-flask-deploy-default-tls.conf; do
    [ ! -f "$sites/$file" ] || fact file "$file $(sha256sum <"$sites/$file" | cut -c 1-64)"
  done
  neighbours
  certificate_facts
  for tool in /opt/flask-deploy/uv-*/bin/uv; do
    [ ! -x "$tool" ] || fact uv "$(basename "${tool%/bin/uv}")"
  done
  [ "$wheels" != yes ] || for wheel in /var/lib/flask-deploy/wheels/*/*.whl; do
    [ ! -f "$wheel" ] || {
      wheel=${wheel%/*}
      fact wheel "${wheel##*/}"
    }
  done
  ! id -u "web-$name" >/dev/null 2>&1 || fact account yes
  ! grep -q '^ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null || fact ufw yes
  if [ -e "$home" ]; then fact home yes; fi
  sed -n 's/^\([A-Z0-9_]*\)=.*/\1/p' "/etc/web-$name/generated.env" 2>/dev/null | while read -r made; do
    fact generated "$made"
  done
  if [ -f "$home/state" ]; then
    while IFS= read -r line; do fact state "$line"; done <"$home/state"
    if [ -d "$home/journal" ]; then
      begun=-
      IFS=' ' read -r _ begun _ 2>/dev/null <"$home/journal/begun" || :
      fact journal "${begun:--}"
    fi
    if IFS=' ' read -r recovered _ 2>/dev/null <"$home/recovered"; then fact recovered "$recovered"; fi
    link=$(readlink "$home/current" 2>/dev/null) || link=
    [ -z "$link" ] || fact link "${link#releases/}"
    while read -r key id _; do
      case $key in
        current | previous | release)
          nonce=$(nonce_of "$id")
          [ -z "$nonce" ] || fact nonce "$id $nonce"
          if [ "$key" = current ]; then
            fact active "$id $(unit_active "web-$name-$id")"
            # An upgrade of the distribution takes away the Python that it was made with.
            [ ! -d "$home/releases/$id/.venv" ] || [ -x "$home/releases/$id/.venv/bin/python" ] || fact environment-broken yes
            ! read -r _ resolved _ 2>/dev/null <"$home/releases/$id/.deploy/environment" || fact resolved "$resolved"
          fi
          ;;
      esac
    done <"$home/state"
  else
    taken
  fi
}

# Where the server's own Python does not fit: those of the distribution, installed or not.
# $good: the minor versions that fit, one after the other; '' for any. $1: those that are installed
installable_pythons() {
  own=$(readlink -f /usr/bin/python3 2>/dev/null) || own=
  case " $good " in '  ' | *" ${own##*/python} "*) return 0 ;; esac
  for one in $good; do
    case " $1 " in *" $one "*) return 0 ;; esac
  done
  # Else apt would make anew what it keeps of its lists, which takes seconds, and leaves a file behind.
  [ -n "$(find /var/cache/apt/pkgcache.bin -newer /var/lib/apt/lists -newer /var/lib/dpkg/status 2>/dev/null)" ] || return 0
  fact installable-pythons "$(apt-cache pkgnames python3. 2>/dev/null |
    sed -n 's/^python\(3\.[0-9]\{1,2\}\)$/\1/p' | sort -u | tr '\n' ' ')"
}

# $1: a certificate's file. Of the file only the first certificate is read: a key may be in it too.
certificate() {
  lineage=${1#/etc/letsencrypt/live/}
  lineage=${lineage%/*} found=$1
  authority=$(sed -n 's/^server = //p' "/etc/letsencrypt/renewal/$lineage.conf" 2>/dev/null | head -n 1)
  if [ "$lineage" = "web-$name" ]; then
    # Of one that lost a part certbot knows nothing more; what nginx uses may still be in the archive.
    for part in cert chain fullchain privkey; do
      [ -L "${1%/*}/$part.pem" ] && [ -f "${1%/*}/$part.pem" ] || authority=
    done
    [ -f "$1" ] || found=$(find "/etc/letsencrypt/archive/$lineage" -name 'fullchain*.pem' 2>/dev/null | sort -V | tail -n 1)
  fi
  [ -f "$found" ] || return 0
  fact certificate "$1 ${authority:--} $(sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/{/-----/!p;/-----END/q}' "$found" | tr -d '\r\n')"
}

# The certificates that the site could use: the one it has, certbot's of this app, and those that are no app's.
certificate_facts() {
  fact now "$(date +%s)"
  used=$(sed -n 's/^ *ssl_certificate \(.*\);$/\1/p' "$sites/web-$name.conf" 2>/dev/null | head -n 1)
  if [ -n "$used" ]; then
    fact site-certificate "$used"
    certificate "$used"
  fi
  fact site-names "$(sed -n 's/^ *server_name \(.*\);$/\1/p' "$sites/web-$name.conf" 2>/dev/null | head -n 1)"
  for file in /etc/letsencrypt/live/*/fullchain.pem; do
    case $file in
      "$used") ;;
      "/etc/letsencrypt/live/web-$name/fullchain.pem") certificate "$file" ;;
      /etc/letsencrypt/live/web-*)
        app=${file%/fullchain.pem}
        [ -e "/srv/${app##*/}/state" ] || certificate "$file"
        ;;
      *) certificate "$file" ;;
    esac
  done
  for timer in certbot snap.certbot.renew; do
    if [ -e "/etc/systemd/system/timers.target.wants/$timer.timer" ] && systemctl --quiet is-active "$timer.timer"; then
      fact renewal yes
    fi
  done
  while read -r address _ _ scope _; do
    [ "$scope" != 00 ] || fact address6 "$address"
  done 2>/dev/null </proc/net/if_inet6 || :
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
    "/var/cache/web-$name-build" "$sites/web-$name.conf" "/var/lib/web-$name.redis" \
    "/etc/systemd/system/web-$name.redis.service"; do
    if [ -e "$one" ] || [ -L "$one" ]; then fact taken "$one"; fi
  done
}
