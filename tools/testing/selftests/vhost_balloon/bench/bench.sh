#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measures what it costs to inflate, to deflate and to report: by QEMU's own balloon,
# by vhost-balloon under QEMU (vDPA), by vhost-balloon under a program of a few
# instructions. What is measured, and how: Documentation/benchmark.rst.
#
# usage: bench.sh [--wall] [--part PART] DIRECTORY [ROW...]
#        bench.sh --parts [ROW...]
#
# A ROW is stock, inline, worker or native; all of them by default. --parts names the
# parts that the whole consists of, each of which can be run by itself.
#
# Leaves raw.json, one object for each measurement, and method.json in DIRECTORY; then
# comes report.sh. Without --wall this has to be a machine whose clock counts
# instructions: vmtest.sh --bench. With it, any with KVM will do where both modules are
# loaded, vballoonctl is in the PATH or built, and GUEST_BOOT is a directory with a guest's
# vmlinuz and initramfs.gz: vmtest.sh --setup leaves one in the cache.

set -u

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
PATH=$bench_dir/../vmtest:$bench_dir/../../../../vhost-balloon:$PATH

MIB=1048576
PAGES_PER_MIB=256
BACKENDS="anon memfd"
REPEATS="1 2"
# What a guest is asked for, and what it has.
SIZE=256
SIZE_MEM=448
LARGE=1024
LARGE_MEM=1344
# What a guest keeps for itself when its memory is touched; a large one has more to manage.
KEPT=130
LARGE_KEPT=220
# What a guest gives to have system calls counted.
SYSCALLS_SIZE=64
NATIVE_SIZE=64
# An idle guest, for what it does of itself.
IDLE_MS=2000
# Reports come every two seconds, until there is nothing left: seconds to wait for that with
# all memory, milliseconds with that of one operation.
REPORT_ALL_S=40
REPORT_MS=14000
# REPORTING, besides MUST_TELL_HOST and STATS_VQ.
REPORT_FEATURES=0x330000023
THP=/sys/kernel/mm/transparent_hugepage/enabled
KHUGEPAGED=/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs
# As long as it can be.
FOR_EVER=4294967295
HUGE_PAGES=/proc/sys/vm/nr_hugepages

usage() {
	echo "usage: bench.sh [--wall] [--part PART] DIRECTORY [ROW...]" >&2
	echo "       bench.sh --parts [ROW...]" >&2
	exit 2
}

die() {
	echo "bench: $*" >&2
	exit 1
}

say() {
	echo "bench: $*" >&2
}

wall=
poll=
list=
part=
out=
case ${1:-} in
--wall)
	wall=1
	# The end of an operation has to be seen, not only what it took.
	poll=1
	shift
	;;
--parts)
	list=1
	shift
	;;
esac
if [ "${1:-}" = --part ]; then
	part=${2:-}
	[ -n "$part" ] || usage
	shift 2
fi
if [ -z "$list" ]; then
	[ $# -gt 0 ] || usage
	out=$1
	shift
fi
rows=("$@")
[ $# -gt 0 ] || rows=(stock inline worker native)

# The guest at hand, and what of it goes with every measurement.
guest=bench
pid=
contestant=
backend=
repeat=

# record OPERATION PAGES COMMAND...: one measurement.
record() {
	local operation=$1 pages=$2 output
	shift 2

	say "$contestant, $backend: $operation"
	output=$("$@") || die "$contestant $backend: cannot measure: $operation"
	jq -nRc --arg contestant "$contestant" --arg backend "$backend" \
		--arg operation "$operation" --argjson repeat "$repeat" \
		--argjson pages "$pages" '
		{ $contestant, $backend, $operation, $repeat, $pages } +
			([inputs | split(" ") | { (.[0]): (.[1] | tonumber) }] | add)
		' <<<"$output" >>"$out/raw.json"
}

operation() {
	"$bench_dir/operation" ${poll:+-p "$poll"} "$@"
}

# boot MIB [reporting]: a guest that has the contestant's balloon.
boot() {
	local memory=$1 reporting=${2:-} device args

	say "$contestant, $backend, guest of $memory MiB${reporting:+, $reporting}, run $repeat"
	# shellcheck disable=SC2034 # for guest.sh
	GUEST_BACKEND=$backend GUEST_MEM=$memory
	if [ "$contestant" = stock ]; then
		args=(-device "virtio-balloon-pci${reporting:+,free-page-reporting=on}")
	else
		device=$(guest_vdpa_dev $guest ${reporting:+$REPORT_FEATURES}) || die "no vDPA device"
		args=(-device "vhost-vdpa-device-pci,vhostdev=$device")
	fi
	guest_start $guest "${args[@]}" || die "no guest"
	guest_wait_ready $guest || die "the guest did not boot"
	say "$contestant, $backend: the guest is up"
	pid=$(guest_pid $guest)
	[ "$contestant" = stock ] && return
	id=$(vballoonctl --json info $guest | jq .id)
	case $contestant in
	inline) vballoonctl tune $guest inline=on >/dev/null ;;
	worker) vballoonctl tune $guest inline=off >/dev/null ;;
	esac || die "cannot choose where queues are served"
}

