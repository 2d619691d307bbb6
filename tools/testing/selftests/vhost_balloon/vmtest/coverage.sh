# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which lines of the modules the tests have run: what boots of the host under test have
# counted is added up, as long as it is the same build of the modules. Sourced by vmtest.sh.

# Where: as its name says what was built.
coverage_dir() {
	local key

	key=$(cd "$run_dir/build" && find drivers -name '*.gcno' -print0 | sort -z |
		xargs -0 sha256sum | sha256sum | cut -c 1-16)
	echo "$cache/coverage-data-$key"
}

# Adds what the last boot has counted.
coverage_add() {
	local new=$out_dir/gcov dir

	[ -d "$new" ] || return 0
	dir=$(coverage_dir)
	# What was counted of another build.
	find "$cache" -maxdepth 1 -name 'coverage-data-*' ! -path "$dir" \
		-exec rm -rf --one-file-system {} +
	if [ ! -d "$dir/drivers" ]; then
		mkdir -p "$dir"
		cp -r "$new/drivers" "$dir/"
		return
	fi
	tree_run -b "$new:/mnt" -b "$dir:/out" \
		gcov-tool merge -o /out/sum /out/drivers /mnt/drivers ||
		die "cannot add what was covered"
	rm -rf "$dir/drivers"
	mv "$dir/sum" "$dir/drivers"
}

# Prints a table, and leaves a list of the lines that were not run.
coverage_report() {
	local dir

	dir=$(coverage_dir)
	[ -d "$dir/drivers" ] || die "nothing was counted"
	tree_run -b "$run_dir/build:/vhost-balloon" -b "$dir:/out" \
		/vhost-balloon/tools/testing/selftests/vhost_balloon/vmtest/coverage-table.sh ||
		die "no table of what was covered"
	say "what was not run: $dir/missed"
}
