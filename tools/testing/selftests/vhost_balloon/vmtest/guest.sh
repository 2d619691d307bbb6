# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Guests inside the host under test: starts, drives and stops them. For
# scripts that run there; it is in their PATH:
#
#	. guest.sh
#	guest_start g1 -device virtio-balloon-pci
#	guest_wait_ready g1
#	guest_run g1 'cat /proc/meminfo'
#	guest_stop g1
#
# A guest is a stock kernel with its ordinary balloon driver and busybox. Its
# serial port is a pair of FIFOs that speaks the protocol of guest-init.sh,
# and is logged to $GUEST_DIR/NAME/log.
#
# Before guest_start: GUEST_MEM, MiB of memory (512); GUEST_BACKEND, what the
# memory is: anon, memfd, hugetlb, that is a memfd of pages of 2 MiB (anon);
# GUEST_APPEND, more of its command line;
# GUEST_MACHINE, more options of its machine;
# GUEST_BOOT, where its vmlinuz and initramfs.gz are.

GUEST_DIR=${GUEST_DIR:-/tmp/guest}

# Times as long to wait: on a debug kernel every page that a guest touches takes
# milliseconds.
GUEST_PATIENCE=1
[ ! -e /sys/kernel/debug/kmemleak ] || GUEST_PATIENCE=4

# guest_start NAME [QEMU ARGUMENT...]
guest_start() {
	local name=$1 dir=$GUEST_DIR/$1 memory huge=
	local boot=${GUEST_BOOT:-/vhost-balloon-guest} size=${GUEST_MEM:-512}
	shift

	case ${GUEST_BACKEND:-anon} in
	anon)
		memory=(-m "$size")
		;;
	memfd | hugetlb)
		[ "$GUEST_BACKEND" = memfd ] || huge=,hugetlb=on,hugetlbsize=2M
		memory=(-m "$size" -machine memory-backend=memory -object
			"memory-backend-memfd,id=memory,size=${size}M,share=on$huge")
		;;
	*)
		echo "guest_start: no such backend: $GUEST_BACKEND" >&2
		return 2
		;;
	esac
	rm -rf "$dir"
	mkdir -p "$dir" || return
	mkfifo "$dir/serial.in" "$dir/serial.out" || return
	# What tap.sh has open is not for those who may stay behind.
	qemu-system-x86_64 -name "$name" -daemonize -pidfile "$dir/pid" \
		-nodefaults -no-user-config -display none -vga none \
		-machine "pc,accel=kvm${GUEST_MACHINE:+,$GUEST_MACHINE}" -cpu host "${memory[@]}" \
		-bios qboot.rom \
		-kernel "$boot/vmlinuz" -initrd "$boot/initramfs.gz" \
		-append "console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off random.trust_cpu=on ${GUEST_APPEND:-}" \
		-chardev "pipe,id=serial,path=$dir/serial,logfile=$dir/log" \
		-serial chardev:serial \
		-qmp "unix:$dir/qmp,server=on,wait=off" "$@" 3>&-
}

guest_pid() {
	cat "$GUEST_DIR/$1/pid"
}

guest_alive() {
	[ -d "/proc/$(guest_pid "$1" 2>/dev/null || echo none)" ]
}

# guest_read NAME PATTERN SECONDS: reads what the guest says up to a line that ends
# in PATTERN and prints what came before it; the line is left in guest_line.
#
# Read by sed, which leaves what comes after that line. Bash's own read with a
# timeout loses the end of a line that comes as the time runs out.
guest_read() {
	local said status

	guest_line=
	said=$(guest_alive "$1" && timeout --foreground "$3" \
		sed -uE "s/\r\$//; /($2)\$/q9" "$GUEST_DIR/$1/serial.out")
	status=$?
	if [ $status -eq 9 ] && [[ $said =~ ^(.*)($2)$ ]]; then
		guest_line=${BASH_REMATCH[2]}
		said=${BASH_REMATCH[1]%$'\n'}
	fi
	[ -z "$said" ] || printf '%s\n' "$said"
	case $status in
	9)
		return 0
		;;
	124)
		echo "guest $1: no answer within $3 s" >&2
		;;
	*)
		echo "guest $1: gone" >&2
		;;
	esac
	guest_where "$1" >&2
	return 1
}

