#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vballoonctl's commands for statistics, hints, inhibition and populating,
# against balloons of a VMM in miniature (holder.c), first without, then with the
# queues for that.
#
# shellcheck disable=SC2016 # filters of jq have variables of their own

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=tap.sh
. ./tap.sh
# shellcheck source=control_common.sh
. ./control_common.sh

# What the holder hints (PAGE_GPA, LARGE_BORDER, FREE_LEN, FREE_BORDER there).
page_gpa=$((0x41003000))
border=$((12 * 1024 * MIB))
hinted='[{ gpa: 1048576, len: 32768 }, { gpa: $page, len: 4096 },
	{ gpa: ($border - 4194304), len: 8388608 }]'

# A member of the last sample, without asking for another.
stats() {
	vballoonctl stats --json "$id" 2>/dev/null | jq "$1"
}

# Until the condition, in jq's words, is true of the last sample.
wait_stats() {
	local deadline=$((SECONDS + WAIT))

	while [ $SECONDS -lt $deadline ]; do
		[ "$(stats "$1")" = true ] && return
		sleep 0.1
	done
	echo "not: $1"
	vballoonctl stats "$id"
	return 1
}

counter() {
	vballoonctl counters --json --all "$id" | jq ".counters[\"$1\"]"
}

stats_without_a_sample() {
	tool stats "$id" && ended 7 && complained "^vballoonctl: balloon $id: .*no statistics yet" &&
		[ ! -s "$dir/out" ] &&
		tool stats --json "$id" && ended 7 &&
		json '.id == $id and .sequence == 0 and .age_ms == null and .stats == {}' \
			--argjson id "$id"
}

features_are_missed() {
	tool stats --refresh "$id" && ended 1 &&
		complained 'can.t ask .* negotiated VIRTIO_BALLOON_F_STATS_VQ$' &&
		tool stats --watch "$id" && ended 1 && complained 'STATS_VQ$' &&
		tool hint "$id" start && ended 1 &&
		complained 'can.t start .* negotiated VIRTIO_BALLOON_F_FREE_PAGE_HINT$'
}

info_without_queues() {
	tool info --json "$id" && ended 0 && json '.poison == null and .hint_cmd_id == null' &&
		json '.hint_state == "idle" and .stats_interval_ms == 0 and .inhibit == []' &&
		tool info "$id" && ended 0 && ! grep -E '^(Poison|Hinting|Statistics|Inhibited) ' "$dir/out"
}

info_with_queues() {
	tool info --json "$id" && ended 0 && silent &&
		json '.queues | map(.role) == ["inflate", "deflate", "stats", "hint", "none"]' &&
		json '.queues | map(.ready) == [true, true, true, true, false]' &&
		json '.poison == 2863311530 and .hint_state == "idle"' &&
		json '[.features[] | select(test("STATS_VQ|FREE_PAGE_HINT|PAGE_POISON"))] | length == 3' &&
		tool info "$id" && ended 0 && printed '^Poison +0xaaaaaaaa$' &&
		printed '^Hinting +idle$' && printed '^Statistics +on request$'
}

stats_table() {
	tool stats "$id" && ended 0 && silent && printed "^balloon $id: sample 1, [0-9.]+ s old$" &&
		printed '^STATISTIC +VALUE +WHAT$' && printed '^major-faults +1 .*pgmajfault' &&
		printed '^free-memory +48 MiB .*MemFree' && printed '^total-memory +64 MiB ' &&
		printed '^tag 77 +7 *$' && [ "$(wc -l <"$dir/out")" -eq 6 ]
}

stats_json() {
	tool stats --json "$id" && ended 0 && silent &&
		json '.id == $id and .sequence == 1 and .age_ms >= 0' --argjson id "$id" &&
		json '.stats == { "major-faults": 1, "free-memory": 50331648, "total-memory": 67108864 }' &&
		json '.unknown == { "77": 7 }'
}

stats_refresh() {
	tool stats --refresh --json "$id" && ended 0 && silent &&
		json '.sequence == 2 and .stats["major-faults"] == 2' &&
		tool stats -r "$id" && ended 0 && printed ': sample 3,' && printed '^major-faults +3 ' &&
		[ "$(counter stats-samples)" = 3 ]
}

