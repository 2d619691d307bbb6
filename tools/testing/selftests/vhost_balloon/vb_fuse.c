// SPDX-License-Identifier: GPL-2.0
/*
 * A filesystem with one file, whose content never comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "vb_backend.h"
#include "vb_fuse.h"

#define FILE_NODE	2
/* No question is longer. */
#define QUESTION_BYTES	(FUSE_MIN_READ_BUFFER + (64U << 10))
#define FOREVER		3600

static void answer(struct vb_fuse *f, __u64 unique, int error, const void *data, size_t len)
{
	struct fuse_out_header header = {
		.len = sizeof(header) + len, .error = error, .unique = unique,
	};
	const struct iovec parts[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)data, .iov_len = len },
	};

	/* Who asked may have been killed meanwhile. */
	f->lost += writev(f->dev, parts, 2) < 0;
}

static void fill_attr(struct fuse_attr *attr, __u64 node)
{
	attr->ino = node;
	attr->mode = node == FILE_NODE ? S_IFREG | 0600 : S_IFDIR | 0700;
	attr->size = node == FILE_NODE ? VB_FUSE_BYTES : 0;
	attr->nlink = 1;
	attr->blksize = VB_PAGE;
}

static void answer_init(struct vb_fuse *f, __u64 unique)
{
	/* Who waits for pages that are read ahead can be killed, who asks for one himself can't. */
	const struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = VB_PAGE, .max_readahead = VB_FUSE_BYTES, .flags = FUSE_ASYNC_READ,
	};

	answer(f, unique, 0, &out, sizeof(out));
}

static void answer_lookup(struct vb_fuse *f, __u64 unique)
{
	struct fuse_entry_out out = {
		.nodeid = FILE_NODE, .entry_valid = FOREVER, .attr_valid = FOREVER,
	};

	fill_attr(&out.attr, FILE_NODE);
	answer(f, unique, 0, &out, sizeof(out));
}

static void answer_getattr(struct vb_fuse *f, __u64 unique, __u64 node)
{
	struct fuse_attr_out out = { .attr_valid = FOREVER };

	fill_attr(&out.attr, node);
	answer(f, unique, 0, &out, sizeof(out));
}

static void serve(struct vb_fuse *f, const struct fuse_in_header *question)
{
	const struct fuse_open_out opened = { .open_flags = FOPEN_KEEP_CACHE };

	switch (question->opcode) {
	case FUSE_INIT:
		answer_init(f, question->unique);
		break;
	case FUSE_LOOKUP:
		answer_lookup(f, question->unique);
		break;
	case FUSE_GETATTR:
		answer_getattr(f, question->unique, question->nodeid);
		break;
	case FUSE_OPEN:
		answer(f, question->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		/* Never. */
		atomic_fetch_add(&f->reads, 1);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		/* These want no answer. */
		break;
	default:
		answer(f, question->unique, -EOPNOTSUPP, NULL, 0);
		break;
	}
}

static void *fuse_run(void *arg)
{
	static char question[QUESTION_BYTES];
	struct vb_fuse *f = arg;

	for (;;) {
		ssize_t n = read(f->dev, question, sizeof(question));

		/* Other than these two, it was unmounted. */
		if (n < 0 && errno != EINTR && errno != ENOENT)
			return NULL;
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			serve(f, (const void *)question);
	}
}

static int mount_it(struct vb_fuse *f)
{
	char options[96];

	snprintf(options, sizeof(options), "fd=%d,rootmode=%o,user_id=0,group_id=0", f->dev,
		 S_IFDIR);
	if (mount("vb_fuse", f->dir, "fuse", MS_NOSUID | MS_NODEV, options))
		return -errno;
	f->mounted = true;
	return 0;
}

static int open_file(struct vb_fuse *f)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/file", f->dir);
	f->file = open(path, O_RDWR | O_CLOEXEC);
	return f->file < 0 ? -errno : 0;
}

int vb_fuse_mount(struct vb_fuse *f)
{
	int ret;

	f->file = -1;
	/* Where it isn't built in. */
	if (access("/dev/fuse", F_OK) && system("modprobe -q fuse"))
		return -EOPNOTSUPP;
	f->dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (f->dev < 0)
		return -EOPNOTSUPP;
	snprintf(f->dir, sizeof(f->dir), "/tmp/vb-fuse-XXXXXX");
	ret = mkdtemp(f->dir) ? mount_it(f) : -errno;
	if (!ret)
		ret = -pthread_create(&f->thread, NULL, fuse_run, f);
	f->started = !ret;
	if (!ret)
		ret = open_file(f);
	if (ret)
		vb_fuse_unmount(f);
	return ret;
}

void vb_fuse_unmount(struct vb_fuse *f)
{
	/* Whoever still waits is told that there will be nothing. */
	if (f->mounted)
		umount2(f->dir, MNT_FORCE | MNT_DETACH);
	f->mounted = false;
	if (f->file >= 0)
		close(f->file);
	f->file = -1;
	if (f->started)
		pthread_join(f->thread, NULL);
	f->started = false;
	if (f->dev >= 0)
		close(f->dev);
	f->dev = -1;
	rmdir(f->dir);
}

int vb_fuse_wait(struct vb_fuse *f)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (!atomic_load(&f->reads)) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}
