#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run in a suite's tree: of the counts in /out/drivers makes /out/table, which it prints,
# and /out/missed, the lines that were not run. Tracepoints are not looked at: the code is
# the kernel's.

set -eu -o pipefail

cd /vhost-balloon
find drivers -name '*.gcno' -exec cp {} /out/{} \;

# Every line that there is code for: file, line, how often. Headers are part of many objects.
find /out/drivers -name '*.gcda' -exec gcov --json-format --stdout {} + |
	jq -r '.files[] | .file as $file | .lines[] | [$file, .line_number, .count] | @tsv' |
	sed -n 's|^[^\t]*\(drivers/v[a-z]*/balloon/\)|\1|p' | grep -v '/trace\.h' |
	awk -F '\t' '{ count[$1 "\t" $2] += $3 }
		END { for (line in count) print line "\t" count[line] }' |
	sort -t $'\t' -k 1,1 -k 2,2n >/out/lines

awk -F '\t' '$3 == 0 { print $1 ":" $2 }' /out/lines |
	while IFS=: read -r file line; do
		echo "$file:$line:$(sed -n "${line}p" "$file")"
	done >/out/missed

awk -F '\t' '
	function row(what) {
		printf "%-42s %6d %6d %6.1f\n", what, all[what], run[what],
		       100 * run[what] / all[what]
	}
	function count(what, hit) {
		all[what]++
		run[what] += hit
	}
	!($1 in all) { name[++nr] = $1 }
	{
		module = $1
		sub("/[^/]*$", "", module)
		count($1, $3 > 0)
		count(module, $3 > 0)
		count("all", $3 > 0)
	}
	END {
		printf "%-42s %6s %6s %6s\n", "file", "lines", "run", "%"
		for (i = 1; i <= nr; i++)
			row(name[i])
		row("drivers/vdpa/balloon")
		row("drivers/vhost/balloon")
		row("all")
	}' /out/lines | tee /out/table