stats_times_out() {
	holder_tell stop && tool stats --refresh --timeout=1 "$id" && ended 3 &&
		complained 'the guest sent no statistics in 1 s' && [ ! -s "$dir/out" ] &&
		[ "$(stats .sequence)" = 3 ] && holder_tell go && wait_stats '.sequence == 4'
}

stats_polls() {
	local before

	before=$(stats .sequence)
	tool stats --json --interval=50 "$id" && ended 0 && silent &&
		json '. == { id: $id, stats_interval_ms: 50 }' --argjson id "$id" &&
		[ "$(info .stats_interval_ms)" = 50 ] && wait_stats ".sequence >= $before + 3" &&
		tool info "$id" && printed '^Statistics +every 50 ms$' &&
		tool stats --interval=0 "$id" && ended 0 && printed 'on request only' &&
		[ "$(info .stats_interval_ms)" = 0 ] &&
		tool stats --json --interval=86400000 --refresh "$id" && ended 0 &&
		json '.sequence > 0' && [ "$(info .stats_interval_ms)" = 86400000 ] &&
		tool stats --interval=0 "$id" && ended 0
}

# Lines that a command in the background has printed so far.
wait_lines() {
	local deadline=$((SECONDS + WAIT))

	while [ $SECONDS -lt $deadline ]; do
		[ "$(wc -l <"$dir/out")" -ge "$1" ] && return
		sleep 0.1
	done
	show
}

stats_watch() {
	local watcher before

	before=$(stats .sequence)
	vballoonctl stats --json --watch=1 "$id" >"$dir/out" 2>"$dir/err" &
	watcher=$!
	wait_lines 3
	holder_kill
	wait "$watcher"
	status=$?
	ended 4 && complained "^vballoonctl: balloon $id is gone$" &&
		json 'length >= 3 and all(.id == $id)' -s --argjson id "$id" &&
		json 'map(.sequence) | . == [range($before + 1; $before + 1 + length)]' -s \
			--argjson before "$before" &&
		json 'all(.stats["major-faults"] == .sequence)' -s
}

# Until a command in the background has complained.
wait_complaint() {
	local deadline=$((SECONDS + WAIT))

	while [ $SECONDS -lt $deadline ]; do
		grep -Eq "$1" "$dir/err" && return
		sleep 0.1
	done
	show
}

# A guest that doesn't answer is asked again later.
stats_watch_goes_on() {
	local watcher

	holder_tell stop || return
	vballoonctl stats --watch=1 --timeout=1 "$id" >"$dir/out" 2>"$dir/err" &
	watcher=$!
	wait_complaint 'sent no statistics in 1 s$' && holder_tell go && wait_lines 6
	kill $watcher
	wait $watcher
	printed "^balloon $id: sample [0-9]+, " && printed '^major-faults '
}

# Nor does it end when the driver goes, and comes again.
stats_watch_survives() {
	local watcher lines

	vballoonctl stats --json --watch=1 "$id" >"$dir/out" 2>"$dir/err" &
	watcher=$!
	wait_lines 1 && holder_tell unload && wait_complaint 'its queues are not running$' || return
	lines=$(wc -l <"$dir/out")
	holder_tell load && wait_lines $((lines + 2))
	holder_kill
	wait $watcher
	status=$?
	ended 4 && json 'map(.sequence) | . == sort and length > $lines' -s --argjson lines "$lines"
}

hint_before_any() {
	tool hint --json "$id" stop && ended 0 && silent && json '.hint_state == "idle"' &&
		tool hint --json "$id" fetch && ended 0 && silent && json '.bytes == 0 and .ranges == []'
}

hint_start() {
	holder_tell stop && tool hint --json "$id" start && ended 0 && silent &&
		json '. == { id: $id, cmd_id: 2147483648 }' --argjson id "$id" &&
		[ "$(info .hint_state)" = '"requested"' ] && [ "$(info .hint_cmd_id)" = 2147483648 ] &&
		tool info "$id" && printed '^Hinting +requested, command id 0x80000000$' &&
		holder_tell go && wait_info .hint_state '"reported"'
}

