#!/bin/sh
# once.sh TARGET COMMAND...: makes TARGET unless it is there. COMMAND makes TARGET.part, which then gets its name at
# once; of several callers one works and the others wait for it.
set -eu
target=$1
shift
exec 9> "$target.lock"
flock 9
[ ! -e "$target" ] || exit 0
# What a killed call left.
rm -rf --one-file-system "$target.part"
"$@" 9>&-
mv "$target.part" "$target"
