#!/bin/sh
# Recovery without a program: at the end of the unit of one that was killed, and at boot. It lies beside the library.
# $1: `killed` or `boot`, $2: the app's name, $3: the run
set -eu
cd /
umask 022
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
name=$2 run=${3:-boot} release='' making=no
home=/srv/web-$name root=$home/releases/none dir=/run/flask-deploy/$name/$run
bundle=/var/lib/flask-deploy/incoming/$name-$run
here=${0%/*}
# A program that came to its end leaves nothing to recover, and takes the library away last of all.
[ -f "$here/library.sh" ] || exit 0
# shellcheck disable=SC1091 # it lies there on the server
. "$here/library.sh"
recover_alone "$1"