halt() {
	if [ "$contestant" != stock ]; then
		vballoonctl --json counters --all $guest |
			jq -c --arg contestant "$contestant" --arg backend "$backend" \
				--argjson repeat "$repeat" '{ $contestant, $backend, $repeat, counters }' \
				>>"$out/counters.json"
	fi
	guest_stop $guest
	pid=
	[ "$contestant" = stock ] || vdpa dev del $guest
}

# touch_memory MIB: the guest uses that much, and frees it. Huge pages, since it takes long.
touch_memory() {
	local command="mkdir -p /mnt && mount -t tmpfs -o huge=always,size=100% fill /mnt"

	command+=" && fallocate -l $1M /mnt/fill && umount /mnt"
	guest_run $guest "$command" 600 || die "the guest cannot use its memory"
}

# Whatever that leaves to be done is done before anything is measured. Not so before reports,
# which begin after two seconds.
touch_and_settle() {
	touch_memory "$1"
	sleep 2
}

# balloon MEMORY MIB [OPTION...]: asks the guest, which has that much memory, for MIB.
balloon() {
	local memory=$1 mib=$2 output expected
	shift 2

	if [ "$contestant" = stock ]; then
		expected=$(((memory - mib) * MIB))
		output=$(operation "$@" "$pid" qmp "$GUEST_DIR/$guest/qmp" $expected)
	else
		expected=$((mib * PAGES_PER_MIB))
		output=$(operation "$@" "$pid" control "$id" $expected)
	fi || return
	echo "$output"
	grep -qx "reached $expected" <<<"$output"
}

small() {
	local pages=$((SIZE * PAGES_PER_MIB))

	boot $SIZE_MEM
	touch_and_settle $((SIZE_MEM - KEPT))
	record inflate $pages balloon $SIZE_MEM $SIZE
	record deflate $pages balloon $SIZE_MEM 0
	record idle 0 operation -s "$pid" idle $IDLE_MS
	# Calls are the same in number whether there is memory to give back or not.
	if [ "$repeat" = 1 ]; then
		pages=$((SYSCALLS_SIZE * PAGES_PER_MIB))
		record inflate-syscalls $pages balloon $SIZE_MEM $SYSCALLS_SIZE -s
		record deflate-syscalls $pages balloon $SIZE_MEM 0 -s
	fi
	halt
}

large() {
	boot $LARGE_MEM
	touch_and_settle $((LARGE_MEM - LARGE_KEPT))
	record inflate-large $((LARGE * PAGES_PER_MIB)) balloon $LARGE_MEM $LARGE
	halt
}

# A guest that reports what it frees; the host's memory is in pages of 4 KiB. The
# guest has reported all of its memory before, so that just what it frees is reported.
reporting() {
	local before after

	echo never >$THP
	boot $SIZE_MEM reporting
	sleep $REPORT_ALL_S
	for repeat in $REPEATS; do
		before=$(guest_memory)
		touch_memory $SIZE
		record report $((SIZE * PAGES_PER_MIB)) operation "$pid" idle $REPORT_MS
		after=$(guest_memory)
		[ $((after - before)) -lt $((SIZE * 1024 / 50)) ] ||
			die "$contestant: $((after - before)) kB of what was reported are still there"
		record report-idle 0 operation "$pid" idle $REPORT_MS
	done
	halt
	echo "$thp" >$THP
}

