/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A filesystem on a block device, with one file, that can be frozen: whoever writes to the file
 * by way of a mapping then waits until it is thawed, and can't be killed meanwhile.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_FROZEN_H
#define VB_FROZEN_H

#include <stdbool.h>
#include <sys/types.h>

/** VB_FROZEN_BYTES - size of the file */
#define VB_FROZEN_BYTES	(1UL << 20)

/**
 * struct vb_frozen - the filesystem; zeroed before it is mounted
 * @file: the file
 * @dir: where the filesystem is mounted
 * @image: what is mounted there
 * @mounted: it is
 * @guard: a process that thaws it, whatever becomes of this one; 0 for none
 * @leash: when nobody has this open any more, @guard does so
 */
struct vb_frozen {
	int file;
	char dir[32];
	char image[32];
	bool mounted;
	pid_t guard;
	int leash;
};

/* Mounts it, not frozen, and opens the file. -EOPNOTSUPP: there is no such thing here. */
int vb_frozen_mount(struct vb_frozen *f);
int vb_frozen_freeze(struct vb_frozen *f);
/* In a child that shall not keep it frozen by being there. */
void vb_frozen_forget(struct vb_frozen *f);
/* Also if it isn't frozen. */
int vb_frozen_thaw(struct vb_frozen *f);
/* Thaws it, if need be. */
void vb_frozen_unmount(struct vb_frozen *f);

#endif /* VB_FROZEN_H */