hint_fetch_json() {
	tool hint --json "$id" fetch && ended 0 && silent &&
		json ".id == \$id and .ranges == $hinted" --argjson id "$id" \
			--argjson page $page_gpa --argjson border $border &&
		json '.bytes == (.ranges | map(.len) | add)' &&
		tool hint --json "$id" fetch && ended 0 && json '.bytes == 0 and .ranges == []' &&
		tool hint "$id" fetch && ended 0 && printed "^balloon $id: 0 B in 0 ranges$"
}

hint_ends() {
	tool hint "$id" stop && ended 0 && silent && printed "^balloon $id: hinting is stopped$" &&
		[ "$(info .hint_state)" = '"stopped"' ] &&
		tool hint --json "$id" "done" && ended 0 && json '.hint_state == "done"' &&
		[ "$(info .hint_state)" = '"done"' ]
}

hint_fetch_table() {
	tool hint "$id" start && ended 0 && silent && printed 'command id 0x80000001$' &&
		wait_info .hint_state '"reported"' && tool hint "$id" stop && ended 0 &&
		tool hint "$id" fetch && ended 0 && silent && printed '^ *FIRST +LAST +SIZE$' &&
		printed '^ *0x100000 +0x107fff +32 KiB$' && printed '^ *0x41003000 +0x41003fff +4 KiB$' &&
		printed '^ *0x2ffc00000 +0x3003fffff +8 MiB$' &&
		printed "^balloon $id: 8228 KiB in 3 ranges$" && [ "$(wc -l <"$dir/out")" -eq 5 ]
}

inhibit_shows() {
	tool inhibit --json "$id" 'a look, at "it"' && ended 0 && silent &&
		json '.inhibited and .inhibit == ["controller"] and .reason_backend == null' &&
		json '.id == $id and .reason_controller == "a look, at \"it\""' --argjson id "$id" &&
		tool inhibit "$id" debugging && ended 0 && silent &&
		printed "^balloon $id: inhibited: controller \"debugging\"$" &&
		tool info "$id" && printed '^Inhibited +controller: .*: "debugging"$' &&
		printed '^(Flags)? +inhibited: ' &&
		tool list && printed "^ *$id .* controller \"debugging\" *$" &&
		tool list --json && json '.[0].inhibit == ["controller"]' &&
		json '.[0].reason_controller == "debugging" and .[0].state == "running"'
}

inhibit_keeps_memory() {
	tool set "$id" --balloon=4M --wait=$WAIT && ended 0 && printed 'It is inhibited' &&
		[ "$(info .actual)" = $((4 * MIB)) ] && [ "$(counter skip-inhibited)" = 1024 ] &&
		[ "$(counter discard-anon)" = 0 ]
}

inhibit_off() {
	tool inhibit "$id" --off && ended 0 && silent && printed "^balloon $id: not inhibited$" &&
		tool info --json "$id" && json '.inhibit == [] and .reason_controller == null' &&
		json '.flags | index("inhibited") == null' &&
		tool list && printed "^ *$id .* - *$" && tool set "$id" --balloon=8M --wait=$WAIT &&
		ended 0 && [ "$(counter skip-inhibited)" = 1024 ] && [ "$(counter discard-anon)" = 1024 ]
}

inhibit_of_the_vmm() {
	holder_tell inhibit && tool inhibit "$id" both && ended 0 &&
		printed 'backend "migration", controller "both"$' &&
		tool inhibit --json --off "$id" && ended 0 &&
		json '.inhibited and .inhibit == ["backend"] and .reason_backend == "migration"' &&
		json '.reason_controller == null' &&
		tool info "$id" && printed '^Inhibited +backend: the VMM wants it: "migration"$' &&
		holder_tell allow && [ "$(info .inhibit)" = '[]' ]
}

populate_populates() {
	tool set "$id" --balloon=0 --wait=$WAIT && ended 0 && [ "$(counter populated)" = 0 ] &&
		tool tune --json "$id" populate=on && ended 0 && json '.tunables.populate' &&
		tool set "$id" --balloon=2M --wait=$WAIT && ended 0 &&
		tool set "$id" --balloon=0 --wait=$WAIT && ended 0 &&
		[ "$(counter populated)" = 512 ] && [ "$(counter populate-failed)" = 0 ]
}

