# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Runs the test programs in the host under test. Sourced by vmtest.sh.

# Their names, in order.
tests_list() {
	build_run make -s -C tools/testing/selftests/vhost_balloon \
		COLLECTION=vhost_balloon emit_tests | sed -n 's/^vhost_balloon://p'
}

# Those of them that TESTS names, each with the script of that name, if there is one; all by
# default. What isn't there is tried all the same, and fails.
tests_select() {
	local all name

	all=$(tests_list)
	if [ -z "$TESTS" ]; then
		echo "$all"
		return
	fi
	for name in $TESTS; do
		grep -xF -e "$name" -e "$name.sh" <<<"$all" || echo "$name"
	done
}

# Runs programs in one boot of the host under test. Sets tests_left to those
# that it did not live to begin.
tests_boot() {
	local job line stream status seconds wrong

	tests_left=("$@")
	tap_name=
	out_begin
	job=(tests "$LIMIT" "$@")
	job_boot
	# A program that says nothing for longer was to be stopped by then. If it
	# was not, nothing runs there any more.
	while IFS= read -r -t $((LIMIT + 120)) -u "$stream" line; do
		case $line in
		'#vmtest# begin '*)
			tap_begin "$label: ${line#'#vmtest# begin '}"
			tests_left=("${tests_left[@]:1}")
			;;
		'#vmtest# end '*)
			read -r _ _ status seconds wrong <<<"$line"
			[ -z "$verbose" ] || echo "# $tap_name took $seconds s"
			case $wrong in
			unwell) tap_fail "the kernel complained" ;;
			held) tap_fail "the modules can't be unloaded" ;;
			unloaded) tap_fail "the modules can't be loaded again" ;;
			esac
			tap_end "$status"
			;;
		*)
			if [ -n "$tap_name" ]; then
				tap_line "$line"
			elif [ "$line" != 'vmtest: up' ]; then
				echo "# $line"
			fi
			;;
		esac
	done
	job_end
	status=$?
	coverage_add
	if [ -n "$tap_name" ]; then
		tap_fail "the host under test died of it"
	elif [ ${#tests_left[@]} -eq $# ]; then
		result fail "$label: the host under test did not come up ($status)"
		tests_left=()
	fi
	out_end
}

# Runs programs. What kills the host under test, makes its kernel complain, or holds the
# modules, has failed, and the rest is run in a fresh one.
tests_boots() {
	local tests_left=("$@" unload)

	while [ $# -gt 0 ] && [ ${#tests_left[@]} -gt 0 ]; do
		tests_boot "${tests_left[@]}"
	done
}

# All of a suite. On the debug kernel scripts, which is where stock guests are, have a host of their
# own: programs last for an hour and a half there.
tests_run() {
	local tests=() programs=() scripts=() name

	label=$(tested)
	if ! run_begin; then
		result fail "$label: build"
		return
	fi
	mapfile -t tests < <(tests_select)
	for name in "${tests[@]}"; do
		case $own_kernel:$name in
		debug:*.sh) scripts+=("$name") ;;
		*) programs+=("$name") ;;
		esac
	done
	tests_boots "${programs[@]}"
	tests_boots "${scripts[@]}"
	[ "$own_kernel" != coverage ] || coverage_report
	run_end
}
