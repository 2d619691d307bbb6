# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Boots the host under test for one job. Sourced by vmtest.sh.

# KVM only where the processor offers it, and to guests too: /dev/kvm can exist
# on machines that cannot run an ordinary kernel by it. Elsewhere QEMU emulates
# a processor with AMD's virtualization, so that KVM works inside.
#
# With ICOUNT every instruction takes a nanosecond, and idle time none: what
# is measured in there does not depend on the machine or on what else it does.
#
# The debug kernel's page tables have four levels; guests in it would use five if they could.
boot_accel() {
	local cpu=max

	[ "$own_kernel" != debug ] || cpu+=,la57=off
	if [ -n "$ICOUNT" ]; then
		echo -accel tcg -icount shift=0,sleep=off,align=off -cpu "$cpu" -smp 1
	elif grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ] &&
		grep -qE '[Y1]' /sys/module/kvm_{amd,intel}/parameters/nested 2>/dev/null; then
		echo -accel kvm -cpu host -smp 2
	else
		echo -accel tcg,thread=multi -cpu "$cpu" -smp 2
	fi
}

# An emulated processor's TSC is that of this machine. If this one stands still for a
# moment while a kernel boots, that kernel takes it for up to ten times slower than
# it is: all clocks run so much too fast, and tests time out that go on as they should.
# So it is told, where what /proc/cpuinfo shows is known to be it.
boot_clock() {
	[ -z "$ICOUNT" ] && grep -qw hypervisor /proc/cpuinfo || return
	! grep -qw aperfmperf /proc/cpuinfo || return
	[ ! -e /sys/devices/system/cpu/cpu0/cpufreq ] || return
	awk -F: '/^cpu MHz/ { printf "tsc_early_khz=%d\n", $2 * 1000; exit }' /proc/cpuinfo
}

boot_pid=

# Makes sure of the tree whose QEMU emulates the host under test, of whatever
# suite that is. Older ones, on a busy machine, left both processors with
# interrupts that never ended.
boot_emulator() {
	local wanted=$SUITE

	suite "$source_suite"
	tree_get
	suite "$wanted"
}

# Boots for the job in $out_dir/job, in place of this process. The job's
# output comes out on standard output; if the argument is "shell", the
# terminal is the job's.
boot() {
	local append args foreground=() tree_root=$cache/$source_suite/root

	append="console=ttyS0 loglevel=5 panic=-1 log_buf_len=4M mitigations=off"
	# Emulated processors on a busy machine are slow, not hung.
	append+=" rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=30"
	append+=" random.trust_cpu=on"
	# An emulated processor does not say that its TSCs are synchronized, though
	# they are. Older kernels then read the HPET, which takes so long that a
	# busy machine does nothing but timer interrupts.
	append+=" tsc=reliable"
	# One page of 1 GiB: later there is no such piece left.
	append+=" hugepagesz=1G hugepages=1"
	read -ra args <<<"$(boot_accel)"
	[[ ${args[1]} != tcg* ]] || append+=" $(boot_clock)"
	if [ "${1:-}" = shell ]; then
		foreground=(--foreground)
		args+=(-chardev "file,path=/out/output,id=output"
			-chardev "stdio,signal=off,id=shell"
			-device "virtconsole,nr=0,chardev=shell")
	else
		args+=(-chardev "file,path=/dev/stdout,append=on,id=output")
	fi
	tree_exec -b "$suite_dir/root:/mnt" \
		-b "$run_dir/build:/mnt/vhost-balloon" \
		-b "$guest_dir:/mnt/vhost-balloon-guest" \
		-b "$out_dir:/out" -b "$boot_dir:/linux-build" \
		timeout "${foreground[@]}" -k 10 "$TIMEOUT" \
		qemu-system-x86_64 -nodefaults -no-user-config -no-reboot \
		-display none -machine q35 -m 5G \
		-kernel /linux-build/vmlinuz -initrd /linux-build/initramfs.gz \
		-append "$append" \
		-virtfs local,path=/mnt,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
		-virtfs local,path=/out,mount_tag=out,security_model=none,multidevs=remap \
		-chardev file,id=console,path=/out/console -serial chardev:console \
		-device virtio-serial-pci "${args[@]}" \
		-device virtserialport,nr=1,chardev=output
}

boot_kill() {
	[ -z "$boot_pid" ] || kill -KILL "$boot_pid" 2>/dev/null
	boot_pid=
}
