#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# First process of a guest that runs inside the host under test: loads the
# ordinary balloon driver, unless "noballoon" is on its command line, and then
# serves the serial port. Each line read is run as a command, and answered by
# its output and a last line "guest: done STATUS".

/bin/busybox mkdir -p /proc /sys /tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o size=100% tmp /tmp

while read -r module; do
	case $(cat /proc/cmdline) in
	*noballoon*) [ "$module" = virtio_balloon.ko ] && continue ;;
	esac
	insmod "/modules/$module"
done </modules/list

# Messages of the kernel would come between the lines.
dmesg -n 1
exec </dev/ttyS0 >/dev/ttyS0 2>&1
# Neither echo nor line ends of a terminal: programs talk here.
stty -F /dev/ttyS0 raw -echo
echo "guest: ready"
while read -r line; do
	sh -c "$line" </dev/null
	echo "guest: done $?"
done
poweroff -f
