# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What comes from the kernel's source, that of the default suite for all
# suites: the harness of its selftests, its checkpatch, and kernels of one's own.
# Sourced by vmtest.sh.

source_package=linux-source-6.12
source_suite=trixie
source_dir=
own_dir=

# The files taken from the source, where they lie in it.
source_list() {
	local files=(
		scripts/checkpatch.pl
		scripts/kernel-doc
		scripts/spelling.txt
		scripts/const_structs.checkpatch
		tools/testing/selftests/lib.mk
		tools/testing/selftests/kselftest.h
		tools/testing/selftests/kselftest_harness.h
		tools/testing/selftests/kselftest
	)
	printf '%s\n' "${files[@]}"
}

# Seconds that the harness gives a test case which does not say itself. It has
# 30, of a machine that is not emulated.
source_timeout=120

# Makes source_dir: the source package, and unpacked from it the few files
# that every run needs. The tree of the suite that has it fetches it.
source_get() {
	local log=$log_dir/source.log wanted=$SUITE new

	source_dir=$cache/linux-source-$({ echo $source_timeout; source_list; } |
		sha256sum | cut -c 1-16)
	[ ! -d "$source_dir" ] || return 0
	new=$source_dir.new
	exec 7>"$cache/linux-source.lock"
	flock 7
	if [ ! -d "$source_dir" ]; then
		suite "$source_suite"
		tree_get
		say "fetching $source_package"
		rm -rf "$new"
		mkdir "$new" || die "no space in $cache"
		# shellcheck disable=SC2016 # expanded by the shell in the tree
		source_list | tree_run -b "$new:/linux-source" \
			-b /etc/resolv.conf:/etc/resolv.conf sh -eu -c '
			cd /linux-source
			apt-get -q update
			apt-get -q download "$1"
			mv "$1"_*.deb package.deb
			dpkg-deb -f package.deb Version >version
			sed "s|^|$1/|" >/tmp/list
			dpkg-deb --fsys-tarfile package.deb |
				tar -xO "./usr/src/$1.tar.xz" | xz -dc -T0 |
				tar -x --strip-components=1 -T /tmp/list
			sed -i "s/\(TEST_TIMEOUT_DEFAULT\) 30/\1 $2/" \
				tools/testing/selftests/kselftest_harness.h
		' sh "$source_package" "$source_timeout" >"$log" 2>&1 ||
			{ tail -n 20 "$log" >&2; die "no kernel source, see $log"; }
		mv "$new" "$source_dir"
		suite "$wanted"
	fi
	exec 7>&-
}

# The configuration of the debug kernel or the coverage kernel. That is the former with another
# fragment, whose lines take the place of those for the same options.
own_config() {
	local fragments=("$self_dir/debug.config")

	[ "$own_kernel" = debug ] || fragments+=("$self_dir/$own_kernel.config")
	awk '{ line[NR] = $0 }
		match($0, /CONFIG_[A-Z0-9_]+/) && /^(# )?CONFIG_[A-Z0-9_]+(=| is not set)/ {
			option = substr($0, RSTART, RLENGTH)
			delete line[last[option]]
			last[option] = NR
		}
		END { for (i = 1; i <= NR; i++) if (i in line) print line[i] }' "${fragments[@]}"
}

# Makes own_dir: vmlinuz, and build, the tree it was built in.
own_get() {
	local log=$log_dir/$own_kernel-kernel.log key

	[ "$SUITE" = "$source_suite" ] ||
		die "the $own_kernel kernel is for SUITE=$source_suite"
	key=$(own_config | cat "$source_dir/version" - | sha256sum | cut -c 1-16)
	own_dir=$cache/$own_kernel-$key
	exec 7>"$cache/$own_kernel.lock"
	flock 7
	if [ ! -d "$own_dir" ]; then
		# What was begun for another configuration or source.
		find "$cache" -maxdepth 1 -name "$own_kernel-*.new" ! -path "$own_dir.new" \
			-exec rm -rf --one-file-system {} +
		say "building the $own_kernel kernel (12 minutes on two processors), log in $log"
		mkdir -p "$own_dir.new"
		own_config >"$own_dir.new/asked.config"
		# shellcheck disable=SC2016 # expanded by the shell in the tree
		tree_run -b "$source_dir:/linux-source" -b "$own_dir.new:/out" \
			sh -eu -c '
			# An interrupted build is taken up where it was left.
			if [ ! -d /out/build ]; then
				rm -rf /out/build.new
				mkdir /out/build.new
				dpkg-deb --fsys-tarfile /linux-source/package.deb |
					tar -xO "./usr/src/$1.tar.xz" | xz -dc -T0 |
					tar -x --strip-components=1 -C /out/build.new
				mv /out/build.new /out/build
			fi
			mount --bind /out/build /linux-build
			cd /linux-build
			make KCONFIG_ALLCONFIG=/out/asked.config allnoconfig
			# What did not come out as asked has lost a dependency.
			grep -E "^(# )?CONFIG_" /out/asked.config | sort >/tmp/asked
			if sort .config | comm -23 /tmp/asked - | grep -v "is not set"; then
				echo "not in the configuration"
				exit 1
			fi
			nice make -j"$(nproc)" bzImage modules
			cp arch/x86/boot/bzImage /out/vmlinuz
		' sh "$source_package" >"$log" 2>&1 ||
			{ tail -n 20 "$log" >&2; die "no $own_kernel kernel, see $log"; }
		mv "$own_dir.new" "$own_dir"
	fi
	exec 7>&-
}
