#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the modules for a stock Debian kernel, boots that kernel in QEMU as
# the host under test, and runs tests, a script or a shell there.

set -u

usage() {
	cat <<USAGE
usage: vmtest.sh [-v]                     run the tests of a suite
       vmtest.sh --check                  all that CHECK names
       vmtest.sh --lint                   the same as CHECK=lint --check
       vmtest.sh --bench [ROW...]         the benchmark, on a clock that counts
                                          instructions
       vmtest.sh --run SCRIPT [ARG...]    run a script in the host under test
       vmtest.sh --shell                  a shell there
       vmtest.sh --build                  set up and build only
       vmtest.sh --setup                  set up only
       vmtest.sh --chroot COMMAND...      run a command in the suite's tree, with
                                          the built copy of the checkout in
                                          /vhost-balloon
       vmtest.sh --help

  -v               show all that the tests print

environment:
  SUITE=trixie     Debian suite of the host under test: trixie, bookworm,
                   trixie-backports
  DEBUG=1          on a debug kernel, built from the suite's source
  COVERAGE=1       on a kernel that counts which lines of the modules are run
  ICOUNT=1         with one CPU, whose clock counts instructions
  TESTS="..."      which of the tests, all by default
  CHECK="..."      what --check does: $CHECK
  FUZZ_TIME=$FUZZ_TIME     seconds for each fuzzer, of which FUZZ="..." names some
  BUILD="..."      make targets to build: $BUILD
  TIMEOUT=$TIMEOUT     seconds until the host under test is given up
  LIMIT=$LIMIT       seconds that one test program may take
  BENCH_OUT=       directory for the benchmark's results, instead of
                   $cache/bench
  BENCH_UPDATE=1   show them in Documentation
  MIRROR=          instead of http://deb.debian.org

All that is downloaded or built is kept in $cache
and may be deleted whenever nothing runs.
USAGE
}

