#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs test programs in the host under test, one after the other, in the
# directory it is called in, and says for each when it begins and how it ended
# in lines that vmtest.sh reads (tests.sh). Their own output is passed on as
# it comes. After each of them the modules are unloaded, and loaded again for the
# next one. A program named "unload" is a test of its own: that the modules go, and
# nothing of theirs is left. When the kernel complains, or that can't be done, the
# programs that are left are not run.
#
# usage: host-tests.sh SECONDS PROGRAM...

limit=$1
shift

# shellcheck source=kept-vm.sh
. "$(dirname "${BASH_SOURCE[0]}")/kept-vm.sh"
# shellcheck source=modules.sh
. "$(dirname "${BASH_SOURCE[0]}")/modules.sh"

# What the kernel prints when something is wrong with it.
bad='BUG:|WARNING:|Oops|general protection fault|KASAN|UBSAN|ODEBUG'
bad+='|kmemleak: [0-9]+ new|possible (circular|recursive|irq) lock'
bad+='|inconsistent lock state|lock held when|held lock freed|bad unlock balance'
bad+='|suspicious RCU usage|list_(add|del) corruption|refcount_t:'
bad+='|scheduling while atomic|sleeping function called|Call Trace'
bad+='|blocked for more than|soft lockup|hard LOCKUP|detected stall|self-detected'

# But for the trace of a vmalloc() of fail_*.c, which make it fail.
complaints() {
	dmesg | awk -v bad="$bad" '
		/ fail_[a-z]+: vmalloc error:/ { meant = 1 }
		/ Mem-Info:/ { meant = 0 }
		meant && /Call Trace/ { meant = 0; next }
		$0 ~ bad { n++ }
		END { print n + 0 }'
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

# On a debug kernel, what guests do in KVM is recorded, up to the moment in which one is shut down
# for a fault it can't handle: VMMs reset it then, and it has no time to say why. Or one doesn't get on.
guests=/sys/kernel/tracing/instances/guests
record() {
	local event svm='isa == 2 && exit_reason == 0x7f' vmx='isa == 1 && exit_reason == 2'

	[ -e /sys/kernel/debug/kmemleak ] || return 0
	mkdir $guests || return
	echo 256 >$guests/buffer_size_kb
	for event in kvm_exit kvm_inj_exception kvm_inj_virq kvm_unmap_hva_range \
		kvm_async_pf_not_present kvm_async_pf_ready; do
		echo 1 >$guests/events/kvm/$event/enable
	done
	echo "traceoff if ($svm) || ($vmx)" >$guests/events/kvm/kvm_exit/trigger
}

# show_record STATUS: shows that, if one was, or if a program took too long, and goes on.
show_record() {
	local why

	[ -d $guests ] || return 0
	if [ "$(cat $guests/tracing_on)" = 0 ]; then
		why='a guest was shut down'
	elif [ "$1" -eq 124 ] || [ "$1" -eq 137 ]; then
		why='it took too long'
	else
		return 0
	fi
	echo "# $why; before that, in KVM:"
	grep -v '^#' $guests/trace | tail -n 60 | sed 's/^/# kvm: /'
	echo >$guests/trace
	echo 1 >$guests/tracing_on
}

unload() {
	local status=0

	echo 1..1
	modules_unload || status=1
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
		timeout -k 60 "$limit" "./$1"
		set -- $?
		keep_vm
		return "$1"
		;;
	*)
		timeout -k 60 "$limit" "./$1"
		;;
	esac
}

# Sets wrong to what is wrong after a program.
look() {
	wrong=
	[ "$(complaints)" -eq "$before" ] || wrong=unwell
	if [ -z "$wrong" ] && [ "$1" != unload ]; then
		if ! modules_unload; then
			wrong=held
		elif ! modules_load; then
			wrong=unloaded
		fi
		[ "$(complaints)" -eq "$before" ] || wrong=unwell
	fi
	[ "$wrong" != unwell ] ||
		dmesg | tail -n +$((lines + 1)) | head -n 300 | sed 's/^/# dmesg: /'
}

keep_vm
record
for program; do
	echo "#vmtest# begin $program"
	before=$(complaints)
	lines=$(dmesg | wc -l)
	start=$SECONDS
	run "$program" 2>&1
	status=$?
	seconds=$((SECONDS - start))
	show_record $status
	look "$program" 2>&1
	echo "#vmtest# end $status $seconds $wrong"
	# What comes after would not be to blame for its own failures.
	[ -z "$wrong" ] || break
done
drop_vm
