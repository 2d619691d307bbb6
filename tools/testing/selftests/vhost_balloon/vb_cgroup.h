/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cgroup (version 2) of the test's own.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_CGROUP_H
#define VB_CGROUP_H

#include <stdbool.h>

/**
 * struct vb_cgroup - the cgroup
 * @path: its directory
 * @memory: its memory is accounted, for which the root's children were told so
 */
struct vb_cgroup {
	char path[64];
	bool memory;
};

/* Makes one, whose memory is accounted if @memory says so. -EOPNOTSUPP: there is no such thing. */
int vb_cgroup_make(struct vb_cgroup *cg, bool memory);
/* Removes it; nobody may be in it. */
int vb_cgroup_remove(struct vb_cgroup *cg);
/* This process goes into it. */
int vb_cgroup_enter(struct vb_cgroup *cg);
/* Writes to one of its files. */
int vb_cgroup_write(struct vb_cgroup *cg, const char *name, const char *value);
/* The number behind a key in one of its files; -1 if it isn't there. */
long vb_cgroup_number(struct vb_cgroup *cg, const char *name, const char *key);
/* Waits until that is what is given: 0 or -ETIMEDOUT. */
int vb_cgroup_wait(struct vb_cgroup *cg, const char *name, const char *key, long number);

#endif /* VB_CGROUP_H */
