#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Called by mmdebstrap at the end of making a tree, with the tree's path: adds
# the suite's kernel, unpacked and not installed, so that no hook of it makes
# an initramfs or looks for a boot loader.

set -eu
shopt -s nullglob

root=$1

headers=("$root"/usr/src/linux-headers-*-amd64)
version=${headers[-1]##*/linux-headers-}

mkdir "$root/kernel" "$root/kernel/package"
mkdir "$root/out" "$root/vhost-balloon" "$root/vhost-balloon-guest" \
	"$root/linux-source" "$root/linux-build"

# Where the headers do not depend on the kernel itself. Some suites split it
# into two packages.
if [ ! -d "$root/usr/lib/modules/$version/kernel" ]; then
	for package in "linux-image-$version" "linux-binary-$version" \
		"linux-modules-$version"; do
		chroot "$root" apt-cache show "$package" >/dev/null 2>&1 || continue
		# shellcheck disable=SC2016 # expanded by the shell in the tree
		chroot "$root" sh -c 'cd /kernel && apt-get download "$1"' sh "$package"
	done
	for deb in "$root"/kernel/*.deb; do
		dpkg -x "$deb" "$root/kernel/package"
		rm "$deb"
	done
	for dir in usr/lib lib boot; do
		[ -d "$root/kernel/package/$dir" ] || continue
		# The tree has /lib as a link to /usr/lib.
		cp -a "$root/kernel/package/$dir/." "$root/$dir/"
	done
	chroot "$root" depmod "$version"
fi
rm -r "$root/kernel/package"

mkdir "$root/kernel/$version"
for vmlinuz in "$root/boot/vmlinuz-$version" \
	"$root/usr/lib/modules/$version/vmlinuz"; do
	[ -e "$vmlinuz" ] || continue
	cp "$vmlinuz" "$root/kernel/$version/vmlinuz"
	break
done
echo "$version" >"$root/.vmtest-kernel"

# Somebody who is not root, for tests of permissions.
chroot "$root" useradd --create-home --shell /bin/bash tester
