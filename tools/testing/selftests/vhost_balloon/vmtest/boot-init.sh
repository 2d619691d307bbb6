#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# First process of the host under test: mounts its root, the tree by 9p under
# a layer of tmpfs, so that a test may write anywhere and nothing of it stays.

/bin/busybox mkdir -p /proc /sys /lower /upper /root
/bin/busybox --install -s /bin
mount -t proc proc /proc

while read -r module; do
	insmod "/modules/$module" || echo "init: cannot load $module"
done </modules/list

options=trans=virtio,version=9p2000.L,msize=512000
mount -t tmpfs tmpfs /upper
mkdir /upper/data /upper/work
if ! mount -t 9p -o "$options,ro,cache=loose" root /lower ||
	! mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work \
		overlay /root ||
	! mount -t 9p -o "$options,rw,cache=none,access=any" out /root/out; then
	echo "init: no root file system"
	reboot -f
fi
umount /proc
exec switch_root /root /vhost-balloon/tools/testing/selftests/vhost_balloon/vmtest/host-init.sh
