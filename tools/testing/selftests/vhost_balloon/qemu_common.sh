# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A stock guest in a stock QEMU, with a balloon by a vDPA device. Sourced by the
# tests that have such, after tap.sh and vmtest/guest.sh.
#
# Names of guests and of their devices begin with vb-.
#
# shellcheck disable=SC2034 # variables are for the tests

PATH=$PATH:$PWD/../../../vhost-balloon
MIB=1048576
WAIT=$((120 * GUEST_PATIENCE))
GUEST_MEM=512

# The balloon that functions are about, the guest that has it, and what it was
# asked for, in MiB.
name=
guest=
target=0

# Bits of virtio's balloon.
MUST_TELL_HOST=0
STATS_VQ=1
DEFLATE_ON_OOM=2
FREE_PAGE_HINT=3
PAGE_POISON=4
REPORTING=5

# What a test with QEMU can't do without.
qemu_needs() {
	local program

	[ "$(id -u)" = 0 ] || tap_skip_all "has to be root"
	[ -e /sys/module/vdpa_balloon ] ||
		tap_skip_all "no vDPA here: the module vdpa_balloon is not loaded"
	[ -e /vhost-balloon-guest/vmlinuz ] || tap_skip_all "no guest in /vhost-balloon-guest"
	[ -w /dev/kvm ] || tap_skip_all "no /dev/kvm"
	for program in qemu-system-x86_64 vdpa jq socat vballoonctl; do
		command -v $program >/dev/null || tap_skip_all "no $program"
	done
}

# A member of what info shows of the guest's balloon.
info() {
	vballoonctl --json info "$name" | jq -r "$1"
}

counter() {
	vballoonctl --json counters --all "$name" | jq ".counters[\"$1\"]"
}

# wait_until COMMAND...: until it is true.
wait_until() {
	local deadline=$((SECONDS + WAIT))

	while [ $SECONDS -lt $deadline ]; do
		"$@" && return
		sleep 0.1
	done
	echo "in $WAIT s not: $*"
	vballoonctl info "$name"
	guest_where "$guest"
	return 1
}

is_info() {
	[ "$(info "$1")" = true ]
}

# Until the condition, in jq's words, is true of the balloon.
wait_info() {
	wait_until is_info "$1"
}

# Asks the guest for that many MiB and waits until it gave them.
balloon() {
	target=$1
	vballoonctl set "$name" --balloon="$1M" --wait=$WAIT
}

# The host's memory that the guest's memory takes, in kB.
host_memory() {
	local anon shmem

	read -r anon shmem < <(guest_rss "$guest")
	case $GUEST_BACKEND in
	memfd) echo "$shmem" ;;
	*) echo "$anon" ;;
	esac
}

# fell_by KB_BEFORE MIB: host memory is less by that much, within 2 %.
fell_by() {
	local now fell off

	now=$(host_memory)
	fell=$(($1 - now))
	off=$((fell - $2 * 1024))
	echo "host memory fell by $((fell / 1024)) MiB, from $1 kB to $now kB; the guest gave $2 MiB"
	[ $((${off#-} * 50)) -le $(($2 * 1024)) ]
}

# Whether all that the guest gave and reported is discarded, but for what it poisoned: parts of
# huge pages wait for each other, and go a moment after the target is reached.
discarded_all() {
	vballoonctl --json counters --all "$name" | jq -e '.counters | ."discard-anon" ==
		.inflated + .reported - ."skip-poison" - .duplicate' >/dev/null
}

# A line of the guest's /proc/meminfo, in kB.
guest_meminfo() {
	guest_run "$guest" "awk '/^$1:/ { print \$2 }' /proc/meminfo"
}

# features BIT...: what a device offers that has these of the balloon's
# features, and INDIRECT_DESC, EVENT_IDX, VERSION_1 and ACCESS_PLATFORM.
features() {
	local bit mask=$((1 << 28 | 1 << 29 | 1 << 32 | 1 << 33))

	for bit; do
		mask=$((mask | 1 << bit))
	done
	printf '0x%x\n' $mask
}

# start NAME BACKEND FEATURES [QEMU ARGUMENT...]: a guest with a balloon that
# offers these, or by default what the kernel thinks best.
start() {
	local dev

	name=$1
	guest=$1
	GUEST_BACKEND=$2
	dev=$(guest_vdpa_dev "$name" "$3") || return
	shift 3
	guest_start "$name" "$@" -device "vhost-vdpa-device-pci,vhostdev=$dev" &&
		guest_wait_ready "$name" && wait_info '.state == "running"'
}

nothing_went_wrong() {
	vballoonctl counters "$name"
	[ "$(counter malformed)" = 0 ] && [ "$(counter broken)" = 0 ] &&
		[ "$(counter skip-error)" = 0 ]
}

# Where all guests are, when a test is terminated. That may be in a read with a timeout, and
# bash can't do another one in a trap: it is a process of its own that asks. A QEMU may not
# answer, and there is not much time left.
tap_where() {
	local path

	for path in "$GUEST_DIR"/*/pid; do
		[ -e "$path" ] || continue
		path=${path%/pid}
		echo "guest ${path##*/}:"
		# shellcheck disable=SC2016 # it is that bash that expands it
		timeout 15 bash -c '. ./vmtest/guest.sh && guest_where "$1"' - "${path##*/}"
	done
}

# All guests and devices, whatever became of them.
guests_end() {
	local path

	for path in "$GUEST_DIR"/*/pid; do
		[ -e "$path" ] || continue
		path=${path%/pid}
		guest_alive "${path##*/}" && guest_stop "${path##*/}"
	done
	for path in /sys/bus/vdpa/devices/vb-*; do
		[ ! -e "$path" ] || vdpa dev del "${path##*/}"
	done
}
