# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The benchmark: measures in a host under test whose clock counts instructions, makes
# tables and plots of that here. Sourced by vmtest.sh.

# Seconds in which a part says something, how often it is begun, and how many run at a time.
BENCH_SILENCE=300
BENCH_TRIES=5
BENCH_LANES=2

bench_packages() {
	local missing=()

	command -v jq >/dev/null || missing+=(jq)
	command -v gnuplot >/dev/null || missing+=(gnuplot-nox)
	host_install "${missing[@]}"
}

# What Documentation shows: figures and plots of this run.
bench_update() {
	local from=$1 name

	{
		echo '.. SPDX-License-Identifier: GPL-2.0'
		echo '.. Made by "make bench BENCH_UPDATE=1".'
		echo
		cat "$from/figures.rst"
		for name in inflate deflate report native; do
			[ -e "$from/$name.svg" ] || continue
			cp "$from/$name.svg" "$top/Documentation/benchmark-$name.svg"
			printf '\n.. image:: benchmark-%s.svg\n' "$name"
		done
	} >"$top/Documentation/benchmark-figures.rst"
	cp "$from/bench.json" "$top/Documentation/benchmark.json"
}

# The parts of which the whole consists, with these rows: "PART" in each line.
bench_parts() {
	build_run tools/testing/selftests/vhost_balloon/bench/bench.sh --parts "$@"
}

# bench_boot PART ROW...: one part, in a host under test of its own. Fails if nothing was said for
# long, too.
bench_boot() {
	local line stream status

	# shellcheck disable=SC2034 # for job_boot()
	local job=(run /vhost-balloon/tools/testing/selftests/vhost_balloon/bench/bench.sh
		--part "$1" /out/bench "${@:2}")

	out_begin
	job_boot
	while IFS= read -r -t "$BENCH_SILENCE" -u "$stream" line; do
		[ "$line" = 'vmtest: up' ] || echo "$1: ${line#bench: }"
	done
	job_end
	status=$?
	[ $status -ne 0 ] || cp -r "$out_dir/bench" "$run_dir/$1"
	out_end
	return $status
}

# The same, and anew if it came to stand: guests under nested emulation now and then spin on a lock
# that nobody else can have, in which time hardly goes on in there, so that no time-out ends it.
bench_part() {
	local try

	for ((try = 1; try <= BENCH_TRIES; try++)); do
		bench_boot "$@" && return
		say "part $1: try $try of $BENCH_TRIES came to nothing"
	done
	return 1
}

# Sets part to the next one that no lane has taken, or to nothing. As many bytes are in the file.
bench_take() {
	exec 5>>"$run_dir/taken"
	flock 5
	part=${parts[$(wc -c <"$run_dir/taken")]:-}
	printf . >&5
	exec 5>&-
}

# bench_lane LANE ROW...: one part after the other, as long as there are any. The clocks count
# instructions, so what runs beside them makes no difference to what is measured.
bench_lane() {
	local part

	out_dir=$run_dir/out.$1
	shift
	while bench_take && [ -n "$part" ]; do
		bench_part "$part" "$@" || return
	done
}

# All of them, in order.
bench_collect() {
	local results=$1 part

	rm -f "$results"/*.svg "$results"/{raw,counters}.json
	for part in "${parts[@]}"; do
		cat "$run_dir/$part/raw.json" >>"$results/raw.json" || return
		cat "$run_dir/$part/counters.json" >>"$results/counters.json" || return
	done
	jq --argjson seconds "$2" '.seconds = $seconds' \
		"$run_dir/$part/method.json" >"$results/method.json"
}

# bench_run [ROW...]: all rows by default.
bench_run() {
	local results=${BENCH_OUT:-$cache/bench} started=$SECONDS lane lanes=() parts

	ICOUNT=1
	bench_packages
	mkdir -p "$results" || die "no directory $results"
	run_begin || exit
	mapfile -t parts < <(bench_parts "$@")
	[ ${#parts[@]} -gt 0 ] || die "no such rows: $*"
	for ((lane = 0; lane < BENCH_LANES; lane++)); do
		bench_lane $lane "$@" &
		lanes+=($!)
	done
	for lane in "${lanes[@]}"; do
		wait "$lane" || die "the benchmark did not end"
	done
	bench_collect "$results" $((SECONDS - started)) || die "no results"
	say "results in $results"
	"$self_dir/bench/report.sh" "$results" || die "no report"
	[ -z "${BENCH_UPDATE:-}" ] || bench_update "$results"
}
