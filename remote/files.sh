# Files of ours on the server: whole, at once, and never through a link that somebody else planted.
# shellcheck shell=sh

# $1: path, $2: mode, $3: owner:group, $4: content
half_at=''

# A reader sees the old file or the new one, never a half: rename(2). What is replaced is gone for good, so the new content
# is on the disk before; where nothing is replaced, `to_disk` comes before anything rests on it.
write_file() {
  tmp=${half_at:-$1}.$$.new
  rm -f "$tmp"
  # Each step by itself: on a full disk the file is there, and empty; and `set -e` is off where somebody asks how it went.
  if (umask 077 && printf '%s' "$4" >"$tmp") && chown "$3" "$tmp" && chmod "$2" "$tmp" && on_disk "$1" "$tmp" && mv -T "$tmp" "$1"; then
    return 0
  fi
  rm -f "$tmp"
  return 1
}

# $1: path, $2: its new content
on_disk() {
  case $1 in /run/*) return 0 ;; esac
  [ ! -e "$1" ] || sync "$2" 2>/dev/null || sync
}

# $1: path, $2: mode, $3: owner:group
make_folder() {
  [ -d "$1" ] || mkdir -m 0700 "$1"
  chown "$3" "$1"
  chmod "$2" "$1"
}

# Has a file exactly this content? (The dot keeps the newlines at the end, which a substitution drops.)
# $1: path, $2: content
holds() { [ "$(cat "$1" 2>/dev/null && echo .)" = "$2." ]; }

# A folder that all later deploys rely on, and look at no more: it is on the disk before it has its name.
# $1: the folder, $2: its name
keep_folder() {
  sync -f "$1" 2>/dev/null || sync
  mv -T "$1" "$2"
}

# Replaces a symbolic link by rename(2): there is no moment without it.
# $1: target, $2: the link
point() {
  rm -f "$2.$$.new"
  ln -s "$1" "$2.$$.new" && mv -T "$2.$$.new" "$2"
}
