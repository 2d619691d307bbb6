#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each set of features that a stock guest's driver may meet. A guest has a vDPA
# device for every set. Its driver is bound to one after the other, finds the
# queues of this one's features, and makes use of all of them. A second guest,
# one that poisons its free pages, does the same with sets that have PAGE_POISON.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=tap.sh
. ./tap.sh
# shellcheck source=vmtest/guest.sh
. ./vmtest/guest.sh
# shellcheck source=qemu_common.sh
. ./qemu_common.sh

# The sets of a guest, as bits; what its driver is to make of the present one;
# MiB that it is asked for.
sets=()
accepted=()
size=64

has() {
	[[ " ${accepted[*]} " = *" $1 "* ]]
}

names() {
	local bit words=()
	local -A word=(
		[$MUST_TELL_HOST]=MUST_TELL_HOST
		[$STATS_VQ]=STATS_VQ
		[$DEFLATE_ON_OOM]=DEFLATE_ON_OOM
		[$FREE_PAGE_HINT]=FREE_PAGE_HINT
		[$PAGE_POISON]=PAGE_POISON
		[$REPORTING]=REPORTING
	)

	for bit; do
		words+=("${word[$bit]}")
	done
	echo "${words[*]}"
}

# boots GUEST COMMAND-LINE: with all devices there, and the driver bound to none.
boots() {
	local nr dev devices=()

	guest=$1
	GUEST_APPEND="noballoon $2"
	for nr in "${!sets[@]}"; do
		# shellcheck disable=SC2086 # a list of bits
		dev=$(guest_vdpa_dev "$guest-$nr" "$(features ${sets[nr]})") || return
		devices+=(-device
			"vhost-vdpa-device-pci,vhostdev=$dev,addr=$(printf %x $((nr + 8)))")
	done
	guest_start "$guest" "${devices[@]}" && guest_wait_ready "$guest" &&
		guest_run "$guest" "echo 0 >/sys/bus/virtio/drivers_autoprobe" &&
		guest_run "$guest" 'insmod /modules/virtio_balloon.ko'
}

# driver bind|unbind NR: the guest's driver and its device of that number.
driver() {
	guest_run "$guest" "cd /sys/bus/pci/devices/0000:00:$(printf %02x $(($2 + 8))).0 && echo virtio[0-9]* >/sys/bus/virtio/drivers/virtio_balloon/$1"
}

# accepts BIT...: of what is offered. The driver takes PAGE_POISON if the guest
# poisons its pages, and such a guest reports to nobody who doesn't offer that.
accepts() {
	local bit poisons=

	case $GUEST_APPEND in
	*page_poison=1*) poisons=1 ;;
	esac
	accepted=()
	for bit; do
		case $bit in
		"$PAGE_POISON") [ -n "$poisons" ] || continue ;;
		"$REPORTING") [ -z "$poisons" ] || [[ " $* " = *" $PAGE_POISON "* ]] || continue ;;
		esac
		accepted+=("$bit")
	done
}

