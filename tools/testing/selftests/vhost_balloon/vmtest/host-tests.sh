#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs test programs in the host under test, one after the other, in the
# directory it is called in, and says for each when it begins and how it ended
# in lines that vmtest.sh reads (results.sh). Their own output is passed on as
# it comes. A program named "unload" is a test of its own: that nothing keeps
# the modules from being unloaded. When the kernel complains, the programs that
# are left are not run.
#
# usage: host-tests.sh SECONDS PROGRAM...

limit=$1
shift

# shellcheck source=kept-vm.sh
. "$(dirname "${BASH_SOURCE[0]}")/kept-vm.sh"

# What the kernel prints when something is wrong with it.
bad='BUG:|WARNING:|Oops|general protection fault|KASAN|UBSAN|ODEBUG'
bad+='|kmemleak: [0-9]+ new|possible (circular|recursive|irq) lock'
bad+='|inconsistent lock state|lock held when|held lock freed|bad unlock balance'
bad+='|suspicious RCU usage|list_(add|del) corruption|refcount_t:'
bad+='|scheduling while atomic|sleeping function called|Call Trace'
bad+='|blocked for more than|soft lockup|hard LOCKUP|detected stall|self-detected'

complaints() {
	dmesg | grep -cE "$bad"
}

# What was allocated, is not freed and can no longer be found. Memory younger
# than five seconds is not looked at; a leak counts when two scans found it.
leaks() {
	local kmemleak=/sys/kernel/debug/kmemleak

	[ -w $kmemleak ] || return 0
	echo scan >$kmemleak
	sleep 6
	echo scan >$kmemleak
	sed 's/^/# kmemleak: /' $kmemleak
	! grep -q . $kmemleak
}

unload() {
	local module status=0

	echo 1..1
	for module in vdpa_balloon vhost_balloon; do
		[ -d "/sys/module/$module" ] || continue
		rmmod "$module" || status=1
	done
	leaks || status=1
	if [ $status -eq 0 ]; then
		echo "ok 1 unload"
	else
		echo "not ok 1 unload"
	fi
	return $status
}

run() {
	case $1 in
	unload)
		unload
		;;
	private_slots.sh)
		drop_vm
		timeout -k 10 "$limit" "./$1"
		set -- $?
		keep_vm
		return "$1"
		;;
	*)
		timeout -k 10 "$limit" "./$1"
		;;
	esac
}

keep_vm
for program; do
	echo "#vmtest# begin $program"
	before=$(complaints)
	lines=$(dmesg | wc -l)
	start=$SECONDS
	run "$program" 2>&1
	status=$?
	unwell=
	if [ "$(complaints)" -gt "$before" ]; then
		unwell=unwell
		dmesg | tail -n +$((lines + 1)) | head -n 300 | sed 's/^/# dmesg: /'
	fi
	echo "#vmtest# end $status $((SECONDS - start)) $unwell"
	# What comes after would not be to blame for its own failures.
	[ -z "$unwell" ] || break
done
drop_vm
