/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One balloon on the vDPA bus.
 */
#ifndef _VDPA_BALLOON_DEVICE_H
#define _VDPA_BALLOON_DEVICE_H

#include <linux/types.h>

struct vdpa_mgmt_dev;

u64 vdpa_balloon_supported_features(void);
u64 vdpa_balloon_default_features(void);
int vdpa_balloon_add(struct vdpa_mgmt_dev *mdev, const char *name, u64 features, u32 access);
void vdpa_balloon_wait_gone(void);

#endif /* _VDPA_BALLOON_DEVICE_H */
