# The server's end of the conversation: root's, started by the one exec, gone with the connection.
# It sends facts and takes frames: "kit SHA256 BYTES" + a packed tar, "file NAME BYTES" + gzipped bytes, "bundle" begins a
# bundle, "part BYTES" + bytes goes on with it, "whole" comes after its last part, "wheel SHA256" begins a wheel, "piece SHA256 BYTES" + bytes goes on with it,
# "wheels TOKEN" comes after the last, "start", "attach RUN OFFSET", "facts", "say NAME WORDS", "cancel RUN", "bye". All that
# lasts is done by the program, in a unit of its own. Where the connection is lost, the next helper of the run goes on (reach.sh).
# Before this text: $name, $run, $nonce, $wanted, $good, $lasting, $kit.
# shellcheck shell=sh

ready() {
  umask 077
  dir=/run/flask-deploy/$name/$run
  bundle=/var/lib/flask-deploy/incoming/$name-$run
  kits=/var/lib/flask-deploy/kits
  following='' bye=no
  printf '\nready %s\n' "$nonce"
}

# Why nothing can begin, told in the place of the program that would have told it.
# $1: the event
refuse() {
  link=$(readlink "/srv/web-$name/current") || link=
  [ -e "$dir/starts" ] || ! speaks || rm -rf "$dir"
  printf '0 %s\n0 serving %s\n0 end 1\n' "$1" "${link#releases/}"
  exit 1
}

# Has a folder room for what a run writes? Told, and the end, where it has not. $1: folder
need_room() {
  for need in 'disk -k 4096' 'inodes -i 64'; do
    IFS=' ' read -r code unit least <<NEED
$need
NEED
    lack=$(room_in "$unit" "$1" | while read -r folder free; do [ "$free" -ge "$least" ] || printf '%s %s' "$folder" "$free"; done)
    [ -z "$lack" ] || refuse "fail $code $lack"
  done
}

# Only once something is to be done: facts alone leave nothing behind.
make_folders() {
  if [ -d "$dir" ]; then
    speaks || exit 1
    return 0
  fi
  need_room /run
  if [ "$lasting" = yes ]; then set -- "$dir" /var/lib/flask-deploy/incoming; else set -- "$dir"; fi
  mkdir -p "$@" 2>/dev/null || {
    need_room /var/lib
    refuse 'fail server-read-only'
  }
  chmod 0700 /run/flask-deploy
  # Should /run, which is small, be full later on, the program's last words need some of it.
  head -c 262144 /dev/zero >"$dir/spare"
  take_over
  [ "$lasting" = yes ] || return 0
  chmod 0700 /var/lib/flask-deploy/incoming
  # nginx answers an authority's challenges from below it.
  chmod 0755 /var/lib/flask-deploy
}

# The kit that an earlier run left here. Opened, so that it can be used whoever takes it away meanwhile; and looked at, for a
# power cut may have torn it.
hold_kit() {
  kit_kept=no
  if [ -z "$kit" ] || [ ! -f "$kits/$kit" ]; then return 0; fi
  command exec 7<"$kits/$kit" || return 0
  case $(gzip -dc </dev/fd/7 | sha256sum) in "$kit "*) kit_kept=yes ;; esac
} 2>/dev/null

# What all programs work with, into the run's folder.
# $1: SHA-256 of the tar, $2: bytes of it that come, 0 where the kept one is wanted
unpack_kit() {
  if [ "$2" = 0 ]; then
    tar -xzmf - -C "$dir" </dev/fd/7 || return 1
    [ "$lasting" = no ] || touch "$kits/$1" 2>/dev/null || :
    return 0
  fi
  if head -c "$2" >"$dir/kit.part" && tar -xzmf "$dir/kit.part" -C "$dir"; then s=0; else s=1; fi
  if [ "$s$lasting" = 0yes ]; then keep_kit "$1"; fi
  rm -f "$dir/kit.part"
  return "$s"
}

