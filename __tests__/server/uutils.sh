# Runs inside a bare tree of sid (see in-tree.sh): makes it what Ubuntu 26.04 is, where `head` is uutils' and `sudo` is
# sudo-rs, whatever PATH says. The packages leave the plain names alone, so the GNU files step aside (as gnuNAME, the
# name that Ubuntu gives them) by diversions, which outlive a later upgrade of coreutils or sudo.
# shellcheck shell=sh
set -eu

apt-get -qq update
apt-get -qq -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 \
  install rust-coreutils sudo-rs > /dev/null
apt-get clean
rust=/usr/lib/cargo/bin

# replace PLAIN ASIDE NEW: between the two steps PLAIN does not exist, so ln is called by its other name.
replace() {
  dpkg-divert --quiet --local --rename --divert "$2" --add "$1"
  "$rust/coreutils/ln" -s "$3" "$1"
}

for new in "$rust"/coreutils/*; do
  name=${new##*/}
  for folder in /usr/bin /usr/sbin; do
    # Only what GNU coreutils has: tools that uutils alone brings stay out of the way.
    if [ -f "$folder/$name" ] && [ ! -L "$folder/$name" ]; then
      replace "$folder/$name" "$folder/gnu$name" "$new"
    fi
  done
done
replace /usr/bin/sudo /usr/bin/sudo.ws "$rust/sudo"
replace /usr/bin/su /usr/bin/su.util-linux "$rust/su"
replace /usr/sbin/visudo /usr/sbin/visudo.ws "$rust/visudo"
rm -rf /var/lib/apt/lists/*

# The proof, for every way to a command name: the shell's PATH and an absolute path.
for tool in head /usr/bin/head ln /usr/bin/install; do
  case $("$tool" --version) in
    *uutils*) ;;
    *) echo "$tool is not uutils'" >&2 && exit 1 ;;
  esac
done
case $(sudo --version 2>&1) in
  sudo-rs*) ;;
  *) echo "sudo is not sudo-rs" >&2 && exit 1 ;;
esac