self_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
vmtest_dir=$self_dir/vmtest
top=$(cd "$self_dir/../../../.." && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vhost-balloon
log_dir=$cache/log
run_dir=
out_dir=
verbose=

ICOUNT=${ICOUNT:-}
# The kernel of our own that is booted instead of the suite's.
own_kernel=
[ -z "${DEBUG:-}" ] || own_kernel=debug
[ -z "${COVERAGE:-}" ] || own_kernel=coverage
if [ -n "${SUITE:-}" ] || [ -n "$own_kernel" ]; then
	CHECK=${CHECK:-${SUITE:-trixie}}
fi
CHECK=${CHECK:-unit fuzz lint trixie bookworm}
FUZZ_TIME=${FUZZ_TIME:-60}
TESTS=${TESTS:-}
BUILD=${BUILD-modules tools selftests}
TIMEOUT=${TIMEOUT:-$([ "$own_kernel" = debug ] && echo 14400 || echo 3600)}
LIMIT=${LIMIT:-$([ "$own_kernel" = debug ] && echo 1800 || echo 600)}

# What is tested, in names: the suite, and the kernel if it is our own.
tested() {
	echo "$SUITE${own_kernel:+-$own_kernel}"
}

# suite NAME: the suite that is meant from here on.
suite() {
	SUITE=$1
	suite_dir=$cache/$SUITE
}
suite "${SUITE:-trixie}"

say() {
	echo "vmtest: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# shellcheck source=vmtest/tree.sh
. "$vmtest_dir/tree.sh"
# shellcheck source=vmtest/build.sh
. "$vmtest_dir/build.sh"
# shellcheck source=vmtest/kernel.sh
. "$vmtest_dir/kernel.sh"
# shellcheck source=vmtest/boot.sh
. "$vmtest_dir/boot.sh"
# shellcheck source=vmtest/results.sh
. "$vmtest_dir/results.sh"
# shellcheck source=vmtest/coverage.sh
. "$vmtest_dir/coverage.sh"
# shellcheck source=vmtest/tests.sh
. "$vmtest_dir/tests.sh"
# shellcheck source=vmtest/lint.sh
. "$vmtest_dir/lint.sh"
# shellcheck source=vmtest/bench.sh
. "$vmtest_dir/bench.sh"

setup() {
	[ "$(id -u)" = 0 ] || die "must be root: it mounts, and may have to install packages"
	mkdir -p "$log_dir" || die "no cache in $cache"
	source_get
	boot_emulator
	tree_get
	[ -z "$own_kernel" ] || own_get
	boot_files
}

# Builds, and takes a copy to run from.
run_begin() {
	build || return
	run_sweep
	run_dir=$suite_dir/run.$$
	out_dir=$run_dir/out
	mkdir "$run_dir" || die "no space in $suite_dir"
	trap run_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	build_snapshot "$run_dir/build"
}

# What runs left behind that did not come to their end. Their names have the
# ids of their processes.
run_sweep() {
	local dir

	for dir in "$suite_dir"/run.*; do
		[ ! -d "$dir" ] || kill -0 "${dir##*.}" 2>/dev/null ||
			rm -rf --one-file-system "$dir"
	done
}

run_end() {
	local children

	boot_kill
	children=$(jobs -p)
	# shellcheck disable=SC2086 # several
	[ -z "$children" ] || kill $children 2>/dev/null
	[ ! -d "$out_dir" ] || out_end
	rm -rf --one-file-system "$run_dir"
	trap - EXIT INT TERM
}

# What one boot of the host under test leaves: its console, its messages.
out_begin() {
	mkdir "$out_dir" || die "no space in $run_dir"
}

out_end() {
	local name

	name=$(tested)-$(date +%Y%m%d-%H%M%S)-$BASHPID
	mv "$out_dir" "$log_dir/$name"
	# shellcheck disable=SC2012 # names of our own making
	ls -dt "$log_dir"/*-*-*/ | tail -n +20 | xargs -rd '\n' rm -rf
}

# The job, and what tests read from the environment: VB_ROUNDS_FACTOR, VB_SEED.
job_write() {
	local names

	mapfile -t names < <(compgen -e VB_)
	declare -p job "${names[@]}" >"$out_dir/job"
}

# Boots for the job in $job, whose output then comes from file descriptor $stream.
job_boot() {
	job_write
	exec {stream}< <(boot </dev/null)
	boot_pid=$!
}

# Ends it, whether its output has come to an end or not, with the status that job_status() has.
job_end() {
	exec {stream}<&-
	boot_kill
	job_status
}

# The status that the job ended with, or 1 with a word about the host's death.
job_status() {
	if [ -s "$out_dir/status" ]; then
		return "$(cat "$out_dir/status")"
	fi
	say "the host under test did not come to its end; its console says:"
	tail -n 40 "$out_dir/console" >&2
	return 1
}

# Rows, columns and type of this terminal.
terminal_get() {
	local size

	size=$({ stty size </dev/tty; } 2>/dev/null)
	case $size in
	'' | '0 '*) size='24 80' ;;
	esac
	read -ra terminal <<<"$size ${TERM:-dumb}"
}

run_script() {
	local script job line stream terminal

	terminal_get

	script=$(realpath -e "$1") || die "no such script: $1"
	shift
	run_begin || exit
	out_begin
	case $script in
	"$top"/*)
		job=("/vhost-balloon/${script#"$top/"}" "$@")
		;;
	*)
		cp "$script" "$out_dir/" || die "cannot copy $script"
		chmod +x "$out_dir/${script##*/}"
		job=("/out/${script##*/}" "$@")
		;;
	esac
	if [ -t 1 ]; then
		job=(run-tty "${terminal[@]}" "${job[@]}")
	else
		job=(run "${job[@]}")
	fi
	job_boot
	read -r line <&"$stream"
	[ "$line" = 'vmtest: up' ] || echo "$line"
	cat <&"$stream"
	job_status
}

run_shell() {
	local job terminal

	[ -t 0 ] || die "a shell needs a terminal"
	run_begin || exit
	out_begin
	terminal_get
	job=(shell "${terminal[@]}")
	job_write
	(boot shell)
	stty sane
	job_status
}

check() {
	local part

	for part in $CHECK; do
		case $part in
		unit | fuzz | lint)
			suite "$source_suite"
			setup
			"${part}_run"
			;;
		*)
			suite "$part"
			setup
			tests_run
			;;
		esac
	done
	results_end
}

case ${1:-} in
-h | --help)
	usage
	;;
--setup)
	setup
	;;
--build)
	setup
	build
	;;
--run)
	[ $# -ge 2 ] || die "--run needs a script"
	setup
	shift
	run_script "$@"
	;;
--bench)
	setup
	shift
	bench_run "$@"
	;;
--shell)
	setup
	run_shell
	;;
--chroot)
	setup
	shift
	build_run "$@"
	;;
'' | -v)
	verbose=${1:-}
	CHECK=$SUITE
	check
	;;
--lint)
	CHECK=lint
	check
	;;
--check)
	check
	;;
*)
	usage >&2
	exit 2
	;;
esac
