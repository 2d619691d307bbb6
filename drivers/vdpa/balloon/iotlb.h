/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The IOTLB of a vDPA balloon, as a source of guest memory.
 */
#ifndef _VDPA_BALLOON_IOTLB_H
#define _VDPA_BALLOON_IOTLB_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/vhost_balloon.h>
#include <linux/vhost_iotlb.h>

/**
 * struct vdpa_balloon_iotlb - what the VMM has mapped for the device
 * @lock: protects all other members. Innermost: it is taken under mmap_lock
 *	when something is mapped, and under the balloon's memory mutex when
 *	something is looked up, and nothing sleeps under it.
 * @maps: the mappings, in whole pages; their opaque value is a serial number
 * @generation: counts changes of @maps
 * @next_id: serial number for the next mapping
 */
struct vdpa_balloon_iotlb {
	spinlock_t lock;	/* protects the other members */
	struct vhost_iotlb maps;
	u64 generation;
	u32 next_id;
};

extern const struct vhost_balloon_source_ops vdpa_balloon_iotlb_source;

void vdpa_balloon_iotlb_init(struct vdpa_balloon_iotlb *iotlb);
int vdpa_balloon_iotlb_map(struct vdpa_balloon_iotlb *iotlb, u64 iova, u64 size, u64 hva, u32 perm);
int vdpa_balloon_iotlb_unmap(struct vdpa_balloon_iotlb *iotlb, u64 iova, u64 size);
void vdpa_balloon_iotlb_clear(struct vdpa_balloon_iotlb *iotlb);

#endif /* _VDPA_BALLOON_IOTLB_H */
