# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Test cases in shell: runs a case, says how it went in TAP. Sourced by the
# tests that are scripts.
#
#	tap_begin
#	tap_case 'two and two is four' [ $((2 + 2)) -eq 4 ]
#	tap_end
#
# Who is terminated in a case shows what that has printed so far, and what the
# test's tap_where, if there is one, has to say.

tap_nr=0
tap_failed=0
tap_output=

tap_begin() {
	# In a case standard output is the case's.
	exec 3>&1
	trap tap_terminated TERM
	echo "TAP version 13"
}

tap_terminated() {
	[ -n "$tap_output" ] || exit 143
	echo "# terminated in: $tap_name" >&3
	sed 's/^/# /' "$tap_output" >&3
	rm -f "$tap_output"
	! declare -F tap_where >/dev/null || tap_where 2>&1 | sed 's/^/# /' >&3
	exit 143
}

# Everything, for a reason; doesn't return.
tap_skip_all() {
	echo "1..0 # SKIP $*"
	exit 4
}

# tap_case NAME COMMAND [ARG...]: passes if the command succeeds. What it
# prints is shown as comments.
tap_case() {
	# The command sees these: no name that it may have for itself.
	local tap_name=$1 tap_output tap_status
	shift

	tap_nr=$((tap_nr + 1))
	tap_output=$(mktemp)
	"$@" >"$tap_output" 2>&1
	tap_status=$?
	sed 's/^/# /' "$tap_output"
	rm -f "$tap_output"
	if [ $tap_status -eq 0 ]; then
		echo "ok $tap_nr - $tap_name"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_nr - $tap_name"
	return 1
}

tap_skip() {
	local tap_name=$1
	shift

	tap_nr=$((tap_nr + 1))
	echo "ok $tap_nr - $tap_name # SKIP $*"
}

# The status of the script.
tap_end() {
	echo "1..$tap_nr"
	[ $tap_failed -eq 0 ]
}
