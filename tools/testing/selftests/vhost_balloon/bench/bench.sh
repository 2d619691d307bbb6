#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measures what inflating, deflating and reporting cost: QEMU's own balloon,
# vhost-balloon under QEMU by vDPA, and vhost-balloon under a program of a few
# instructions. What is measured, and how, is told in Documentation/benchmark.rst.
#
# usage: bench.sh [--wall] DIRECTORY
#
# DIRECTORY is where results go. Without --wall the machine is one whose clock
# counts instructions (vmtest.sh --bench); with --wall it is any one with KVM, both
# modules loaded, and a guest in /vhost-balloon-guest (vmtest.sh --setup leaves one).

set -u

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
PATH=$bench_dir:$bench_dir/../vmtest:$PATH

# shellcheck source=../vmtest/guest.sh
. guest.sh
