# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Checks of the source that need no host under test. Sourced by vmtest.sh.

# lint NAME COMMAND...: passes if the command does and prints nothing.
lint() {
	local name=$1 output status
	shift

	output=$("$@" 2>&1)
	status=$?
	if [ $status -eq 0 ] && [ -z "$output" ]; then
		result pass "lint: $name"
	else
		result fail "lint: $name" "$(printf '%s\n' "$output" | sed 's/^/# /')"
	fi
}

# Every warning of gcc's W=1 and of sparse about our own files.
lint_modules() {
	local log=$log_dir/lint-modules.log

	build_run make clean >/dev/null 2>&1
	build_run make modules W=1 C=1 >"$log" 2>&1 || {
		cat "$log"
		return 1
	}
	! grep -E '^(/vhost-balloon/)?(\./)?(drivers|include)/.*(warning|error)' "$log"
}

# The exceptions of checkpatch.ignore as a pattern of messages.
lint_exceptions() {
	local path type text pattern='^total:'

	while read -r path type text; do
		case $path in
		'' | '#'*) continue ;;
		esac
		path=${path//./\\.}
		pattern+="|^${path//\*/.*}:[0-9]+: [A-Z]+:$type:.*$text"
	done <"$self_dir/checkpatch.ignore"
	echo "$pattern"
}

lint_checkpatch() {
	build_files | grep -zE '\.[ch]$' |
		build_run xargs -0 perl /linux-source/scripts/checkpatch.pl \
			--no-tree --terse --show-types --file |
		grep -vE "$(lint_exceptions)"
	return 0
}

# The kernel-doc of the headers. W=1 has looked at that of the C files.
lint_kernel_doc() {
	build_files | grep -zE '^(include|drivers)/.*\.h$' |
		build_run xargs -0 /linux-source/scripts/kernel-doc -none
}

# Scripts, and with them what they source.
lint_shellcheck() {
	local file

	while IFS= read -rd '' file; do
		case $(head -c 64 "$top/$file" 2>/dev/null | head -n 1 | tr -d '\0') in
		'#!'*sh*) printf '%s\0' "$file" ;;
		esac
	done < <(build_files) |
		build_run xargs -0 shellcheck --external-sources --check-sourced \
			--source-path=SCRIPTDIR --source-path=SCRIPTDIR/vmtest
}

lint_man() {
	build_files | grep -zE '^Documentation/man/' |
		build_run xargs -0r mandoc -T lint -W warning
}

lint_run() {
	local build_kind=-lint

	build_copy || die "cannot copy the checkout"
	lint "modules, W=1 and sparse" lint_modules
	lint checkpatch lint_checkpatch
	lint kernel-doc lint_kernel_doc
	lint shellcheck lint_shellcheck
	lint "man pages" lint_man
}

# The unit tests, under the address and undefined behaviour sanitizers.
unit_run() {
	local build_kind=-lint

	build_copy || die "cannot copy the checkout"
	tap_run unit build_run make -s unit
}

# The fuzzers, for some time each. An input that one failed of is kept.
fuzz_run() {
	local build_kind=-fuzz dir file

	build_copy || die "cannot copy the checkout"
	dir=$(build_dir)/tools/testing/vhost_balloon
	rm -rf "$dir/fuzz/found"
	tap_run fuzz build_run make -s -C tools/testing/vhost_balloon fuzz \
		"FUZZ_TIME=$FUZZ_TIME" ${FUZZ:+"FUZZ=$FUZZ"}
	for file in "$dir/fuzz/found"/*; do
		[ -e "$file" ] || continue
		cp "$file" "$log_dir/" && echo "# input kept: $log_dir/${file##*/}"
	done
}
