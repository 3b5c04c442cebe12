#!/bin/sh
# layer-tree.sh BASE TREE SCRIPT: makes TREE, a copy of the tree BASE in which SCRIPT has run.
set -eu
cp -a --reflink=auto "$1" "$2"
sh "$(dirname "$0")/in-tree.sh" "$2" < "$3"
