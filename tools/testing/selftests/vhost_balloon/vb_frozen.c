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
#include <sys/wait.h>

#include "vb_frozen.h"

#define IMAGE_BYTES	(16L << 20)

static int is_there(void)
{
	/* Where they aren't built in. */
	if (system("modprobe -qa loop ext4; grep -qw ext4 /proc/filesystems") ||
	    access("/dev/loop-control", F_OK) || system("command -v mkfs.ext4 >/dev/null"))
		return -EOPNOTSUPP;
	return 0;
}

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
	return ret ?: (system(command) ? -EIO : 0);
}

static int mount_image(struct vb_frozen *f)
{
	char command[128];

	snprintf(f->dir, sizeof(f->dir), "/tmp/vb-frozen-XXXXXX");
	if (!mkdtemp(f->dir))
		return -errno;
	snprintf(command, sizeof(command), "mount -t ext4 -o loop,nosuid,nodev %s %s", f->image,
		 f->dir);
	f->mounted = !system(command);
	return f->mounted ? 0 : -EIO;
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
	f->leash = -1;
	ret = is_there();
	if (!ret)
		ret = make_image(f);
	if (!ret)
		ret = mount_image(f);
	if (!ret)
		ret = make_file(f);
	if (ret)
		vb_frozen_unmount(f);
	return ret;
}

/* Who has mappings of it may still have to be thawed to end, so it's detached at once. */
static void clear_away(struct vb_frozen *f)
{
	umount2(f->dir, MNT_DETACH);
	rmdir(f->dir);
	unlink(f->image);
}

/* Not a part of the test: its end, by a time-out for one, isn't the end of this. */
static int be_guard(struct vb_frozen *f, int end)
{
	char byte;
	int ret;

	setsid();
	close(f->leash);
	while (read(end, &byte, 1) < 0 && errno == EINTR)
		;
	ret = ioctl(f->file, FITHAW, 0);
	clear_away(f);
	return ret ? 1 : 0;
}

int vb_frozen_freeze(struct vb_frozen *f)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	f->leash = ends[1];
	f->guard = fork();
	if (!f->guard)
		_exit(be_guard(f, ends[0]));
	close(ends[0]);
	if (f->guard < 0)
		return -errno;
	return ioctl(f->file, FIFREEZE, 0) ? -errno : 0;
}

void vb_frozen_forget(struct vb_frozen *f)
{
	close(f->leash);
}

int vb_frozen_thaw(struct vb_frozen *f)
{
	int status;

	if (f->guard <= 0)
		return 0;
	close(f->leash);
	f->leash = -1;
	if (waitpid(f->guard, &status, 0) != f->guard)
		return -ECHILD;
	f->guard = 0;
	f->mounted = false;
	return status ? -EIO : 0;
}

void vb_frozen_unmount(struct vb_frozen *f)
{
	vb_frozen_thaw(f);
	if (f->file >= 0)
		close(f->file);
	f->file = -1;
	if (f->mounted)
		clear_away(f);
	f->mounted = false;
}
