# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Loads and unloads the modules under test. Sourced in the host under test.

modules_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../../../drivers" && pwd -P)

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

# What a process that was killed held is let go when it has ended, and nobody waits for that.
module_unload() {
	local i

	for ((i = 0; i < 100; i++)); do
		[ -d "/sys/module/$1" ] || return 0
		rmmod "$1" 2>/dev/null && return
		sleep 0.1
	done
	rmmod "$1"
}

modules_unload() {
	module_unload vdpa_balloon && module_unload vhost_balloon
}
