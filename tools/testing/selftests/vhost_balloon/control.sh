#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vballoonctl against balloons of a VMM in miniature (holder.c): what it
# prints, in tables and as JSON, how it waits, how it ends, and what it says
# to people without permission or without the module. control_tool.sh has
# the commands for statistics, hints and inhibition.
#
# shellcheck disable=SC2016 # filters of jq have variables of their own

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=tap.sh
. ./tap.sh
# shellcheck source=control_common.sh
. ./control_common.sh

user=54321

cleanup() {
	[ -z "$node_mode" ] || chmod "$node_mode" /dev/vhost-balloon
	control_end
}

# tool_as USER ARG...
tool_as() {
	local uid=$1
	shift
	setpriv --reuid="$uid" --regid="$uid" --clear-groups -- \
		"$(command -v vballoonctl)" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	return 0
}

list_shows_it() {
	tool list && ended 0 && silent && printed 'ID +.*STATE' &&
		printed "^ *$id +- +$holder_pid +holder +running "
}

list_json() {
	tool list --json && ended 0 && silent &&
		json 'type == "array"' &&
		json '.[] | select(.id == $id) |
			.pid == $pid and .command == "holder" and .state == "running" and
			.target == 0 and .actual == 0 and .left == .ram and .ram > 0' \
			--argjson id "$id" --argjson pid "$holder_pid"
}

info_shows_it() {
	tool info "$id" && ended 0 && silent &&
		printed "pid $holder_pid \(holder\)" && printed 'inflate' && printed 'deflate'
}

info_json() {
	tool --json info "$id" && ended 0 && silent &&
		json '.id == $id and .source == "memtable" and .regions == 2' --argjson id "$id" &&
		json '.queues | map(.role) == ["inflate", "deflate", "none", "none", "none"]' &&
		json '.queues | map(.ready) == [true, true, false, false, false]' &&
		json '.queues | all(.broken | not)' && json '.queues[:2] | all(.size == 16)' &&
		json '(.features - .features_offered) == [] and (.features | length) == 2'
}

info_by_pid() {
	tool info --json "pid:$holder_pid" && ended 0 && json '.id == $id' --argjson id "$id"
}

set_returns_at_once() {
	holder_tell stop && tool set --json "$id" 49M && ended 0 && silent &&
		json '.result == "asked" and .left_at_target == 49 * 1048576 and .actual == 0' &&
		json '.target == .ram - .left_at_target' &&
		holder_tell go && wait_info '.left == 49 * 1048576' true
}

set_waits() {
	tool set --json "$id" 33M --wait=$WAIT && ended 0 && silent &&
		json '.result == "reached" and .left_at_target == 33 * 1048576' &&
		json '.actual == .target and .milliseconds > 0' &&
		[ "$(info .left)" = $((33 * MIB)) ]
}

set_takes_relative_sizes() {
	tool set "$id" -8M --wait=$WAIT && ended 0 && [ "$(info .left)" = $((25 * MIB)) ] &&
		tool set "$id" +12M --wait=$WAIT && ended 0 && [ "$(info .left)" = $((37 * MIB)) ]
}

set_takes_the_balloons_size() {
	tool set "$id" --balloon=10M --wait=$WAIT && ended 0 &&
		[ "$(info .actual)" = $((10 * MIB)) ] &&
		tool set -w$WAIT -b +2M "$id" && ended 0 && [ "$(info .actual)" = $((12 * MIB)) ]
}

set_shows_progress() {
	tool set "$id" --balloon=0 --wait=$WAIT && ended 0 && silent &&
		printed "^balloon $id: target 0 B, the guest is left with" &&
		printed "^balloon $id: target reached in [0-9.]+ s$" &&
		[ "$(info .actual)" = 0 ]
}

set_refuses_impossible_sizes() {
	tool set "$id" 1T && ended 1 && complained "^vballoonctl: balloon $id: " &&
		tool set "$id" -1T && ended 1 && complained "^vballoonctl: balloon $id: " &&
		[ "$(info .target)" = 0 ]
}

set_times_out() {
	holder_tell stop && tool set "$id" --balloon=8M --wait=1 && ended 3 &&
		complained 'timed out after 1 s: actual is 0 B, the target 8 MiB' &&
		tool set --json "$id" --balloon=8M --wait=1 && ended 3 &&
		json '.result == "timed-out" and .actual == 0 and .target == 8 * 1048576' &&
		holder_tell go && wait_info .actual $((8 * MIB))
}

# Starts waiting in the background for what the guest won't do.
wait_in_background() {
	holder_tell stop || return
	vballoonctl set "$@" "$id" --balloon=16M --wait=$WAIT >"$dir/out" 2>"$dir/err" &
	waiter=$!
	wait_info .target $((16 * MIB))
}

set_is_overridden() {
	wait_in_background --json && vballoonctl set "$id" --balloon=4M || return
	wait "$waiter"
	status=$?
	ended 5 && json '.result == "overridden" and .target == 4 * 1048576' &&
		complained 'someone else set another target: 4 MiB' && holder_tell go
}