# Of those that were used last there are four: apps may be deployed by other versions of the action. Where there is no room
# for it, it comes again. $1: see above
keep_kit() {
  mkdir -p "$kits"
  { cp "$dir/kit.part" "$kits/$1.part" && mv "$kits/$1.part" "$kits/$1"; } || rm -f "$kits/$1.part"
  # shellcheck disable=SC2012 # hashes
  ls -t "$kits" | tail -n +5 | while read -r old; do rm -f "$kits/$old"; done
} 2>/dev/null

send_facts() {
  hold_kit
  # shellcheck disable=SC2086 # package names hold no blanks
  facts $wanted
  [ "$kit_kept" = no ] || fact kit yes
  printf 'facts-end\n'
}

# What the program writes, as it writes it, from a byte on. It ends with the helper, however that ends: sshd tells no end of a
# command while somebody holds its output, and events that nobody can answer are of no use.
# $1: folder of the run, $2: offset in bytes
follow() {
  [ -z "$following" ] || return 0
  : >>"$1/events"
  tail -c "+$(($2 + 1))" -f -s 0.05 --pid="$$" "$1/events" &
  following=$!
}

start_program() {
  follow "$dir" 0
  starts=$(($(starts_of "$dir") + 1))
  printf '%s\n' "$starts" >"$dir/starts"
  {
    s=0
    systemd-run --quiet --wait --collect --unit="flask-deploy-$name-$run" \
      -p KillMode=mixed -p TimeoutStopSec=60 -p LimitCORE=0 -p "StandardError=append:$dir/stderr" -p UMask=0022 \
      -p "ExecStopPost=-/bin/sh $dir/recover.sh killed $name $run" \
      /bin/sh "$dir/program" </dev/null >/dev/null 2>>"$dir/stderr" || s=$?
    tell_gone "$dir" "$starts" "$s"
  } >/dev/null 2>&1 &
}

frames() {
  while IFS=' ' read -r frame one two; do
    case $frame in
      file)
        make_folders
        # Cut in the middle: half a program has secrets too.
        head -c "$two" | gzip -d >"$dir/$one.part" || {
          rm -f "$dir/$one.part"
          need_room /run
          break
        }
        mv "$dir/$one.part" "$dir/$one"
        ;;
      kit)
        make_folders
        unpack_kit "$one" "$two" || {
          need_room /run
          break
        }
        ;;
      bundle)
        rm -f "$dir/bundle-taken"
        : >"$bundle.part"
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
      attach) attach "$one" "$two" ;;
      facts) send_facts ;;
      say)
        printf '%s\n' "$two" >"$dir/frame-$one.part" || {
          rm -f "$dir/spare"
          printf '%s\n' "$two" >"$dir/frame-$one.part"
        }
        mv "$dir/frame-$one.part" "$dir/frame-$one"
        ;;
      cancel) systemctl stop --no-block "flask-deploy-$name-$one.service" 2>/dev/null || : ;;
      bye) bye=yes ;;
      *) exit 1 ;;
    esac
  done
  [ -z "$following" ] || kill "$following" 2>/dev/null || :
  # The connection is gone, for good or until the next helper of this run.
  speaks || return 0
  if [ -e "$dir/starts" ]; then
    [ "$lasting$bye" = noyes ] || : >"$dir/lost"
    # Of a command nothing stays, once it was heard and its program has ended. A goodbye may be lost with the connection: then
    # another helper may come for the end.
    if [ "$lasting" = no ]; then
      [ "$bye" = yes ] || sleep 90
      patience=100
      while systemctl --quiet is-active "flask-deploy-$name-$run.service" && [ "$patience" -gt 0 ]; do
        sleep 0.1
        patience=$((patience - 1))
      done
      if [ "$patience" != 0 ] && speaks; then rm -rf "$dir"; fi
      return 0
    fi
    # The program takes the bundle away with itself; one that ended before it came left that to us.
    systemctl --quiet is-active "flask-deploy-$name-$run.service" || rm -f "$bundle" "$bundle".*
  else
    rm -rf "$dir"
  fi
}
