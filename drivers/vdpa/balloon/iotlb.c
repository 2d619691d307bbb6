// SPDX-License-Identifier: GPL-2.0
/*
 * The IOTLB of a vDPA balloon, as a source of guest memory.
 *
 * A VMM without KVM has no memslots. What it has told the device about its
 * memory is the IOTLB: the shared mappings among its guest's memory, by guest
 * address, with the VMM's own address of each. That is enough to find rings and
 * pages, with two limits that memslots don't have: private memory is missing,
 * and nothing holds back a VMM that unmaps a range while a queue is worked on.
 * (It can't: vhost-vdpa unmaps under mmap_lock when a mapping fails half way,
 * and whoever works on a queue may wait for that lock.) A VMM that wants to be
 * sure stops or resets the device first.
 */

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/sizes.h>

#include "iotlb.h"

#define IOTLB_PAGE_SIZE		((u64)1 << VHOST_BALLOON_PAGE_SHIFT)
#define IOTLB_PAGE_MASK		(~(IOTLB_PAGE_SIZE - 1))

/**
 * vdpa_balloon_iotlb_init - make an empty IOTLB
 * @iotlb: the IOTLB
 */
void vdpa_balloon_iotlb_init(struct vdpa_balloon_iotlb *iotlb)
{
	spin_lock_init(&iotlb->lock);
	/*
	 * Some kernels refuse everything if the limit is zero, others keep no limit: see
	 * vdpa_balloon_iotlb_map().
	 */
	vhost_iotlb_init(&iotlb->maps, VHOST_BALLOON_REGIONS_MAX, 0);
	iotlb->generation = 1;
	iotlb->next_id = 0;
}

/**
 * vdpa_balloon_iotlb_map - add a mapping
 * @iotlb: the IOTLB
 * @iova: guest address
 * @size: bytes
 * @hva: address of the same memory in the VMM
 * @perm: VHOST_MAP_RO, VHOST_MAP_WO or both
 *
 * The balloon knows whole pages only, so a part of a page at either end is
 * left out. Where a guest page is not a page of the VMM's, none could be used.
 *
 * Context: process context, mmap_lock may be held.
 * Return: 0, -EINVAL for a mapping that makes no sense, -ENOSPC or -ENOMEM.
 */
int vdpa_balloon_iotlb_map(struct vdpa_balloon_iotlb *iotlb, u64 iova, u64 size, u64 hva, u32 perm)
{
	u64 skip = -iova & ~IOTLB_PAGE_MASK;
	int err;

	if (!size || iova > U64_MAX - (size - 1) || hva > U64_MAX - (size - 1))
		return -EINVAL;
	if ((iova ^ hva) & ~IOTLB_PAGE_MASK)
		return -EINVAL;
	if (!perm || perm & ~VHOST_MAP_RW)
		return -EINVAL;
	if (size < skip + IOTLB_PAGE_SIZE)
		return 0;

	iova += skip;
	hva += skip;
	size = (size - skip) & IOTLB_PAGE_MASK;

	spin_lock(&iotlb->lock);
	if (iotlb->maps.nmaps >= VHOST_BALLOON_REGIONS_MAX) {
		err = -ENOSPC;
		goto out_unlock;
	}
	err = vhost_iotlb_add_range_ctx(&iotlb->maps, iova, iova + (size - 1), hva, perm,
					(void *)(uintptr_t)iotlb->next_id);
	if (!err) {
		iotlb->next_id++;
		iotlb->generation++;
	}
out_unlock:
	spin_unlock(&iotlb->lock);
	return err;
}

/**
 * vdpa_balloon_iotlb_unmap - remove the mappings of a range
 * @iotlb: the IOTLB
 * @iova: guest address
 * @size: bytes; the range is one that was mapped, or several
 *
 * Doesn't wait for a queue that is being worked on.
 *
 * Context: process context, mmap_lock may be held.
 * Return: 0, or -EINVAL for a range that makes no sense.
 */
int vdpa_balloon_iotlb_unmap(struct vdpa_balloon_iotlb *iotlb, u64 iova, u64 size)
{
	if (!size || iova > U64_MAX - (size - 1))
		return -EINVAL;

	spin_lock(&iotlb->lock);
	vhost_iotlb_del_range(&iotlb->maps, iova, iova + (size - 1));
	iotlb->generation++;
	spin_unlock(&iotlb->lock);
	return 0;
}

/**
 * vdpa_balloon_iotlb_clear - remove all mappings
 * @iotlb: the IOTLB
 */
void vdpa_balloon_iotlb_clear(struct vdpa_balloon_iotlb *iotlb)
{
	spin_lock(&iotlb->lock);
	vhost_iotlb_reset(&iotlb->maps);
	iotlb->generation++;
	spin_unlock(&iotlb->lock);
}

/* There is nothing that could keep mappings as they are: see the top of this file. */
static int iotlb_enter(void *data)
{
	return 0;
}

static void iotlb_leave(void *data, int cookie)
{
}

static u64 iotlb_generation(void *data)
{
	struct vdpa_balloon_iotlb *iotlb = data;
	u64 generation;

	spin_lock(&iotlb->lock);
	generation = iotlb->generation;
	spin_unlock(&iotlb->lock);
	return generation;
}

static int iotlb_find(void *data, u64 gfn, struct vhost_balloon_slot *slot)
{
	struct vdpa_balloon_iotlb *iotlb = data;
	const struct vhost_iotlb_map *map;
	int err = -ENOENT;

	if (gfn > U64_MAX >> VHOST_BALLOON_PAGE_SHIFT)
		return err;

	spin_lock(&iotlb->lock);
	map = vhost_iotlb_itree_first(&iotlb->maps, gfn << VHOST_BALLOON_PAGE_SHIFT, U64_MAX);
	if (map) {
		slot->gfn = map->start >> VHOST_BALLOON_PAGE_SHIFT;
		slot->nr = map->size >> VHOST_BALLOON_PAGE_SHIFT;
		slot->hva = map->addr;
		slot->id = (uintptr_t)map->opaque;
		/* What the device may not write, it may not take either. */
		slot->flags = map->perm & VHOST_MAP_WO ? 0 : VHOST_BALLOON_SLOT_READONLY;
		err = 0;
	}
	spin_unlock(&iotlb->lock);
	return err;
}

/* The IOTLB is part of the vDPA device, which outlives the binding. */
static void iotlb_release(void *data)
{
}

/* The data is a struct vdpa_balloon_iotlb. */
const struct vhost_balloon_source_ops vdpa_balloon_iotlb_source = {
	.type		= VHOST_BALLOON_SOURCE_IOTLB,
	.enter		= iotlb_enter,
	.leave		= iotlb_leave,
	.generation	= iotlb_generation,
	.find		= iotlb_find,
	.release	= iotlb_release,
};
