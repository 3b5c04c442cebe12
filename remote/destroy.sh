# `command: destroy`: takes an app off the server: whatever bears its name, and nothing else. Under the app's lock, and in an
# order that a cut cannot spoil: the state file, which says whose the app is, goes last, so the next destroy ends the work, and
# a deploy in its place finds an app without releases.
# shellcheck shell=sh

# $1: the owner's ID, $2: the data as well (yes or no)
destroy() {
  rm -rf "${home:?}.gone"
  # As it is under the lock.
  state_load
  if [ ! -f "$home/state" ]; then
    emit 'found removed nothing'
    return 0
  fi
  [ "${owner%% *}" = "$1" ] || fail owner "${owner#* }"
  if [ -d "$journal" ]; then recover repaired now || :; fi
  find_others
  forget_site
  forget_releases
  remove_units
  remove_folders
  remove_certificate
  if [ "$2" = yes ]; then remove_data; else keep_data; fi
  remove_shared
  sync -f /srv 2>/dev/null || sync
}

# Is there another app of ours on the server, or one on its way? Sets $others.
find_others() {
  others=no
  for folder in /srv/web-*/releases; do
    [ ! -d "$folder" ] || [ "$folder" = "$home/releases" ] || others=yes
  done
  case $(systemctl list-units --plain --no-legend 'flask-deploy-*.service' | grep -v "^flask-deploy-$name-[0-9a-f]*[.-]") in
    ?*) others=yes ;;
  esac
}

# nginx first: as long as it may still go wrong, nothing is gone. Only what is ours alone, and with the last app what answers
# unknown names.
forget_site() {
  nginx_folder
  set -- "$sites/web-$name.conf"
  [ "$others" = yes ] || set -- "$@" "$sites/00-flask-deploy-default.conf" "$sites/00-flask-deploy-default-tls.conf"
  server_lock
  mkdir -p "$dir/aside"
  for file; do
    [ ! -e "$file" ] || { cp -p "$file" "$dir/aside/" && rm -f "$file" && changed removed "$file"; }
  done
  stock=''
  if [ "$others" = no ] && [ -f /var/lib/flask-deploy/default-site ] && [ -f /etc/nginx/sites-available/default ] &&
    [ -d /etc/nginx/sites-enabled ] && [ ! -e "$sites/default" ]; then
    stock=$sites/default
    ln -s /etc/nginx/sites-available/default "$stock"
  fi
  if command -v nginx >/dev/null && { [ -n "$stock" ] || [ -n "$(ls "$dir/aside")" ]; }; then
    if ! nginx -t -q >"$dir/nginx.out" 2>&1; then
      for file in "$dir/aside"/*; do [ ! -e "$file" ] || cp -p "$file" "$sites/"; done
      [ -z "$stock" ] || rm -f "$stock"
      foreign log <"$dir/nginx.out"
      fail nginx-broken
    fi
    ! systemctl --quiet is-active nginx.service || reload_nginx || emit 'doubt nginx-not-reloaded'
    [ -z "$stock" ] || changed restored "$stock"
  fi
  server_unlock
}

# From here on the app has no release, whatever is cut.
forget_releases() {
  for id in $(kept_ids); do changed removed "release $id"; done
  current='' previous='' kept='' settling='' taken_back='' refused='' generation=$((generation + 1))
  state_save
  sync -f "$home" 2>/dev/null || sync
  rm -f "$home/current"
}

remove_units() {
  units=$(own_units)
  runs=$(systemctl list-units --plain --no-legend "flask-deploy-$name-*.service" | sed 's/ .*//' |
    grep -E "^flask-deploy-$name-[0-9a-f]{16}-[a-z-]+\.service$" | grep -v "^flask-deploy-$name-$run") || runs=
  if [ -n "$units$runs" ]; then
    # shellcheck disable=SC2086 # lists of unit names
    {
      patiently timeout 60 systemctl stop $units $runs 2>/dev/null || :
      systemctl kill -s KILL $units $runs 2>/dev/null || :
      systemctl stop $units 2>/dev/null || :
      systemctl reset-failed $units 2>/dev/null || :
    }
    for unit in $units; do
      rm -rf "${wants:?}/$unit" "${wants:?}/$unit.d" "$wants"/*.wants/"$unit"
      changed removed "unit $unit"
    done
  fi
  # What a write or a removal that was cut left of them.
  for left in "$wants/web-$name"[-.]* "$wants"/*.wants/"web-$name"[-.]*; do
    ! is_own "${left##*/}" || rm -rf "$left"
  done
  rm -f "/etc/nginx/.web-$name".*
  systemctl daemon-reload
}

# $1: a file's name below systemd's folders. Is it this app's, and of none whose name only begins so?
is_own() { printf '%s\n' "$1" | grep -qE "^web-$name(-[0-9]{14}-[0-9a-f]{7})?\.[A-Za-z0-9_.-]+$" && [ "$1" != "web-$name.service" ]; }

