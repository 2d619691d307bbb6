# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Holds a VM of KVM, so that others are never the first or the last one. Those have the
# kernel patch its scheduler, and an emulator of several processors may run into the
# breakpoint that is there meanwhile when it's gone already. So the one that is held
# comes and goes while there is one processor. Sourced in the host under test.

kept_vm=

# Switches all processors but the first one on (1) or off (0).
processors() {
	local online

	for online in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ ! -w "$online" ] || echo "$1" >"$online"
	done
}

keep_vm() {
	local create_vm=0xAE01 made

	processors 0
	exec {made}< <(exec perl -e "open(my \$kvm, '+<', '/dev/kvm') or exit;
		ioctl(\$kvm, $create_vm, 0) or exit;
		syswrite(STDOUT, \"made\n\");
		sleep" </dev/null 2>/dev/null)
	kept_vm=$!
	read -r <&"$made"
	exec {made}<&-
	processors 1
}

# Leaves one processor, until the next keep_vm.
drop_vm() {
	processors 0
	kill "$kept_vm" 2>/dev/null
	wait "$kept_vm" 2>/dev/null
}
