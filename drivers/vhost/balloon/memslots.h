/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory as a KVM VM's memslots say it.
 */
#ifndef _VHOST_BALLOON_MEMSLOTS_H
#define _VHOST_BALLOON_MEMSLOTS_H

#include <linux/vhost_balloon.h>

struct file;
struct vb_memslots;

extern const struct vhost_balloon_source_ops vb_memslots_ops;

struct vb_memslots *vb_memslots_get(struct file *file);
struct vb_memslots *vb_memslots_get_own(void);
void vb_memslots_put(struct vb_memslots *ms);

int vb_memslots_init(void);
void vb_memslots_exit(void);

#endif /* _VHOST_BALLOON_MEMSLOTS_H */
