#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# First process of the host under test once its root is there: completes the
# system, loads the modules, does the job it was booted for, powers off.
#
# The job lies in /out/job, a bash array: run, with a program and its arguments;
# run-tty, with rows, columns and type of a terminal before them; shell, with
# those alone; tests, with the arguments of host-tests.sh. Its output goes out by a virtio-serial port; its
# status, last of all, to /out/status, which is missing if the host died.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8
top=/vhost-balloon
selftests=$top/tools/testing/selftests/vhost_balloon
PATH=$PATH:$top/tools/vhost-balloon:$selftests/vmtest

# shellcheck source=kept-vm.sh
. $selftests/vmtest/kept-vm.sh
# shellcheck source=modules.sh
. $selftests/vmtest/modules.sh

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /dev/hugepages
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs run /run
mount -t hugetlbfs hugetlbfs /dev/hugepages
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
ln -sfn /proc/self/fd /dev/fd
hostname vhost-balloon
ip link set lo up
echo 64 >/proc/sys/vm/nr_hugepages

# The processor's own KVM module, whichever it is.
modular virtio_console
modprobe -q kvm_amd 2>/dev/null || modprobe -q kvm_intel 2>/dev/null
[ -e /dev/kvm ] || echo "host: no /dev/kvm" >/dev/console
chmod 666 /dev/kvm

port=/dev/vport0p1
for ((i = 0; i < 100; i++)); do
	port=$(echo /dev/vport*p1)
	[ -c "$port" ] && break
	sleep 0.1
done

job() {
	local job command

	echo "vmtest: up"
	modules_load || return 125

	# shellcheck disable=SC1091 # made by vmtest.sh
	. /out/job
	# The tests do that themselves.
	[ "${job[0]}" = tests ] || keep_vm
	case ${job[0]} in
	shell)
		cd "$selftests" || return
		TERM=${job[3]} setsid -w -c bash -c \
			"stty rows ${job[1]} cols ${job[2]}; exec bash -i" \
			</dev/hvc0 >/dev/hvc0 2>&1
		;;
	run)
		cd "${job[1]%/*}" || return
		setsid -w "${job[@]:1}"
		;;
	run-tty)
		# Programs shall see that they talk to a person.
		cd "${job[4]%/*}" || return
		printf -v command '%q ' "${job[@]:4}"
		# The terminal at the other end returns the carriage itself.
		command="stty -onlcr rows ${job[1]} cols ${job[2]}; exec $command"
		TERM=${job[3]} script -qefc "$command" /dev/null
		;;
	tests)
		cd "$selftests" || return
		setsid -w vmtest/host-tests.sh "${job[@]:1}"
		;;
	esac
}

# A pipe between: a program may open /proc/self/fd/1 once more, which a port
# does not allow.
job </dev/null 2>&1 | cat >"$port"
status=${PIPESTATUS[0]}
dmesg >/out/dmesg
# How often the lines of the modules were run. It stays when they are unloaded.
if [ -d "/sys/kernel/debug/gcov$top" ]; then
	mkdir /out/gcov
	(cd "/sys/kernel/debug/gcov$top" && find . -name '*.gcda' -exec cp --parents {} /out/gcov/ \;)
fi
echo "$status" >/out/status
sync
busybox poweroff -f
