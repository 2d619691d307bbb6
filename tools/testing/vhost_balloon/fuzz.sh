#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs fuzzers, or makes their corpus. Called by the Makefile.

set -u

usage() {
	cat >&2 <<USAGE
usage: fuzz.sh run DIRECTORY SECONDS TARGET...   output is TAP
       fuzz.sh seeds DIRECTORY TARGET...

DIRECTORY is where the fuzzers were built. What they find is kept in its
directory found, and the inputs that show something new in corpus.
USAGE
	exit 2
}

src=$(dirname "$0")

# Inputs are short; what was freed need not be kept from use for long.
export ASAN_OPTIONS="${ASAN_OPTIONS:-quarantine_size_mb=4}"
options="-max_len=512 -len_control=0 -timeout=60 -print_final_stats=1"

# The files that a fuzzer said it wrote.
found() {
	sed -n 's/.*Test unit written to //p' "$1"
}

run() {
	dir=$1 seconds=$2 failed=0 nr=0
	shift 2
	echo "1..$#"
	for target; do
		nr=$((nr + 1))
		log=$dir/$target.log
		mkdir -p "$dir/found" "$dir/corpus/$target"
		# shellcheck disable=SC2086 # several options
		if "$dir/fuzz-$target" $options -max_total_time="$seconds" \
			-artifact_prefix="$dir/found/$target-" \
			"$dir/corpus/$target" "$src/corpus/$target" >"$log" 2>&1; then
			runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
			echo "ok $nr - $target: $runs inputs in $seconds s"
		else
			failed=1
			tail -n 60 "$log" | sed 's/^/# /'
			echo "not ok $nr - $target: $(found "$log")"
		fi
	done
	return $failed
}

# As few inputs as reach what all of them reach, without regard to how often. What has a name
# that somebody gave it stays.
seeds() {
	dir=$1
	shift
	for target; do
		new=$dir/seeds/$target
		rm -rf "$new"
		mkdir -p "$new" "$dir/corpus/$target" "$src/corpus/$target"
		"$dir/fuzz-$target" -set_cover_merge=1 -use_counters=0 "$new" \
			"$src/corpus/$target" "$dir/corpus/$target" \
			>"$dir/$target.log" 2>&1 || return
		find "$src/corpus/$target" -type f -regex '.*/[0-9a-f]*' -delete
		cp "$new"/* "$src/corpus/$target/"
	done
}

[ $# -ge 3 ] || usage
action=$1
shift
case $action in
run) run "$@" ;;
seeds) seeds "$@" ;;
*) usage ;;
esac
