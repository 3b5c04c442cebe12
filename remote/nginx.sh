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
  [ ! -f "$pem" ] || return 0
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

# Remembers a file's present bytes, to bring them back.
# $1: path
remember() {
  mkdir -p "$dir/nginx"
  saved=$dir/nginx/$(basename "$1")
  if [ -L "$1" ]; then cp -P "$1" "$saved"; elif [ -e "$1" ]; then cp -p "$1" "$saved"; else : >"$saved.absent"; fi
}

restore_nginx() {
  [ "$nginx_changed" = yes ] || return 0
  nginx_folder
  for saved in "$dir/nginx"/*; do
    target=$sites/$(basename "$saved" .absent)
    case $saved in
      *.absent) rm -f "$target" ;;
      *) rm -f "$target" && cp -P -p "$saved" "$target" ;;
    esac
  done
  commit_nginx
  if nginx -t -q 2>/dev/null; then reload_nginx 2>/dev/null || :; fi
}

# What was changed stays.
commit_nginx() {
  rm -rf "$dir/nginx"
  nginx_changed=no
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
  if [ "$write$default$tls_default" = nokeepkeep ] && [ -e "$boots" ] && systemctl --quiet is-active nginx.service; then return 0; fi

  server_lock
  sound=yes
  if ! nginx -t -q >"$dir/nginx.out" 2>&1; then
    # What our own file is at fault for (a certificate that is gone) ends with it.
    if [ "$write" = no ] || ! grep -q "/web-${name}[./]" "$dir/nginx.out"; then
      foreign log <"$dir/nginx.out"
      fail nginx-broken
    fi
    sound=no
  fi
  remember "$site"
  remember "$catch_all"
  remember "$tls_catch_all"
  remember "$sites/default"
  nginx_changed=yes
  for log in access error; do
    # nginx would make them for everybody to read, visitors' addresses and all.
    log=/var/log/nginx/web-$name.$log.log
    [ -e "$log" ] || install -m 0640 -g adm /dev/null "$log"
  done
  [ "$write" = no ] || write_file "$site" 0644 root:root "$1"
  if [ "$default" = take ]; then
    if stock_default; then rm -f "$sites/default"; fi
    if [ -n "$2" ]; then write_file "$catch_all" 0644 root:root "$2"; else rm -f "$catch_all"; fi
  fi
  if [ "$tls_default" = take ]; then
    case $3 in *unknown-name.pem*) unknown_name ;; esac
    write_file "$tls_catch_all" 0644 root:root "$3"
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
  changed nginx "$(basename "$site")"
}
