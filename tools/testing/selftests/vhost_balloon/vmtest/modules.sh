# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Loads and unloads the modules under test. Sourced in the host under test.

modules_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../../../drivers" && pwd -P)

# Seconds in which what processes held that have ended is let go: nobody waits for that.
MODULES_PATIENCE=60

# A kernel of one's own has everything built in and no modules in the tree.
modular() {
	[ ! -d "/lib/modules/$(uname -r)" ] || modprobe -a "$@"
}

module_load() {
	local file=$modules_dir/$1 name=${1##*/}

	# Not there: this kernel has no vDPA, or nothing was built.
	[ -e "$file" ] && [ ! -d "/sys/module/${name%.ko}" ] || return 0
	insmod "$file" && return
	echo "vmtest: cannot load $1:"
	dmesg | tail -n 10
	return 1
}

# Those that aren't loaded.
modules_load() {
	module_load vhost/balloon/vhost_balloon.ko || return
	[ -e "$modules_dir/vdpa/balloon/vdpa_balloon.ko" ] || return 0
	modular vdpa vhost_vdpa
	module_load vdpa/balloon/vdpa_balloon.ko
}

# Who has a file of theirs open.
modules_users() {
	local fd pid

	for fd in /proc/[0-9]*/fd/*; do
		case $(readlink "$fd") in
		/dev/vhost-balloon | /dev/vhost-vdpa-* | anon_inode:*vhost-balloon*)
			pid=${fd#/proc/}
			pid=${pid%%/*}
			echo "vmtest: $(readlink "$fd") is open in $pid, $(cat "/proc/$pid/comm")"
			;;
		esac
	done
}

# rmmod waits, and can't be killed, while a vDPA device is open that has no owner.
module_unload() {
	local end=$((SECONDS + MODULES_PATIENCE)) pid=

	while [ -d "/sys/module/$1" ]; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "vmtest: $1 can't be unloaded"
			modules_users
			return 1
		fi
		if [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null; then
			rmmod "$1" 2>/dev/null &
			pid=$!
		fi
		sleep 0.1
	done
	# Out of sight it isn't gone yet, and can't be loaded again until it is.
	[ -z "$pid" ] || wait "$pid" || true
}

modules_unload() {
	module_unload vdpa_balloon && module_unload vhost_balloon
}
