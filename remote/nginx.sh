# nginx is a transaction: sound before, written, tested, reloaded only when a file changed; else the old bytes.
# Files that we did not write stay as they are, but for the distribution's untouched default site.
# shellcheck shell=sh

nginx_folder() {
  # nginx.org's package has no sites-enabled.
  if [ -d /etc/nginx/sites-enabled ]; then sites=/etc/nginx/sites-enabled; else sites=/etc/nginx/conf.d; fi
}

# Somebody else's default server on a port, in whatever file nginx reads.
# $1: port
other_default() {
  nginx -T -q 2>/dev/null | awk -v own="/web-$name.conf" -v wanted="$1" '
    /^# configuration file / { file = $4; sub(/:$/, "", file); next }
    file ~ /\/00-flask-deploy-default(-tls)?\.conf$/ || substr(file, length(file) - length(own) + 1) == own { next }
    /^[^#]*listen[^#;]*default_server/ {
      port = $0
      sub(/.*listen[ \t]+/, "", port)
      sub(/[ \t;].*/, "", port)
      if (port ~ /:[0-9]+$/) sub(/.*:/, "", port)
      else if (port !~ /^[0-9]+$/) port = 80
      if (port == wanted) found = 1
    }
    END { exit !found }'
}

# What refuses unknown names over TLS, where nginx cannot do it without a certificate: one for no name.
unknown_name() {
  pem=/var/lib/flask-deploy/unknown-name.pem
  [ ! -s "$pem" ] || return 0
  mkdir -p /var/lib/flask-deploy
  (
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=unknown.invalid \
      -keyout "$pem.key" -out "$pem.new" 2>/dev/null
    cat "$pem.key" >>"$pem.new"
    rm -f "$pem.key"
    mv "$pem.new" "$pem"
  )
}

# A reload is only asked for; until the processes from before it have turned away, they may still answer. Where nginx
# cannot take the files after all (a port of theirs is somebody else's), they stay: that is for the smoke test to see.
reload_nginx() {
  master=$(systemctl show -p MainPID --value nginx.service)
  before=$(cat "/proc/$master/task/$master/children" 2>/dev/null) || before=
  systemctl reload nginx.service || return 1
  tries=100
  for worker in $before; do
    while [ -d "/proc/$worker" ] && ! grep -q 'shutting down' "/proc/$worker/cmdline" 2>/dev/null; do
      tries=$((tries - 1))
      [ "$tries" -gt 0 ] || return 0
      sleep 0.05
    done
  done
}

# A file of nginx's, by way of a folder that it does not read: a half of it, or two of it, would keep nginx from starting.
# $1: path, $2: content
write_nginx() {
  half_at=/etc/nginx/.web-$name.${1##*/}
  write_file "$1" 0644 root:root "$2"
  half_at=''
}

# Brings the present bytes of files into the journal; they are on the disk, whole, before any of the files is touched.
# "$@": paths
remember() {
  journal_open
  rm -rf "$journal/$bytes.new"
  mkdir "$journal/$bytes.new"
  for one in "$@"; do
    saved=$journal/$bytes.new/${one##*/}
    if [ -L "$one" ]; then cp -P "$one" "$saved"; elif [ -e "$one" ]; then cp -p "$one" "$saved"; else : >"$saved.absent"; fi
  done
}

# What others share with us is taken back only while it is as we made it.
# $1: name of the file, $2: what we are about to write, '' where it will not be there
remember_ours() { printf '%s' "$2" >"$journal/$bytes.new/$1.ours"; }

remembered() {
  to_disk
  : >"$journal/written"
  mv -T "$journal/$bytes.new" "$journal/$bytes"
  sync "$journal" 2>/dev/null || sync
  nginx_changed=yes
}

restore_nginx() {
  [ "$nginx_changed" = yes ] || return 0
  bring_back "$bytes"
  nginx_changed=no nginx_written=no
}

# The old bytes of nginx's files. $1: `nginx` or `secure`
bring_back() {
  nginx_folder
  # Another app's program may be at it, for long; what is ours alone need not wait for ever.
  own_lock=no
  { true >&8; } 2>/dev/null || {
    own_lock=yes
    exec 8>>/run/flask-deploy/lock
    patiently flock -w 30 8 || :
  }
  for saved in "$journal/$1"/*; do
    part=${saved##*/}
    case $part in *.ours | '*') continue ;; esac
    part=${part%.absent}
    target=$sites/$part
    case $part in
      "web-$name.conf") ;;
      default) if [ -e "$target" ] || [ -L "$target" ]; then continue; fi ;;
      *)
        [ -e "$journal/$1/$part.ours" ] || continue
        cmp -s "$journal/$1/$part.ours" "$target" || [ ! -s "$target" ] || continue
        ;;
    esac
    case $saved in
      *.absent) rm -f "$target" ;;
      *)
        # A full disk has no room for a second one; what was never changed needs none.
        if [ ! -L "$saved" ] && cmp -s "$saved" "$target"; then continue; fi
        rm -f "/etc/nginx/.web-$name.back"
        if cp -P -p "$saved" "/etc/nginx/.web-$name.back"; then
          mv -T "/etc/nginx/.web-$name.back" "$target"
        else
          rm -f "/etc/nginx/.web-$name.back"
        fi
        ;;
    esac
  done
  rm -f "$journal/written"
  to_disk
  commit_bytes "$1"
  if systemctl --quiet is-active nginx.service && nginx -t -q 2>/dev/null; then reload_nginx 2>/dev/null || :; fi
  # The key that was handed over for it is nobody's now.
  [ "$1" != secure ] || drop_keys
  [ "$own_lock" = no ] || server_unlock
}

