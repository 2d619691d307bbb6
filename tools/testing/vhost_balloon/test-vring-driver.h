/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the driver side of a split virtqueue, and of the memory that it is
 * in. It can be an honest driver (vbd_add(), vbd_publish(), vbd_get_used(), ...)
 * or write whatever it likes (vbd_set_desc(), vbd_write(), ...).
 *
 * Knows nothing of the code under test but struct vb_vring_access, so that it
 * can serve a fuzzer as well.
 */
#ifndef _TEST_VRING_DRIVER_H
#define _TEST_VRING_DRIVER_H

#include <linux/types.h>

#include "vring.h"

/* Where the two spaces begin: far apart, so that neither passes for the other. */
#define VBD_RING_BASE	0x7f1234560000ULL
#define VBD_GUEST_BASE	0x100000000ULL

/* Descriptor flags, section 2.7.5; written down here once more on purpose. */
#define VBD_NEXT	1
#define VBD_WRITE	2
#define VBD_INDIRECT	4

/* Feature bits, section 6. */
#define VBD_F_INDIRECT	(1ULL << 28)
#define VBD_F_EVENT_IDX	(1ULL << 29)

/**
 * struct vbd_area - memory whose pieces are contiguous for the driver only
 * @base: address of the first byte
 * @size: number of bytes
 * @gran: size of one piece, an even number; each is allocated for itself
 * @nr: number of pieces
 * @piece: the pieces
 */
struct vbd_area {
	u64 base;
	size_t size;
	size_t gran;
	size_t nr;
	u8 **piece;
};

/** struct vbd_desc - a descriptor */
struct vbd_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

/**
 * struct vbd - a driver, its virtqueue and its memory
 * @acc: what the device gets to see
 * @ring: memory of VB_SPACE_RING
 * @guest: memory of VB_SPACE_GUEST
 * @num: entries
 * @features: VBD_F_*
 * @desc: address of the descriptor table
 * @avail: address of the available ring
 * @used: address of the used ring
 * @avail_idx: available index to be published next
 * @kick_idx: available index at the last vbd_need_kick()
 * @last_used: used index to be looked at next
 * @nr_free: number of free descriptors
 * @free: the free descriptors, the last one is taken next
 * @owned: by head: how many descriptors it has, 0 if it isn't a head
 * @link: by descriptor: the next one of its chain
 * @brk: bytes of @guest that are taken
 * @hole: first of the guest addresses for which there is no memory ...
 * @hole_end: ... and the first one after them
 * @stray: number of translations for writing outside the used ring, or of bad
 *	length
 */
struct vbd {
	struct vb_vring_access acc;
	struct vbd_area ring;
	struct vbd_area guest;
	unsigned int num;
	u64 features;
	u64 desc;
	u64 avail;
	u64 used;
	u16 avail_idx;
	u16 kick_idx;
	u16 last_used;
	unsigned int nr_free;
	u16 *free;
	u16 *owned;
	u16 *link;
	size_t brk;
	u64 hole;
	u64 hole_end;
	unsigned long stray;
};

/** struct vbd_sg - a buffer to be made available */
struct vbd_sg {
	u64 addr;
	u32 len;
	bool write;
};

u64 vbd_rand(u64 *state);

/* gran: 0 for memory in one piece */
struct vbd *vbd_create(unsigned int num, u64 features, size_t guest_size, size_t gran);
void vbd_destroy(struct vbd *d);
/* Start anew with an empty ring whose indices are at idx, and shuffled descriptors. */
void vbd_reset(struct vbd *d, u16 idx, u64 seed);

/* Memory. Addresses of both spaces; outside of them is a bug of the test. */
void vbd_write(struct vbd *d, u64 addr, const void *from, size_t len);
void vbd_read(struct vbd *d, u64 addr, void *to, size_t len);
bool vbd_mapped(const struct vbd *d, u64 addr, size_t len);
/* Where the byte is in the test's own memory. */
u8 *vbd_host(struct vbd *d, u64 addr);
u64 vbd_alloc(struct vbd *d, size_t len);

/* The honest driver. */
int vbd_add(struct vbd *d, const struct vbd_sg *sg, unsigned int nr, unsigned int direct);
void vbd_publish(struct vbd *d);
bool vbd_need_kick(struct vbd *d);
bool vbd_get_used(struct vbd *d, u32 *id, u32 *len);
void vbd_disable_interrupts(struct vbd *d);
bool vbd_enable_interrupts(struct vbd *d);

/* The pieces that it is made of. */
void vbd_set_desc(struct vbd *d, u64 table, unsigned int i, u64 addr, u32 len, u16 flags,
		  u16 next);
struct vbd_desc vbd_get_desc(struct vbd *d, u64 table, unsigned int i);
void vbd_put16(struct vbd *d, u64 addr, u16 val);
u16 vbd_get16(struct vbd *d, u64 addr);
void vbd_set_avail(struct vbd *d, u16 i, u16 head);
void vbd_set_avail_idx(struct vbd *d, u16 idx);
void vbd_set_avail_flags(struct vbd *d, u16 flags);
void vbd_set_used_event(struct vbd *d, u16 event);
void vbd_set_used_idx(struct vbd *d, u16 idx);
u16 vbd_used_idx(struct vbd *d);
u16 vbd_used_flags(struct vbd *d);
u16 vbd_avail_event(struct vbd *d);
void vbd_used_elem(struct vbd *d, u16 i, u32 *id, u32 *len);

#endif /* _TEST_VRING_DRIVER_H */
