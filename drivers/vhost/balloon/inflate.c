// SPDX-License-Identifier: GPL-2.0
/*
 * The inflate and deflate queues (virtio 1.4, section 5.5.6): buffers of 32-bit
 * little-endian page numbers, in units of 4 KiB, any number of them a chain.
 *
 * Pages are discarded before the chain that names them is completed. Without
 * MUST_TELL_HOST the guest may reuse them from the moment it sees the
 * completion, so afterwards it would be too late.
 */
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "inflate.h"

/* Take over @n page numbers that were read into the batch. */
static void vb_pfns_take(struct vb_queue *q, unsigned int n)
{
	struct vb_batch *b = q->batch;
	unsigned int i;

	/* The batch has room: no more is read than page numbers fit. */
	for (i = 0; i < n; i++)
		vb_ranges_add(&b->ranges, le32_to_cpu(b->pfn[i]), 1);
	q->chain_pfns += n;
	if (n)
		q->faults = 0;
}

/*
 * Read page numbers, as many as the batch has room for. A page number may be
 * spread over descriptors; what is there of it is carried over.
 */
static int vb_pfns_collect(struct vb_queue *q)
{
	struct vb_batch *b = q->batch;
	unsigned int have, room;
	ssize_t n;

	while (b->ranges.pages < VB_BATCH_PFNS) {
		room = (VB_BATCH_PFNS - b->ranges.pages) * sizeof(__le32);
		have = q->carry_len;
		memcpy(b->pfn, q->carry, have);
		n = vb_chain_read(&q->vring, &q->acc, &q->chain, (u8 *)b->pfn + have, room - have);
		if (n < 0)
			return n;
		if (!n)
			return have ? -EINVAL : 1;

		have += n;
		q->carry_len = have % sizeof(__le32);
		memcpy(q->carry, (u8 *)b->pfn + have - q->carry_len, q->carry_len);
		vb_pfns_take(q, have / sizeof(__le32));
		if (q->chain_pfns > VB_CHAIN_PFNS_MAX) {
			q->vring.broken = VHOST_BALLOON_BROKEN_CHAIN_SIZE;
			return -EBADMSG;
		}
	}
	return 0;
}

/* One step of discarding, in a section of its own. */
static int vb_inflate_step(struct vb_queue *q)
{
	int ret;

	ret = vb_memory_enter(q->memory);
	if (ret == -ENXIO) {
		/* The memory went after the page numbers were read. */
		vb_count(q->counters, VHOST_BALLOON_C_SKIP_NO_SLOT, q->batch->ranges.pages);
		return 0;
	}
	if (ret)
		return ret;
	ret = vb_discard_step(&q->discard, &q->cursor);
	vb_memory_leave(q->memory);
	if (ret == -EAGAIN)
		ret = vb_discard_wait(&q->discard);
	vb_discard_finish(&q->discard);
	return ret < 0 ? ret : ret || q->cursor.index < q->batch->ranges.nr;
}

static int vb_inflate_act(struct vb_queue *q)
{
	struct vb_ranges *ranges = &q->batch->ranges;
	int ret;

	/* Not when we come back to a batch. */
	if (!q->cursor.ranges) {
		vb_count(q->counters, VHOST_BALLOON_C_INFLATED, ranges->pages);
		vb_count(q->counters, VHOST_BALLOON_C_DUPLICATE, vb_ranges_merge(ranges));
		q->cursor = (struct vb_discard_cursor){ .ranges = ranges };
	}
	do {
		ret = vb_inflate_step(q);
		if (ret > 0 && fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (ret > 0);
	return ret;
}

/* The pages are the guest's again as soon as it is told; they come back when touched. */
static int vb_deflate_act(struct vb_queue *q)
{
	vb_count(q->counters, VHOST_BALLOON_C_DEFLATED, q->batch->ranges.pages);
	return 0;
}

const struct vb_queue_ops vb_inflate_ops = {
	.role		= VHOST_BALLOON_ROLE_INFLATE,
	.collect	= vb_pfns_collect,
	.act		= vb_inflate_act,
};

const struct vb_queue_ops vb_deflate_ops = {
	.role		= VHOST_BALLOON_ROLE_DEFLATE,
	.collect	= vb_pfns_collect,
	.act		= vb_deflate_act,
};
