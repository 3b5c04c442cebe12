# HTTPS: a certificate from an authority (certbot, over HTTP) and the switch to it. The release that serves is not
# touched, and what fails here leaves the site as it was.
# shellcheck shell=sh

acme=/var/lib/flask-deploy/acme
# The steps follow each other: where one says no, the others do nothing, and the program goes on.
proceed=yes

# Does each name lead to this server? A file that only we can have written is looked for under each of them.
# $1: who looks (runner or server), $2: seconds to wait for the runner's word; the rest: names
preflight() {
  by=$1 wait=$2
  shift 2
  token=flask-deploy-$run
  read -r content </proc/sys/kernel/random/uuid
  mkdir -p "$acme/.well-known/acme-challenge"
  write_file "$acme/.well-known/acme-challenge/$token" 0644 root:root "$content"
  if [ "$by" = runner ]; then
    emit "preflight $token $content"
    await_frame preflight "$wait" || frame=none
  else
    patiently /usr/bin/python3 -I "$dir/http.py" probe "$token" "$content" "$@" >"$dir/preflight" 2>&1 || :
    frame=none
    IFS= read -r frame <"$dir/preflight" || :
    [ "$frame" = go ] || emit "certificate astray $frame"
  fi
  rm -f "$acme/.well-known/acme-challenge/$token"
  [ "$frame" = go ] || proceed=no
}

# What a preflight or a certbot that was cut off left there. A run whose program is there may be at it, whichever app's, and
# so may a certbot that runs by itself.
sweep_answers() {
  for left in "$acme/.well-known/acme-challenge"/*; do
    [ -e "$left" ] || continue
    id=${left##*/} its=no
    case $id in
      flask-deploy-*)
        id=${id#flask-deploy-}
        id=${id%%.*}
        for program in /run/flask-deploy/*/"$id/program"; do [ ! -e "$program" ] || its=yes; done
        ;;
      *) ! grep -qsx certbot /proc/[0-9]*/comm || its=yes ;;
    esac
    [ "$its" = yes ] || rm -f "$left"
  done
}

# $1: lineage, $2: authority, $3: e-mail address or '', $4: ask though the present one is good (yes or no),
# $5: the request, as a hash; the rest: names
request_certificate() {
  [ "$proceed" = yes ] || return 0
  proceed=no lineage=$1 authority=$2 email=$3 force=$4 request=$5
  shift 5
  authority_answers || { emit 'certificate unreachable'; return 0; }
  command -v certbot >/dev/null || try_packages no certbot || { emit 'certificate no-certbot'; return 0; }
  emit "running certbot for $*"
  server_lock
  drop_torn_accounts
  adopt_lineage "$lineage"
  live=/etc/letsencrypt/live/$lineage/fullchain.pem
  before=$(readlink -f "$live" 2>/dev/null) || before=
  names=$#
  for one in "$@"; do set -- "$@" -d "$one"; done
  shift "$names"
  [ "$force$stub" = no ] || set -- "$@" --force-renewal
  # certbot 1 takes a test service's certificate for one that must not be touched.
  case $authority in *staging*) set -- "$@" --break-my-certs ;; esac
  if [ -n "$email" ]; then set -- "$@" "--email=$email" --no-eff-email; else set -- "$@" --register-unsafely-without-email; fi
  # ECDSA is what certbot takes by itself from 2.0 on; below 1.10 it has no word for it.
  if dpkg --compare-versions "$(dpkg-query -W -f '${Version}' certbot 2>/dev/null || echo 9)" ge 1.10; then
    set -- "$@" --key-type ecdsa
  fi
  log=/var/log/letsencrypt/letsencrypt.log kind='' tries=2
  while :; do
    logged=$(stat -c %s "$log" 2>/dev/null) || logged=0
    s=0
    # A hook is stored by the run that names it, so it stands in each. nginx would not start at a boot with a certificate that
    # a power cut has left empty.
    guarded certbot certonly -n --agree-tos --webroot -w "$acme" --server "$authority" --cert-name "$lineage" \
      --renew-with-new-domains --keep-until-expiring --deploy-hook 'sync && systemctl reload nginx' "$@" || s=$?
    [ "$s" != 0 ] || break
    kind=$(refusal)
    tries=$((tries - 1))
    # Nothing was refused: it may be that another certbot was at work.
    if [ -n "$kind" ] || [ "$tries" = 0 ]; then break; fi
    patiently sleep 3
  done
  # certbot says 0 too where it made a lineage of another name.
  if [ "$s" = 0 ] && [ -f "$live" ]; then
    refused=''
    state_save
    [ "$(readlink -f "$live")" = "$before" ] || changed certificate "${names} names from $authority"
    proceed=yes
  elif [ -n "$kind" ]; then
    note_refusal
  else
    emit 'certificate failed'
  fi
  drop_stub
  ensure_renewal
  server_unlock
}

# A directory that cannot be read is no refusal: it is asked again with the next deploy.
authority_answers() {
  patiently /usr/bin/python3 -I "$dir/http.py" reach "$authority" >"$dir/reach" 2>&1 || :
  [ "$(head -n 1 "$dir/reach")" = ok ]
}

# Refused is what the authority itself says in its answers (RFC 8555, 6.7: urn:ietf:params:acme:error:...), which stand
# in certbot's log; certbot tries again by itself after badNonce.
refusal() {
  [ "$(stat -c %s "$log" 2>/dev/null || echo 0)" -ge "$logged" ] || logged=0
  tail -c "+$((logged + 1))" "$log" 2>/dev/null | grep -o 'urn:ietf:params:acme:error:[A-Za-z]*' |
    grep -v ':badNonce$' | sed 's/.*://' | tail -n 1
}

