# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The root tree of a suite: a minimal Debian with the suite's kernel, QEMU,
# compiler and kernel headers. The modules are built in it, and the host under
# test runs from it. Sourced by vmtest.sh.
#
# A suite's directory in the cache:
#   root/     the tree, and root/kernel/VERSION (vmlinuz) beside its modules
#   boot-KEY/    vmlinuz and initramfs of the host under test
#   guest-KEY/   vmlinuz and initramfs of a guest that runs inside it
#   build/, build-debug/, build-coverage/   copies of the checkout, with what was built there
#   lock      shared while the tree is used, exclusive while it is made

# Raise when what tree_make does to a tree changes in any other way than
# through the package list.
tree_format=3

tree_packages() {
	local packages=(
		# what modules, tool and tests are built with
		linux-headers-amd64 gcc make libc6-dev sparse pkgconf
		libjson-c-dev libsmartcols-dev
		# what a kernel of one's own needs on top
		bc bison flex libelf-dev libssl-dev perl python3-minimal
		# what checks them
		libcmocka-dev shellcheck
		# what the host under test runs
		qemu-system-x86 iproute2 socat kmod jq mandoc strace
		busybox-static cpio xz-utils zstd procps util-linux mount e2fsprogs
	)
	# Fuzzers are built and run in one tree only.
	[ "$SUITE" != "$source_suite" ] || packages+=(clang libclang-rt-19-dev)
	printf '%s\n' "${packages[@]}"
}

tree_sources() {
	local mirror=${MIRROR:-http://deb.debian.org}

	case $SUITE in
	*-backports)
		echo "deb $mirror/debian ${SUITE%-backports} main"
		;;
	esac
	echo "deb $mirror/debian $SUITE main"
	echo "deb $mirror/debian ${SUITE%-backports}-updates main"
	echo "deb $mirror/debian-security ${SUITE%-backports}-security main"
}

tree_key() {
	{
		echo "$tree_format"
		tree_sources
		tree_packages
	} | sha256sum | cut -c 1-16
}

# Packages of the machine itself that are missing are named, then installed.
host_packages() {
	local missing=()

	command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
	[ -e /usr/share/keyrings/debian-archive-trixie-stable.gpg ] ||
		[ -e /usr/share/keyrings/debian-archive-trixie-stable.pgp ] ||
		missing+=(debian-archive-keyring)
	command -v make >/dev/null || missing+=(make)
	command -v mount >/dev/null || missing+=(mount)
	host_install "${missing[@]}"
}

# host_install PACKAGE...: says so, and does it.
host_install() {
	[ $# -gt 0 ] || return 0
	say "installing with apt-get: $*"
	{
		apt-get -q update
		DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
			--no-install-recommends "$@"
	} >"$log_dir/apt.log" 2>&1 || die "apt-get failed, see $log_dir/apt.log"
}

# Runs a command in the tree: tree_run [-b SOURCE:TARGET]... COMMAND...
tree_run() {
	(tree_exec "$@")
}

# The same in place of this process, so that its id is the one to kill. What
# was started dies with it, and it with its parent. In another suite's tree if
# tree_root says so.
tree_exec() {
	local binds=()

	while [ "$1" = -b ]; do
		binds+=(-b "$2")
		shift 2
	done
	exec setpriv --pdeathsig KILL \
		unshare --mount --propagation private --pid --fork --kill-child -- \
		"$vmtest_dir/enter.sh" "${tree_root:-$suite_dir/root}" "${binds[@]}" -- "$@"
}

tree_ready() {
	[ "$(cat "$suite_dir/root/.vmtest" 2>/dev/null)" = "$(tree_key)" ]
}

# Takes the suite's lock, shared, with the tree in place. Held until exit.
tree_get() {
	mkdir -p "$suite_dir"
	exec 8>"$suite_dir/lock"
	while :; do
		flock -s 8
		tree_ready && break
		flock -x 8
		tree_ready || tree_make
	done
	kernel_version=$(cat "$suite_dir/root/.vmtest-kernel")
}

# Built under another name and renamed when complete, so that what bears the
# name root is whole.
tree_make() {
	local new=$suite_dir/root.new log=$log_dir/tree.log include release=()

	case $SUITE in
	*-backports)
		# Else apt takes nothing from there.
		release=(--aptopt="APT::Default-Release \"$SUITE\"")
		;;
	esac
	host_packages
	say "making the $SUITE tree in $suite_dir (about two minutes)"
	# All of it belongs to the tree that goes.
	find "$suite_dir" -mindepth 1 -maxdepth 1 -type d \
		-exec rm -rf --one-file-system {} +
	include=$(tree_packages | paste -sd,)
	tree_sources | mmdebstrap --mode=root --variant=minbase \
		--include="$include" \
		--aptopt='APT::Install-Recommends "false"' \
		"${release[@]}" \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook="$vmtest_dir/customize.sh" \
		"${SUITE%-backports}" "$new" - >"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; die "mmdebstrap failed, see $log"; }
	tree_key >"$new/.vmtest"
	mv "$new" "$suite_dir/root"
}

