#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes figures of measurements: in a directory that bench.sh filled, bench.json, tables
# in figures.rst, and plots if there is gnuplot. Prints the tables, and a line for each bar.
#
# usage: report.sh DIRECTORY

set -u

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
dir=${1:?usage: report.sh DIRECTORY}

die() {
	echo "report: $*" >&2
	exit 1
}

# The columns of a plot: a line for each row, in the order asked for.
#
# plot_data OPERATION BACKEND CONTESTANT...
plot_data() {
	local operation=$1 backend=$2
	shift 2

	for contestant; do
		jq -r --arg contestant "$contestant" --arg backend "$backend" \
			--arg operation "$operation" '.rows[] |
			select(.contestant == $contestant and .backend == $backend and
				.operation == $operation) |
			"\"\($contestant)\" \(.host_us) \(.guest_us)"' "$dir/bench.json"
	done
}

# plot NAME TITLE OPERATION CONTESTANT...: host's and guest's part, by backend.
plot() {
	local name=$1 title=$2 operation=$3 backend
	shift 3

	: >"$dir/plot.data"
	for backend in anon memfd; do
		plot_data "$operation" "$backend" "$@" |
			sed "s/^\"\([^\"]*\)\"/\"\1\\\\n$backend\"/" >>"$dir/plot.data"
	done
	[ -s "$dir/plot.data" ] || return 0
	gnuplot -e "data='$dir/plot.data'; out='$dir/$name.svg'; title='$title'" \
		"$bench_dir/plot.gp" || die "cannot plot $name"
}

plots() {
	if ! command -v gnuplot >/dev/null; then
		echo "report: no gnuplot, no plots" >&2
		return
	fi
	plot inflate 'Inflate 256 MiB' inflate stock worker inline
	plot deflate 'Deflate 256 MiB' deflate stock worker inline
	plot report 'Free page reporting of 256 MiB' report stock worker inline
	plot native 'Native device, ascending pages, and the floor' ascending \
		native-worker native-inline native-floor
	rm -f "$dir/plot.data"
}

# A simple table of reStructuredText, of lines with tabs; the first one is the head.
table() {
	awk -F '\t' '
		{
			for (i = 1; i <= NF; i++) {
				cell[NR, i] = $i
				if (length($i) > width[i])
					width[i] = length($i)
			}
			columns = NF
		}
		function rule(i, j, line) {
			for (i = 1; i <= columns; i++) {
				for (j = 0; j < width[i]; j++)
					line = line "="
				line = line (i < columns ? " " : "")
			}
			print line
		}
		function row(n, i, line) {
			for (i = 1; i <= columns; i++)
				line = line sprintf(i < columns ? "%-" width[i] "s " : "%s",
					cell[n, i])
			sub(/ +$/, "", line)
			print line
		}
		END {
			rule()
			row(1)
			rule()
			for (n = 2; n <= NR; n++)
				row(n)
			rule()
		}'
}

# rows FILTER MEMBER NAME: the rows of bench.json that it lets through, that member of them too.
rows() {
	jq -r '
		def number($digits): if . == null then "-" else
			(. * pow(10; $digits) | round | tostring) as $text |
			(if $text | startswith("-") then "-" else "" end) as $sign |
			($text | ltrimstr("-")) as $text |
			("0" * ([$digits + 1 - ($text | length), 0] | max) // "") + $text |
			$sign + .[:-$digits] + "." + .[-$digits:] end;
		["contestant", "memory", "operation", "all", "host", "guest", "exits",
			"switches", "'"$3"'", "off by %"],
		(.rows[] | select('"$1"') | [.contestant, .backend, .operation,
			(.all_us | number(2)), (.host_us | number(2)), (.guest_us | number(2)),
			(.exits | number(1)), (.switches | number(2)), (.'"$2"' | number(1)),
			(.deviation | number(2))]) | @tsv' "$dir/bench.json" | table
}

# section TITLE FILTER MEMBER NAME: the table of these rows, if there are any.
section() {
	jq -e "[.rows[] | select($2)] | length > 0" "$dir/bench.json" >/dev/null || return 0
	printf '\n%s\n\n' "$1"
	rows "$2" "$3" "$4"
}

bars() {
	jq -r '.bars[] | "bar: \(.name) \(.value) \(if .at_least then ">=" else "<=" end)" +
		"\(.limit) \(if .met then "met" else "missed" end)"' "$dir/bench.json"
}

# The method's particulars and all figures, for Documentation.
figures() {
	jq -r '.method | "Kernel \(.kernel), QEMU \(.qemu), \(.cpus) CPU (\(.cpu)), transparent huge pages: \(.thp), " +
		(if .icount then "clock: instructions." else "clock: real time." end)' \
		"$dir/bench.json"
	section "Guests under QEMU, microseconds for a page:" \
		'.contestant | startswith("native") | not' syscalls "system calls"
	section "The native device, microseconds for a page:" \
		'.contestant | startswith("native")' operations operations
	printf '\n::\n\n'
	bars | sed 's/^/  /'
}

jq -s --argjson method "$(cat "$dir/method.json")" -f "$bench_dir/report.jq" \
	"$dir/raw.json" >"$dir/bench.json" || die "no figures"
figures >"$dir/figures.rst" || die "no tables"
plots
cat "$dir/figures.rst"
bars
