#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command inside a root tree. Called by tree_run (tree.sh) as the first
# process of a new mount and PID namespace, so that everything mounted and
# everything started here is gone when this process is, however it ends.
#
# usage: enter.sh ROOT [-b SOURCE:TARGET]... -- COMMAND [ARG...]

set -eu

root=$1
shift

# As the first process of its namespace a shell is deaf to signals it does not
# catch.
trap 'exit 130' INT
trap 'exit 143' TERM

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"

while [ "$1" != -- ]; do
	source=${2%:*}
	target=$root${2##*:}
	mount --bind "$source" "$target"
	shift 2
done
shift

chroot "$root" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
