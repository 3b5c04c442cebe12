# Services of the distribution's that are run for one app: a database of its own in the server's PostgreSQL, a Redis of
# its own. What is in them is never dropped here, whatever becomes of a deploy.
# shellcheck shell=sh

sockets=/var/run/postgresql

# A database is the app's to fill: what an owner of one put there must not be taken for what PostgreSQL itself has
# (PostgreSQL manual, "Schemas", "Usage Patterns"), so its superuser looks nowhere else, and only into `postgres`.
# "$@": a program of PostgreSQL's and its arguments
as_postgres() {
  runuser -u postgres -- env PGOPTIONS=-csearch_path=pg_catalog "$@" --no-password -h "$sockets" -p "$pg_port" \
    </dev/null 3>&- 8>&- 9>&-
}

# $1: a query; prints its answer, nothing where there is none
pg_ask() { as_postgres psql -XAtq -d postgres -c "$1" 2>/dev/null || :; }

# $1: a statement
pg_do() { guarded as_postgres psql -Xq -v ON_ERROR_STOP=1 -d postgres -c "$1"; }

# The cluster to use: the one that has PostgreSQL's own port, else the first. Sets $cluster (`15-main`), $pg_port and
# $pg_status; $cluster is '' where there is none.
find_cluster() {
  cluster='' pg_port='' pg_status=''
  while IFS=' ' read -r version title port status _; do
    case $version.$title.$port in *[!A-Za-z0-9._-]*) continue ;; esac
    case $port in '' | *[!0-9]*) continue ;; esac
    # A standby takes no writes.
    case $status in *recovery* | *missing*) continue ;; esac
    if [ -z "$cluster" ] || [ "$port" = 5432 ]; then cluster=$version-$title pg_port=$port pg_status=$status; fi
  done <<CLUSTERS
$(pg_lsclusters -h 2>/dev/null)
CLUSTERS
}

# The server's PostgreSQL runs.
start_cluster() {
  find_cluster
  if [ -z "$cluster" ]; then
    # One that was dropped leaves the programs; its own version's default is made anew.
    newest=
    for programs in /usr/lib/postgresql/*/bin/postgres; do
      programs=${programs%/bin/postgres}
      [ "$(printf '%s\n%s\n' "$newest" "${programs##*/}" | sort -V | tail -n 1)" = "$newest" ] || newest=${programs##*/}
    done
    guarded pg_createcluster "$newest" main || fail postgresql-start "$newest"
    find_cluster
    [ -n "$cluster" ] || fail postgresql-start "$newest"
  fi
  case $pg_status in
    online*) ;;
    *) guarded systemctl start "postgresql@$cluster.service" || fail postgresql-start "$cluster" ;;
  esac
}

# A role and a database of the app's own, by the same name as its user: PostgreSQL asks the kernel who is at the socket
# (peer), so there is no password.
# $1: the variables that tell of it; the rest: properties of the unit that tries it
use_postgresql() {
  told=$1
  shift
  start_cluster
  if [ "$(pg_ask "SELECT 1 FROM pg_roles WHERE rolname = 'web-$name'")" != 1 ]; then
    pg_do "CREATE ROLE \"web-$name\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION" || fail postgresql-role "$cluster"
    changed postgresql "role web-$name"
  fi
  owned=$(pg_ask "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'web-$name'")
  if [ -z "$owned" ]; then
    # Of template0, to which nobody can connect, so nobody's things are in it; and closed until it is the app's alone.
    pg_do "CREATE DATABASE \"web-$name\" OWNER \"web-$name\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' CONNECTION LIMIT 0" ||
      fail postgresql-database "$cluster"
    changed postgresql "database web-$name"
  elif [ "$owned" != "web-$name" ]; then
    fail postgresql-owner "$owned"
  fi
  limit=$(pg_ask "SELECT datconnlimit FROM pg_database WHERE datname = 'web-$name'")
  pg_do "REVOKE ALL ON DATABASE \"web-$name\" FROM PUBLIC" || fail postgresql-database "$cluster"
  [ "$limit" != 0 ] || pg_do "ALTER DATABASE \"web-$name\" CONNECTION LIMIT -1" || fail postgresql-database "$cluster"
  # libpq reads it wherever an address names no port.
  if [ "$pg_port" != 5432 ] || has_generated PGPORT; then set_generated PGPORT "$pg_port"; fi
  in_unit services "$@" -- /usr/bin/psql -XAtq --no-password -h "$sockets" -p "$pg_port" -d "web-$name" -c 'SELECT' ||
    fail postgresql-refused "$cluster"
  emit "found postgresql ${cluster%%-*} web-$name $told"
}

# A Redis of the app's own: nobody else's data is in it, and nobody else reaches it.
# $1: its unit's file, $2: the unit, $3: the variables that tell of it
use_redis() {
  unit=${1##*/} verb=start
  if ! holds "$1" "$2"; then
    write_file "$1" 0644 root:root "$2"
    systemctl daemon-reload
    verb=restart
    changed redis "$unit"
  fi
  mkdir -p /etc/systemd/system/multi-user.target.wants
  point "$1" "/etc/systemd/system/multi-user.target.wants/$unit"
  patiently systemctl "$verb" "$unit" || {
    journalctl --sync 2>/dev/null || :
    journalctl -u "$unit" -n 20 -o cat --no-pager 2>/dev/null >"$dir/redis.log" || :
    foreign log <"$dir/redis.log"
    fail redis "$unit"
  }
  emit "found redis $unit $3"
}
