// SPDX-License-Identifier: GPL-2.0
/*
 * A machine whose driver may do as it likes.
 */
#include <endian.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "vb_hostile.h"
#include "vb_random.h"

/* The page numbers that all buffers begin with. */
static void write_page_numbers(struct vb_machine *m, const struct vb_memory *ram)
{
	__u32 *words = m->buf.hva;
	unsigned int i;

	for (i = 0; i < VB_HOSTILE_PAGES; i++)
		words[i] = htole32(vb_memory_gfn(ram, i));
}

int vb_hostile_open(struct vb_machine *m, struct vb_memory *ram, __u64 features)
{
	int ret;

	memset(ram, 0, sizeof(*ram));
	ret = vb_machine_open(m, false, features, VB_HOSTILE_NUM);
	if (ret)
		return ret;
	ret = vb_memory_map(ram, VB_MEMORY_ANON, VB_HOSTILE_GPA, VB_HOSTILE_PAGES * VB_PAGE);
	if (ret)
		goto out_close;
	vb_memory_fill(ram, 0, VB_HOSTILE_PAGES, VB_HOSTILE_SEED);
	write_page_numbers(m, ram);
	ret = vb_machine_add(m, ram, 0);
	if (!ret)
		ret = vb_machine_start(m);
	if (!ret)
		return 0;

out_close:
	vb_hostile_close(m, ram);
	return ret;
}

void vb_hostile_close(struct vb_machine *m, struct vb_memory *ram)
{
	vb_machine_close(m);
	vb_memory_unmap(ram);
}

void vb_hostile_desc(struct vb_machine *m, unsigned int i, __u64 addr, __u32 len, __u16 flags,
		     __u16 next)
{
	vb_ring_set_desc(&m->inflate.ring.desc[i], addr, len, flags, next);
}

void vb_hostile_table(struct vb_machine *m, unsigned int i, __u64 addr, __u32 len, __u16 flags,
		      __u16 next)
{
	struct vring_desc *table = m->buf.hva + VB_TABLE_OFFSET;

	vb_ring_set_desc(&table[i], addr, len, flags, next);
}

void vb_hostile_table2(struct vb_machine *m, unsigned int i, __u64 addr, __u32 len, __u16 flags,
		       __u16 next)
{
	struct vring_desc *table = m->buf.hva + VB_TABLE2_OFFSET;

	vb_ring_set_desc(&table[i], addr, len, flags, next);
}

void vb_hostile_avail(struct vb_machine *m, __u16 head)
{
	struct vb_ring *ring = &m->inflate.ring;

	vb_ring_set_avail(ring, ring->avail_idx, head);
	vb_ring_set_avail_idx(ring, ++ring->avail_idx);
}

int vb_hostile_inflate(struct vb_machine *m, unsigned int page)
{
	struct vb_sg sg = { .addr = VB_BUF_GPA + 4 * page, .len = 4 };
	struct vb_queue *q = &m->inflate;
	int ret;

	ret = vb_ring_add(&q->ring, &sg, 1);
	if (ret < 0)
		return ret;
	ret = vb_queue_notify(q);
	if (!ret)
		ret = vb_queue_wait_used(q, q->ring.avail_idx);
	if (ret)
		return ret;
	return vb_ring_get_used(&q->ring, NULL, NULL) == 1 ? 0 : -EPROTO;
}

int vb_hostile_deflate(struct vb_machine *m)
{
	const unsigned long offset = 4 * VB_PAGE;
	struct vb_memory buf = {
		.gpa = VB_BUF_GPA + offset, .len = VB_PAGE, .hva = m->buf.hva + offset,
	};
	__u32 page = 0;

	return vb_queue_send_pages(&m->deflate, &buf, &page, 1);
}

int vb_hostile_round(struct vb_machine *m, struct vb_memory *ram, unsigned int nr)
{
	unsigned int page = nr % VB_HOSTILE_PAGES;
	int ret = vb_hostile_inflate(m, page);

	if (!ret && vb_memory_zero(ram, page, 1) != 1)
		ret = -EPROTO;
	if (ret)
		return ret;
	vb_memory_fill(ram, page, 1, VB_HOSTILE_SEED);
	return vb_hostile_deflate(m);
}

void vb_hostile_random(struct vb_machine *m, __u64 *state)
{
	vb_random_ring(state, &m->inflate.ring, m->buf.hva + VB_TABLE_OFFSET,
		       m->buf.hva + VB_TABLE2_OFFSET);
}

/* Only grows while a ring is served. */
static __u64 progress(struct vb_machine *m)
{
	return vb_counter(m->backend, VHOST_BALLOON_C_INFLATED) +
	       vb_ring_used_idx(&m->inflate.ring);
}

/* A ring may name a million pages, which takes its time where kernels are slow. */
static int wait_served(struct vb_machine *m, bool *broken)
{
	__u64 now, then = vb_now_ms(), done, before = 0;
	struct vhost_balloon_info info;
	int ret;

	for (;;) {
		ret = vb_get_info(m->backend, &info);
		if (ret)
			return ret;
		*broken = info.queues[VB_INFLATE].flags & VHOST_BALLOON_QUEUE_BROKEN;
		if (*broken)
			return 0;
		if (vb_ring_used_idx(&m->inflate.ring) == m->inflate.ring.avail->idx)
			return 0;
		now = vb_now_ms();
		done = progress(m);
		if (done != before)
			then = now;
		else if (now > then + VB_TIMEOUT_MS)
			return -ETIMEDOUT;
		before = done;
		sched_yield();
	}
}

int vb_hostile_serve_random(struct vb_machine *m, __u64 *state, bool *broken)
{
	int ret = vb_machine_stop(m);

	if (!ret)
		ret = vb_set_vring_base(m->backend, VB_INFLATE, 0);
	if (ret)
		return ret;
	m->inflate.ring.used->idx = 0;
	vb_hostile_random(m, state);
	ret = vb_machine_start(m);
	return ret ? ret : wait_served(m, broken);
}
