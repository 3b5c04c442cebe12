#!/bin/sh
# image-tree.sh TREE IMAGE: makes IMAGE, an ext4 file system of 8 GB (sparse) that holds TREE.
set -eu
truncate -s 8G "$2"
mkfs.ext4 -q -F -E lazy_itable_init=1,nodiscard -d "$1" "$2"
