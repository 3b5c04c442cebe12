# What the server makes once for an app and then keeps: its secret key, the addresses of its services. One NAME=VALUE
# line each, in a file that every process of the app reads before its release's own env file: `env` has the last word.
# shellcheck shell=sh

generated=/etc/web-$name/generated.env

# $1: a variable's name
has_generated() { grep -q "^$1=" "$generated" 2>/dev/null; }

# Writes or replaces a variable. The value stands in the file as it is, so it may hold nothing that systemd's parser
# would read as something else (systemd.exec(5), "EnvironmentFile=").
# $1: its name, $2: its value
set_generated() {
  case $1 in '' | [0-9]* | *[!A-Z0-9_]*) fail internal "not a variable: $1" ;; esac
  case $2 in '' | *[!A-Za-z0-9_.:/@?=\&%+-]*) fail internal "no value for $1" ;; esac
  ! grep -qxF "$1=$2" "$generated" 2>/dev/null || return 0
  write_file "$generated" 0600 root:root "$(grep -v "^$1=" "$generated" 2>/dev/null || :)
$1=$2
"
}

# The same, where it has no value yet: what was made once is never changed.
# $1: its name, $2: its value
ensure_generated() { has_generated "$1" || set_generated "$1" "$2"; }

# Makes the file, and in it one secret key under all its names; with no names, none.
# "$@": the variables that hold it
generated_env() {
  # A program that was killed while it wrote: root's folder, so nobody else's files are there.
  rm -f "$generated".*.new
  [ -f "$generated" ] || write_file "$generated" 0600 root:root ''
  [ $# != 0 ] || return 0
  secret_key=
  for variable; do
    [ -n "$secret_key" ] || secret_key=$(sed -n "s/^$variable=//p" "$generated" | head -n 1)
  done
  if [ -n "$secret_key" ]; then
    made=kept
  else
    # A letter before the digits: Flask reads a number as a number, which is no key.
    secret_key=k$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
    [ "${#secret_key}" = 65 ] || fail internal 'no random bytes'
    made=made
    changed secret-key "$generated"
  fi
  for variable; do ensure_generated "$variable" "$secret_key"; done
  emit "found secret-key $made"
}
