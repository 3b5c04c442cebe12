# What somebody changed by hand in files of ours: the record that they are compared with, and copies before they are replaced.
# The looking itself is flask_deploy_drift.py's, which the facts use too.
# shellcheck shell=sh

# The folder of this run's copies, a number; '' for none yet.
edited=''

# Takes down how the release that was just kept is written, and what of nginx's is ours: when the end is said already, so nobody
# waits for it.
record_written() {
  [ "$kept_now$nginx_written" != nono ] || return 0
  for one in "$home/written" /var/lib/flask-deploy/written; do [ -d "$one" ] || mkdir -m 0700 "$one"; done
  if [ "$nginx_written" = yes ]; then
    nginx_folder
    record_file "$sites/web-$name.conf" "$home/written"
    record_file "$sites/00-flask-deploy-default.conf" /var/lib/flask-deploy/written
    record_file "$sites/00-flask-deploy-default-tls.conf" /var/lib/flask-deploy/written
  fi
  [ "$kept_now" = no ] || /usr/bin/python3 -I "$dir/edited.py" record "$name" "$release" 2>/dev/null || :
}

# $1: a file of nginx's, $2: the folder of its record
record_file() {
  if [ -f "$1" ] && [ ! -L "$1" ]; then
    cmp -s "$1" "$2/${1##*/}" || { cp "$1" "$2/.new" && mv "$2/.new" "$2/${1##*/}"; }
  else
    rm -f "$2/${1##*/}"
  fi
}

# What the new release takes the place of, where the facts had seen that it was changed by hand.
mend_drift() {
  copies "$(/usr/bin/python3 -I "$dir/edited.py" mend "$name" "$edited" 2>"$dir/drift.out")"
  foreign log <"$dir/drift.out"
}

# Before a file of nginx's is replaced that is another than we had written.
# $1: the file, $2: the folder of its record
keep_edited() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  if [ ! -L "$1" ] && cmp -s "$1" "$2/${1##*/}"; then return 0; fi
  copies "$(/usr/bin/python3 -I "$dir/edited.py" keep "$name" "$edited" "$1" 2>"$dir/drift.out")"
  foreign log <"$dir/drift.out"
}

# $1: the folder's number
copies() {
  [ -n "$1" ] && [ "$1" != "$edited" ] || return 0
  edited=$1
  changed edited "$home/edited/$edited"
}
