/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registry of balloons, and the files that control them.
 */
#ifndef _VHOST_BALLOON_CONTROL_H
#define _VHOST_BALLOON_CONTROL_H

#include <linux/types.h>
#include <linux/vhost_balloon.h>

#include "device.h"

struct seq_file;

u64 vb_registry_new_id(void);
void vb_registry_add(struct vhost_balloon *vb);
void vb_registry_del(struct vhost_balloon *vb);

int vb_control_open(struct vhost_balloon *vb, s32 __user *ufd);
long vb_registry_ioctl(unsigned int cmd, unsigned long arg);
long vb_control_ioctl(struct vhost_balloon *vb, unsigned int cmd, unsigned long arg);
int vb_control_inhibit(struct vhost_balloon *vb, enum vb_inhibitor who,
		       const struct vhost_balloon_inhibit *arg);
void vb_control_show(struct vhost_balloon *vb, struct seq_file *m);

#endif /* _VHOST_BALLOON_CONTROL_H */
