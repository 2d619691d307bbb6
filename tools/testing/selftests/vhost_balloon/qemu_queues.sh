#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a balloon does besides inflating, on real parts: statistics, free page
# hinting, free page reporting, and memory of huge pages. Each with a stock
# QEMU and a stock guest, by a vDPA device.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=tap.sh
. ./tap.sh
# shellcheck source=vmtest/guest.sh
. ./vmtest/guest.sh
# shellcheck source=qemu_common.sh
. ./qemu_common.sh

dir=
pool=
free=0
rose=0

# Statistics

# Asks for a sample, and leaves it in a file.
refresh() {
	local before

	before=$(vballoonctl --json stats "$name" | jq .sequence)
	vballoonctl --json stats --refresh --timeout=60 "$name" >"$dir/sample" &&
		[ "$(jq .sequence "$dir/sample")" -gt "$before" ]
}

sample_kb() {
	jq ".stats[\"$1\"] / 1024 | floor" "$dir/sample"
}

# says STATISTIC LINE: the sample says what the guest's /proc/meminfo has there,
# within 5 %.
says() {
	local sent has off

	sent=$(sample_kb "$1")
	has=$(guest_meminfo "$2") || return
	off=$((sent - has))
	echo "$1: $sent kB; $2 in the guest: $has kB"
	[ $((${off#-} * 20)) -le "$has" ]
}

stats_are_right() {
	refresh && says total-memory MemTotal && says free-memory MemFree &&
		says available-memory MemAvailable
}

stats_are_of_now() {
	local free

	refresh && free=$(sample_kb free-memory) &&
		guest_run "$guest" 'dd if=/dev/zero of=/tmp/fill bs=1M count=64 2>&1' &&
		stats_are_right && [ "$(sample_kb free-memory)" -lt $((free - 50 * 1024)) ] &&
		guest_run "$guest" 'rm /tmp/fill' && balloon 16 && stats_are_right && balloon 0
}

stats_after_stop() {
	guest_qmp "$guest" '{"execute": "stop"}' && wait_info '.state == "stopped"' || return
	! vballoonctl stats --refresh --timeout=1 "$name" || return
	guest_qmp "$guest" '{"execute": "cont"}' && wait_info '.state == "running"' &&
		stats_are_right
}

stats_after_reload() {
	guest_run "$guest" 'rmmod virtio_balloon' &&
		! vballoonctl stats --refresh --timeout=1 "$name" &&
		guest_run "$guest" 'insmod /modules/virtio_balloon.ko' &&
		wait_info '.state == "running"' && stats_are_right
}

stats_after_reboot() {
	# It doesn't answer to this, but by being there again.
	guest_send "$guest" 'reboot -f'
	guest_wait_ready "$guest" && wait_info '.state == "running"' && stats_are_right
}

# Hints. This guest fills what it frees with zeroes. So pages that are not zero
# are in use, or were when their bit was set.

# Makes a file of 2048 pages that each begin with the same words.
words='a page that the guest has in use'
use_memory() {
	guest_run "$guest" "cd /tmp; printf '%-4095s\n' '$words' >used; for i in \$(seq 11); do cat used used >more && mv more used || exit; done" &&
		used_sum=$(guest_run "$guest" 'md5sum /tmp/used') && echo "$used_sum"
}

used_memory_is_intact() {
	[ "$(guest_run "$guest" 'md5sum /tmp/used')" = "$used_sum" ]
}

# The memfd with the guest's memory: an offset in it is a guest physical address.
guest_memory() {
	local fd

	for fd in "/proc/$(guest_pid "$guest")/fd"/*; do
		case $(readlink "$fd") in
		*memfd:*memory*) echo "$fd" ;;
		esac
	done
}

# Leaves the ranges, in a file: address and length of each in bytes.
hints_fetch() {
	vballoonctl --json hint "$name" fetch >"$dir/hints" &&
		jq -r '.ranges[] | "\(.gpa) \(.len)"' "$dir/hints" >"$dir/ranges"
}

# Leaves in free how much the guest had, in kB.
hints_are_most_of_free() {
	local hinted

	guest_touch "$guest" 100
	free=$(guest_meminfo MemFree) || return
	vballoonctl hint "$name" start && wait_info '.hint_state == "reported"' &&
		vballoonctl hint "$name" stop && wait_info '.hint_state == "stopped"' &&
		hints_fetch || return
	hinted=$(awk '{ sum += $2 / 1024 } END { printf "%d\n", sum }' "$dir/ranges")
	echo "the guest had $free kB free, and hinted $hinted kB"
	[ $((hinted * 1024)) -eq "$(jq .bytes "$dir/hints")" ] &&
		[ "$hinted" -ge $((free * 8 / 10)) ] && [ "$hinted" -le "$free" ]
}

# elsewhere FILE: what lies between the hinted ranges of the guest's memory.
elsewhere() {
	local gpa len last=0

	while read -r gpa len; do
		dd if="$1" bs=1M skip=$last count=$((gpa - last)) \
			iflag=skip_bytes,count_bytes status=none
		last=$((gpa + len))
	done <"$dir/ranges"
	dd if="$1" bs=1M skip=$last iflag=skip_bytes status=none
}

# They are zero. Not because all is: what is in use is found elsewhere.
hints_are_of_free_pages() {
	local memory gpa len nr=0 used

	memory=$(guest_memory)
	while read -r gpa len; do
		nr=$((nr + 1))
		cmp -n "$len" -i "$gpa:0" "$memory" /dev/zero && continue
		echo "in use: something of the $len bytes at $gpa"
		return 1
	done <"$dir/ranges"
	used=$(elsewhere "$memory" | grep -zao "$words" | tr '\0' '\n' | grep -c .)
	echo "$nr ranges, all zero; $used pages elsewhere are those of the file"
	[ $nr -gt 0 ] && [ "$used" -ge 2048 ]
}

hints_are_fetched_once() {
	hints_fetch && ! [ -s "$dir/ranges" ]
}

has_free() {
	[ "$(guest_meminfo MemFree)" -ge "$1" ]
}

hints_are_done() {
	local cmd_id

	cmd_id=$(info .hint_cmd_id)
	vballoonctl hint "$name" "done" && wait_info '.hint_state == "done"' &&
		wait_until has_free $((free * 9 / 10)) && guest_touch "$guest" 50 &&
		used_memory_is_intact && balloon 16 && balloon 0 &&
		[ "$cmd_id" -ge $((0x80000000)) ] && [ "$(info .hint_cmd_id)" = "$cmd_id" ]
}

# What the guest holds back for the hints it takes again if it needs it.
hints_do_not_starve() {
	vballoonctl hint "$name" start && wait_info '.hint_state == "reported"' &&
		guest_touch "$guest" 100 && used_memory_is_intact &&
		vballoonctl hint "$name" "done"
}

# Reports

reported_kb() {
	echo $(($(counter reported) * 4))
}

has_reported() {
	[ "$(reported_kb)" -ge "$1" ]
}

# Also what it never used, after it has booted.
reports_all_that_is_free() {
	wait_until has_reported $(($(guest_meminfo MemFree) * 8 / 10))
}

fell_to() {
	[ "$(host_memory)" -le "$1" ]
}

reports_what_it_frees() {
	local empty full began ended seconds

	empty=$(host_memory)
	guest_run "$guest" 'dd if=/dev/zero of=/tmp/fill bs=1M count=256 2>&1' || return
	full=$(host_memory)
	[ "$full" -ge $((empty + 230 * 1024)) ] || return
	began=$(guest_run "$guest" 'rm /tmp/fill; cut -d. -f1 /proc/uptime')
	wait_until fell_to $((full - 256 * 1024 * 9 / 10)) || return
	ended=$(guest_run "$guest" 'cut -d. -f1 /proc/uptime')
	seconds=$((ended - began))
	echo "host memory: $empty kB, $full kB with the file, $(host_memory) kB without, after $seconds s"
	[ $seconds -le 15 ] && wait_info '.target == 0 and .actual == 0'
}

reports_and_goes_on() {
	used_memory_is_intact && guest_touch "$guest" 200 && balloon 64 &&
		wait_until discarded_all && balloon 0 && used_memory_is_intact
}

# Each page that was reported or inflated was discarded, and nothing else.
discards_all_it_is_told() {
	local told

	told=$(vballoonctl --json counters --all "$name" |
		jq '.counters | .reported + .inflated - .duplicate - ."discard-anon"')
	echo "told and not discarded: $told"
	nothing_went_wrong && [ "$told" = 0 ]
}

# Huge pages

hugepages() {
	awk "/^HugePages_$1:/ { print \$2 }" /proc/meminfo
}

# hugepages_get NR: has that many free ones.
hugepages_get() {
	pool=$(hugepages Total)
	echo 1 >/proc/sys/vm/compact_memory
	echo $((pool - $(hugepages Free) + $1)) >/proc/sys/vm/nr_hugepages
	[ "$(hugepages Free)" -ge "$1" ]
}

huge_is_listed() {
	vballoonctl tune "$name" hugetlb=on && vballoonctl regions "$name" &&
		vballoonctl --json regions "$name" |
		jq -e '[.regions[] | select(.backing == "hugetlb") | .len] | add >= 250 * 1048576'
}

# Leaves in rose how many huge pages came back. The guest's allocator cuts whole
# blocks of 4 MiB for the balloon as long as it has such, so that nearly all of the
# 64 are complete: 60 or more in a guest that has just booted. 48 are asked for.
huge_give() {
	local free

	free=$(hugepages Free)
	balloon 128 || return
	rose=$(($(hugepages Free) - free))
	echo "the guest gave 64 huge pages' worth; HugePages_Free rose by $rose, to $(hugepages Free)"
	vballoonctl counters "$name"
	[ $rose -ge 48 ] && [ $rose -le 64 ]
}

# All of the guest's memory was there.
huge_inflates() {
	huge_give && [ $((rose * 512)) -eq "$(counter discard-hugetlb)" ]
}

huge_deflates() {
	local free

	free=$(hugepages Free)
	balloon 0 && used_memory_is_intact && guest_touch "$guest" 150 &&
		used_memory_is_intact || return
	echo "HugePages_Free fell from $free to $(hugepages Free)"
	[ "$(hugepages Free)" -le $((free - 32)) ]
}

cleanup() {
	guests_end
	[ -z "$pool" ] || echo "$pool" >/proc/sys/vm/nr_hugepages
	rm -rf "$dir"
}

boots() {
	start "$@" && use_memory
}

test_stats_and_hints() {
	local GUEST_MEM=256

	GUEST_APPEND=init_on_free=1
	tap_case 'stats: the guest boots' boots vb-hints memfd \
		"$(features $MUST_TELL_HOST $STATS_VQ $FREE_PAGE_HINT)" || return
	tap_case 'stats: they are the guest'\''s own' stats_are_right
	tap_case 'stats: they change as the guest does' stats_are_of_now
	tap_case 'stats: the VM is stopped and goes on' stats_after_stop
	tap_case 'stats: the guest driver is reloaded' stats_after_reload
	tap_case 'hint: most of what is free is hinted' hints_are_most_of_free
	tap_case 'hint: nothing in use is hinted' hints_are_of_free_pages
	tap_case 'hint: they are fetched once' hints_are_fetched_once
	tap_case 'hint: the guest goes on when it is done' hints_are_done
	tap_case 'hint: the guest may use what it holds back' hints_do_not_starve
	tap_case 'stats, hint: nothing was malformed, broken or failed' nothing_went_wrong
	tap_case 'stats: the guest reboots' stats_after_reboot
}

test_reports() {
	local GUEST_MEM=384

	GUEST_APPEND=
	tap_case 'report: the guest boots' boots vb-report anon \
		"$(features $MUST_TELL_HOST $REPORTING)" || return
	tap_case 'report: all free memory is reported' reports_all_that_is_free
	tap_case 'report: what the guest frees comes back without a target' reports_what_it_frees
	tap_case 'report: the guest goes on' reports_and_goes_on
	tap_case 'report: all of it is discarded' discards_all_it_is_told
}

test_huge() {
	local GUEST_MEM=256

	if ! hugepages_get $((GUEST_MEM / 2 + 32)); then
		tap_skip 'hugetlb: inflates' "there are $(hugepages Free) huge pages, and no more"
		return
	fi
	tap_case 'hugetlb: the guest boots' boots vb-huge hugetlb '' -mem-prealloc || return
	tap_case 'hugetlb: is listed' huge_is_listed
	tap_case 'hugetlb: inflates, and huge pages are free' huge_inflates
	tap_case 'hugetlb: deflates, and the guest may use it all again' huge_deflates
	tap_case 'hugetlb: inflates again' huge_give
	tap_case 'hugetlb: deflates again' huge_deflates
	tap_case 'hugetlb: nothing was malformed, broken or failed' nothing_went_wrong
}

qemu_needs
dir=$(mktemp -d)
trap cleanup EXIT
tap_begin
test_stats_and_hints
guests_end
test_reports
guests_end
test_huge
tap_end
