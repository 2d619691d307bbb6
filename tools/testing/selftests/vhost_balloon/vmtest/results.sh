# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Counts test cases and prints each of them once. Sourced by vmtest.sh.

passed=0
failed=0
skipped=0
# Said once more at the end.
failures=()

# result pass NAME
# result skip NAME [REASON]
# result fail NAME [TEXT]: what it printed, of which the last lines are told at
# the end, too: that may be all that is kept of a long run. But for the events of
# KVM that come last when a program took too long.
result() {
	case $1 in
	pass)
		passed=$((passed + 1))
		echo "ok - $2"
		;;
	skip)
		skipped=$((skipped + 1))
		echo "ok - $2 # SKIP${3:+ $3}"
		;;
	*)
		failed=$((failed + 1))
		failures+=("# failed: $2")
		if [ -n "${3:-}" ]; then
			printf '%s\n' "$3"
			failures+=("$(grep -v '^# kvm: ' <<<"$3" | tail -n 12)")
		fi
		echo "not ok - $2"
		;;
	esac
}

# The last line. The status is that of the whole: nothing run is no success.
results_end() {
	[ "$failed" -eq 0 ] || printf '%s\n' "${failures[@]}"
	echo "check: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# Of the program whose output is being read: its cases, how many failed, and
# what it printed since its last case.
tap_begin() {
	tap_name=$1
	tap_plan=
	tap_cases=0
	tap_failures=0
	tap_text=()
}

# One line of it. What a passed case printed is shown only if -v asks for it.
tap_line() {
	local line=$1 case_name

	if [[ $line =~ ^1\.\.([0-9]+) ]]; then
		tap_plan=$((${tap_plan:-0} + BASH_REMATCH[1]))
	elif [[ $line =~ ^(not\ )?ok\ [0-9]+\ *(-\ )?(.*)$ ]]; then
		case_name="$tap_name: ${BASH_REMATCH[3]}"
		tap_cases=$((tap_cases + 1))
		if [ -n "${BASH_REMATCH[1]}" ]; then
			tap_failures=$((tap_failures + 1))
			result fail "$case_name" "$(tap_show)"
		elif [[ $line =~ \#\ *SKIP ]]; then
			skip_case "$case_name"
		else
			result pass "$case_name"
		fi
		tap_text=()
	elif [ -n "$verbose" ]; then
		printf '%s\n' "$line"
	else
		tap_text+=("$line")
	fi
}

# "PROGRAM: CASE # SKIP REASON" as TAP has it, or "PROGRAM: # SKIP REASON".
skip_case() {
	local name=${1%%#*} reason=${1##*SKIP}

	result skip "${name%"${name##*[! ]}"}" "${reason# }"
}

tap_show() {
	[ ${#tap_text[@]} -eq 0 ] ||
		printf '%s\n' "${tap_text[@]}" | sed '/^# /!s/^/# /'
}

# The end of a program, with its exit status.
tap_end() {
	local status=$1

	if [ "$status" -eq 4 ] && [ "$tap_cases" -eq 0 ]; then
		# kselftest's status for a program skipped as a whole
		result skip "$tap_name"
	elif [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		tap_fail "took longer than $LIMIT s"
	elif [ "$tap_failures" -gt 0 ]; then
		# What was said after the last case may tell why.
		tap_show
	elif [ "$status" -ne 0 ]; then
		tap_fail "ended with status $status"
	elif [ -n "$tap_plan" ] && [ "$tap_cases" -ne "$tap_plan" ]; then
		tap_fail "ran $tap_cases of $tap_plan cases"
	elif [ "$tap_cases" -eq 0 ]; then
		tap_fail "ran no case"
	fi
	tap_name=
}

tap_fail() {
	tap_failures=$((tap_failures + 1))
	result fail "$tap_name: $1" "$(tap_show)"
	tap_text=()
}

# A command of this machine whose output is TAP, counted under NAME.
tap_run() {
	local line

	tap_begin "$1"
	shift
	while IFS= read -r line; do
		case $line in
		'#vmtest# end '*) tap_end "${line##* }" ;;
		*) tap_line "$line" ;;
		esac
	done < <("$@" 2>&1; printf '\n#vmtest# end %s\n' $?)
}
