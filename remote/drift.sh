# What somebody changed by hand in files of ours: the record that they are compared with, and copies before they are replaced.
# The looking itself is flask_deploy_drift.py's, which the facts use too.
# shellcheck shell=sh

# The folder of this run's copies, a number, and what takes down the release; '' for none yet.
edited='' recording=''

# Takes down how the release is written, while the runner tests it; nothing of it changes any more.
record_release() {
  # A rollback's is compared with how it was made.
  [ ! -e "$home/written/$release.json" ] || return 0
  [ -d "$home/written" ] || mkdir -m 0700 "$home/written"
  /usr/bin/python3 -I "$dir/edited.py" record "$name" "$release" </dev/null >/dev/null 2>&1 3>&- 8>&- 9>&- &
  recording=$!
}

# Before the end: nothing comes of a run that says so later.
end_record() {
  [ -z "$recording" ] || wait "$recording" || :
  recording=''
}

# The same of nginx's files, where they are what this run had them be.
record_nginx() {
  [ "$nginx_written" = yes ] || return 0
  nginx_folder
  for one in "$home/written" /var/lib/flask-deploy/written; do [ -d "$one" ] || mkdir -m 0700 "$one"; done
  record_file "$sites/web-$name.conf" "$home/written"
  record_file "$sites/00-flask-deploy-default.conf" /var/lib/flask-deploy/written
  record_file "$sites/00-flask-deploy-default-tls.conf" /var/lib/flask-deploy/written
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
