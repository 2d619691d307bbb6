/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernel versions that vdpa_balloon.ko meets, and
 * nothing else.
 */
#ifndef _VDPA_BALLOON_COMPAT_H
#define _VDPA_BALLOON_COMPAT_H

#include <linux/vdpa.h>

/*
 * Newer kernels take map operations, for devices that do their own DMA mapping
 * for drivers of the host kernel. This one serves userspace only, and has none.
 */
#ifdef VDPA_BALLOON_HAVE_MAP_OPS
#define vdpa_balloon_alloc_device(type, member, parent, ops, name) \
	vdpa_alloc_device(type, member, parent, ops, NULL, 1, 1, name, true)
#else
#define vdpa_balloon_alloc_device(type, member, parent, ops, name) \
	vdpa_alloc_device(type, member, parent, ops, 1, 1, name, true)
#endif

static inline void vdpa_balloon_set_dma_dev(struct vdpa_device *vdev, struct device *dev)
{
#ifdef VDPA_BALLOON_HAVE_MAP_OPS
	vdev->vmap.dma_dev = dev;
#else
	vdev->dma_dev = dev;
#endif
}

#endif /* _VDPA_BALLOON_COMPAT_H */
