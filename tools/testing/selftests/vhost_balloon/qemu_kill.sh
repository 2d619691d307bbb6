#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A stock QEMU whose guest inflates and deflates is killed at any moment, again and again, with the
# same vDPA device: each time the device is as good as new for the next one, and in the end
# nothing holds the modules. VB_ROUNDS_FACTOR times as often, if that is set.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=tap.sh
. ./tap.sh
# shellcheck source=vmtest/guest.sh
. ./vmtest/guest.sh
# shellcheck source=qemu_common.sh
. ./qemu_common.sh

rounds=$(awk "BEGIN { r = 3 * ${VB_ROUNDS_FACTOR:-1}; print r < 1 ? 1 : int(r) }")
seed=${VB_SEED:-$((SRANDOM % 32768))}
RANDOM=$seed
dev=

references() {
	cat /sys/module/{vhost_balloon,vdpa_balloon}/refcnt
}

add_device() {
	name=vb-kill
	guest=vb-kill
	dev=$(guest_vdpa_dev "$name")
}

# Not so long that all is done, and now and then before the guest has even begun.
wait_a_moment() {
	local moment=$((RANDOM % 2000))

	if [ "$1" -gt 1 ] && [ $((RANDOM % 3)) -eq 0 ]; then
		moment=$((RANDOM % 10000))
	else
		guest_wait_ready "$name" && wait_info ".actual > 0" || return
	fi
	echo "VB_SEED=$seed: $moment ms"
	sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
}

# Back and forth, until it is killed.
keep_busy() {
	while vballoonctl set "$name" --balloon=384M; do
		sleep 1
		vballoonctl set "$name" --balloon=64M
		sleep 1
	done
}

is_unused() {
	wait_info '.state == "unused" and .pid == null and .actual == 0 and .regions == 0'
}

dies_at_any_moment() {
	local busy status

	GUEST_BACKEND=$([ $(($1 % 2)) -eq 0 ] && echo memfd || echo anon)
	guest_start "$name" -device "vhost-vdpa-device-pci,vhostdev=$dev" || return
	keep_busy >/dev/null 2>&1 &
	busy=$!
	wait_a_moment "$1"
	status=$?
	kill $busy
	wait $busy 2>/dev/null
	echo "actual when it is killed: $(info .actual)"
	guest_stop "$name" && is_unused && nothing_went_wrong && [ $status -eq 0 ]
}

has_references() {
	[ "$(references)" = "$1" ]
}

holds_nothing() {
	vdpa dev del "$name" && wait_until has_references "$before"
}

qemu_needs
trap guests_end EXIT
tap_begin
before=$(references)
tap_case 'device is added' add_device
for ((i = 1; i <= rounds; i++)); do
	tap_case "QEMU is killed, $i" dies_at_any_moment $i
done
tap_case 'nothing holds the modules' holds_nothing
tap_end