remove_folders() {
  find "$home" -mindepth 1 -maxdepth 1 ! -name state -exec rm -rf {} +
  for folder in "/var/cache/web-$name" "/var/cache/web-$name-build" "/var/log/web-$name" "/run/web-$name" \
    "/var/backups/web-$name" "/opt/flask-deploy/python/.$name"; do
    [ ! -e "$folder" ] || { rm -rf "$folder" && changed removed "$folder"; }
  done
  for file in "/var/log/nginx/web-$name".access.log* "/var/log/nginx/web-$name".error.log*; do
    [ ! -e "$file" ] || { rm -f "$file" && changed removed "$file"; }
  done
  for file in "/var/lib/flask-deploy/incoming/$name-"*; do
    id=${file#"/var/lib/flask-deploy/incoming/$name-"}
    case ${id%%.*} in *[!0-9a-f]* | '') ;; *) rm -rf "$file" ;; esac
  done
  for folder in "/run/flask-deploy/$name"/*/; do
    [ "$folder" = "$dir/" ] || rm -rf "$folder"
  done
  prune_wheels
  remove_user "web-$name-build"
}

remove_certificate() {
  lineage=web-$name
  if [ -d "/etc/letsencrypt/live/$lineage" ] || [ -e "/etc/letsencrypt/renewal/$lineage.conf" ]; then
    remove_copies
    if command -v certbot >/dev/null; then guarded certbot delete -n --cert-name "$lineage" || :; fi
    rm -rf "/etc/letsencrypt/live/$lineage" "/etc/letsencrypt/archive/$lineage" "/etc/letsencrypt/renewal/$lineage.conf"
    changed removed "certificate $lineage"
  fi
}

# certbot (2.1 does) keeps each key and each request a second time, under numbers of its own.
remove_copies() {
  set -- "/etc/letsencrypt/archive/$lineage"/privkey*.pem
  [ -f "$1" ] || return 0
  sha256sum "$@" | cut -c 1-64 >"$dir/keys"
  for file in /etc/letsencrypt/keys/*.pem; do
    [ ! -f "$file" ] || ! grep -qxF "$(sha256sum <"$file" | cut -c 1-64)" "$dir/keys" || rm -f "$file"
  done
  command -v openssl >/dev/null || return 0
  for key; do public_half pkey -in "$key" -pubout; done >"$dir/keys"
  for file in /etc/letsencrypt/csr/*.pem; do
    half=$(public_half req -in "$file" -noout -pubkey)
    [ -z "$half" ] || ! grep -qxF "$half" "$dir/keys" || rm -f "$file"
  done
}

# In one line; nothing where there is none. "$@": openssl's words
public_half() {
  openssl "$@" 2>/dev/null 3>&- 9>&- | sed '/^-----/d' | tr -d '\n' | sed '$s/$/\n/'
}

# $1: user; its group goes with it
remove_user() {
  id -u "$1" >/dev/null 2>&1 || return 0
  if guarded userdel "$1"; then changed removed "user $1"; else emit "doubt user-stays $1"; fi
}

# What the app wrote belongs to its user's number; and nobody else may have it: so user, owner and the key that the server
# made stay with it.
keep_data() {
  find "/etc/web-$name" -mindepth 1 -maxdepth 1 ! -name generated.env -exec rm -rf {} + 2>/dev/null || :
  for kept_one in "/var/lib/web-$name" "/var/lib/web-$name.redis" "/etc/web-$name/generated.env" "$home/state"; do
    [ ! -e "$kept_one" ] || emit "found kept $kept_one"
  done
  emit "found kept the user web-$name"
  if command -v psql >/dev/null; then
    find_cluster
    case $pg_status in online*) ;; *) return 0 ;; esac
    [ "$(pg_ask "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'web-$name'")" != "web-$name" ] ||
      emit "found kept the database web-$name"
  fi
}

remove_data() {
  remove_database
  for folder in "/var/lib/web-$name" "/var/lib/web-$name.redis" "/etc/web-$name"; do
    [ ! -e "$folder" ] || { rm -rf "$folder" && changed removed "$folder"; }
  done
  remove_user "web-$name"
  mv -T "$home" "$home.gone"
  rm -rf "${home:?}.gone"
  changed removed "$home"
}

# Of PostgreSQL what the app owns: a database that is somebody else's stays.
remove_database() {
  command -v psql >/dev/null || return 0
  find_cluster
  [ -n "$cluster" ] || return 0
  case $pg_status in
    online*) ;;
    *)
      # One that rests holds it all the same.
      guarded systemctl start "postgresql@$cluster.service" || fail postgresql-start "$cluster"
      ;;
  esac
  if [ "$(pg_ask "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'web-$name'")" = "web-$name" ]; then
    pg_do "ALTER DATABASE \"web-$name\" CONNECTION LIMIT 0" || :
    pg_ask "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'web-$name'" >/dev/null
    pg_do "DROP DATABASE \"web-$name\"" || fail postgresql-database "$cluster"
    changed removed "database web-$name"
  fi
  [ "$(pg_ask "SELECT 1 FROM pg_roles WHERE rolname = 'web-$name'")" = 1 ] || return 0
  if pg_do "DROP ROLE \"web-$name\""; then changed removed "role web-$name"; else emit "doubt role-stays web-$name"; fi
}

# What all apps share goes with the last of them.
remove_shared() {
  [ "$others" = no ] || return 0
  server_lock
  for folder in sockets timers; do rmdir "$wants/$folder.target.wants" 2>/dev/null || :; done
  for folder in /opt/flask-deploy /var/lib/flask-deploy; do
    [ ! -e "$folder" ] || { rm -rf "$folder" && changed removed "$folder"; }
  done
  server_unlock
}