# What a guest said last, and where its processor is, looked at three times.
guest_where() {
	local i where command='{"command-line": "info registers"}'

	tail -n 5 "$GUEST_DIR/$1/log"
	for i in 1 2 3; do
		where=$(guest_qmp "$1" \
			"{\"execute\": \"human-monitor-command\", \"arguments\": $command}" |
			grep -Eo '(RIP|HLT)=[0-9a-f]+' | paste -sd ' ')
		echo "$i: ${where:-QEMU does not answer}"
		sleep 1
	done
}

# guest_wait_ready NAME [SECONDS]: until it has booted, or booted again.
guest_wait_ready() {
	guest_read "$1" 'guest: ready' $((${2:-180} * GUEST_PATIENCE)) >/dev/null
}

# guest_send NAME COMMAND: doesn't wait, not even for a reader if the guest is gone.
guest_send() {
	printf '%s\n' "$2" 1<>"$GUEST_DIR/$1/serial.in"
}

# guest_run NAME COMMAND [SECONDS]: the command's output and status. A guest that
# starts anew meanwhile doesn't answer any more: 125.
guest_run() {
	local guest_line

	guest_send "$1" "$2"
	guest_read "$1" 'guest: (done [0-9]+|ready)' $((${3:-120} * GUEST_PATIENCE)) ||
		return 124
	if [ "$guest_line" = 'guest: ready' ]; then
		echo "guest $1: has started anew instead of answering" >&2
		return 125
	fi
	return "${guest_line##* }"
}

# guest_touch NAME MIB: uses that much memory once and frees it.
guest_touch() {
	guest_run "$1" \
		"dd if=/dev/zero of=/tmp/fill bs=1M count=$2 2>/dev/null; rm /tmp/fill" 300
}

# guest_qmp NAME JSON: sends one command, prints what it returns.
guest_qmp() {
	local line returns=0 status=1 pid

	coproc QMP { exec socat -lf /dev/null - "UNIX-CONNECT:$GUEST_DIR/$1/qmp"; }
	pid=$QMP_PID
	printf '%s\n' '{"execute": "qmp_capabilities"}' "$2" >&"${QMP[1]}"
	while IFS= read -r -t 60 line <&"${QMP[0]}"; do
		case $line in
		'{"return"'* | '{"error"'*)
			returns=$((returns + 1))
			[ $returns -eq 2 ] || continue
			printf '%s\n' "${line%$'\r'}"
			[ "${line:2:5}" = error ] || status=0
			break
			;;
		esac
	done
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	return $status
}

# guest_rss NAME: RssAnon and RssShmem of its QEMU, in kB.
guest_rss() {
	awk '/^RssAnon:/ { anon = $2 } /^RssShmem:/ { shmem = $2 }
		END { print anon, shmem }' "/proc/$(guest_pid "$1")/status"
}

# guest_stop NAME: without ceremony, as if its plug were pulled.
guest_stop() {
	local pid i

	pid=$(guest_pid "$1") || return
	kill -KILL "$pid" 2>/dev/null
	for ((i = 0; i < 300; i++)); do
		[ -d "/proc/$pid" ] || return 0
		sleep 0.1
	done
	echo "guest $1: does not die" >&2
	return 1
}

# guest_vdpa_dev NAME [FEATURES]: adds a balloon of that name on the vDPA bus,
# which offers those feature bits, and prints the device for -device
# vhost-vdpa-device-pci,vhostdev=.
guest_vdpa_dev() {
	local i dev

	vdpa dev add name "$1" mgmtdev vhost_balloon ${2:+device_features "$2"} || return
	for ((i = 0; i < 100; i++)); do
		for dev in "/sys/bus/vdpa/devices/$1"/vhost-vdpa-*; do
			[ -c "/dev/${dev##*/}" ] || continue
			echo "/dev/${dev##*/}"
			return 0
		done
		sleep 0.1
	done
	echo "guest_vdpa_dev: no device for $1" >&2
	return 1
}
