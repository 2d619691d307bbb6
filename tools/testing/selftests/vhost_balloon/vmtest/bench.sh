# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The benchmark: measures in a host under test whose clock counts instructions, makes
# tables and plots of that here. Sourced by vmtest.sh.

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

# bench_run [ROW...]: all rows by default.
bench_run() {
	local results=${BENCH_OUT:-$cache/bench} started=$SECONDS

	ICOUNT=1
	TIMEOUT=${BENCH_TIMEOUT:-14400}
	bench_packages
	run_script "$self_dir/bench/bench.sh" /out/bench "$@" || die "the benchmark did not end"
	mkdir -p "$results" || die "no directory $results"
	rm -f "$results"/*.svg
	cp "$run_dir/out/bench"/* "$results/" || die "no results"
	jq --argjson seconds $((SECONDS - started)) '.seconds = $seconds' \
		"$run_dir/out/bench/method.json" >"$results/method.json"
	say "results in $results"
	"$self_dir/bench/report.sh" "$results" || die "no report"
	[ -z "${BENCH_UPDATE:-}" ] || bench_update "$results"
}
