#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows a balloon at work, as a person would use it: a guest under stock QEMU
# is asked for memory, gives it back to the host, and gets it again. Runs in
# the host under test:
#
#	vmtest.sh --run demo.sh

# shellcheck source=vmtest/guest.sh
. guest.sh

name=demo
ram=512
left=192

die() {
	echo "demo: $*"
	exit 1
}

# Shows a command as it would be typed, and runs it.
show() {
	printf '\n# %s\n' "$*"
	"$@" || die "failed: $*"
}

# What the guest holds of the host's memory, in kB.
host_memory() {
	local anon shmem

	read -r anon shmem <<<"$(guest_rss $name)"
	echo $((anon + shmem))
}

# What the guest gave, in MiB, as the balloon has it.
given() {
	vballoonctl --json info $name | jq '.actual / 1048576 | floor'
}

say_memory() {
	echo
	echo "Host memory the guest holds$1: $(($(host_memory) / 1024)) MiB"
}

cat <<INTRO
A balloon on the vDPA bus, and a stock QEMU whose guest has it for its
ordinary memory balloon:

# vdpa dev add name $name mgmtdev vhost_balloon
INTRO
device=$(guest_vdpa_dev $name) || die "no vDPA device"
show vdpa dev show

printf '\n# qemu-system-x86_64 -m %s ... -device vhost-vdpa-device-pci,vhostdev=%s\n' \
	$ram "$device"
GUEST_MEM=$ram guest_start $name \
	-device "vhost-vdpa-device-pci,vhostdev=$device" || die "QEMU did not start"
guest_wait_ready $name || die "the guest did not boot"
echo
echo "The guest is up, and uses most of its memory once (400 MiB of it) ..."
guest_touch $name 400 || die "the guest is not well"

show vballoonctl list
show vballoonctl info $name
before=$(host_memory)
say_memory

echo
echo "The guest shall do with $left MiB:"
show vballoonctl set --wait=300 $name ${left}M
# What huge pages the guest gave in parts goes a moment after that.
sleep 1
after=$(host_memory)
gave=$(given)
say_memory
show vballoonctl list

echo
echo "And now it shall have all of its memory again:"
show vballoonctl set --wait=300 $name ${ram}M
show vballoonctl list
[ "$(given)" -eq 0 ] || die "the guest did not take its memory back"
guest_touch $name 300 || die "the guest cannot use its memory"
say_memory ", having used 300 MiB of it"

guest_stop $name
show vdpa dev del $name

echo
echo "demo: guest gave back $gave MiB, host memory fell by $(((before - after) / 1024)) MiB"