set_sees_a_broken_queue() {
	wait_in_background && holder_tell break || return
	wait "$waiter"
	status=$?
	ended 6 && complained 'queue 0 \(inflate\) is broken: '
}

broken_queue_is_shown() {
	tool info --json "$id" && json '.state == "broken"' &&
		json '.queues[0].broken and (.queues[0].broken_reason | length) > 0' &&
		json '.queues[1].broken | not'
}

set_sees_the_balloon_go() {
	wait_in_background --json || return
	holder_kill
	wait "$waiter"
	status=$?
	ended 4 && json '.result == "gone"' && complained 'went away'
}

regions_table() {
	tool regions "$id" && ended 0 && silent && printed 'FIRST .*LAST .*SIZE' &&
		printed '0x100000 +0x40fffff +64 MiB .*anon'
}

regions_json() {
	tool regions --json "$id" && ended 0 && silent &&
		json '.regions | length == 2' &&
		json '.regions | map(.len) | add == $ram' --argjson ram "$(info .ram)" &&
		json '.regions | all(.hva == null and .backing == "anon")' &&
		json '.regions | map(.gpa) | . == sort'
}

counters_table() {
	tool counters "$id" && ended 0 && silent && printed 'COUNTER .*VALUE' &&
		printed '^inflated +[1-9][0-9]* '
}

counters_json() {
	local shown

	tool counters --json "$id" && ended 0 && silent &&
		json '.counters | all(. > 0)' &&
		json '.counters.inflated >= .counters.deflated' &&
		json '.counters.inflated == .counters["discard-anon"]' || return
	shown=$(jq '.counters | length' "$dir/out")
	tool counters --json --all "$id" && ended 0 && json '.counters.broken == 0' &&
		json '.counters | length > $shown' --argjson shown "$shown"
}

tune_switches() {
	tool tune --json "$id" && ended 0 && json '.tunables.hugetlb == false' &&
		tool tune --json "$id" hugetlb=on && ended 0 && json '.tunables.hugetlb == true' &&
		tool tune "$id" && ended 0 && printed '^hugetlb +on ' &&
		tool tune --json "$id" hugetlb=off populate=on && ended 0 &&
		json '.tunables.hugetlb == false and .tunables.populate == true' &&
		tool tune --json "$id" populate=off && ended 0 && json '.tunables.populate == false' &&
		json '.tunables.thp == true' && tool tune --json "$id" thp=off && ended 0 &&
		json '.tunables.thp == false' && tool tune "$id" thp=on && ended 0 &&
		printed '^thp +on ' &&
		tool tune "$id" hugetlb=perhaps && ended 2 &&
		tool tune "$id" nothing=on && ended 2
}

# The events of a life, from the watcher's lines.
watch_tells() {
	local watcher target deadline=$((SECONDS + WAIT))

	vballoonctl watch --json "$id" >"$dir/out" 2>"$dir/err" &
	watcher=$!
	# Until it watches: its file has the events from then on.
	while [ ! -s "$dir/out" ] && [ $SECONDS -lt $deadline ]; do
		vballoonctl set "$id" "$((59 + SECONDS % 2))M" >"$dir/set" || return
		sleep 0.1
	done
	vballoonctl set --json "$id" 40M --wait=$WAIT >"$dir/set" || return
	target=$(jq .target "$dir/set")
	holder_kill
	wait "$watcher"
	status=$?
	ended 0 && silent && json 'all(.id == $id and .time_ms > 0)' -s --argjson id "$id" &&
		json '["target", "actual", "target-reached"] - (map(.events) | add) == []' -s &&
		json 'last | .events | index("gone") != null' -s &&
		json 'map(.target) | index($target) != null' -s --argjson target "$target"
}

watch_prints_lines() {
	local watcher deadline=$((SECONDS + WAIT))

	vballoonctl watch "$id" >"$dir/out" 2>"$dir/err" &
	watcher=$!
	while [ ! -s "$dir/out" ] && [ $SECONDS -lt $deadline ]; do
		vballoonctl set "$id" "$((59 + SECONDS % 2))M" >"$dir/set" || return
		sleep 0.1
	done
	holder_kill
	wait "$watcher"
	status=$?
	ended 0 && silent && printed 'target [0-9.]+ MiB, actual .*: .*target' && printed 'gone$'
}

not_found() {
	tool info 999999999 && ended 1 && complained 'there is no balloon 999999999' &&
		tool info nosuchname && ended 1 && complained 'no balloon of the name nosuchname' &&
		tool set "pid:$$" 1G && ended 1 && complained "process $$ has no balloon"
}

usage_errors() {
	tool && ended 2 && complained 'which command' &&
		tool frobnicate && ended 2 && complained 'unknown command: frobnicate' &&
		tool info && ended 2 && complained 'which balloon' &&
		tool info 1 2 && ended 2 && complained 'too many arguments' &&
		tool set 1 && ended 2 && complained 'what size' &&
		tool set 1 many && ended 2 && complained 'many' &&
		tool set 1 1G --wait=soon && ended 2 && complained 'soon' &&
		tool list --frobnicate && ended 2
}

