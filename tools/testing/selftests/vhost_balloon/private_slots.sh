#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The test of memslots.c about KVM's own slots, where KVM has one: on AMD it
# makes that of the local APIC only with AVIC, which processors that emulators
# offer don't have. No guest is run by this, so it may be forced.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=tap.sh
. ./tap.sh

load() {
	modprobe -r kvm_amd && modprobe kvm_amd "$@" && chmod 666 /dev/kvm
}

[ "$(id -u)" = 0 ] || tap_skip_all "has to be root"
[ -e /sys/module/kvm_amd/refcnt ] || tap_skip_all "KVM is not AMD's, or no module"
[ -e /sys/module/kvm_amd/parameters/force_avic ] || tap_skip_all "kvm_amd can't be forced to AVIC"
[ "$(cat /sys/module/kvm_amd/refcnt)" = 0 ] || tap_skip_all "KVM is in use"

trap 'load' EXIT
load avic=1 force_avic=1 || tap_skip_all "kvm_amd doesn't load with AVIC"
# The APIC's page is one of those that the test names.
VB_PRIVATE_SLOTS=1 ./memslots -t slots_of_kvm_itself_are_neither_shown_nor_touched
