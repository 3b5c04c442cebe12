# The probe: what only the app can say, asked in a scratch copy that nobody keeps. What it answers is judged by adopt.py,
# and done here.
# shellcheck shell=sh

tab='	'

# A copy of the release's own files, the app's to write, and empty folders in place of its state: bound over the real
# ones in the probe's unit, so every path is that of the real release and nothing real can be touched.
make_scratch() {
  rm -rf "${home:?}/probe"
  mkdir -m 0700 "$home/probe"
  for folder in lib cache log; do
    install -d -m 0750 -o "web-$name" -g "web-$name" "$home/probe/$folder"
  done
  mkdir -m 0751 "$home/probe/files"
  patiently find "$root" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .site ! -name .deploy ! -name .public ! -name .sock \
    -exec cp -a --reflink=auto -t "$home/probe/files" -- {} + || {
    # (at most as often as there is anything to take away)
    more_room || fail disk
    make_scratch
    return 0
  }
  for folder in .venv .site .deploy; do mkdir -m 0751 "$home/probe/files/$folder"; done
  install -m 0640 "$dir/probe.py" "$dir/flask_deploy_ask.py" "$dir/probe.json" "$home/probe/files/.deploy"
  [ ! -e "$root/.deploy/site-first" ] || : >"$home/probe/files/.deploy/site-first"
  chown -hR "web-$name:web-$name" "$home/probe/files"
}

# Once, or again where the project has to be built first, or a program or library was missing.
# $1: seconds; the rest: the unit's properties
probe_release() {
  probe_seconds=$1 site_built=no probes=0
  shift
  refused_writes "$dir/serving.log"
  emit 'running the probe: importing the app in a scratch copy'
  while :; do
    make_scratch
    probe_ended=0
    in_unit probe "$@" -- "$root/.venv/bin/python" "$root/.deploy/probe.py" "$root/.deploy/probe.json" \
      "$root/.deploy/report.json" "$root/.deploy/output" "$probe_seconds" || probe_ended=$?
    patiently /usr/bin/python3 -I "$dir/adopt.py" "$dir/probe.json" "$home/probe/files" "$root" "$home/state" "$site_built" \
      "$dir/serving.log" \
      >"$dir/adopted" 2>"$dir/adopt.log" || {
      foreign log <"$dir/adopt.log"
      fail internal 'the probe was not understood'
    }
    probes=$((probes + 1)) verdict='' detail=''
    IFS="$tab" read -r verdict detail <"$dir/adopted" || :
    case $verdict in
      build)
        # How the project itself has to stand on Python's path, once it is built.
        if [ "$site_built" = no ] && ! build_site; then
          site_built=never
          continue
        fi
        site_built=$detail
        [ "$detail" != first ] || : >"$root/.deploy/site-first"
        continue
        ;;
      fail | raised)
        if [ "$probes" -lt 5 ] && install_for "$dir/app.log"; then continue; fi
        [ "$verdict" = fail ] || break
        foreign app <"$dir/app.log"
        fail "${detail%%"$tab"*}" "${detail#*"$tab"}"
        ;;
      *)
        # It came to no end because something ended it: the release would not live either.
        if [ "$probe_ended" -gt 128 ] && grep -q "^doubt${tab}probe-unfinished" "$dir/adopted"; then
          foreign app <"$dir/app.log"
          [ "$probe_ended" -gt 192 ] || fail app-killed "$((probe_ended - 128))"
        fi
        break
        ;;
    esac
  done
  rm -rf "${home:?}/probe"
}

# What the release that serves said since it started of files that it could not write.
# $1: the file for it
refused_writes() {
  : >"$1"
  [ -n "$current" ] || return 0
  journalctl -u "$(unit_of "$current").service" -n 2000 -o cat --no-pager 2>/dev/null |
    grep -aE -B 4 '\[Errno (13|30)\]|readonly database|unable to open database file' | tail -n 200 >"$1" || :
}

# What it found, done: state that outlives releases, folders that this release alone may write.
adopt_found() {
  [ -e "$dir/adopted" ] || recorded_only >"$dir/adopted"
  while IFS="$tab" read -r word one two; do
    case $word in
      keep-folder) keep_path folder "$one" ;;
      keep-file) keep_path file "$one" ;;
      link) persist "$one" "$two" ;;
      hole) make_hole "$one" ;;
      found | doubt) emit "$word $one $two" ;;
    esac
  done <"$dir/adopted"
}

# Where nothing was probed, what earlier deploys found still holds.
recorded_only() {
  printf '%s' "$persisted" | while IFS=' ' read -r kind path; do printf 'keep-%s\t%s\n' "$kind" "$path"; done
}

# What nginx serves, as far as the probe decides it; and packed copies of all that is text.
publish_found() {
  /usr/bin/python3 -I "$dir/publish.py" "$root" "$dir/adopted" "/var/lib/web-$name" "/var/cache/web-$name" \
    >"$dir/published" 2>"$dir/publish.log" || {
    foreign log <"$dir/publish.log"
    fail internal 'what nginx serves could not be made'
  }
  while IFS="$tab" read -r word one two; do emit "$word $one $two"; done <"$dir/published"
}