# The host's memory that the guest has, in kB.
guest_memory() {
	local anon shmem

	read -r anon shmem < <(guest_rss $guest)
	echo $((anon + shmem))
}

# native_row BACKING ORDER...: each of them inline, by the worker, and without a balloon. What the
# bars are about is measured with more memory, and so more exactly.
native_row() {
	local order size
	backend=$1
	shift

	for order; do
		size=$NATIVE_SIZE
		[ "$order" != ascending ] || size=$SIZE
		for contestant in native-inline native-worker native-floor; do
			record "$order" $((size * PAGES_PER_MIB)) "$bench_dir/native" \
				"$backend" "$order" "${contestant#native-}" "$size"
		done
	done
}

# Every second page of a huge page gives nothing back.
native() {
	echo $((huge_pages + SIZE / 2)) >$HUGE_PAGES
	for backend in anon memfd thp; do
		native_row $backend ascending descending shuffled alternate random
	done
	native_row hugetlb ascending descending shuffled random
	echo "$huge_pages" >$HUGE_PAGES
}

# row ROW: whether it is asked for.
row() {
	case " ${rows[*]} " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

# guests FUNCTION REPEAT CONTESTANT...: its parts, one for each of them and each backend.
guests() {
	local function=$1 repeat=$2 contestant backend
	shift 2

	for contestant; do
		row "$contestant" || continue
		for backend in $BACKENDS; do
			echo "$function:$contestant:$backend:$repeat"
		done
	done
}

# All parts, as FUNCTION:CONTESTANT:BACKEND:REPEAT.
parts() {
	local repeat

	for repeat in $REPEATS; do
		guests small "$repeat" stock inline worker
	done
	for repeat in $REPEATS; do
		! row native || echo "native:::$repeat"
	done
	guests reporting 1 stock inline
	guests large 1 stock inline
}

run_part() {
	local function

	IFS=: read -r function contestant backend repeat <<<"$1"
	say "part $1"
	"$function"
}

# Leaves the host as it was.
end() {
	echo "$thp" >$THP
	echo "$scan_sleep" >$KHUGEPAGED
	echo "$huge_pages" >$HUGE_PAGES
	[ -z "$pid" ] || halt >/dev/null 2>&1
}

method() {
	jq -n --arg kernel "$(uname -r)" \
		--arg qemu "$(qemu-system-x86_64 --version | sed -n '1s/.*version \([^ ]*\).*/\1/p')" \
		--arg cpu "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)" \
		--argjson cpus "$(nproc)" --arg wall "$wall" \
		--argjson size $SIZE --argjson large $LARGE --argjson native_size $NATIVE_SIZE \
		--arg thp "$thp" \
		'{ $kernel, $qemu, $cpu, $cpus, icount: ($wall == ""), $size, $large,
			$native_size, $thp }'
}

if [ -n "$list" ]; then
	parts
	exit
fi
mkdir -p "$out" || die "no directory $out"
[ "$(id -u)" = 0 ] || die "must be root"
if [ -n "$part" ]; then
	parts | grep -qxF -e "$part" || die "no such part: $part"
fi
# shellcheck source=../vmtest/guest.sh
. guest.sh
# An idle machine's time goes by in leaps.
[ -n "$wall" ] || GUEST_PATIENCE=20
GUEST_APPEND=nokaslr
# QEMU's HPET has the guest's timer tick for ever, idle or not.
GUEST_MACHINE=hpet=off
thp=$(sed 's/.*\[\(.*\)\].*/\1/' $THP)
scan_sleep=$(cat $KHUGEPAGED)
huge_pages=$(cat $HUGE_PAGES)
trap end EXIT
echo $FOR_EVER >$KHUGEPAGED
: >"$out/raw.json"
: >"$out/counters.json"
method >"$out/method.json" || die "no method"
for part in ${part:-$(parts)}; do
	run_part "$part"
done
say "$(wc -l <"$out/raw.json") measurements"
