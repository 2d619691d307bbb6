# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Builds the checkout for a suite's kernel, in a copy of it in the cache: the
# checkout itself is only read. Sourced by vmtest.sh.

# Copies for different purposes do not disturb each other.
build_dir() {
	echo "$suite_dir/build${build_kind:-${own_kernel:+-$own_kernel}}"
}

# The files of the checkout: those that git knows or would take. Without git,
# or if it does not trust whose files they are, all that is not binary, and
# the inputs of fuzzers.
build_files() {
	if [ "$(git -C "$top" rev-parse --show-toplevel 2>/dev/null)" = "$top" ]; then
		git -C "$top" ls-files -z --cached --others --exclude-standard
	else
		(cd "$top" && {
			grep -rIlZ --exclude-dir=.git --exclude-dir=corpus '' .
			find ./tools/testing/vhost_balloon/corpus -type f -print0
		} | sed -z 's|^\./||')
	fi
}

# Brings the copy up to date, and locks it. Only what differs is copied, and bears the time
# of now: make then builds what it must, even if the file came from an older
# checkout.
build_copy() {
	local dir file
	local -A present=()

	dir=$(build_dir)
	mkdir -p "$dir"
	exec 9>"$dir.lock"
	flock 9
	while IFS= read -rd '' file; do
		[ -f "$top/$file" ] || continue
		present[$file]=1
		cmp -s "$top/$file" "$dir/$file" &&
			[ "$(stat -c %a "$top/$file")" = "$(stat -c %a "$dir/$file")" ] && continue
		mkdir -p "$(dirname "$dir/$file")"
		cp --preserve=mode "$top/$file" "$dir/$file" || return
	done < <(build_files)
	# What has left the checkout leaves the copy.
	[ ! -e "$dir/.vmtest-files" ] || while IFS= read -rd '' file; do
		[ -n "${present[$file]:-}" ] || rm -f "$dir/$file"
	done <"$dir/.vmtest-files"
	printf '%s\0' "${!present[@]}" >"$dir/.vmtest-files"
}

# Runs a command in the tree with the copy at /vhost-balloon as its directory.
build_run() {
	local binds=(-b "$(build_dir):/vhost-balloon" -b "$source_dir:/linux-source")

	[ -z "$own_kernel" ] || binds+=(-b "$own_dir/build:/linux-build")
	mkdir -p "$(build_dir)"
	tree_run "${binds[@]}" env -C /vhost-balloon "KDIR=$(build_kdir)" \
		SELFTESTS_DIR=/linux-source/tools/testing/selftests "$@"
}

build_kdir() {
	if [ -n "$own_kernel" ]; then
		echo /linux-build
	else
		echo "/lib/modules/$kernel_version/build"
	fi
}

# Builds what BUILD names. The log is shown if that fails.
build() {
	local log target

	log=$log_dir/build-$(tested).log
	build_copy || die "cannot copy the checkout"
	for target in $BUILD; do
		build_run make -j"$(nproc)" ${KEEP_GOING:+-k} \
			${COVERAGE:+VB_COVERAGE=1} "$target" >"$log" 2>&1 && continue
		cat "$log" >&2
		say "cannot build: make $target"
		[ -n "${KEEP_GOING:-}" ] || return 1
	done
}

# A copy of what was built, to run from while something else is built.
build_snapshot() {
	cp -a "$(build_dir)" "$1" || die "no space in $suite_dir"
	exec 9>&-
}
