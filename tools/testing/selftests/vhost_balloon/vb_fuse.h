/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A filesystem with one file, whose content never comes: whoever reads it by way of a mapping
 * waits until he is killed, or the filesystem is gone.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_FUSE_H
#define VB_FUSE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/** VB_FUSE_BYTES - size of the file */
#define VB_FUSE_BYTES	(1UL << 20)

/**
 * struct vb_fuse - the filesystem, served by a thread; zeroed before it is mounted
 * @dev: the connection
 * @file: the file
 * @dir: where it is mounted
 * @mounted: it is
 * @started: there is a thread
 * @thread: the thread
 * @reads: how often somebody asked for the content
 * @lost: how often nobody wanted the answer any more
 */
struct vb_fuse {
	int dev;
	int file;
	char dir[32];
	bool mounted;
	bool started;
	pthread_t thread;
	atomic_uint reads;
	unsigned int lost;
};

/* Mounts it, and opens the file. -EOPNOTSUPP: there is no such thing here. */
int vb_fuse_mount(struct vb_fuse *f);
void vb_fuse_unmount(struct vb_fuse *f);
/* Waits until somebody waits for the content: 0 or -ETIMEDOUT. */
int vb_fuse_wait(struct vb_fuse *f);

#endif /* VB_FUSE_H */
