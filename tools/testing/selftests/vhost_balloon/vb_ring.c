// SPDX-License-Identifier: GPL-2.0
/*
 * The driver side of a split virtqueue.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "vb_ring.h"

#define PART_ALIGN	4096UL

static size_t part_align(size_t size)
{
	return (size + PART_ALIGN - 1) & ~(PART_ALIGN - 1);
}

static size_t desc_size(unsigned int num)
{
	return part_align(num * sizeof(struct vring_desc));
}

static size_t avail_size(unsigned int num)
{
	return part_align(sizeof(struct vring_avail) + (num + 1) * sizeof(__u16));
}

static size_t used_size(unsigned int num)
{
	return part_align(sizeof(struct vring_used) + num * sizeof(struct vring_used_elem) +
			  sizeof(__u16));
}

size_t vb_ring_size(unsigned int num)
{
	return desc_size(num) + avail_size(num) + used_size(num);
}

void vb_ring_init(struct vb_ring *ring, void *mem, unsigned int num)
{
	vb_ring_init_at(ring, mem, num, 0);
}

void vb_ring_init_at(struct vb_ring *ring, void *mem, unsigned int num, __u16 base)
{
	unsigned int i;

	memset(ring, 0, sizeof(*ring));
	ring->num = num;
	ring->desc = mem;
	ring->avail = mem + desc_size(num);
	ring->used = mem + desc_size(num) + avail_size(num);
	ring->avail_idx = base;
	ring->published = base;
	ring->used_idx = base;
	ring->avail->idx = htole16(base);
	ring->used->idx = htole16(base);
	for (i = 0; i < num; i++) {
		/* Taken from the end: a fresh ring hands out 0, 1, 2... */
		ring->free[i] = num - 1 - i;
		ring->follow[i] = -1;
	}
	ring->nr_free = num;
}

void vb_ring_set_desc(struct vring_desc *desc, __u64 addr, __u32 len, __u16 flags, __u16 next)
{
	desc->addr = htole64(addr);
	desc->len = htole32(len);
	desc->flags = htole16(flags);
	desc->next = htole16(next);
}

void vb_ring_set_avail(struct vb_ring *ring, __u16 idx, __u16 head)
{
	ring->avail->ring[idx % ring->num] = htole16(head);
}

void vb_ring_set_avail_idx(struct vb_ring *ring, __u16 idx)
{
	__atomic_store_n(&ring->avail->idx, htole16(idx), __ATOMIC_RELEASE);
}

/* Chains a descriptor to the one before, which is -1 for the first. */
static __u16 take_desc(struct vb_ring *ring, int prev, __u64 addr, __u32 len, __u16 flags)
{
	__u16 i = ring->free[--ring->nr_free];

	vb_ring_set_desc(&ring->desc[i], addr, len, flags, 0);
	ring->follow[i] = -1;
	if (prev >= 0) {
		ring->desc[prev].flags |= htole16(VRING_DESC_F_NEXT);
		ring->desc[prev].next = htole16(i);
		ring->follow[prev] = i;
	}
	return i;
}

static int add_direct(struct vb_ring *ring, const struct vb_sg *sg, unsigned int nr, int *head)
{
	int prev = -1;
	unsigned int i;

	*head = -1;
	for (i = 0; i < nr; i++) {
		prev = take_desc(ring, prev, sg[i].addr, sg[i].len, sg[i].flags);
		if (*head < 0)
			*head = prev;
	}
	return prev;
}

int vb_ring_add(struct vb_ring *ring, const struct vb_sg *sg, unsigned int nr)
{
	int head;

	if (!nr || nr > ring->nr_free)
		return -ENOSPC;
	add_direct(ring, sg, nr, &head);
	vb_ring_set_avail(ring, ring->avail_idx++, head);
	return head;
}

int vb_ring_add_indirect(struct vb_ring *ring, const struct vb_sg *sg, unsigned int nr,
			 struct vring_desc *table, __u64 table_addr,
			 const struct vb_sg *table_sg, unsigned int nr_table)
{
	unsigned int i;
	int head, last;

	if (nr + 1 > ring->nr_free)
		return -ENOSPC;
	for (i = 0; i < nr_table; i++)
		vb_ring_set_desc(&table[i], table_sg[i].addr, table_sg[i].len,
				 table_sg[i].flags |
				 (i + 1 < nr_table ? VRING_DESC_F_NEXT : 0), i + 1);
	last = add_direct(ring, sg, nr, &head);
	last = take_desc(ring, last, table_addr, nr_table * sizeof(*table),
			 VRING_DESC_F_INDIRECT);
	if (head < 0)
		head = last;
	vb_ring_set_avail(ring, ring->avail_idx++, head);
	return head;
}

bool vb_ring_publish(struct vb_ring *ring)
{
	__u16 old = ring->published;

	vb_ring_set_avail_idx(ring, ring->avail_idx);
	ring->published = ring->avail_idx;
	/* The index has to be out before the device is asked about its wish. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring->event_idx)
		return vring_need_event(vb_ring_avail_event(ring), ring->published, old);
	return !vb_ring_no_notify(ring);
}

int vb_ring_get_used(struct vb_ring *ring, __u32 *id, __u32 *len)
{
	__u32 head, bytes;
	int i, next;

	if (vb_ring_used_idx(ring) == ring->used_idx)
		return 0;
	vb_ring_used_elem(ring, ring->used_idx, &head, &bytes);
	ring->used_idx++;
	if (id)
		*id = head;
	if (len)
		*len = bytes;
	if (head >= ring->num)
		return -EINVAL;
	for (i = head; i >= 0; i = next) {
		if (ring->nr_free == ring->num)
			return -EINVAL;
		next = ring->follow[i];
		ring->follow[i] = -1;
		ring->free[ring->nr_free++] = i;
	}
	return 1;
}

__u16 vb_ring_used_idx(const struct vb_ring *ring)
{
	return le16toh(__atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE));
}

void vb_ring_used_elem(const struct vb_ring *ring, __u16 idx, __u32 *id, __u32 *len)
{
	const struct vring_used_elem *elem = &ring->used->ring[idx % ring->num];

	*id = le32toh(elem->id);
	*len = le32toh(elem->len);
}

bool vb_ring_no_notify(const struct vb_ring *ring)
{
	__u16 flags = le16toh(__atomic_load_n(&ring->used->flags, __ATOMIC_RELAXED));

	return flags & VRING_USED_F_NO_NOTIFY;
}

__u16 vb_ring_avail_event(const struct vb_ring *ring)
{
	const __u16 *event = (const __u16 *)&ring->used->ring[ring->num];

	return le16toh(__atomic_load_n(event, __ATOMIC_RELAXED));
}

void vb_ring_set_used_event(struct vb_ring *ring, __u16 idx)
{
	__atomic_store_n(&ring->avail->ring[ring->num], htole16(idx), __ATOMIC_RELAXED);
	/* It has to be out before the used index is looked at again. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void vb_ring_set_no_interrupt(struct vb_ring *ring, bool no_interrupt)
{
	__atomic_store_n(&ring->avail->flags,
			 htole16(no_interrupt ? VRING_AVAIL_F_NO_INTERRUPT : 0),
			 __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