# Makes an initramfs: DIRECTORY INIT MODULE...
#
# Modules are laid down uncompressed with a list in loading order, because
# busybox's insmod neither decompresses nor knows dependencies.
initramfs_make() {
	local dir=$1 init=$2
	shift 2

	# shellcheck disable=SC2016 # expanded by the shell in the tree
	tree_run -b "$dir:/out" -b "$vmtest_dir:/mnt" sh -eu -c '
		version=$1 init=$2
		shift 2
		mkdir -p /tmp/i/bin /tmp/i/dev /tmp/i/modules
		cp /bin/busybox /tmp/i/bin/
		cp "/mnt/$init" /tmp/i/init
		chmod 755 /tmp/i/init
		for module; do
			modprobe -S "$version" --show-depends "$module"
		done | while read -r insmod path; do
			[ "$insmod" = insmod ] || continue
			file=${path##*/}
			file=${file%%.ko*}.ko
			[ -e "/tmp/i/modules/$file" ] && continue
			case $path in
			*.xz) xz -dc "$path" ;;
			*.zst) zstd -dcq "$path" ;;
			*) cat "$path" ;;
			esac >"/tmp/i/modules/$file"
			echo "$file" >>/tmp/i/modules/list
		done
		touch /tmp/i/modules/list
		cd /tmp/i
		find . | cpio --quiet -o -H newc | gzip -1 >/out/initramfs.gz
	' sh "$kernel_version" "$init" "$@"
}

# boot_get NAME KERNEL MODULE...: a kernel and an initramfs with NAME-init.sh
# in a directory, whose path is left in NAME_dir. It bears the checksum of what
# it is made from in its name, because an older one may be in use.
boot_get() {
	local name=$1 kernel=$2 dir
	shift 2

	dir=$suite_dir/$name-$(echo "$kernel $*" |
		cat - "$vmtest_dir/$name-init.sh" | sha256sum | cut -c 1-16)
	# shellcheck disable=SC2034 # for boot
	case $name in
	boot) boot_dir=$dir ;;
	guest) guest_dir=$dir ;;
	esac
	exec 7>"$suite_dir/boot.lock"
	flock 7
	if [ ! -d "$dir" ]; then
		rm -rf "$dir.new"
		mkdir "$dir.new" || die "no space in $suite_dir"
		cp "$kernel" "$dir.new/vmlinuz" || die "no kernel $kernel"
		initramfs_make "$dir.new" "$name-init.sh" "$@" ||
			die "no initramfs in $dir.new"
		mv "$dir.new" "$dir"
	fi
	exec 7>&-
}

# The host under test, and a guest to run inside it.
boot_files() {
	local stock=$suite_dir/root/kernel/$kernel_version/vmlinuz

	if [ -n "$own_kernel" ]; then
		boot_get boot "$own_dir/vmlinuz"
	else
		boot_get boot "$stock" virtio_pci 9pnet_virtio 9p overlay
	fi
	boot_get guest "$stock" virtio_pci virtio_balloon
}