# What was changed stays.
commit_nginx() {
  [ "$nginx_changed" = no ] || commit_bytes "$bytes"
  nginx_changed=no
}

# By rename: a cut leaves all of them or none. $1: `nginx` or `secure`
commit_bytes() {
  rm -rf "$journal/gone"
  mv -T "$journal/$1" "$journal/gone"
  sync "$journal" 2>/dev/null || sync
  rm -rf "$journal/gone"
}

# What a cut deploy left of it: the release's stays with the release; the switch to HTTPS had not passed its test.
recover_nginx() {
  if [ -d "$journal/nginx" ] && [ "$begun" != "$current" ]; then bring_back nginx; fi
  if [ -d "$journal/secure" ]; then bring_back secure; fi
}

# $1: the site's file, $2: the catch-all's content ('' where the site is the default itself), $3: that over HTTPS ('' where
# the site has none: another one's may stand)
configure_nginx() {
  nginx_folder
  site=$sites/web-$name.conf catch_all=$sites/00-flask-deploy-default.conf
  tls_catch_all=$sites/00-flask-deploy-default-tls.conf
  write=no default=keep tls_default=keep
  holds "$site" "$1" || write=yes
  if stock_default; then default=take; fi
  if [ -n "$2" ]; then
    if [ -e "$catch_all" ]; then
      holds "$catch_all" "$2" || default=take
    elif [ "$default" = keep ] && ! other_default 80; then
      default=take
    fi
  elif [ -e "$catch_all" ]; then
    default=take
  fi
  if [ -n "$3" ] && ! holds "$tls_catch_all" "$3"; then
    if [ -e "$tls_catch_all" ] || ! other_default 443; then tls_default=take; fi
  fi
  boots=/etc/systemd/system/multi-user.target.wants/nginx.service
  if [ "$write$default$tls_default" = nokeepkeep ] && [ -e "$boots" ] && systemctl --quiet is-active nginx.service; then
    nginx_written=yes
    return 0
  fi

  server_lock
  sound=yes
  if ! nginx -t -q >"$dir/nginx.out" 2>&1; then
    # What a file of ours is at fault for (a certificate that is gone, somebody's edit) ends with it.
    fault=
    [ "$write" = no ] || fault="/web-${name}[./]"
    [ "$default" = keep ] || fault="${fault:+$fault\\|}$catch_all"
    [ "$tls_default" = keep ] || fault="${fault:+$fault\\|}$tls_catch_all"
    if [ -z "$fault" ] || ! grep -q "$fault" "$dir/nginx.out"; then
      foreign log <"$dir/nginx.out"
      fail nginx-broken
    fi
    sound=no
  fi
  remember "$site" "$catch_all" "$tls_catch_all" "$sites/default"
  [ "$default" = keep ] || remember_ours "${catch_all##*/}" "$2"
  [ "$tls_default" = keep ] || remember_ours "${tls_catch_all##*/}" "$3"
  remembered
  for log in access error; do
    # nginx would make them for everybody to read, visitors' addresses and all.
    log=/var/log/nginx/web-$name.$log.log
    [ -e "$log" ] || install -m 0640 -g adm /dev/null "$log"
  done
  if [ "$write" = yes ]; then
    keep_edited "$site" "$home/written"
    write_nginx "$site" "$1"
  fi
  if [ "$default" = take ]; then
    keep_edited "$catch_all" /var/lib/flask-deploy/written
    if stock_default; then
      # It comes back with the end of the last app.
      mkdir -p /var/lib/flask-deploy
      : >/var/lib/flask-deploy/default-site
      rm -f "$sites/default"
    fi
    if [ -n "$2" ]; then write_nginx "$catch_all" "$2"; else rm -f "$catch_all"; fi
  fi
  if [ "$tls_default" = take ]; then
    case $3 in *unknown-name.pem*) unknown_name ;; esac
    keep_edited "$tls_catch_all" /var/lib/flask-deploy/written
    write_nginx "$tls_catch_all" "$3"
  fi
  if ! nginx -t -q >"$dir/nginx.out" 2>&1; then
    foreign log <"$dir/nginx.out"
    restore_nginx
    [ "$sound" = yes ] || fail nginx-broken
    fail nginx-config
  fi
  [ -e "$boots" ] || systemctl --quiet enable nginx.service
  if systemctl --quiet is-active nginx.service; then reload_nginx; else systemctl start nginx.service; fi ||
    { restore_nginx; fail nginx-start; }
  server_unlock
  nginx_written=yes
  changed nginx "$(basename "$site")"
}
