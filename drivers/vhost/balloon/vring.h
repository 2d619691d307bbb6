/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device side of a split virtqueue (virtio 1.4, section 2.7) that lives in
 * somebody else's memory.
 *
 * Knows addresses through the translate callback only, and memory through
 * copies that may fail with -EFAULT at any point: page faults are disabled
 * where it runs in the kernel. Every step can be called again after -EFAULT,
 * once the page was faulted in, and goes on where it stopped. What the ring
 * says is read once, then validated, then used.
 *
 * Also built in userspace, against a shim of the few kernel headers it needs.
 * No locks of its own: the caller serializes everything per ring.
 */
#ifndef _VHOST_BALLOON_VRING_H
#define _VHOST_BALLOON_VRING_H

#include <linux/types.h>

#include "vring_access.h"

/** VB_VRING_MAX_NUM - largest ring */
#define VB_VRING_MAX_NUM	1024

/**
 * struct vb_vring - one virtqueue
 * @num: entries, a power of two of at most VB_VRING_MAX_NUM (ring addresses
 *	and sizes are set by the owner of the structure)
 * @desc: address of the descriptor table
 * @avail: address of the available ring
 * @used: address of the used ring
 * @event_idx: VIRTIO_F_RING_EVENT_IDX was negotiated
 * @indirect: VIRTIO_F_RING_INDIRECT_DESC was negotiated
 * @last_avail: next index in the available ring to look at (free running)
 * @avail_idx: available index as last read from the ring
 * @next_used: next index in the used ring to write (free running)
 * @used_published: used index as last written to the ring
 * @index_untold: @written was not told of @used_published yet
 * @signalled_used: used index when the driver was last interrupted
 * @signalled_used_valid: @signalled_used means something
 * @broken: why the ring can't be trusted any more (enum vhost_balloon_broken),
 *	0 while it can. Never cleared but by vb_vring_init().
 */
struct vb_vring {
	unsigned int num;
	u64 desc;
	u64 avail;
	u64 used;
	bool event_idx;
	bool indirect;
	u16 last_avail;
	u16 avail_idx;
	u16 next_used;
	u16 used_published;
	bool index_untold;
	u16 signalled_used;
	bool signalled_used_valid;
	u32 broken;
};

/**
 * struct vb_chain - a walk over one descriptor chain
 * @head: index of the first descriptor, the id of the used entry
 * @active: a chain is being walked
 * @in_indirect: the walk is inside an indirect table
 * @table: address of the table walked: ring space, or guest space if @in_indirect
 * @table_len: entries of that table
 * @next: index of the descriptor to be read next
 * @more: there is a descriptor to be read next
 * @seen: descriptors read so far in this table
 * @addr: guest address of what is left of the current descriptor
 * @len: bytes left of the current descriptor; 0: read the next one first
 * @write: the current descriptor is device-writable
 * @was_write: a device-writable descriptor came before (a readable one after it
 *	is malformed: virtio 1.4, section 2.7.4.2)
 */
struct vb_chain {
	u16 head;
	bool active;
	bool in_indirect;
	u64 table;
	u32 table_len;
	u32 next;
	bool more;
	u32 seen;
	u64 addr;
	u32 len;
	bool write;
	bool was_write;
};

void vb_vring_init(struct vb_vring *vr, unsigned int num, u64 desc, u64 avail,
		   u64 used, u16 last_avail, u64 features);
int vb_vring_start(struct vb_vring *vr, struct vb_vring_access *acc);
int vb_vring_next(struct vb_vring *vr, struct vb_vring_access *acc, struct vb_chain *chain);
int vb_chain_segment(struct vb_vring *vr, struct vb_vring_access *acc, struct vb_chain *chain);
void vb_chain_advance(struct vb_chain *chain, u32 len);
ssize_t vb_chain_read(struct vb_vring *vr, struct vb_vring_access *acc, struct vb_chain *chain,
		      void *buf, size_t len);
int vb_vring_add_used(struct vb_vring *vr, struct vb_vring_access *acc, u16 head, u32 len);
int vb_vring_publish(struct vb_vring *vr, struct vb_vring_access *acc);
int vb_vring_should_signal(struct vb_vring *vr, struct vb_vring_access *acc);
int vb_vring_disable_notify(struct vb_vring *vr, struct vb_vring_access *acc);
int vb_vring_enable_notify(struct vb_vring *vr, struct vb_vring_access *acc);

#endif /* _VHOST_BALLOON_VRING_H */