watch_tells() {
	local watcher deadline=$((SECONDS + WAIT))

	vballoonctl watch --json "$id" >"$dir/events" 2>"$dir/err" &
	watcher=$!
	# Until it watches: its file has the events from then on.
	while [ ! -s "$dir/events" ] && [ $SECONDS -lt $deadline ]; do
		vballoonctl stats --refresh "$id" >"$dir/set" || return
		sleep 0.1
	done
	vballoonctl stats --refresh "$id" >"$dir/set" && vballoonctl hint "$id" start >"$dir/set" &&
		wait_info .hint_state '"reported"' && vballoonctl inhibit "$id" x >"$dir/set" || return
	holder_kill
	wait "$watcher"
	status=$?
	cp "$dir/events" "$dir/out"
	ended 0 && silent && json '["stats", "hint", "inhibit"] - (map(.events) | add) == []' -s
}

usage_errors() {
	tool stats && ended 2 && complained 'which balloon' &&
		tool stats 1 2 && ended 2 && complained 'too many arguments' &&
		tool stats 1 --interval=86400001 && ended 2 && complained 'from 0 to 86400000$' &&
		tool stats 1 --interval=-1 && ended 2 && complained '^vballoonctl stats: --interval=-1: ' &&
		tool stats 1 --watch=0 && ended 2 && complained 'seconds from 1' &&
		tool stats 1 --refresh --timeout=61 && ended 2 && complained 'from 1 to 60$' &&
		tool stats 1 --timeout=5 && ended 2 && complained 'goes with --refresh or --watch' &&
		tool hint 1 && ended 2 && complained 'start, stop, done or fetch\?' &&
		tool hint 1 begin && ended 2 && complained 'begin: not start, stop' &&
		tool hint 1 start now && ended 2 && complained 'too many arguments: now' &&
		tool inhibit 1 && ended 2 && complained 'for what reason' &&
		tool inhibit 1 '' && ended 2 && complained 'empty' &&
		tool inhibit 1 two words && ended 2 && complained 'in quotes' &&
		tool inhibit 1 "$(printf 'a\nb')" && ended 2 && complained 'ASCII' &&
		tool inhibit 1 123456789012345678901234567890123 && ended 2 && complained '32 characters' &&
		tool inhibit 1 x --off && ended 2 && complained 'takes no REASON'
}

[ "$(id -u)" = 0 ] || tap_skip_all "has to be root"
control_begin
trap control_end EXIT
tap_begin

tap_case 'usage errors end with 2' usage_errors

holder_start || exit
tap_case 'stats without a sample ends with 7' stats_without_a_sample
tap_case 'what the driver has not negotiated is named' features_are_missed
tap_case 'info does not show what is not in use' info_without_queues
tap_case 'inhibit gives a reason, and list and info show it' inhibit_shows
tap_case 'inhibit keeps the memory' inhibit_keeps_memory
tap_case 'inhibit --off allows it again' inhibit_off
tap_case "inhibit --off leaves the VMM's say alone" inhibit_of_the_vmm
tap_case 'tune populate=on has pages populated' populate_populates
holder_kill

holder_options=(--queues)
holder_start || exit
tap_case 'info shows what the queues are for' info_with_queues
tap_case 'stats shows the last sample' stats_table
tap_case 'stats --json' stats_json
tap_case 'stats --refresh asks for a sample' stats_refresh
tap_case 'stats --refresh ends with 3 if the guest does not answer' stats_times_out
tap_case 'stats --interval has the kernel ask' stats_polls
tap_case 'stats --watch asks again if the guest did not answer' stats_watch_goes_on
tap_case 'hint stop and fetch before any start' hint_before_any
tap_case 'hint start gives the command id' hint_start
tap_case 'hint fetch --json: exactly the ranges, and once' hint_fetch_json
tap_case 'hint stop and done end it' hint_ends
tap_case 'hint fetch prints the ranges' hint_fetch_table
tap_case 'stats --watch prints each sample until the balloon is gone' stats_watch
holder_kill

holder_start || exit
tap_case 'watch tells of statistics, hints and inhibition' watch_tells
holder_kill

holder_start || exit
tap_case 'stats --watch survives the driver' stats_watch_survives
holder_kill
tap_end
