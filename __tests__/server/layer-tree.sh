#!/bin/sh
# layer-tree.sh BASE TREE SCRIPT: makes TREE, a copy of the tree BASE in which SCRIPT has run.
# The script finds the product's own pins in /uv.txt.
set -eu
cp -a --reflink=auto "$1" "$2"
cp "$(dirname "$0")/../../remote/uv.txt" "$2/uv.txt"
sh "$(dirname "$0")/in-tree.sh" "$2" < "$3"
rm "$2/uv.txt"
