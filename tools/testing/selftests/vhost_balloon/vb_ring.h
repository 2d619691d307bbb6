/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver side of a split virtqueue (virtio 1.4, section 2.7) in the test's
 * own memory.
 *
 * A test that behaves uses vb_ring_add(), vb_ring_publish() and
 * vb_ring_get_used(). One that misbehaves writes to @desc, @avail and @used
 * itself (vb_ring_set_desc(), vb_ring_set_avail() and the like), and then
 * leaves the functions that keep book of free descriptors alone.
 */
#ifndef VB_RING_H
#define VB_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/virtio_ring.h>

/** VB_RING_MAX - most entries that the device takes */
#define VB_RING_MAX	1024

/**
 * struct vb_sg - one buffer of a chain
 * @addr: guest physical address
 * @len: bytes
 * @flags: VRING_DESC_F_WRITE, or 0. vb_ring_add() adds VRING_DESC_F_NEXT.
 */
struct vb_sg {
	__u64 addr;
	__u32 len;
	__u16 flags;
};

/**
 * struct vb_ring - a ring and what its driver remembers
 * @num: entries
 * @event_idx: VIRTIO_RING_F_EVENT_IDX is in use
 * @desc: descriptor table
 * @avail: available ring
 * @used: used ring
 * @avail_idx: next index of the available ring to fill (free running)
 * @published: available index as last published
 * @used_idx: next index of the used ring to read (free running)
 * @nr_free: number of free descriptors
 * @free: their indices
 * @follow: for a descriptor in use, the next one of its chain
 */
struct vb_ring {
	unsigned int num;
	bool event_idx;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	__u16 avail_idx;
	__u16 published;
	__u16 used_idx;
	unsigned int nr_free;
	__u16 free[VB_RING_MAX];
	int follow[VB_RING_MAX];
};

/* Bytes that vb_ring_init() needs: each part begins on a page of its own. */
size_t vb_ring_size(unsigned int num);
/* Lays an empty ring into zeroed memory @mem of vb_ring_size() bytes. */
void vb_ring_init(struct vb_ring *ring, void *mem, unsigned int num);
/* The same, where free running indices have come to @base. */
void vb_ring_init_at(struct vb_ring *ring, void *mem, unsigned int num, __u16 base);

/*
 * Makes a chain of @nr buffers available, without publishing the index yet.
 * Returns the head, or -ENOSPC.
 */
int vb_ring_add(struct vb_ring *ring, const struct vb_sg *sg, unsigned int nr);
/*
 * The same, with an indirect table at the end: after the @nr buffers of @sg
 * (may be 0) comes one descriptor that points to @table, whose guest address is
 * @table_addr, filled with @nr_table buffers.
 */
int vb_ring_add_indirect(struct vb_ring *ring, const struct vb_sg *sg, unsigned int nr,
			 struct vring_desc *table, __u64 table_addr,
			 const struct vb_sg *table_sg, unsigned int nr_table);
/* Publishes what was added. Returns whether the device wants to be notified. */
bool vb_ring_publish(struct vb_ring *ring);
/*
 * Takes one used entry, and frees its descriptors. Returns 1, 0 if there is
 * none, or -EINVAL if its id is not the head of a chain in use.
 */
int vb_ring_get_used(struct vb_ring *ring, __u32 *id, __u32 *len);

/* What the device published. */
__u16 vb_ring_used_idx(const struct vb_ring *ring);
/* The entry at free running index @idx of the used ring. */
void vb_ring_used_elem(const struct vb_ring *ring, __u16 idx, __u32 *id, __u32 *len);
/* Whether the device says that it wants no notifications (without EVENT_IDX). */
bool vb_ring_no_notify(const struct vb_ring *ring);
/* The device's avail_event (with EVENT_IDX). */
__u16 vb_ring_avail_event(const struct vb_ring *ring);

/* Asks for an interrupt as soon as the used index goes past @idx (EVENT_IDX). */
void vb_ring_set_used_event(struct vb_ring *ring, __u16 idx);
/* Asks for no interrupts, or for all (without EVENT_IDX). */
void vb_ring_set_no_interrupt(struct vb_ring *ring, bool no_interrupt);

/* Raw access, for rings that make no sense. */
void vb_ring_set_desc(struct vring_desc *desc, __u64 addr, __u32 len, __u16 flags, __u16 next);
void vb_ring_set_avail(struct vb_ring *ring, __u16 idx, __u16 head);
void vb_ring_set_avail_idx(struct vb_ring *ring, __u16 idx);

#endif /* VB_RING_H */