# The balloon's own features in a member of info.
features_of() {
	info "[.$1[] | select(startswith(\"VIRTIO_BALLOON_F_\")) | ltrimstr(\"VIRTIO_BALLOON_F_\")] |
		join(\" \")"
}

negotiates_it() {
	echo "offered: $(features_of features_offered); expected: $(names "$@")"
	echo "negotiated: $(features_of features); expected: $(names "${accepted[@]}")"
	[ "$(features_of features_offered)" = "$(names "$@")" ] &&
		[ "$(features_of features)" = "$(names "${accepted[@]}")" ]
}

# One after the other, as Linux has them, and nothing behind.
queues_have_roles() {
	local roles=(inflate deflate)

	! has $STATS_VQ || roles+=(stats)
	! has $FREE_PAGE_HINT || roles+=(hint)
	! has $REPORTING || roles+=(report)
	while [ ${#roles[@]} -lt 5 ]; do
		roles+=(none)
	done
	echo "expected: ${roles[*]}; has: $(info '[.queues[].role] | join(" ")')"
	[ "$(info '[.queues[].role] | join(" ")')" = "${roles[*]}" ]
}

stats_work() {
	if has $STATS_VQ; then
		vballoonctl --json stats --refresh --timeout=60 "$name" |
			jq -e '.stats."total-memory" > 100 * 1048576'
	else
		! vballoonctl stats --refresh --timeout=60 "$name"
	fi
}

hints_work() {
	if has $FREE_PAGE_HINT; then
		vballoonctl hint "$name" start && wait_info '.hint_state == "reported"' &&
			vballoonctl hint "$name" "done" && [ "$(counter hinted)" -ge 4096 ]
	else
		! vballoonctl hint "$name" start
	fi
}

has_reported() {
	[ "$(counter reported)" -ge "$1" ]
}

# 4 MiB at a time, from two seconds on.
reports_work() {
	if has $REPORTING; then
		wait_until has_reported 4096
	else
		[ "$(counter reported)" = 0 ]
	fi
}

balloons() {
	balloon $size && wait_info ".actual == $((size * MIB))" &&
		wait_until discarded_all && balloon 0 && wait_info '.actual == 0' && [ "$(counter inflated)" -ge $((size * 256)) ] &&
		[ "$(counter deflated)" -ge $((size * 256)) ]
}

poison_is_known() {
	wait_info ".poison == $(has $PAGE_POISON && echo $((0xaaaaaaaa)) || echo null)"
}

# Of what was inflated or reported. What a guest with poison reports has to be
# left alone.
discards_what_it_may() {
	local spared=0

	! has $PAGE_POISON || spared=.reported
	nothing_went_wrong &&
		vballoonctl --json counters --all "$name" | jq -e ".counters |
			.\"skip-poison\" == $spared and .\"discard-anon\" ==
				.inflated + .reported - .\"skip-poison\" - .duplicate"
}

# works NR BIT...
works() {
	local nr=$1 status
	shift

	name=$guest-$nr
	accepts "$@"
	driver bind "$nr" && wait_info '.state == "running"' && negotiates_it "$@" &&
		queues_have_roles && poison_is_known && stats_work && hints_work && balloons &&
		reports_work
	status=$?
	driver unbind "$nr" && wait_info '.state == "stopped" and .actual == 0' &&
		[ $status -eq 0 ] && discards_what_it_may
}

# QEMU resets the device for it, and the guest doesn't say again what its poison is.
poison_survives_stop() {
	local reported

	name=$guest-$1
	accepts $MUST_TELL_HOST $PAGE_POISON $REPORTING
	driver bind "$1" && wait_info '.state == "running"' && poison_is_known &&
		guest_qmp "$guest" '{"execute": "stop"}' && wait_info '.state == "stopped"' &&
		guest_qmp "$guest" '{"execute": "cont"}' && wait_info '.state == "running"' &&
		poison_is_known || return
	reported=$(counter reported)
	guest_touch "$guest" 80 && wait_until has_reported $((reported + 4096)) &&
		driver unbind "$1" && discards_what_it_may
}

# What the guest's kernel would say if a page it poisoned had been changed.
poison_is_intact() {
	guest_touch "$guest" 80
	! guest_run "$guest" 'dmesg | grep -E "pagealloc|corruption"'
}

# The guest gets memory back that it needs, and goes on.
deflates_on_oom() {
	name=$guest-$1
	driver bind "$1" && balloon 96 && guest_run "$guest" \
		'dd if=/dev/zero of=/tmp/fill bs=1M count=90 2>&1 && free && rm /tmp/fill' &&
		wait_info ".target == $((96 * MIB)) and .actual < $((80 * MIB))" &&
		balloon 0 && driver unbind "$1" && nothing_went_wrong
}

test_sets() {
	local nr

	for nr in "${!sets[@]}"; do
		# shellcheck disable=SC2086 # a list of bits
		tap_case "$1: [$(names ${sets[nr]})]" works "$nr" ${sets[nr]}
	done
}

qemu_needs
trap guests_end EXIT
tap_begin
GUEST_MEM=192
GUEST_BACKEND=anon

sets=(
	"$MUST_TELL_HOST"
	"$MUST_TELL_HOST $STATS_VQ"
	"$MUST_TELL_HOST $FREE_PAGE_HINT"
	"$MUST_TELL_HOST $STATS_VQ $FREE_PAGE_HINT"
	"$MUST_TELL_HOST $REPORTING"
	"$MUST_TELL_HOST $STATS_VQ $REPORTING"
	"$MUST_TELL_HOST $FREE_PAGE_HINT $REPORTING"
	"$MUST_TELL_HOST $STATS_VQ $FREE_PAGE_HINT $REPORTING"
	""
	"$MUST_TELL_HOST $STATS_VQ $FREE_PAGE_HINT $PAGE_POISON $REPORTING"
	"$MUST_TELL_HOST $STATS_VQ $DEFLATE_ON_OOM"
)
# Pages that it doesn't fill with zeroes before it gives them are given faster.
if tap_case 'a guest boots that has them all' boots vb-features init_on_alloc=0; then
	test_sets guest
	tap_case 'DEFLATE_ON_OOM: the guest takes back what it needs' deflates_on_oom 10
fi
guests_end

sets=(
	"$MUST_TELL_HOST $PAGE_POISON"
	"$MUST_TELL_HOST $STATS_VQ $PAGE_POISON"
	"$MUST_TELL_HOST $FREE_PAGE_HINT $PAGE_POISON"
	"$MUST_TELL_HOST $PAGE_POISON $REPORTING"
	"$MUST_TELL_HOST $STATS_VQ $DEFLATE_ON_OOM $FREE_PAGE_HINT $PAGE_POISON $REPORTING"
	"$MUST_TELL_HOST $STATS_VQ $REPORTING"
)
# This one fills all that it takes back.
size=16
if tap_case 'a guest boots that poisons its pages' boots vb-poison page_poison=1; then
	test_sets 'poisoning guest'
	tap_case 'poison: the VM is stopped and goes on' poison_survives_stop 3
	tap_case 'poison: what the guest poisoned is intact' poison_is_intact
fi
tap_end
