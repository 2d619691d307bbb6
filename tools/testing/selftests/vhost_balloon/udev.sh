#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The udev rules, as make install lays them down: who may open which device node.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=tap.sh
. ./tap.sh
# shellcheck source=vmtest/guest.sh
. ./vmtest/guest.sh

rules=../../../vhost-balloon/60-vhost-balloon.rules
udevd=/usr/lib/systemd/systemd-udevd
patience=60

[ "$(id -u)" = 0 ] || tap_skip_all "has to be root"
[ -x $udevd ] || tap_skip_all "no udev"
[ ! -e /run/udev/control ] || tap_skip_all "udev runs already"
[ -c /dev/vhost-balloon ] || tap_skip_all "vhost_balloon isn't loaded"

vdpa_there() {
	vdpa mgmtdev list 2>/dev/null | grep -q '^vhost_balloon:'
}

access() {
	stat -c '%G %a' "$1"
}

# wait_access NODE ACCESS: what isn't so in time is shown.
wait_access() {
	local end=$((SECONDS + patience))

	until [ "$(access "$1")" = "$2" ]; do
		[ $SECONDS -lt $end ] || { access "$1"; return 1; }
		sleep 0.2
	done
}

native_node() {
	udevadm trigger --action=change --subsystem-match=misc --sysname-match=vhost-balloon &&
		wait_access /dev/vhost-balloon 'kvm 660'
}

vdpa_node() {
	local dev

	dev=$(guest_vdpa_dev udev0) && wait_access "$dev" 'kvm 660'
}

# What other rules say of other devices is not for the programs that follow.
start() {
	mkdir -p /run/udev/rules.d
	cp "$rules" /run/udev/rules.d/ && getent group kvm >/dev/null && $udevd --daemon &&
		udevadm settle --timeout=$patience
}

stop() {
	! vdpa_there || vdpa dev del udev0 2>/dev/null
	udevadm control --exit 2>/dev/null
	rm -rf /run/udev
	chown root:root /dev/vhost-balloon
	chmod 600 /dev/vhost-balloon
}

tap_begin
trap stop EXIT
if udevadm verify --help >/dev/null 2>&1; then
	tap_case 'udev finds nothing to complain about' udevadm verify "$rules"
else
	tap_skip 'udev finds nothing to complain about' "this udev doesn't verify"
fi
if tap_case 'udev runs' start; then
	tap_case 'the kvm group may open /dev/vhost-balloon' native_node
	if vdpa_there; then
		tap_case 'the kvm group may open vhost-vdpa-N of a balloon' vdpa_node
	else
		tap_skip 'the kvm group may open vhost-vdpa-N of a balloon' "no vDPA"
	fi
fi
tap_end
