// SPDX-License-Identifier: GPL-2.0
/*
 * A filesystem that can be frozen.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "vb_frozen.h"

#define IMAGE_BYTES	(16L << 20)

static int make_image(struct vb_frozen *f)
{
	char command[64];
	int fd, ret;

	snprintf(f->image, sizeof(f->image), "/tmp/vb-image-XXXXXX");
	fd = mkstemp(f->image);
	if (fd < 0)
		return -errno;
	ret = ftruncate(fd, IMAGE_BYTES) ? -errno : 0;
	close(fd);
	snprintf(command, sizeof(command), "mkfs.ext4 -qF %s", f->image);
	return ret ?: (system(command) ? -EOPNOTSUPP : 0);
}

static int mount_image(struct vb_frozen *f)
{
	char command[128];

	snprintf(f->dir, sizeof(f->dir), "/tmp/vb-frozen-XXXXXX");
	if (!mkdtemp(f->dir))
		return -errno;
	/* Where they aren't built in. */
	snprintf(command, sizeof(command),
		 "modprobe -qa loop ext4; mount -t ext4 -o loop,nosuid,nodev %s %s", f->image,
		 f->dir);
	if (system(command))
		return -EOPNOTSUPP;
	f->mounted = true;
	return 0;
}

/* With blocks of its own for all of it: reading needs nothing but them. */
static int make_file(struct vb_frozen *f)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "%s/file", f->dir);
	f->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (f->file < 0)
		return -errno;
	ret = -posix_fallocate(f->file, 0, VB_FROZEN_BYTES);
	return ret ?: (fsync(f->file) ? -errno : 0);
}

int vb_frozen_mount(struct vb_frozen *f)
{
	int ret;

	f->file = -1;
	ret = make_image(f);
	if (!ret)
		ret = mount_image(f);
	if (!ret)
		ret = make_file(f);
	if (ret)
		vb_frozen_unmount(f);
	return ret;
}

int vb_frozen_freeze(struct vb_frozen *f)
{
	if (ioctl(f->file, FIFREEZE, 0))
		return -errno;
	f->frozen = true;
	return 0;
}

int vb_frozen_thaw(struct vb_frozen *f)
{
	if (f->frozen && ioctl(f->file, FITHAW, 0))
		return -errno;
	f->frozen = false;
	return 0;
}

void vb_frozen_unmount(struct vb_frozen *f)
{
	vb_frozen_thaw(f);
	if (f->file >= 0)
		close(f->file);
	f->file = -1;
	if (f->mounted)
		umount2(f->dir, 0);
	f->mounted = false;
	rmdir(f->dir);
	unlink(f->image);
}