# It is not asked for the same again before an hour, then two, and so on: authorities count failures.
note_refusal() {
  count=1
  case $refused in *" $request") count=$((${refused%% *} + 1)) ;; esac
  [ "$count" -le 20 ] || count=20
  refused="$count $(date +%s) $request"
  state_save
  emit "certificate refused $kind"
}

# certbot cannot go on with a lineage of which a part is lost, or is empty since the power was cut: it would order in vain, or
# make one of another name. So its links are made whole again from what is there, and in place, for nginx uses them.
# $1: lineage; fails where nothing is left to go on with
mend_lineage() {
  live=/etc/letsencrypt/live/$1 archive=/etc/letsencrypt/archive/$1 newest=0
  links=0 files=0
  for part in cert chain fullchain privkey; do
    [ ! -L "$live/$part.pem" ] || links=$((links + 1))
    [ ! -s "$live/$part.pem" ] || files=$((files + 1))
  done
  [ "$links$files" != 44 ] || return 0
  for key in "$archive"/privkey*.pem; do
    number=${key##*/privkey}
    number=${number%.pem}
    case $number in '' | *[!0-9]*) continue ;; esac
    # Where what the links name is there as copies, it is a set of its own.
    if [ "$files" != 4 ]; then
      if ! [ -s "$archive/cert$number.pem" ] || ! [ -s "$archive/chain$number.pem" ]; then continue; fi
      if ! [ -s "$archive/fullchain$number.pem" ] || ! [ -s "$key" ]; then continue; fi
    fi
    [ "$number" -le "$newest" ] || newest=$number
  done
  if [ "$files" = 4 ]; then
    newest=$((newest + 1))
    (
      umask 077
      mkdir -p "$archive"
      for part in cert chain fullchain privkey; do cp -L "$live/$part.pem" "$archive/$part$newest.pem"; done
    )
  fi
  [ "$newest" != 0 ] || return 1
  (umask 077 && mkdir -p "$live")
  for part in cert chain fullchain privkey; do point "../../archive/$1/$part$newest.pem" "$live/$part.pem"; done
}

# The same for what certbot knows of it: with a file that says nothing it takes the lineage for its own, and writes what it
# knows into it once it has a certificate. Sets $stub where that is so.
# $1: lineage
adopt_lineage() {
  renewal=/etc/letsencrypt/renewal/$1.conf stub=''
  mend_lineage "$1" || rm -rf "/etc/letsencrypt/live/${1:?}" "/etc/letsencrypt/archive/${1:?}"
  if [ ! -d "/etc/letsencrypt/live/$1" ]; then
    rm -f "$renewal"
  elif ! grep -q '^server = ' "$renewal" 2>/dev/null; then
    stub=$renewal
    mkdir -p /etc/letsencrypt/renewal
    for part in cert privkey chain fullchain; do printf '%s = %s\n' "$part" "/etc/letsencrypt/live/$1/$part.pem"; done >"$stub"
    printf '[renewalparams]\n' >>"$stub"
  fi
}

# certbot ends with an error of its own over an account with an empty file, as a power cut leaves it; without it, it makes one.
drop_torn_accounts() {
  find /etc/letsencrypt/accounts -mindepth 3 -type f -empty 2>/dev/null | while IFS= read -r torn; do rm -rf "${torn%/*}"; done
}

# One that certbot has not filled would only spoil the renewal of all others.
drop_stub() { [ -z "$stub" ] || grep -q '^server = ' "$stub" || rm -f "$stub"; }

# certbot's own timer renews; a system without it, from a snap, has another.
ensure_renewal() {
  [ -e /lib/systemd/system/certbot.timer ] || return 0
  if [ ! -e /etc/systemd/system/timers.target.wants/certbot.timer ] || ! systemctl --quiet is-active certbot.timer; then
    systemctl --quiet enable --now certbot.timer || :
  fi
}

# The certificate itself, without those of its authorities: the first block of the file.
# $1: file
leaf() { sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/{/-----/!p;/-----END/q}' "$1" 2>/dev/null | tr -d '\r\n'; }

# The switch: nginx's files for HTTPS, a test, and the way back.
# $1: the certificate's file, $2: the site while it is tested, $3: the site from then on, $4, $5: what answers unknown names
# over HTTP ('' for nothing) and over HTTPS, $6: seconds to wait for the runner's word
secure() {
  [ "$proceed" = yes ] || return 0
  emit "certificate leaf $(leaf "$1")"
  bytes=secure
  configure_nginx "$2" "$4" "$5"
  emit secured
  asking=$dir/secured.json
  ask_nginx "$release" 3
  asking=$dir/check.json
  emit "answered $answer"
  await_frame secured "$6" || frame=none
  if [ "$frame" != keep ]; then
    restore_nginx
    # (also where nginx has the same file as before)
    drop_keys
    emit 'certificate unused'
    [ "$frame" != none ] || ask_alone "$release"
    return 0
  fi
  to_disk
  commit_nginx
  record_nginx
  # Visitors who come over HTTP are led to HTTPS only now that it has passed its test and every process of nginx's has it: one
  # from before the reload would refuse whom a newer one sends.
  configure_nginx "$3" "$4" "$5"
  to_disk
  commit_nginx
  drop_keys
  # The site is another one for the watch too.
  [ ! -f "$watch_folder/check.json" ] || write_file "$watch_folder/check.json" 0600 root:root "$(cat "$dir/secured.json")"
  emit 'certificate used'
}

# What was handed over and is not used, or not any more, is nobody's.
drop_keys() {
  nginx_folder
  for one in "/etc/web-$name"/tls-*.pem; do
    [ ! -e "$one" ] || grep -qF " $one;" "$sites/web-$name.conf" || rm -f "$one"
  done
}
