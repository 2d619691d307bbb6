/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory as VHOST_SET_MEM_TABLE says it.
 */
#ifndef _VHOST_BALLOON_MEMTABLE_H
#define _VHOST_BALLOON_MEMTABLE_H

#include <linux/vhost_balloon.h>

struct vb_memtable;

extern const struct vhost_balloon_source_ops vb_memtable_ops;

struct vb_memtable *vb_memtable_copy(const void __user *argp);
void vb_memtable_free(struct vb_memtable *table);

#endif /* _VHOST_BALLOON_MEMTABLE_H */