help_and_version() {
	tool --help && ended 0 && silent && printed 'counters' &&
		tool set --help && ended 0 && silent && printed '--wait' &&
		tool --version && ended 0 && silent && printed '^vballoonctl '
}

list_of_none() {
	tool list --json && ended 0 && silent && json '. == []' &&
		tool list && ended 0 && complained '^There are no balloons\.$'
}

user_without_the_node() {
	chmod 0600 /dev/vhost-balloon && tool_as $user list && ended 1 &&
		complained 'no permission to open /dev/vhost-balloon: its mode is 0600' &&
		tool_as $user info "$id" && ended 1 && complained 'no permission to open'
}

user_sees_nothing_of_others() {
	chmod 0666 /dev/vhost-balloon && tool_as $user list --json && ended 0 && silent &&
		json '. == []' &&
		tool_as $user list && ended 0 &&
		complained 'no balloons that you may open: .*CAP_SYS_ADMIN' &&
		tool_as $user info "$id" && ended 1 && complained "balloon $id belongs to someone else" &&
		tool_as $user set "$id" 10M && ended 1 && complained 'CAP_SYS_ADMIN' &&
		tool_as $user info "pid:$holder_pid" && ended 1 && complained 'CAP_SYS_ADMIN' &&
		[ "$(info .target)" = 0 ]
}

user_controls_what_the_owner_allows() {
	tool_as $user list --json && ended 0 && silent &&
		json 'map(.id) == [$id]' --argjson id "$id" &&
		tool_as $user set "$id" --balloon=3M --wait=$WAIT && ended 0 &&
		[ "$(info .actual)" = $((3 * MIB)) ]
}

# Runs the tool where things are hidden.
tool_without() {
	local hide=$1
	shift
	unshare --mount sh -c "$hide"' && shift && exec vballoonctl "$@"' sh "$hide" "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	return 0
}

no_device_node() {
	tool_without 'mount -t tmpfs none /dev' list && ended 1 &&
		complained '/dev/vhost-balloon can.t be opened although the module vhost_balloon is loaded'
}

no_module() {
	tool_without 'mount -t tmpfs none /dev && mount -t tmpfs none /sys' list && ended 1 &&
		complained 'module vhost_balloon is not loaded: .modprobe vhost_balloon'
}

[ "$(id -u)" = 0 ] || tap_skip_all "has to be root to be somebody else"
control_begin
node_mode=$(stat -c %a /dev/vhost-balloon)
trap cleanup EXIT
tap_begin

tap_case 'no balloons: an empty list' list_of_none
tap_case 'help and version' help_and_version
tap_case 'usage errors end with 2' usage_errors

holder_start || exit
tap_case 'list shows the balloon' list_shows_it
tap_case 'list --json' list_json
tap_case 'info shows owner and queues' info_shows_it
tap_case 'info --json' info_json
tap_case 'info by pid' info_by_pid
tap_case 'set returns when the guest was asked' set_returns_at_once
tap_case 'set --wait returns when the target is reached' set_waits
tap_case 'set takes relative sizes' set_takes_relative_sizes
tap_case "set takes the balloon's own size" set_takes_the_balloons_size
tap_case 'set --wait shows progress' set_shows_progress
tap_case 'set refuses impossible sizes' set_refuses_impossible_sizes
tap_case 'set --wait ends with 3 on time-out' set_times_out
tap_case 'set --wait ends with 5 if overridden' set_is_overridden
tap_case 'regions shows the memory' regions_table
tap_case 'regions --json' regions_json
tap_case 'counters shows what was counted' counters_table
tap_case 'counters --json' counters_json
tap_case 'tune switches' tune_switches
tap_case 'watch --json tells the events of a life' watch_tells
tap_case 'not found ends with 1 and a reason' not_found
holder_kill

holder_start || exit
tap_case 'watch prints a line for each event' watch_prints_lines
holder_kill

holder_start || exit
tap_case 'set --wait ends with 6 if a queue breaks' set_sees_a_broken_queue
tap_case 'a broken queue is shown' broken_queue_is_shown
holder_kill

holder_start || exit
tap_case 'set --wait ends with 4 if the balloon goes' set_sees_the_balloon_go
holder_kill

holder_start || exit
tap_case 'a user without access to the device node is told so' user_without_the_node
tap_case 'a user sees nothing of the balloons of others' user_sees_nothing_of_others
holder_kill
chmod 0666 /dev/vhost-balloon
holder_options=(--access)
holder_as=(setpriv --reuid="$user" --regid="$user" --clear-groups --)
holder_start || exit
tap_case 'a user controls what the owner allows' user_controls_what_the_owner_allows
holder_kill

tap_case 'no device node: says so' no_device_node
tap_case 'no module: says which' no_module
tap_end
