# The server's end of the conversation: root's, started by the one exec, gone with the connection.
# It sends facts and takes frames: "file NAME BYTES" + gzipped bytes, "part BYTES" + bytes of the bundle, "whole" after
# its last part, "wheel SHA256" begins a wheel,
# "piece SHA256 BYTES" + bytes goes on with it, "wheels TOKEN" comes after the last, "start", "attach RUN OFFSET", "facts", "say NAME WORDS", "cancel RUN". Everything that lasts is done by
# the program, in a unit of its own.
# Before this text: $name, $run, $nonce, $wanted, $good, $lasting.
# shellcheck shell=sh

ready() {
  umask 077
  dir=/run/flask-deploy/$name/$run
  bundle=/var/lib/flask-deploy/incoming/$name-$run
  following='' starts=0
  printf '\nready %s\n' "$nonce"
}

# Only once something is to be done: facts alone leave nothing behind.
make_folders() {
  [ ! -d "$dir" ] || return 0
  if [ "$lasting" = yes ]; then set -- "$dir" /var/lib/flask-deploy/incoming; else set -- "$dir"; fi
  mkdir -p "$@" 2>/dev/null || {
    printf '0 fail server-read-only\n0 end 1\n'
    exit 1
  }
  chmod 0700 /run/flask-deploy
  [ "$lasting" = yes ] || return 0
  chmod 0700 /var/lib/flask-deploy/incoming
  # nginx answers an authority's challenges from below it.
  chmod 0755 /var/lib/flask-deploy
}

send_facts() {
  # shellcheck disable=SC2086 # package names hold no blanks
  facts $wanted
  printf 'facts-end\n'
}

# What the program writes, as it writes it, from a byte on.
# $1: folder of the run, $2: offset in bytes
follow() {
  [ -z "$following" ] || return 0
  : >>"$1/events"
  tail -c "+$(($2 + 1))" -f -s 0.05 "$1/events" &
  following=$!
}

start_program() {
  follow "$dir" 0
  starts=$((starts + 1))
  {
    s=0
    systemd-run --quiet --wait --collect --unit="flask-deploy-$name-$run" \
      -p KillMode=mixed -p TimeoutStopSec=60 -p LimitCORE=0 -p "StandardError=append:$dir/stderr" -p UMask=0022 \
      -p "ExecStopPost=-/bin/sh $dir/recover.sh killed $name $run" \
      /bin/sh "$dir/program" </dev/null >/dev/null 2>>"$dir/stderr" || s=$?
    # A program that was killed has said no "end".
    if [ "$(grep -c '^[0-9.]* end ' "$dir/events")" -lt "$starts" ]; then
      tail -n 3 "$dir/stderr" 2>/dev/null | sed 's/^/0 stderr /' >>"$dir/events"
      printf '0 gone %s\n' "$s" >>"$dir/events"
    fi
  } &
}

frames() {
  while IFS=' ' read -r frame one two; do
    case $frame in
      file)
        make_folders
        # Cut in the middle: half a program has secrets too.
        head -c "$two" | gzip -d >"$dir/$one.part" || {
          rm -f "$dir/$one.part"
          break
        }
        mv "$dir/$one.part" "$dir/$one"
        ;;
      part)
        head -c "$one" >>"$bundle.part" || {
          # The program says so and goes back. Where a frame begins is lost, so what still comes is for nobody.
          : >"$dir/bundle-full"
          cat >/dev/null
        }
        ;;
      wheel)
        make_folders
        : >"$bundle.$one"
        ;;
      piece)
        head -c "$two" >>"$bundle.$one" || {
          : >"$dir/bundle-full"
          cat >/dev/null
        }
        ;;
      wheels) : >"$bundle.$one" ;;
      whole)
        mv "$bundle.part" "$bundle"
        ;;
      start) start_program ;;
      attach) follow "/run/flask-deploy/$name/$one" "$two" ;;
      facts) send_facts ;;
      say)
        printf '%s\n' "$two" >"$dir/frame-$one.part"
        mv "$dir/frame-$one.part" "$dir/frame-$one"
        ;;
      cancel) systemctl stop --no-block "flask-deploy-$name-$one.service" 2>/dev/null || : ;;
      *) exit 1 ;;
    esac
  done
  # The connection is gone: a bundle that has not arrived never will.
  if [ "$starts" = 0 ]; then
    rm -rf "$dir"
  else
    : >"$dir/bundle-lost"
    [ "$lasting" = yes ] || systemctl --quiet is-active "flask-deploy-$name-$run.service" || rm -rf "$dir"
    # The program takes it away with itself; one that ended before the bundle came left that to us.
    systemctl --quiet is-active "flask-deploy-$name-$run.service" || rm -f "$bundle" "$bundle".*
  fi
  [ -z "$following" ] || kill "$following" 2>/dev/null || :
}
