# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What tests of vballoonctl have in common: a VMM in miniature to hold a balloon
# (holder.c), the tool, and what it prints. Sourced by them.
#
# Commands that are test cases are shell functions: a case fails if any step
# of it does, so the steps are chained.

PATH=$PATH:$PWD/../../../vhost-balloon
MIB=1048576
WAIT=60
dir=
# Options of the holder, and a command to run it with.
holder_options=()
holder_as=()

# A holder runs as a coprocess: commands by its pipe, its id from the other.
holder_start() {
	coproc HOLDER { exec "${holder_as[@]}" ./holder "${holder_options[@]}" 2>&1; }
	# shellcheck disable=SC2153 # bash sets it
	holder_pid=$HOLDER_PID
	holder_in=${HOLDER[1]}
	holder_out=${HOLDER[0]}
	read -r -t 60 id <&"$holder_out" && [ "$id" -gt 0 ] && return
	echo "the holder says: $id"
	return 1
}

holder_tell() {
	local answer

	echo "$1" >&"$holder_in"
	read -r -t 60 answer <&"$holder_out" && [ "$answer" = "done" ]
}

# Without ceremony, as VMMs end.
holder_kill() {
	[ -n "$holder_pid" ] || return 0
	kill -KILL "$holder_pid" 2>/dev/null
	wait "$holder_pid" 2>/dev/null
	holder_pid=
}

control_end() {
	holder_kill
	rm -rf "$dir"
}

# Runs the tool; its output to out and err, its status to status.
tool() {
	vballoonctl "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	return 0
}

show() {
	sed 's/^/out: /' "$dir/out"
	sed 's/^/err: /' "$dir/err"
	echo "status: $status"
	return 1
}

ended() {
	[ "$status" -eq "$1" ] || show
}

# json FILTER [JQ ARGUMENT...]: of what it printed; the filter has to be true.
json() {
	local filter=$1
	shift
	jq -e "$@" "$filter" "$dir/out" >/dev/null || show
}

# The output, or the errors, match a pattern.
printed() {
	grep -Eq -- "$1" "$dir/out" || show
}

complained() {
	grep -Eq -- "$1" "$dir/err" || show
}

silent() {
	[ ! -s "$dir/err" ] || show
}

# One number of the balloon, now.
info() {
	vballoonctl --json info "$id" | jq "$1"
}

# Until a number of the balloon is what it should be.
wait_info() {
	local deadline=$((SECONDS + WAIT))

	while [ $SECONDS -lt $deadline ]; do
		[ "$(info "$1")" = "$2" ] && return
		sleep 0.1
	done
	echo "$1 is $(info "$1"), not $2"
	return 1
}

# Before the first case; control_end has to run at the exit.
control_begin() {
	[ -c /dev/vhost-balloon ] || tap_skip_all "no /dev/vhost-balloon"
	command -v vballoonctl >/dev/null || tap_skip_all "vballoonctl is not built"
	command -v jq >/dev/null || tap_skip_all "no jq"
	dir=$(mktemp -d)
}
