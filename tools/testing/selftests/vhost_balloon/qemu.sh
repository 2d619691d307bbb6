#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job, on real parts: a stock QEMU with a stock guest, whose ordinary
# balloon driver gives memory back through the kernel, by a vDPA device. Two
# guests are booted, one with anonymous memory and one with a memfd.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=tap.sh
. ./tap.sh
# shellcheck source=vmtest/guest.sh
. ./vmtest/guest.sh
# shellcheck source=vmtest/modules.sh
. ./vmtest/modules.sh
# shellcheck source=qemu_common.sh
. ./qemu_common.sh

is_listed() {
	vballoonctl list && vballoonctl regions "$name" &&
		wait_info ".source == \"memslots\" and .name == \"$name\"" &&
		wait_info ".pid == $(guest_pid "$name") and .actual == 0" &&
		wait_info ".ram >= $((GUEST_MEM * MIB))"
}

inflates() {
	local before

	before=$(host_memory)
	balloon 256 && wait_info ".actual == $((256 * MIB))" && wait_until fell_by "$before" 256
}

guest_has_less() {
	local total

	total=$(guest_run "$name" "awk '/^MemTotal:/ { print \$2 }' /proc/meminfo") &&
		echo "MemTotal in the guest: $total kB" &&
		[ "$total" -lt $(((GUEST_MEM - 256) * 1024)) ]
}

deflates() {
	local before

	balloon 128 && balloon 0 && wait_info '.actual == 0' || return
	# It is the guest's again, and is there when it uses it.
	before=$(host_memory)
	guest_touch "$name" 200 && echo "host memory rose from $before kB to $(host_memory) kB" &&
		[ "$(host_memory)" -gt $((before + 100 * 1024)) ]
}

changes_midway() {
	local waiter status

	vballoonctl set "$name" --balloon=320M --wait=$WAIT &
	waiter=$!
	wait_info ".actual > $((8 * MIB))" && balloon 64 || return
	wait "$waiter"
	status=$?
	echo "who waited for the first target ended with $status"
	[ $status -eq 5 ] && wait_info ".actual == $((64 * MIB))" &&
		wait_info ".target == $((64 * MIB))"
}

reloads_driver() {
	guest_run "$name" 'rmmod virtio_balloon' && wait_info '.actual == 0' || return
	guest_run "$name" 'insmod /modules/virtio_balloon.ko' &&
		wait_info ".state == \"running\" and .actual == $((target * MIB))" &&
		balloon 96
}

stops_and_continues() {
	guest_qmp "$name" '{"execute": "stop"}' && wait_info '.state == "stopped"' || return
	vballoonctl set "$name" --balloon=160M &&
		wait_info ".target == $((160 * MIB)) and .actual == $((target * MIB))" &&
		guest_qmp "$name" '{"execute": "cont"}' && balloon 160
}

reboots() {
	local before

	# It doesn't answer to this, but by being there again.
	guest_send "$name" 'reboot -f'
	guest_wait_ready "$name" && wait_info ".actual == $((target * MIB))" && balloon 0 || return
	guest_touch "$name" 200 && before=$(host_memory) && balloon 128 &&
		[ "$(host_memory)" -lt "$before" ]
}

gave_all_of_it_right() {
	nothing_went_wrong && [ "$(counter inflated)" -ge 65536 ]
}

unload_is_refused() {
	! rmmod vhost_balloon && ! rmmod vdpa_balloon && wait_info '.state == "running"' &&
		balloon 16
}

dies_while_inflating() {
	vballoonctl set "$name" --balloon=384M && wait_info ".actual > $((32 * MIB))" || return
	echo "actual when it is killed: $(info .actual)"
	[ "$(info .actual)" -lt $((384 * MIB)) ] || echo "it was faster than we were"
	guest_stop "$name" && ! guest_alive "$name" &&
		wait_info '.state == "unused" and .pid == null and .actual == 0'
}

device_goes() {
	vdpa dev del "$name" && vballoonctl list --json | jq -e '. == []'
}

unloads() {
	rmmod vdpa_balloon && rmmod vhost_balloon && [ ! -e /dev/vhost-balloon ]
}

loads_again() {
	modules_load && [ -e /dev/vhost-balloon ] && [ -e /sys/module/vdpa_balloon ]
}

cleanup() {
	guests_end
	modules_load
}

# With all of the guest's memory there from the start, so that each page it
# gives is a page that the host gets back. What comes after a guest that
# didn't start makes no sense.
start_or_end() {
	tap_case "$3: boots with a balloon" start "$1" "$2" '' -mem-prealloc && return
	tap_end
	exit 1
}

qemu_needs
trap cleanup EXIT
tap_begin
start_or_end vb-anon anon 'anonymous'
tap_case 'anonymous: is listed with its VM found' is_listed
tap_case 'anonymous: inflates, and host memory falls by as much' inflates
tap_case 'anonymous: the guest has less memory' guest_has_less
tap_case 'anonymous: deflates, and the guest may use it all again' deflates
tap_case 'anonymous: the target is changed midway' changes_midway
tap_case 'anonymous: the guest driver is reloaded' reloads_driver
tap_case 'anonymous: the VM is stopped and goes on' stops_and_continues
tap_case 'anonymous: the guest reboots' reboots
tap_case 'anonymous: nothing was malformed, broken or failed' gave_all_of_it_right
tap_case 'modules are not unloaded while in use' unload_is_refused
tap_case 'anonymous: QEMU is killed while the guest inflates' dies_while_inflating
tap_case 'the device is deleted' device_goes
tap_case 'modules are unloaded when unused' unloads
tap_case 'modules are loaded again' loads_again

start_or_end vb-memfd memfd 'memfd'
tap_case 'memfd: is listed with its VM found' is_listed
tap_case 'memfd: inflates, and host memory falls by as much' inflates
tap_case 'memfd: deflates, and the guest may use it all again' deflates
tap_case 'memfd: nothing was malformed, broken or failed' gave_all_of_it_right
tap_case 'memfd: QEMU is killed while the guest inflates' dies_while_inflating
tap_case 'memfd: the device is deleted' device_goes
tap_end
