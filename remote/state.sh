# The state file: the only fact about releases. One `key values` line each:
#   generation N / owner ID NAME / current ID / previous ID
#   initialised yes   (the first-deploy-command has run, whatever became of its release)
#   refused COUNT SECONDS REQUEST   (a certificate, by its authority; seconds since 1970)
#   persist PATH, persist-file PATH   (what the app was found to write, in its release)
#   settling ID OLD running|stopped   (kept, but watched still; if it dies OLD, which runs or can be started, serves again)
#   taken-back ID COMMIT REASON   (kept, and then taken back by the server itself; said until the next verdict)
#   release ID BUNDLE DEPENDENCIES SETTINGS COMMIT SECONDS   (kept by a verdict; oldest first; SECONDS: the commit's date,
#     since 1970, `-` where it is not known)
# shellcheck shell=sh

state_load() {
  generation=0 owner='' current='' previous='' kept='' refused='' initialised='' persisted=''
  settling='' taken_back=''
  [ -f "$home/state" ] || return 0
  while IFS=' ' read -r key value; do
    case $key in
      generation) generation=$value ;;
      owner) owner=$value ;;
      current) current=$value ;;
      previous) previous=$value ;;
      refused) refused=$value ;;
      initialised) initialised=$value ;;
      settling) settling=$value ;;
      taken-back) taken_back=$value ;;
      persist) persisted="${persisted}folder $value$newline" ;;
      persist-file) persisted="${persisted}file $value$newline" ;;
      release) kept="$kept$value
" ;;
    esac
  done <"$home/state"
}

state_text() {
  printf 'generation %s\nowner %s\n' "$generation" "$owner"
  [ -z "$current" ] || printf 'current %s\n' "$current"
  [ -z "$previous" ] || printf 'previous %s\n' "$previous"
  [ -z "$initialised" ] || printf 'initialised %s\n' "$initialised"
  [ -z "$settling" ] || printf 'settling %s\n' "$settling"
  [ -z "$taken_back" ] || printf 'taken-back %s\n' "$taken_back"
  [ -z "$refused" ] || printf 'refused %s\n' "$refused"
  printf '%s' "$persisted" | sed 's/^folder /persist /; s/^file /persist-file /'
  printf '%s' "$kept" | while IFS= read -r line; do printf 'release %s\n' "$line"; done
}

# It is on the disk when this returns: what is done next may rest on it.
state_save() {
  write_file "$home/state" 0600 root:root "$(state_text)
"
  sync "$home" 2>/dev/null || sync
}

# The IDs of the kept releases, oldest first.
kept_ids() {
  printf '%s' "$kept" | while IFS=' ' read -r id _; do printf '%s\n' "$id"; done
}

is_kept() { case $newline$kept in *"$newline$1 "*) ;; *) return 1 ;; esac; }
